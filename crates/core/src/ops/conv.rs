//! Convolution `Y = X ∗ W`, with an optional epilogue:
//! `Y[b, oy, ox, o] = Σ X[b, oy·s + kh − p, ox·s + kw − p, i] · W[kh, kw, i, o]`, and pixels outside are zero.
//!
//! Convolution, its transpose and its weights' gradient are three sides of one sum over `(b, oy, ox, kh, kw, i, o)`:
//! each sums over what the two others name. So each one's gradients are the two others at the same [`Geometry`].
//!
//! All three run as matrix products whose left operand is read from the padded image itself: the address of
//! `X` splits into a part for the pixel and a part for the place in the window, and [`multiply`] adds the two.
//! Nothing is unrolled in memory (no im2col).

use super::epilogue::{Epilogue, Tail};
use super::product::tiling;
use super::{Kernel, Op, params, shader};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};
use std::rc::Rc;

/// The extents of a convolution from its large side `[B, H, W, I]` to its small side `[B, OH, OW, O]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub out_height: usize,
    pub out_width: usize,
    pub out_channels: usize,
    pub kernel: [usize; 2],
    pub stride: usize,
    pub pad: usize,
}

impl Geometry {
    /// `[B, H, W, I]`
    pub fn large(&self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.channels]
    }

    /// `[B, OH, OW, O]`
    pub fn small(&self) -> [usize; 4] {
        [self.batch, self.out_height, self.out_width, self.out_channels]
    }

    /// `[KH, KW, I, O]`
    pub fn weights(&self) -> [usize; 4] {
        [self.kernel[0], self.kernel[1], self.channels, self.out_channels]
    }

    /// The values of the large side under one window: `KH · KW · I`.
    pub fn window_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.channels
    }

    /// One image with the padding that its windows reach: `[FH, FW, I]`.
    pub fn frame(&self) -> [usize; 3] {
        let reach = |out: usize, kernel: usize| (out - 1) * self.stride + kernel;
        [reach(self.out_height, self.kernel[0]), reach(self.out_width, self.kernel[1]), self.channels]
    }

    /// Where the windows of `images` frames start, in the order of the small side.
    pub fn starts(&self, images: usize) -> Walk {
        let [rows, columns, channels] = self.frame();
        let step = self.stride * channels;
        Walk { counts: [images, self.out_height, self.out_width], steps: [rows * columns * channels, columns * step, step] }
    }

    /// The places in a window of a frame, in the order of the weights.
    pub fn places(&self) -> Walk {
        let [_, columns, channels] = self.frame();
        let [rows, across] = self.kernel;
        Walk { counts: [1, rows, across * channels], steps: [0, columns * channels, 1] }
    }
}

/// The small extent of a large one: how many windows fit, if any does.
pub(super) fn windows(extent: usize, kernel: usize, stride: usize, pad: usize) -> Option<usize> {
    let room = (extent + 2 * pad).checked_sub(kernel)?;
    (extent > 0 && kernel > 0).then_some(())?;
    Some(room.checked_div(stride)? + 1)
}

#[derive(Clone, Copy, Debug)]
struct Conv {
    x: Tensor,
    w: Tensor,
    y: Tensor,
    geometry: Geometry,
    epilogue: Epilogue,
}

params! {
    pixels: u32, inner: u32, height: u32, width: u32, channels: u32, out_height: u32, out_width: u32,
    out_channels: u32, kernel_width: u32, stride: u32, pad: u32,
}

impl Recorder {
    /// Convolves images `x [B, H, W, I]` with `w [KH, KW, I, O]` into `[B, OH, OW, O]`, `OH = ⌊(H + 2·pad − KH) / stride⌋ + 1`.
    pub fn conv(&mut self, x: Tensor, w: Tensor, stride: usize, pad: usize) -> Result<Tensor> {
        let [batch, height, width, channels] = self.shape(x).images("conv")?;
        let [rows, across, inner, out_channels] = self.shape(w).images("conv")?;
        let (left, right) = (self.shape(x).clone(), self.shape(w).clone());
        if inner != channels {
            return Err(Error::Shapes { op: "conv", left, right, why: "the third extent of the weights must be the images' channels" });
        }
        let (Some(out_height), Some(out_width)) = (windows(height, rows, stride, pad), windows(width, across, stride, pad)) else {
            return Err(Error::Shapes { op: "conv", left, right, why: "the kernel must fit into the padded image, and the stride be at least 1" });
        };
        let kernel = [rows, across];
        self.conv_at(Geometry { batch, height, width, channels, out_height, out_width, out_channels, kernel, stride, pad }, x, w)
    }

