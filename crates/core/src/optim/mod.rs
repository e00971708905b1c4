//! Optimisers: how a network's parameters follow their gradients. One row each in [`Optimizer`]; the arithmetic is an
//! operation (`ops/adam.rs`, `ops/sgd.rs`).

use crate::error::Result;
use crate::ops::activation::Activation;
use crate::ops::adam::Adam;
use crate::ops::tick::Lane;
use crate::program::{DType, Init, Recorder, Tensor};

/// Which optimiser, with what doesn't change during a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Adaptive moments: Adam, AdamW, RMSprop (see `ops/adam.rs`).
    Adam(Adam),
    /// Stochastic gradient descent with (heavy-ball) momentum.
    Sgd {
        /// 0 for none.
        momentum: f32,
    },
}

/// Where an update finds its step count and its learning rate.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The clock tensor.
    pub clock: Tensor,
    /// The lane that counts this network's updates, already ticked.
    pub lane: Lane,
    /// The dials tensor.
    pub dials: Tensor,
    /// Which dial holds the learning rate.
    pub rate: usize,
    /// All gradients together, as one vector, are shortened to this length if they are longer; 0 leaves them as they are.
    pub longest: f32,
}

impl Optimizer {
    /// Records one update of `parameters` by `gradients`, in place; declares the moments it needs. It is one operation
    /// for all of them where they can share memory (`program/arena.rs`), else one for each.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes differ, or the clock or the dial is none.
    pub fn update(self, r: &mut Recorder, parameters: &[Tensor], gradients: &[Tensor], pace: Pace) -> Result<()> {
        let moments: Vec<Vec<Tensor>> = self.moments().iter().map(|which| states(r, parameters, which)).collect();
        let state: Vec<&[Tensor]> = [parameters].into_iter().chain(moments.iter().map(Vec::as_slice)).collect();
        let name = |r: &Recorder, t: &[Tensor]| t.first().map(|&t| format!("{} …", r.info(t).name));
        let arenas = name(r, parameters).and_then(|name| r.arenas(&name, &state)).and_then(|state| {
            let gradients = r.arena(&name(r, gradients)?, gradients)?;
            Some((state, gradients))
        });
        let whole = arenas.as_ref().map(|&(_, gradients)| [gradients]);
        let gradients = shortened(r, whole.as_ref().map_or(gradients, |whole| whole.as_slice()), pace.longest)?;
        match arenas {
            Some((state, _)) => self.step(r, state[0], &state[1..], gradients[0], pace),
            None => (0..parameters.len()).try_for_each(|i| {
                let moments: Vec<Tensor> = moments.iter().map(|m| m[i]).collect();
                self.step(r, parameters[i], &moments, gradients[i], pace)
            }),
        }
    }

    /// What it keeps beside each weight.
    fn moments(self) -> &'static [&'static str] {
        match self {
            Optimizer::Adam(_) => &["moment1", "moment2"],
            Optimizer::Sgd { .. } => &["velocity"],
        }
    }

    fn step(self, r: &mut Recorder, weight: Tensor, moments: &[Tensor], gradient: Tensor, pace: Pace) -> Result<()> {
        let Pace { clock, lane, dials, rate, .. } = pace;
        match self {
            Optimizer::Adam(adam) => r.adam(weight, moments[0], moments[1], gradient, clock, lane, dials, rate, adam),
            Optimizer::Sgd { momentum } => r.sgd(weight, moments[0], gradient, dials, rate, momentum),
        }
    }
}

/// Gradients no longer than `longest` (Pascanu et al. 2013): times `longest / max(length, longest)`.
fn shortened(r: &mut Recorder, gradients: &[Tensor], longest: f32) -> Result<Vec<Tensor>> {
    if longest == 0.0 {
        return Ok(gradients.to_vec());
    }
    let mut total = r.constant([1], 0.0);
    for &gradient in gradients {
        let squares = r.sum_of_squares(gradient)?;
        total = r.add(total, squares)?;
    }
    let length = r.sqrt(total)?;
    let over = r.affine(length, 1.0, -longest)?;
    let over = r.activation(over, Activation::LeakyRelu(0.0))?;
    let divisor = r.affine(over, 1.0, longest)?;
    let longest = r.constant([1], longest);
    let factor = r.div(longest, divisor)?;
    gradients.iter().map(|&gradient| r.mul(gradient, factor)).collect()
}

/// Records one step of moving averages behind their weights, with this decay (see `ops/average.rs`).
///
/// # Errors
/// [`crate::Error`] where shapes differ, or the clock or the dial is none.
pub fn follow(r: &mut Recorder, averages: &[Tensor], weights: &[Tensor], pace: Pace, decay: f32) -> Result<()> {
    let Pace { clock, lane, .. } = pace;
    let mut whole = |tensors: &[Tensor]| r.arena(&format!("{} …", r.info(*tensors.first()?).name), tensors);
    match (whole(averages), whole(weights)) {
        (Some(average), Some(weight)) => r.average(average, weight, clock, lane, decay),
        _ => averages.iter().zip(weights).try_for_each(|(&a, &w)| r.average(a, w, clock, lane, decay)),
    }
}

/// Records that no weight is further than `bound` from 0 after an update.
///
/// # Errors
/// [`crate::Error`] where the rules of [`crate::program`] are broken.
pub fn clip(r: &mut Recorder, weights: &[Tensor], bound: f32) -> Result<()> {
    let name = weights.first().map(|&first| format!("{} …", r.info(first).name));
    match name.and_then(|name| r.arena(&name, weights)) {
        Some(all) => r.clip(all, bound),
        None => weights.iter().try_for_each(|&weight| r.clip(weight, bound)),
    }
}

/// Records that no weight, as a matrix, stretches anything by more than 1 after an update (see `ops/spectral.rs`). Biases stay
/// as they are.
///
/// # Errors
/// [`crate::Error`] where the rules of [`crate::program`] are broken.
pub fn spectral(r: &mut Recorder, parameters: &[Tensor]) -> Result<()> {
    let matrices: Vec<Tensor> = parameters.iter().copied().filter(|&p| r.shape(p).rank() > 1).collect();
    let mut vectors = |which: &str, init, length: fn(&[usize]) -> usize| {
        let vector = |&weight: &Tensor| {
            let info = r.info(weight);
            let (name, length) = (format!("{}.{which}", info.name), length(&info.shape.0));
            r.state(name, [length], DType::F32, init)
        };
        let vectors: Vec<Tensor> = matrices.iter().map(vector).collect();
        // Where they can't lie side by side, each weight has a dispatch.
        let _ = r.arena(which, &vectors);
        vectors
    };
    let u = vectors("u", Init::Normal(1.0), |shape| shape.last().copied().unwrap_or(1));
    let v = vectors("v", Init::Fill(0.0), |shape| shape.iter().rev().skip(1).product());
    let all: Vec<[Tensor; 3]> = matrices.iter().zip(u).zip(v).map(|((&w, u), v)| [w, u, v]).collect();
    r.spectral(&all)
}

/// A state tensor beside each parameter, zero at first.
fn states(r: &mut Recorder, parameters: &[Tensor], which: &str) -> Vec<Tensor> {
    let state = |&parameter: &Tensor| {
        let (name, shape) = (format!("{}.{which}", r.info(parameter).name), r.shape(parameter).clone());
        r.state(name, shape, DType::F32, Init::Fill(0.0))
    };
    parameters.iter().map(state).collect()
}
