//! The skinny matrix products of convolutions: small register tiles whose left operand is read in place through a
//! [`Walk`] over the padded image, so that nothing is unrolled in memory (no im2col).
//!
//! Loops over constant extents that LLVM unrolls: in wasm over registers of four ([`Lanes`]), with fused products where it is compiled
//! with `relaxed-simd`; elsewhere over single values, which LLVM vectorises, with AVX2 and FMA where the processor has them.

use super::lanes::{LANES, Lanes};

/// Offsets into an image, outermost first: how many along each axis, and how far apart.
#[derive(Clone, Copy)]
pub(crate) struct Walk {
    pub counts: [usize; 3],
    pub steps: [usize; 3],
}

impl Walk {
    fn offsets(self) -> impl Iterator<Item = usize> {
        let Walk { counts, steps } = self;
        let (mut place, mut offset) = ([0; 3], 0);
        // Three nested ranges would say the same, but aren't inlined into the loop over the tiles.
        std::iter::from_fn(move || {
            let found = (place[0] < counts[0]).then_some(offset);
            place[2] += 1;
            offset += steps[2];
            if place[2] == counts[2] {
                place = [place[0], place[1] + 1, 0];
                if place[1] == counts[1] {
                    place = [place[0] + 1, 0, 0];
                }
                offset = place[0] * steps[0] + place[1] * steps[1];
            }
            found
        })
    }

    fn len(self) -> usize {
        self.counts.iter().product()
    }

    fn last(self) -> usize {
        self.counts.iter().zip(self.steps).map(|(count, step)| (count - 1) * step).sum()
    }
}

/// A matrix that is read from `values` by adding an offset for its row to one for its inner index.
pub(crate) struct Left<'a> {
    pub values: &'a [f32],
    pub rows: Walk,
    pub inner: Walk,
}

/// The columns from `first` on of a row-major matrix with rows of `step` values: as many as there are, or as are given.
pub(crate) struct Columns<'a> {
    pub y: &'a mut [f32],
    pub step: usize,
    pub first: usize,
    pub add: bool,
}

/// `Y = A·B` or `Y += A·B` for a panel `B [inner, lanes]`, with [`lanes`] columns of `Y`.
pub(crate) fn multiply(a: &Left, panel: &[f32], lanes: usize, y: &mut Columns) {
    if a.rows.len() == 0 || a.inner.len() == 0 {
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has both features.
        return unsafe { multiply_avx2(a, panel, lanes, y) };
    }
    // A tile's sums fill half of sixteen registers of four values.
    match lanes {
        4 => tiles::<8, 4, { 4 / LANES }, FUSED>(a, panel, y),
        8 => tiles::<4, 8, { 8 / LANES }, FUSED>(a, panel, y),
        _ => tiles::<2, 16, { 16 / LANES }, FUSED>(a, panel, y),
    }
}

/// Whether the instructions that the target has in any case fuse a product with a sum.
const FUSED: bool = cfg!(all(target_arch = "wasm32", target_feature = "relaxed-simd"));

/// The same with registers of eight values and fused products.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_avx2(a: &Left, panel: &[f32], lanes: usize, y: &mut Columns) {
    match lanes {
        4 => tiles::<8, 4, { 4 / LANES }, true>(a, panel, y),
        8 => tiles::<8, 8, { 8 / LANES }, true>(a, panel, y),
        _ => tiles::<6, 16, { 16 / LANES }, true>(a, panel, y),
    }
}

