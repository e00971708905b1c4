//! A run examined: what the core's doctor is told. The reader looks for the nearest training images.

use crate::compare::figures::Judge;
use crate::compare::shrunk;
use crate::data::DataSet;
use crate::failure::Result;
use digit_forge_core::data::IMAGE;
use digit_forge_core::doctor::symptoms::{Memory, Reference, Symptoms};
use digit_forge_core::engine::block_on;
use digit_forge_core::models::vitals::higher;
use digit_forge_core::train::settings::Condition;
use digit_forge_core::train::{Metrics, Trainer};

/// Samples that are read each time.
const SAMPLES: usize = 500;
/// Real images of either kind that D is asked about.
const ASKED: usize = 512;

pub struct Examiner<'a> {
    training: &'a DataSet,
    test: Option<&'a DataSet>,
    judge: Judge,
    reference: Reference,
}

impl<'a> Examiner<'a> {
    pub fn new(training: &'a DataSet, test: Option<&'a DataSet>) -> Result<Self> {
        let (pixels, labels) = training.first(2000)?;
        let reference = Reference::new(&features(pixels), IMAGE.pixels(), labels);
        Ok(Examiner { training, test, judge: Judge::new(training)?, reference })
    }

    /// `metrics` are those since the last time.
    pub fn examine(&mut self, trainer: &mut Trainer, metrics: &[Metrics]) -> Result<Symptoms> {
        let broke = metrics.iter().find(|m| !(m.d_loss.is_finite() && m.g_loss.is_finite())).map(|m| m.step);
        let vitals = block_on(trainer.vitals()?)?;
        let (pixels, labels) = block_on(trainer.samples(SAMPLES, |_| ()))?;
        let pixels = shrunk(pixels, trainer.image());
        let wanted = (trainer.settings().condition != Condition::None).then_some(&labels[..]);
        let figures = self.judge.figures(&pixels, wanted)?;
        let digits = self.judge.reader.read(&pixels)?;
        let samples = self.reference.read(&features(&pixels), IMAGE.pixels(), &digits, wanted);
        let memory = self.memory(trainer, figures.copies)?;
        Ok(Symptoms { step: trainer.steps(), broke, vitals: Some(vitals), samples: Some(samples), memory })
    }

    /// None where there are no images that the run doesn't train on.
    fn memory(&self, trainer: &mut Trainer, copies: Option<f64>) -> Result<Option<Memory>> {
        let trained = trainer.images_wanted();
        let asked = ASKED.next_multiple_of(trainer.opinions_at_a_time());
        let (pixels, labels) = self.training.first(trained.max(2 * asked) + asked)?;
        let others = if labels.len() >= trained + asked {
            let (pixels, labels) = (&pixels[trained * IMAGE.pixels()..], &labels[trained..]);
            Some((pixels, labels))
        } else {
            self.test.map(|test| test.first(asked)).transpose()?
        };
        let Some((other_pixels, other_labels)) = others.filter(|(_, labels)| labels.len() >= asked) else {
            return Ok(None);
        };
        let mut ask = |pixels: &[u8], labels: &[u8]| {
            Ok::<_, crate::failure::Failure>(block_on(
                trainer.opinions(&pixels[..asked * IMAGE.pixels()], &labels[..asked])?,
            )?)
        };
        let [known, unknown] = [ask(pixels, labels)?, ask(other_pixels, other_labels)?];
        let copies = copies.filter(|_| trained <= 1000).map(|share| share as f32);
        Ok(Some(Memory { preference: higher(&known, &unknown), copies }))
    }
}

/// From 0 to 1.
fn features(pixels: &[u8]) -> Vec<f32> {
    pixels.iter().map(|&p| f32::from(p) / 255.0).collect()
}
