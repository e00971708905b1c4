//! The Fréchet distance between two Gaussians fitted to features, FD:
//!
//! ```text
//! |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁½ Σ₂ Σ₁½)½)
//! ```
//!
//! (Dowson, Landau, "The Fréchet distance between multivariate normal distributions", 1982; as a figure for generated
//! images: Heusel et al., "GANs trained by a two time-scale update rule", 2017). In f64, with unbiased covariances. Both
//! roots are of symmetric matrices, whose eigenvalues can't be negative: those that rounding takes below 0 count as 0.
//!
//! It falls with the number of images, so it says something only beside that number and beside its *floor*, the
//! distance between two sets of real images.

use super::cloud::{Features, refuse, same_width};
use super::eigen::{Eigen, eigen};
use crate::error::Result;

/// What is known of some features for the distance.
#[derive(Clone, Debug)]
pub struct Gaussian {
    what: &'static str,
    mean: Vec<f64>,
    /// `[width, width]`, unbiased.
    covariance: Vec<f64>,
    count: usize,
}

impl Gaussian {
    /// Mean and covariance of features.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) where there are no more rows than values in a row: their covariance would have
    /// directions without any variance, and the distance would say so rather than anything of the images.
    pub fn of(features: Features) -> Result<Self> {
        let width = features.width();
        features.at_least(width + 1, "a covariance")?;
        let count = features.count();
        let mut mean = vec![0.0; width];
        for row in features.rows() {
            mean.iter_mut().zip(row).for_each(|(sum, &v)| *sum += f64::from(v));
        }
        mean.iter_mut().for_each(|sum| *sum /= count as f64);
        let mut covariance = vec![0.0; width * width];
        let mut centred = vec![0.0; width];
        for row in features.rows() {
            centred.iter_mut().zip(row).zip(&mean).for_each(|((c, &v), mean)| *c = f64::from(v) - mean);
            for (i, &ci) in centred.iter().enumerate() {
                let sums = &mut covariance[i * width..][..=i];
                sums.iter_mut().zip(&centred).for_each(|(sum, c)| *sum += ci * c);
            }
        }
        for i in 0..width {
            for j in 0..=i {
                covariance[i * width + j] /= (count - 1) as f64;
                covariance[j * width + i] = covariance[i * width + j];
            }
        }
        if covariance.iter().any(|v| !v.is_finite()) {
            return Err(refuse(features.what(), "they are too far apart for a covariance".into()));
        }
        Ok(Gaussian { what: features.what(), mean, covariance, count })
    }

    /// Of how many images.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How much the images differ: the covariance's trace, the mean squared distance from their mean.
    pub fn variance(&self) -> f64 {
        let width = self.mean.len();
        (0..width).map(|i| self.covariance[i * width + i]).sum()
    }

    /// FD to another.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) where the features have different widths.
    pub fn distance(&self, other: &Gaussian) -> Result<f64> {
        let width = self.mean.len();
        same_width((self.what, width), (other.what, other.mean.len()))?;
        let means: f64 = self.mean.iter().zip(&other.mean).map(|(a, b)| (a - b) * (a - b)).sum();
        let root = root(&self.covariance, width)?;
        let between = product(&product(&root, &other.covariance, width), &root, width);
        let shared: f64 = eigen(between, width)?.values.iter().map(|v| v.max(0.0).sqrt()).sum();
        // Of equal Gaussians rounding may leave less than nothing.
        Ok((means + self.variance() + other.variance() - 2.0 * shared).max(0.0))
    }
}

/// The symmetric root of a symmetric matrix.
fn root(matrix: &[f64], n: usize) -> Result<Vec<f64>> {
    let Eigen { values, vectors } = eigen(matrix.to_vec(), n)?;
    let mut scaled = vectors.clone();
    for (row, value) in scaled.chunks_exact_mut(n).zip(&values) {
        let root = value.max(0.0).sqrt();
        row.iter_mut().for_each(|v| *v *= root);
    }
    // Vᵀ (√λ V), as sums over the vectors.
    let mut root = vec![0.0; n * n];
    for (vector, scaled) in vectors.chunks_exact(n).zip(scaled.chunks_exact(n)) {
        add_outer(&mut root, vector, scaled);
    }
    Ok(root)
}

/// `[n, n]` by `[n, n]`.
fn product(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let mut c = vec![0.0; n * n];
    for (sums, row) in c.chunks_exact_mut(n).zip(a.chunks_exact(n)) {
        for (&a, b) in row.iter().zip(b.chunks_exact(n)) {
            sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
        }
    }
    c
}

/// `M ← M + a bᵀ`
fn add_outer(matrix: &mut [f64], a: &[f64], b: &[f64]) {
    for (row, &a) in matrix.chunks_exact_mut(b.len()).zip(a) {
        row.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::Random;
    use std::time::Instant;

    #[test]
    fn of_independent_features_it_is_the_formula_for_each() {
        // ±s around m, so that nothing but the diagonal varies: (m₁ − m₂)² + (σ₁ − σ₂)² a feature.
        let cloud = |mean: [f32; 2], spread: [f32; 2]| -> Vec<f32> {
            (0..400)
                .flat_map(|i| [0, 1].map(|j| mean[j] + if i >> j & 1 == 0 { spread[j] } else { -spread[j] }))
                .collect()
        };
        let (a, b) = (cloud([1.0, -2.0], [0.5, 3.0]), cloud([4.0, 2.0], [2.5, 1.0]));
        let [a, b] = [&a, &b].map(|v| Gaussian::of(Features::new("features", v, 2).unwrap()).unwrap());
        let unbiased = 400.0 / 399.0;
        let expected = 9.0 + 16.0 + (2.0f64.powi(2) + 2.0f64.powi(2)) * unbiased;
        for distance in [a.distance(&b).unwrap(), b.distance(&a).unwrap()] {
            assert!((distance - expected).abs() < 1e-10, "{distance}, not {expected}");
        }
        assert!(a.distance(&a).unwrap().abs() < 1e-12);
        assert!((b.variance() - 7.25 * unbiased).abs() < 1e-10);
    }

    #[test]
    fn of_as_many_features_as_a_judge_has_it_takes_well_under_100_ms() {
        let mut random = Random(5);
        let values: Vec<f32> = (0..300 * 128).map(|_| random.next() as f32).collect();
        let [a, b] = [&values[..150 * 128], &values[150 * 128..]]
            .map(|v| Gaussian::of(Features::new("features", v, 128).unwrap()).unwrap());
        // The fastest of several, for other programs may run beside this one.
        let time = || {
            let began = Instant::now();
            assert!(a.distance(&b).unwrap() > 0.0);
            began.elapsed().as_secs_f64()
        };
        let fastest = (0..10).map(|_| time()).fold(f64::INFINITY, f64::min);
        assert!(fastest < 0.1, "{fastest} s");
    }
}
