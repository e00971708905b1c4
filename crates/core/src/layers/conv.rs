//! Convolution and transposed convolution with a bias for each channel.

use super::{Bias, Start, with_bias};
use crate::error::Result;
use crate::program::{Recorder, Tensor};

/// Weights `[K, K, I, O]`, bias `[O]`, or none where a norm brings one.
#[derive(Clone, Copy, Debug)]
pub struct Conv {
    /// `[K, K, I, O]`
    pub weight: Tensor,
    /// `[O]`
    pub bias: Option<Tensor>,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// Zeros around the image.
    pub pad: usize,
}

/// The adjoint of a convolution as a layer: weights `[K, K, O, I]`, bias `[O]`.
#[derive(Clone, Copy, Debug)]
pub struct ConvTranspose {
    /// `[K, K, O, I]`: as the convolution has it whose adjoint this is.
    pub weight: Tensor,
    /// `[O]`
    pub bias: Option<Tensor>,
    /// Pixels from one window to the next in the output.
    pub stride: usize,
    /// Pixels cut off around the output.
    pub pad: usize,
}

/// A square kernel's extent, stride and padding.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Extent of the kernel.
    pub kernel: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// Zeros around the image.
    pub pad: usize,
}

impl Window {
    /// 4×4, stride 2, padding 1: halves (or doubles) an image exactly.
    pub const HALVING: Window = Window { kernel: 4, stride: 2, pad: 1 };
    /// 3×3, stride 1, padding 1: keeps an image's extents.
    pub const KEEPING: Window = Window { kernel: 3, stride: 1, pad: 1 };
}

impl Conv {
    /// Declares a layer from `inputs` to `outputs` channels.
    pub fn new(
        r: &mut Recorder,
        name: &str,
        inputs: usize,
        outputs: usize,
        window: Window,
        start: Start,
        bias: Bias,
    ) -> Self {
        let Window { kernel, stride, pad } = window;
        let init = start.init(kernel * kernel * inputs);
        let weight = r.parameter(format!("{name}.weight"), [kernel, kernel, inputs, outputs], init);
        let bias = bias.declare(r, name, outputs);
        Conv { weight, bias, stride, pad }
    }

    /// `[B, H, W, I]` to `[B, OH, OW, O]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn forward(&self, r: &mut Recorder, x: Tensor) -> Result<Tensor> {
        let y = r.conv(x, self.weight, self.stride, self.pad)?;
        with_bias(r, y, self.bias)
    }
}

impl ConvTranspose {
    /// Declares a layer from `inputs` to `outputs` channels. Each output sums over `(K / stride)²` windows.
    pub fn new(
        r: &mut Recorder,
        name: &str,
        inputs: usize,
        outputs: usize,
        window: Window,
        start: Start,
        bias: Bias,
    ) -> Self {
        let Window { kernel, stride, pad } = window;
        let init = start.init(kernel * kernel * inputs / (stride * stride));
        let weight = r.parameter(format!("{name}.weight"), [kernel, kernel, outputs, inputs], init);
        let bias = bias.declare(r, name, outputs);
        ConvTranspose { weight, bias, stride, pad }
    }

    /// `[B, H, W, I]` to `[B, OH, OW, O]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn forward(&self, r: &mut Recorder, x: Tensor) -> Result<Tensor> {
        let y = r.conv_transpose(x, self.weight, self.stride, self.pad)?;
        with_bias(r, y, self.bias)
    }
}
