//! Transposed convolution, the adjoint of a convolution with the same weights, with an optional epilogue:
//! `X[b, h, w, i] = Σ Y[b, oy, ox, o] · W[kh, kw, i, o]` over all `oy·s + kh − p = h`, `ox·s + kw − p = w`.
//!
//! Write `h + p = s·q + φ` with the phase `φ < s`. Then `kh = φ + s·t` and `oy = q − t`: for each phase this is an
//! ordinary convolution of stride 1, with every `s`-th row of the kernel, reversed. So all phases together are one
//! product with `s²·I` columns `(φy, φx, i)`, whose values are then put in their places. Of `q`, those columns compute
//! what their phases need: `Transposition::covered`.
//!
//! The `Geometry` is the convolution's: what is read here is its small side, and what is written its large one.

use super::chain::{Form, Link};
use super::conv::{Geometry, pays_to_share};
use super::epilogue::{Epilogue, Tail};
use super::product::{Cover, tiling};
use super::{Adapter, Kernel, Op, params, shader};
use crate::engine::cpu::tiles::{Columns, Left, Walk, copy_few, images_at_once, lanes, multiply, put_in_frames};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;

#[derive(Clone, Copy, Debug)]
struct ConvTranspose {
    y: Tensor,
    w: Tensor,
    x: Tensor,
    geometry: Geometry,
    epilogue: Epilogue,
}

params! {
    pixels: u32, inner: u32, columns: u32, rows: u32, across: u32, taps_across: u32, height: u32, width: u32,
    channels: u32, out_height: u32, out_width: u32, out_channels: u32, kernel_height: u32, kernel_width: u32,
    stride: u32, pad: u32,
}

impl Recorder {
    /// Spreads `y [B, OH, OW, O]` with `w [KH, KW, I, O]` into `[B, H, W, I]`, `H = (OH − 1)·stride + KH − 2·pad`.
    ///
    /// As a layer it goes from `O` to `I` channels: `w` is `[KH, KW, out, in]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn conv_transpose(&mut self, y: Tensor, w: Tensor, stride: usize, pad: usize) -> Result<Tensor> {
        let [batch, out_height, out_width, out_channels] = self.shape(y).images("conv_transpose")?;
        let [rows, across, channels, inner] = self.shape(w).images("conv_transpose")?;
        let (left, right) = (self.shape(y).clone(), self.shape(w).clone());
        if inner != out_channels {
            let why = "the fourth extent of the weights must be the images' channels";
            return Err(Error::Shapes { op: "conv_transpose", left, right, why });
        }
        let extent = |small: usize, kernel: usize| {
            (small.checked_sub(1)? * stride + kernel).checked_sub(2 * pad).filter(|&n| n > 0 && stride > 0)
        };
        let (Some(height), Some(width)) = (extent(out_height, rows), extent(out_width, across)) else {
            return Err(Error::Shapes {
                op: "conv_transpose",
                left,
                right,
                why: "the padding must leave something of the result",
            });
        };
        let kernel = [rows, across];
        self.conv_transpose_at(
            Geometry { batch, height, width, channels, out_height, out_width, out_channels, kernel, stride, pad },
            y,
            w,
        )
    }

    /// With the large side's extents from `geometry`: a convolution that leaves its last rows uncovered has an adjoint
    /// that leaves them zero.
    pub(super) fn conv_transpose_at(&mut self, geometry: Geometry, y: Tensor, w: Tensor) -> Result<Tensor> {
        let x = self.result("conv_transpose", geometry.large(), DType::F32);
        self.push(ConvTranspose { y, w, x, geometry, epilogue: Epilogue::default() })
    }
}

/// The convolution of stride 1 that all phases share.
impl ConvTranspose {
    /// The taps of a phase along each axis.
    fn taps(&self) -> [usize; 2] {
        self.geometry.kernel.map(|kernel| kernel.div_ceil(self.geometry.stride))
    }

    /// The phases' channels: `(φy, φx, i)`.
    fn columns(&self) -> usize {
        self.geometry.stride.pow(2) * self.geometry.channels
    }

    /// The inner index: `(ty, tx, o)`.
    fn inner(&self) -> usize {
        let [down, across] = self.taps();
        down * across * self.geometry.out_channels
    }

