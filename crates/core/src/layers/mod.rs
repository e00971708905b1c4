//! Layers: short compositions of operations with their parameters, and [`Network`], a sequence of them.
//!
//! To add one: a file with its struct (declare parameters, `forward`, `parameters`), a row in [`Layer`], and its words in
//! `summary.rs`.

mod conv;
mod linear;
mod summary;

pub use conv::{Conv, ConvTranspose, Window};
pub use linear::Linear;
pub use summary::LayerSummary;

use crate::error::Result;
use crate::ops::activation::Activation;
use crate::program::{Init, Recorder, Shape, Tensor};

/// How a layer's weights start, given how many inputs each output sums over (its fan-in).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// Normal with variance 2 / fan-in, for layers before a ReLU (He et al. 2015).
    He,
    /// Normal with variance 1 / fan-in, for last layers (LeCun et al. 1998).
    LeCun,
}

impl Start {
    fn init(self, fan_in: usize) -> Init {
        let gain: f32 = match self {
            Start::He => 2.0,
            Start::LeCun => 1.0,
        };
        Init::Normal((gain / fan_in as f32).sqrt())
    }
}

/// One step of a [`Network`].
#[derive(Clone, Debug)]
pub enum Layer {
    /// A dense layer.
    Linear(Linear),
    /// A convolution.
    Conv(Conv),
    /// A transposed convolution.
    ConvTranspose(ConvTranspose),
    /// An activation.
    Activation(Activation),
    /// Another shape for each sample: the batch extent stays.
    Reshape(Vec<usize>),
}

impl Layer {
    fn forward(&self, r: &mut Recorder, x: Tensor) -> Result<Tensor> {
        match self {
            Layer::Linear(layer) => layer.forward(r, x),
            Layer::Conv(layer) => layer.forward(r, x),
            Layer::ConvTranspose(layer) => layer.forward(r, x),
            Layer::Activation(kind) => r.activation(x, *kind),
            Layer::Reshape(extents) => {
                let batch = r.shape(x).0[0];
                r.reshape(x, Shape([&[batch], extents.as_slice()].concat()))
            }
        }
    }

    fn parameters(&mut self) -> Vec<&mut Tensor> {
        match self {
            Layer::Linear(Linear { weight, bias }) => vec![weight, bias],
            Layer::Conv(Conv { weight, bias, .. }) => vec![weight, bias],
            Layer::ConvTranspose(ConvTranspose { weight, bias, .. }) => vec![weight, bias],
            Layer::Activation(_) | Layer::Reshape(_) => vec![],
        }
    }
}

/// Layers applied one after another.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// In the order of application.
    pub layers: Vec<Layer>,
}

impl Network {
    /// Records the layers on `x`, whose first extent is the batch.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn forward(&self, r: &mut Recorder, x: Tensor) -> Result<Tensor> {
        self.layers.iter().try_fold(x, |x, layer| layer.forward(r, x))
    }

    /// The learnt tensors, in order.
    pub fn parameters(&self) -> Vec<Tensor> {
        self.clone().layers.iter_mut().flat_map(Layer::parameters).map(|t| *t).collect()
    }

    /// The same network with each parameter replaced by a state tensor that starts as its copy; for averages.
    pub fn twin(&self, r: &mut Recorder) -> Network {
        let mut twin = self.clone();
        for parameter in twin.layers.iter_mut().flat_map(Layer::parameters) {
            let info = r.info(*parameter).clone();
            *parameter = r.state(format!("{}.average", info.name), info.shape, info.dtype, Init::Same(*parameter));
        }
        twin
    }
}
