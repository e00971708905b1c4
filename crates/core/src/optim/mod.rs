//! Optimisers: how a network's parameters follow their gradients. One row each in [`Optimizer`]; the arithmetic is an
//! operation (`ops/adam.rs`, `ops/sgd.rs`).

use crate::error::Result;
use crate::ops::adam::Adam;
use crate::ops::tick::Lane;
use crate::program::{DType, Init, Recorder, Tensor};

/// Which optimiser, with what doesn't change during a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Kingma & Ba 2015, with bias correction.
    Adam {
        /// Decay of the first moment.
        beta1: f32,
        /// Decay of the second moment.
        beta2: f32,
    },
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
}

impl Optimizer {
    /// Records one update of `parameters` by `gradients`, in place; declares the moments it needs.
    pub fn update(self, r: &mut Recorder, parameters: &[Tensor], gradients: &[Tensor], pace: Pace) -> Result<()> {
        let Pace { clock, lane, dials, rate } = pace;
        for (&weight, &gradient) in parameters.iter().zip(gradients) {
            let (name, shape) = (r.info(weight).name.clone(), r.shape(weight).clone());
            let mut moment =
                |which: &str| r.state(format!("{name}.{which}"), shape.clone(), DType::F32, Init::Fill(0.0));
            match self {
                Optimizer::Adam { beta1, beta2 } => {
                    let (m, v) = (moment("moment1"), moment("moment2"));
                    r.adam(weight, m, v, gradient, clock, lane, dials, rate, Adam { beta1, beta2, epsilon: 1e-8 })?;
                }
                Optimizer::Sgd { momentum } => {
                    let velocity = moment("velocity");
                    r.sgd(weight, velocity, gradient, dials, rate, momentum)?;
                }
            }
        }
        Ok(())
    }
}
