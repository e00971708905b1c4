//! A step that several trainers make together, each with its shard of every batch ([`Shard`]). The first leads: it alone
//! keeps the run, and learns from the mean of all gradients. The others have the data and the weights that they were told, and follow
//! whatever changes the leader's run.
//!
//! ```text
//! leader                      each of the others
//! order ─ clock, weights ───▶ obey: gradients of its own rows
//! work: of its own rows
//! add  ◀─ gradients, losses ─ answer
//! conclude: the network learns from their means
//! ```
//! This happens once for each update of a network. Messages are words that go from memory to memory; who carries them is up to the
//! host, in buffers of [`Trainer::message`] words.

use super::{Runner, Trainer, after};
use crate::engine::cpu::CpuEngine;
use crate::engine::cpu::lanes::each_wide;
use crate::error::Result;
use crate::models::gan::{Gan, Lesson};
use crate::models::shard::Shard;
use crate::program::Tensor;
use crate::train::presets::Preset;
use crate::train::settings::Settings;

/// How far the trainers are in a step.
#[derive(Default)]
pub(super) struct Together {
    /// Updates of D in this step so far; after as many as the D:G ratio says, it is G's turn.
    d_updates: u32,
    /// Whether the others have D's weights as they are, and G's.
    known: [bool; 2],
    /// Answers since the last update.
    answers: usize,
    /// A piece of an answer on its way into a sum.
    piece: Vec<f32>,
}

/// Words of an order before its weights: which lesson it is for, whether D's weights come with it, whether G's.
const HEAD: usize = 3;

/// Values of an answer that are added at a time: few enough for a near cache.
const PIECE: usize = 32_768;

impl Trainer {
    /// A trainer on the CPU engine for a shard of each batch, as [`Trainer::cpu`] is for all of it. The one of rank 0 leads.
    ///
    /// # Errors
    /// The same.
    pub fn cpu_shard(preset: &'static Preset, settings: Settings, data: usize, shard: Shard) -> Result<Self> {
        let gan = Gan::record_shard(&settings, data, true, shard)?;
        let engine = CpuEngine::new(&gan.recording, settings.seed);
        Self::with(preset, settings, gan, Runner::Cpu(engine))
    }

    fn lesson(&self) -> usize {
        usize::from(self.together.d_updates == self.settings.d_steps)
    }

    /// Words of the longest message.
    pub fn message(&self) -> usize {
        let words = |tensors: &[Tensor]| tensors.iter().map(|&t| self.gan.recording.info(t).shape.len()).sum::<usize>();
        let weights = self.gan.lessons.iter().map(|lesson| words(&lesson.parameters)).sum::<usize>();
        let answer = self.gan.lessons.iter().map(|lesson| words(&lesson.means)).max();
        (HEAD + words(&[self.gan.clock]) + weights).max(answer.unwrap_or(0))
    }

    /// What the others need for the next lesson, piece by piece.
    ///
    /// # Errors
    /// As [`Trainer::run`], before the first lesson of a step.
    pub fn order(&mut self, put: &mut dyn FnMut(&[f32])) -> Result<()> {
        self.ready()?;
        after(self.steps, 1)?;
        let known = self.together.known;
        put(&[self.lesson() as f32, f32::from(!known[0]), f32::from(!known[1])]);
        let (gan, engine) = parts(&self.gan, &mut self.engine);
        put(engine.values(gan.clock));
        for (lesson, _) in gan.lessons.iter().zip(known).filter(|(_, known)| !known) {
            lesson.parameters.iter().for_each(|&weights| put(engine.values(weights)));
        }
        Ok(())
    }

    /// The leader's own part of the lesson, while the others do theirs.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn work(&mut self) -> Result<()> {
        self.together.known = [true; 2];
        let lesson = self.lesson();
        self.engine.get().run(&self.gan.lessons[lesson].programs, 1)
    }

    /// Takes in what one of the others found. They have to come in the same order always, for the same bits.
    pub fn add(&mut self, take: &mut dyn FnMut(&mut [f32])) {
        self.together.answers += 1;
        let (rank, count) = (self.together.answers, self.gan.shard.count);
        let part = |rank| Shard { rank, count }.part(self.settings.batch as usize);
        let (ours, theirs) = (if rank == 1 { part(0) } else { 1.0 }, part(rank));
        let lesson = self.lesson();
        let (gan, engine) = parts(&self.gan, &mut self.engine);
        for &mean in &gan.lessons[lesson].means {
            for sum in engine.values_mut(mean).chunks_mut(PIECE) {
                self.together.piece.resize(sum.len(), 0.0);
                take(&mut self.together.piece);
                each_wide([&self.together.piece], [sum], move |[other], [sum]| [sum * ours + other * theirs]);
            }
        }
    }

    /// Ends the lesson, once all have been added. Whether that ends the step.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn conclude(&mut self) -> Result<bool> {
        let lesson = self.lesson();
        self.engine.get().run(&[self.gan.lessons[lesson].update], 1)?;
        self.together.answers = 0;
        self.together.known[lesson] = false;
        if lesson == 0 {
            self.together.d_updates += 1;
            return Ok(false);
        }
        self.together.d_updates = 0;
        self.steps += 1;
        Ok(true)
    }

    /// Does what another trainer's [`Trainer::order`] asks for.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn obey(&mut self, take: &mut dyn FnMut(&mut [f32])) -> Result<()> {
        let mut head = [0.0; HEAD];
        take(&mut head);
        self.together.d_updates = if head[0] == 0.0 { 0 } else { self.settings.d_steps };
        let (gan, engine) = parts(&self.gan, &mut self.engine);
        take(engine.values_mut(gan.clock));
        for (Lesson { parameters, .. }, _) in gan.lessons.iter().zip(&head[1..]).filter(|(_, comes)| **comes != 0.0) {
            parameters.iter().for_each(|&weights| take(engine.values_mut(weights)));
        }
        let lesson = self.lesson();
        self.engine.get().run(&self.gan.lessons[lesson].programs, 1)
    }

    /// What came of it, piece by piece.
    pub fn answer(&mut self, put: &mut dyn FnMut(&[f32])) {
        let lesson = self.lesson();
        let (gan, engine) = parts(&self.gan, &mut self.engine);
        gan.lessons[lesson].means.iter().for_each(|&mean| put(engine.values(mean)));
    }

    /// Of a leader: a trainer with the same data that makes its steps without the others, from a checkpoint that it is given.
    ///
    /// # Errors
    /// As [`Trainer::cpu`].
    pub(crate) fn alone(&mut self) -> Result<Option<Trainer>> {
        if !self.gan.shard.is_part() {
            return Ok(None);
        }
        let mut whole = Trainer::cpu(self.preset, self.settings.clone(), self.gan.total)?;
        let (gan, engine) = parts(&self.gan, &mut self.engine);
        let theirs = [whole.gan.images, whole.gan.labels, whole.gan.available];
        for (ours, theirs) in [gan.images, gan.labels, gan.available].into_iter().zip(theirs) {
            whole.upload(theirs, 0, engine.words(ours))?;
        }
        whole.available = self.available;
        Ok(Some(whole))
    }

    /// What the others were told doesn't hold any more.
    pub(super) fn forgotten(&mut self) {
        self.together = Together::default();
    }
}

/// What shards run on.
fn parts<'a>(gan: &'a Gan, engine: &'a mut Runner) -> (&'a Gan, &'a mut CpuEngine) {
    let Runner::Cpu(engine) = engine else { unreachable!("only the CPU engine is given shards") };
    (gan, engine)
}
