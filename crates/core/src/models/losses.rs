//! Losses of a GAN, as formulas on the discriminator's logits `[B, 1]`; each is to be minimised.
//!
//! The formulas are those of [`formulas`]: `d` is the logit and `D = sigmoid(d)`, so `-ln D = softplus(-d)` and `-ln(1 - D) = softplus(d)`. Sources: Goodfellow et
//! al. 2014, eq. 1 and section 3; Mao et al. 2017 (least squares, a = 0, b = c = 1); Lim & Ye 2017 and Miyato et al. 2018
//! (hinge); Arjovsky et al. 2017 (Wasserstein); Jolicoeur-Martineau 2018 and Huang et al. 2024 (relativistic pairing).
//!
//! To add one: a choice in `train/choices.rs` and a row in [`formulas`], [`discriminator`] and [`generator`].

use crate::error::Result;
use crate::ops::activation::Activation;
use crate::program::{Recorder, Tensor};
use crate::train::settings::Loss;

/// What D and G minimise, for people.
pub fn formulas(loss: Loss) -> [&'static str; 2] {
    const BOTH: &str = "−E ln D(x) − E ln(1 − D(G(z)))";
    match loss {
        Loss::NonSaturating => [BOTH, "−E ln D(G(z))"],
        Loss::Minimax => [BOTH, "λ E ln(1 − D(G(z)))"],
        Loss::LeastSquares => ["½ E (d(x) − 1)² + ½ E d(G(z))²", "½ E (d(G(z)) − 1)²"],
        Loss::Hinge => ["E max(0, 1 − d(x)) + E max(0, 1 + d(G(z)))", "−E d(G(z))"],
        Loss::Wasserstein => ["E d(G(z)) − E d(x)", "−E d(G(z))"],
        Loss::Relativistic => ["E softplus(d(G(z)) − d(x))", "E softplus(d(x) − d(G(z)))"],
    }
}

/// What D minimises. `smoothing` is what its target for real images is below 1 (one-sided label smoothing, Salimans et al.
/// 2016), for the losses that have a target.
///
/// # Errors
/// [`crate::Error`] where the shapes don't fit.
pub fn discriminator(r: &mut Recorder, loss: Loss, smoothing: f32, real: Tensor, fake: Tensor) -> Result<Tensor> {
    match loss {
        Loss::NonSaturating | Loss::Minimax => {
            let mut on_real = minus_log_d(r, real)?;
            if smoothing > 0.0 {
                // -(1 - s) ln D - s ln(1 - D) = -ln D + s d
                let logit = r.mean(real)?;
                let smoothed = r.affine(logit, smoothing, 0.0)?;
                on_real = r.add(on_real, smoothed)?;
            }
            let on_fake = minus_log_one_minus_d(r, fake)?;
            r.add(on_real, on_fake)
        }
        Loss::LeastSquares => {
            let on_real = half_square(r, real, 1.0 - smoothing)?;
            let on_fake = half_square(r, fake, 0.0)?;
            r.add(on_real, on_fake)
        }
        Loss::Hinge => {
            let on_real = below_one(r, real, -1.0)?;
            let on_fake = below_one(r, fake, 1.0)?;
            r.add(on_real, on_fake)
        }
        Loss::Wasserstein => {
            let (on_real, on_fake) = (r.mean(real)?, r.mean(fake)?);
            r.sub(on_fake, on_real)
        }
        Loss::Relativistic => softplus_of_difference(r, fake, real),
    }
}

