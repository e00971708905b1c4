//! The kernel distance KID: the unbiased squared maximum mean discrepancy under the kernel `(x·y / d + 1)³`, d the
//! features' width, over subsets of the images (Bińkowski, Sutherland, Arbel, Gretton, "Demystifying MMD GANs", 2018).
//!
//! ```text
//! Σᵢ≠ⱼ k(xᵢ, xⱼ) / m(m−1) + Σᵢ≠ⱼ k(yᵢ, yⱼ) / m(m−1) − 2 Σᵢⱼ k(xᵢ, yⱼ) / m²
//! ```
//!
//! Unlike FD its expectation doesn't depend on the number of images. Being unbiased, it may come out below 0 where both
//! sets are alike. Inner products are the engine's, in f32; kernels and their sums are f64.

use super::cloud::Features;
use crate::engine::cpu::{Matrix, gemm, gemm_scratch};
use crate::error::Result;

/// How many subsets are drawn.
pub const SUBSETS: usize = 100;
/// Images of each set in a subset, or as many as the smaller set has.
pub const MOST_IN_SUBSET: usize = 1_000;

/// What the subsets say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kid {
    /// Of the subsets.
    pub mean: f64,
    /// Between the subsets, with N below it; 0 where there was only one.
    pub deviation: f64,
    /// How many subsets there were: one where it holds all images of both sets.
    pub subsets: usize,
    /// Images of each set in a subset.
    pub size: usize,
}

/// KID between two sets. The subsets follow from their number alone, so that the figure repeats.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) where a set has fewer than two images, or their widths differ.
pub fn kid(real: Features, fake: Features) -> Result<Kid> {
    over(real, fake, SUBSETS, MOST_IN_SUBSET)
}

pub(super) fn over(real: Features, fake: Features, subsets: usize, most: usize) -> Result<Kid> {
    fake.beside(&real)?;
    real.at_least(2, "KID")?;
    fake.at_least(2, "KID")?;
    let size = most.min(real.count()).min(fake.count());
    let subsets = if real.count() == size && fake.count() == size { 1 } else { subsets };
    let mut kernel = Kernel::new(real.width(), size);
    let values: Vec<f64> = (0..subsets as u64)
        .map(|subset| {
            let x = drawn(real, size, 2 * subset);
            let y = drawn(fake, size, 2 * subset + 1);
            let m = size as f64;
            let within = kernel.sum(&x, &x, false) + kernel.sum(&y, &y, false);
            within / (m * (m - 1.0)) - 2.0 * kernel.sum(&x, &y, true) / (m * m)
        })
        .collect();
    let mean = values.iter().sum::<f64>() / subsets as f64;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / subsets as f64;
    Ok(Kid { mean, deviation: variance.sqrt(), subsets, size })
}

/// So many rows, none of them twice: the beginning of Fisher and Yates' shuffle, by the numbers of a stream.
fn drawn(features: Features, size: usize, stream: u64) -> Vec<f32> {
    let mut order: Vec<u32> = (0..features.count() as u32).collect();
    let mut rows = Vec::with_capacity(size * features.width());
    for i in 0..size {
        let left = (order.len() - i) as u64;
        order.swap(i, i + (mixed(stream << 32 | i as u64) % left) as usize);
        rows.extend_from_slice(features.row(order[i] as usize));
    }
    rows
}

/// A number that looks random, for each number (SplitMix64; Steele, Lea, Flood, 2014).
pub(super) fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

struct Kernel {
    width: usize,
    size: usize,
    /// `[size, size]`
    products: Vec<f32>,
    scratch: Vec<f32>,
}

impl Kernel {
    fn new(width: usize, size: usize) -> Self {
        Kernel { width, size, products: vec![0.0; size * size], scratch: vec![0.0; gemm_scratch(width, size)] }
    }

    /// Of the kernel between all rows, with or without those of equal number.
    fn sum(&mut self, x: &[f32], y: &[f32], diagonal: bool) -> f64 {
        let (width, size) = (self.width, self.size);
        let (a, b) = (Matrix { values: x, strides: [width, 1] }, Matrix { values: y, strides: [1, width] });
        gemm([size, width, size], a, b, &mut self.products, &mut self.scratch);
        let mut sum = 0.0;
        for (i, row) in self.products.chunks_exact(size).enumerate() {
            let kernel = |&product: &f32| {
                let base = f64::from(product) / width as f64 + 1.0;
                base * base * base
            };
            sum += row.iter().map(kernel).sum::<f64>();
            if !diagonal {
                sum -= kernel(&row[i]);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_drawn_twice_and_streams_differ() {
        let values: Vec<f32> = (0..50).map(|i| i as f32).collect();
        let rows = Features::new("rows", &values, 1).unwrap();
        let mut all = drawn(rows, 50, 3);
        assert_ne!(all, values);
        assert_ne!(drawn(rows, 20, 4), all[..20]);
        assert_eq!(drawn(rows, 20, 3), all[..20]);
        all.sort_by(f32::total_cmp);
        assert_eq!(all, values);
    }

    #[test]
    fn two_values_each_are_computed_by_hand() {
        let [x, y] = [&[1.0, 2.0], &[0.0, -1.0]].map(|v| Features::new("rows", v, 1).unwrap());
        // k(1, 2) = 27, k(0, −1) = 1, and between them 1, 0, 1, −1.
        let Kid { mean, deviation, subsets, size } = kid(x, y).unwrap();
        assert_eq!((mean, deviation, subsets, size), (27.0 + 1.0 - 2.0 * 1.0 / 4.0, 0.0, 1, 2));
    }
}
