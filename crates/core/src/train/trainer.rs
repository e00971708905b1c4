//! The trainer: a recorded GAN on an engine, with its data, steps, metrics and checkpoints; its samples are beside. What the
//! page, the command line and the tests drive.

mod later;
mod samples;
mod shards;
mod vitals;
mod wants;

use super::checkpoint;
use super::presets::Preset;
use super::settings::Settings;
use crate::data::{DIGITS, IMAGE, idx};
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::{GpuContext, GpuEngine};
use crate::engine::{Engine, Pending};
use crate::error::{Error, Result};
use crate::models::gan::{
    D_RATE, ENLARGING, G_RATE, GRID_ROWS, GRID_STREAM, Gan, KNOWN_STREAM, LOG_COLUMNS, LOG_ROWS, OPENING_IMAGES,
};
use crate::models::shard::Shard;
use crate::models::vitals::Probe;
use crate::models::wants::Wishes;
use crate::ops::noise;
use crate::ops::tick::Lane;
use crate::program::{Recording, Tensor};
use later::Later;
use shards::Together;
use std::rc::Rc;

pub use samples::Weights;

/// Steps of the longest run: days of them.
pub const MOST_STEPS: u32 = 1_000_000_000;

/// The step so many after those made.
///
/// # Errors
/// [`Error::Steps`] where it is beyond [`MOST_STEPS`].
pub(crate) fn after(made: u32, more: u32) -> Result<u32> {
    made.checked_add(more).filter(|&step| step <= MOST_STEPS).ok_or(Error::Steps { made, more })
}

/// What a step left in the log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// Counted from 1.
    pub step: u32,
    /// D's loss.
    pub d_loss: f32,
    /// G's loss.
    pub g_loss: f32,
    /// The mean probability that D gives to real images.
    pub d_real: f32,
    /// The mean probability that D gives to fakes.
    pub d_fake: f32,
}

/// See the module's head.
pub struct Trainer {
    settings: Settings,
    preset: &'static Preset,
    gan: Gan,
    engine: Runner,
    available: usize,
    steps: u32,
    logged: u32,
    /// What the engine runs by now: the GAN's recording, and behind it what somebody has asked for since.
    latest: Rc<Recording>,
    watch: Option<Later<Probe>>,
    wishes: Option<Later<Wishes>>,
    together: Together,
    /// The steps of each turn that was asked for.
    #[cfg(test)]
    pub(crate) turns: Vec<u32>,
}

/// The two engines. Only drawing needs to know which it is.
enum Runner {
    Cpu(CpuEngine),
    Gpu(GpuEngine),
}

impl Runner {
    fn get(&mut self) -> &mut dyn Engine {
        match self {
            Runner::Cpu(engine) => engine,
            Runner::Gpu(engine) => engine,
        }
    }
}

impl Trainer {
    /// A trainer on the CPU engine, for a data set of `data` images: [`MNIST_IMAGES`](crate::data::MNIST_IMAGES), or another
    /// one's.
    ///
    /// # Errors
    /// [`Error`] where the settings give shapes that don't fit, or the data set is empty.
    pub fn cpu(preset: &'static Preset, settings: Settings, data: usize) -> Result<Self> {
        Self::cpu_shard(preset, settings, data, Shard::WHOLE)
    }

    /// A trainer on a GPU.
    ///
    /// # Errors
    /// The same, and [`Error::Gpu`] where the device refuses.
    pub async fn gpu(preset: &'static Preset, settings: Settings, context: GpuContext, data: usize) -> Result<Self> {
        let gan = Gan::record(&settings, data, true)?;
        let engine = GpuEngine::new(context, &gan.recording, settings.seed).await?;
        Self::with(preset, settings, gan, Runner::Gpu(engine))
    }

    fn with(preset: &'static Preset, settings: Settings, gan: Gan, engine: Runner) -> Result<Self> {
        let latest = Rc::clone(&gan.recording);
        let (available, steps, logged) = (0, 0, 0);
        let mut trainer = Trainer {
            settings,
            preset,
            gan,
            engine,
            available,
            steps,
            logged,
            latest,
            watch: None,
            wishes: None,
            together: Together::default(),
            #[cfg(test)]
            turns: Vec::new(),
        };
        let n = GRID_ROWS * DIGITS;
        let seed = trainer.settings.seed;
        trainer.upload(trainer.gan.clock, Lane::Seed as usize, &[seed])?;
        trainer.turn_dials()?;
        trainer.set_fixed()?;
        if let Some(labels) = trainer.gan.grid_labels {
            let digits: Vec<u32> = (0..n as u32).map(|i| i % DIGITS as u32).collect();
            trainer.upload(labels, 0, &digits)?;
        }
        Ok(trainer)
    }