/// Covers `Y` with tiles of `ROWS` rows by `COLUMNS` columns, which are `WIDE` of [`Lanes`]. Rows past the end repeat the first one and
/// are not written.
#[inline(always)]
fn tiles<const ROWS: usize, const COLUMNS: usize, const WIDE: usize, const FMA: bool>(
    a: &Left,
    panel: &[f32],
    y: &mut Columns,
) {
    let panel = panel.as_chunks::<COLUMNS>().0;
    assert!(a.rows.last() + a.inner.last() < a.values.len() && a.inner.len() <= panel.len());
    let wide = COLUMNS.min(y.step - y.first);
    let mut offsets = a.rows.offsets();
    for first in (0..a.rows.len()).step_by(ROWS) {
        let rows = std::array::from_fn(|_| offsets.next().unwrap_or(0));
        // SAFETY: the largest offset and the panel's length were compared above.
        let sums = unsafe { tile::<ROWS, COLUMNS, WIDE, FMA>(a, rows, panel) };
        let place = |i: usize| (first + i) * y.step + y.first;
        let (add, written) = (y.add, ROWS.min(a.rows.len() - first));
        // A row of known length is a few registers, where one of unknown length is a loop. An index that isn't constant would put
        // all sums into memory.
        if wide == COLUMNS {
            for (i, sums) in sums.iter().enumerate() {
                if i < written {
                    let row = y.y[place(i)..][..COLUMNS].as_chunks_mut().0;
                    for q in 0..WIDE {
                        row[q] = if add { Lanes::new(row[q]) + sums[q] } else { sums[q] }.values();
                    }
                }
            }
        } else {
            for (i, sums) in sums.iter().enumerate() {
                if i < written {
                    put(&mut y.y[place(i)..][..wide], sums.map(Lanes::values).as_flattened(), add);
                }
            }
        }
    }
}

/// `y = sums` or `y += sums`
fn put(y: &mut [f32], sums: &[f32], add: bool) {
    let pairs = y.iter_mut().zip(sums);
    if add { pairs.for_each(|(y, sum)| *y += sum) } else { pairs.for_each(|(y, sum)| *y = *sum) }
}

/// One tile of the product, held in registers: the compiler turns the loops over `ROWS` and `WIDE` into straight
/// vector code, as long as nothing but the count can end the loop around them. Hence no checks in it.
///
/// # Safety
/// Each of `rows` plus each inner offset must lie in `a.values`, and `panel` hold a row for each inner offset.
#[inline(always)]
unsafe fn tile<const ROWS: usize, const COLUMNS: usize, const WIDE: usize, const FMA: bool>(
    a: &Left,
    rows: [usize; ROWS],
    panel: &[[f32; COLUMNS]],
) -> [[Lanes; WIDE]; ROWS] {
    let Walk { counts, steps } = a.inner;
    let mut sums = [[Lanes::splat(0.0); WIDE]; ROWS];
    let mut l = 0;
    for i in 0..counts[0] {
        for j in 0..counts[1] {
            let mut at = i * steps[0] + j * steps[1];
            for _ in 0..counts[2] {
                // SAFETY: `l` counts the inner offsets.
                let right = unsafe { panel.get_unchecked(l) }.as_chunks().0;
                let mut columns = [Lanes::splat(0.0); WIDE];
                for q in 0..WIDE {
                    columns[q] = Lanes::new(right[q]);
                }
                for r in 0..ROWS {
                    // SAFETY: `at` is an inner offset.
                    let left = Lanes::splat(unsafe { *a.values.get_unchecked(rows[r] + at) });
                    for q in 0..WIDE {
                        sums[r][q] = sums[r][q].add_product::<FMA>(left, columns[q]);
                    }
                }
                at += steps[2];
                l += 1;
            }
        }
    }
    sums
}

/// The columns of a panel: 4, 8 or 16, so that few are left over.
pub(crate) fn lanes(columns: usize) -> usize {
    match columns {
        0..=4 => 4,
        _ if columns.is_multiple_of(16) || columns % 16 > 8 => 16,
        _ => 8,
    }
}

/// The scratch that [`pack`] needs for a matrix `[rows, columns]`.
pub(crate) fn packed_len(rows: usize, columns: usize) -> usize {
    columns.next_multiple_of(lanes(columns)) * rows
}

