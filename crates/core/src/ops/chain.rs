//! Several layers in one dispatch, each workgroup taking an image of its own through all of them.
//!
//! Between two layers of an image nothing waits for other images, only for the layer before. So where a layer of one image is
//! work that a workgroup does in about the time that a dispatch costs, a deep network needs no more dispatches than a shallow
//! one. A layer that can serve says in [`super::Op::link`] what it is; the CPU runs the operations themselves.

use super::block::{Beside, number};
use super::conv::Geometry;
use super::epilogue::Epilogue;
use super::marks::{cut, keep, repeat, with_constants};
use super::normalize::EPSILON;
use super::{Adapter, Kernel, Op, Shader, params, shader};
use crate::program::{Recorder, Role, Tensor, distinct};
use std::rc::Rc;

/// The most memories that a chain touches: what WebGPU promises a shader.
const MOST_MEMORIES: usize = 8;
/// The most layers of a chain: it is compiled as a whole.
const MOST_LINKS: usize = 16;
/// The most multiplications in a layer of one image: beyond, all workgroups together are quicker, a dispatch a layer. A guess from
/// what a dispatch and a multiplication take on GPUs, not timed yet.
const MOST_WORK: u64 = 1 << 20;

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
    Upsample {
        /// The result's `[H, W, C]`.
        result: [usize; 3],
        factor: usize,
        scale: f32,
        pools: bool,
    },
}

impl Form {
    /// Whether a chain has text for it, and its images are small.
    fn fits(&self) -> bool {
        match self {
            Form::Conv(g) | Form::ConvTranspose(g) => {
                let phases = if let Form::Conv(_) = self { 1 } else { g.stride };
                let whole = [g.height, g.width, g.kernel[0], g.kernel[1]].iter().all(|n| n.is_multiple_of(phases));
                let work = g.flops() / 2 / g.batch.max(1) as u64;
                whole && [g.channels, g.out_channels].iter().all(|n| n.is_multiple_of(4)) && work <= MOST_WORK
            }
            Form::Normalize { len, channels, .. } => channels.is_multiple_of(4) && *len > 0,
            Form::Upsample { result: [_, _, channels], .. } => channels.is_multiple_of(4),
        }
    }
}

impl Link {
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
    /// Whether an operation may be the link behind another one: it takes the same images from where that put them.
    pub fn continues(r: &Recorder, before: &Rc<dyn Op>, op: &Rc<dyn Op>) -> bool {
        let (Some(before), Some(link)) = (before.link(), op.link()) else { return false };
        let place = |t: Tensor| (r.storage(t), r.info(t).offset);
        before.images == link.images && place(before.result) == place(link.source)
    }

    /// The storages that a chain of these operations would bind.
    pub fn storages(parts: &[Rc<dyn Op>], r: &Recorder) -> Vec<Tensor> {
        let mut all = Vec::new();
        for link in parts.iter().filter_map(|op| op.link()) {
            let tensors = [Some(link.source), link.other, Some(link.result), link.epilogue.beside()];
            all.extend(tensors.into_iter().flatten().map(|t| r.storage(t)));
        }
        distinct(all.into_iter())
    }

    /// Whether one chain has room for these operations.
    pub fn fits(parts: &[Rc<dyn Op>], r: &Recorder) -> bool {
        // Results will share pools; what doesn't is bound on its own.
        let own = Chain::storages(parts, r).into_iter().filter(|&s| r.info(s).role != Role::Result).count();
        parts.len() <= MOST_LINKS && own < MOST_MEMORIES - 2
    }

    /// The chain of these operations in this order, once their tensors have their places, if few enough memories hold them.
    pub fn placed(parts: Vec<Rc<dyn Op>>, r: &Recorder) -> Option<Self> {
        let memories = Chain::storages(&parts, r);
        let Shader { name, source } = shader!("chain");
        let shaders = [Adapter::Software, Adapter::Hardware]
            .map(|adapter| Shader { name, source: text(&source, &parts, r, &memories, adapter).into() });
        let images = parts.first()?.link()?.images;
        (memories.len() <= MOST_MEMORIES).then_some(Chain { parts, images, memories, shaders })
    }
}

