//! The matrix product of the CPU engine: `matrixmultiply` natively, where it has kernels for AVX2, AVX-512 and NEON; in
//! wasm the register tiles of the convolutions, which leave more of a processor's registers in use than its portable
//! kernel and are half as fast again.

#[cfg(any(test, target_arch = "wasm32"))]
use super::lanes::{LANES, Lanes};
use super::tiles::lanes;
#[cfg(any(test, target_arch = "wasm32"))]
use super::tiles::{Columns, Left, Walk, multiply};
#[cfg(any(test, target_arch = "wasm32"))]
use std::array::from_fn;

/// The values of a matrix, and how far apart its rows and its columns are: a transposed one is no copy.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    /// All of them.
    pub values: &'a [f32],
    /// From a row to the next, and from a column to the next.
    pub strides: [usize; 2],
}

impl Matrix<'_> {
    fn covers(&self, rows: usize, columns: usize) -> bool {
        let [row, column] = self.strides;
        rows * columns == 0 || (rows - 1) * row + (columns - 1) * column < self.values.len()
    }
}

/// How many values of scratch [`gemm`] needs for a right operand `[k, n]`.
pub fn gemm_scratch(k: usize, n: usize) -> usize {
    if cfg!(target_arch = "wasm32") { k.min(STRETCH) * lanes(n) } else { 0 }
}

/// `C = A·B` for extents `[m, k, n]`; `C` is `[m, n]`, row-major.
///
/// # Panics
/// If a slice is too short for the extents, or `k` is 0.
pub fn gemm([m, k, n]: [usize; 3], a: Matrix, b: Matrix, c: &mut [f32], scratch: &mut [f32]) {
    assert!(k > 0 && a.covers(m, k) && b.covers(k, n) && c.len() >= m * n);
    #[cfg(target_arch = "wasm32")]
    by_tiles([m, k, n], a, b, c, scratch);
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = scratch;
        let ([a_row, a_inner], [b_inner, b_column]) = (a.strides.map(|s| s as isize), b.strides.map(|s| s as isize));
        let (a, b, c) = (a.values.as_ptr(), b.values.as_ptr(), c.as_mut_ptr());
        // SAFETY: the assertion above holds every index within its slice, and `c` is borrowed for us alone.
        unsafe {
            matrixmultiply::sgemm(m, k, n, 1.0, a, a_row, a_inner, b, b_inner, b_column, 0.0, c, n as isize, 1);
        }
    }
}

/// Inner indices at once: a panel of so many rows stays in the nearer caches.
const STRETCH: usize = 1024;

/// Panel by panel of `B`, each packed just before all rows of `A` are multiplied by it.
#[cfg(any(test, target_arch = "wasm32"))]
fn by_tiles([m, k, n]: [usize; 3], a: Matrix, b: Matrix, c: &mut [f32], scratch: &mut [f32]) {
    let lanes = lanes(n);
    for first in (0..n).step_by(lanes) {
        for from in (0..k).step_by(STRETCH) {
            let deep = STRETCH.min(k - from);
            let panel = &mut scratch[..deep * lanes];
            pack_panel(b, from, first, lanes.min(n - first), lanes, panel);
            let along = |count: usize, step: usize| Walk { counts: [1, 1, count], steps: [0, 0, step] };
            let left = Left {
                values: &a.values[from * a.strides[1]..],
                rows: along(m, a.strides[0]),
                inner: along(deep, a.strides[1]),
            };
            multiply(&left, panel, lanes, &mut Columns { y: c, step: n, first, add: from > 0 });
        }
    }
}

/// Copies `wide` columns from `first` on, of the rows from `from` on, into a panel with rows of `lanes`, the rest zeros.
#[cfg(any(test, target_arch = "wasm32"))]
fn pack_panel(b: Matrix, from: usize, first: usize, wide: usize, lanes: usize, panel: &mut [f32]) {
    let [row, column] = b.strides;
    let values = &b.values[from * row + first * column..];
    match (column, lanes) {
        (1, 16) if wide == 16 => return rows::<16>(values, row, panel),
        (1, 8) if wide == 8 => return rows::<8>(values, row, panel),
        _ => {}
    }
    let deep = panel.len() / lanes;
    let turned = if row == 1 && wide == lanes { columns(values, column, lanes, panel) } else { 0 };
    for l in turned..deep {
        let line = &mut panel[l * lanes..][..lanes];
        for (lane, value) in line.iter_mut().enumerate() {
            *value = if lane < wide { values[l * row + lane * column] } else { 0.0 };
        }
    }
}

/// Copies the first `N` columns of a matrix with rows of `row` values.
#[cfg(any(test, target_arch = "wasm32"))]
fn rows<const N: usize>(values: &[f32], row: usize, panel: &mut [f32]) {
    for (l, to) in panel.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        let line = &values[l * row..][..N];
        for q in 0..N / LANES {
            to.as_chunks_mut().0[q] = Lanes::new(line.as_chunks().0[q]).values();
        }
    }
}

/// Turns as many columns as the panel has, which are `column` values apart and lie one behind the other in memory, into its lines.
/// Returns how many lines it has filled: all but a few last ones.
#[cfg(any(test, target_arch = "wasm32"))]
fn columns(values: &[f32], column: usize, lanes: usize, panel: &mut [f32]) -> usize {
    let deep = panel.len() / lanes / LANES * LANES;
    assert!(lanes.is_multiple_of(LANES) && (lanes - 1) * column + deep <= values.len());
    for lane in (0..lanes).step_by(LANES) {
        for l in (0..deep).step_by(LANES) {
            // SAFETY: the farthest value is in the last column, which was compared above; the farthest place is in the line before
            // `deep`, and the panel has as many.
            unsafe {
                let lines = from_fn(|i| Lanes::new(*values.as_ptr().add((lane + i) * column + l).cast()));
                for (i, line) in Lanes::transposed(lines).into_iter().enumerate() {
                    *panel.as_mut_ptr().add((l + i) * lanes + lane).cast() = line.values();
                }
            }
        }
    }
    deep
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_and_the_native_product_agree_in_each_orientation() {
        let small = |i: usize| (i * 7 % 13) as f32 - 6.0;
        for [m, k, n] in
            [[1, 1, 1], [3, 1, 20], [3, 5, 7], [9, 40, 33], [2, STRETCH + 3, 17], [5, 2 * STRETCH, 1], [3, 6, 40]]
        {
            let (a, b): (Vec<f32>, Vec<f32>) = ((0..m * k).map(small).collect(), (0..k * n).map(small).collect());
            for (of_a, of_b) in [([k, 1], [n, 1]), ([k, 1], [1, k]), ([1, m], [n, 1])] {
                let (a, b) = (Matrix { values: &a, strides: of_a }, Matrix { values: &b, strides: of_b });
                let (mut native, mut tiled) = (vec![f32::NAN; m * n], vec![f32::NAN; m * n]);
                gemm([m, k, n], a, b, &mut native, &mut []);
                by_tiles([m, k, n], a, b, &mut tiled, &mut vec![f32::NAN; k.min(STRETCH) * lanes(n)]);
                assert_eq!(native, tiled, "{m}x{k}x{n}, strides {of_a:?} and {of_b:?}");
            }
        }
    }
}
