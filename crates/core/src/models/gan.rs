//! The GAN: a few programs over shared tensors.
//!
//! ```text
//! draw      noise · batch of real images and labels · G's fakes for the same labels
//! train_d   ticks · D on real and fake rows as one batch · loss · gradients · update of D
//! train_g   tick · the updated D on the same fakes · loss · gradients through D and G · update of G, its average, the log
//! grid      the averaged G on noise and labels that the host fixed
//! grid_raw  G as the last step left it, on the same
//! ```
//! One step is `draw, train_d` as often as the D:G ratio says, then `train_g`. Shapes: B batch, Z noise, P pixels.
//!
//! Of a recording for a shard of each batch, `train_d` and `train_g` end with the gradients; `update_d` and `update_g` follow
//! once their means over all shards are known.

use super::discriminator::Discriminator;
use super::generator::Generator;
use super::scene::{Drawn, Pair, Scene, opinion};
use super::shard::Shard;
use crate::data::{DIGITS, IMAGE, ImageShape};
use crate::error::Result;
use crate::layers::{Over, Pass};
use crate::models::networks::norm;
use crate::ops::adam::Adam;
use crate::ops::gather::Batch;
use crate::ops::log;
use crate::ops::noise::Distribution;
use crate::ops::schedule::Schedule;
use crate::ops::tick::{LANES, Lane};
use crate::optim::{Optimizer, Pace, clip, follow, spectral};
use crate::program::{DType, Init, ProgramId, Recorder, Recording, Tensor};
use crate::train::settings::{Condition, DNorm, OptimizerKind, Settings, Size};
use std::rc::Rc;

/// Images of each digit in the grid.
pub const GRID_ROWS: usize = 8;
/// Images of the opening pass: training starts when these are there.
pub const OPENING_IMAGES: usize = 10_000;
/// Steps that the log remembers until the host reads them.
pub const LOG_ROWS: usize = 4096;
/// Values in a row of the log: step, D's loss, G's loss, D's mean opinion of real images and of fakes.
pub const LOG_COLUMNS: usize = log::ROW;
/// Random stream of the training noise.
pub(super) const NOISE_STREAM: u32 = 1;
/// Random stream of the grid's fixed noise.
pub const GRID_STREAM: u32 = 2;
/// Random stream of the fixed noise that a batch norm's statistics are known by when sampling.
pub const KNOWN_STREAM: u32 = 11;
/// The dials: what the host may change between steps.
const DIALS: usize = 8;

/// A recorded GAN: the recording, its programs, and the tensors that the host touches.
pub struct Gan {
    /// For an engine.
    pub recording: Rc<Recording>,
    /// Draws noise and a batch, and generates fakes.
    pub draw: ProgramId,
    /// Updates D.
    pub train_d: ProgramId,
    /// Updates G.
    pub train_g: ProgramId,
    /// Samples the grid.
    pub grid: ProgramId,
    /// `[8]` words: counters and the seed, see [`Lane`].
    pub clock: Tensor,
    /// `[8]`: the learning rates of G and D, then spare.
    pub dials: Tensor,
    /// The data set's pixels, four bytes a word.
    pub images: Tensor,
    /// The data set's labels, four bytes a word.
    pub labels: Tensor,
    /// How many images of the data set are drawn from.
    pub total: usize,
    /// `[1]`: how many images of the data set are there.
    pub available: Tensor,
    /// `[LOG_ROWS, LOG_COLUMNS]`, a ring; see [`LOG_COLUMNS`].
    pub log: Tensor,
    /// `[N, Z]`: the grid's noise.
    pub grid_noise: Tensor,
    /// `[N]`: the grid's labels, absent without conditioning.
    pub grid_labels: Option<Tensor>,
    /// `[N, P]`: the grid's images, values from -1 to 1.
    pub grid_images: Tensor,
    /// `[N, Z]`: noise that never changes, by which a batch norm knows its statistics; absent without one.
    pub known_noise: Option<Tensor>,
    /// `[4, 4, 1, 1]`: the weights that enlarge real images, see [`ENLARGING`]; absent where they stay as they are.
    pub enlarging: Option<Tensor>,
    /// The extents of a generated image.
    pub image: ImageShape,
    /// Where the grid is drawn by averaged weights: the program that samples G's own, and the tensor of its images.
    pub raw: Option<(ProgramId, Tensor)>,
    /// The rows of each batch that it is for.
    pub shard: Shard,
    /// Of a shard: D's lesson, which a step has as often as the D:G ratio says, and G's. None where it is the whole batch.
    pub lessons: Vec<Lesson>,
    pub(super) g: Generator,
    pub(super) d: Discriminator,
    pub(super) sampling: Batch,
}

