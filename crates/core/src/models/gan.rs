//! The GAN: a few programs over shared tensors.
//!
//! ```text
//! draw      noise · batch of real images and labels · G's fakes for the same labels
//! train_d   ticks · D on real and fake rows as one batch · loss · gradients · update of D
//! train_g   tick · the updated D on the same fakes · loss · gradients through D and G · update of G, its average, the log
//! grid      the averaged G on noise and labels that the host fixed
//! ```
//! One step is `draw, train_d` as often as the D:G ratio says, then `train_g`. Shapes: B batch, Z noise, P pixels.

use super::{losses, penalties};
use crate::data::IMAGE;
use crate::error::Result;
use crate::layers::{Conv, ConvTranspose, Layer, Linear, Network, Start, Window};
use crate::ops::activation::Activation;
use crate::ops::adam::Adam;
use crate::ops::gather::Batch;
use crate::ops::log;
use crate::ops::noise::Distribution;
use crate::ops::schedule::{Fall, Schedule};
use crate::ops::tick::{LANES, Lane};
use crate::optim::{Optimizer, Pace, clip, follow};
use crate::program::{DType, Init, ProgramId, Recorder, Recording, Tensor};
use crate::train::settings::{Architecture, Condition, Loss, OptimizerKind, Settings};
use std::rc::Rc;

/// Classes: the ten digits.
pub const DIGITS: usize = 10;
/// Images of each digit in the grid.
pub const GRID_ROWS: usize = 8;
/// Images of the opening pass: training starts when these are there.
pub const OPENING_IMAGES: usize = 10_000;
/// Steps that the log remembers until the host reads them.
pub const LOG_ROWS: usize = 4096;
/// Values in a row of the log: step, D's loss, G's loss, D's mean opinion of real images and of fakes.
pub const LOG_COLUMNS: usize = log::ROW;
/// Random stream of the training noise.
const NOISE_STREAM: u32 = 1;
/// Random stream of the grid's fixed noise.
pub const GRID_STREAM: u32 = 2;
/// Random stream of the gradient penalty's places between real images and fakes.
const BETWEEN_STREAM: u32 = 3;
/// Random streams of the noise on what D sees: in its own update, and on fakes and on real images in G's.
const BLUR_STREAMS: [u32; 3] = [4, 5, 6];
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
}

/// Which way a discriminator uses the label.
struct Discriminator {
    /// `[B, P]` to features, or with the label joined in front of it.
    body: Network,
    /// Features to logits.
    head: Linear,
    condition: Condition,
    architecture: Architecture,
}

fn generator(r: &mut Recorder, s: &Settings) -> Network {
    let inputs = s.noise as usize + if s.condition == Condition::None { 0 } else { DIGITS };
    let pixels = IMAGE.pixels();
    let layers = match s.architecture {
        Architecture::Conv => {
            let (c, side) = (s.channels as usize, IMAGE.rows / 4);
            let relu = Layer::Activation(Activation::LeakyRelu(0.0));
            vec![
                Layer::Linear(Linear::new(r, "generator.0", inputs, side * side * 2 * c, Start::He)),
                Layer::Reshape(vec![side, side, 2 * c]),
                relu.clone(),
                Layer::ConvTranspose(ConvTranspose::new(r, "generator.1", 2 * c, c, Window::HALVING, Start::He)),
                relu,
                Layer::ConvTranspose(ConvTranspose::new(r, "generator.2", c, 1, Window::HALVING, Start::LeCun)),
                Layer::Activation(Activation::Tanh),
                Layer::Reshape(vec![pixels]),
            ]
        }
        Architecture::Mlp => {
            let mut layers = dense(r, "generator", inputs, &s.g_widths.0, s.slope);
            let (last, depth) = (s.g_widths.0.last().map_or(inputs, |&w| w as usize), s.g_widths.0.len());
            layers.push(Layer::Linear(Linear::new(r, &format!("generator.{depth}"), last, pixels, Start::LeCun)));
            layers.push(Layer::Activation(Activation::Tanh));
            layers
        }
    };
    Network { layers }
}

