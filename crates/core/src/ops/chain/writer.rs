//! Writes a chain's shader: chain.wgsl with a function for each link.

use super::{Form, Link};
use crate::ops::block::{Beside, number};
use crate::ops::conv::Geometry;
use crate::ops::marks::{cut, keep, repeat, with_constants};
use crate::ops::normalize::EPSILON;
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
        let (name, body) = body(&link.form, rest, adapter);
        functions += &(ends(link, &places) + &body).replace("LINK_", &format!("link{i}_"));
        calls += &format!("link{i}_{name}(group.x, thread);\nstorageBarrier();\n");
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
    let read = |name: &str, single: bool, t: Tensor| {
        format!("fn LINK_{name}(at: u32) -> {} {{\nreturn {};\n}}\n", kind(single), at(single, t, "at"))
    };
    let (beside, code, leak) = link.epilogue.codes();
    let gated = beside == Beside::Gate;
    let beside = link.epilogue.beside().map_or("0.0".into(), |t| at(to_one, t, if gated { "at" } else { "column" }));
    let put = format!(
        "fn LINK_PUT(value: {}, at: u32, column: u32) {{\n\
         let y = finish(vec4f(value), vec4f({beside}), {gated}, {code}u, {});\n{}}}\n",
        kind(to_one),
        number(leak),
        places.put(link.result, to_one, "at", "y"),
    );
    read("X", from_one, link.source) + &link.other.map_or(String::new(), |other| read("W", false, other)) + &put
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
        Form::Squares { result: [height, width, channels], factor, scale, pools } => {
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
    // One channel is a single value, more are fours.
    let [depth, channels] = [source[2], result[2]].map(|channels| channels.div_ceil(4));
    let (from_one, to_one) = (source[2] == 1, result[2] == 1);
    let [down, across] = [result[0] / phases, result[1] / phases];
    // A thread of a software adapter is one of few, and its reads are dear.
    let software = adapter.is_software();
    let wide = [4, 2].into_iter().find(|&wide| software && channels.is_multiple_of(wide)).unwrap_or(1);
    let deep = if software && down * across > 4 { 2 } else { 1 };
    let marks = [
        ("transpose", transposed),
        ("forward", !transposed),
        ("from_one", from_one),
        ("from_fours", !from_one),
        ("to_one", to_one),
        ("to_fours", !to_one),
        ("both_fours", !from_one && !to_one),
    ];
    let text = marks.iter().fold(template.to_owned(), |text, (name, whether)| keep(&text, name, *whether));
    let text = repeat(&repeat(&text, "LINK_ROW", deep), "LINK_NTH", wide);
    let whole = [
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
    with_constants(&text, &[("u", &whole), ("i", &[("HEIGHT", source[0]), ("WIDTH", source[1])])])
}