/// How a network learns from all shards.
pub struct Lesson {
    /// The programs up to the gradients.
    pub programs: Vec<ProgramId>,
    /// What they leave of this shard's rows and whose mean over all shards the update needs: gradients, and losses for the log.
    pub means: Vec<Tensor>,
    /// The program that updates the network.
    pub update: ProgramId,
    /// What it updates, and what the programs of others must be told then.
    pub parameters: Vec<Tensor>,
}

impl Gan {
    /// Records the programs that these settings describe, for a data set of `data` images. Unfused programs compute the
    /// same, operation by operation.
    ///
    /// # Errors
    /// [`crate::Error`] where the settings give shapes that don't fit, or the data set is empty.
    pub fn record(s: &Settings, data: usize, fused: bool) -> Result<Gan> {
        Gan::record_shard(s, data, fused, Shard::WHOLE)
    }

    /// The same for a shard of each batch, of as many as [`shards`](super::shard::shards) allows.
    ///
    /// # Errors
    /// As [`Gan::record`].
    pub fn record_shard(s: &Settings, data: usize, fused: bool, shard: Shard) -> Result<Gan> {
        let r = &mut Recorder::new();
        let (batch, z, pixels) = (s.batch as usize, s.noise as usize, IMAGE.pixels());
        let image = s.size.image();
        let total = s.images.count().min(data);

        let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
        let dials = r.input("dials", [DIALS], DType::F32);
        let log = r.state("log", [LOG_ROWS, LOG_COLUMNS], DType::F32, Init::Fill(0.0));
        let images = r.input("images", [total * pixels / 4], DType::U32);
        let labels = r.input("labels", [total.div_ceil(4)], DType::U32);
        let available = r.input("available", [1], DType::U32);
        let enlarging = (s.size != Size::Small).then(|| r.input("enlarging", [4, 4, 1, 1], DType::F32));
        let g = Generator::new(r, s);
        let d = Discriminator::new(r, s);
        let average = (s.average > 0.0).then(|| g.twin(r));
        let [g_optimizer, d_optimizer] =
            [s.optimizer, s.d_optimizer.beside(s.optimizer)].map(|kind| optimizer(s, kind));
        let scene = Scene { s, clock, shard };
        let schedule = |lane| {
            let updates = scene.updates(lane);
            Schedule { fall: s.schedule.fall(), steps: s.schedule_steps * updates, warmup: s.warmup * updates }
        };
        // After its lane of the clock is ticked.
        let pace = |r: &mut Recorder, lane, rate| {
            let schedule = schedule(lane);
            let dials = if schedule.is_constant() { dials } else { r.schedule(dials, clock, lane, schedule)? };
            Ok::<_, crate::Error>(Pace { clock, lane, dials, rate, longest: s.longest })
        };

        let draw = r.begin("draw");
        let noise = r.noise([batch, z], clock, Lane::Draws, NOISE_STREAM, Distribution::Normal)?;
        let paper = if enlarging.is_some() { 0.0 } else { -1.0 };
        let first = total.min(OPENING_IMAGES) as u32;
        let sampling = Batch { size: batch, pixels, first, total: total as u32, paper };
        let (real, real_labels) = r.gather(images, labels, available, clock, sampling)?;
        // All rows are drawn, since which is which follows from its place, and all but the shard's are left at once.
        let [noise, real, real_labels] = [shard.of(r, noise)?, shard.of(r, real)?, shard.of(r, real_labels)?];
        let real = enlarging.map_or(Ok(real), |weights| enlarged(r, real, weights))?;
        let fake = g.forward(r, noise, Some(real_labels), Pass::PLAIN)?;

        let train_d = r.begin("train_d");
        r.tick(clock, Lane::Draws)?;
        r.tick(clock, Lane::Discriminator)?;
        let (shown, shown_labels) = scene.replayed(r, fake, real_labels)?;
        let shown = Pair::of(r, real, shown, real_labels, shown_labels)?;
        let drawn = Drawn { real, fake, labels: real_labels };
        let judged = scene.discriminator(r, &d, drawn, shown)?;
        let on_real = opinion(r, s.loss, judged.real)?;
        let on_fake = opinion(r, s.loss, judged.fake)?;
        let gradients = r.gradients(judged.loss, &d.parameters())?;
        let mut lessons = Vec::new();
        if shard.is_part() {
            let means = [&gradients[..], &[judged.loss, on_real, on_fake]].concat();
            let (programs, update, parameters) = (vec![draw, train_d], r.begin("update_d"), d.parameters());
            lessons.push(Lesson { programs, means, update, parameters });
        }
        let d_pace = pace(r, Lane::Discriminator, D_RATE)?;
        d_optimizer.update(r, &d.parameters(), &gradients, d_pace)?;
        if s.d_norm == DNorm::Spectral {
            spectral(r, &d.weights())?;
        }
        if s.clip > 0.0 {
            clip(r, &d.parameters(), s.clip)?;
        }

        let train_g = r.begin("train_g");
        r.tick(clock, Lane::Generator)?;
        let g_loss = scene.generator(r, &d, drawn, shown)?;
        let gradients = r.gradients(g_loss, &g.parameters())?;
        if shard.is_part() {
            let means = [&gradients[..], &[g_loss]].concat();
            let (programs, update, parameters) = (vec![train_g], r.begin("update_g"), g.parameters());
            lessons.push(Lesson { programs, means, update, parameters });
        }
        let g_pace = pace(r, Lane::Generator, G_RATE)?;
        g_optimizer.update(r, &g.parameters(), &gradients, g_pace)?;
        if let Some(average) = &average {
            follow(r, &average.parameters(), &g.parameters(), g_pace, s.average)?;
        }
        r.log_row(&[judged.loss, g_loss, on_real, on_fake], log, clock, Lane::Generator)?;

        let grid = r.begin("grid");
        let n = GRID_ROWS * DIGITS;
        let grid_noise = r.input("grid noise", [n, z], DType::F32);
        let grid_labels = (s.condition != Condition::None).then(|| r.input("grid labels", [n], DType::U32));
        let known_noise = (norm(s.g_norm) == Some(Over::Batch)).then(|| r.input("known noise", [n, z], DType::F32));
        let shown = average.as_ref().unwrap_or(&g);
        let grid_images = sampled(r, shown, grid_noise, grid_labels, known_noise)?;
        let mut kept = vec![grid_images];
        kept.extend(lessons.iter().flat_map(|lesson| &lesson.means));

        let mut raw = None;
        if average.is_some() {
            let program = r.begin("grid_raw");
            let images = sampled(r, &g, grid_noise, grid_labels, known_noise)?;
            kept.push(images);
            raw = Some((program, images));
        }

        let recording = Rc::new(std::mem::take(r).finish(fused, &kept));
        Ok(Gan {
            recording,
            draw,
            train_d,
            train_g,
            grid,
            clock,
            dials,
            images,
            labels,
            total,
            available,
            log,
            grid_noise,
            grid_labels,
            grid_images,
            known_noise,
            enlarging,
            image,
            raw,
            shard,
            lessons,
            g,
            d,
            sampling,
        })
    }

