//! Images made larger by repeating each pixel (nearest-neighbour upsampling), and its adjoint, the sum over squares of
//! pixels, which scaled is average pooling.

use super::chain::{Form, Link};
use super::epilogue::{Epilogue, Tail};
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};
use std::rc::Rc;

/// `large` side `[B, f·H, f·W, C]`, small side `[B, H, W, C]`.
#[derive(Clone, Copy, Debug)]
struct Squares {
    x: Tensor,
    y: Tensor,
    small: [usize; 4],
    factor: usize,
    scale: f32,
    /// Of pooling.
    epilogue: Epilogue,
}

#[derive(Clone, Copy, Debug)]
struct Upsample(Squares);

#[derive(Clone, Copy, Debug)]
struct Pool(Squares);

params! { n: u32, width: u32, channels: u32, factor: u32, scale: f32 }

impl Recorder {
    /// `x [B, H, W, C]` with each pixel repeated into a square: `[B, f·H, f·W, C]`.
    ///
    /// # Errors
    /// [`crate::Error`] where `x` isn't images, or the factor is 0.
    pub fn upsample(&mut self, x: Tensor, factor: usize) -> Result<Tensor> {
        let small = self.shape(x).images("upsample")?;
        if factor == 0 {
            let why = "the factor must be at least 1";
            return Err(Error::Shape { op: "upsample", shape: self.shape(x).clone(), why });
        }
        self.upsample_scaled(x, small, factor, 1.0)
    }

    /// The mean of each square of `factor × factor` pixels: `x [B, f·H, f·W, C]` to `[B, H, W, C]`.
    ///
    /// # Errors
    /// [`crate::Error`] where `x` isn't images that such squares cover.
    pub fn average_pool(&mut self, x: Tensor, factor: usize) -> Result<Tensor> {
        let [batch, height, width, channels] = self.shape(x).images("pool")?;
        if factor == 0 || !height.is_multiple_of(factor) || !width.is_multiple_of(factor) {
            let why = "squares of pixels must cover the image";
            return Err(Error::Shape { op: "pool", shape: self.shape(x).clone(), why });
        }
        let small = [batch, height / factor, width / factor, channels];
        self.pool_scaled(x, small, factor, 1.0 / (factor * factor) as f32)
    }

    fn upsample_scaled(&mut self, x: Tensor, small: [usize; 4], factor: usize, scale: f32) -> Result<Tensor> {
        let [batch, height, width, channels] = small;
        let y = self.result("upsample", [batch, height * factor, width * factor, channels], DType::F32);
        self.push(Upsample(Squares { x, y, small, factor, scale, epilogue: Epilogue::default() }))
    }

    fn pool_scaled(&mut self, x: Tensor, small: [usize; 4], factor: usize, scale: f32) -> Result<Tensor> {
        let y = self.result("pool", small, DType::F32);
        self.push(Pool(Squares { x, y, small, factor, scale, epilogue: Epilogue::default() }))
    }
}

impl Squares {
    fn reads(&self) -> Vec<Tensor> {
        vec![self.x, self.x, self.epilogue.beside().unwrap_or(self.x)]
    }

    fn kernel(&self, entry: &'static str, by: usize) -> Kernel {
        let [batch, height, width, channels] = self.small;
        let n = batch * height * by * width * by * channels;
        let params = Params {
            n: n as u32,
            width: (width * by) as u32,
            channels: channels as u32,
            factor: self.factor as u32,
            scale: self.scale,
        };
        let (params, workgroups) = (params.bytes(), groups(n));
        let constants = self.epilogue.constants();
        Kernel { shader: shader!("upsample", "epilogue"), entry, constants, params, workgroups }
    }

    fn link(&self, pools: bool) -> Option<Link> {
        let Squares { x: source, y: result, small: [images, height, width, channels], factor, scale, epilogue } = *self;
        let by = if pools { 1 } else { factor };
        let form = Form::Squares { result: [height * by, width * by, channels], factor, scale, pools };
        Link { images, source, other: None, result, epilogue, form }.fitting()
    }

    /// Calls `row` with where each row of a large image starts, and the row of the small one above which it lies.
    fn rows(&self, mut row: impl FnMut(usize, usize)) {
        let [batch, height, width, channels] = self.small;
        for large in 0..batch * height * self.factor {
            row(large * width * self.factor * channels, large / self.factor * width * channels);
        }
    }
}

