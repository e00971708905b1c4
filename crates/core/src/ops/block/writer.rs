//! Writes a block's shader: block.wgsl with a loop for each instruction.

#[cfg(test)]
mod tests;

use super::{Beside, Code, Combine, Instruction, Operand};
use crate::ops::Op;
use crate::ops::marks::{cut, keep};
use crate::ops::normalize::EPSILON;
use crate::program::{Recorder, Role, Tensor};
use std::rc::Rc;

/// Writes instructions as WGSL.
pub struct Writer<'a> {
    /// Where the tensors lie.
    pub r: &'a Recorder,
    /// What the block binds, in this order.
    pub memories: &'a [Tensor],
    /// For a GPU, which waits long for each value that it reads: of many values a thread computes four before it writes the
    /// first, and sums are shared by neighbouring threads from a few terms on.
    pub wide: bool,
}

/// The fewest threads that share a long sum.
const LANES: usize = 8;
/// Values that a thread computes before it writes the first of them there, if all threads have as many; or four times that, if each
/// is a single term.
const ABREAST: usize = 4;
/// Threads of a block on a GPU.
pub const WIDE: usize = 256;
/// The same on a software adapter, where a barrier costs by the thread.
pub const NARROW: usize = 32;

/// A tensor that an instruction reads or writes.
struct Touch {
    tensor: Tensor,
    /// Whether it is one thread's, the first: that needs no barrier behind what it did itself.
    first: bool,
    /// Where its n-th value lies, if its n-th value is touched by thread `n % THREADS` alone: after how many the first thread
    /// comes again, the first place in the memory, and extents with their steps. Those who walk alike need no barrier between them.
    walk: Option<(usize, usize, [[usize; 2]; 4])>,
}

/// The sum of `start` and of each index times its step, without what is zero.
fn address<const N: usize>(start: usize, steps: [(&str, usize); N]) -> String {
    let terms = steps.iter().filter(|(_, step)| *step > 0).map(|(index, step)| match step {
        1 => (*index).to_owned(),
        step => format!("{index} * {step}u"),
    });
    let start = (start > 0).then(|| format!("{start}u"));
    let terms: Vec<String> = start.into_iter().chain(terms).collect();
    if terms.is_empty() { "0u".to_owned() } else { terms.join(" + ") }
}

/// A number as WGSL writes it; through its bits, so that none is lost.
pub(crate) fn number(value: f32) -> String {
    // Whole numbers as such: to print any other would bring the tables for it into what the page fetches.
    let whole = value as i32;
    if (whole as f32).to_bits() == value.to_bits() {
        format!("{whole}.0")
    } else {
        format!("bitcast<f32>({}u)", value.to_bits())
    }
}

