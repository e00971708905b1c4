//! Convolution `Y = X ∗ W`, with an optional epilogue:
//! `Y[b, oy, ox, o] = Σ X[b, oy·s + kh − p, ox·s + kw − p, i] · W[kh, kw, i, o]`, and pixels outside are zero.
//!
//! Convolution, its transpose and its weights' gradient are three sides of one sum over `(b, oy, ox, kh, kw, i, o)`:
//! each sums over what the two others name. So each one's gradients are the two others at the same `Geometry`.
//!
//! All three run as matrix products whose left operand is read from the padded image itself: the address of
//! `X` splits into a part for the pixel and a part for the place in the window, and `engine/cpu/tiles.rs` adds the two.
//! Nothing is unrolled in memory (no im2col).

use super::chain::{Form, Link};
use super::epilogue::{Epilogue, Tail};
use super::product::{Cover, tiling};
use super::{Adapter, Kernel, Op, params, shader};
use crate::engine::cpu::tiles::{
    Columns, Left, Walk, images_at_once, lanes, multiply, pack, packed_len, put_in_frames,
};
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

    /// Of any of the three operations; windows that reach past the image count in full.
    pub fn flops(&self) -> u64 {
        2 * (self.small().iter().product::<usize>() * self.window_len()) as u64
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
        Walk {
            counts: [images, self.out_height, self.out_width],
            steps: [rows * columns * channels, columns * step, step],
        }
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
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn conv(&mut self, x: Tensor, w: Tensor, stride: usize, pad: usize) -> Result<Tensor> {
        let [batch, height, width, channels] = self.shape(x).images("conv")?;
        let [rows, across, inner, out_channels] = self.shape(w).images("conv")?;
        let (left, right) = (self.shape(x).clone(), self.shape(w).clone());
        if inner != channels {
            return Err(Error::Shapes {
                op: "conv",
                left,
                right,
                why: "the third extent of the weights must be the images' channels",
            });
        }
        let (Some(out_height), Some(out_width)) =
            (windows(height, rows, stride, pad), windows(width, across, stride, pad))
        else {
            return Err(Error::Shapes {
                op: "conv",
                left,
                right,
                why: "the kernel must fit into the padded image, and the stride be at least 1",
            });
        };
        let kernel = [rows, across];
        self.conv_at(
            Geometry { batch, height, width, channels, out_height, out_width, out_channels, kernel, stride, pad },
            x,
            w,
        )
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
        // As in a product: where the epilogue reads nothing, `w` stands in its place, unread.
        vec![self.x, self.w, self.epilogue.beside().unwrap_or(self.w)]
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
        let (chunk, lanes) = (images_at_once(g.frame(), g.batch), lanes(g.out_channels));
        let [rows, columns, channels] = g.frame();
        let (frames, panels) = scratch.split_at_mut(chunk * rows * columns * channels);
        let panels = pack(x[1], g.out_channels, lanes, panels);
        frames.fill(0.0);
        let (image, result) = (g.height * g.width * g.channels, g.out_height * g.out_width * g.out_channels);
        let beside = x[2];
        for (i, (x, y)) in x[0].chunks(chunk * image).zip(y[0].chunks_mut(chunk * result)).enumerate() {
            put_in_frames(x, [g.height, g.width, g.channels], frames, [rows, columns], [g.pad; 2]);
            let left = Left { values: frames, rows: g.starts(x.len() / image), inner: g.places() };
            for (p, panel) in panels.chunks_exact(g.window_len() * lanes).enumerate() {
                multiply(&left, panel, lanes, &mut Columns { y, step: g.out_channels, first: p * lanes, add: false });
            }
            self.epilogue.apply(y, g.out_channels, i * chunk * result, beside);
        }
    }

    fn scratch(&self) -> usize {
        let g = &self.geometry;
        images_at_once(g.frame(), g.batch) * g.frame().iter().product::<usize>()
            + packed_len(g.window_len(), g.out_channels)
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
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
        }
        .bytes();
        let mut constants = self.epilogue.constants();
        let product = [pixels, g.out_channels, g.window_len()];
        if !(g.out_channels.is_multiple_of(4) && (g.kernel[1] * g.channels).is_multiple_of(4)) {
            let (split, workgroups) = tiling(adapter, [pixels, g.out_channels, g.window_len()]);
            constants.extend(split);
            return Kernel { shader: shader!("conv", "epilogue"), entry: "convolve", constants, params, workgroups };
        }
        let (entry, cover) = match adapter {
            Adapter::Hardware if pays_to_share(product) => ("convolve_shared", Cover::shared(product, [32, 64])),
            // SwiftShader's compiler doesn't come to an end with four blocks below one another.
            _ => ("convolve", Cover::registers(adapter, product, [2, 4])),
        };
        constants.push(("TOGETHER", f64::from(u8::from(g.channels.is_multiple_of(4)))));
        constants.extend(cover.constants);
        Kernel {
            shader: shader!("conv_blocks", "blocks", "epilogue_fours"),
            entry,
            constants,
            params,
            workgroups: cover.workgroups,
        }
    }

    fn link(&self) -> Option<Link> {
        let Conv { x: source, w, y: result, geometry, epilogue } = *self;
        let (images, form) = (geometry.batch, Form::Conv(geometry));
        Link { images, source, other: Some(w), result, epilogue, form }.fitting()
    }

    fn flops(&self) -> u64 {
        self.geometry.flops()
    }

    fn with_tail(&self, tail: Tail, y: Tensor) -> Option<Rc<dyn Op>> {
        Some(Rc::new(Conv { epilogue: self.epilogue.with(tail)?, y, ..*self }))
    }
}

