//! A run examined: what the core's doctor is told. The pinned judge reads the samples.

use crate::compare::figures::Groups;
use crate::compare::shrunk;
use crate::data::DataSet;
use crate::failure::Result;
use digit_forge_core::data::IMAGE;
use digit_forge_core::doctor::symptoms::{Memory, Reference, Symptoms};
use digit_forge_core::engine::block_on;
use digit_forge_core::judge::{Judge, PINNED};
use digit_forge_core::models::vitals::higher;
use digit_forge_core::train::settings::Condition;
use digit_forge_core::train::{Metrics, Trainer};

/// Samples that are read each time.
const SAMPLES: usize = 500;
/// Real images of either kind that D is asked about.
const ASKED: usize = 512;
/// Real images that samples are compared with.
const REAL: usize = 2_000;
/// A run with so many training images or fewer may copy them.
const COPIED: usize = 1_000;

pub struct Examiner<'a> {
    training: &'a DataSet,
    test: Option<&'a DataSet>,
    judge: Judge,
    reference: Reference,
    groups: Option<Groups>,
}

impl<'a> Examiner<'a> {
    pub fn new(training: &'a DataSet, test: Option<&'a DataSet>) -> Result<Self> {
        let mut judge = Judge::cpu(PINNED)?;
        let reference = Reference::of(&block_on(judge.read(training.first(REAL)?.0))?);
        let groups = Groups::new(training.first(3 * COPIED)?.0)?;
        Ok(Examiner { training, test, judge, reference, groups })
    }

    /// `metrics` are those since the last time.
    pub fn examine(&mut self, trainer: &mut Trainer, metrics: &[Metrics]) -> Result<Symptoms> {
        let broke = metrics.iter().find(|m| !(m.d_loss.is_finite() && m.g_loss.is_finite())).map(|m| m.step);
        let vitals = block_on(trainer.vitals()?)?;
        let (pixels, labels) = block_on(trainer.samples(SAMPLES, |_| ()))?;
        let pixels = shrunk(pixels, trainer.image());
        let wanted = (trainer.settings().condition != Condition::None).then_some(&labels[..]);
        let samples = self.reference.judge(&block_on(self.judge.read(&pixels))?, wanted);
        // Whose nearest neighbours are among more training images says nothing of copies.
        let groups = self.groups.as_mut().filter(|_| trainer.images_wanted() <= COPIED);
        let copies = groups.map(|groups| groups.of(&pixels)).transpose()?.map(|(_, copies)| copies as f32);
        let memory = self.memory(trainer, copies)?;
        Ok(Symptoms { step: trainer.steps(), broke, vitals: Some(vitals), samples: Some(samples), memory })
    }

    /// None where there are no images that the run doesn't train on.
    fn memory(&self, trainer: &mut Trainer, copies: Option<f32>) -> Result<Option<Memory>> {
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
        Ok(Some(Memory { preference: higher(&known, &unknown), copies }))
    }
}