impl Writer<'_> {
    /// The shader that runs these operations, from the text of block.wgsl.
    pub fn shader(&self, text: &str, parts: &[Rc<dyn Op>]) -> String {
        let (head, _, rest) = cut(text, "memories");
        let (middle, sample, tail) = cut(rest, "loops");
        let code: Vec<Instruction> = parts.iter().flat_map(|op| op.instructions().unwrap_or_default()).collect();
        let loops = self.loops(&code, cut(sample, "columns").1);
        let bindings: String = (0..self.memories.len())
            .map(|i| format!("@group(0) @binding({}) var<storage, read_write> memory_{i}: array<u32>;\n", i + 1))
            .collect();
        [head, &bindings, middle, &loops, tail].concat()
    }

    /// The loops of these instructions, and barriers where they need them. `columns` is the text for those that normalise.
    pub fn loops(&self, code: &[Instruction], columns: &str) -> String {
        // What has been written, and what has been read, since the last barrier.
        let (mut written, mut read): (Vec<Touch>, Vec<Touch>) = (Vec::new(), Vec::new());
        let mut loops = String::new();
        for instruction in code {
            let meets = |touch: &Touch, others: &[Touch]| {
                let apart =
                    |other: &Touch| touch.first && other.first || touch.walk.is_some() && touch.walk == other.walk;
                others.iter().any(|other| self.r.overlap(other.tensor, touch.tensor) && !apart(other))
            };
            let y = self.touch(instruction, &instruction.y);
            let reads: Vec<Touch> = instruction.operands().map(|o| self.touch(instruction, o)).collect();
            if reads.iter().any(|touch| meets(touch, &written)) || meets(&y, &written) || meets(&y, &read) {
                loops.push_str("storageBarrier();\n");
                written.clear();
                read.clear();
            }
            written.push(y);
            read.extend(reads);
            loops.push_str(&self.instruction(instruction, columns));
        }
        loops
    }

    /// How an instruction touches an operand.
    fn touch(&self, i: &Instruction, o: &Operand) -> Touch {
        let plain = matches!(i.code, Code::Copy | Code::Compute) && i.terms == [1, 1] && i.beside != Beside::Pick;
        let mut axes = [[1, 0]; 4];
        let mut last = 0;
        for (axis, extent) in i.extents.into_iter().enumerate().filter(|(_, extent)| *extent > 1) {
            let [outer, step] = axes[last];
            // One with the axis before, if this goes on where it steps to.
            let grows = outer > 1 && step != extent * o.strides[axis];
            last += usize::from(grows);
            axes[last] = [if grows { extent } else { outer * extent }, o.strides[axis]];
        }
        let norm = matches!(i.code, Code::Normalize | Code::NormalizeBackward);
        let first = i.run() == 1 && i.terms == [1, 1] && !norm;
        Touch { tensor: o.tensor, first, walk: plain.then(|| (i.run(), self.r.info(o.tensor).offset + o.start, axes)) }
    }

    /// Where an operand's value lies: memory and address, with `more` added to it.
    fn place(&self, operand: &Operand, terms: bool, more: &str) -> String {
        let info = self.r.info(operand.tensor);
        let memory = self.memories.iter().position(|&m| m == info.storage).expect("it binds what it touches");
        let [s0, s1, s2, s3] = operand.strides;
        let [t0, t1] = if terms { operand.inner } else { [0; 2] };
        let steps = [("ix", s0), ("iy", s1), ("iz", s2), ("iw", s3), ("t0", t0), ("t1", t1)];
        format!("memory_{memory}[{}{more}]", address(info.offset + operand.start, steps))
    }

    /// An operand's word, or its number.
    fn word(&self, operand: Option<&Operand>, more: &str) -> String {
        match operand.map(|o| (o, self.r.info(o.tensor).role)) {
            None => "0u".to_owned(),
            Some((_, Role::Constant(value))) => format!("{}u", value.to_bits()),
            Some((operand, _)) => self.place(operand, false, more),
        }
    }

    fn float(&self, operand: Option<&Operand>, more: &str) -> String {
        match operand.map(|o| (o, self.r.info(o.tensor).role)) {
            None => "0.0".to_owned(),
            Some((_, Role::Constant(value))) => number(value),
            Some((operand, _)) => format!("bitcast<f32>({})", self.place(operand, true, more)),
        }
    }

    /// The loop of an instruction; `columns` is the text for one that normalises.
    fn instruction(&self, i: &Instruction, columns: &str) -> String {
        // A single value or term along an axis needs no index.
        let single = |o: Operand| Operand {
            strides: std::array::from_fn(|axis| if i.extents[axis] == 1 { 0 } else { o.strides[axis] }),
            inner: std::array::from_fn(|axis| if i.terms[axis] == 1 { 0 } else { o.inner[axis] }),
            ..o
        };
        let i = &Instruction { y: single(i.y), a: single(i.a), b: i.b.map(single), c: i.c.map(single), ..*i };
        let n = i.values();
        if n == 0 {
            return String::new();
        }
        let y = self.place(&i.y, false, "");
        let c = |me: &Self| me.word(i.c.as_ref(), "");
        let body = match i.code {
            Code::Copy => format!("{y} = {};\n", self.word(i.first(), "")),
            Code::Tick => format!("{y} += 1u;\n"),
            Code::Log => {
                let [rows, columns] = i.offset;
                let line = format!(" + ({} - 1u) % {rows}u * {columns}u", c(self));
                format!("{} = {};\n", self.place(&i.y, false, &line), self.word(i.first(), ""))
            }
            Code::Compute if i.beside == Beside::Pick => {
                let [offset, limit] = i.offset;
                let at = self.word(i.first(), &format!(" + {offset}u + column * {}u", i.step));
                format!(
                    "let column = {};\nvar word = 0u;\nif (column < {limit}u) {{\nword = {at};\n}}\n{y} = word;\n",
                    c(self)
                )
            }
            Code::Compute if i.beside == Beside::Place => {
                let [offset, limit] = i.offset;
                let a = self.float(i.first(), "");
                format!(
                    "let column = {};\nlet here = column < {limit}u && iw == {offset}u + column;\n\
                     {y} = bitcast<u32>(select(0.0, {a}, here));\n",
                    c(self)
                )
            }
            Code::Compute => return self.compute(i),
            Code::Normalize | Code::NormalizeBackward => return self.normalize(i, columns),
        };
        each(i, &body)
    }

    /// How many neighbouring threads share each of `n` sums of so many terms: all that there are, if their stretches stay
    /// worth the barriers between them.
    fn sharers(&self, n: usize, terms: usize) -> usize {
        let (threads, fewest, most) =
            if self.wide { (WIDE, 8, ABREAST * WIDE - 1) } else { (NARROW, 256, NARROW / LANES) };
        if n > most || terms < LANES * fewest {
            return 1;
        }
        let mut sharers = LANES;
        while 2 * sharers * n <= threads && 2 * sharers * fewest <= terms {
            sharers *= 2;
        }
        sharers
    }

    /// The loop of a sum with a function.
    fn compute(&self, i: &Instruction) -> String {
        let n = i.values();
        let sharers = self.sharers(n, i.terms[1]);
        let (rest, value) = self.ending(i);
        let texts = Texts { term: self.term(i), rest, y: self.place(&i.y, false, ""), value };
        let most = if i.terms == [1, 1] { 4 * ABREAST } else { ABREAST };
        let abreast = [most, ABREAST].into_iter().find(|abreast| self.wide && n.is_multiple_of(abreast * WIDE));
        if sharers > 1 {
            texts.shared(i, sharers, if self.wide && sharers * n > WIDE { ABREAST } else { 1 })
        } else if let Some(abreast) = abreast {
            texts.abreast(i, abreast)
        } else {
            texts.one_by_one(i)
        }
    }

    /// Normalises columns, or is the gradient of that: `text` is what block.wgsl has for it.
    fn normalize(&self, i: &Instruction, text: &str) -> String {
        let backward = i.code == Code::NormalizeBackward;
        let text = keep(&keep(text, "backward", backward), "forward", !backward);
        let ([rows, columns], seen) = (i.offset, i.step);
        let count = i.values() / rows;
        let (ending, word) = self.ending(i);
        let numbers = [
            ("COUNT", count),
            ("ROWS", rows),
            ("SEEN", seen),
            ("COLUMNS", columns),
            ("CHANNELS", i.extents[3]),
            ("SHARERS", self.sharers(count, seen).min(LANES)),
        ];
        let texts = [
            ("EPSILON", number(EPSILON)),
            ("VALUE", self.float(i.first(), "")),
            ("SLOPE", self.float(i.b.as_ref(), "")),
            ("ENDING();", ending),
            ("PLACE", self.place(&i.y, false, "")),
            ("WORD", word),
        ];
        let text = numbers.iter().fold(text, |text, (name, value)| text.replace(name, &format!("{value}u")));
        texts.iter().fold(text, |text, (name, value)| text.replace(name, value))
    }

    /// What is summed.
    fn term(&self, i: &Instruction) -> String {
        let (a, b) = (self.float(i.first(), ""), self.float(i.b.as_ref(), ""));
        match i.combine {
            Combine::First => a,
            Combine::Add => format!("{a} + {b}"),
            Combine::Sub => format!("{a} - {b}"),
            Combine::Mul => format!("{a} * {b}"),
            Combine::Div => format!("{a} / {b}"),
        }
    }

    /// What is done to the whole sum `x`, and the word that is written.
    fn ending(&self, i: &Instruction) -> (String, String) {
        let mut rest = String::new();
        if (i.scale, i.shift) != (1.0, 0.0) {
            rest += &format!("x = {} * x + {};\n", number(i.scale), number(i.shift));
        }
        let beside = || format!("bitcast<f32>({})", self.word(i.c.as_ref(), ""));
        let value = if i.beside == Beside::Gate {
            rest += &format!("let gate = {};\n", beside());
            match i.function {
                1 => format!("select({} * x, x, gate > 0.0)", number(i.slope)),
                2 => "x * (1.0 - gate * gate)".to_owned(),
                _ => "x * gate * (1.0 - gate)".to_owned(),
            }
        } else {
            if i.beside == Beside::Bias {
                rest += &format!("x += {};\n", beside());
            }
            match i.function {
                0 => "x".to_owned(),
                1 => format!("select({} * x, x, x > 0.0)", number(i.slope)),
                code => format!("function_of({code}u, x, 0.0)"),
            }
        };
        (rest, format!("bitcast<u32>({value})"))
    }
}

