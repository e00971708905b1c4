//! What D is shown, and what both networks minimise by it: what a step and the doctor's readings have in common.

use super::discriminator::Discriminator;
use super::shard::Shard;
use super::{losses, penalties};
use crate::data::ImageShape;
use crate::error::Result;
use crate::layers::Pass;
use crate::ops::activation::Activation;
use crate::ops::noise::{Distribution, Fading};
use crate::ops::tick::Lane;
use crate::ops::translate::Shift;
use crate::program::{Recorder, Tensor};
use crate::train::settings::{Condition, Loss, Settings};

/// Random stream of the gradient penalty's places between real images and fakes.
const BETWEEN_STREAM: u32 = 3;
/// Random streams of the noise on what D sees, in its own update and in G's.
const BLUR_STREAMS: [u32; 2] = [4, 5];
/// Random streams of how far images move, likewise.
const SHIFT_STREAMS: [u32; 2] = [7, 8];
/// Random stream of which old fakes come again.
const REPLAY_STREAM: u32 = 10;

/// Real images and fakes as one batch, with their labels.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub images: Tensor,
    pub labels: Tensor,
}

impl Pair {
    pub fn of(r: &mut Recorder, real: Tensor, fake: Tensor, real_labels: Tensor, fake_labels: Tensor) -> Result<Self> {
        Ok(Pair { images: r.concat(real, fake, 0)?, labels: r.concat(real_labels, fake_labels, 0)? })
    }
}

/// What both updates need to know.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub s: &'a Settings,
    pub clock: Tensor,
    pub shard: Shard,
}

/// What a step draws: real images and fakes `[B, P]` for the same labels `[B]`.
#[derive(Clone, Copy)]
pub(super) struct Drawn {
    pub real: Tensor,
    pub fake: Tensor,
    pub labels: Tensor,
}

/// D's loss, and the logits that it comes from.
pub(super) struct Judged {
    pub loss: Tensor,
    /// Of real images, `[packs, 1]`.
    pub real: Tensor,
    /// Of fakes, likewise.
    pub fake: Tensor,
}