    fn upload(&mut self, tensor: Tensor, offset: usize, words: &[u32]) -> Result<()> {
        self.engine.get().upload(tensor, offset, words)
    }

    fn turn_dials(&mut self) -> Result<()> {
        let (g, d) = (self.settings.g_rate, self.settings.d_rate);
        self.upload(self.gan.dials, G_RATE, &[g.to_bits()])?;
        self.upload(self.gan.dials, D_RATE, &[d.to_bits()])
    }

    fn set_grid_noise(&mut self, stream: u32) -> Result<()> {
        self.set_noise(self.gan.grid_noise, stream)
    }

    fn set_noise(&mut self, tensor: Tensor, stream: u32) -> Result<()> {
        let n = GRID_ROWS * DIGITS * self.settings.noise as usize;
        let noise: Vec<u32> = noise::normal(self.settings.seed, stream, n).iter().map(|v| v.to_bits()).collect();
        self.upload(tensor, 0, &noise)
    }

    /// What follows from the seed, and what never changes.
    fn set_fixed(&mut self) -> Result<()> {
        if let Some(weights) = self.gan.enlarging {
            let square: Vec<u32> = ENLARGING.iter().flat_map(|a| ENLARGING.map(|b| (a * b).to_bits())).collect();
            self.upload(weights, 0, &square)?;
        }
        if let Some(noise) = self.gan.known_noise {
            self.set_noise(noise, KNOWN_STREAM)?;
        }
        self.set_grid_noise(GRID_STREAM)
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings as text: the preset and what differs from it.
    ///
    /// # Errors
    /// As [`Settings::text`].
    pub fn settings_text(&self) -> Result<String> {
        self.settings.text(self.preset)
    }

    /// `cpu` or `gpu`.
    pub fn engine_name(&mut self) -> &'static str {
        self.engine.get().name()
    }

    /// What the engine runs on.
    pub fn adapter(&mut self) -> String {
        let adapter = self.engine.get().adapter();
        match self.gan.shard.count {
            1 => adapter,
            count => adapter.replace("one thread", &format!("{count} threads")),
        }
    }

    /// How many images are trained on: as many as the settings ask for, or all where the data set has fewer.
    pub fn images_wanted(&self) -> usize {
        self.gan.total
    }

    /// How many are there so far. Training can start with [`Trainer::images_to_start`].
    pub fn images_available(&self) -> usize {
        self.available
    }

    /// How many images must be there before the first step.
    pub fn images_to_start(&self) -> usize {
        self.images_wanted().min(OPENING_IMAGES)
    }

    /// Appends images and their labels, as IDX files. What exceeds [`Trainer::images_wanted`] is left out.
    ///
    /// # Errors
    /// [`Error::Data`] where a file is broken or doesn't belong; nothing changes then.
    pub fn add_data(&mut self, images: &[u8], labels: &[u8]) -> Result<()> {
        let (images, labels) = (idx::images("images", images)?, idx::labels("labels", labels)?);
        let refuse = |why: String| Err(Error::Data { what: "images".into(), why });
        images.fit(labels).or_else(refuse)?;
        if !self.available.is_multiple_of(4) {
            return refuse(format!("{} are there, and more can only follow a multiple of four", self.available));
        }
        let count = images.count.min(self.images_wanted() - self.available);
        if count == 0 {
            return Ok(());
        }
        let first = self.available;
        let words = |bytes: &[u8]| -> Vec<u32> {
            let word = |b: &[u8]| u32::from_le_bytes(std::array::from_fn(|i| b.get(i).copied().unwrap_or(0)));
            bytes.chunks(4).map(word).collect()
        };
        let pixels = IMAGE.pixels();
        self.upload(self.gan.images, first * pixels / 4, &words(&images.pixels[..count * pixels]))?;
        self.upload(self.gan.labels, first / 4, &words(&labels[..count]))?;
        self.available += count;
        let available = self.available as u32;
        self.upload(self.gan.available, 0, &[available])
    }

    /// Trains for this many steps. The CPU has finished when this returns; the GPU has got one submit.
    ///
    /// # Errors
    /// [`Error::Data`] if there are too few images to start with, [`Error::Steps`] beyond [`MOST_STEPS`].
    pub fn run(&mut self, steps: u32) -> Result<()> {
        self.ready()?;
        let upto = after(self.steps, steps)?;
        if self.gan.shard.is_part() {
            return Err(Error::Data { what: "batch".into(), why: "a shard of it makes no step alone".into() });
        }
        let schedule = self.gan.schedule(self.settings.d_steps as usize);
        self.engine.get().run(&schedule, steps)?;
        self.steps = upto;
        #[cfg(test)]
        self.turns.push(steps);
        Ok(())
    }