/// What a sum's loop is made of, as WGSL: [`Writer::term`], [`Writer::ending`], and where the word goes.
struct Texts {
    term: String,
    rest: String,
    y: String,
    value: String,
}

/// A loop over the terms of a sum, or over one in so many from `first` on.
fn terms(i: &Instruction, first: &str, sharers: usize, body: &str) -> String {
    let [terms0, terms1] = i.terms;
    // Several in one round, where that leaves no rest: their reads wait together.
    let rounds = [8, 4, 2].into_iter().find(|&n| sharers > 1 && terms1.is_multiple_of(n * sharers)).unwrap_or(1);
    let term = |n: usize| format!("{{\nlet t1 = t + {}u;\n{body}}}\n", n * sharers);
    let bodies: String = (0..rounds).map(term).collect();
    let step = rounds * sharers;
    format!(
        "for (var t0 = 0u; t0 < {terms0}u; t0++) {{\nfor (var t = {first}; t < {terms1}u; t += {step}u) {{\n{bodies}}}\n}}\n"
    )
}

impl Texts {
    /// Declares `x`, the sum of all terms.
    fn sum(&self, i: &Instruction) -> String {
        match i.terms {
            [1, 1] => format!("var x = {};\n", self.term),
            _ => "var x = 0.0;\n".to_owned() + &terms(i, "0u", 1, &format!("x += {};\n", self.term)),
        }
    }

