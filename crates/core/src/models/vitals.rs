//! What tells a GAN's doctor how it is, beyond its losses: programs that read the weights and change nothing.
//!
//! ```text
//! vitals    the batch that the next step will draw · D on it, as in a step · the gradients of both losses · G on two noises
//! opinions  D on real images that the host chose
//! ```
//! They are recorded after all others, only once somebody asks ([`Gan::probe`]), so a run that nobody watches compiles and
//! stores nothing for them. No clock is ticked: what is random in them is what the next draw, and the last update, have.

use super::gan::{Gan, NOISE_STREAM, enlarged};
use super::scene::{Drawn, Pair, Scene};
use super::shard::Shard;
use crate::data::IMAGE;
use crate::error::Result;
use crate::layers::Pass;
use crate::ops::noise::Distribution;
use crate::ops::tick::Lane;
use crate::program::{DType, ProgramId, Recorder, Recording, Tensor};
use crate::train::settings::Settings;
use std::rc::Rc;

/// Random stream of the second noise, whose images are compared with those of the first.
const OTHER_STREAM: u32 = 12;
/// Packs that D is asked about at a time.
pub(crate) const PACKS: usize = 64;

/// The programs and where they leave what they find.
pub struct Probe {
    /// The recording that it goes on from, with these programs behind.
    pub recording: Rc<Recording>,
    /// Writes `logits` and `sums`.
    pub vitals: ProgramId,
    /// `[2 · packs, 1]`: of real images, then of fakes.
    pub logits: Tensor,
    /// `[4]`: the squares of D's gradient, of G's, of how far images of two noises are apart, and of how far the noises are;
    /// each summed up.
    pub sums: Tensor,
    /// Reads `shown` and `shown_labels`, writes `shown_logits`.
    pub opinions: ProgramId,
    /// `[N, 784]`: real images, from -1 to 1.
    pub shown: Tensor,
    /// `[N]`: their digits.
    pub shown_labels: Tensor,
    /// `[N / pack, 1]`
    pub shown_logits: Tensor,
}

impl Gan {
    /// Records the programs for the settings that the GAN was recorded with, behind those of `before`: the GAN's recording,
    /// or one that goes on from it.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes don't fit, which the GAN's own recording would have found.
    pub fn probe(&self, before: &Recording, s: &Settings, fused: bool) -> Result<Probe> {
        let r = &mut Recorder::after(before);
        let (g, d, clock) = (&self.g, &self.d, self.clock);
        let [batch, z] = [s.batch, s.noise].map(|n| n as usize);
        let scene = Scene { s, clock, shard: Shard::WHOLE };

        let vitals = r.begin("vitals");
        let mut draw = |stream| r.noise([batch, z], clock, Lane::Draws, stream, Distribution::Normal);
        let [noise, other] = [draw(NOISE_STREAM)?, draw(OTHER_STREAM)?];
        let (real, labels) = r.gather(self.images, self.labels, self.available, clock, self.sampling)?;
        let real = self.enlarging.map_or(Ok(real), |weights| enlarged(r, real, weights))?;
        let fake = g.forward(r, noise, Some(labels), Pass::PLAIN)?;
        let moved = g.forward(r, other, Some(labels), Pass::PLAIN)?;
        let drawn = Drawn { real, fake, labels };
        let shown = Pair::of(r, real, fake, labels, labels)?;
        let judged = scene.discriminator(r, d, drawn, shown)?;
        let g_loss = scene.generator(r, d, drawn, shown)?;
        let d_gradients = r.gradients(judged.loss, &d.parameters())?;
        let g_gradients = r.gradients(g_loss, &g.parameters())?;
        let [apart, noise_apart] = [r.sub(moved, fake)?, r.sub(other, noise)?];
        let gradients = [square_sum(r, &d_gradients)?, square_sum(r, &g_gradients)?];
        let distances = [square_sum(r, &[apart])?, square_sum(r, &[noise_apart])?];
        let [gradients, distances] =
            [r.concat(gradients[0], gradients[1], 0)?, r.concat(distances[0], distances[1], 0)?];
        let sums = r.concat(gradients, distances, 0)?;
        let logits = r.concat(judged.real, judged.fake, 0)?;

        let opinions = r.begin("opinions");
        let rows = PACKS * s.pack as usize;
        let shown = r.input("shown", [rows, IMAGE.pixels()], DType::F32);
        let shown_labels = r.input("shown labels", [rows], DType::U32);
        let seen = match self.enlarging {
            Some(weights) => {
                let ink = r.affine(shown, 1.0, 1.0)?;
                enlarged(r, ink, weights)?
            }
            None => shown,
        };
        let shown_logits = d.forward(r, seen, shown_labels, Pass::PLAIN)?;

        let kept = [logits, sums, shown_logits];
        let recording = Rc::new(std::mem::take(r).finish(fused, &kept));
        Ok(Probe { recording, vitals, logits, sums, opinions, shown, shown_labels, shown_logits })
    }
}

