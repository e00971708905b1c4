//! The discriminator: images, and with labels which digit each should be, to logits. It can be shown several images of one
//! kind as one (*packing*: Lin et al. 2018, "PacGAN"), so that it sees where they are too alike.

use super::networks::{EMBEDDING, Stack, d_norm};
use crate::data::DIGITS;
use crate::error::{Error, Result};
use crate::layers::{Bias, Conv, Embedding, Layer, Linear, Network, Pass, Start, Window, one_hot};
use crate::ops::normalize::Grouping;
use crate::program::{Init, Recorder, Tensor};
use crate::train::settings::{Architecture, Condition, Settings, Toggle};

/// See the module's head.
pub struct Discriminator {
    /// `[N, P·K]`, or with labels joined, to features `[N, F]`.
    pub(super) body: Network,
    /// What the features go through once labels are joined to them: a hidden layer, since in a sum alone features and labels
    /// wouldn't meet.
    pub(super) joint: Network,
    /// Features to logits.
    pub(super) head: Linear,
    /// What the deviation of the features within a batch adds to each logit (Karras et al. 2018: their minibatch standard
    /// deviation as one more feature of the last layer).
    pub(super) spread: Option<Tensor>,
    /// Of a vector or an image for each digit.
    pub(super) labels: Option<Embedding>,
    condition: Condition,
    architecture: Architecture,
    /// Images in a pack, K.
    pub(super) pack: usize,
}

impl Discriminator {
    /// Declares the parameters that the settings describe.
    pub fn new(r: &mut Recorder, s: &Settings) -> Self {
        let pack = s.pack as usize;
        let pixels = s.size.image().pixels();
        let labels = match s.condition {
            Condition::Embedding => Some(EMBEDDING),
            Condition::Map => Some(pixels),
            _ => None,
        };
        let labels = labels.map(|extent| Embedding::new(r, "discriminator.labels", DIGITS, extent));
        let joined = pack
            * match s.condition {
                Condition::Concat => DIGITS,
                Condition::Embedding => EMBEDDING,
                _ => 0,
            };
        let channels = if s.condition == Condition::Map { 2 * pack } else { pack };
        let mut stack = Stack::new(r, "discriminator", d_norm(s.d_norm), s.d_activation.of(s.slope));
        let mut features = match s.architecture {
            Architecture::Conv => convolutional(&mut stack, s, channels),
            Architecture::Mlp => stack.dense(pixels * channels + joined, &s.d_widths.0),
        };
        let body = Network { layers: std::mem::take(&mut stack.layers) };
        if s.architecture == Architecture::Conv && joined > 0 {
            features = stack.dense(features + joined, &[JOINT]);
        }
        if s.dropout > 0.0 {
            stack.layers.push(Layer::Dropout { rate: s.dropout, stream: DROPOUT_STREAM });
        }
        let joint = Network { layers: stack.layers };
        let outputs = if s.condition == Condition::Projection { 1 + DIGITS } else { 1 };
        let head = Linear::new(r, "discriminator.head", features, outputs, Start::LeCun, Bias::Own);
        let spread = (s.spread == Toggle::On).then(|| {
            let init = Init::Normal((1.0 / features as f32).sqrt());
            r.parameter("discriminator.spread.weight", [1, outputs], init)
        });
        let (condition, architecture) = (s.condition, s.architecture);
        Discriminator { body, joint, head, spread, labels, condition, architecture, pack }
    }

    /// The learnt tensors, in order.
    pub fn parameters(&self) -> Vec<Tensor> {
        let head = [self.head.weight].into_iter().chain(self.head.bias).chain(self.spread);
        let labels = self.labels.map(|labels| labels.table);
        labels.into_iter().chain(self.body.parameters()).chain(self.joint.parameters()).chain(head).collect()
    }

    /// The parameters of its layers: not what it has learnt of the labels, which goes in beside the images.
    pub fn weights(&self) -> Vec<Tensor> {
        let head = [self.head.weight].into_iter().chain(self.spread);
        [self.body.parameters(), self.joint.parameters(), head.collect()].concat()
    }