    /// A thread computes a value and writes it, then the next.
    fn one_by_one(&self, i: &Instruction) -> String {
        let Texts { rest, y, value, .. } = self;
        each(i, &[&*self.sum(i), rest, y, " = ", value, ";\n"].concat())
    }

    /// A thread computes several values before it writes the first.
    fn abreast(&self, i: &Instruction, abreast: usize) -> String {
        let (Texts { rest, y, value, .. }, sum, n) = (self, self.sum(i), i.values());
        let index = indices(i, &[&*sum, rest, value].concat());
        let mut text = format!("for (var start = thread; start < {n}u; start += {abreast}u * THREADS) {{\n");
        let nth = |k: usize| format!("{{\nlet n = start + {k}u * THREADS;\n");
        for k in 0..abreast {
            text += &format!("var word{k} = 0u;\n{}{index}{sum}{rest}word{k} = {value};\n}}\n", nth(k));
        }
        let index = indices(i, y);
        for k in 0..abreast {
            text += &format!("{}{index}{y} = word{k};\n}}\n", nth(k));
        }
        text + "}\n"
    }

    /// Neighbouring threads sum a part each, of one value or of several at a time; the parts are summed in the same order always,
    /// of each value by a thread of its own.
    fn shared(&self, i: &Instruction, sharers: usize, abreast: usize) -> String {
        let (Texts { term, rest, y, value }, n) = (self, i.values());
        let (part, result) = (indices(i, term), indices(i, &[&**rest, y, value].concat()));
        let mine = |k: &str| format!("start + {k} * (THREADS / {sharers}u) + thread / {sharers}u");
        let part = |k: usize| {
            format!("{{\nlet n = min({}, {}u);\n{part}four[{k}u] += {term};\n}}\n", mine(&format!("{k}u")), n - 1)
        };
        let sums = terms(i, "lane", sharers, &(0..abreast).map(part).collect::<String>());
        let mut halves = String::new();
        let mut half = sharers / 2;
        while half >= LANES {
            halves +=
                &format!("if (lane < {half}u) {{\nsums[thread] += sums[thread + {half}u];\n}}\nworkgroupBarrier();\n");
            half /= 2;
        }
        let all: Vec<String> = (0..LANES).map(|other| format!("sums[thread - lane + {other}u][lane]")).collect();
        format!(
            "for (var start = 0u; start < {n}u; start += {abreast}u * THREADS / {sharers}u) {{\nlet lane = thread % {sharers}u;\n\
             var four = vec4f();\n{sums}sums[thread] = four;\nworkgroupBarrier();\n{halves}let n = {mine};\n\
             if (lane < {abreast}u && n < {n}u) {{\nvar x = {all};\n{result}{rest}{y} = {value};\n}}\n\
             workgroupBarrier();\n}}\n",
            mine = mine("lane"),
            all = all.join(" + "),
        )
    }
}

/// A thread does `body` for one value, then for the next.
fn each(i: &Instruction, body: &str) -> String {
    let (run, body) = (i.run(), [&indices(i, body), body].concat());
    match i.rows {
        None => format!("for (var n = thread; n < {run}u; n += THREADS) {{\n{body}}}\n"),
        // Of images before the first, too, the number is none of theirs.
        Some([first, count]) => format!(
            "for (var i = thread; image - {first}u < {count}u && i < {run}u; i += THREADS) {{\n\
             let n = (image - {first}u) * {run}u + i;\n{body}}}\n"
        ),
    }
}

/// The index along each axis that the text names, from `n`.
fn indices(i: &Instruction, text: &str) -> String {
    let [_, e1, e2, e3] = i.extents;
    let indices = [
        ("ix", format!("n / {}u", e1 * e2 * e3)),
        ("iy", format!("n / {}u % {e1}u", e2 * e3)),
        ("iz", format!("n / {e3}u % {e2}u")),
        ("iw", format!("n % {e3}u")),
    ];
    let used = indices.iter().filter(|(name, _)| text.contains(name));
    used.map(|(name, value)| format!("let {name} = {value};\n")).collect()
}
