//! What can be said of many images at once.

use super::pixels::{distances, neighbours};
use crate::data::DataSet;
use crate::distances::Distances;
use crate::failure::Result;
use crate::reading::{Read, Reader};
use digit_forge_core::data::{DIGITS, IMAGE};
use digit_forge_core::metrics::Neighbours;
use digit_forge_core::metrics::report::{Confusion, Histogram, Report};
use serde::Serialize;

/// Training images that `spread` compares with, at most.
const READ: usize = 10_000;
/// Training images in each of the two groups that `copies` compares; as many others are the real ones of `distance`.
const GROUP: usize = 1_000;

/// Of some images.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The share of images that are read as the digit asked for, where one was asked for.
    pub agreement: Option<f64>,
    /// The harmonic mean of precision and recall, averaged over the digits.
    pub f1: Option<f64>,
    /// The lowest digit's agreement.
    pub weakest: Option<f64>,
    /// Of the digits read, in nats.
    pub entropy: f64,
    /// Each digit's share.
    pub shares: [f64; DIGITS],
    /// How much images of one digit differ, relative to real ones: the root of the sum of their pixels' variances, on
    /// average over the images.
    pub spread: Option<f64>,
    /// How far the images are from their nearest of two thousand training images, on average, relative to real ones.
    pub distance: Option<f64>,
    /// The share of images that are closer to one of the first thousand training images than to any of the next.
    pub copies: Option<f64>,
    /// From the test images, in the judge's features; where somebody asked.
    pub features: Option<Distances>,
}

pub struct Judge {
    reader: Reader,
    /// What it sees in the test images.
    test: Option<Read>,
    real: [Option<f64>; DIGITS],
    groups: Option<Groups>,
}

impl Judge {
    /// `test`: images to measure distances from.
    pub fn new(training: &DataSet, test: Option<&DataSet>) -> Result<Self> {
        let (pixels, labels) = training.first(READ)?;
        let mut reader = Reader::new()?;
        let test = test.map(|test| reader.read("test images", test.first(test.count)?.0)).transpose()?;
        Ok(Judge { reader, test, real: deviations(pixels, labels), groups: Groups::new(training.first(3 * GROUP)?.0)? })
    }

    /// How the judge was taught.
    pub fn lesson(&self) -> &str {
        self.reader.lesson()
    }

    /// Of the pixels of some images, at least one, and what they were to be.
    pub fn figures(&mut self, pixels: &[u8], wanted: Option<&[u8]>) -> Result<Figures> {
        let read = self.reader.read("images", pixels)?;
        let digits = &read.digits;
        let count = digits.len() as f64;
        let Histogram { shares, entropy } = Histogram::of(digits)?;
        let agrees = |wanted: &[u8]| digits.iter().zip(wanted).filter(|(a, b)| a == b).count() as f64 / count;
        let (distance, copies) = self.groups.as_mut().map(|groups| groups.of(pixels)).transpose()?.unzip();
        let confusion = wanted.map(|wanted| Confusion::of(wanted, digits)).transpose()?;
        let report = confusion.as_ref().map(Confusion::report);
        let weakest = |report: &Report| report.digits.iter().map(|digit| digit.recall).reduce(f64::min);
        Ok(Figures {
            agreement: wanted.map(agrees),
            f1: report.as_ref().map(|report| report.macro_average.f1),
            weakest: report.as_ref().and_then(weakest),
            features: self.test.as_ref().map(|test| Distances::of(&read, test)).transpose()?,
            entropy,
            spread: self.spread(&shares, &deviations(pixels, digits)),
            shares,
            distance,
            copies,
        })
    }

    fn spread(&self, shares: &[f64; DIGITS], deviations: &[Option<f64>; DIGITS]) -> Option<f64> {
        let (mut sum, mut weights) = (0.0, 0.0);
        for ((share, own), real) in shares.iter().zip(deviations).zip(&self.real) {
            if let (Some(own), Some(real)) = (own, real.filter(|&real| real > 0.0)) {
                sum += share * own / real;
                weights += share;
            }
        }
        (weights > 0.0).then(|| sum / weights)
    }
}

