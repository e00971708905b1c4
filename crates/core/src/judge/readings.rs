//! What a judge has read off images.

use super::network::FEATURES;
use crate::data::DIGITS;

/// Of N images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// `[N, 10]`
    pub logits: Vec<f32>,
    /// `[N, FEATURES]`, none below 0: the layer before the logits.
    pub features: Vec<f32>,
}

impl Readings {
    /// How many images.
    pub fn count(&self) -> usize {
        self.logits.len() / DIGITS
    }

    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.logits.chunks_exact(DIGITS)
    }

    /// The digit of the greatest logit of each image; the lower one of equals.
    pub fn digits(&self) -> Vec<u8> {
        self.rows().map(digit).collect()
    }

    /// How far each image's greatest logit is above its next one.
    pub fn margins(&self) -> Vec<f32> {
        let margin = |row: &[f32]| {
            let first = digit(row) as usize;
            let others = row.iter().enumerate().filter(|&(i, _)| i != first);
            row[first] - others.fold(f32::NEG_INFINITY, |most, (_, &x)| most.max(x))
        };
        self.rows().map(margin).collect()
    }

    /// The softmax of the logits, `[N, 10]`: what the judge would bet on each digit.
    pub fn probabilities(&self) -> Vec<f32> {
        let mut all = Vec::with_capacity(self.logits.len());
        for row in self.rows() {
            let most = row[digit(row) as usize];
            let start = all.len();
            all.extend(row.iter().map(|x| (x - most).exp()));
            let sum: f32 = all[start..].iter().sum();
            all[start..].iter_mut().for_each(|p| *p /= sum);
        }
        all
    }

    /// The features of one image.
    pub fn features_of(&self, image: usize) -> &[f32] {
        &self.features[image * FEATURES..][..FEATURES]
    }

    /// The share of images that are read as what their label says; NaN without any.
    pub fn agreement(&self, labels: &[u8]) -> f64 {
        let right = self.digits().iter().zip(labels).filter(|(a, b)| a == b).count();
        right as f64 / labels.len() as f64
    }
}

fn digit(row: &[f32]) -> u8 {
    let mut best = 0;
    for (i, x) in row.iter().enumerate() {
        if *x > row[best] {
            best = i;
        }
    }
    best as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings() -> Readings {
        let logits = [[0.0, 1.0, 3.0, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [-900.0; 10]].concat();
        Readings { logits, features: (0..2 * FEATURES).map(|i| i as f32).collect() }
    }

    #[test]
    fn the_greatest_logit_is_the_digit_and_of_equals_the_first() {
        let readings = readings();
        assert_eq!((readings.count(), readings.digits()), (2, vec![2, 0]));
        assert_eq!(readings.margins(), [0.5, 0.0]);
        assert_eq!(readings.agreement(&[2, 3]), 0.5);
        assert_eq!(readings.features_of(1)[0], FEATURES as f32);
    }

    #[test]
    fn probabilities_are_the_softmax() {
        let probabilities = readings().probabilities();
        let sum = 7.0 + 1f32.exp() + 3f32.exp() + 2.5f32.exp();
        for (p, x) in probabilities.iter().zip([0.0f32, 1.0, 3.0, 2.5]) {
            assert!((p - x.exp() / sum).abs() < 1e-6, "{x}: {p}");
        }
        assert!(probabilities[10..].iter().all(|p| (p - 0.1).abs() < 1e-7));
    }
}
