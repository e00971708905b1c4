//! What D thinks of images while nothing learns. A second trainer, with images of its own, goes on from a checkpoint at
//! the lowest learning rates there are; so D also meets images that it was never trained on.

use crate::args::EngineKind;
use crate::data::DataSet;
use crate::failure::Result;
use crate::pace::Pace;
use crate::start::on;
use digit_forge_core::engine::block_on;
use digit_forge_core::train::Trainer;
use digit_forge_core::train::settings::{LOWEST_RATE, Resolved};

/// Real images to ask about, and as many fakes.
const IMAGES: u32 = 512;

pub struct Frozen {
    trainer: Trainer,
}

/// D's mean opinions, probabilities or scores.
pub struct Opinions {
    pub real: f64,
    pub fake: f64,
}

impl Frozen {
    /// For checkpoints of runs with these settings.
    pub fn new(engine: EngineKind, what: &Resolved, data: &DataSet) -> Result<Self> {
        let mut settings = what.settings.clone();
        (settings.g_rate, settings.d_rate) = (LOWEST_RATE, LOWEST_RATE);
        let mut trainer = on(engine, what.preset, settings, data.count)?;
        data.give(&mut trainer)?;
        Ok(Frozen { trainer })
    }

    pub fn opinions(&mut self, checkpoint: &[u8]) -> Result<Opinions> {
        self.trainer.load(checkpoint)?;
        let steps = IMAGES.div_ceil(self.trainer.settings().batch);
        let upto = self.trainer.steps().saturating_add(steps);
        Pace::new().run(&mut self.trainer, upto, |_| Ok(()))?;
        let metrics = block_on(self.trainer.metrics())?;
        let mean = |of: fn(&digit_forge_core::train::Metrics) -> f32| {
            metrics.iter().map(|m| f64::from(of(m))).sum::<f64>() / metrics.len() as f64
        };
        Ok(Opinions { real: mean(|m| m.d_real), fake: mean(|m| m.d_fake) })
    }
}
