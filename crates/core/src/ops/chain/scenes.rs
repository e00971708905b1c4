//! Chains to be held against a CPU.

use crate::error::Result;
use crate::ops::Op;
use crate::ops::activation::Activation::{LeakyRelu, Sigmoid, Tanh};
use crate::ops::check::{Random, Scene};
use crate::ops::conv::{Geometry, windows};
use crate::ops::dropout::Draw;
use crate::ops::normalize::Grouping;
use crate::ops::product::Orientation;
use crate::ops::tick::{LANES, Lane};
use crate::ops::translate::Shift;
use crate::program::{DType, Init, Recorder, Shape, Tensor};
use std::rc::Rc;

/// What is made of logits, the first half of which are of real images.
#[derive(Debug)]
enum Loss {
    /// The non-saturating loss.
    Softplus,
    Squares,
    /// How far the halves' means are apart, whose gradient asks no logit.
    Apart,
    /// The first one alone, turned round: its gradient is a constant beside zeros.
    First,
}

impl Loss {
    fn of(&self, r: &mut Recorder, logits: Tensor, half: usize) -> Result<Tensor> {
        match self {
            Loss::Squares => return r.sum_of_squares(logits),
            Loss::First => {
                let first = r.slice(logits, 0, 0, 1)?;
                return r.affine(first, -1.0, 0.0);
            }
            Loss::Softplus | Loss::Apart => {}
        }
        let [real, fake] = [r.slice(logits, 0, 0, half)?, r.slice(logits, 0, half, half)?];
        if let Loss::Apart = self {
            let [real, fake] = [r.mean(real)?, r.mean(fake)?];
            return r.sub(fake, real);
        }
        let minus = r.affine(real, -1.0, 0.0)?;
        let [real, fake] = [r.softplus(minus)?, r.softplus(fake)?];
        let [real, fake] = [r.mean(real)?, r.mean(fake)?];
        r.add(real, fake)
    }
}