/// Hidden dense layers of these widths, each with a leaky ReLU.
fn dense(r: &mut Recorder, name: &str, inputs: usize, widths: &[u32], slope: f32) -> Vec<Layer> {
    let mut inputs = inputs;
    let mut layers = Vec::new();
    for (i, &width) in widths.iter().enumerate() {
        layers.push(Layer::Linear(Linear::new(r, &format!("{name}.{i}"), inputs, width as usize, Start::He)));
        layers.push(Layer::Activation(Activation::LeakyRelu(slope)));
        inputs = width as usize;
    }
    layers
}

impl Discriminator {
    fn new(r: &mut Recorder, s: &Settings) -> Self {
        let leaky = Layer::Activation(Activation::LeakyRelu(s.slope));
        let joined = if s.condition == Condition::Concat { DIGITS } else { 0 };
        let (layers, features) = match s.architecture {
            Architecture::Conv => {
                let (c, side) = (s.channels as usize, IMAGE.rows / 4);
                let layers = vec![
                    Layer::Reshape(vec![IMAGE.rows, IMAGE.columns, 1]),
                    Layer::Conv(Conv::new(r, "discriminator.0", 1, c, Window::HALVING, Start::He)),
                    leaky.clone(),
                    Layer::Conv(Conv::new(r, "discriminator.1", c, 2 * c, Window::HALVING, Start::He)),
                    leaky,
                    Layer::Reshape(vec![side * side * 2 * c]),
                ];
                (layers, side * side * 2 * c + joined)
            }
            Architecture::Mlp => {
                let inputs = IMAGE.pixels() + joined;
                let layers = dense(r, "discriminator", inputs, &s.d_widths.0, s.slope);
                (layers, s.d_widths.0.last().map_or(inputs, |&w| w as usize))
            }
        };
        let outputs = if s.condition == Condition::Projection { 1 + DIGITS } else { 1 };
        let head = Linear::new(r, "discriminator.head", features, outputs, Start::LeCun);
        Discriminator { body: Network { layers }, head, condition: s.condition, architecture: s.architecture }
    }

    fn parameters(&self) -> Vec<Tensor> {
        [self.body.parameters(), vec![self.head.weight, self.head.bias]].concat()
    }

    /// Images `[B, P]` with their labels `[B]` to logits `[B, 1]`.
    fn forward(&self, r: &mut Recorder, x: Tensor, labels: Tensor) -> Result<Tensor> {
        let join = |r: &mut Recorder, x: Tensor| {
            let label = one_hot(r, labels, 1.0)?;
            r.concat(x, label, 1)
        };
        match (self.condition, self.architecture) {
            (Condition::Concat, Architecture::Mlp) => {
                let x = join(r, x)?;
                let features = self.body.forward(r, x)?;
                self.head.forward(r, features)
            }
            (Condition::Concat, Architecture::Conv) => {
                let features = self.body.forward(r, x)?;
                let features = join(r, features)?;
                self.head.forward(r, features)
            }
            (Condition::None, _) => {
                let features = self.body.forward(r, x)?;
                self.head.forward(r, features)
            }
            // Miyato & Koyama 2018: how real it looks, plus how much like its label.
            (Condition::Projection, _) => {
                let features = self.body.forward(r, x)?;
                let outputs = self.head.forward(r, features)?;
                let realism = r.slice(outputs, 1, 0, 1)?;
                let likeness = r.pick(outputs, labels, 1)?;
                r.add(realism, likeness)
            }
        }
    }
}

/// `scale` at the label's place, `[B, 10]`.
fn one_hot(r: &mut Recorder, labels: Tensor, scale: f32) -> Result<Tensor> {
    let batch = r.shape(labels).len();
    let scale = r.constant([batch, 1], scale);
    r.place(scale, labels, DIGITS, 0)
}

