//! Norms: each value less its mean, over its deviation, plus a learnt bias. They differ in what mean and deviation are of.
//!
//! There is no learnt gain: an activation that lets factors through follows, and the layer after it can learn them.

use super::Pass;
use crate::error::{Error, Result};
use crate::ops::normalize::Grouping;
use crate::program::{Init, Recorder, Tensor};

/// What mean and deviation are taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// A channel in all samples of a batch (Ioffe and Szegedy 2015). Real and fake images are batches of their own.
    Batch,
    /// All values of a sample (Ba, Kiros and Hinton 2016).
    Layer,
}

/// Bias `[C]`.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    /// What mean and deviation are taken of.
    pub over: Over,
    /// `[C]`
    pub bias: Tensor,
}

impl Norm {
    /// Declares a norm of so many channels, with the bias of the layer `name` before it.
    pub fn new(r: &mut Recorder, name: &str, channels: usize, over: Over) -> Self {
        Norm { over, bias: r.parameter(format!("{name}.bias"), [channels], Init::Fill(0.0)) }
    }

    /// `[B, .., C]` to the same.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit, or a batch norm would see a single value of each channel.
    pub fn forward(&self, r: &mut Recorder, x: Tensor, pass: Pass) -> Result<Tensor> {
        let shape = r.shape(x).clone();
        let (samples, columns) = (shape.0[0], *shape.0.last().unwrap_or(&1));
        let y = match (self.over, pass.known) {
            (Over::Layer, _) => r.normalize(x, Grouping { groups: samples, columns: 1 })?,
            (Over::Batch, Some(known)) => {
                let rows = shape.len() / samples / columns * known;
                r.normalize_by_first(x, Grouping { groups: 1, columns }, rows)?
            }
            (Over::Batch, None) => {
                if shape.len() < 2 * pass.parts * columns {
                    let why = "a batch norm needs two values or more of each channel, so a larger batch";
                    return Err(Error::Shape { op: "batch norm", shape, why });
                }
                r.normalize(x, Grouping { groups: pass.parts, columns })?
            }
        };
        r.add(y, self.bias)
    }
}
