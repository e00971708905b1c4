//! Writes a chain's shader: chain.wgsl with a function for each link.

use super::{Form, Link, of_links, threads};
use crate::ops::block::{Beside, number};
use crate::ops::conv::Geometry;
use crate::ops::marks::{cut, keep, repeat, with_constants};
use crate::ops::{Adapter, Op};
use crate::program::{Recorder, Tensor};
use std::rc::Rc;

/// The fewest terms that a thread sums of a tile that it shares.
const SHORTEST: usize = 4;

/// The shader for these layers, from the text of chain.wgsl.
pub fn shader(file: &str, parts: &[Rc<dyn Op>], r: &Recorder, memories: &[Tensor], adapter: Adapter) -> String {
    let (head, fours, rest) = cut(file, "fours");
    let (_, singles, rest) = cut(rest, "singles");
    let (middle, ..) = cut(cut(rest, "ends").2, "convolve");
    let (entry, _, tail) = cut(cut(rest, "repeat").2, "links");
    let single = of_links(parts, Link::singles);
    let mut text = head.to_owned();
    for (i, memory) in memories.iter().enumerate() {
        let kind = if single.iter().any(|&t| r.storage(t) == *memory) { singles } else { fours };
        text += &kind.replace("binding(1)", &format!("binding({})", i + 1)).replace("_NTH", &format!("_{i}"));
    }
    text += middle;
    let mut calls = String::new();
    for (i, link) in parts.iter().filter_map(|op| op.link()).enumerate() {
        let layer = Text::of(&link.form, adapter);
        let own = format!("link{i}_");
        text += &(ends(&link, r, memories) + &layer.written(rest)).replace("LINK_", &own);
        calls += &[&own, layer.name, "(group.x, thread);\nstorageBarrier();\n"].concat();
    }
    [&text, entry, &calls, tail].concat()
}

/// The functions by which a link reads and writes: so many fours, or single values, from a tensor's start on in its memory.
fn ends(link: &Link, r: &Recorder, memories: &[Tensor]) -> String {
    let place = |what: &str, single: bool, t: Tensor, at: &str| {
        let storage = r.storage(t);
        let memory = memories.iter().position(|&m| m == storage).expect("a chain binds what its links touch");
        let (kind, start) = if single { ("single", r.info(t).offset) } else { ("four", r.info(t).offset / 4) };
        format!("{what}{kind}_{memory}({start}u + {at}")
    };
    let kind = |single: bool| if single { "f32" } else { "vec4f" };
    let (from_one, to_one) = link.form.single_channels();
    // A norm is of what its gradient is with respect to.
    let normalised = link.other.or(Some(link.source)).filter(|_| !from_one);
    let reads = [("X", Some(link.source)), ("W", link.other), ("FROM", normalised), ("M", link.moments())];
    let mut text = String::new();
    for (name, tensor) in reads {
        let Some(tensor) = tensor else { continue };
        let single = from_one && name == "X";
        text += &format!(
            "fn LINK_{name}(at: u32) -> {} {{ {}); }}\n",
            kind(single),
            place("return ", single, tensor, "at")
        );
    }
    let (beside, code, leak) = link.epilogue.codes();
    let gated = beside == Beside::Gate;
    let at = if gated { "at)" } else { "column)" };
    let beside = link.epilogue.beside().map_or_else(|| "0.0".to_owned(), |t| place("", to_one, t, at));
    let scale = link.form.scale();
    let factor = if scale == 1.0 { String::new() } else { number(scale) + " * " };
    text + &format!(
        "fn LINK_PUT(value: {}, at: u32, column: u32) {{ {}, finish(vec4f({factor}value), vec4f({beside}), {gated}, {code}u, {})); }}\n",
        kind(to_one),
        place("put_", to_one, link.result, "at"),
        number(leak),
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
        let terms = g.kernel[0] / phases * (g.kernel[1] / phases) * depth;
        let tiles = phases * phases * (down * across).div_ceil(4 * deep) * channels / wide;
        let mut split = 1;
        while !software && 2 * split * tiles <= threads(adapter) && terms / (2 * split) >= SHORTEST {
            split *= 2;
        }
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
            ("shared", split > 1),
            ("alone", split == 1),
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
            ("SPLIT", split),
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
