//! The gradient of a convolution for its weights:
//! `dW[kh, kw, i, o] = Σ X[b, oy·s + kh − p, ox·s + kw − p, i] · dY[b, oy, ox, o]`, and pixels outside are zero.
//!
//! A convolution's product with rows and inner index exchanged: a row is a place in the window, and the sum goes over
//! all windows of all images.

use super::conv::{Geometry, windows};
use super::product::tiling;
use super::{Adapter, Kernel, Op, params, shader};
use crate::engine::cpu::tiles::{Columns, Left, images_at_once, lanes, multiply, pack, packed_len, put_in_frames};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};

#[derive(Clone, Copy, Debug)]
pub(super) struct ConvWeights {
    pub x: Tensor,
    pub dy: Tensor,
    pub dw: Tensor,
    pub geometry: Geometry,
}

params! {
    places: u32, pixels: u32, height: u32, width: u32, channels: u32, out_height: u32, out_width: u32,
    out_channels: u32, kernel_width: u32, stride: u32, pad: u32,
}

impl Recorder {
    /// The gradient `[KH, KW, I, O]` for the weights of a convolution of `x [B, H, W, I]`, given that of its result,
    /// `dy [B, OH, OW, O]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn conv_weights(
        &mut self,
        x: Tensor,
        dy: Tensor,
        kernel: [usize; 2],
        stride: usize,
        pad: usize,
    ) -> Result<Tensor> {
        let [batch, height, width, channels] = self.shape(x).images("conv_weights")?;
        let [small_batch, out_height, out_width, out_channels] = self.shape(dy).images("conv_weights")?;
        let fits = [windows(height, kernel[0], stride, pad), windows(width, kernel[1], stride, pad)];
        if small_batch != batch || fits != [Some(out_height), Some(out_width)] {
            let (left, right) = (self.shape(x).clone(), self.shape(dy).clone());
            return Err(Error::Shapes {
                op: "conv_weights",
                left,
                right,
                why: "the second must be what convolving the first gives",
            });
        }
        self.conv_weights_at(
            Geometry { batch, height, width, channels, out_height, out_width, out_channels, kernel, stride, pad },
            x,
            dy,
        )
    }

    pub(super) fn conv_weights_at(&mut self, geometry: Geometry, x: Tensor, dy: Tensor) -> Result<Tensor> {
        let dw = self.result("conv_weights", geometry.weights(), DType::F32);
        self.push(ConvWeights { x, dy, dw, geometry })
    }
}

impl Op for ConvWeights {
    fn name(&self) -> &'static str {
        "conv_weights"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x, self.dy]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.dw]
    }

    fn gradient(&self, r: &mut Recorder, ddw: Tensor, wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let ConvWeights { x, dy, geometry, .. } = *self;
        let for_x = wanted[0].then(|| r.conv_transpose_at(geometry, dy, ddw)).transpose()?;
        let for_dy = wanted[1].then(|| r.conv_at(geometry, x, ddw)).transpose()?;
        Ok(vec![for_x, for_dy])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], scratch: &mut [f32]) {
        let g = &self.geometry;
        let (chunk, lanes) = (images_at_once(g.frame(), g.batch), lanes(g.out_channels));
        let [rows, columns, channels] = g.frame();
        let (frames, panels) = scratch.split_at_mut(chunk * rows * columns * channels);
        frames.fill(0.0);
        y[0].fill(0.0);
        let (image, windows) = (g.height * g.width * g.channels, g.out_height * g.out_width);
        for (x, dy) in x[0].chunks(chunk * image).zip(x[1].chunks(chunk * windows * g.out_channels)) {
            let images = x.len() / image;
            put_in_frames(x, [g.height, g.width, g.channels], frames, [rows, columns], [g.pad; 2]);
            let left = Left { values: frames, rows: g.places(), inner: g.starts(images) };
            let panels = pack(dy, g.out_channels, lanes, panels);
            for (i, panel) in panels.chunks_exact(images * windows * lanes).enumerate() {
                multiply(
                    &left,
                    panel,
                    lanes,
                    &mut Columns { y: y[0], step: g.out_channels, first: i * lanes, add: true },
                );
            }
        }
    }

    fn scratch(&self) -> usize {
        let g = &self.geometry;
        let chunk = images_at_once(g.frame(), g.batch);
        chunk * g.frame().iter().product::<usize>() + packed_len(chunk * g.out_height * g.out_width, g.out_channels)
    }

    fn flops(&self) -> u64 {
        self.geometry.flops()
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        let g = &self.geometry;
        let pixels = g.batch * g.out_height * g.out_width;
        let params = Params {
            places: g.window_len() as u32,
            pixels: pixels as u32,
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
        let (split, workgroups) = tiling(adapter, [g.window_len(), g.out_channels, pixels]);
        Kernel {
            shader: shader!("conv_weights"),
            entry: "correlate",
            constants: split.to_vec(),
            params: params.bytes(),
            workgroups,
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("conv_weights", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::check::Case;
    use super::conv::{each_term, geometries};
    let case = |g: Geometry| {
        Case::new(format!("conv_weights {g:?}"), [g.large().into(), g.small().into()])
            .records(move |r, x| r.conv_weights(x[0], x[1], g.kernel, g.stride, g.pad))
            .equals(move |x| {
                let mut dw = vec![0.0; g.weights().iter().product()];
                each_term(g, |large, weight, small| dw[weight] += x[0][large] * x[1][small]);
                dw
            })
    };
    geometries().into_iter().map(case).collect()
}
