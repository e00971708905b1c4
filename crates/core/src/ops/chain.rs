//! Several layers in one dispatch, each workgroup taking an image of its own through all of them.
//!
//! Between two layers of an image nothing waits for other images, only for the layer before. So where a layer of one image is
//! little work for a workgroup, beside what a dispatch costs, a deep network needs no more dispatches than a shallow
//! one. A layer that can serve says in [`super::Op::link`] what it is; the CPU runs the operations themselves.

mod writer;

use super::block::{Beside, MOST_MEMORIES};
use super::conv::Geometry;
use super::epilogue::Epilogue;
use super::{Adapter, Kernel, Op, Shader, params, shader};
use crate::program::{Recorder, Role, Tensor, distinct};
use std::rc::Rc;

/// The most layers of a chain: it is compiled as a whole.
const MOST_LINKS: usize = 20;
/// The most multiplications in a layer of one image: beyond, all workgroups together are quicker, a dispatch a layer. A guess from
/// what a dispatch and a multiplication take on GPUs, not timed yet.
const MOST_WORK: u64 = 1 << 20;
/// The most values of an image that a layer without multiplications writes, likewise.
const MOST_VALUES: usize = 1 << 16;

params! { links: u32 }

/// A layer of which an image needs nothing of the others.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub(super) images: usize,
    /// What the layer before it writes.
    pub(super) source: Tensor,
    /// What else it needs: weights, or of a norm's gradient what was normalised.
    pub(super) other: Option<Tensor>,
    pub(super) result: Tensor,
    /// What it does at its end.
    pub(super) epilogue: Epilogue,
    pub(super) form: Form,
}

/// What a link does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// A convolution from the large side to the small one.
    Conv(Geometry),
    /// Its transpose.
    ConvTranspose(Geometry),
    /// Evens out all values of an image, so many of so many channels; or is the gradient of that.
    Normalize { len: usize, channels: usize, backward: bool },
    /// Repeats pixels, or sums squares of them, and scales them.
    Squares {
        /// The result's `[H, W, C]`.
        result: [usize; 3],
        factor: usize,
        scale: f32,
        pools: bool,
    },
}

impl Form {
    /// Whether a chain has text for it, and it is little work for an image.
    fn fits(&self) -> bool {
        match self {
            Form::Conv(g) | Form::ConvTranspose(g) => {
                let phases = if let Form::Conv(_) = self { 1 } else { g.stride };
                let whole = [g.height, g.width, g.kernel[0], g.kernel[1]].iter().all(|n| n.is_multiple_of(phases));
                let fours = g.channels.is_multiple_of(4) || g.out_channels.is_multiple_of(4);
                let singles = [g.channels, g.out_channels].iter().all(|&n| n == 1 || n.is_multiple_of(4));
                let work = g.flops() / 2 / g.batch.max(1) as u64;
                whole && fours && singles && work <= MOST_WORK
            }
            Form::Normalize { len, channels, .. } => channels.is_multiple_of(4) && (1..MOST_VALUES).contains(len),
            Form::Squares { result, .. } => {
                result[2].is_multiple_of(4) && result.iter().product::<usize>() < MOST_VALUES
            }
        }
    }
}

impl Form {
    /// Whether the images that it reads have one channel, and whether those that it writes do.
    fn single_channels(&self) -> (bool, bool) {
        match self {
            Form::Conv(g) => (g.channels == 1, g.out_channels == 1),
            Form::ConvTranspose(g) => (g.out_channels == 1, g.channels == 1),
            Form::Normalize { .. } | Form::Squares { .. } => (false, false),
        }
    }
}

impl Link {
    fn tensors(self) -> impl Iterator<Item = Tensor> {
        [Some(self.source), self.other, Some(self.result), self.epilogue.beside()].into_iter().flatten()
    }

    /// Its images of one channel: what it reads or writes value by value.
    pub fn singles(&self) -> Vec<Tensor> {
        let (from_one, to_one) = self.form.single_channels();
        let (gate, _, _) = self.epilogue.codes();
        let gate = self.epilogue.beside().filter(|_| gate == Beside::Gate && to_one);
        [from_one.then_some(self.source), to_one.then_some(self.result), gate].into_iter().flatten().collect()
    }

    /// It, if a chain can have it.
    pub fn fitting(self) -> Option<Self> {
        self.form.fits().then_some(self)
    }
}

/// Layers of one image after another. See the module's head.
pub(crate) struct Chain {
    parts: Vec<Rc<dyn Op>>,
    images: usize,
    /// The memories it touches, each bound as a whole.
    memories: Vec<Tensor>,
    /// For software adapters, and for GPUs.
    shaders: [Shader; 2],
}

