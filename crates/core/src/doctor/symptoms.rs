//! What is known of a run at a moment: plain numbers, whoever read them.

use crate::data::DIGITS;
use crate::judge::{FEATURES, Readings};
use crate::models::vitals::Vitals;

/// All that is known after a step. What nobody read is absent, and rules that need it are silent.
#[derive(Clone, Debug, Default)]
pub struct Symptoms {
    /// Steps made.
    pub step: u32,
    /// The first step whose losses were no finite numbers, as the log has it.
    pub broke: Option<u32>,
    /// What the trainer says of itself.
    pub vitals: Option<Vitals>,
    /// What a reader says of samples.
    pub samples: Option<Samples>,
    /// What tells copies from digits.
    pub memory: Option<Memory>,
}

/// Generated images as a reader sees them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Each digit's share of what was read.
    pub shares: [f32; DIGITS],
    /// The share of images that are read as the digit asked for, where one was asked for.
    pub agreement: Option<f32>,
    /// How sure the reader is: its mean probability of the digit that it names, where it has probabilities.
    pub certainty: Option<f32>,
    /// How much images differ, relative to real ones: of features, the root of the sum of their variances.
    pub diversity: f32,
    /// The same within a digit, on average over the images; absent where no digit was read twice.
    pub within: Option<f32>,
}

/// Whether the training images are known by heart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// The share of pairs of a training image and one that the run doesn't train on of which D scores the former higher, see
    /// [`higher`](crate::models::vitals::higher); half where D can't tell.
    pub preference: f32,
    /// The share of samples whose nearest of so many training images and as many others is a training image; half where they
    /// are no copies. Absent where nobody looked, or where the run has other training images nearby.
    pub copies: Option<f32>,
}

/// How much real images differ, for [`Samples`] to be compared with.
#[derive(Clone, Debug)]
pub struct Reference {
    diversity: f32,
    within: [Option<f32>; DIGITS],
}

impl Reference {
    /// From the features `[N, width]` of real images and their digits `[N]`.
    pub fn new(features: &[f32], width: usize, digits: &[u8]) -> Self {
        let within = std::array::from_fn(|digit| deviation(features, width, |i| usize::from(digits[i]) == digit));
        Reference { diversity: deviation(features, width, |_| true).unwrap_or(0.0), within }
    }

    /// From what the judge read off real images.
    pub fn of(real: &Readings) -> Self {
        Self::new(&real.features, FEATURES, &real.digits())
    }

    /// What is to be said of images that the judge has read, where these digits `[N]` may have been asked for. At least one.
    pub fn judge(&self, readings: &Readings, wanted: Option<&[u8]>) -> Samples {
        let probabilities = readings.probabilities();
        let sure = probabilities.chunks_exact(DIGITS).map(|row| row.iter().copied().fold(0.0, f32::max));
        let certainty = Some(sure.sum::<f32>() / readings.count() as f32);
        Samples { certainty, ..self.read(&readings.features, FEATURES, &readings.digits(), wanted) }
    }

    /// What is to be said of images with these features `[N, width]`, read as these digits `[N]`, where others `[N]` may have
    /// been asked for. At least one image.
    pub fn read(&self, features: &[f32], width: usize, digits: &[u8], wanted: Option<&[u8]>) -> Samples {
        let count = digits.len() as f32;
        let share = |digit: usize| digits.iter().filter(|&&d| usize::from(d) == digit).count() as f32 / count;
        let shares: [f32; DIGITS] = std::array::from_fn(share);
        let (mut within, mut weights) = (0.0, 0.0);
        for (digit, real) in self.within.iter().enumerate() {
            let own = deviation(features, width, |i| usize::from(digits[i]) == digit);
            if let (Some(own), Some(real)) = (own, real.filter(|&real| real > 0.0)) {
                within += shares[digit] * own / real;
                weights += shares[digit];
            }
        }
        Samples {
            shares,
            agreement: wanted.map(|w| digits.iter().zip(w).filter(|(a, b)| a == b).count() as f32 / count),
            certainty: None,
            diversity: deviation(features, width, |_| true).unwrap_or(0.0) / self.diversity,
            within: (weights > 0.0).then(|| within / weights),
        }
    }
}

impl Samples {
    /// The rarest digit's share.
    pub fn rarest(&self) -> f32 {
        self.shares.iter().copied().fold(1.0, f32::min)
    }

    /// Entropy of the digits read, relative to that of all ten equally often.
    pub fn evenness(&self) -> f32 {
        let entropy: f32 = self.shares.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum();
        entropy / (DIGITS as f32).ln()
    }

    /// How far two histograms are apart: the share of images that would have to be other digits.
    pub fn turned(&self, other: &Samples) -> f32 {
        self.shares.iter().zip(&other.shares).map(|(a, b)| (a - b).abs()).sum::<f32>() / 2.0
    }

    /// Whether they begin to be digits: four times as many as by chance are read as asked for or, where none is asked for, they
    /// are read with certainty.
    pub fn legible(&self) -> bool {
        self.agreement.map_or(self.certainty.is_some_and(|certainty| certainty >= 0.8), |agreement| agreement >= 0.4)
    }
}

/// The root of the sum of the features' variances over the rows that are chosen, at least two.
fn deviation(features: &[f32], width: usize, chosen: impl Fn(usize) -> bool) -> Option<f32> {
    let rows = || features.chunks_exact(width).enumerate().filter(|(i, _)| chosen(*i)).map(|(_, row)| row);
    let count = rows().count();
    if count < 2 {
        return None;
    }
    let mut mean = vec![0.0f64; width];
    rows().for_each(|row| mean.iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v) / count as f64));
    let square = |row: &[f32]| row.iter().zip(&mean).map(|(&v, m)| (f64::from(v) - m).powi(2)).sum::<f64>();
    Some((rows().map(square).sum::<f64>() / (count - 1) as f64).sqrt() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diversity_is_relative_to_real_images_overall_and_within_a_digit() {
        // Two digits, each with two images 2 apart, 10 from the other's.
        let real = [0.0, 2.0, 10.0, 12.0];
        let reference = Reference::new(&real, 1, &[3, 3, 7, 7]);
        let same = reference.read(&real, 1, &[3, 3, 7, 7], Some(&[3, 3, 7, 3]));
        assert_eq!((same.diversity, same.within, same.agreement), (1.0, Some(1.0), Some(0.75)));
        let alike = reference.read(&[0.5, 1.5, 10.5, 11.5], 1, &[3, 3, 7, 7], None);
        assert!((alike.within.unwrap() - 0.5).abs() < 1e-6 && alike.diversity > 0.9, "{alike:?}");
        assert_eq!(reference.read(&[0.0, 10.0], 1, &[3, 7], None).within, None);
    }

    #[test]
    fn shares_are_even_or_turn() {
        let reference = Reference::new(&[0.0, 1.0], 1, &[0, 1]);
        let of = |digits: &[u8]| reference.read(&vec![0.0; digits.len()], 1, digits, None);
        let (all, one) = (of(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), of(&[4; 10]));
        assert!((all.evenness() - 1.0).abs() < 1e-6 && one.evenness() == 0.0);
        assert_eq!((all.rarest(), one.rarest()), (0.1, 0.0));
        assert!((all.turned(&one) - 0.9).abs() < 1e-6 && all.turned(&all) == 0.0);
    }
}