    /// The `q` at which any of these phases has a place in an image of that extent.
    fn covered(&self, extent: usize, phases: RangeInclusive<usize>) -> Range<usize> {
        let Geometry { stride, pad, .. } = self.geometry;
        let (low, high) = phases.into_inner();
        // The first place of the last phase, and the last place of the first.
        (pad + stride - 1 - high) / stride..(extent + pad + stride - 1 - low) / stride
    }

    /// A panel of this many columns belongs to one phase, if that fills it.
    fn lanes(&self) -> usize {
        lanes(if self.geometry.channels >= 8 { self.geometry.channels } else { self.columns() })
    }

    /// One image of the small side with all that its windows reach: `[FH, FW, O]`.
    fn frame(&self) -> [usize; 3] {
        let (g, [down, across], all) = (&self.geometry, self.taps(), 0..=self.geometry.stride - 1);
        let reach = |extent, taps: usize| self.covered(extent, all.clone()).end + taps - 1;
        [reach(g.height, down), reach(g.width, across), g.out_channels]
    }
}

impl Op for ConvTranspose {
    fn name(&self) -> &'static str {
        "conv_transpose"
    }

    fn reads(&self) -> Vec<Tensor> {
        // As in a product: where the epilogue reads nothing, `w` stands in its place, unread.
        vec![self.y, self.w, self.epilogue.beside().unwrap_or(self.w)]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.x]
    }

    fn gradient(&self, r: &mut Recorder, dx: Tensor, wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let ConvTranspose { y, w, geometry, .. } = *self;
        let dy = wanted[0].then(|| r.conv_at(geometry, dx, w)).transpose()?;
        let dw = wanted[1].then(|| r.conv_weights_at(geometry, dx, y)).transpose()?;
        Ok(vec![dy, dw, None])
    }

    fn run(&self, reads: &[&[f32]], writes: &mut [&mut [f32]], scratch: &mut [f32]) {
        let g = &self.geometry;
        let [y, w, beside] = [reads[0], reads[1], reads[2]];
        let ([rows, across, depth], [taps_down, taps_across]) = (self.frame(), self.taps());
        let (chunk, lanes) = (images_at_once(self.frame(), g.batch), self.lanes());
        let (frames, scratch) = scratch.split_at_mut(chunk * rows * across * depth);
        let (panels, sums) = scratch.split_at_mut(self.columns().next_multiple_of(lanes) * self.inner());
        frames.fill(0.0);
        self.pack(w, lanes, panels);

        let (small, large) = (g.out_height * g.out_width * g.out_channels, g.height * g.width * g.channels);
        for (n, (y, x)) in y.chunks(chunk * small).zip(writes[0].chunks_mut(chunk * large)).enumerate() {
            let images = y.len() / small;
            put_in_frames(
                y,
                [g.out_height, g.out_width, depth],
                frames,
                [rows, across],
                [taps_down - 1, taps_across - 1],
            );
            for (i, panel) in panels.chunks_exact(lanes * self.inner()).enumerate() {
                let columns = i * lanes..self.columns().min((i + 1) * lanes);
                let [down, right] = self.covered_by(columns.clone());
                let left = Left {
                    values: &frames[(down.start * across + right.start) * depth..],
                    rows: Walk {
                        counts: [images, down.len(), right.len()],
                        steps: [rows * across * depth, across * depth, depth],
                    },
                    inner: Walk { counts: [1, taps_down, taps_across * depth], steps: [0, across * depth, 1] },
                };
                let sums = &mut sums[..images * down.len() * right.len() * lanes];
                multiply(&left, panel, lanes, &mut Columns { y: sums, step: lanes, first: 0, add: false });
                self.put_in_place(sums, lanes, columns, x);
            }
            self.epilogue.apply(x, g.channels, n * chunk * large, beside);
        }
    }

    fn scratch(&self) -> usize {
        let (g, lanes, all) = (&self.geometry, self.lanes(), 0..=self.geometry.stride - 1);
        let chunk = images_at_once(self.frame(), g.batch);
        let covered = self.covered(g.height, all.clone()).len() * self.covered(g.width, all).len();
        let panels = self.columns().next_multiple_of(lanes) * self.inner();
        chunk * (self.frame().iter().product::<usize>() + covered * lanes) + panels
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        let g = &self.geometry;
        let (columns, inner) = (self.columns(), self.inner());
        // Of `q`, as many as the columns need that share what they read: fewer where these belong to one phase.
        let pixels = |aligned: bool| {
            let covered = |extent: usize| {
                if aligned { extent.div_ceil(g.stride) } else { self.covered(extent, 0..=g.stride - 1).len() }
            };
            [covered(g.height), covered(g.width)]
        };
        let four = g.channels.is_multiple_of(4);
        let [rows, across] = pixels(four);
        let pixels = g.batch * rows * across;
        let params = Params {
            pixels: pixels as u32,
            inner: inner as u32,
            columns: columns as u32,
            rows: rows as u32,
            across: across as u32,
            taps_across: self.taps()[1] as u32,
            height: g.height as u32,
            width: g.width as u32,
            channels: g.channels as u32,
            out_height: g.out_height as u32,
            out_width: g.out_width as u32,
            out_channels: g.out_channels as u32,
            kernel_height: g.kernel[0] as u32,
            kernel_width: g.kernel[1] as u32,
            stride: g.stride as u32,
            pad: g.pad as u32,
        }
        .bytes();
        let mut constants = self.epilogue.constants();
        if !g.out_channels.is_multiple_of(4) {
            let (split, workgroups) = tiling(adapter, [pixels, columns, inner]);
            constants.extend(split);
            return Kernel {
                shader: shader!("conv_transpose", "epilogue"),
                entry: "spread",
                constants,
                params,
                workgroups,
            };
        }
        // In a tile wider than a phase has channels, some columns would need other pixels than the first.
        let widest = |of: &[usize]| of.iter().copied().find(|&columns| g.channels.is_multiple_of(columns));
        let product = [pixels, columns, inner];
        let (entry, cover) = match (adapter, widest(&[64, 32])) {
            (Adapter::Hardware, Some(widest)) if pays_to_share(product) => {
                ("spread_shared", Cover::shared(product, [32, widest]))
            }
            _ => {
                let across = widest(&[16, 8]).map_or(1, |columns| columns / 4);
                ("spread", Cover::registers(adapter, product, [4, across]))
            }
        };
        constants.push(("ALIGNED", f64::from(u8::from(four))));
        constants.extend(cover.constants);
        Kernel {
            shader: shader!("conv_transpose_blocks", "blocks", "epilogue"),
            entry,
            constants,
            params,
            workgroups: cover.workgroups,
        }
    }

    fn link(&self) -> Option<Link> {
        let ConvTranspose { y: source, w, x: result, geometry, epilogue } = *self;
        let (images, form) = (geometry.batch, Form::ConvTranspose(geometry));
        Link { images, source, other: Some(w), result, epilogue, form }.fitting()
    }

    fn flops(&self) -> u64 {
        self.geometry.flops()
    }

    fn with_tail(&self, tail: Tail, x: Tensor) -> Option<Rc<dyn Op>> {
        Some(Rc::new(ConvTranspose { epilogue: self.epilogue.with(tail)?, x, ..*self }))
    }
}

