//! Several layers in one dispatch, each workgroup taking an image of its own through all of them.
//!
//! Between two layers of an image nothing waits for other images, only for the layer before. So where a layer of one image is
//! little work for a workgroup, beside what a dispatch costs, a deep network needs no more dispatches than a shallow
//! one. A layer that can serve says in [`super::Op::link`] what it is; the CPU runs the operations themselves.

mod half;
mod link;
mod own;
mod writer;

pub(crate) use half::{halves, is_half};
pub(super) use link::Form;
pub use link::Link;
pub(crate) use own::{is_own, own};

use super::block::MOST_MEMORIES;
use super::normalize::EPSILON;
use super::{Adapter, Kernel, Op, Shader, params, shader};
use crate::program::{Recorder, Role, Tensor, distinct};
use std::rc::Rc;

/// The most layers of a chain: it is compiled as a whole.
const MOST_LINKS: usize = 20;
params! { links: u32, epsilon: f32 }

/// Those of a workgroup.
fn threads(adapter: Adapter) -> usize {
    adapter.lanes().unwrap_or(256)
}

/// Layers of one image after another. See the module's head.
pub(crate) struct Chain {
    links: u32,
    parts: Vec<Rc<dyn Op>>,
    images: usize,
    /// The memories it touches, each bound as a whole.
    memories: Vec<Tensor>,
    /// For software adapters, and for GPUs.
    shaders: [Shader; 2],
}

/// Some tensors of all these links.
fn of_links(parts: &[Rc<dyn Op>], some: fn(&Link) -> Vec<Tensor>) -> Vec<Tensor> {
    let mut all = Vec::new();
    for link in parts.iter().filter_map(|op| op.link()) {
        all.extend(some(&link));
    }
    all
}

impl Chain {
    /// Whether links may stand behind these: the first takes the same images from where the last of these put them, and what they
    /// need of all images is none that these write.
    pub fn continues(r: &Recorder, parts: &[Rc<dyn Op>], others: &[Rc<dyn Op>]) -> bool {
        let link = |op: Option<&Rc<dyn Op>>| op.and_then(|op| op.link());
        let (Some(last), Some(first)) = (link(parts.last()), link(others.first())) else { return false };
        let (results, shared) = (super::writes(parts), of_links(others, Link::of_all_images));
        last.images == first.images && r.is_same_place(last.result, first.source) && !r.meet(&shared, &results)
    }

    /// Whether links write what these halves read, and read what they write.
    pub fn between(r: &Recorder, links: &[Link], halves: &[Rc<dyn Op>; 2]) -> bool {
        let [first, then] = halves.each_ref().map(|half| half.link());
        first.is_some_and(|first| links.iter().any(|link| r.is_same_place(link.result, first.source)))
            && then.is_some_and(|then| links.iter().any(|link| r.is_same_place(link.source, then.result)))
    }

    /// What a chain of these operations takes value by value, and what in fours. Apart, each is bound as what it is.
    pub fn sides(parts: &[Rc<dyn Op>]) -> [Vec<Tensor>; 2] {
        let (singles, mut fours) = (of_links(parts, Link::singles), of_links(parts, Link::tensors));
        fours.retain(|t| !singles.contains(t));
        [singles, fours]
    }

    /// The storages that a chain of these operations would bind.
    pub fn storages(parts: &[Rc<dyn Op>], r: &Recorder) -> Vec<Tensor> {
        distinct(of_links(parts, Link::tensors).into_iter().map(|t| r.storage(t)))
    }

    /// Whether one chain has room for these operations.
    pub fn has_room(parts: &[Rc<dyn Op>], r: &Recorder) -> bool {
        // Results will share pools; what doesn't is bound on its own.
        let own = Chain::storages(parts, r).into_iter().filter(|&s| r.info(s).role != Role::Result).count();
        parts.len() <= MOST_LINKS && own < MOST_MEMORIES - 2
    }

    /// The chain of these operations in this order, once their tensors have their places, if few enough memories hold them.
    pub fn placed(parts: Vec<Rc<dyn Op>>, r: &Recorder) -> Option<Self> {
        let memories = Chain::storages(&parts, r);
        if memories.len() > MOST_MEMORIES {
            return None;
        }
        let more = parts.iter().any(|op| is_own(op) || op.link().is_some_and(|link| link.clock().is_some()));
        let Shader { name, source } =
            if more { shader!("chain", "total", "random", "functions") } else { shader!("chain", "total") };
        // A text suits as many threads as it is written for, or more: so that for the fewest serves both kinds of software adapter.
        let shaders = [Adapter::SoftwareQuads, Adapter::Hardware]
            .map(|adapter| Shader { name, source: writer::shader(&source, &parts, r, &memories, adapter).into() });
        let images = parts.first()?.link()?.images;
        let (links, parts) = (parts.len() as u32, parts.iter().flat_map(super::parts).collect());
        Some(Chain { links, parts, images, memories, shaders })
    }
}

impl Op for Chain {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn reads(&self) -> Vec<Tensor> {
        Vec::new()
    }

    fn writes(&self) -> Vec<Tensor> {
        self.memories.clone()
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, _x: &[&[f32]], _y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        unreachable!("a CPU runs a chain's parts")
    }