    pub(super) fn conv_at(&mut self, geometry: Geometry, x: Tensor, w: Tensor) -> Result<Tensor> {
        let y = self.result("conv", geometry.small(), DType::F32);
        self.push(Conv { x, w, y, geometry, epilogue: Epilogue::default() })
    }
}

impl Op for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn reads(&self) -> Vec<Tensor> {
        // As in a product: without a bias, `w` stands in its place, unread.
        vec![self.x, self.w, self.epilogue.bias.unwrap_or(self.w)]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let Conv { x, w, geometry, .. } = *self;
        let dx = wanted[0].then(|| r.conv_transpose_at(geometry, dy, w)).transpose()?;
        let dw = wanted[1].then(|| r.conv_weights_at(geometry, x, dy)).transpose()?;
        Ok(vec![dx, dw, None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], scratch: &mut [f32]) {
        let g = &self.geometry;
        let bias = self.epilogue.bias.map(|_| x[2]);
        let (chunk, lanes) = (images_at_once(g.frame(), g.batch), lanes(g.out_channels));
        let [rows, columns, channels] = g.frame();
        let (frames, panels) = scratch.split_at_mut(chunk * rows * columns * channels);
        let panels = pack(x[1], g.out_channels, lanes, panels);
        frames.fill(0.0);
        let (image, result) = (g.height * g.width * g.channels, g.out_height * g.out_width * g.out_channels);
        for (x, y) in x[0].chunks(chunk * image).zip(y[0].chunks_mut(chunk * result)) {
            put_in_frames(x, [g.height, g.width, g.channels], frames, [rows, columns], [g.pad; 2]);
            let left = Left { values: frames, rows: g.starts(x.len() / image), inner: g.places() };
            for (i, panel) in panels.chunks_exact(g.window_len() * lanes).enumerate() {
                multiply(&left, panel, lanes, &mut Columns { y, step: g.out_channels, first: i * lanes, add: false });
            }
            self.epilogue.apply(y, g.out_channels, bias);
        }
    }

    fn scratch(&self) -> usize {
        let g = &self.geometry;
        images_at_once(g.frame(), g.batch) * g.frame().iter().product::<usize>() + packed_len(g.window_len(), g.out_channels)
    }

    fn kernel(&self) -> Kernel {
        let g = &self.geometry;
        let pixels = g.batch * g.out_height * g.out_width;
        let params = Params {
            pixels: pixels as u32,
            inner: g.window_len() as u32,
            height: g.height as u32,
            width: g.width as u32,
            channels: g.channels as u32,
            out_height: g.out_height as u32,
            out_width: g.out_width as u32,
            out_channels: g.out_channels as u32,
            kernel_width: g.kernel[1] as u32,
            stride: g.stride as u32,
            pad: g.pad as u32,
        };
        let (split, workgroups) = tiling(pixels, g.out_channels, g.window_len());
        let mut constants = self.epilogue.constants();
        constants.extend(split);
        Kernel { shader: shader!("conv"), entry: "convolve", constants, params: params.bytes(), workgroups }
    }

    fn with_tail(&self, tail: Tail, y: Tensor) -> Option<Rc<dyn Op>> {
        Some(Rc::new(Conv { epilogue: self.epilogue.with(tail)?, y, ..*self }))
    }
}

/// Offsets into an image, outermost first: how many along each axis, and how far apart.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    pub counts: [usize; 3],
    pub steps: [usize; 3],
}

impl Walk {
    fn offsets(self) -> impl Iterator<Item = usize> {
        let Walk { counts: [a, b, c], steps: [i, j, k] } = self;
        (0..a).flat_map(move |x| (0..b).flat_map(move |y| (0..c).map(move |z| x * i + y * j + z * k)))
    }