/// Noise joined with the scaled one-hot label, as G takes it.
fn conditioned(r: &mut Recorder, s: &Settings, noise: Tensor, labels: Option<Tensor>) -> Result<Tensor> {
    match labels {
        Some(labels) if s.condition != Condition::None => {
            let label = one_hot(r, labels, s.label_scale)?;
            r.concat(noise, label, 1)
        }
        _ => Ok(noise),
    }
}

impl Gan {
    /// Records the programs that these settings describe, for a data set of `data` images. Unfused programs compute the
    /// same, operation by operation.
    ///
    /// # Errors
    /// [`crate::Error`] where the settings give shapes that don't fit, or the data set is empty.
    pub fn record(s: &Settings, data: usize, fused: bool) -> Result<Gan> {
        let r = &mut Recorder::new();
        let (batch, z, pixels) = (s.batch as usize, s.noise as usize, IMAGE.pixels());
        let total = s.images.count().min(data);

        let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
        let dials = r.input("dials", [DIALS], DType::F32);
        let log = r.state("log", [LOG_ROWS, LOG_COLUMNS], DType::F32, Init::Fill(0.0));
        let images = r.input("images", [total * pixels / 4], DType::U32);
        let labels = r.input("labels", [total.div_ceil(4)], DType::U32);
        let available = r.input("available", [1], DType::U32);
        let g = generator(r, s);
        let d = Discriminator::new(r, s);
        let average = (s.average > 0.0).then(|| g.twin(r));
        let optimizer = match s.optimizer {
            OptimizerKind::Adam => Optimizer::Adam(Adam::new(s.beta1, s.beta2)),
            OptimizerKind::AdamW => Optimizer::Adam(Adam { decay: s.weight_decay, ..Adam::new(s.beta1, s.beta2) }),
            OptimizerKind::RmsProp => Optimizer::Adam(Adam { corrected: false, ..Adam::new(0.0, s.beta2) }),
            OptimizerKind::Sgd => Optimizer::Sgd { momentum: s.momentum },
        };
        let schedule = Schedule { fall: s.schedule.fall(), steps: s.schedule_steps, warmup: s.warmup };
        // After its lane of the clock is ticked.
        let pace = |r: &mut Recorder, lane, rate| {
            let dials = if schedule.is_constant() { dials } else { r.schedule(dials, clock, lane, schedule)? };
            Ok::<_, crate::Error>(Pace { clock, lane, dials, rate, longest: s.longest })
        };

        let draw = r.begin("draw");
        let noise = r.noise([batch, z], clock, Lane::Draws, NOISE_STREAM, Distribution::Normal)?;
        let sampling = Batch { size: batch, pixels, first: total.min(OPENING_IMAGES) as u32, total: total as u32 };
        let (real, real_labels) = r.gather(images, labels, available, clock, sampling)?;
        let input = conditioned(r, s, noise, Some(real_labels))?;
        let fake = g.forward(r, input)?;

        let train_d = r.begin("train_d");
        r.tick(clock, Lane::Draws)?;
        r.tick(clock, Lane::Discriminator)?;
        let d_pace = pace(r, Lane::Discriminator, D_RATE)?;
        let both = r.concat(real, fake, 0)?;
        let both = blurred(r, s, both, clock, Lane::Discriminator, BLUR_STREAMS[0])?;
        let both_labels = r.concat(real_labels, real_labels, 0)?;
        let logits = d.forward(r, both, both_labels)?;
        let real_logits = r.slice(logits, 0, 0, batch)?;
        let fake_logits = r.slice(logits, 0, batch, batch)?;
        let mut d_loss = losses::discriminator(r, s.loss, s.smoothing, real_logits, fake_logits)?;
        if s.r1 > 0.0 || s.r2 > 0.0 {
            // A row's logit depends on its own image alone, so one gradient serves both.
            let steepness = penalties::steepness(r, logits, both)?;
            for (gamma, start) in [(s.r1, 0), (s.r2, batch)] {
                if gamma > 0.0 {
                    let rows = r.slice(steepness, 0, start, batch)?;
                    let penalty = penalties::half_mean(r, rows, gamma)?;
                    d_loss = r.add(d_loss, penalty)?;
                }
            }
        }
        if s.gradient_penalty > 0.0 {
            let places = r.noise([batch, 1], clock, Lane::Draws, BETWEEN_STREAM, Distribution::Uniform(0.0, 1.0))?;
            let between = penalties::between(r, real, fake, places)?;
            let logits = d.forward(r, between, real_labels)?;
            let steepness = penalties::steepness(r, logits, between)?;
            let penalty = penalties::off_one(r, steepness, s.gradient_penalty)?;
            d_loss = r.add(d_loss, penalty)?;
        }
        let on_real = opinion(r, s.loss, real_logits)?;
        let on_fake = opinion(r, s.loss, fake_logits)?;
        let gradients = r.gradients(d_loss, &d.parameters())?;
        optimizer.update(r, &d.parameters(), &gradients, d_pace)?;
        if s.clip > 0.0 {
            clip(r, &d.parameters(), s.clip)?;
        }

        let train_g = r.begin("train_g");
        r.tick(clock, Lane::Generator)?;
        let g_pace = pace(r, Lane::Generator, G_RATE)?;
        let seen = blurred(r, s, fake, clock, Lane::Generator, BLUR_STREAMS[1])?;
        let logits = d.forward(r, seen, real_labels)?;
        let g_loss = losses::generator(r, s.loss, s.lambda, logits, |r| {
            let seen = blurred(r, s, real, clock, Lane::Generator, BLUR_STREAMS[2])?;
            d.forward(r, seen, real_labels)
        })?;
        let gradients = r.gradients(g_loss, &g.parameters())?;
        optimizer.update(r, &g.parameters(), &gradients, g_pace)?;
        if let Some(average) = &average {
            follow(r, &average.parameters(), &g.parameters(), g_pace, s.average)?;
        }
        r.log_row(&[d_loss, g_loss, on_real, on_fake], log, clock, Lane::Generator)?;

        let grid = r.begin("grid");
        let n = GRID_ROWS * DIGITS;
        let grid_noise = r.input("grid noise", [n, z], DType::F32);
        let grid_labels = (s.condition != Condition::None).then(|| r.input("grid labels", [n], DType::U32));
        let input = conditioned(r, s, grid_noise, grid_labels)?;
        let grid_images = average.as_ref().unwrap_or(&g).forward(r, input)?;

        let recording = Rc::new(std::mem::take(r).finish(fused, &[grid_images]));
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

/// Images with instance noise (Sønderby et al. 2017): normal noise that fades away, so that at first D can't tell real images
/// from fakes by trifles. `lane` of the clock, just ticked, counts the updates that it fades over.
fn blurred(r: &mut Recorder, s: &Settings, images: Tensor, clock: Tensor, lane: Lane, stream: u32) -> Result<Tensor> {
    if s.blur == 0.0 {
        return Ok(images);
    }
    let size = r.constant([1], s.blur);
    let size = r.schedule(size, clock, lane, Schedule { fall: Fall::Linear, steps: s.blur_steps, warmup: 0 })?;
    let noise = r.noise(r.shape(images).clone(), clock, lane, stream, Distribution::Normal)?;
    let noise = r.mul(noise, size)?;
    r.add(images, noise)
}

/// The mean of what D thinks: probabilities of being real, or scores.
fn opinion(r: &mut Recorder, loss: Loss, logits: Tensor) -> Result<Tensor> {
    let opinions = if loss.is_probabilistic() { r.activation(logits, Activation::Sigmoid)? } else { logits };
    r.mean(opinions)
}