/// The shader for these layers, from the text of chain.wgsl.
fn text(text: &str, parts: &[Rc<dyn Op>], r: &Recorder, memories: &[Tensor], adapter: Adapter) -> String {
    let (head, _, rest) = cut(text, "memories");
    let (middle, ..) = cut(rest, "convolve");
    let (entry, _, tail) = cut(cut(rest, "repeat").2, "links");
    let bindings: String = (0..memories.len())
        .map(|i| format!("@group(0) @binding({}) var<storage, read_write> m{i}: array<vec4f>;\n", i + 1))
        .collect();
    // Where a tensor's fours start.
    let place = |t: Tensor| {
        let memory = memories.iter().position(|&m| m == r.storage(t)).unwrap_or_default();
        format!("m{memory}[{}u + ", r.info(t).offset / 4)
    };
    let (mut functions, mut calls) = (String::new(), String::new());
    for (i, link) in parts.iter().filter_map(|op| op.link()).enumerate() {
        let (name, body) = body(&link.form, rest, adapter);
        let all = ends(&link, &place) + &body.replace("LINK_Y[", &place(link.result));
        functions += &all.replace("LINK_", &format!("link{i}_"));
        calls += &format!("link{i}_{name}(group.x, thread);\nstorageBarrier();\n");
    }
    [head, &bindings, middle, &functions, entry, &calls, tail].concat()
}

/// The functions that a link reads and ends with.
fn ends(link: &Link, place: &impl Fn(Tensor) -> String) -> String {
    let read = |name: &str, t: Tensor| format!("fn LINK_{name}(at: u32) -> vec4f {{\nreturn {}at];\n}}\n", place(t));
    let (kind, code, leak) = link.epilogue.codes();
    let gated = kind == Beside::Gate;
    let index = if gated { "at" } else { "column" };
    let beside = link.epilogue.beside().map_or("vec4f()".to_owned(), |t| format!("{}{index}]", place(t)));
    let ending = format!(
        "fn LINK_ENDING(value: vec4f, at: u32, column: u32) -> vec4f {{\n\
         return finish(value, {beside}, {gated}, {code}u, {});\n}}\n",
        number(leak)
    );
    read("X", link.source) + &link.other.map_or(String::new(), |other| read("W", other)) + &ending
}

/// The name and the text of a link's function, of those of chain.wgsl.
fn body(form: &Form, text: &str, adapter: Adapter) -> (&'static str, String) {
    let template = |name: &str| cut(text, name).1.to_owned();
    match *form {
        Form::Conv(g) => ("CONVOLVE", convolve(&template("convolve"), g, false, adapter)),
        Form::ConvTranspose(g) => ("CONVOLVE", convolve(&template("convolve"), g, true, adapter)),
        Form::Normalize { len, channels, backward } => {
            let text = keep(&template("even_out"), "backward", backward);
            let text = text.replace("LINK_FROM", if backward { "LINK_W" } else { "LINK_X" });
            let text = text.replace("LINK_EPSILON", &number(EPSILON));
            ("EVEN_OUT", with_constants(&text, &[("u", &[("FOURS", len / 4), ("CHANNELS", channels / 4)])]))
        }
        Form::Upsample { result: [height, width, channels], factor, scale, pools } => {
            let text = keep(&keep(&template("repeat"), "upsample", !pools), "pool", pools);
            let text = text.replace("LINK_SCALE", &number(scale));
            let whole = [("HEIGHT", height), ("WIDTH", width), ("CHANNELS", channels / 4), ("FACTOR", factor)];
            ("REPEAT", with_constants(&text, &[("u", &whole)]))
        }
    }
}