    fn parts(&self) -> Option<&[Rc<dyn Op>]> {
        Some(&self.parts)
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        Kernel {
            shader: self.shaders[usize::from(!adapter.is_software())].clone(),
            entry: "run",
            constants: vec![("THREADS", threads(adapter) as f64)],
            params: Params { links: self.links, epsilon: EPSILON }.bytes(),
            workgroups: [self.images as u32, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("chain", Params::layout())
}

/// Layers up, down and across, and one there and back for each way that a kernel can meet an image; with what goes back through
/// them. Their pixels fill no tile, and their channels make each width of one.
#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use super::activation::Activation::{LeakyRelu, Sigmoid, Tanh};
    use super::check::{Random, Scene};
    use super::conv::{Geometry, windows};
    use super::dropout::Draw;
    use super::normalize::Grouping;
    use super::product::Orientation;
    use super::tick::{LANES, Lane};
    use super::translate::Shift;
    use crate::program::{DType, Init, Shape};
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
    let judged = |[half, height, width]: [usize; 3], labels: Option<usize>, squares: bool, links| {
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
        let loss = if squares {
            r.sum_of_squares(logits).unwrap()
        } else {
            let [real, fake] = [0, half].map(|start| r.slice(logits, 0, start, half).unwrap());
            let minus = r.affine(real, -1.0, 0.0).unwrap();
            let [real, fake] = [minus, fake].map(|x| {
                let terms = r.softplus(x).unwrap();
                r.mean(terms).unwrap()
            });
            r.add(real, fake).unwrap()
        };
        l.back(
            format!("chain there and back: {half}x{height}x{width}, labels {labels:?}, {squares}"),
            [x, logits, loss],
            links,
        )
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
        judged([3, 5, 5], Some(10), false, &[24]),
        judged([1, 7, 7], Some(3), false, &[24]),
        judged([16, 3, 3], None, false, &[19]),
        judged([2, 5, 3], None, true, &[8]),
        judged([5, 3, 5], Some(15), true, &[13]),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::DType;

    #[test]
    fn what_is_written_for_each_adapter_is_valid() {
        for scene in scenes() {
            for op in scene.recording.programs[0].ops.iter().filter(|op| op.name() == "chain") {
                for adapter in [Adapter::Hardware, Adapter::Software] {
                    let source = op.kernel(adapter).shader.source;
                    let module = naga::front::wgsl::parse_str(&source)
                        .unwrap_or_else(|e| panic!("{}: {}", scene.name, e.emit_to_string(&source)));
                    let (flags, capabilities) = Default::default();
                    let valid = naga::valid::Validator::new(flags, capabilities).validate(&module);
                    valid.unwrap_or_else(|e| panic!("{}: {e:?}", scene.name));
                }
            }
        }
    }

    /// The chains of two convolutions of one image each, of these channels and this size.
    fn chains(channels: [usize; 3], extent: usize, groups: Option<usize>) -> usize {
        let mut r = Recorder::new();
        r.begin("layers");
        let x = r.input("x", [2, extent, extent, channels[0]], DType::F32);
        let w = [0, 1].map(|i| r.input("w", [3, 3, channels[i], channels[i + 1]], DType::F32));
        let y = r.conv(x, w[0], 1, 1).unwrap();
        let y = match groups {
            Some(groups) => r.normalize(y, super::super::normalize::Grouping { groups, columns: channels[1] }).unwrap(),
            None => y,
        };
        let y = r.conv(y, w[1], 1, 1).unwrap();
        let recording = r.finish(true, &[y]);
        recording.programs[0].ops.iter().filter(|op| op.name() == "chain").count()
    }

    #[test]
    fn what_is_much_for_one_workgroup_keeps_its_dispatch() {
        assert_eq!(chains([4, 8, 4], 6, None), 1);
        assert_eq!(chains([4, 6, 4], 6, None), 1, "channels that are no fours");
        assert_eq!(chains([4, 96, 4], 28, None), 0, "2.7 million multiplications");
        assert_eq!(chains([4, 8, 4], 6, Some(1)), 2, "statistics of the batch: half of them each");
        assert_eq!(chains([4, 96, 4], 28, Some(1)), 0, "no halves come without chains for them");
    }

    #[test]
    fn a_chain_that_would_bind_too_much_is_cut() {
        let links = |kept: usize| {
            let mut r = Recorder::new();
            r.begin("layers");
            let mut all = vec![r.input("x", [2, 5, 5, 4], DType::F32)];
            for i in 0..4 {
                let w = r.input("w", [3, 3, 4, 4], DType::F32);
                all.push(r.conv(all[i], w, 1, 1).unwrap());
            }
            let recording = r.finish(true, &all[5 - kept..]);
            recording.programs[0].ops.iter().map(|op| op.parts().map_or(1, <[_]>::len)).collect::<Vec<_>>()
        };
        assert_eq!(links(1), [4]);
        // Four weights, the images, and four results, none of which shares a memory, are one memory too many.
        assert_eq!(links(4), [2, 2]);
    }

    #[test]
    fn weights_that_its_images_write_are_no_links() {
        let mut r = Recorder::new();
        r.begin("layers");
        let x = r.input("x", [4, 4, 4, 4], DType::F32);
        let w = r.input("w", [3, 3, 4, 4], DType::F32);
        let y = r.conv(x, w, 1, 1).unwrap();
        let z = r.conv(y, y, 4, 3).unwrap();
        let recording = r.finish(true, &[z]);
        assert!(recording.programs[0].ops.iter().all(|op| op.name() == "conv"));
    }
}