/// The sum of all values' squares, `[1]`.
fn square_sum(r: &mut Recorder, tensors: &[Tensor]) -> Result<Tensor> {
    let mut total = r.constant([1], 0.0);
    for &tensor in tensors {
        let squares = r.square(tensor)?;
        let sum = r.sum_to(squares, [1])?;
        total = r.add(total, sum)?;
    }
    Ok(total)
}

/// See [`crate::train::Trainer::vitals`].
#[derive(Clone, Debug, PartialEq)]
pub struct Vitals {
    /// The step after which they were read.
    pub step: u32,
    /// D's logits of the real images that the next step will draw: one for each pack.
    pub real: Vec<f32>,
    /// D's logits of as many fakes for the same labels.
    pub fake: Vec<f32>,
    /// Length of the gradient of D's loss with respect to its weights.
    pub d_gradient: f32,
    /// Length of the gradient of G's loss with respect to its weights.
    pub g_gradient: f32,
    /// `|G(z₁) − G(z₂)| / |z₁ − z₂|` over a batch, under equal labels; pixels run from -1 to 1.
    pub noise_effect: f32,
}

impl Vitals {
    /// What [`Probe`]'s `logits` and `sums` say, as words.
    pub(crate) fn read(step: u32, logits: &[u32], sums: &[u32]) -> Self {
        let floats = |words: &[u32]| words.iter().map(|&w| f32::from_bits(w)).collect::<Vec<f32>>();
        let (real, fake) = logits.split_at(logits.len() / 2);
        let sums = floats(sums);
        Vitals {
            step,
            real: floats(real),
            fake: floats(fake),
            d_gradient: sums[0].sqrt(),
            g_gradient: sums[1].sqrt(),
            noise_effect: (sums[2] / sums[3]).sqrt(),
        }
    }

    /// D's accuracy: the share of pairs of a real image and a fake of which D scores the real one higher, ties counting half
    /// (the area under the ROC curve). It needs no threshold, so it means the same with every loss.
    pub fn accuracy(&self) -> f32 {
        higher(&self.real, &self.fake)
    }

    /// The mean, the lowest and the highest of logits.
    pub fn range(logits: &[f32]) -> [f32; 3] {
        let mean = logits.iter().sum::<f32>() / logits.len() as f32;
        // Unlike `f32::min`, these let what is no number through.
        let extreme = |further: fn(f32, f32) -> bool| {
            logits.iter().copied().reduce(|a, b| if a.is_nan() || further(a, b) { a } else { b }).unwrap_or(f32::NAN)
        };
        [mean, extreme(|a, b| a < b), extreme(|a, b| a > b)]
    }

    /// The furthest that a logit is from 0.
    pub fn furthest(&self) -> f32 {
        let [_, low, high] = Vitals::range(&[self.real.as_slice(), &self.fake].concat());
        if low.is_nan() || high.is_nan() { f32::NAN } else { high.max(-low) }
    }

    /// Whether all of it is numbers.
    pub fn is_finite(&self) -> bool {
        let others = [self.d_gradient, self.g_gradient, self.noise_effect];
        self.real.iter().chain(&self.fake).chain(&others).all(|v| v.is_finite())
    }
}

/// The share of pairs of which `a` is higher than `b`; equal ones count half.
pub fn higher(a: &[f32], b: &[f32]) -> f32 {
    let pairs = a.iter().flat_map(|a| {
        b.iter().map(move |b| {
            if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            }
        })
    });
    pairs.sum::<f32>() / (a.len() * b.len()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vitals(real: &[f32], fake: &[f32]) -> Vitals {
        let (real, fake) = (real.to_vec(), fake.to_vec());
        Vitals { step: 1, real, fake, d_gradient: 1.0, g_gradient: 1.0, noise_effect: 1.0 }
    }

    #[test]
    fn accuracy_counts_pairs_in_the_right_order() {
        assert_eq!(vitals(&[5.0, 6.0], &[-2.0, 4.0]).accuracy(), 1.0);
        assert_eq!(vitals(&[5.0, 1.0], &[3.0, 3.0]).accuracy(), 0.5);
        assert_eq!(vitals(&[1.0, 2.0], &[1.0, 9.0]).accuracy(), (0.5 + 0.0 + 1.0 + 0.0) / 4.0);
    }

    #[test]
    fn what_is_no_number_is_not_lost() {
        assert_eq!(Vitals::range(&[3.0, -4.0, 4.0]), [1.0, -4.0, 4.0]);
        assert_eq!(vitals(&[1.0, -7.0], &[5.0]).furthest(), 7.0);
        for broken in [[f32::NAN, 1.0], [1.0, f32::NAN]] {
            assert!(vitals(&broken, &[2.0]).furthest().is_nan());
            assert!(!vitals(&[1.0], &broken).is_finite());
        }
        assert_eq!(vitals(&[f32::INFINITY], &[0.0]).furthest(), f32::INFINITY);
    }
}