/// What only the CPU needs.
impl ConvTranspose {
    /// The `q` along each axis that a panel with these columns computes.
    fn covered_by(&self, columns: Range<usize>) -> [Range<usize>; 2] {
        let Geometry { stride, channels, height, width, .. } = self.geometry;
        let (first, last) = (columns.start / channels, (columns.end - 1) / channels);
        let across = if first / stride == last / stride { first % stride..=last % stride } else { 0..=stride - 1 };
        [self.covered(height, first / stride..=last / stride), self.covered(width, across)]
    }

    /// Cuts the kernels of all phases into panels `[inner, lanes]`, each kernel reversed along its two axes.
    fn pack(&self, w: &[f32], lanes: usize, panels: &mut [f32]) {
        let Geometry { kernel, stride, channels, out_channels, .. } = self.geometry;
        let [down, across] = self.taps();
        panels.fill(0.0);
        for column in 0..self.columns() {
            let panel = &mut panels[column / lanes * lanes * self.inner() + column % lanes..];
            let (phase, i) = (column / channels, column % channels);
            for (ty, tx) in (0..down).flat_map(|ty| (0..across).map(move |tx| (ty, tx))) {
                let (kh, kw) = (phase / stride + stride * ty, phase % stride + stride * tx);
                if kh < kernel[0] && kw < kernel[1] {
                    let place = (down - 1 - ty) * across + across - 1 - tx;
                    let values = &w[((kh * kernel[1] + kw) * channels + i) * out_channels..][..out_channels];
                    for (o, value) in values.iter().enumerate() {
                        panel[(place * out_channels + o) * lanes] = *value;
                    }
                }
            }
        }
    }

