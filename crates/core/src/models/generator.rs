//! The generator: noise and, with labels, what it hears of the digit, to images.

use super::networks::{EMBEDDING, Stack, norm};
use crate::data::DIGITS;
use crate::error::Result;
use crate::layers::{Bias, Conv, ConvTranspose, Embedding, Layer, Linear, Network, Pass, Start, Window, one_hot, twin};
use crate::ops::activation::Activation;
use crate::program::{Recorder, Tensor};
use crate::train::settings::{Architecture, Condition, Settings, Upsampling};

/// See the module's head.
pub struct Generator {
    labels: Labels,
    /// `[B, Z + L]` to `[B, P]`.
    pub(super) body: Network,
}

/// What G hears of the digit beside the noise.
#[derive(Clone, Copy)]
enum Labels {
    Nothing,
    /// This number at the digit's place, `[B, 10]`.
    OneHot(f32),
    /// A learnt vector.
    Embedded(Embedding),
}

impl Generator {
    /// Declares the parameters that the settings describe.
    pub fn new(r: &mut Recorder, s: &Settings) -> Self {
        let (labels, heard) = match s.condition {
            Condition::None => (Labels::Nothing, 0),
            Condition::Projection | Condition::Concat => (Labels::OneHot(s.label_scale), DIGITS),
            Condition::Embedding | Condition::Map => {
                let table = Embedding::new(r, "generator.labels", DIGITS, EMBEDDING);
                (Labels::Embedded(table), EMBEDDING)
            }
        };
        let inputs = s.noise as usize + heard;
        let stack = Stack::new(r, "generator", norm(s.g_norm), s.g_activation.of(s.slope));
        let layers = match s.architecture {
            Architecture::Conv => convolutional(stack, s, inputs),
            Architecture::Mlp => dense(stack, s, inputs),
        };
        Generator { labels, body: Network { layers } }
    }

    /// What joins the noise to tell it the digit: how many numbers, and the table that they are learnt in, if they are.
    pub(super) fn heard(&self) -> Option<(usize, Option<Embedding>)> {
        match self.labels {
            Labels::Nothing => None,
            Labels::OneHot(_) => Some((DIGITS, None)),
            Labels::Embedded(table) => Some((EMBEDDING, Some(table))),
        }
    }

    /// The learnt tensors, in order.
    pub fn parameters(&self) -> Vec<Tensor> {
        let table = if let Labels::Embedded(labels) = self.labels { vec![labels.table] } else { vec![] };
        [table, self.body.parameters()].concat()
    }

    /// The same network with each parameter replaced by a state that starts as its copy.
    pub fn twin(&self, r: &mut Recorder) -> Generator {
        let labels = match self.labels {
            Labels::Embedded(labels) => Labels::Embedded(Embedding { table: twin(r, labels.table) }),
            other => other,
        };
        Generator { labels, body: self.body.twin(r) }
    }

    /// Noise `[B, Z]` and labels `[B]` to images `[B, P]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn forward(&self, r: &mut Recorder, noise: Tensor, labels: Option<Tensor>, pass: Pass) -> Result<Tensor> {
        let heard = match (self.labels, labels) {
            (Labels::OneHot(scale), Some(labels)) => Some(one_hot(r, labels, DIGITS, scale)?),
            (Labels::Embedded(table), Some(labels)) => Some(table.forward(r, labels)?),
            _ => None,
        };
        let input = heard.map_or(Ok(noise), |heard| r.concat(noise, heard, 1))?;
        self.body.forward(r, input, pass)
    }
}

/// A dense layer to a small image of many channels, which doubles until it is large enough.
fn convolutional(mut stack: Stack, s: &Settings, inputs: usize) -> Vec<Layer> {
    let (doublings, image) = (s.size.halvings(), s.size.image());
    let side = image.rows >> doublings;
    // With so many doublings to come.
    let channels = |to_come: usize| (s.g_channels as usize) << (to_come - 1);
    let first = channels(doublings);
    stack.hidden(first, true, Some(vec![side, side, first]), |r, name, bias| {
        Layer::Linear(Linear::new(r, name, inputs, side * side * first, Start::He, bias))
    });
    for to_come in (1..doublings).rev() {
        stack.more_convolutions(channels(to_come + 1), s.g_depth);
        let [inputs, outputs] = [channels(to_come + 1), channels(to_come)];
        doubling(&mut stack, s, |stack, build| {
            stack.hidden(outputs, true, None, |r, name, bias| build(r, name, inputs, outputs, Start::He, bias))
        });
    }
    stack.more_convolutions(channels(1), s.g_depth);
    doubling(&mut stack, s, |stack, build| {
        stack.last(|r, name| build(r, name, channels(1), 1, Start::LeCun, Bias::Own));
    });
    stack.layers.extend([Layer::Activation(Activation::Tanh), Layer::Reshape(vec![image.pixels()])]);
    stack.layers
}

type Build = fn(&mut Recorder, &str, usize, usize, Start, Bias) -> Layer;

/// What makes an image twice as large, in the way that the settings ask for.
fn doubling(stack: &mut Stack, s: &Settings, add: impl FnOnce(&mut Stack, Build)) {
    match s.upsampling {
        Upsampling::Transposed => add(stack, |r, name, inputs, outputs, start, bias| {
            Layer::ConvTranspose(ConvTranspose::new(r, name, inputs, outputs, Window::HALVING, start, bias))
        }),
        Upsampling::Nearest => {
            stack.layers.push(Layer::Upsample(2));
            add(stack, |r, name, inputs, outputs, start, bias| {
                Layer::Conv(Conv::new(r, name, inputs, outputs, Window::KEEPING, start, bias))
            });
        }
    }
}

fn dense(mut stack: Stack, s: &Settings, inputs: usize) -> Vec<Layer> {
    let pixels = s.size.image().pixels();
    let last = stack.dense(inputs, &s.g_widths.0);
    stack.last(|r, name| Layer::Linear(Linear::new(r, name, last, pixels, Start::LeCun, Bias::Own)));
    stack.layers.push(Layer::Activation(Activation::Tanh));
    stack.layers
}
