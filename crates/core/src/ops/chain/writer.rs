//! Writes a chain's shader: chain.wgsl with a function for each link.

use super::{Form, Link, threads};
use crate::ops::block::{Beside, number};
use crate::ops::conv::Geometry;
use crate::ops::marks::{cut, keep, repeat, with_constants};
use crate::ops::{Adapter, Op};
use crate::program::{Recorder, Tensor};
use std::rc::Rc;

/// The shader for these layers, from the text of chain.wgsl.
pub fn shader(text: &str, parts: &[Rc<dyn Op>], r: &Recorder, memories: &[Tensor], adapter: Adapter) -> String {
    let (head, _, rest) = cut(text, "memories");
    let (middle, ..) = cut(rest, "convolve");
    let (entry, _, tail) = cut(cut(rest, "repeat").2, "links");
    let links: Vec<Link> = parts.iter().filter_map(|op| op.link()).collect();
    let places = Places { r, memories, singles: links.iter().flat_map(Link::singles).map(|t| r.storage(t)).collect() };
    let bindings: String = (0..memories.len()).map(|i| places.binding(i)).collect();
    let (mut functions, mut calls) = (String::new(), String::new());
    for (i, link) in links.iter().enumerate() {
        let text = Text::of(&link.form, adapter);
        let own = format!("link{i}_");
        functions += &(ends(link, &places) + &text.written(rest)).replace("LINK_", &own);
        calls += &[&own, text.name, "(group.x, thread);\nstorageBarrier();\n"].concat();
    }
    [head, &bindings, middle, &functions, entry, &calls, tail].concat()
}

/// Where tensors lie in the memories that a chain binds, and how to get at them.
struct Places<'a> {
    r: &'a Recorder,
    memories: &'a [Tensor],
    /// The memories with an image of one channel. They are bound as single values: two threads may not write one vector.
    singles: Vec<Tensor>,
}

impl Places<'_> {
    fn binding(&self, i: usize) -> String {
        let kind = if self.singles.contains(&self.memories[i]) { "f32" } else { "vec4f" };
        format!("@group(0) @binding({}) var<storage, read_write> m{i}: array<{kind}>;\n", i + 1)
    }

    /// The number of its memory, whether that is bound as single values, and the tensor's start in it.
    fn of(&self, t: Tensor) -> (usize, bool, usize) {
        let storage = self.r.storage(t);
        let memory = self.memories.iter().position(|&m| m == storage).expect("a chain binds what its links touch");
        (memory, self.singles.contains(&storage), self.r.info(t).offset)
    }

    /// Four values, the index counting fours.
    fn four(&self, t: Tensor, at: &str) -> String {
        match self.of(t) {
            (m, false, start) => format!("m{m}[{}u + {at}]", start / 4),
            (m, true, start) => {
                let values = (0..4).map(|i| format!("m{m}[{}u + 4u * ({at})]", start + i)).collect::<Vec<_>>();
                format!("vec4f({})", values.join(", "))
            }
        }
    }

    /// One value.
    fn single(&self, t: Tensor, at: &str) -> String {
        match self.of(t) {
            (m, false, start) => format!("m{m}[({start}u + {at}) / 4u][({start}u + {at}) % 4u]"),
            (m, true, start) => format!("m{m}[{start}u + {at}]"),
        }
    }

    /// The statement that puts a vector's four values, or one of equal values, in their place.
    fn put(&self, t: Tensor, single: bool, at: &str, vector: &str) -> String {
        match self.of(t) {
            (m, true, start) if !single => {
                (0..4).map(|i| format!("m{m}[{}u + 4u * {at}] = {vector}[{i}];\n", start + i)).collect()
            }
            _ if single => format!("{} = {vector}.x;\n", self.single(t, at)),
            _ => format!("{} = {vector};\n", self.four(t, at)),
        }
    }
}

/// The functions by which a link reads and writes.
fn ends(link: &Link, places: &Places) -> String {
    let (from_one, to_one) = link.form.single_channels();
    let kind = |single: bool| if single { "f32" } else { "vec4f" };
    let at = |single: bool, t: Tensor, at: &str| if single { places.single(t, at) } else { places.four(t, at) };
    let mut text = String::new();
    // A norm is of what its gradient is with respect to.
    let normalised = Some(link.other.unwrap_or(link.source)).filter(|_| !from_one);
    let reads = [("X", Some(link.source)), ("W", link.other), ("FROM", normalised), ("M", link.moments())];
    for (name, tensor) in reads {
        let Some(tensor) = tensor else { continue };
        let single = from_one && name == "X";
        text += &format!("fn LINK_{name}(at: u32) -> {} {{\nreturn {};\n}}\n", kind(single), at(single, tensor, "at"));
    }
    let (beside, code, leak) = link.epilogue.codes();
    let gated = beside == Beside::Gate;
    let beside = link.epilogue.beside().map_or("0.0".into(), |t| at(to_one, t, if gated { "at" } else { "column" }));
    let scale = link.form.scale();
    let factor = if scale == 1.0 { String::new() } else { number(scale) + " * " };
    text + &format!(
        "fn LINK_PUT(value: {}, at: u32, column: u32) {{\n\
         let y = finish(vec4f({factor}value), vec4f({beside}), {gated}, {code}u, {});\n{}}}\n",
        kind(to_one),
        number(leak),
        places.put(link.result, to_one, "at", "y"),
    )
}