    fn len(self) -> usize {
        self.counts.iter().product()
    }

    fn last(self) -> usize {
        self.counts.iter().zip(self.steps).map(|(count, step)| (count - 1) * step).sum()
    }
}

/// A matrix that is read from `values` by adding an offset for its row to one for its inner index.
pub(super) struct Left<'a> {
    pub values: &'a [f32],
    pub rows: Walk,
    pub inner: Walk,
}

/// The columns from `first` on of a row-major matrix with rows of `step` values: as many as there are, or as are given.
pub(super) struct Columns<'a> {
    pub y: &'a mut [f32],
    pub step: usize,
    pub first: usize,
    pub add: bool,
}

/// `Y = A·B` or `Y += A·B` for a panel `B [inner, lanes]`, with [`lanes`] columns of `Y`.
pub(super) fn multiply(a: &Left, panel: &[f32], lanes: usize, y: &mut Columns) {
    if a.rows.len() == 0 || a.inner.len() == 0 {
        return;
    }
    assert!(a.rows.last() + a.inner.last() < a.values.len());
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has both features.
        return unsafe { multiply_avx2(a, panel, lanes, y) };
    }
    // The sums fill half of sixteen registers.
    match lanes {
        4 => tiles::<Four, 8, 1>(a, panel, y),
        8 => tiles::<Four, 4, 2>(a, panel, y),
        _ => tiles::<Four, 2, 4>(a, panel, y),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_avx2(a: &Left, panel: &[f32], lanes: usize, y: &mut Columns) {
    match lanes {
        4 => tiles::<Four, 8, 1>(a, panel, y),
        8 => tiles::<Eight, 8, 1>(a, panel, y),
        _ => tiles::<Eight, 6, 2>(a, panel, y),
    }
}

/// Covers `Y` with tiles of `ROWS` rows and `WIDE` registers. Rows past the end repeat the first one and are not written.
#[inline(always)]
fn tiles<R: Register, const ROWS: usize, const WIDE: usize>(a: &Left, panel: &[f32], y: &mut Columns) {
    let lanes = WIDE * R::LEN;
    let wide = lanes.min(y.step - y.first);
    let mut offsets = a.rows.offsets();
    for first in (0..a.rows.len()).step_by(ROWS) {
        let rows = std::array::from_fn(|_| offsets.next().unwrap_or(0));
        let sums = tile::<R, ROWS, WIDE>(a, rows, panel);
        for (i, sums) in sums.iter().enumerate() {
            let at = (first + i) * y.step + y.first;
            let Some(y_row) = y.y.get_mut(at..at + wide) else { break };
            let mut values = [0.0; 16];
            for (sum, values) in sums.iter().zip(values.chunks_exact_mut(R::LEN)) {
                sum.store(values);
            }
            let pairs = y_row.iter_mut().zip(&values);
            if y.add { pairs.for_each(|(y, sum)| *y += sum) } else { pairs.for_each(|(y, sum)| *y = *sum) }
        }
    }
}

/// One tile of the product, held in registers.
#[inline(always)]
fn tile<R: Register, const ROWS: usize, const WIDE: usize>(a: &Left, rows: [usize; ROWS], panel: &[f32]) -> [[R; WIDE]; ROWS] {
    let Walk { counts, steps } = a.inner;
    let mut sums = [[R::zero(); WIDE]; ROWS];
    let mut panel = panel.chunks_exact(WIDE * R::LEN);
    for i in 0..counts[0] {
        for j in 0..counts[1] {
            let mut at = i * steps[0] + j * steps[1];
            for values in panel.by_ref().take(counts[2]) {
                let mut right = [R::zero(); WIDE];
                for n in 0..WIDE {
                    right[n] = R::load(&values[n * R::LEN..]);
                }
                for row in 0..ROWS {
                    // SAFETY: `multiply` compared the largest row and inner offset with the length.
                    let left = unsafe { *a.values.get_unchecked(rows[row] + at) };
                    for n in 0..WIDE {
                        sums[row][n] = sums[row][n].add_product(left, right[n]);
                    }
                }
                at += steps[2];
            }
        }
    }
    sums
}

/// A few values that the processor adds and multiplies at once. Left to itself, the compiler finds them in a loop over
/// an array only sometimes.
trait Register: Copy {
    const LEN: usize;
    fn zero() -> Self;
    fn load(values: &[f32]) -> Self;
    fn store(self, values: &mut [f32]);
    /// `self + left · right`
    fn add_product(self, left: f32, right: Self) -> Self;
}

#[cfg(target_arch = "x86_64")]
mod registers {
    use super::Register;
    use std::arch::x86_64::*;

    /// 128 bits, which every x86-64 has.
    #[derive(Clone, Copy)]
    pub struct Four(__m128);

    impl Register for Four {
        const LEN: usize = 4;
        #[inline(always)]
        fn zero() -> Self {
            Four(unsafe { _mm_setzero_ps() })
        }
        #[inline(always)]
        fn load(values: &[f32]) -> Self {
            // SAFETY: the slice is checked.
            Four(unsafe { _mm_loadu_ps(values[..4].as_ptr()) })
        }
        #[inline(always)]
        fn store(self, values: &mut [f32]) {
            unsafe { _mm_storeu_ps(values[..4].as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        fn add_product(self, left: f32, right: Self) -> Self {
            Four(unsafe { _mm_add_ps(self.0, _mm_mul_ps(_mm_set1_ps(left), right.0)) })
        }
    }

    /// 256 bits with a fused product: only for [`super::multiply_avx2`].
    #[derive(Clone, Copy)]
    pub struct Eight(__m256);

    impl Register for Eight {
        const LEN: usize = 8;
        #[inline(always)]
        fn zero() -> Self {
            Eight(unsafe { _mm256_setzero_ps() })
        }
        #[inline(always)]
        fn load(values: &[f32]) -> Self {
            Eight(unsafe { _mm256_loadu_ps(values[..8].as_ptr()) })
        }
        #[inline(always)]
        fn store(self, values: &mut [f32]) {
            unsafe { _mm256_storeu_ps(values[..8].as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        fn add_product(self, left: f32, right: Self) -> Self {
            Eight(unsafe { _mm256_fmadd_ps(_mm256_set1_ps(left), right.0, self.0) })
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod registers {
    use super::Register;
    use std::arch::wasm32::*;

    #[derive(Clone, Copy)]
    pub struct Four(v128);

    impl Register for Four {
        const LEN: usize = 4;
        #[inline(always)]
        fn zero() -> Self {
            Four(f32x4_splat(0.0))
        }
        #[inline(always)]
        fn load(values: &[f32]) -> Self {
            Four(f32x4(values[0], values[1], values[2], values[3]))
        }
        #[inline(always)]
        fn store(self, values: &mut [f32]) {
            unsafe { v128_store(values[..4].as_mut_ptr().cast(), self.0) }
        }
        #[inline(always)]
        fn add_product(self, left: f32, right: Self) -> Self {
            Four(f32x4_add(self.0, f32x4_mul(f32x4_splat(left), right.0)))
        }
    }
}

#[cfg(target_arch = "x86_64")]
use registers::Eight;
use registers::Four;

/// The columns of a panel: 4, 8 or 16, so that few are left over.
pub(super) fn lanes(columns: usize) -> usize {
    match columns {
        0..=4 => 4,
        _ if columns % 16 == 0 || columns % 16 > 8 => 16,
        _ => 8,
    }
}

/// The scratch that [`pack`] needs for a matrix `[rows, columns]`.
pub(super) fn packed_len(rows: usize, columns: usize) -> usize {
    columns.next_multiple_of(lanes(columns)) * rows
}

/// Cuts a matrix `[rows, columns]` into panels `[rows, lanes]`, the last one filled up with zeros. A matrix that is one
/// panel already is used as it is.
pub(super) fn pack<'a>(matrix: &'a [f32], columns: usize, lanes: usize, scratch: &'a mut [f32]) -> &'a [f32] {
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

/// How many images are framed at once: as many as stay in the nearest caches.
pub(super) fn images_at_once([rows, columns, channels]: [usize; 3], batch: usize) -> usize {
    (16_384 / (rows * columns * channels)).clamp(1, batch)
}

/// Copies images `[n, H, W, C]` into frames `[n, FH, FW, C]`, `at` rows down and columns across; what doesn't fit is cut
/// off. The rest of the frames stays as it is: zero.
pub(super) fn put_in_frames(images: &[f32], [height, width, channels]: [usize; 3], frames: &mut [f32], [rows, columns]: [usize; 2], at: [usize; 2]) {
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
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("conv", Params::layout())
}

/// The three operations' extents to test: odd ones, few channels, and windows that leave the last rows uncovered.
#[cfg(test)]
pub(super) fn geometries() -> Vec<Geometry> {
    let of = |[batch, height, width]: [usize; 3], [rows, across]: [usize; 2], [channels, out_channels]: [usize; 2], stride, pad| Geometry {
        batch,
        height,
        width,
        channels,
        out_height: windows(height, rows, stride, pad).unwrap(),
        out_width: windows(width, across, stride, pad).unwrap(),
        out_channels,
        kernel: [rows, across],
        stride,
        pad,
    };
    vec![
        of([1, 1, 1], [1, 1], [1, 1], 1, 0),
        of([2, 6, 4], [4, 4], [1, 8], 2, 1),
        of([1, 4, 6], [4, 4], [8, 3], 2, 1),
        of([2, 5, 3], [3, 3], [3, 5], 1, 1),
        of([1, 7, 6], [4, 4], [1, 4], 2, 1),
        of([1, 6, 5], [3, 3], [5, 1], 2, 0),
        of([1, 4, 5], [4, 3], [3, 2], 1, 0),
        of([2, 3, 4], [3, 4], [2, 17], 2, 1),
        of([1, 5, 4], [1, 2], [4, 4], 3, 2),
    ]
}

/// What all three operations sum: calls `term` with an index into the large side, the weights and the small side.
#[cfg(test)]
pub(super) fn each_term(g: Geometry, mut term: impl FnMut(usize, usize, usize)) {
    let [rows, across] = g.kernel;
    for (b, oy, ox) in (0..g.batch).flat_map(|b| (0..g.out_height).flat_map(move |oy| (0..g.out_width).map(move |ox| (b, oy, ox)))) {
        for (kh, kw) in (0..rows).flat_map(|kh| (0..across).map(move |kw| (kh, kw))) {
            let (h, w) = ((oy * g.stride + kh).wrapping_sub(g.pad), (ox * g.stride + kw).wrapping_sub(g.pad));
            if h < g.height && w < g.width {
                for (i, o) in (0..g.channels).flat_map(|i| (0..g.out_channels).map(move |o| (i, o))) {
                    let large = ((b * g.height + h) * g.width + w) * g.channels + i;
                    let small = ((b * g.out_height + oy) * g.out_width + ox) * g.out_channels + o;
                    term(large, ((kh * across + kw) * g.channels + i) * g.out_channels + o, small);
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::activation::Activation;
    use super::check::Case;
    let reference = |g: Geometry| {
        move |x: &[Vec<f64>]| {
            let mut y = vec![0.0; g.small().iter().product()];
            each_term(g, |large, weight, small| y[small] += x[0][large] * x[1][weight]);
            y
        }
    };
    let mut cases = Vec::new();
    for g in geometries() {
        cases.push(
            Case::new(format!("conv {g:?}"), [g.large().into(), g.weights().into()])
                .records(move |r, x| r.conv(x[0], x[1], g.stride, g.pad))
                .equals(reference(g)),
        );
    }
    for kind in [Activation::LeakyRelu(0.2), Activation::Tanh] {
        let g = geometries()[3];
        cases.push(
            Case::new(format!("conv, bias, {kind:?}"), [g.large().into(), g.weights().into(), [g.out_channels].into()])
                .records(move |r, x| {
                    let y = r.conv(x[0], x[1], g.stride, g.pad)?;
                    let y = r.add(y, x[2])?;
                    r.activation(y, kind)
                })
                .equals(move |x| {
                    let apply = |v: f64| if kind == Activation::Tanh { v.tanh() } else { v.max(0.2 * v) };
                    reference(g)(x).iter().enumerate().map(|(i, y)| apply(y + x[2][i % g.out_channels])).collect()
                }),
        );
    }
    cases
}
