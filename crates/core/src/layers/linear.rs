//! The dense layer `y = x·W + b`.

use super::Start;
use crate::error::Result;
use crate::ops::product::Orientation;
use crate::program::{Init, Recorder, Tensor};

/// Weights `[I, O]` and bias `[O]`.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// `[I, O]`
    pub weight: Tensor,
    /// `[O]`
    pub bias: Tensor,
}

impl Linear {
    /// Declares a layer from `inputs` to `outputs` features.
    pub fn new(r: &mut Recorder, name: &str, inputs: usize, outputs: usize, start: Start) -> Self {
        Linear {
            weight: r.parameter(format!("{name}.weight"), [inputs, outputs], start.init(inputs)),
            bias: r.parameter(format!("{name}.bias"), [outputs], Init::Fill(0.0)),
        }
    }

    /// `x` `[B, I]` to `[B, O]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn forward(&self, r: &mut Recorder, x: Tensor) -> Result<Tensor> {
        let y = r.product(x, self.weight, Orientation::Plain)?;
        r.add(y, self.bias)
    }
}
