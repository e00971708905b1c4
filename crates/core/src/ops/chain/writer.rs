//! Writes a chain's shader: chain.wgsl with a function for each link, from the file of its kind.

use super::link::ByValue;
use super::{Form, Link, of_links, threads};
use crate::ops::block::{Beside, Writer, number};
use crate::ops::conv::Geometry;
use crate::ops::marks::{cut, keep, repeat, with_constants};
use crate::ops::tick::Lane;
use crate::ops::{Adapter, Op, file};
use crate::program::{Recorder, Tensor};
use std::rc::Rc;

/// The fewest terms that a thread sums of a tile that it shares.
const SHORTEST: usize = 4;

/// The shader for these layers, from the text of chain.wgsl.
pub fn shader(file: &str, parts: &[Rc<dyn Op>], r: &Recorder, memories: &[Tensor], adapter: Adapter) -> String {
    let (head, fours, rest) = cut(file, "fours");
    let (_, singles, rest) = cut(rest, "singles");
    let (entry, _, tail) = cut(cut(rest, "ends").2, "links");
    let single = of_links(parts, Link::singles);
    let mut text = head.to_owned();
    for (i, memory) in memories.iter().enumerate() {
        let kind = if single.iter().any(|&t| r.storage(t) == *memory) { singles } else { fours };
        text += &kind.replace("binding(1)", &format!("binding({})", i + 1)).replace("_NTH", &format!("_{i}"));
    }
    let mut calls = String::new();
    for (i, link) in parts.iter().filter_map(|op| op.link()).enumerate() {
        let own = if let Form::Own { code, .. } = &link.form {
            let loops = Writer { r, memories, wide: false }.loops(code, "");
            format!("fn LINK_run(image: u32, thread: u32) {{\n{loops}}}\n")
        } else {
            ends(&link, r, memories) + &Text::of(&link.form, adapter).written()
        };
        text += &own.replace("LINK_", &format!("link{i}_"));
        calls += &format!("link{i}_run(group.x, thread);\nstorageBarrier();\n");
    }
    [&text, entry, &calls, tail].concat()
}

/// The functions by which a link reads, also the clock, and writes: so many fours, or single values, from a tensor's start on in its memory.
fn ends(link: &Link, r: &Recorder, memories: &[Tensor]) -> String {
    let memory = |t: Tensor| {
        let storage = r.storage(t);
        memories.iter().position(|&m| m == storage).expect("a chain binds what its links touch")
    };
    let place = |what: &str, single: bool, t: Tensor, at: &str| {
        let memory = memory(t);
        let (kind, start) = if single { ("single", r.info(t).offset) } else { ("four", r.info(t).offset / 4) };
        format!("{what}{kind}_{memory}({start}u + {at}")
    };
    let by_value = link.form.by_value();
    // A norm is of what its gradient is with respect to.
    let normalised = link.other.or(Some(link.source)).filter(|_| link.form.is_norm());
    // Where these take single values, each stands alone in a vector, so that one text serves for both.
    let in_vectors = link.form.is_norm() || matches!(link.form, Form::Squares { .. });
    let reads = [
        ("X", Some(link.source), by_value.source),
        ("W", link.other, by_value.weights),
        ("FROM", normalised, by_value.source),
        ("M", link.moments(), by_value.source),
    ];
    let clock = link.clock().map(|t| format!("memory_{}[{}u + at]", memory(t), r.info(t).offset));
    let mut text =
        clock.map_or_else(String::new, |word| format!("fn LINK_CLOCK(at: u32) -> u32 {{ return {word}; }}\n"));
    for (name, tensor, single) in reads {
        let Some(tensor) = tensor else { continue };
        let read = place("", single, tensor, "at)");
        let (kind, read) = match single {
            true if in_vectors => ("vec4f", format!("vec4f({read}, 0.0, 0.0, 0.0)")),
            true => ("f32", read),
            false => ("vec4f", read),
        };
        text += &format!("fn LINK_{name}(at: u32) -> {kind} {{ return {read}; }}\n");
    }
    let (beside, code, leak) = link.epilogue.codes();
    let gated = beside == Beside::Gate;
    let at = if gated { "at)" } else { "column)" };
    let beside = link.epilogue.beside().map_or_else(|| "0.0".to_owned(), |t| place("", by_value.result, t, at));
    let scale = link.form.scale();
    let factor = if scale == 1.0 { String::new() } else { number(scale) + " * " };
    text + &format!(
        "fn LINK_PUT(value: vec4f, at: u32, column: u32) {{ {}, finish({factor}value, vec4f({beside}), {gated}, {code}u, {})); }}\n",
        place("put_", by_value.result, link.result, "at"),
        number(leak),
    )
}