impl Chain {
    /// Whether an operation may be the link behind these: it takes the same images from where the last of them put them, and what
    /// it needs for all images is none that they write.
    pub fn continues(r: &Recorder, parts: &[Rc<dyn Op>], op: &Rc<dyn Op>) -> bool {
        let (Some(before), Some(link)) = (parts.last().and_then(|op| op.link()), op.link()) else { return false };
        let place = |t: Tensor| (r.storage(t), r.info(t).offset, r.shape(t).len());
        // A gate, and what a norm's gradient looks at, are an image's own.
        let weights = link.other.filter(|_| matches!(link.form, Form::Conv(_) | Form::ConvTranspose(_)));
        let bias = link.epilogue.beside().filter(|_| link.epilogue.codes().0 == Beside::Bias);
        let written = |t: Tensor| parts.iter().filter_map(|op| op.link()).any(|l| r.overlap(l.result, t));
        before.images == link.images
            && place(before.result) == place(link.source)
            && ![weights, bias].into_iter().flatten().any(written)
    }

    /// What a chain of these operations takes value by value, and what in fours. Apart, each is bound as what it is.
    pub fn sides(parts: &[Rc<dyn Op>]) -> [Vec<Tensor>; 2] {
        let links = || parts.iter().filter_map(|op| op.link());
        let singles: Vec<Tensor> = links().flat_map(|link| link.singles()).collect();
        let fours = links().flat_map(|link| link.tensors()).filter(|t| !singles.contains(t)).collect();
        [singles, fours]
    }

    /// The storages that a chain of these operations would bind.
    pub fn storages(parts: &[Rc<dyn Op>], r: &Recorder) -> Vec<Tensor> {
        distinct(parts.iter().filter_map(|op| op.link()).flat_map(|link| link.tensors()).map(|t| r.storage(t)))
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
        let Shader { name, source } = shader!("chain", "total");
        let shaders = [Adapter::Software, Adapter::Hardware]
            .map(|adapter| Shader { name, source: writer::shader(&source, &parts, r, &memories, adapter).into() });
        let images = parts.first()?.link()?.images;
        Some(Chain { parts, images, memories, shaders })
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

    fn parts(&self) -> &[Rc<dyn Op>] {
        &self.parts
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        let (shader, threads) = if adapter.is_software() { (&self.shaders[0], 8.0) } else { (&self.shaders[1], 256.0) };
        Kernel {
            shader: shader.clone(),
            entry: "run",
            constants: vec![("THREADS", threads)],
            params: Params { links: self.parts.len() as u32 }.bytes(),
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
    use super::conv::windows;
    use super::normalize::Grouping;
    use crate::program::{DType, Shape};
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

        /// From `x` to `y`, and back, in a chain each way.
        fn scene(mut self, name: String, [x, y]: [Tensor; 2], links: usize) -> Scene {
            let loss = self.r.sum_of_squares(y).unwrap();
            let dx = self.r.gradients(loss, &[x]).unwrap()[0];
            let recording = self.r.finish(true, &[y, dx]);
            let chains = recording.programs[0].ops.iter().filter(|op| op.name() == "chain");
            assert_eq!(chains.map(|op| op.parts().len()).collect::<Vec<_>>(), [links; 2], "{name}: forwards and back");
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
        l.scene(format!("chain of {batch}x{height}x{width}, {channels:?}"), [x, y], 5)
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
        l.scene(format!("chain there and back, {g:?}"), [x, y], 2)
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
        l.scene(format!("chain of one channel {batch}x{height}x{width}, kernel {kernel} by {stride}"), [x, y], 3)
    };
    vec![
        singles([2, 6, 6], 4, 2, 1),
        singles([3, 5, 7], 3, 1, 1),
        singles([2, 9, 3], 3, 3, 0),
        all([3, 7, 7], [16, 8, 8, 16]),
        all([2, 3, 5], [4, 12, 20, 4]),
        all([5, 1, 2], [8, 4, 4, 24]),
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
    fn what_has_no_form_or_is_much_for_one_workgroup_keeps_its_dispatch() {
        assert_eq!(chains([4, 8, 4], 6, None), 1);
        assert_eq!(chains([4, 6, 4], 6, None), 0, "channels that are no fours");
        assert_eq!(chains([4, 64, 4], 28, None), 0, "1.8 million multiplications");
        assert_eq!(chains([4, 8, 4], 6, Some(1)), 0, "statistics of the batch");
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