/// Two groups of real images, and how far others are from them.
pub struct Groups {
    neighbours: Neighbours,
    /// From real images to the nearest, on average.
    real: f64,
}

impl Groups {
    /// None where there are too few images.
    pub fn new(pixels: &[u8]) -> Result<Option<Self>> {
        if pixels.len() < 3 * GROUP * IMAGE.pixels() {
            return Ok(None);
        }
        let (groups, others) = pixels.split_at(2 * GROUP * IMAGE.pixels());
        let mut groups = Groups { neighbours: neighbours(groups)?, real: 1.0 };
        groups.real = groups.of(others)?.0;
        Ok(Some(groups))
    }

    /// The mean distance from the nearest image, and the share of images whose nearest is in the first group.
    pub fn of(&mut self, pixels: &[u8]) -> Result<(f64, f64)> {
        let (mut sum, mut first, mut all) = (0.0, 0.0, 0.0);
        distances(&mut self.neighbours, pixels, &mut |distances| {
            let [here, there] = [&distances[..GROUP], &distances[GROUP..]]
                .map(|group| group.iter().fold(f32::INFINITY, |nearest, &distance| nearest.min(distance)));
            sum += f64::from(here.min(there)).sqrt();
            first += if here < there { 1.0 } else { 0.0 };
            all += 1.0;
        })?;
        Ok((sum / all / self.real, first / all))
    }
}

/// For each digit, the root of the sum of its images' pixels' variances, where it has two images.
fn deviations(pixels: &[u8], digits: &[u8]) -> [Option<f64>; DIGITS] {
    std::array::from_fn(|digit| {
        let images = || pixels.chunks_exact(IMAGE.pixels()).zip(digits).filter(|(_, d)| usize::from(**d) == digit);
        let count = images().count() as f64;
        let (mut sums, mut squares) = (vec![0.0; IMAGE.pixels()], 0.0);
        for (image, _) in images() {
            for (sum, &pixel) in sums.iter_mut().zip(image) {
                let value = f64::from(pixel) / 255.0;
                *sum += value;
                squares += value * value;
            }
        }
        let variance = (squares - sums.iter().map(|sum| sum * sum / count).sum::<f64>()) / (count - 1.0);
        // Of equal images rounding may leave less than nothing.
        (count > 1.0).then(|| variance.max(0.0).sqrt())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_are_those_of_each_digit() {
        let image = |value: u8| vec![value; IMAGE.pixels()];
        let pixels = [image(0), image(51), image(255), image(102), image(255)].concat();
        let deviations = deviations(&pixels, &[3, 3, 5, 3, 6]);
        // 0, 0.2 and 0.4 have the variance 0.04.
        assert!((deviations[3].unwrap() - (0.04 * IMAGE.pixels() as f64).sqrt()).abs() < 1e-9);
        assert!(deviations.iter().enumerate().all(|(digit, d)| d.is_some() == (digit == 3)));
    }

    #[test]
    fn images_are_told_apart_by_the_group_that_they_are_closer_to() {
        let image = |i: usize| (0..IMAGE.pixels()).map(move |p| (((p + 1) * (i + 1) * 40_503) >> 9) as u8);
        let pixels: Vec<u8> = (0..3 * GROUP).flat_map(image).collect();
        let mut groups = Groups::new(&pixels).unwrap().unwrap();
        let mut of = |first: usize| groups.of(&pixels[first * IMAGE.pixels()..][..8 * IMAGE.pixels()]).unwrap();
        for (first, share) in [(0, 1.0), (GROUP, 0.0)] {
            let (distance, copies) = of(first);
            assert!(distance < 0.01 && copies == share, "{distance}, {copies}");
        }
        // All of the third group together are at distance 1.
        assert!((0.5..2.0).contains(&of(2 * GROUP).0));
        assert!(Groups::new(&pixels[IMAGE.pixels()..]).unwrap().is_none());
    }
}