/// Cuts a matrix `[rows, columns]` into panels `[rows, lanes]`, the last one filled up with zeros. A matrix that is one
/// panel already is used as it is.
pub(crate) fn pack<'a>(matrix: &'a [f32], columns: usize, lanes: usize, scratch: &'a mut [f32]) -> &'a [f32] {
    if columns == lanes {
        return matrix;
    }
    let rows = matrix.len() / columns;
    let panels = &mut scratch[..columns.next_multiple_of(lanes) * rows];
    for (i, panel) in panels.chunks_exact_mut(rows * lanes).enumerate() {
        let wide = lanes.min(columns - i * lanes);
        for (panel, row) in panel.chunks_exact_mut(lanes).zip(matrix.chunks_exact(columns)) {
            panel[..wide].copy_from_slice(&row[i * lanes..][..wide]);
            panel[wide..].fill(0.0);
        }
    }
    panels
}

/// Copies few values. A copy of unknown length is a call, one by fours a few instructions.
#[inline(always)]
pub(crate) fn copy_few(from: &[f32], to: &mut [f32]) {
    let ((from, last), (to, last_to)) = (from.as_chunks::<4>(), to.as_chunks_mut::<4>());
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    last_to.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
}

/// How many images are framed at once: as many as stay in the nearest caches.
pub(crate) fn images_at_once([rows, columns, channels]: [usize; 3], batch: usize) -> usize {
    (16_384 / (rows * columns * channels)).clamp(1, batch)
}

/// Copies images `[n, H, W, C]` into frames `[n, FH, FW, C]`, `at` rows down and columns across; what doesn't fit is cut
/// off. The rest of the frames stays as it is: zero.
pub(crate) fn put_in_frames(
    images: &[f32],
    [height, width, channels]: [usize; 3],
    frames: &mut [f32],
    [rows, columns]: [usize; 2],
    at: [usize; 2],
) {
    let [down, across] = [at[0], at[1].min(columns) * channels];
    let wide = (width * channels).min(columns * channels - across);
    let images = images.chunks_exact(height * width * channels);
    for (image, frame) in images.zip(frames.chunks_exact_mut(rows * columns * channels)) {
        let lines = frame.chunks_exact_mut(columns * channels).skip(down);
        for (line, row) in lines.zip(image.chunks_exact(width * channels)) {
            line[across..][..wide].copy_from_slice(&row[..wide]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_of_every_processor_give_the_plain_sums() {
        let values: Vec<f32> = (0..60).map(|i| (i * 7 % 11) as f32).collect();
        let a = Left {
            values: &values,
            rows: Walk { counts: [1, 3, 3], steps: [0, 10, 1] },
            inner: Walk { counts: [2, 1, 3], steps: [20, 0, 2] },
        };
        let plain: [fn(&Left, &[f32], &mut Columns); 3] = [
            tiles::<8, 4, { 4 / LANES }, false>,
            tiles::<4, 8, { 8 / LANES }, false>,
            tiles::<2, 16, { 16 / LANES }, false>,
        ];
        for (lanes, plain) in [4, 8, 16].into_iter().zip(plain) {
            let panel: Vec<f32> = (0..6 * lanes).map(|i| (i * 5 % 7) as f32).collect();
            // Columns 1.. of rows that end before the panel does, on top of what is there.
            let step = lanes;
            let mut expected = vec![1.0; 9 * step];
            for (row, at) in a.rows.offsets().enumerate() {
                for (l, inner) in a.inner.offsets().enumerate() {
                    (0..lanes - 1).for_each(|lane| {
                        expected[row * step + 1 + lane] += values[at + inner] * panel[l * lanes + lane]
                    });
                }
            }
            for multiply in [plain, |a, panel, y| multiply(a, panel, panel.len() / 6, y)] {
                let mut y = vec![1.0; 9 * step];
                multiply(&a, &panel, &mut Columns { y: &mut y, step, first: 1, add: true });
                assert_eq!(y, expected, "{lanes} lanes");
            }
        }
    }
}
