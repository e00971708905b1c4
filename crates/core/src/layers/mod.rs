//! Layers: short compositions of operations with their parameters, and [`Network`], a sequence of them.
//!
//! To add one: a file with its struct (declare parameters, `forward`, `parameters`), a row in [`Layer`], and its words in
//! `summary.rs`.

mod conv;
mod embedding;
mod linear;
mod norm;
mod summary;

pub use conv::{Conv, ConvTranspose, Window};
pub use embedding::{Embedding, one_hot};
pub use linear::Linear;
pub use norm::{Norm, Over};
pub use summary::LayerSummary;

use crate::error::{Error, Result};
use crate::ops::activation::Activation;
use crate::ops::dropout;
use crate::ops::tick::Lane;
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

/// Whether a layer has a bias of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// It has.
    Own,
    /// The norm behind it has.
    InNorm,
}

impl Bias {
    fn declare(self, r: &mut Recorder, name: &str, outputs: usize) -> Option<Tensor> {
        (self == Bias::Own).then(|| r.parameter(format!("{name}.bias"), [outputs], Init::Fill(0.0)))
    }
}

fn with_bias(r: &mut Recorder, y: Tensor, bias: Option<Tensor>) -> Result<Tensor> {
    bias.map_or(Ok(y), |bias| r.add(y, bias))
}

/// How a network is run: what its layers must know that isn't in their input.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Batches that lie one behind another and don't know of each other.
    pub parts: usize,
    /// If only so many samples at the front make a batch norm's statistics, and the others use them.
    pub known: Option<usize>,
    /// The clock and its lane for what is random; without them nothing is.
    pub clock: Option<(Tensor, Lane)>,
}

impl Pass {
    /// One batch, with nothing random in it.
    pub const PLAIN: Pass = Pass { parts: 1, known: None, clock: None };
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
    /// A norm, with a bias.
    Norm(Norm),
    /// An activation.
    Activation(Activation),
    /// Each pixel repeated into a square of this extent.
    Upsample(usize),
    /// A share of the values dropped while training, by this stream of random numbers.
    Dropout {
        /// From 0 to below 1.
        rate: f32,
        /// With the lane's number added; one for each such layer.
        stream: u32,
    },
    /// Another shape for each sample: the batch extent stays.
    Reshape(Vec<usize>),
}

impl Layer {
    fn forward(&self, r: &mut Recorder, x: Tensor, pass: Pass) -> Result<Tensor> {
        match self {
            Layer::Linear(layer) => layer.forward(r, x),
            Layer::Conv(layer) => layer.forward(r, x),
            Layer::ConvTranspose(layer) => layer.forward(r, x),
            Layer::Norm(layer) => layer.forward(r, x, pass),
            Layer::Activation(kind) => r.activation(x, *kind),
            Layer::Upsample(factor) => r.upsample(x, *factor),
            &Layer::Dropout { rate, stream } => match pass.clock {
                // Two lanes may have counted as far.
                Some((clock, lane)) => r.dropout(x, dropout::Draw { clock, lane, stream: stream + lane as u32, rate }),
                None => Ok(x),
            },
            Layer::Reshape(extents) => {
                let batch = r.shape(x).0[0];
                r.reshape(x, Shape([&[batch], extents.as_slice()].concat()))
            }
        }
    }

    /// Of its parameters, without their ending: `generator.1`.
    fn name(mut self, r: &Recorder) -> Option<String> {
        let first = self.parameters().into_iter().next()?;
        r.info(*first).name.rsplit_once('.').map(|(name, _)| name.to_owned())
    }

    fn parameters(&mut self) -> Vec<&mut Tensor> {
        match self {
            Layer::Linear(Linear { weight, bias })
            | Layer::Conv(Conv { weight, bias, .. })
            | Layer::ConvTranspose(ConvTranspose { weight, bias, .. }) => [weight].into_iter().chain(bias).collect(),
            Layer::Norm(Norm { bias, .. }) => vec![bias],
            Layer::Activation(_) | Layer::Upsample(_) | Layer::Dropout { .. } | Layer::Reshape(_) => vec![],
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
    /// [`Error::Layer`], which names the one where the shapes don't fit.
    pub fn forward(&self, r: &mut Recorder, x: Tensor, pass: Pass) -> Result<Tensor> {
        self.layers.iter().enumerate().try_fold(x, |x, (i, layer)| {
            let shape = r.shape(x).clone();
            layer.forward(r, x, pass).map_err(|why| Error::Layer {
                layer: layer.clone().name(r).unwrap_or_else(|| format!("layer {}", i + 1)),
                input: shape,
                why: Box::new(why),
            })
        })
    }

    /// The learnt tensors, in order.
    pub fn parameters(&self) -> Vec<Tensor> {
        self.clone().layers.iter_mut().flat_map(Layer::parameters).map(|t| *t).collect()
    }

    /// The same network with each parameter replaced by its [`twin`].
    pub fn twin(&self, r: &mut Recorder) -> Network {
        let mut copy = self.clone();
        copy.layers.iter_mut().flat_map(Layer::parameters).for_each(|parameter| *parameter = twin(r, *parameter));
        copy
    }
}

/// A state tensor that starts as a copy of the parameter; for its average.
pub fn twin(r: &mut Recorder, parameter: Tensor) -> Tensor {
    let info = r.info(parameter).clone();
    r.state(format!("{}.average", info.name), info.shape, info.dtype, Init::Same(parameter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::DType;

    #[test]
    fn a_shape_error_names_the_layer_and_both_shapes() {
        let mut r = Recorder::new();
        r.begin("test");
        let first = Layer::Linear(Linear::new(&mut r, "generator.0", 6, 10, Start::He, Bias::Own));
        let second = Layer::Linear(Linear::new(&mut r, "generator.1", 12, 5, Start::He, Bias::Own));
        let x = r.input("x", [2, 6], DType::F32);
        let network = Network { layers: vec![first.clone(), second] };
        let error = network.forward(&mut r, x, Pass::PLAIN).unwrap_err().to_string();
        assert!(["`generator.1`", "[2, 10]", "[12, 5]"].iter().all(|part| error.contains(part)), "{error}");
        let network = Network { layers: vec![first, Layer::Reshape(vec![3, 3])] };
        let error = network.forward(&mut r, x, Pass::PLAIN).unwrap_err().to_string();
        assert!(["layer 2", "[2, 10]", "[2, 3, 3]"].iter().all(|part| error.contains(part)), "{error}");
    }

    #[test]
    fn a_batch_norm_of_single_values_is_refused() {
        let mut r = Recorder::new();
        r.begin("test");
        let norm = Layer::Norm(Norm::new(&mut r, "generator.0", 4, Over::Batch));
        let network = Network { layers: vec![norm] };
        let x = r.input("x", [2, 4], DType::F32);
        assert!(network.forward(&mut r, x, Pass::PLAIN).is_ok());
        let error = network.forward(&mut r, x, Pass { parts: 2, ..Pass::PLAIN }).unwrap_err().to_string();
        assert!(error.contains("larger batch"), "{error}");
    }
}
