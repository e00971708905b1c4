//! A learnt vector for each class.

use super::Start;
use crate::error::Result;
use crate::program::{Recorder, Tensor};

/// Table `[K, E]`: a row for each class.
#[derive(Clone, Copy, Debug)]
pub struct Embedding {
    /// `[K, E]`
    pub table: Tensor,
}

impl Embedding {
    /// Declares vectors of `extent` values for so many classes, which start with variance 1.
    pub fn new(r: &mut Recorder, name: &str, classes: usize, extent: usize) -> Self {
        // Of the one-hot vector that it is multiplied by, a single value isn't 0.
        Embedding { table: r.parameter(format!("{name}.weight"), [classes, extent], Start::LeCun.init(1)) }
    }

    /// Integers `[B]` below K to `[B, E]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn forward(&self, r: &mut Recorder, classes: Tensor) -> Result<Tensor> {
        r.lookup(self.table, classes)
    }
}

/// `scale` at the place of each class `[B]`, `[B, K]`.
///
/// # Errors
/// [`crate::Error`] where the shapes don't fit.
pub fn one_hot(r: &mut Recorder, classes: Tensor, columns: usize, scale: f32) -> Result<Tensor> {
    let batch = r.shape(classes).len();
    let scale = r.constant([batch, 1], scale);
    r.place(scale, classes, columns, 0)
}
