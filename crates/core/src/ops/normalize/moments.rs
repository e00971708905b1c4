//! Means down columns, on the CPU: what normalising and its gradient both need.

use super::{EPSILON, Extents};

impl Extents {
    /// The groups' values.
    pub fn each<'a>(&self, x: &'a [f32]) -> std::slice::ChunksExact<'a, f32> {
        x.chunks_exact(self.rows * self.columns)
    }

    /// Of one group, into the halves of `moments`: each column's mean, and `1 / s`.
    pub fn moments(&self, x: &[f32], moments: &mut [f32]) {
        let (means, inverses) = moments[..2 * self.columns].split_at_mut(self.columns);
        let x = &x[..self.seen * self.columns];
        mean(x, x, means, &[], |x, _, _| x);
        mean(x, x, inverses, means, |x, _, mean| (x - mean) * (x - mean));
        inverses.iter_mut().for_each(|v| *v = 1.0 / (*v + EPSILON).sqrt());
    }
}

/// Values at a time where there are few columns: a loop of unknown length costs more than the values.
const LANES: usize = 16;

/// Each column's mean of `term(x, d, what its column has in beside)`. Both are rows of as many values as `y` has.
pub(super) fn mean(x: &[f32], d: &[f32], y: &mut [f32], beside: &[f32], term: impl Fn(f32, f32, f32) -> f32) {
    let columns = y.len();
    let count = (x.len() / columns) as f32;
    let beside = |j: usize| beside.get(j).copied().unwrap_or_default();
    y.fill(0.0);
    if LANES.is_multiple_of(columns) {
        let ((chunks, rest), (others, rest_of_others)) = (x.as_chunks::<LANES>(), d.as_chunks::<LANES>());
        let side: [f32; LANES] = std::array::from_fn(|i| beside(i % columns));
        let mut sums = [0.0; LANES];
        for (x, d) in chunks.iter().zip(others) {
            for i in 0..LANES {
                sums[i] += term(x[i], d[i], side[i]);
            }
        }
        rest.iter().zip(rest_of_others).enumerate().for_each(|(i, (&x, &d))| sums[i] += term(x, d, side[i]));
        sums.iter().enumerate().for_each(|(i, sum)| y[i % columns] += sum);
    } else {
        for (x, d) in x.chunks_exact(columns).zip(d.chunks_exact(columns)) {
            y.iter_mut().enumerate().for_each(|(j, y)| *y += term(x[j], d[j], beside(j)));
        }
    }
    y.iter_mut().for_each(|y| *y /= count);
}
