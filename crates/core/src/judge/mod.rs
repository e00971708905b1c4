//! The judge: a small classifier of handwritten digits, trained once by this program's own engine and pinned, so that
//! what it says of generated digits can be compared between runs, engines and versions.
//!
//! [`Judge`] reads images; [`Teacher`] makes a judge. `weights.safetensors` beside this file is the pinned one, and
//! `README.md` says how it was made and how well it reads.

mod network;
mod readings;
mod training;
mod weights;

pub use network::FEATURES;
pub use readings::Readings;
pub use training::{Lesson, Progress, Teacher};

use crate::data::{DIGITS, IMAGE};
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::{GpuContext, GpuEngine};
use crate::engine::{Engine, Pending};
use crate::error::{Error, Result};
use crate::program::{Recorder, Recording, Tensor};
use network::{BATCH, Classifier, Reading, Slope};
use std::rc::Rc;

/// The pinned weights. The page fetches the same file instead.
#[cfg(not(target_arch = "wasm32"))]
pub const PINNED: &[u8] = include_bytes!("weights.safetensors");

/// A classifier with its weights on an engine.
pub struct Judge {
    engine: Box<dyn Engine>,
    reading: Reading,
    slope: Slope,
    lesson: String,
}

/// A recorded judge, before it has an engine.
struct Recorded {
    recording: Rc<Recording>,
    parameters: Vec<Tensor>,
    reading: Reading,
    slope: Slope,
}

impl Recorded {
    fn new() -> Result<Self> {
        let r = &mut Recorder::new();
        let classifier = Classifier::new(r);
        let reading = Reading::record(r, &classifier)?;
        let slope = Slope::record(r, &classifier, &reading)?;
        let kept = [reading.seen.logits, reading.seen.features, slope.gradient];
        let parameters = classifier.parameters();
        Ok(Recorded { recording: Rc::new(std::mem::take(r).finish(true, &kept)), parameters, reading, slope })
    }

    fn on(self, mut engine: Box<dyn Engine>, file: &[u8]) -> Result<Judge> {
        let infos: Vec<_> = self.parameters.iter().map(|&t| self.recording.info(t)).collect();
        let (lesson, contents) = weights::read(file, &infos)?;
        for (&tensor, words) in self.parameters.iter().zip(&contents) {
            engine.upload(tensor, 0, words)?;
        }
        Ok(Judge { engine, reading: self.reading, slope: self.slope, lesson })
    }
}

impl Judge {
    /// A judge with the weights of this file on the CPU engine.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] that says what is wrong with the file.
    pub fn cpu(file: &[u8]) -> Result<Self> {
        let recorded = Recorded::new()?;
        let engine = CpuEngine::new(&recorded.recording, 0);
        recorded.on(Box::new(engine), file)
    }

    /// The same on a GPU.
    ///
    /// # Errors
    /// The same, and [`Error::Gpu`] where the device refuses.
    pub async fn gpu(file: &[u8], context: GpuContext) -> Result<Self> {
        let recorded = Recorded::new()?;
        let engine = GpuEngine::new(context, &recorded.recording, 0).await?;
        recorded.on(Box::new(engine), file)
    }

    /// How its weights were learnt, as `seed=1&steps=9000&…`.
    pub fn lesson(&self) -> &str {
        &self.lesson
    }

    /// Reads `images [N, 784]`: bytes, ink = 255. For larger ones see [`halved`].
    ///
    /// # Errors
    /// [`Error::Data`] where they are no whole images, or what the engine reports.
    pub async fn read(&mut self, images: &[u8]) -> Result<Readings> {
        read(self.engine.as_mut(), &self.reading, &inks(images)).await
    }

    /// Reads `images [N, 784]` whose ink goes from 0 to 1.
    ///
    /// # Errors
    /// As [`Judge::read`].
    pub async fn read_ink(&mut self, images: &[f32]) -> Result<Readings> {
        read(self.engine.as_mut(), &self.reading, images).await
    }