    /// Whether there are images enough to start with.
    fn ready(&self) -> Result<()> {
        if self.available < self.images_to_start() {
            let why = format!("{} of the first {} are there", self.available, self.images_to_start());
            return Err(Error::Data { what: "images".into(), why });
        }
        Ok(())
    }

    /// Steps asked for so far.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Real images that D has seen.
    pub fn images_seen(&self) -> u64 {
        u64::from(self.steps) * u64::from(self.settings.d_steps) * u64::from(self.settings.batch)
    }

    /// Resolves when all steps asked for have been made.
    pub fn settle(&mut self) -> Pending<()> {
        self.engine.get().settle()
    }

    /// The metrics of the steps since the last call, oldest first; of more than the log remembers, the newest.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the log can't be read, or holds no row of a step that was asked for.
    pub fn metrics(&mut self) -> Pending<Vec<Metrics>> {
        let (after, upto) = (self.logged, self.steps);
        self.logged = upto;
        if after == upto {
            return Box::pin(std::future::ready(Ok(Vec::new())));
        }
        let log = self.engine.get().download(self.gan.log);
        Box::pin(async move {
            let words = log.await?;
            let oldest = after.max(upto.saturating_sub(LOG_ROWS as u32));
            let row = |step: u32| {
                let at = (step - 1) as usize % LOG_ROWS * LOG_COLUMNS;
                let value = |i: usize| f32::from_bits(words[at + i]);
                // A driver that can't run a pipeline says so nowhere else: its submits are void.
                if words[at] != step {
                    return Err(Error::Gpu(format!("the device was asked for step {step} and didn't make it")));
                }
                Ok(Metrics { step, d_loss: value(1), g_loss: value(2), d_real: value(3), d_fake: value(4) })
            };
            (oldest + 1..=upto).map(row).collect()
        })
    }

    /// Takes over settings that differ from those in force only where a change is live.
    ///
    /// # Errors
    /// [`Error::BadSetting`] naming the first one that needs a new run; nothing changes then.
    pub fn tune(&mut self, settings: Settings) -> Result<()> {
        if let Some(row) = super::settings::ROWS.iter().find(|r| r.restart && r.get(&settings) != r.get(&self.settings))
        {
            let why = "a change of it needs a new run".into();
            return Err(Error::BadSetting { key: row.key.into(), value: row.get(&settings), why });
        }
        self.settings = settings;
        self.turn_dials()
    }

    /// Weights, moments, averages, counters and settings, as a safetensors file.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] where the file can't be written.
    pub fn save(&mut self) -> Result<impl Future<Output = Result<Vec<u8>>> + use<>> {
        let text = self.settings_text()?;
        let recording = Rc::clone(&self.gan.recording);
        let tensors: Vec<Tensor> = recording.lasting().collect();
        let contents: Vec<Pending<Vec<u32>>> = tensors.iter().map(|&t| self.engine.get().download(t)).collect();
        Ok(async move {
            let mut parts = Vec::with_capacity(tensors.len());
            for (tensor, words) in tensors.into_iter().zip(contents) {
                parts.push((recording.info(tensor), words.await?));
            }
            Ok(checkpoint::write(&text, &parts))
        })
    }

    /// Takes over a checkpoint of a run with the same settings (learning rates aside), and goes on from there, also from one
    /// that broke: what D thinks and G draws can be asked of it as well.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] that says what doesn't fit; nothing changes then.
    pub fn load(&mut self, file: &[u8]) -> Result<()> {
        let recording = Rc::clone(&self.gan.recording);
        let tensors: Vec<Tensor> = recording.lasting().collect();
        let infos: Vec<_> = tensors.iter().map(|&t| recording.info(t)).collect();
        let contents = checkpoint::read(file, &infos, &self.settings)?;
        for (tensor, words) in tensors.iter().zip(&contents) {
            self.upload(*tensor, 0, words)?;
            if *tensor == self.gan.clock {
                self.steps = Lane::Generator.of(words);
                self.logged = self.steps;
                self.settings.seed = Lane::Seed.of(words);
            }
        }
        self.forgotten();
        self.set_fixed()
    }
}

#[cfg(test)]
pub(crate) mod tests;