/// What becomes of a link's function.
struct Text {
    /// What its file has.
    file: &'static str,
    /// Its alternatives, and whether they are kept.
    marks: Vec<(&'static str, bool)>,
    whole: Vec<(&'static str, usize)>,
    signed: Vec<(&'static str, usize)>,
    /// How many fours of pixels and of channels a tile has: so often stand lines that name either.
    tile: [usize; 2],
}

impl Text {
    fn of(form: &Form, adapter: Adapter) -> Self {
        let mut text = Text { file: "", marks: Vec::new(), whole: Vec::new(), signed: Vec::new(), tile: [1; 2] };
        let lanes = if form.by_value().source { 1 } else { 4 };
        match *form {
            Form::Conv(g) => text.convolve(g, false, form.by_value(), adapter),
            Form::ConvTranspose(g) => text.convolve(g, true, form.by_value(), adapter),
            Form::Head { wide, narrow, backward } => {
                text.file = file!("head");
                text.marks = vec![("to_one", !backward), ("to_fours", backward)];
                text.whole = vec![("FOURS", wide / 4), ("NARROW", narrow)];
                text.tile = [narrow.div_ceil(8), narrow];
            }
            Form::Normalize { len, channels, backward } => {
                text.file = file!("even_out");
                text.marks = vec![("backward", backward)];
                text.whole = vec![("VECTORS", len / lanes), ("LANES", lanes), ("CHANNELS", channels / lanes)];
            }
            Form::Moments { pixels, channels, backward } => {
                text.file = file!("moments");
                text.batch(1, pixels, channels / lanes, backward, adapter);
            }
            Form::Evened { group, pixels, channels, backward, .. } => {
                text.file = file!("evened");
                text.batch(group, pixels, channels / lanes, backward, adapter);
            }
            Form::Drop { len, draw, ahead } => {
                text.file = file!("drop");
                text.whole = vec![
                    ("FOURS", len / 4),
                    ("LANE", draw.lane as usize),
                    ("AHEAD", ahead as usize),
                    ("SEED", Lane::Seed as usize),
                    ("STREAM", draw.stream as usize),
                    ("RATE", draw.rate.to_bits() as usize),
                ];
            }
            Form::Move { extents: [height, width, channels], shift, ahead, backwards, fill } => {
                text.file = file!("displace");
                text.whole = vec![
                    ("HEIGHT", height),
                    ("WIDTH", width),
                    ("CHANNELS", channels),
                    ("LANE", shift.lane as usize),
                    ("AHEAD", ahead as usize),
                    ("SEED", Lane::Seed as usize),
                    ("STREAM", shift.stream as usize),
                    ("MOST", shift.most),
                    ("BACKWARDS", backwards.into()),
                    ("FILL", fill.to_bits() as usize),
                ];
            }
            Form::Own { .. } => {}
            Form::Squares { result: [height, width, channels], factor, pools, .. } => {
                text.file = file!("repeat");
                text.marks = vec![("upsample", !pools), ("pool", pools)];
                text.whole =
                    vec![("HEIGHT", height), ("WIDTH", width), ("CHANNELS", channels / lanes), ("FACTOR", factor)];
            }
        }
        text
    }

    /// Half of a batch norm, of so many vectors of channels.
    fn batch(&mut self, group: usize, pixels: usize, channels: usize, backward: bool, adapter: Adapter) {
        // All threads take as many columns, each of several.
        let wide = (1..=channels.min(threads(adapter))).rev().find(|&wide| channels.is_multiple_of(wide)).unwrap_or(1);
        let rows = if backward { 4 } else { 2 };
        self.marks = vec![("backward", backward)];
        self.whole = vec![("GROUP", group), ("PIXELS", pixels), ("CHANNELS", channels), ("WIDE", wide), ("ROWS", rows)];
    }

    fn convolve(&mut self, g: Geometry, transposed: bool, by_value: ByValue, adapter: Adapter) {
        let (large, small) = ([g.height, g.width, g.channels], [g.out_height, g.out_width, g.out_channels]);
        let (phases, [source, result]) = if transposed { (g.stride, [small, large]) } else { (1, [large, small]) };
        let [depth, channels] = [(source[2], by_value.source), (result[2], false)]
            .map(|(channels, by_value)| if by_value { channels } else { channels.div_ceil(4) });
        let to_one = result[2] == 1 && !by_value.source;
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
        self.file = file!("convolve");
        self.tile = [deep, wide];
        self.marks = vec![
            ("transpose", transposed),
            ("forward", !transposed),
            ("from_values", by_value.source),
            ("from_fours", !by_value.source),
            ("to_one", to_one),
            ("to_fours", !to_one),
            ("both_fours", !by_value.source && !to_one),
            ("weights_by_value", by_value.weights),
            ("weights_by_four", !by_value.weights),
            ("put_by_value", by_value.result && !to_one),
            ("put_by_four", to_one || !by_value.result),
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
            ("SINGLES", result[2]),
        ];
        self.signed = vec![("HEIGHT", source[0]), ("WIDTH", source[1])];
    }

    /// From what stands in the file.
    fn written(&self) -> String {
        let mut text = self.file.to_owned();
        for &(name, kept) in &self.marks {
            text = keep(&text, name, kept);
        }
        let [deep, wide] = self.tile;
        let text = repeat(&repeat(&text, "LINK_ROW", deep), "LINK_NTH", wide);
        with_constants(&text, &[("u", &self.whole), ("i", &self.signed)])
    }
}