/// Whether a GPU gains by passing the operands of a product `[M, N, K]` through workgroup memory, although its tile is as
/// wide as 32 columns: not where most of these, or of the 16 inner indices at a time, would be idle.
pub(super) fn pays_to_share([_, n, k]: [usize; 3]) -> bool {
    n >= 16 && k >= 64
}

#[cfg(test)]
pub(super) fn layouts() -> [(&'static str, super::check::Layout); 2] {
    ["conv", "conv_blocks"].map(|name| (name, Params::layout()))
}

/// The three operations' extents to test: odd ones, few channels, and windows that leave the last rows uncovered.
#[cfg(test)]
pub(super) fn geometries() -> Vec<Geometry> {
    let of = |[batch, height, width]: [usize; 3],
              [rows, across]: [usize; 2],
              [channels, out_channels]: [usize; 2],
              stride,
              pad| Geometry {
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
        // Whole blocks of 4x4 for all three.
        of([1, 6, 5], [3, 3], [4, 8], 2, 1),
        of([1, 3, 4], [2, 2], [12, 4], 1, 0),
    ]
}

/// What all three operations sum: calls `term` with an index into the large side, the weights and the small side.
#[cfg(test)]
pub(super) fn each_term(g: Geometry, mut term: impl FnMut(usize, usize, usize)) {
    let [rows, across] = g.kernel;
    for (b, oy, ox) in
        (0..g.batch).flat_map(|b| (0..g.out_height).flat_map(move |oy| (0..g.out_width).map(move |ox| (b, oy, ox))))
    {
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
    // The slope between two layers goes into the transposed convolution, or the convolution, of the inner gradient.
    let g = geometries()[3];
    let spread = move |y: &[f64], w: &[f64]| {
        let mut x = vec![0.0; g.large().iter().product()];
        each_term(g, |large, weight, small| x[large] += y[small] * w[weight]);
        x
    };
    let squash = |values: Vec<f64>| values.into_iter().map(f64::tanh).collect::<Vec<f64>>();
    cases.push(
        Case::new("conv, tanh, transposed", [g.large().into(), g.weights().into(), g.weights().into()])
            .records(move |r, x| {
                let y = r.conv(x[0], x[1], g.stride, g.pad)?;
                let y = r.activation(y, Activation::Tanh)?;
                r.conv_transpose_at(g, y, x[2])
            })
            .equals(move |x| spread(&squash(reference(g)(x)), &x[2])),
    );
    cases.push(
        Case::new("transposed, tanh, conv", [g.small().into(), g.weights().into(), g.weights().into()])
            .records(move |r, x| {
                let y = r.conv_transpose_at(g, x[0], x[1])?;
                let y = r.activation(y, Activation::Tanh)?;
                r.conv(y, x[2], g.stride, g.pad)
            })
            .equals(move |x| reference(g)(&[squash(spread(&x[0], &x[1])), x[2].clone()])),
    );
    cases
}

/// Convolutions, or their transposes, large enough for each way to cover them.
#[cfg(test)]
pub(super) fn large_scenes(transposed: bool) -> Vec<super::check::Scene> {
    use super::activation::Activation;
    use super::check::{Random, Scene};
    let scene = |[batch, extent]: [usize; 2], kernel: usize, [channels, out_channels]: [usize; 2], stride, pad| {
        let out = windows(extent, kernel, stride, pad).unwrap();
        let g = Geometry {
            batch,
            height: extent,
            width: extent,
            channels,
            out_height: out,
            out_width: out,
            out_channels,
            kernel: [kernel; 2],
            stride,
            pad,
        };
        let mut r = Recorder::new();
        r.begin("conv");
        let (from, columns) = if transposed { (g.small(), channels) } else { (g.large(), out_channels) };
        let inputs = [
            r.input("x", from, DType::F32),
            r.input("w", g.weights(), DType::F32),
            r.input("bias", [columns], DType::F32),
        ];
        let y =
            if transposed { r.conv_transpose_at(g, inputs[0], inputs[1]) } else { r.conv_at(g, inputs[0], inputs[1]) };
        let y = r.add(y.unwrap(), inputs[2]).unwrap();
        let y = r.activation(y, Activation::LeakyRelu(0.2)).unwrap();
        let mut random = Random(0x1234_5679);
        let mut fill = |n: usize| (0..n).map(|_| (random.next() as f32 - 0.5).to_bits()).collect();
        let uploads = inputs.iter().map(|&t| (t, fill(r.shape(t).len()))).collect();
        Scene {
            name: format!("{} {g:?}", if transposed { "conv_transpose" } else { "conv" }),
            recording: Rc::new(r.finish(true, &[y])),
            uploads,
            outputs: vec![y],
            times: 1,
            tolerance: 1e-5,
        }
    };
    vec![
        scene([3, 28], 4, [1, 8], 2, 1),
        scene([3, 14], 4, [8, 16], 2, 1),
        scene([2, 9], 3, [20, 12], 1, 1),
        scene([3, 15], 4, [32, 64], 2, 1),
        scene([5, 21], 5, [32, 36], 1, 2),
        scene([9, 28], 4, [64, 64], 2, 1),
        scene([11, 14], 4, [64, 128], 2, 1),
        scene([16, 29], 3, [64, 64], 2, 0),
    ]
}

#[cfg(test)]
mod numbers;
