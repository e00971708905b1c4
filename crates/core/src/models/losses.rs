//! Losses of a GAN, as formulas on the discriminator's logits `[B, 1]`; each is to be minimised.
//!
//! `D(x)` is `sigmoid(logit)`, so `-ln D = softplus(-logit)` and `-ln(1 - D) = softplus(logit)`.
//! To add one: a choice in `train/settings.rs` and a row in [`discriminator`] and [`generator`].

use crate::error::Result;
use crate::program::{Recorder, Tensor};
use crate::train::settings::Loss;

/// What D minimises: `-E[ln D(x)] - E[ln(1 - D(G(z)))]` for both losses (Goodfellow et al. 2014, eq. 1).
///
/// # Errors
/// [`crate::Error`] where the shapes don't fit.
pub fn discriminator(r: &mut Recorder, loss: Loss, real: Tensor, fake: Tensor) -> Result<Tensor> {
    match loss {
        Loss::NonSaturating | Loss::Minimax => {
            let on_real = minus_log_d(r, real)?;
            let on_fake = minus_log_one_minus_d(r, fake)?;
            r.add(on_real, on_fake)
        }
    }
}

/// What G minimises.
///
/// - non-saturating: `-E[ln D(G(z))]` (ibid., section 3)
/// - minimax: `λ · E[ln(1 - D(G(z)))]`. The primer (section 4.1) writes its λ before a term in `x`, which G doesn't
///   reach; λ weighs the term as it is meant.
///
/// # Errors
/// [`crate::Error`] where the shapes don't fit.
pub fn generator(r: &mut Recorder, loss: Loss, fake: Tensor, lambda: f32) -> Result<Tensor> {
    match loss {
        Loss::NonSaturating => minus_log_d(r, fake),
        Loss::Minimax => {
            let term = minus_log_one_minus_d(r, fake)?;
            r.affine(term, -lambda, 0.0)
        }
    }
}

/// The mean of `-ln D`.
fn minus_log_d(r: &mut Recorder, logits: Tensor) -> Result<Tensor> {
    let minus = r.affine(logits, -1.0, 0.0)?;
    minus_log_one_minus_d(r, minus)
}

/// The mean of `-ln(1 - D)`.
fn minus_log_one_minus_d(r: &mut Recorder, logits: Tensor) -> Result<Tensor> {
    let terms = r.softplus(logits)?;
    r.mean(terms)
}