impl Op for Upsample {
    fn name(&self) -> &'static str {
        "upsample"
    }

    fn reads(&self) -> Vec<Tensor> {
        self.0.reads()
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.0.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let Squares { small, factor, scale, .. } = self.0;
        Ok(vec![Some(r.pool_scaled(dy, small, factor, scale)?), None, None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let Squares { small: [_, _, width, channels], factor, scale, .. } = self.0;
        self.0.rows(|large, small| {
            let (x, y) = (&x[0][small..][..width * channels], &mut y[0][large..][..width * factor * channels]);
            for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(factor * channels)) {
                for y in y.chunks_exact_mut(channels) {
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = scale * x);
                }
            }
        });
    }

    fn link(&self) -> Option<Link> {
        self.0.link(false)
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        self.0.kernel("upsample", self.0.factor)
    }
}

impl Op for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn reads(&self) -> Vec<Tensor> {
        self.0.reads()
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.0.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let Squares { small, factor, scale, .. } = self.0;
        Ok(vec![Some(r.upsample_scaled(dy, small, factor, scale)?), None, None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let Squares { small: [_, _, width, channels], factor, scale, .. } = self.0;
        y[0].fill(0.0);
        self.0.rows(|large, small| {
            let (x, y) = (&x[0][large..][..width * factor * channels], &mut y[0][small..][..width * channels]);
            for (x, y) in x.chunks_exact(factor * channels).zip(y.chunks_exact_mut(channels)) {
                for x in x.chunks_exact(channels) {
                    y.iter_mut().zip(x).for_each(|(y, x)| *y += scale * x);
                }
            }
        });
        self.0.epilogue.apply(y[0], channels, 0, x[2]);
    }

    fn link(&self) -> Option<Link> {
        self.0.link(true)
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        self.0.kernel("pool", 1)
    }

    fn with_tail(&self, tail: Tail, y: Tensor) -> Option<Rc<dyn Op>> {
        let epilogue = self.0.epilogue.with_slope(tail)?;
        Some(Rc::new(Pool(Squares { y, epilogue, ..self.0 })))
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("upsample", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::activation::Activation;
    use super::check::Case;
    let mut cases = Vec::new();
    for ([b, h, w, c], f) in [([2, 3, 2, 3], 2), ([1, 2, 5, 1], 3), ([3, 1, 1, 2], 1)] {
        // For each value of the large side, the small one's that it lies over.
        let (large_h, large_w) = (h * f, w * f);
        let under = move |i: usize| {
            let (image, row, column) = (i / (large_h * large_w * c), i / (large_w * c) % large_h, i / c % large_w);
            ((image * h + row / f) * w + column / f) * c + i % c
        };
        let (small, large) = (b * h * w * c, b * large_h * large_w * c);
        cases.push(
            Case::new(format!("upsample {b}×{h}×{w}×{c} by {f}"), [[b, h, w, c].into()])
                .records(move |r, x| {
                    let x = r.square(x[0])?;
                    r.upsample(x, f)
                })
                .equals(move |x| (0..large).map(|i| x[0][under(i)] * x[0][under(i)]).collect()),
        );
        cases.push(
            // The slope moves into the gradient.
            Case::new(format!("upsample {b}×{h}×{w}×{c} activations by {f}"), [[b, h, w, c].into()])
                .records(move |r, x| {
                    let x = r.activation(x[0], Activation::LeakyRelu(0.5))?;
                    r.upsample(x, f)
                })
                .equals(move |x| (0..large).map(|i| x[0][under(i)].max(0.5 * x[0][under(i)])).collect()),
        );
        cases.push(
            Case::new(format!("average pool to {b}×{h}×{w}×{c} by {f}"), [[b, large_h, large_w, c].into()])
                .records(move |r, x| {
                    let x = r.square(x[0])?;
                    r.average_pool(x, f)
                })
                .equals(move |x| {
                    let mut y = vec![0.0; small];
                    (0..large).for_each(|i| y[under(i)] += x[0][i] * x[0][i] / (f * f) as f64);
                    y
                }),
        );
    }
    cases
}
