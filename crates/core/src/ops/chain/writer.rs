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
    let bindings: String = (0..memories.len())
        .map(|i| format!("@group(0) @binding({}) var<storage, read_write> m{i}: array<vec4f>;\n", i + 1))
        .collect();
    // Where a tensor's fours start.
    let place = |t: Tensor| {
        let memory = memories.iter().position(|&m| m == r.storage(t)).expect("a chain binds what its links touch");
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
