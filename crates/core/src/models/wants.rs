//! What the discriminator wants of the digits in the grid: how its logit would follow from each of their pixels.
//!
//! ```text
//! wants       D on the grid's images, as the averaged G drew them · the gradient of its logits for these images
//! wants_raw   the same for those of G as the last step left it
//! ```
//! It is what G is told when it learns, before any loss weighs it. The grid is shown to D as a batch of its own, under the
//! labels that it was asked for, with nothing moved, blurred or dropped. Like a doctor's programs ([`super::vitals`]) these
//! are recorded behind all others, once somebody asks, and change nothing.

use super::gan::{GRID_ROWS, Gan};
use crate::data::DIGITS;
use crate::error::Result;
use crate::layers::Pass;
use crate::program::{DType, ProgramId, Recorder, Recording, Tensor};
use std::rc::Rc;

/// The programs and where they leave what they find.
pub struct Wishes {
    /// The recording that it goes on from, with these programs behind.
    pub recording: Rc<Recording>,
    /// Of the grid's images.
    pub averaged: Wish,
    /// Of those that G's own weights draw, where there is an average beside them.
    pub raw: Option<Wish>,
}

/// What D says of a grid.
#[derive(Clone, Copy)]
pub struct Wish {
    /// Reads the grid's images.
    pub program: ProgramId,
    /// `[N / pack, 1]`
    pub logits: Tensor,
    /// `[N, P]`: of the sum of the logits, for the images.
    pub gradient: Tensor,
}

impl Gan {
    /// Records the programs behind those of `before`: the GAN's recording, or one that goes on from it.
    ///
    /// A logit is of its own image alone, but for three cases. With packing (K images at a time) it is of a pack: the image
    /// and those `N / K` further on. With a batch norm or the minibatch deviation each image also changes what is measured
    /// of the others; that is part of its gradient, as it is when G learns.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where the grid isn't made of whole packs.
    pub fn wishes(&self, before: &Recording, fused: bool) -> Result<Wishes> {
        let r = &mut Recorder::after(before);
        // Without conditions D hears no labels.
        let labels = self.grid_labels.unwrap_or_else(|| r.input("no labels", [GRID_ROWS * DIGITS], DType::U32));
        let mut wish = |name: &str, images: Tensor| -> Result<Wish> {
            let program = r.begin(name);
            let logits = self.d.forward(r, images, labels, Pass::PLAIN)?;
            let sum = r.sum_to(logits, [1])?;
            let gradient = r.gradients(sum, &[images])?[0];
            Ok(Wish { program, logits, gradient })
        };
        let averaged = wish("wants", self.grid_images)?;
        let raw = self.raw.map(|(_, images)| wish("wants_raw", images)).transpose()?;
        let kept: Vec<Tensor> = [averaged].into_iter().chain(raw).flat_map(|w| [w.logits, w.gradient]).collect();
        let recording = Rc::new(std::mem::take(r).finish(fused, &kept));
        Ok(Wishes { recording, averaged, raw })
    }
}
