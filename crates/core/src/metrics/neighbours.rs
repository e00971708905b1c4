//! Squared distances between rows, by matrix products: `|a − b|² = |a|² + |b|² − 2ab`.
//!
//! The products are the CPU engine's, in f32. Of two rows that are close to one another that leaves little more than
//! rounding, so their differences are summed instead: a copy is at distance 0.

use super::cloud::{Features, same_width};
use crate::engine::cpu::{Matrix, gemm, gemm_scratch};
use crate::error::Result;

/// Rows whose distances are computed at a time.
const AT_ONCE: usize = 128;
/// A squared distance below this share of `|a|² + |b|²` is computed anew.
const CLOSE: f32 = 1e-3;

/// Rows to measure distances from.
pub struct Neighbours {
    what: &'static str,
    /// `[N, width]`
    values: Vec<f32>,
    width: usize,
    /// `|b|²`, `[N]`
    lengths: Vec<f32>,
    /// `[AT_ONCE, N]`
    products: Vec<f32>,
    scratch: Vec<f32>,
}

impl Neighbours {
    /// Of these rows.
    pub fn new(rows: Features) -> Self {
        Neighbours {
            what: rows.what(),
            values: rows.values().to_vec(),
            width: rows.width(),
            lengths: rows.rows().map(squared).collect(),
            products: vec![0.0; AT_ONCE * rows.count()],
            scratch: vec![0.0; gemm_scratch(rows.width(), rows.count())],
        }
    }

    /// Calls `each` for every row of `others`, in order, with its number and its squared distances from all of these.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) where the rows have different widths.
    pub fn distances(&mut self, others: Features, each: &mut dyn FnMut(usize, &[f32])) -> Result<()> {
        same_width((others.what(), others.width()), (self.what, self.width))?;
        let (width, count) = (self.width, self.lengths.len());
        let (left, right) = ([width, 1], [1, width]);
        let mut number = 0;
        for block in others.values().chunks(AT_ONCE * width) {
            let (a, b) = (Matrix { values: block, strides: left }, Matrix { values: &self.values, strides: right });
            gemm([block.len() / width, width, count], a, b, &mut self.products, &mut self.scratch);
            for (row, distances) in block.chunks_exact(width).zip(self.products.chunks_exact_mut(count)) {
                let own = squared(row);
                for (distance, length) in distances.iter_mut().zip(&self.lengths) {
                    *distance = own + length - 2.0 * *distance;
                }
                for (i, (distance, length)) in distances.iter_mut().zip(&self.lengths).enumerate() {
                    if *distance < CLOSE * (own + length) {
                        *distance = row.iter().zip(&self.values[i * width..]).map(|(a, b)| (a - b) * (a - b)).sum();
                    }
                }
                each(number, distances);
                number += 1;
            }
        }
        Ok(())
    }
}

fn squared(row: &[f32]) -> f32 {
    row.iter().map(|v| v * v).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_sums_of_squares() {
        let width = 784;
        let row = |i: usize| (0..width).map(move |p| ((p * (i + 3) * 7) % 256) as f32 / 255.0);
        let rows = |range: std::ops::Range<usize>| range.flat_map(row).collect::<Vec<f32>>();
        let (these, others) = (rows(0..7), rows(2..AT_ONCE + 5));
        let [these, others] = [&these, &others].map(|v| Features::new("rows", v, width).unwrap());
        let mut all = Vec::new();
        Neighbours::new(these).distances(others, &mut |i, d| all.push((i, d.to_vec()))).unwrap();
        assert_eq!(all.len(), AT_ONCE + 3);
        for (i, (number, distances)) in all.iter().enumerate() {
            assert_eq!((*number, distances.len()), (i, 7));
            for (j, &distance) in distances.iter().enumerate() {
                let expected: f32 = row(i + 2).zip(row(j)).map(|(a, b)| (a - b) * (a - b)).sum();
                assert!((distance - expected).abs() < 1e-3, "{i}, {j}: {distance}, expected {expected}");
                assert_eq!(distance == 0.0, i + 2 == j, "{i}, {j}: {distance}");
            }
        }
    }

    #[test]
    fn rows_far_from_the_origin_keep_their_small_distances() {
        let these = [1000.0, 1000.0, 1000.5, 1000.0];
        let [these, other] = [&these[..], &[1000.25, 1000.0]].map(|v| Features::new("rows", v, 2).unwrap());
        Neighbours::new(these).distances(other, &mut |_, d| assert_eq!(d, [0.0625, 0.0625])).unwrap();
    }
}
