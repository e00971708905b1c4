//! What a run starts from: a preset with changes, or an earlier run's checkpoint.

use crate::args::{EngineKind, Order};
use crate::failure::{Failure, Result};
use crate::metrics;
use digit_forge_core::Error;
use digit_forge_core::data::MNIST_IMAGES;
use digit_forge_core::engine::block_on;
use digit_forge_core::engine::gpu::GpuContext;
use digit_forge_core::train::presets::{PRESETS, Preset};
use digit_forge_core::train::settings::{self, Resolved, Settings};
use digit_forge_core::train::{Trainer, checkpoint_settings};
use std::path::{Path, PathBuf};

/// A checkpoint's file in a run's folder.
pub const MODEL: &str = "model.safetensors";

pub struct Start {
    pub preset: &'static Preset,
    /// As the run will go on; a checkpoint's may differ where a change is live.
    pub settings: Settings,
    earlier: Option<Earlier>,
}

struct Earlier {
    folder: PathBuf,
    checkpoint: Vec<u8>,
    settings: Settings,
}

impl Start {
    pub fn of(order: &Order) -> Result<Self> {
        match &order.resume {
            Some(folder) => Self::resumed(order, folder),
            None => Self::fresh(order),
        }
    }

    fn fresh(order: &Order) -> Result<Self> {
        let preset = order.preset.as_deref().map_or(Ok(&PRESETS[0]), settings::preset)?;
        let settings = changed(Settings::of(preset)?, order)?;
        Ok(Start { preset, settings, earlier: None })
    }

    fn resumed(order: &Order, folder: &Path) -> Result<Self> {
        for (given, flag) in [(order.preset.is_some(), "--preset"), (order.seed.is_some(), "--seed")] {
            if given {
                let why = "a resumed run keeps its checkpoint's settings, except gRate and dRate through --set";
                return Err(Failure::Usage(format!("{flag} can't be used with --resume: {why}")));
            }
        }
        let (checkpoint, resolved) = saved(&folder.join(MODEL))?;
        let settings = changed(resolved.settings.clone(), order)?;
        let earlier = Earlier { folder: folder.into(), checkpoint, settings: resolved.settings };
        Ok(Start { preset: resolved.preset, settings, earlier: Some(earlier) })
    }

    /// The trainer for a data set of so many images, at the step that it starts from.
    pub fn trainer(&self, engine: EngineKind, data: usize) -> Result<Trainer> {
        let Some(earlier) = &self.earlier else { return on(engine, self.preset, self.settings.clone(), data) };
        let mut trainer = on(engine, self.preset, earlier.settings.clone(), data)?;
        let path = earlier.folder.join(MODEL);
        trainer.load(&earlier.checkpoint).map_err(|e| Failure::of_file(&path, e))?;
        trainer.tune(self.settings.clone())?;
        Ok(trainer)
    }

    /// The newest stretch of the earlier run, where its folder tells of one.
    pub fn newest(&self) -> Result<Option<metrics::Stretch>> {
        Ok(self.record(u32::MAX)?.runs.pop())
    }

    /// What has been measured up to `step`, as far as the earlier run's folder has it.
    pub fn record(&self, step: u32) -> Result<metrics::Record> {
        match &self.earlier {
            Some(earlier) => metrics::Record::of_folder(&earlier.folder, step),
            None => Ok(metrics::Record::default()),
        }
    }
}

/// A checkpoint's bytes and settings.
fn saved(path: &Path) -> Result<(Vec<u8>, Resolved)> {
    let checkpoint = std::fs::read(path).map_err(|e| Failure::io(path, "read", &e))?;
    let resolved = checkpoint_settings(&checkpoint).map_err(|e| Failure::of_file(path, e))?;
    Ok((checkpoint, resolved))
}

/// The trainer of a checkpoint, without data.
pub fn opened(engine: EngineKind, path: &Path) -> Result<Trainer> {
    let (checkpoint, resolved) = saved(path)?;
    let mut trainer = on(engine, resolved.preset, resolved.settings, MNIST_IMAGES)?;
    trainer.load(&checkpoint).map_err(|e| Failure::of_file(path, e))?;
    Ok(trainer)
}

fn changed(mut settings: Settings, order: &Order) -> Result<Settings> {
    for (key, value) in &order.changes {
        match key.as_str() {
            "preset" => return Err(Failure::Usage("`preset` isn't a setting: it is given with --preset".into())),
            "seed" if order.seed.is_some() => {
                return Err(Failure::Usage("the seed is given twice, with --seed and with --set".into()));
            }
            _ => settings::row(key)?.set(&mut settings, value)?,
        }
    }
    if let Some(seed) = &order.seed {
        settings::row("seed")?.set(&mut settings, seed)?;
    }
    Ok(settings)
}

/// A trainer at its start, of a data set of so many images.
pub fn on(engine: EngineKind, preset: &'static Preset, settings: Settings, data: usize) -> Result<Trainer> {
    let trainer = match engine {
        EngineKind::Cpu => Trainer::cpu(preset, settings, data),
        EngineKind::Gpu => block_on(async { Trainer::gpu(preset, settings, GpuContext::new().await?, data).await }),
    };
    trainer.map_err(|error| match error {
        Error::Gpu(_) => Failure::NoGpu(error),
        other => other.into(),
    })
}
