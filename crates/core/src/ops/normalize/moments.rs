//! Means down columns, on the CPU: what normalising and its gradient both need.

use super::{EPSILON, Extents};
use crate::engine::cpu::lanes::{Lanes, SIXTEEN, Sixteen, each, part, repeated, sixteen_of, values};
use std::array::from_fn;

impl Extents {
    /// The groups' values.
    pub fn each<'a>(&self, x: &'a [f32]) -> std::slice::ChunksExact<'a, f32> {
        x.chunks_exact(self.rows * self.columns)
    }

    /// Of one group, into the halves of `moments`: each column's mean, and `1 / s`.
    pub fn moments(&self, x: &[f32], moments: &mut [f32]) {
        let (means, inverses) = moments[..2 * self.columns].split_at_mut(self.columns);
        let x = &x[..self.seen * self.columns];
        mean([x, x], means, |[x, _]| x);
        mean([x, x, means], inverses, |[x, _, mean]| (x - mean) * (x - mean));
        inverses.iter_mut().for_each(|v| *v = 1.0 / (*v + EPSILON).sqrt());
    }
}

/// How many of what [`rows`] and [`mean`] take are a matrix, with as many rows as there are. The others are one row each.
const MATRICES: usize = 2;

/// Into each row of `y` what `term` makes of a row of both matrices and of the other rows.
#[inline(always)]
pub(super) fn rows<const N: usize>(of: [&[f32]; N], y: &mut [f32], term: impl Fn([Lanes; N]) -> Lanes) {
    let columns = of[N - 1].len();
    let mut done = 0;
    if SIXTEEN.is_multiple_of(columns) {
        let (all, sides) = (of.map(|x| x.as_chunks().0), of.map(repeated));
        let (y, _) = y.as_chunks_mut();
        for (at, y) in y.iter_mut().enumerate() {
            *y = values(sixteen_of(|q| term(abreast(&all, &sides, at, q))));
        }
        done = y.len() * (SIXTEEN / columns);
    }
    for (at, y) in y.chunks_exact_mut(columns).enumerate().skip(done) {
        each(row(of, at, columns), [y], |x, _| [term(x)]);
    }
}

/// Into `y` each column's mean of that.
#[inline(always)]
pub(super) fn mean<const N: usize>(of: [&[f32]; N], y: &mut [f32], term: impl Fn([Lanes; N]) -> Lanes) {
    let columns = y.len();
    let rows_in_all = of[0].len() / columns;
    let mut first = 0;
    y.fill(0.0);
    if SIXTEEN.is_multiple_of(columns) {
        let (all, sides) = (of.map(|x| x.as_chunks().0), of.map(repeated));
        let mut sums = repeated(&[0.0]);
        let sixteens = of[0].len() / SIXTEEN;
        for at in 0..sixteens {
            sums = sixteen_of(|q| sums[q] + term(abreast(&all, &sides, at, q)));
        }
        values(sums).iter().enumerate().for_each(|(i, sum)| y[i % columns] += sum);
        first = sixteens * (SIXTEEN / columns);
    }
    for at in first..rows_in_all {
        each(row(of, at, columns), [y], |x, [y]| [y + term(x)]);
    }
    y.iter_mut().for_each(|y| *y /= rows_in_all as f32);
}

/// Of the `at`-th sixteen of the matrices, and of what stands beside them, the `q`-th lanes.
#[inline(always)]
fn abreast<const N: usize>(all: &[&[[f32; SIXTEEN]]; N], sides: &[Sixteen; N], at: usize, q: usize) -> [Lanes; N] {
    let mut lanes = [Lanes::splat(0.0); N];
    for i in 0..N {
        lanes[i] = if i < MATRICES { part(&all[i][at], q) } else { sides[i][q] };
    }
    lanes
}

/// A row of each.
#[inline(always)]
fn row<const N: usize>(of: [&[f32]; N], at: usize, columns: usize) -> [&[f32]; N] {
    from_fn(|i| if i < MATRICES { &of[i][at * columns..][..columns] } else { of[i] })
}