    /// Moves the sums `[images, q down, q across, lanes]` of a panel to where they belong in the images `x`.
    fn put_in_place(&self, sums: &[f32], lanes: usize, columns: Range<usize>, x: &mut [f32]) {
        let Geometry { stride, pad, channels, height, width, .. } = self.geometry;
        let [down, across] = self.covered_by(columns.clone());
        let images =
            sums.chunks_exact(down.len() * across.len() * lanes).zip(x.chunks_exact_mut(height * width * channels));
        for (sums, x) in images {
            let mut column = columns.start;
            while column < columns.end {
                let (phase, i) = (column / channels, column % channels);
                let wide = (channels - i).min(columns.end - column);
                let (phase_y, phase_x) = (phase / stride, phase % stride);
                let qx = self.covered(width, phase_x..=phase_x);
                for qy in self.covered(height, phase_y..=phase_y) {
                    let from =
                        ((qy - down.start) * across.len() + qx.start - across.start) * lanes + column - columns.start;
                    let to = ((qy * stride + phase_y - pad) * width + qx.start * stride + phase_x - pad) * channels + i;
                    let (sums, x, step) = (&sums[from..], &mut x[to..], stride * channels);
                    if wide == 1 {
                        let sums = sums.iter().step_by(lanes).take(qx.len());
                        x.iter_mut().step_by(step).zip(sums).for_each(|(x, sum)| *x = *sum);
                    } else {
                        let sums = sums.chunks(lanes).take(qx.len());
                        x.chunks_mut(step).zip(sums).for_each(|(x, sums)| copy_few(&sums[..wide], &mut x[..wide]));
                    }
                }
                column += wide;
            }
        }
    }
}

#[cfg(test)]
pub(super) fn layouts() -> [(&'static str, super::check::Layout); 2] {
    ["conv_transpose", "conv_transpose_blocks"].map(|name| (name, Params::layout()))
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::activation::Activation;
    use super::check::Case;
    use super::conv::{each_term, geometries};
    let reference = |g: Geometry| {
        move |x: &[Vec<f64>]| {
            let mut large = vec![0.0; g.large().iter().product()];
            each_term(g, |at, weight, small| large[at] += x[0][small] * x[1][weight]);
            large
        }
    };
    let mut cases = Vec::new();
    for g in geometries() {
        // Once with the extents of any convolution, once with those that the public method infers.
        cases.push(
            Case::new(format!("conv_transpose {g:?}"), [g.small().into(), g.weights().into()])
                .records(move |r, x| r.conv_transpose_at(g, x[0], x[1]))
                .equals(reference(g)),
        );
        let extent = |small: usize, kernel: usize| ((small - 1) * g.stride + kernel).saturating_sub(2 * g.pad);
        let g = Geometry { height: extent(g.out_height, g.kernel[0]), width: extent(g.out_width, g.kernel[1]), ..g };
        if g.height * g.width > 0 {
            cases.push(
                Case::new(
                    format!("conv_transpose, inferred {g:?}"),
                    [g.small().into(), g.weights().into(), [g.channels].into()],
                )
                .records(move |r, x| {
                    let y = r.conv_transpose(x[0], x[1], g.stride, g.pad)?;
                    let y = r.add(y, x[2])?;
                    r.activation(y, Activation::Tanh)
                })
                .equals(move |x| {
                    reference(g)(x).iter().enumerate().map(|(i, y)| (y + x[2][i % g.channels]).tanh()).collect()
                }),
            );
        }
    }
    cases
}