    /// Images `[N·K, P]` with their labels `[N·K]` to logits `[N, 1]`; each part of the pass holds as many of both.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn forward(&self, r: &mut Recorder, x: Tensor, labels: Tensor, pass: Pass) -> Result<Tensor> {
        let joins = matches!(self.condition, Condition::Concat | Condition::Embedding);
        let mut x = self.side_by_side(r, x, pass.parts)?;
        if self.condition == Condition::Map {
            x = self.with_maps(r, x, labels, pass.parts)?;
        } else if joins && self.architecture == Architecture::Mlp {
            x = self.joined(r, x, labels, pass.parts)?;
        }
        let mut features = self.body.forward(r, x, pass)?;
        if joins && self.architecture == Architecture::Conv {
            features = self.joined(r, features, labels, pass.parts)?;
        }
        let features = self.joint.forward(r, features, pass)?;
        let mut logits = self.head.forward(r, features)?;
        if let Some(weight) = self.spread {
            logits = spread(r, features, logits, weight, pass.parts)?;
        }
        if self.condition != Condition::Projection {
            return Ok(logits);
        }
        // Miyato & Koyama 2018: how real it looks, plus how much like its label.
        let mut logit = r.slice(logits, 1, 0, 1)?;
        for label in self.packs(r, labels, pass.parts)? {
            let likeness = r.pick(logits, label, 1)?;
            logit = r.add(logit, likeness)?;
        }
        Ok(logit)
    }

    /// Rows `[N·K, ..]` as K times `[N, ..]`: those of the first images of all packs, of the second, and so on.
    fn packs(&self, r: &mut Recorder, rows: Tensor, parts: usize) -> Result<Vec<Tensor>> {
        if self.pack == 1 {
            return Ok(vec![rows]);
        }
        let shape = r.shape(rows).clone();
        let packs = shape.0[0] / parts / self.pack;
        if packs * parts * self.pack != shape.0[0] {
            let why = "the batch must consist of whole packs";
            return Err(Error::Shape { op: "pack", shape, why });
        }
        let width = shape.len() / shape.0[0];
        let seen = r.reshape(rows, [parts, self.pack, packs * width])?;
        let each = |k: usize| {
            let rows = r.slice(seen, 1, k, 1)?;
            r.reshape(rows, crate::program::Shape([&[parts * packs], &shape.0[1..]].concat()))
        };
        (0..self.pack).map(each).collect()
    }

    /// Images `[N·K, P]` as the channels of `[N, P·K]`.
    fn side_by_side(&self, r: &mut Recorder, x: Tensor, parts: usize) -> Result<Tensor> {
        let images = self.packs(r, x, parts)?;
        as_channels(r, &images)
    }

    /// What D hears of labels `[N·K]`, K times `[N, L]`. It is looked up for all at once, so that what is learnt of them has
    /// one gradient.
    fn heard(&self, r: &mut Recorder, labels: Tensor, parts: usize) -> Result<Vec<Tensor>> {
        let rows = match self.labels {
            Some(table) => table.forward(r, labels)?,
            None => one_hot(r, labels, DIGITS, 1.0)?,
        };
        self.packs(r, rows, parts)
    }

    /// What D hears of the labels joined to rows `[N, F]`.
    fn joined(&self, r: &mut Recorder, x: Tensor, labels: Tensor, parts: usize) -> Result<Tensor> {
        self.heard(r, labels, parts)?.into_iter().try_fold(x, |x, heard| r.concat(x, heard, 1))
    }

    /// The image of each label as another channel of `[N, P·K]`.
    fn with_maps(&self, r: &mut Recorder, x: Tensor, labels: Tensor, parts: usize) -> Result<Tensor> {
        let maps = self.heard(r, labels, parts)?;
        let pixels = r.shape(maps[0]).0[1];
        let maps = as_channels(r, &maps)?;
        let rows = r.shape(x).0[0];
        let x = r.reshape(x, [rows, pixels, self.pack])?;
        let maps = r.reshape(maps, [rows, pixels, self.pack])?;
        let both = r.concat(x, maps, 2)?;
        r.reshape(both, [rows, 2 * self.pack * pixels])
    }
}

/// Width of the layer where features and labels meet.
const JOINT: u32 = 64;
/// Random stream of what is dropped of D's features.
const DROPOUT_STREAM: u32 = 16;

/// Convolutions that halve the image again and again; returns how many features they leave.
fn convolutional(stack: &mut Stack, s: &Settings, channels: usize) -> usize {
    let (image, halvings) = (s.size.image(), s.size.halvings());
    stack.layers.push(Layer::Reshape(vec![image.rows, image.columns, channels]));
    let mut inputs = channels;
    for stage in 0..halvings {
        let outputs = (s.d_channels as usize) << stage;
        // What is next to the image has no norm (Radford et al. 2016).
        stack.hidden(outputs, stage > 0, None, |r, name, bias| {
            Layer::Conv(Conv::new(r, name, inputs, outputs, Window::HALVING, Start::He, bias))
        });
        stack.more_convolutions(outputs, s.d_depth);
        inputs = outputs;
    }
    let side = image.rows >> halvings;
    stack.layers.push(Layer::Reshape(vec![side * side * inputs]));
    side * side * inputs
}

/// Images `[N, P]` as the channels of `[N, P·K]`.
fn as_channels(r: &mut Recorder, images: &[Tensor]) -> Result<Tensor> {
    let [first, rest @ ..] = images else { unreachable!("a pack has an image") };
    let [rows, pixels] = r.shape(*first).matrix("pack")?;
    let mut all = r.reshape(*first, [rows, pixels, 1])?;
    for &image in rest {
        let image = r.reshape(image, [rows, pixels, 1])?;
        all = r.concat(all, image, 2)?;
    }
    r.reshape(all, [rows, pixels * images.len()])
}

/// Logits `[N, O]` plus `weight [1, O]` times the mean deviation of the features `[N, F]` within their part.
fn spread(r: &mut Recorder, features: Tensor, logits: Tensor, weight: Tensor, parts: usize) -> Result<Tensor> {
    let [rows, columns] = r.shape(features).matrix("minibatch deviation")?;
    if rows < 2 * parts {
        let why = "a deviation needs two rows or more of each batch, so a larger batch or smaller packs";
        return Err(Error::Shape { op: "minibatch deviation", shape: r.shape(features).clone(), why });
    }
    let outputs = r.shape(logits).0[1];
    let deviations = r.deviation(features, Grouping { groups: parts, columns })?;
    let sum = r.sum_to(deviations, [parts, 1, 1])?;
    let mean = r.affine(sum, 1.0 / columns as f32, 0.0)?;
    let share = r.mul(mean, weight)?;
    let logits = r.reshape(logits, [parts, rows / parts, outputs])?;
    let logits = r.add(logits, share)?;
    r.reshape(logits, [rows, outputs])
}