/// What becomes of a function of chain.wgsl.
struct Text {
    /// Its name, and that of the marks around it.
    name: &'static str,
    /// Its alternatives, and whether they are kept.
    marks: Vec<(&'static str, bool)>,
    whole: Vec<(&'static str, usize)>,
    signed: Vec<(&'static str, usize)>,
    /// How many fours of pixels and of channels a tile has.
    tile: [usize; 2],
}

impl Text {
    fn of(form: &Form, adapter: Adapter) -> Self {
        let mut text = Text { name: "evened", marks: Vec::new(), whole: Vec::new(), signed: Vec::new(), tile: [1; 2] };
        match *form {
            Form::Conv(g) => text.convolve(g, false, adapter),
            Form::ConvTranspose(g) => text.convolve(g, true, adapter),
            Form::Normalize { len, channels, backward } => {
                text.name = "even_out";
                text.marks = vec![("backward", backward)];
                text.whole = vec![("FOURS", len / 4), ("CHANNELS", channels / 4)];
            }
            Form::Moments { pixels, channels, backward } => {
                text.name = "moments";
                text.batch(1, pixels, channels, backward, adapter);
            }
            Form::Evened { group, pixels, channels, backward, .. } => {
                text.batch(group, pixels, channels, backward, adapter);
            }
            Form::Squares { result: [height, width, channels], factor, pools, .. } => {
                text.name = "repeat";
                text.marks = vec![("upsample", !pools), ("pool", pools)];
                text.whole = vec![("HEIGHT", height), ("WIDTH", width), ("CHANNELS", channels / 4), ("FACTOR", factor)];
            }
        }
        text
    }

    /// Half of a batch norm.
    fn batch(&mut self, group: usize, pixels: usize, channels: usize, backward: bool, adapter: Adapter) {
        let fours = channels / 4;
        // All threads take as many columns, each of several.
        let wide = (1..=fours.min(threads(adapter))).rev().find(|&wide| fours.is_multiple_of(wide)).unwrap_or(1);
        let rows = if backward { 4 } else { 2 };
        self.marks = vec![("backward", backward)];
        self.whole = vec![("GROUP", group), ("PIXELS", pixels), ("CHANNELS", fours), ("WIDE", wide), ("ROWS", rows)];
    }

    fn convolve(&mut self, g: Geometry, transposed: bool, adapter: Adapter) {
        let (large, small) = ([g.height, g.width, g.channels], [g.out_height, g.out_width, g.out_channels]);
        let (phases, [source, result]) = if transposed { (g.stride, [small, large]) } else { (1, [large, small]) };
        // One channel is a single value, more are fours.
        let [depth, channels] = [source[2], result[2]].map(|channels| channels.div_ceil(4));
        let (from_one, to_one) = (source[2] == 1, result[2] == 1);
        let [down, across] = [result[0] / phases, result[1] / phases];
        // A thread of a software adapter is one of few, and its reads are dear.
        let software = adapter.is_software();
        let wide = [4, 2].into_iter().find(|&wide| software && channels.is_multiple_of(wide)).unwrap_or(1);
        let deep = if software && down * across > 4 { 2 } else { 1 };
        self.name = "convolve";
        self.tile = [deep, wide];
        self.marks = vec![
            ("transpose", transposed),
            ("forward", !transposed),
            ("from_one", from_one),
            ("from_fours", !from_one),
            ("to_one", to_one),
            ("to_fours", !to_one),
            ("both_fours", !from_one && !to_one),
        ];
        self.whole = vec![
            ("DEEP", deep),
            ("WIDE", wide),
            ("DEPTH", depth),
            ("PIXELS_DOWN", down),
            ("PIXELS_ACROSS", across),
            ("CHANNELS", channels),
            ("TAPS_DOWN", g.kernel[0] / phases),
            ("TAPS_ACROSS", g.kernel[1] / phases),
            ("STRIDE", g.stride),
            ("PHASES", phases),
            ("PAD", g.pad),
        ];
        self.signed = vec![("HEIGHT", source[0]), ("WIDTH", source[1])];
    }

    /// From what stands in the file.
    fn written(&self, file: &str) -> String {
        let mut text = cut(file, self.name).1.to_owned();
        for &(name, kept) in &self.marks {
            text = keep(&text, name, kept);
        }
        let [deep, wide] = self.tile;
        let text = repeat(&repeat(&text, "LINK_ROW", deep), "LINK_NTH", wide);
        with_constants(&text, &[("u", &self.whole), ("i", &self.signed)])
    }
}