fn convolve(template: &str, g: Geometry, transposed: bool, adapter: Adapter) -> String {
    let (large, small) = ([g.height, g.width, g.channels], [g.out_height, g.out_width, g.out_channels]);
    let (phases, [source, result]) = if transposed { (g.stride, [small, large]) } else { (1, [large, small]) };
    let [down, across, channels] = [result[0] / phases, result[1] / phases, result[2] / 4];
    // A thread of a software adapter is one of few, and its reads are dear.
    let software = adapter.is_software();
    let wide = [4, 2].into_iter().find(|&wide| software && channels.is_multiple_of(wide)).unwrap_or(1);
    let deep = if software && down * across > 4 { 2 } else { 1 };
    let text = keep(&keep(template, "transpose", transposed), "forward", !transposed);
    let text = repeat(&repeat(&text, "LINK_ROW", deep), "LINK_NTH", wide);
    let whole = [
        ("DEEP", deep),
        ("WIDE", wide),
        ("DEPTH", source[2] / 4),
        ("PIXELS_DOWN", down),
        ("PIXELS_ACROSS", across),
        ("CHANNELS", channels),
        ("TAPS_DOWN", g.kernel[0] / phases),
        ("TAPS_ACROSS", g.kernel[1] / phases),
        ("STRIDE", g.stride),
        ("PHASES", phases),
        ("PAD", g.pad),
    ];
    with_constants(&text, &[("u", &whole), ("i", &[("HEIGHT", source[0]), ("WIDTH", source[1])])])
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

/// Layers up, down and across, with what goes back through them: pixels that fill no tile, and channels for each width of one.
#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use super::activation::Activation;
    use super::check::{Random, Scene};
    use super::normalize::Grouping;
    use crate::program::DType;
    let scene = |[batch, height, width]: [usize; 3], channels: [usize; 4]| {
        let mut r = Recorder::new();
        r.begin("layers");
        let mut random = Random(0x1234_5679);
        let mut uploads = Vec::new();
        let mut input = |r: &mut Recorder, shape: crate::program::Shape| {
            let n = shape.len();
            let t = r.input("input", shape, DType::F32);
            uploads.push((t, (0..n).map(|_| (random.next() as f32 - 0.5).to_bits()).collect()));
            t
        };
        let [c0, c1, c2, c3] = channels;
        let x = input(&mut r, [batch, height, width, c0].into());
        let up = input(&mut r, [4, 4, c1, c0].into());
        let across = input(&mut r, [3, 3, c1, c2].into());
        let down = input(&mut r, [4, 4, c2, c3].into());
        let bias = input(&mut r, [c2].into());
        let y = r.conv_transpose(x, up, 2, 1).unwrap();
        let y = r.normalize(y, Grouping { groups: batch, columns: 1 }).unwrap();
        let y = r.activation(y, Activation::LeakyRelu(0.2)).unwrap();
        let y = r.upsample(y, 2).unwrap();
        let y = r.conv(y, across, 1, 1).unwrap();
        let y = r.add(y, bias).unwrap();
        let y = r.activation(y, Activation::Tanh).unwrap();
        let y = r.conv(y, down, 2, 1).unwrap();
        let loss = r.sum_of_squares(y).unwrap();
        let dx = r.gradients(loss, &[x]).unwrap()[0];
        let recording = r.finish(true, &[y, dx]);
        let chains = recording.programs[0].ops.iter().filter(|op| op.name() == "chain");
        assert_eq!(chains.map(|op| op.parts().len()).collect::<Vec<_>>(), [5, 5], "forwards and back");
        Scene {
            name: format!("chain of {batch}x{height}x{width}, {channels:?}"),
            recording: recording.into(),
            uploads,
            outputs: vec![y, dx],
            times: 1,
            tolerance: 1e-5,
        }
    };
    vec![scene([3, 7, 7], [16, 8, 8, 16]), scene([2, 3, 5], [4, 12, 20, 4]), scene([5, 1, 2], [8, 4, 4, 24])]
}
