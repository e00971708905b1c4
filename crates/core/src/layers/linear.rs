//! The dense layer `y = x·W + b`.

use super::{Bias, Start};
use crate::error::Result;
use crate::ops::product::Orientation;
use crate::program::{Recorder, Tensor};

/// Weights `[I, O]` and bias `[O]`, or none where a norm brings one.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// `[I, O]`
    pub weight: Tensor,
    /// `[O]`
    pub bias: Option<Tensor>,
}

impl Linear {
    /// Declares a layer from `inputs` to `outputs` features.
    pub fn new(r: &mut Recorder, name: &str, inputs: usize, outputs: usize, start: Start, bias: Bias) -> Self {
        Linear {
            weight: r.parameter(format!("{name}.weight"), [inputs, outputs], start.init(inputs)),
            bias: bias.declare(r, name, outputs),
        }
    }

    /// `x` `[B, I]` to `[B, O]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn forward(&self, r: &mut Recorder, x: Tensor) -> Result<Tensor> {
        let y = r.product(x, self.weight, Orientation::Plain)?;
        super::with_bias(r, y, self.bias)
    }
}
