//! What the trainer's generator makes: the grid, by averaged or by raw weights, and any number of samples.

use super::{Runner, Trainer};
use crate::data::{DIGITS, ImageShape};
use crate::engine::Pending;
use crate::engine::gpu::GpuEngine;
use crate::error::Result;
use crate::models::gan::{GRID_ROWS, GRID_STREAM};
use crate::program::{ProgramId, Tensor};
use std::ops::Range;

/// Whose images the grid shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// The moving average of the generator's weights. Without an average they are the generator's own.
    Averaged,
    /// The generator's own, as the last step left them.
    Raw,
}

impl Trainer {
    /// The GPU engine and the tensor of the grid's images, for drawing without a read-back.
    pub fn gpu_grid(&self, weights: Weights) -> Option<(&GpuEngine, Tensor)> {
        match &self.engine {
            Runner::Gpu(engine) => Some((engine, self.grid_of(weights).1)),
            Runner::Cpu(_) => None,
        }
    }

    /// The program that samples the grid, and where its images are then.
    pub(super) fn grid_of(&self, weights: Weights) -> (ProgramId, Tensor) {
        match (weights, self.gan.raw) {
            (Weights::Raw, Some(raw)) => raw,
            _ => (self.gan.grid, self.gan.grid_images),
        }
    }

    /// Samples the grid as it is now, into the device buffer.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn sample_grid(&mut self, weights: Weights) -> Result<()> {
        let (grid, _) = self.grid_of(weights);
        self.engine.get().run(&[grid], 1)
    }

    /// The extents of a generated image.
    pub fn image(&self) -> ImageShape {
        self.gan.image
    }

    /// Samples the grid: [`GRID_ROWS`] rows of one image for each digit, `[rows · 10, P]` bytes, ink = 255; see
    /// [`Trainer::image`].
    ///
    /// # Errors
    /// What the engine reports.
    pub fn images(&mut self) -> Result<Pending<Vec<u8>>> {
        self.images_of(Weights::Averaged)
    }

    /// The same by these weights.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn images_of(&mut self, weights: Weights) -> Result<Pending<Vec<u8>>> {
        self.sample_grid(weights)?;
        let (_, images) = self.grid_of(weights);
        let images = self.engine.get().download(images);
        Ok(Box::pin(async move { Ok(to_bytes(&images.await?)) }))
    }

    /// Samples images of a sequence that goes on without end, whose noise is its own and always the same, the digits in turn: those
    /// with these numbers, and their labels, while the run goes on. The grid is as before afterwards.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn sampled(&mut self, wanted: Range<usize>) -> Result<Pending<(Vec<u8>, Vec<u8>)>> {
        let (pixels, per_grid) = (self.gan.image.pixels(), GRID_ROWS * DIGITS);
        let first = wanted.start / per_grid;
        let mut grids = Vec::new();
        for grid in first..wanted.end.div_ceil(per_grid) {
            self.set_grid_noise(SAMPLE_STREAM + grid as u32)?;
            grids.push(self.images()?);
        }
        self.set_grid_noise(GRID_STREAM)?;
        Ok(Box::pin(async move {
            let mut images = Vec::with_capacity(grids.len() * per_grid * pixels);
            for grid in grids {
                images.append(&mut grid.await?);
            }
            let before = first * per_grid;
            images.truncate((wanted.end - before) * pixels);
            images.drain(..(wanted.start - before) * pixels);
            // Grids have a column for each digit.
            Ok((images, wanted.map(|i| (i % DIGITS) as u8).collect()))
        }))
    }

    /// Samples the first `count` images of that sequence, a grid at a time. `progress` is told how many there are.
    ///
    /// # Errors
    /// What the engine reports.
    pub async fn samples(&mut self, count: usize, mut progress: impl FnMut(usize)) -> Result<(Vec<u8>, Vec<u8>)> {
        let mut images = Vec::with_capacity(count * self.gan.image.pixels());
        let mut labels = Vec::with_capacity(count);
        while labels.len() < count {
            let upto = count.min(labels.len() + GRID_ROWS * DIGITS);
            let (mut more, mut digits) = self.sampled(labels.len()..upto)?.await?;
            images.append(&mut more);
            labels.append(&mut digits);
            progress(upto);
        }
        Ok((images, labels))
    }
}

/// Streams of sample noise, one for each grid of samples, from here on.
const SAMPLE_STREAM: u32 = 1 << 16;

/// Values from -1 to 1 to bytes, ink = 255.
fn to_bytes(words: &[u32]) -> Vec<u8> {
    words.iter().map(|&w| ((f32::from_bits(w) * 0.5 + 0.5) * 255.0).round() as u8).collect()
}
