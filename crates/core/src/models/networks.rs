//! What generator and discriminator are built from alike: hidden layers, each with its norm and its activation.

use crate::layers::{Bias, Conv, Layer, Linear, Norm, Over, Start, Window};
use crate::ops::activation::Activation;
use crate::program::Recorder;
use crate::train::settings::{DNorm, GNorm};

/// Values of the vector that a network learns for each digit, where it does.
pub(super) const EMBEDDING: usize = 16;

/// Layers that are added one after another; those with weights are numbered.
pub(super) struct Stack<'a> {
    r: &'a mut Recorder,
    network: &'static str,
    norm: Option<Over>,
    activation: Activation,
    weights: usize,
    pub layers: Vec<Layer>,
}

impl<'a> Stack<'a> {
    pub fn new(r: &'a mut Recorder, network: &'static str, norm: Option<Over>, activation: Activation) -> Self {
        Stack { r, network, norm, activation, weights: 0, layers: Vec::new() }
    }

    fn name(&mut self) -> String {
        self.weights += 1;
        format!("{}.{}", self.network, self.weights - 1)
    }

    /// A layer with weights, seen with another shape if one is given, then the norm if it may be `normed`, then the
    /// activation.
    pub fn hidden(
        &mut self,
        channels: usize,
        normed: bool,
        shape: Option<Vec<usize>>,
        build: impl FnOnce(&mut Recorder, &str, Bias) -> Layer,
    ) {
        let name = self.name();
        let norm = self.norm.filter(|_| normed);
        self.layers.push(build(self.r, &name, if norm.is_some() { Bias::InNorm } else { Bias::Own }));
        self.layers.extend(shape.map(Layer::Reshape));
        self.layers.extend(norm.map(|over| Layer::Norm(Norm::new(self.r, &name, channels, over))));
        self.layers.push(Layer::Activation(self.activation));
    }

    /// A layer with weights alone.
    pub fn last(&mut self, build: impl FnOnce(&mut Recorder, &str) -> Layer) {
        let name = self.name();
        self.layers.push(build(self.r, &name));
    }

    /// Hidden dense layers of these widths; returns the last width.
    pub fn dense(&mut self, mut inputs: usize, widths: &[u32]) -> usize {
        for outputs in widths.iter().map(|&width| width as usize) {
            self.hidden(outputs, true, None, |r, name, bias| {
                Layer::Linear(Linear::new(r, name, inputs, outputs, Start::He, bias))
            });
            inputs = outputs;
        }
        inputs
    }

    /// The convolutions that a size of image has beyond its first: they keep extents and channels.
    pub fn more_convolutions(&mut self, channels: usize, depth: u32) {
        for _ in 1..depth {
            self.hidden(channels, true, None, |r, name, bias| {
                Layer::Conv(Conv::new(r, name, channels, channels, Window::KEEPING, Start::He, bias))
            });
        }
    }
}

/// What G's hidden layers are normalised over.
pub(super) fn norm(choice: GNorm) -> Option<Over> {
    match choice {
        GNorm::None => None,
        GNorm::Batch => Some(Over::Batch),
        GNorm::Layer => Some(Over::Layer),
    }
}

/// What D's hidden layers are normalised over; a spectral norm is of weights instead.
pub(super) fn d_norm(choice: DNorm) -> Option<Over> {
    match choice {
        DNorm::None | DNorm::Spectral => None,
        DNorm::Batch => Some(Over::Batch),
        DNorm::Layer => Some(Over::Layer),
    }
}