impl Scene<'_> {
    /// How many updates a network has in a step: what its lane counts.
    pub fn updates(self, lane: Lane) -> u32 {
        if lane == Lane::Discriminator { self.s.d_steps } else { 1 }
    }

    /// D's pass over so many batches.
    fn pass(self, parts: usize, lane: Lane) -> Pass {
        Pass { parts, known: None, clock: Some((self.clock, lane)) }
    }

    /// Fakes and labels, of which some are exchanged for old ones.
    pub fn replayed(self, r: &mut Recorder, fake: Tensor, labels: Tensor) -> Result<(Tensor, Tensor)> {
        if self.s.replay == 0 {
            return Ok((fake, labels));
        }
        let mut replay = |tensor: Tensor, name: &str| {
            let pool = r.pool_for(tensor, name, self.s.replay as usize);
            r.replay(tensor, pool, self.clock, Lane::Draws, REPLAY_STREAM)
        };
        let fake = replay(fake, "replay.images")?;
        let labels = if self.s.condition == Condition::None { labels } else { replay(labels, "replay.labels")? };
        Ok((fake, labels))
    }

    /// Images as D gets to see them: moved, and under noise. `lane` of the clock, just ticked, counts the updates, and
    /// `which` of the streams makes both random.
    fn veiled(self, r: &mut Recorder, images: Tensor, lane: Lane, which: usize) -> Result<Tensor> {
        let moved = self.moved(r, images, lane, SHIFT_STREAMS[which])?;
        self.blurred(r, moved, lane, BLUR_STREAMS[which])
    }

    /// Images moved by some pixels, with paper where they were.
    fn moved(self, r: &mut Recorder, images: Tensor, lane: Lane, stream: u32) -> Result<Tensor> {
        if self.s.translate == 0 {
            return Ok(images);
        }
        let (shape, ImageShape { rows, columns }) = (r.shape(images).clone(), self.s.size.image());
        let seen = r.reshape(images, [shape.0[0], rows, columns, 1])?;
        let shift = Shift { clock: self.clock, lane, stream, most: self.s.translate as usize };
        let moved = r.translate(seen, shift, -1.0)?;
        r.reshape(moved, shape)
    }

    /// Images with instance noise (Sønderby et al. 2017): normal noise that fades away, so that at first D can't tell real
    /// images from fakes by trifles.
    fn blurred(self, r: &mut Recorder, images: Tensor, lane: Lane, stream: u32) -> Result<Tensor> {
        let Scene { s, clock, .. } = self;
        if s.blur == 0.0 {
            return Ok(images);
        }
        r.blur(images, clock, lane, stream, Fading { size: s.blur, steps: s.blur_steps * self.updates(lane) })
    }

    /// What D minimises when it is shown these images, with its penalties.
    pub fn discriminator(self, r: &mut Recorder, d: &Discriminator, drawn: Drawn, shown: Pair) -> Result<Judged> {
        let s = self.s;
        let both = self.veiled(r, shown.images, Lane::Discriminator, 0)?;
        let logits = d.forward(r, both, shown.labels, self.pass(2, Lane::Discriminator))?;
        let packs = r.shape(logits).0[0] / 2;
        let real = r.slice(logits, 0, 0, packs)?;
        let fake = r.slice(logits, 0, packs, packs)?;
        let mut loss = losses::discriminator(r, s.loss, s.smoothing, real, fake)?;
        if s.r1 > 0.0 || s.r2 > 0.0 {
            // A logit depends on its own images alone, but for what is normalised over a batch, so one gradient serves both.
            let steepness = penalties::steepness(r, logits, both, 2)?;
            for (gamma, start) in [(s.r1, 0), (s.r2, packs)] {
                if gamma > 0.0 {
                    let rows = r.slice(steepness, 0, start, packs)?;
                    let penalty = penalties::half_mean(r, rows, gamma)?;
                    loss = r.add(loss, penalty)?;
                }
            }
        }
        if s.gradient_penalty > 0.0 {
            let places = [s.batch as usize, 1];
            let places = r.noise(places, self.clock, Lane::Draws, BETWEEN_STREAM, Distribution::Uniform(0.0, 1.0))?;
            let places = self.shard.of(r, places)?;
            let between = penalties::between(r, drawn.real, drawn.fake, places)?;
            let between = self.veiled(r, between, Lane::Discriminator, 0)?;
            let logits = d.forward(r, between, drawn.labels, self.pass(1, Lane::Discriminator))?;
            let steepness = penalties::steepness(r, logits, between, 1)?;
            let penalty = penalties::off_one(r, steepness, s.gradient_penalty)?;
            loss = r.add(loss, penalty)?;
        }
        Ok(Judged { loss, real, fake })
    }

    /// What G minimises. `shown` is what D was shown last.
    pub fn generator(self, r: &mut Recorder, d: &Discriminator, drawn: Drawn, shown: Pair) -> Result<Tensor> {
        let (s, Drawn { real, fake, labels }) = (self.s, drawn);
        let (images, image_labels, parts) = if s.loss.is_relativistic() {
            let pair = if s.replay == 0 { shown } else { Pair::of(r, real, fake, labels, labels)? };
            (pair.images, pair.labels, 2)
        } else {
            (fake, labels, 1)
        };
        let seen = self.veiled(r, images, Lane::Generator, 1)?;
        let logits = d.forward(r, seen, image_labels, self.pass(parts, Lane::Generator))?;
        if parts == 1 {
            return losses::generator(r, s.loss, s.lambda, None, logits);
        }
        let packs = r.shape(logits).0[0] / 2;
        let [real, fake] = [r.slice(logits, 0, 0, packs)?, r.slice(logits, 0, packs, packs)?];
        losses::generator(r, s.loss, s.lambda, Some(real), fake)
    }
}

/// The mean of what D thinks: probabilities of being real, or scores.
pub(super) fn opinion(r: &mut Recorder, loss: Loss, logits: Tensor) -> Result<Tensor> {
    let opinions = if loss.is_probabilistic() { r.activation(logits, Activation::Sigmoid)? } else { logits };
    r.mean(opinions)
}