    /// The programs of one step that updates D so many times, in order.
    pub fn schedule(&self, d_steps: usize) -> Vec<ProgramId> {
        let mut schedule = [self.draw, self.train_d].repeat(d_steps);
        schedule.push(self.train_g);
        schedule
    }
}

/// The dial of G's learning rate.
pub const G_RATE: usize = 0;
/// The dial of D's learning rate.
pub const D_RATE: usize = 1;

/// With the numbers that belong to this kind.
fn optimizer(s: &Settings, kind: OptimizerKind) -> Optimizer {
    match kind {
        OptimizerKind::Adam => Optimizer::Adam(Adam::new(s.beta1, s.beta2)),
        OptimizerKind::AdamW => Optimizer::Adam(Adam { decay: s.weight_decay, ..Adam::new(s.beta1, s.beta2) }),
        OptimizerKind::RmsProp => Optimizer::Adam(Adam { corrected: false, ..Adam::new(0.0, s.beta2) }),
        OptimizerKind::Sgd => Optimizer::Sgd { momentum: s.momentum },
    }
}

/// Images `[N, P]` of a generator. With a batch norm, the statistics are those of `known`, noise that never changes, under the
/// weights as they are: an image then depends on its own noise alone, and averaged weights have statistics that fit them,
/// which running averages of a batch's statistics don't.
fn sampled(
    r: &mut Recorder,
    g: &Generator,
    noise: Tensor,
    labels: Option<Tensor>,
    known: Option<Tensor>,
) -> Result<Tensor> {
    let Some(known) = known else { return g.forward(r, noise, labels, Pass::PLAIN) };
    let n = r.shape(noise).0[0];
    let noise = r.concat(known, noise, 0)?;
    let labels = labels.map(|labels| r.concat(labels, labels, 0)).transpose()?;
    let images = g.forward(r, noise, labels, Pass { known: Some(n), ..Pass::PLAIN })?;
    r.slice(images, 0, n, n)
}

/// The weights of a transposed convolution with stride 2 that enlarges an image bilinearly: this by itself.
pub const ENLARGING: [f32; 4] = [0.25, 0.75, 0.75, 0.25];

/// Real images `[B, 784]` twice as large, `[B, 3136]`. Their paper is 0, as what lies outside, so ink is 2; the larger ones' is -1.
pub(super) fn enlarged(r: &mut Recorder, ink: Tensor, weights: Tensor) -> Result<Tensor> {
    let batch = r.shape(ink).0[0];
    let ink = r.reshape(ink, [batch, IMAGE.rows, IMAGE.columns, 1])?;
    let large = r.conv_transpose(ink, weights, 2, 1)?;
    let paper = r.constant([1], -1.0);
    let large = r.add(large, paper)?;
    r.reshape(large, [batch, 4 * IMAGE.pixels()])
}
