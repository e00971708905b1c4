//! The classifier: images to features to the logits of ten digits.
//!
//! ```text
//! [N, 784] ─ conv 4×4, stride 2 ─ 14×14×16 ─ conv 4×4, stride 2 ─ 7×7×32 ─ conv 3×3 ─ 7×7×32
//!          ─ conv 3×3, stride 2 ─ 4×4×64 ─ linear ─ features [N, 64] ─ linear ─ logits [N, 10]
//! ```
//! A ReLU follows each layer but the last, the features included. There is no norm, so what is read off an image depends
//! on that image alone. An image costs 2.5 MFLOP.

use crate::data::{DIGITS, IMAGE};
use crate::error::Result;
use crate::layers::{Bias, Conv, Layer, Linear, Network, Pass, Start, Window};
use crate::ops::activation::Activation;
use crate::program::{DType, ProgramId, Recorder, Tensor};

/// Width of the layer before the logits.
pub const FEATURES: usize = 64;
/// Images that are read at a time.
pub const BATCH: usize = 100;

/// Channels after each convolution.
const CHANNELS: [usize; 4] = [16, 32, 32, 64];
/// Halves 7×7 to 4×4.
const LAST_WINDOW: Window = Window { kernel: 3, stride: 2, pad: 1 };
/// Extent of the image after the last convolution.
const LAST_EXTENT: usize = 4;
/// The share of the values that is dropped before each of the two dense layers while training.
const DROPPED: [f32; 2] = [0.2, 0.3];
/// Random streams of what is dropped; a layer adds its lane's number.
const DROPOUT_STREAMS: [u32; 2] = [32, 40];

/// See the module's head.
#[derive(Clone)]
pub(super) struct Classifier {
    body: Network,
    head: Network,
}

/// What was recorded of images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// `[N, FEATURES]`
    pub features: Tensor,
    /// `[N, 10]`
    pub logits: Tensor,
}

impl Classifier {
    /// Declares the parameters.
    pub fn new(r: &mut Recorder) -> Self {
        let windows = [Window::HALVING, Window::HALVING, Window::KEEPING, LAST_WINDOW];
        let relu = Layer::Activation(Activation::LeakyRelu(0.0));
        let [after_images, after_features] =
            [0, 1].map(|i| Layer::Dropout { rate: DROPPED[i], stream: DROPOUT_STREAMS[i] });
        let mut layers = vec![Layer::Reshape(vec![IMAGE.rows, IMAGE.columns, 1])];
        let mut inputs = 1;
        for (i, (outputs, window)) in CHANNELS.into_iter().zip(windows).enumerate() {
            let conv = Conv::new(r, &format!("judge.{i}"), inputs, outputs, window, Start::He, Bias::Own);
            layers.extend([Layer::Conv(conv), relu.clone()]);
            inputs = outputs;
        }
        let flat = LAST_EXTENT * LAST_EXTENT * inputs;
        let dense = Linear::new(r, "judge.features", flat, FEATURES, Start::He, Bias::Own);
        layers.extend([Layer::Reshape(vec![flat]), after_images, Layer::Linear(dense), relu]);
        let head = Linear::new(r, "judge.logits", FEATURES, DIGITS, Start::LeCun, Bias::Own);
        Classifier { body: Network { layers }, head: Network { layers: vec![after_features, Layer::Linear(head)] } }
    }

    /// The learnt tensors, in order.
    pub fn parameters(&self) -> Vec<Tensor> {
        [self.body.parameters(), self.head.parameters()].concat()
    }

    /// The same with averages in place of the parameters.
    pub fn twin(&self, r: &mut Recorder) -> Self {
        Classifier { body: self.body.twin(r), head: self.head.twin(r) }
    }

    /// Images `[N, 784]`, values from -1 to 1.
    ///
    /// # Errors
    /// [`crate::Error`] where the shape doesn't fit.
    pub fn forward(&self, r: &mut Recorder, images: Tensor, pass: Pass) -> Result<Seen> {
        let features = self.body.forward(r, images, pass)?;
        let logits = self.head.forward(r, features, pass)?;
        Ok(Seen { features, logits })
    }
}

/// A program that reads [`BATCH`] images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub program: ProgramId,
    /// `[BATCH, 784]`, values from -1 to 1.
    pub images: Tensor,
    pub seen: Seen,
}

impl Reading {
    /// Records it.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn record(r: &mut Recorder, classifier: &Classifier) -> Result<Self> {
        let program = r.begin("read");
        let images = r.input("images", [BATCH, IMAGE.pixels()], DType::F32);
        let seen = classifier.forward(r, images, Pass::PLAIN)?;
        Ok(Reading { program, images, seen })
    }
}

/// A program that finds how the loss of [`BATCH`] images follows from their pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slope {
    pub program: ProgramId,
    /// `[BATCH]`
    pub labels: Tensor,
    /// `[BATCH, 784]`: of each image's own cross-entropy with its label.
    pub gradient: Tensor,
}

impl Slope {
    /// Records it; it reads the images of `reading`.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn record(r: &mut Recorder, classifier: &Classifier, reading: &Reading) -> Result<Self> {
        let program = r.begin("slope");
        let labels = r.input("labels", [BATCH], DType::U32);
        let seen = classifier.forward(r, reading.images, Pass::PLAIN)?;
        let losses = r.cross_entropy(seen.logits, labels)?;
        let sum = r.sum_to(losses, [1])?;
        let gradient = r.gradients(sum, &[reading.images])?[0];
        Ok(Slope { program, labels, gradient })
    }
}