/// What G minimises. `real` are D's logits of real images, which only losses that compare with them need
/// ([`Loss::is_relativistic`]).
///
/// The primer (section 4.1) writes minimax's λ before a term in `x`, which G doesn't reach; here it weighs the term as it
/// is meant.
///
/// # Errors
/// [`crate::Error`] where the shapes don't fit.
///
/// # Panics
/// If [`Loss::is_relativistic`] and there is no `real`.
pub fn generator(r: &mut Recorder, loss: Loss, lambda: f32, real: Option<Tensor>, fake: Tensor) -> Result<Tensor> {
    match loss {
        Loss::NonSaturating => minus_log_d(r, fake),
        Loss::Minimax => {
            let term = minus_log_one_minus_d(r, fake)?;
            r.affine(term, -lambda, 0.0)
        }
        Loss::LeastSquares => half_square(r, fake, 1.0),
        Loss::Hinge | Loss::Wasserstein => {
            let mean = r.mean(fake)?;
            r.affine(mean, -1.0, 0.0)
        }
        Loss::Relativistic => {
            let Some(real) = real else { unreachable!("a relativistic loss is given both") };
            softplus_of_difference(r, real, fake)
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

/// Half the mean of `(d - target)²`.
fn half_square(r: &mut Recorder, logits: Tensor, target: f32) -> Result<Tensor> {
    let off = r.affine(logits, 1.0, -target)?;
    let square = r.square(off)?;
    let mean = r.mean(square)?;
    r.affine(mean, 0.5, 0.0)
}

/// The mean of `max(0, 1 + sign · d)`.
fn below_one(r: &mut Recorder, logits: Tensor, sign: f32) -> Result<Tensor> {
    let margin = r.affine(logits, sign, 1.0)?;
    let missing = r.activation(margin, Activation::LeakyRelu(0.0))?;
    r.mean(missing)
}

/// The mean of `softplus(a - b)`, each fake against the real image of its row.
fn softplus_of_difference(r: &mut Recorder, a: Tensor, b: Tensor) -> Result<Tensor> {
    let difference = r.sub(a, b)?;
    let terms = r.softplus(difference)?;
    r.mean(terms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{Case, check};
    use crate::train::values::Value;

    fn mean(x: &[f64], f: impl Fn(f64) -> f64) -> f64 {
        x.iter().map(|&x| f(x)).sum::<f64>() / x.len() as f64
    }

    fn ln_d(d: f64) -> f64 {
        -(-d).exp().ln_1p()
    }

    fn pairs(a: &[f64], b: &[f64]) -> f64 {
        mean(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>(), |d| -ln_d(-d))
    }

    /// What `formulas` says, with D's target `1 - s` for real images.
    fn formulas(loss: Loss, s: f64, lambda: f64, real: &[f64], fake: &[f64]) -> [f64; 2] {
        let d_log = mean(real, |d| -(1.0 - s) * ln_d(d) - s * ln_d(-d)) - mean(fake, |d| ln_d(-d));
        match loss {
            Loss::NonSaturating => [d_log, -mean(fake, ln_d)],
            Loss::Minimax => [d_log, lambda * mean(fake, |d| ln_d(-d))],
            Loss::LeastSquares => {
                let d = mean(real, |d| (d - 1.0 + s).powi(2)) / 2.0 + mean(fake, |d| d * d) / 2.0;
                [d, mean(fake, |d| (d - 1.0).powi(2)) / 2.0]
            }
            Loss::Hinge => {
                let d = mean(real, |d| (1.0 - d).max(0.0)) + mean(fake, |d| (1.0 + d).max(0.0));
                [d, -mean(fake, |d| d)]
            }
            Loss::Wasserstein => [mean(fake, |d| d) - mean(real, |d| d), -mean(fake, |d| d)],
            Loss::Relativistic => [pairs(fake, real), pairs(real, fake)],
        }
    }

    #[test]
    fn every_loss_is_its_formula_with_its_gradients() {
        for choice in Loss::CHOICES {
            let loss =
                Loss::read(choice.value, &crate::train::values::Kind::Choice { choices: Loss::CHOICES }).unwrap();
            for smoothing in [0.0, 0.125] {
                let case = |network: usize| {
                    // Logits on both sides of every bend.
                    Case::new(
                        format!("{} {network}, smoothing {smoothing}", choice.value),
                        [[7, 1].into(), [7, 1].into()],
                    )
                    .range(-3.0, 3.0)
                    .records(move |r, x| match network {
                        0 => discriminator(r, loss, smoothing, x[0], x[1]),
                        _ => generator(r, loss, 0.5, Some(x[0]), x[1]),
                    })
                    .equals(move |x| vec![formulas(loss, f64::from(smoothing), 0.5, &x[0], &x[1])[network]])
                };
                check(vec![case(0), case(1)]);
            }
        }
    }
}