    /// The images `[N, 784]` changed so that each pixel's ink, which goes from 0 to 1, moves by `strength` towards where
    /// the cross-entropy with the labels `[N]` grows: the fast gradient sign method, `x + ε · sign(∂loss / ∂x)`, within
    /// 0 and 1 (Goodfellow, Shlens and Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015). Where the
    /// loss doesn't depend on a pixel, it stays.
    ///
    /// # Errors
    /// [`Error::Data`] where the images or labels don't fit, or what the engine reports.
    pub async fn attack(&mut self, images: &[u8], labels: &[u8], strength: f32) -> Result<Vec<f32>> {
        let mut inks = inks(images);
        let count = whole(inks.len())?;
        if labels.len() != count || labels.iter().any(|&label| label as usize >= DIGITS) {
            let why = format!("{} labels from 0 to 9 are needed, one for each image", count);
            return Err(Error::Data { what: "labels".into(), why });
        }
        let mut gradients: Vec<Pending<Vec<u32>>> = Vec::new();
        for (batch, labels) in inks.chunks(BATCH * IMAGE.pixels()).zip(labels.chunks(BATCH)) {
            upload(self.engine.as_mut(), self.reading.images, batch)?;
            let labels: Vec<u32> = labels.iter().map(|&label| label.into()).collect();
            self.engine.upload(self.slope.labels, 0, &labels)?;
            self.engine.run(&[self.slope.program], 1)?;
            gradients.push(self.engine.download(self.slope.gradient));
        }
        for (batch, gradient) in inks.chunks_mut(BATCH * IMAGE.pixels()).zip(gradients) {
            for (ink, slope) in batch.iter_mut().zip(gradient.await?.into_iter().map(f32::from_bits)) {
                let sign = f32::from(i8::from(slope > 0.0) - i8::from(slope < 0.0));
                *ink = (*ink + strength * sign).clamp(0.0, 1.0);
            }
        }
        Ok(inks)
    }
}

/// Images of 56×56 bytes `[N, 3136]` at half their size, `[N, 784]`: each pixel the mean of four, so that a judge can
/// read them.
///
/// # Errors
/// [`Error::Data`] where they are no whole images.
pub fn halved(images: &[u8]) -> Result<Vec<u8>> {
    let (rows, columns) = (IMAGE.rows, IMAGE.columns);
    if !images.len().is_multiple_of(4 * IMAGE.pixels()) {
        let why = format!("{} bytes, which are no whole images of {}×{}", images.len(), 2 * rows, 2 * columns);
        return Err(Error::Data { what: "images".into(), why });
    }
    let half = |pair: &[u8]| {
        let (above, below) = pair.split_at(2 * columns);
        let mean = |(a, b): (&[u8], &[u8])| ([a, b].concat().iter().map(|&v| u16::from(v)).sum::<u16>() + 2) / 4;
        above.chunks_exact(2).zip(below.chunks_exact(2)).map(move |four| mean(four) as u8).collect::<Vec<u8>>()
    };
    Ok(images.chunks_exact(4 * columns).flat_map(half).collect())
}

/// From 0 to 1.
fn inks(images: &[u8]) -> Vec<f32> {
    images.iter().map(|&byte| f32::from(byte) / 255.0).collect()
}

/// How many images so many values are.
fn whole(values: usize) -> Result<usize> {
    if !values.is_multiple_of(IMAGE.pixels()) {
        let why = format!("{values} values, which are no whole images of {}×{}", IMAGE.rows, IMAGE.columns);
        return Err(Error::Data { what: "images".into(), why });
    }
    Ok(values / IMAGE.pixels())
}

/// Gives a reading its next images.
fn upload(engine: &mut dyn Engine, images: Tensor, inks: &[f32]) -> Result<()> {
    let words: Vec<u32> = inks.iter().map(|ink| (2.0 * ink - 1.0).to_bits()).collect();
    engine.upload(images, 0, &words)
}

/// Reads images of ink from 0 to 1, batch after batch. A last one that isn't full leaves what it doesn't reach unread.
async fn read(engine: &mut dyn Engine, reading: &Reading, inks: &[f32]) -> Result<Readings> {
    let count = whole(inks.len())?;
    let mut batches: Vec<[Pending<Vec<u32>>; 2]> = Vec::new();
    for batch in inks.chunks(BATCH * IMAGE.pixels()) {
        upload(engine, reading.images, batch)?;
        engine.run(&[reading.program], 1)?;
        batches.push([engine.download(reading.seen.logits), engine.download(reading.seen.features)]);
    }
    let mut all = Readings::default();
    for [logits, features] in batches {
        all.logits.extend(logits.await?.into_iter().map(f32::from_bits));
        all.features.extend(features.await?.into_iter().map(f32::from_bits));
    }
    all.logits.truncate(count * DIGITS);
    all.features.truncate(count * FEATURES);
    Ok(all)
}

#[cfg(test)]
mod tests;
