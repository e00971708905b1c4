//! What a network is made of, in words and numbers: for diagrams and for files that describe it.

use super::{Layer, Network, Norm, Over, Pass};
use crate::error::Result;
use crate::ops::activation::Activation;
use crate::program::{Recorder, Tensor};
use crate::train::number::show;

/// A layer as a diagram shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSummary {
    /// What its parameters' names start with, as `generator.1`; empty if it has none.
    pub name: String,
    /// `linear`, `conv`, `activation`, …
    pub kind: &'static str,
    /// What else is to be known of it, as `4×4, stride 2` or `leaky ReLU 0.2`; may be empty.
    pub detail: String,
    /// Extents of one sample after it.
    pub shape: Vec<usize>,
    /// How many numbers it learns.
    pub parameters: usize,
}

impl Layer {
    /// Its kind, and what else is to be known of it.
    fn words(&self, r: &Recorder) -> (&'static str, String) {
        let window = |weight: Tensor, stride| {
            let kernel = &r.shape(weight).0;
            format!("{}×{}, stride {stride}", kernel[0], kernel[1])
        };
        match self {
            Layer::Linear(_) => ("linear", String::new()),
            Layer::Conv(layer) => ("conv", window(layer.weight, layer.stride)),
            Layer::ConvTranspose(layer) => ("transposed conv", window(layer.weight, layer.stride)),
            Layer::Norm(Norm { over: Over::Batch, .. }) => ("batch norm", String::new()),
            Layer::Norm(Norm { over: Over::Layer, .. }) => ("layer norm", String::new()),
            Layer::Activation(kind) => ("activation", words(*kind)),
            Layer::Upsample(factor) => ("upsampling", format!("×{factor}")),
            Layer::Dropout { rate, .. } => ("dropout", show(*rate)),
            Layer::Reshape(_) => ("reshape", String::new()),
        }
    }
}

fn words(activation: Activation) -> String {
    match activation {
        Activation::LeakyRelu(0.0) => "ReLU".into(),
        Activation::LeakyRelu(slope) => ["leaky ReLU ", &show(slope)].concat(),
        Activation::Tanh => "tanh".into(),
        Activation::Sigmoid => "sigmoid".into(),
    }
}

impl Network {
    /// Records the layers on a single sample `x [1, ..]` and sums each up; with what comes out.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn summaries(&self, r: &mut Recorder, x: Tensor) -> Result<(Tensor, Vec<LayerSummary>)> {
        let mut x = x;
        let mut summaries = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            x = layer.forward(r, x, Pass { known: Some(1), ..Pass::PLAIN })?;
            let (kind, detail) = layer.words(r);
            let parameters: Vec<Tensor> = layer.clone().parameters().into_iter().map(|t| *t).collect();
            let named = parameters.first().and_then(|&t| r.info(t).name.rsplit_once('.'));
            summaries.push(LayerSummary {
                name: named.map_or("", |(name, _)| name).to_owned(),
                kind,
                detail,
                shape: r.shape(x).0[1..].to_vec(),
                parameters: parameters.iter().map(|&t| r.shape(t).len()).sum(),
            });
        }
        Ok((x, summaries))
    }
}
