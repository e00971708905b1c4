//! Writes an update's shader: update.wgsl with a function for each job.

use super::job::{Job, threads};
use super::{Places, Rule, Update};
use crate::ops::marks::{cut, keep, repeat, with_constants};
use crate::ops::{Adapter, Op};
use std::fmt::Write;

/// The text for the jobs of `update`, from those of update.wgsl, and of subgroups.wgsl and update_quads.wgsl, and how many
/// workgroups they take together.
pub fn write(update: &Update, adapter: Adapter, text: &str, [subgroups, quads]: [&str; 2]) -> (String, usize) {
    let (jobs, places) = (&update.jobs, update.places());
    let group = threads(jobs, adapter);
    let most = jobs.iter().filter_map(|job| job.quads(adapter)).map(|[deep, wide]| 4 * deep * wide).max();
    let subgroups = if most.is_some() { subgroups } else { "" };
    let text = text.replace("MOST_FOURS", &format!("{}u", most.unwrap_or(16)));
    let text = keep(&text, "together", adapter.is_software());
    let text = keep(&text, "apart", adapter == Adapter::Hardware);
    let text = keep(&text, "follow", update.follow.is_some());
    let stores = matches!(update.rule, Rule::Store(_));
    let text = keep(&keep(&text, "learn", !stores), "store", stores);
    let text = keep(&text, "partial", jobs.iter().any(|job| job.split(adapter, group) > 1));
    let (head, bound, rest) = cut(&text, "bindings");
    let (rule, _, rest) = cut(rest, "sample");
    let (_, template, rest) = cut(rest, "job");
    let (entry, _, tail) = cut(rest, "jobs");

    let (mut functions, mut calls, mut first) = (String::new(), String::new(), 0);
    for (i, (job, &place)) in jobs.iter().zip(&places.jobs).enumerate() {
        functions += &function(i, (job, job.split(adapter, group)), place, adapter, [template, cut(quads, "quads").1]);
        let last = first + job.threads(adapter, group).div_ceil(group);
        let otherwise = if i == 0 { "" } else { " else " };
        // Writing to a string can't fail.
        let _ = write!(calls, "{otherwise}if (group < {last}u) {{\n        job{i}(group - {first}u, thread);\n    }}");
        first = last;
    }
    (
        [subgroups, head, &bindings(update, places, adapter, bound), rule, &functions, entry, &calls, tail].concat(),
        first,
    )
}

/// What the update binds, from the text for that, and how jobs read the memories: a GPU four neighbouring values as one vector, where
/// each tensor in a memory starts with one; to a software adapter these are four reads.
fn bindings(update: &Update, places: &Places, adapter: Adapter, text: &str) -> String {
    let (_, vectors, rest) = cut(text, "vectors");
    let (_, values, own) = cut(rest, "values");
    let mut text = String::new();
    for memory in 0..places.memories.len() {
        let mut tensors = places.jobs.iter().flat_map(|(operands, _)| operands);
        let fours = adapter == Adapter::Hardware && tensors.all(|(m, at)| *m != memory || at % 4 == 0);
        let kind = if fours { vectors } else { values };
        text += &kind.replace("(1)", &format!("({})", memory + 1)).replace("NTH", &memory.to_string());
    }
    let (memories, reads) = (places.memories.len(), update.reads().len());
    // Two that it reads and two that it writes, of each the first or both or none.
    let there = |i: usize| if i < 2 { memories + i < reads } else { i - 2 < update.writes().len() };
    let lines = own.lines().skip(1).enumerate().filter(|(i, _)| there(*i));
    for (binding, (i, line)) in lines.enumerate() {
        text += &(line.replace(&format!("({})", i + 3), &format!("({})", memories + 1 + binding)) + "\n");
    }
    text
}

/// The function of the job with this number, of which so many threads share a tile. `x` and `dy` say which memory these are in
/// and where, `at` where the job's weights start among the network's.
fn function(
    number: usize,
    (job, split): (&Job, usize),
    ([x, dy], at): ([(usize, usize); 2], usize),
    adapter: Adapter,
    [alone, in_quads]: [&str; 2],
) -> String {
    let g = &job.geometry;
    let ([deep, wide], [places, channels]) = (job.tile(adapter), job.extents());
    let form = match job.x {
        None => "bias",
        Some(_) if job.is_dense() => "dense",
        Some(_) => "windows",
    };
    let quads = job.quads(adapter).is_some();
    let ahead = if job.pixels().is_multiple_of(8) { 2 } else { 1 };
    let mut text = keep(if quads { in_quads } else { alone }, "split", split > 1);
    text = keep(&text, "whole", split == 1 && adapter == Adapter::Hardware);
    for other in ["bias", "dense", "windows"] {
        text = keep(&text, other, form == other);
    }
    let text = keep(&keep(&text, "blocks", job.in_blocks()), "rows", !job.in_blocks());
    let aligned = job.reads_fours();
    let text = keep(&keep(&text, "aligned", aligned), "scattered", !aligned);
    let [whole, signed_ones] = if aligned { ["u32", "i32"] } else { ["vec4u", "vec4i"] };
    let tile = [("JOB_OWN_ROW", deep / 2), ("JOB_OWN_NTH", wide / 2), ("JOB_ROW", deep), ("JOB_NTH", wide)];
    let text = tile.iter().chain(&[("JOB_AHEAD", ahead)]).fold(text, |text, (name, times)| repeat(&text, name, *times));

    let unsigned = [
        ("AT", at),
        ("X_AT", x.1),
        ("DY_AT", dy.1),
        ("SPLIT", split),
        ("DEEP", deep),
        ("WIDE", wide),
        ("AHEAD", ahead),
        ("PLACES", places),
        ("PIXELS", job.pixels()),
        ("CHANNELS", g.channels),
        ("OUT_HEIGHT", g.out_height),
        ("OUT_WIDTH", g.out_width),
        ("OUT_CHANNELS", channels),
        ("KERNEL_WIDTH", g.kernel[1]),
        ("STRIDE", g.stride),
    ];
    let signed = [("HEIGHT", g.height), ("WIDTH", g.width), ("PAD", g.pad)];
    let fits = [("FITS_PLACES", places.is_multiple_of(4 * deep)), ("FITS_CHANNELS", channels.is_multiple_of(4 * wide))];
    let text = fits.iter().fold(text, |text, (name, fits)| text.replace(name, &fits.to_string()));
    with_constants(&text, &[("u", &unsigned), ("i", &signed)])
        .replace("JOB_RUN", &format!("job{number}"))
        .replace("JOB_QUADS", &format!("job{number}"))
        .replace("JOB_WHOLE", whole)
        .replace("JOB_SIGNED", signed_ones)
        .replace("JOB_DY", &format!("m_{}", dy.0))
        .replace("JOB_X", &format!("m_{}", x.0))
        .replace("JOB_", &format!("job{number}_"))
}