/// Layers up, down and across, and one there and back for each way that a kernel can meet an image; with what goes back through
/// them. Their pixels fill no tile, and their channels make each width of one.
pub(in crate::ops) fn scenes() -> Vec<Scene> {
    struct Layers {
        r: Recorder,
        random: Random,
        uploads: Vec<(Tensor, Vec<u32>)>,
    }
    impl Layers {
        fn new() -> Self {
            let mut r = Recorder::new();
            r.begin("layers");
            Layers { r, random: Random(0x1234_5679), uploads: Vec::new() }
        }

        fn input(&mut self, shape: impl Into<Shape>) -> Tensor {
            let shape = shape.into();
            let values = (0..shape.len()).map(|_| (self.random.next() as f32 - 0.5).to_bits()).collect();
            let t = self.r.input("input", shape, DType::F32);
            self.uploads.push((t, values));
            t
        }

        /// From `x` to `y`, and back by a loss whose gradient needs all of them, in chains of so many operations.
        fn scene(mut self, name: String, [x, y]: [Tensor; 2], links: &[usize]) -> Scene {
            let loss = self.r.sum_of_squares(y).unwrap();
            let loss = self.r.sqrt(loss).unwrap();
            self.back(name, [x, y, loss], links)
        }

        /// From `x` to `y`, and back from a loss.
        fn back(mut self, name: String, [x, y, loss]: [Tensor; 3], links: &[usize]) -> Scene {
            let dx = self.r.gradients(loss, &[x]).unwrap()[0];
            let recording = self.r.finish(true, &[y, dx]);
            let chains = recording.programs[0].ops.iter().filter(|op| op.name() == "chain");
            let there = |op: &Rc<dyn Op>| op.parts().map_or(1, <[_]>::len);
            assert_eq!(chains.map(there).collect::<Vec<_>>(), links, "{name}: forwards and back");
            let (recording, uploads) = (recording.into(), self.uploads);
            Scene { name, recording, uploads, outputs: vec![y, dx], times: 1, tolerance: 1e-5 }
        }
    }
    let all = |[batch, height, width]: [usize; 3], channels: [usize; 4]| {
        let mut l = Layers::new();
        let [c0, c1, c2, c3] = channels;
        let x = l.input([batch, height, width, c0]);
        let [up, across, down] = [[4, 4, c1, c0], [3, 3, c1, c2], [4, 4, c2, c3]].map(|shape| l.input(shape));
        let bias = l.input([c2]);
        let r = &mut l.r;
        let y = r.conv_transpose(x, up, 2, 1).unwrap();
        let y = r.normalize(y, Grouping { groups: batch, columns: 1 }).unwrap();
        let y = r.activation(y, LeakyRelu(0.2)).unwrap();
        let y = r.upsample(y, 2).unwrap();
        let y = r.conv(y, across, 1, 1).unwrap();
        let y = r.add(y, bias).unwrap();
        let y = r.activation(y, Tanh).unwrap();
        let y = r.conv(y, down, 2, 1).unwrap();
        l.scene(format!("chain of {batch}x{height}x{width}, {channels:?}"), [x, y], &[5, 5])
    };
    let there_and_back = |[height, width]: [usize; 2], kernel: [usize; 2], stride, pad| {
        let mut l = Layers::new();
        let x = l.input([2, height, width, 4]);
        let w = l.input([kernel[0], kernel[1], 4, 8]);
        let [out_height, out_width] =
            [(height, kernel[0]), (width, kernel[1])].map(|(n, k)| windows(n, k, stride, pad).unwrap());
        let (batch, channels, out_channels) = (2, 4, 8);
        let g = Geometry { batch, height, width, channels, out_height, out_width, out_channels, kernel, stride, pad };
        let y = l.r.conv_at(g, x, w).unwrap();
        let y = l.r.activation(y, Sigmoid).unwrap();
        let y = l.r.conv_transpose_at(g, y, w).unwrap();
        l.scene(format!("chain there and back, {g:?}"), [x, y], &[2, 2])
    };
    // Norms of a batch, or of its parts each, between convolutions: half in the chain before them, half in the one behind.
    let batch = |[batch, height, width]: [usize; 3], [c0, c1, c2]: [usize; 3], groups| {
        let mut l = Layers::new();
        let x = l.input([batch, height, width, c0]);
        let [w0, w1, w2] = [[c0, c1], [c1, c2], [c2, c0]].map(|[from, to]| l.input([3, 3, from, to]));
        let bias = l.input([c1]);
        let r = &mut l.r;
        let y = r.conv(x, w0, 1, 1).unwrap();
        let y = r.normalize(y, Grouping { groups, columns: c1 }).unwrap();
        let y = r.add(y, bias).unwrap();
        let y = r.activation(y, LeakyRelu(0.2)).unwrap();
        let y = r.conv(y, w1, 1, 1).unwrap();
        let y = r.normalize(y, Grouping { groups, columns: c2 }).unwrap();
        let y = r.activation(y, Tanh).unwrap();
        let y = r.conv(y, w2, 1, 1).unwrap();
        l.scene(format!("chains of a batch of {batch}x{height}x{width}, {groups} parts"), [x, y], &[1, 2, 2, 1, 2, 2])
    };
    // From one channel and to one, across and by strides, ends between fours, each a gate of what goes back through it.
    let singles = |[batch, height, width]: [usize; 3], kernel, stride, pad| {
        let mut l = Layers::new();
        let x = l.input([batch, height, width, 1]);
        let [w0, w1] = [8, 12].map(|channels| l.input([kernel, kernel, 1, channels]));
        let [w2, bias] = [l.input([kernel, kernel, 8, 12]), l.input([1])];
        let r = &mut l.r;
        let y = r.conv(x, w0, stride, pad).unwrap();
        let y = r.activation(y, LeakyRelu(0.2)).unwrap();
        let y = r.conv(y, w2, 1, kernel / 2).unwrap();
        let y = r.conv_transpose(y, w1, stride, pad).unwrap();
        let y = r.add(y, bias).unwrap();
        let y = r.activation(y, Tanh).unwrap();
        l.scene(format!("chain of one channel {batch}x{height}x{width}, kernel {kernel} by {stride}"), [x, y], &[3, 3])
    };
    // A head behind a convolution, and its gradient before that one's; there may be dropout between them.
    let head = |[batch, height, width]: [usize; 3], channels, columns, rate: Option<f32>| {
        let mut l = Layers::new();
        let x = l.input([batch, height, width, 4]);
        let (wide, links) = (height * width * channels, if rate.is_some() { 3 } else { 2 });
        let [w, head, bias] = [l.input([3, 3, 4, channels]), l.input([wide, columns]), l.input([columns])];
        let r = &mut l.r;
        let y = r.conv(x, w, 1, 1).unwrap();
        let y = r.activation(y, LeakyRelu(0.2)).unwrap();
        let mut y = r.reshape(y, [batch, wide]).unwrap();
        if let Some(rate) = rate {
            // Recorded behind a tick, it may run before it.
            let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
            l.uploads.push((clock, vec![0, 0, 5, 0, 9, 0, 0, 0]));
            r.tick(clock, Lane::Generator).unwrap();
            y = r.dropout(y, Draw { clock, lane: Lane::Generator, stream: 7, rate }).unwrap();
        }
        let y = r.product(y, head, Orientation::Plain).unwrap();
        let y = r.add(y, bias).unwrap();
        let y = r.activation(y, Tanh).unwrap();
        l.scene(
            format!("chain of {batch}x{height}x{width}, {channels} channels to {columns}, dropped: {rate:?}"),
            [x, y],
            &[links; 2],
        )
    };
    // A GAN's head and its loss: each logit's way back is its own, but for labels, and for which half of the batch it is of.
    let judged = |[half, height, width]: [usize; 3], labels: Option<usize>, loss: Loss, links| {
        let mut l = Layers::new();
        let (batch, classes) = (2 * half, labels.unwrap_or(0));
        let x = l.input([batch, height, width, 4]);
        let [w, head] = [l.input([3, 3, 4, 4]), l.input([height * width * 4, 1 + classes])];
        let r = &mut l.r;
        let y = r.conv(x, w, 1, 1).unwrap();
        let y = r.activation(y, LeakyRelu(0.2)).unwrap();
        let y = r.reshape(y, [batch, height * width * 4]).unwrap();
        let scores = r.product(y, head, Orientation::Plain).unwrap();
        let mut logits = r.slice(scores, 1, 0, 1).unwrap();
        if classes > 0 {
            let classes: Vec<u32> = (0..half).map(|i| ((7 * i + 3) % (classes + 1)) as u32).collect();
            let labels = r.input("labels", [half], DType::U32);
            l.uploads.push((labels, classes));
            let labels = r.concat(labels, labels, 0).unwrap();
            let picked = r.pick(scores, labels, 1).unwrap();
            logits = r.add(logits, picked).unwrap();
        }
        let value = loss.of(r, logits, half).unwrap();
        let name = format!("chain there and back: {half}x{height}x{width}, labels {labels:?}, {loss:?}");
        l.back(name, [x, logits, value], links)
    };
    // Moved, and then seen by a convolution.
    let displaced = |[batch, height, width, channels]: [usize; 4]| {
        let mut l = Layers::new();
        let x = l.input([batch, height, width, channels]);
        let w = l.input([3, 3, channels, 8]);
        let clock = l.r.input("clock", [LANES], DType::U32);
        l.uploads.push((clock, vec![0, 0, 5, 0, 9, 0, 0, 0]));
        let shift = Shift { clock, lane: Lane::Generator, stream: 8, most: 2 };
        let y = l.r.activation(x, Tanh).unwrap();
        let y = l.r.translate(y, shift, -1.0).unwrap();
        let y = l.r.conv(y, w, 1, 1).unwrap();
        l.scene(format!("chain of {batch}x{height}x{width}x{channels}, moved"), [x, y], &[2, 2])
    };
    vec![
        judged([3, 5, 5], Some(10), Loss::Softplus, &[24]),
        judged([1, 7, 7], Some(3), Loss::Softplus, &[24]),
        judged([16, 3, 3], None, Loss::Softplus, &[19]),
        judged([2, 5, 3], None, Loss::Squares, &[8]),
        judged([5, 3, 5], Some(15), Loss::Squares, &[13]),
        judged([3, 5, 5], Some(10), Loss::Apart, &[13]),
        judged([2, 5, 5], None, Loss::Apart, &[10]),
        judged([2, 3, 5], None, Loss::First, &[6]),
        displaced([5, 6, 7, 1]),
        displaced([3, 4, 4, 4]),
        displaced([2, 3, 5, 3]),
        head([3, 7, 7], 8, 11, None),
        head([3, 4, 5], 8, 11, Some(0.3)),
        head([2, 5, 3], 4, 1, None),
        head([2, 9, 9], 16, 16, None),
        head([1, 1, 1], 4, 9, None),
        singles([2, 6, 6], 4, 2, 1),
        singles([3, 5, 7], 3, 1, 1),
        singles([2, 9, 3], 3, 3, 0),
        batch([6, 7, 5], [4, 8, 12], 1),
        batch([6, 3, 2], [4, 20, 44], 3),
        batch([2, 5, 5], [8, 4, 4], 2),
        all([3, 7, 7], [16, 8, 8, 16]),
        all([2, 3, 5], [4, 12, 20, 4]),
        all([5, 1, 2], [8, 4, 4, 24]),
        // Value by value, alone and between fours.
        all([3, 4, 5], [3, 6, 5, 2]),
        all([2, 3, 3], [8, 4, 7, 12]),
        batch([6, 5, 3], [3, 6, 10], 2),
        batch([4, 4, 4], [4, 7, 8], 1),
        there_and_back([5, 4], [3, 2], 1, 0),
        there_and_back([4, 6], [4, 2], 2, 2),
        there_and_back([6, 9], [3, 6], 3, 1),
        // The windows leave the last rows uncovered.
        there_and_back([6, 6], [3, 3], 3, 1),
        there_and_back([8, 8], [4, 4], 4, 5),
    ]
}
