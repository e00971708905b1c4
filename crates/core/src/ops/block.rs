//! Many small operations in one dispatch: each becomes a loop over strided tensors in one shader, for one workgroup.
//!
//! A loss is two dozen operations on `[B, 1]`, each far shorter than the dispatch that would start it. A block runs them
//! one after another, with barriers where one needs another's result. An operation that can serve says in
//! [`super::Op::instructions`] what its loop is; the CPU runs the operations themselves.

use super::epilogue::Epilogue;
use super::marks::cut;
use super::{Adapter, Kernel, Op, Shader, params, shader};
use crate::program::{Recorder, Role, Tensor, distinct};
use std::rc::Rc;

/// The most memories that a block touches: what WebGPU promises a shader.
pub(crate) const MOST_MEMORIES: usize = 8;
/// The most instructions of a block: it is compiled as a whole.
pub(crate) const MOST_INSTRUCTIONS: usize = 128;
/// The most values that one instruction computes, or terms that it sums: beyond, a dispatch of its own is quicker.
pub(crate) const MOST_WORK: usize = 1 << 16;

params! { parts: u32 }

/// A tensor as an instruction walks it: the value for an index and a term lies at
/// `start + Σ index·strides + Σ term·inner`.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// Whose values.
    pub tensor: Tensor,
    /// The first value's place in it.
    pub start: usize,
    /// Steps along the four axes of the instruction's extents.
    pub strides: [usize; 4],
    /// Steps along the two axes of its terms.
    pub inner: [usize; 2],
}

/// What an instruction does with its operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Code {
    /// `y = f(scale · Σ (a ∘ b) + shift)`, see [`Instruction`].
    Compute,
    /// Copies words as they are: integers too.
    Copy,
    /// Adds one to the word `y`.
    Tick,
    /// Copies the word `a` to a ring: `y` is its place in the first row, and the row follows from the count `c`.
    Log,
}

/// `∘` of an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Combine {
    /// `a` alone.
    First,
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a · b`
    Mul,
    /// `a / b`
    Div,
}

/// What the third operand `c` is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Beside {
    /// Nothing.
    Unused,
    /// It is added before the function.
    Bias,
    /// The result is multiplied by the slope of the function whose output it is, instead of applying it.
    Gate,
    /// An integer: `a` is read as many steps further on, and is 0 past `limit`.
    Pick,
    /// An integer: values whose last index isn't it are 0.
    Place,
}

/// One loop: over an index within `extents`, and within it over a sum of `terms`.
#[derive(Clone, Copy, Debug)]
pub struct Instruction {
    /// What it does.
    pub code: Code,
    /// How many values along four axes, outermost first.
    pub extents: [usize; 4],
    /// How many terms along two axes.
    pub terms: [usize; 2],
    /// What it writes.
    pub y: Operand,
    /// The first operand.
    pub a: Operand,
    /// Whether the first operand is 0 instead.
    pub zero: bool,
    /// The second operand, if `combine` has one.
    pub b: Option<Operand>,
    /// The third operand.
    pub c: Option<Operand>,
    /// How the first two are combined.
    pub combine: Combine,
    /// A code of `functions.wgsl`.
    pub function: u32,
    /// The leaky ReLU's slope.
    pub slope: f32,
    /// Multiplies the sum.
    pub scale: f32,
    /// Is added to it.
    pub shift: f32,
    /// What `c` is for.
    pub beside: Beside,
    /// For [`Beside::Pick`] and [`Beside::Place`]: what is added to the integer, and what it must stay below before. For
    /// [`Code::Log`]: the ring's rows, and the values in one.
    pub offset: [usize; 2],
    /// For [`Beside::Pick`]: how many values a step is.
    pub step: usize,
}

/// Steps through a dense tensor of these extents.
pub fn dense([_, e1, e2, e3]: [usize; 4]) -> [usize; 4] {
    [e1 * e2 * e3, e2 * e3, e3, 1]
}

impl Operand {
    /// From the first value on, along these strides.
    pub fn new(tensor: Tensor, strides: [usize; 4]) -> Self {
        Operand { tensor, start: 0, strides, inner: [0; 2] }
    }
}

impl Instruction {
    /// `y = a` for dense tensors of these extents.
    pub fn new(code: Code, extents: [usize; 4], y: Tensor, a: Tensor) -> Self {
        Instruction {
            code,
            extents,
            terms: [1; 2],
            y: Operand::new(y, dense(extents)),
            a: Operand::new(a, dense(extents)),
            zero: false,
            b: None,
            c: None,
            combine: Combine::First,
            function: 0,
            slope: 0.0,
            scale: 1.0,
            shift: 0.0,
            beside: Beside::Unused,
            offset: [0; 2],
            step: 1,
        }
    }

    /// The same for `n` values in a row.
    pub fn flat(code: Code, n: usize, y: Tensor, a: Tensor) -> Self {
        Self::new(code, [1, 1, 1, n], y, a)
    }

    /// The same, writing zeros.
    pub fn zero(self) -> Self {
        Instruction { zero: true, ..self }
    }

    /// With a product's epilogue, whose columns are the last axis.
    pub fn with_epilogue(self, epilogue: &Epilogue) -> Self {
        let (beside, function, slope) = epilogue.codes();
        let strides = if beside == Beside::Bias { [0, 0, 0, 1] } else { dense(self.extents) };
        let c = epilogue.beside().map(|c| Operand::new(c, strides));
        Instruction { c, beside, function, slope, ..self }
    }

    fn first(&self) -> Option<&Operand> {
        (!self.zero).then_some(&self.a)
    }

    fn values(&self) -> usize {
        self.extents.iter().product()
    }

    fn operands(&self) -> impl Iterator<Item = &Operand> {
        [self.first(), self.b.as_ref(), self.c.as_ref()].into_iter().flatten()
    }

    /// How long it takes, in values and terms.
    pub fn work(&self) -> usize {
        self.values() * self.terms.iter().product::<usize>()
    }
}

/// Operations in one workgroup. See the module's head.
pub(crate) struct Block {
    parts: Vec<Rc<dyn Op>>,
    /// The memories it touches, each bound as a whole.
    memories: Vec<Tensor>,
    /// For software adapters, and for GPUs.
    shaders: [Shader; 2],
}

impl Block {
    /// The storages that a block of these operations would bind; constants become literals.
    pub fn storages(parts: &[Rc<dyn Op>], r: &Recorder) -> Vec<Tensor> {
        let storages = parts
            .iter()
            .flat_map(|op| op.instructions().unwrap_or_default())
            .flat_map(|i| i.operands().copied().chain([i.y]).collect::<Vec<_>>())
            .filter(|o| !matches!(r.info(o.tensor).role, Role::Constant(_)))
            .map(|o| r.info(o.tensor).storage);
        distinct(storages)
    }

    /// The block of these operations in this order, once their tensors have their places.
    pub fn new(parts: Vec<Rc<dyn Op>>, r: &Recorder) -> Self {
        let memories = Block::storages(&parts, r);
        let shaders = [false, true].map(|wide| write(&parts, &Writer { r, memories: &memories, wide }));
        Block { parts, memories, shaders }
    }
}

/// The shader that runs these operations.
fn write(parts: &[Rc<dyn Op>], writer: &Writer) -> Shader {
    // What has been written, and what has been read, since the last barrier.
    let (mut written, mut read): (Vec<Tensor>, Vec<Tensor>) = (Vec::new(), Vec::new());
    let mut loops = String::new();
    for instruction in parts.iter().flat_map(|op| op.instructions().unwrap_or_default()) {
        let meets = |t: Tensor, others: &[Tensor]| others.iter().any(|&o| writer.r.overlap(o, t));
        let y = instruction.y.tensor;
        if instruction.operands().any(|o| meets(o.tensor, &written)) || meets(y, &written) || meets(y, &read) {
            loops.push_str("    storageBarrier();\n");
            written.clear();
            read.clear();
        }
        written.push(y);
        read.extend(instruction.operands().map(|o| o.tensor));
        loops.push_str(&writer.instruction(&instruction));
    }
    let Shader { name, source } = shader!("block", "functions");
    let (head, _, rest) = cut(&source, "memories");
    let (middle, _, tail) = cut(rest, "loops");
    let bindings: String = (0..writer.memories.len())
        .map(|i| format!("@group(0) @binding({}) var<storage, read_write> m{i}: array<u32>;\n", i + 1))
        .collect();
    Shader { name, source: [head, &bindings, middle, &loops, tail].concat().into() }
}

/// Writes instructions as WGSL.
struct Writer<'a> {
    r: &'a Recorder,
    memories: &'a [Tensor],
    /// For a GPU, which waits long for each value that it reads: of many values a thread computes four before it writes the
    /// first, and sums are shared by neighbouring threads from a few terms on.
    wide: bool,
}

/// The fewest threads that share a long sum.
const LANES: usize = 8;
/// Values that a thread computes before it writes them there.
const ABREAST: usize = 4;
/// Threads of a block on a GPU.
const WIDE: usize = 256;
/// The same on a software adapter, where a barrier costs by the thread.
const NARROW: usize = 32;

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
fn number(value: f32) -> String {
    // Whole numbers as such: to print any other would bring the tables for it into what the page fetches.
    let whole = value as i32;
    if (whole as f32).to_bits() == value.to_bits() {
        format!("{whole}.0")
    } else {
        format!("bitcast<f32>({}u)", value.to_bits())
    }
}

impl Writer<'_> {
    /// Where an operand's value lies: memory and address, with `more` added to it.
    fn place(&self, operand: &Operand, terms: bool, more: &str) -> String {
        let info = self.r.info(operand.tensor);
        let memory = self.memories.iter().position(|&m| m == info.storage).unwrap_or_default();
        let [s0, s1, s2, s3] = operand.strides;
        let [t0, t1] = if terms { operand.inner } else { [0; 2] };
        let steps = [("ix", s0), ("iy", s1), ("iz", s2), ("iw", s3), ("t0", t0), ("t1", t1)];
        format!("m{memory}[{}{more}]", address(info.offset + operand.start, steps))
    }

    /// An operand's word, or its number.
    fn word(&self, operand: Option<&Operand>, more: &str) -> String {
        match operand {
            None => "0u".to_owned(),
            Some(operand) => self.place(operand, false, more),
        }
    }

    fn float(&self, operand: Option<&Operand>, more: &str) -> String {
        match operand.map(|o| (o, self.r.info(o.tensor).role)) {
            None => "0.0".to_owned(),
            Some((_, Role::Constant(value))) => number(value),
            Some((operand, _)) => format!("bitcast<f32>({})", self.place(operand, true, more)),
        }
    }

    /// The loop of an instruction.
    fn instruction(&self, i: &Instruction) -> String {
        // A single term needs no index.
        let single = |o: Operand| Operand {
            inner: std::array::from_fn(|axis| if i.terms[axis] == 1 { 0 } else { o.inner[axis] }),
            ..o
        };
        let i = &Instruction { a: single(i.a), b: i.b.map(single), ..*i };
        let n = i.values();
        if n == 0 {
            return String::new();
        }
        let y = self.place(&i.y, false, "");
        let c = |me: &Self| me.word(i.c.as_ref(), "");
        let body = match i.code {
            Code::Copy => format!("        {y} = {};\n", self.word(i.first(), "")),
            Code::Tick => format!("        {y} += 1u;\n"),
            Code::Log => {
                let [rows, columns] = i.offset;
                let line = format!(" + ({} - 1u) % {rows}u * {columns}u", c(self));
                format!("        {} = {};\n", self.place(&i.y, false, &line), self.word(i.first(), ""))
            }
            Code::Compute if i.beside == Beside::Pick => {
                let [offset, limit] = i.offset;
                let at = self.word(i.first(), &format!(" + {offset}u + column * {}u", i.step));
                format!(
                    "        let column = {};\n        var word = 0u;\n        if (column < {limit}u) {{\n            \
                     word = {at};\n        }}\n        {y} = word;\n",
                    c(self)
                )
            }
            Code::Compute if i.beside == Beside::Place => {
                let [offset, limit] = i.offset;
                let a = self.float(i.first(), "");
                format!(
                    "        let column = {};\n        let here = column < {limit}u && iw == {offset}u + column;\n        \
                     {y} = bitcast<u32>(select(0.0, {a}, here));\n",
                    c(self)
                )
            }
            Code::Compute => return self.compute(i),
        };
        format!("    for (var n = thread; n < {n}u; n += THREADS) {{\n{}{body}    }}\n", indices(i, &body))
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

    /// The same of a sum with a function.
    fn compute(&self, i: &Instruction) -> String {
        let (n, [terms0, terms1]) = (i.values(), i.terms);
        let y = self.place(&i.y, false, "");
        let c = || self.word(i.c.as_ref(), "");
        let (a, b) = (self.float(i.first(), ""), self.float(i.b.as_ref(), ""));
        let term = match i.combine {
            Combine::First => a,
            Combine::Add => format!("{a} + {b}"),
            Combine::Sub => format!("{a} - {b}"),
            Combine::Mul => format!("{a} * {b}"),
            Combine::Div => format!("{a} / {b}"),
        };
        let sharers = self.sharers(n, terms1);
        let first = if sharers > 1 { "lane" } else { "0u" };
        let sum = if [terms0, terms1] == [1, 1] {
            format!("        var x = {term};\n")
        } else {
            format!(
                "        var x = 0.0;\n        for (var t0 = 0u; t0 < {terms0}u; t0++) {{\n            \
                 for (var t1 = {first}; t1 < {terms1}u; t1 += {sharers}u) {{\n                x += {term};\n            }}\n        }}\n"
            )
        };
        let mut rest = String::new();
        if (i.scale, i.shift) != (1.0, 0.0) {
            rest += &format!("        x = {} * x + {};\n", number(i.scale), number(i.shift));
        }
        let value = match i.beside {
            Beside::Gate => {
                rest += &format!("        let gate = bitcast<f32>({});\n", c());
                match i.function {
                    1 => format!("select({} * x, x, gate > 0.0)", number(i.slope)),
                    2 => "x * (1.0 - gate * gate)".to_owned(),
                    _ => "x * gate * (1.0 - gate)".to_owned(),
                }
            }
            beside => {
                if beside == Beside::Bias {
                    rest += &format!("        x += bitcast<f32>({});\n", c());
                }
                match i.function {
                    0 => "x".to_owned(),
                    1 => format!("select({} * x, x, x > 0.0)", number(i.slope)),
                    code => format!("function_of({code}u, x, 0.0)"),
                }
            }
        };
        let value = format!("bitcast<u32>({value})");
        if sharers > 1 {
            let index = indices(i, &[&sum, &rest, &y, &value].map(String::as_str).concat());
            let others: String = (1..LANES).map(|lane| format!(" + sums[thread + {lane}u]")).collect();
            let mut halves = String::new();
            let mut half = sharers / 2;
            while half >= LANES {
                halves += &format!(
                    "        if (lane < {half}u) {{\n        sums[thread] += sums[thread + {half}u];\n        }}\n        workgroupBarrier();\n"
                );
                half /= 2;
            }
            format!(
                "    for (var start = 0u; start < {n}u; start += THREADS / {sharers}u) {{\n        let lane = thread % {sharers}u;\n        \
                 let n = min(start + thread / {sharers}u, {last}u);\n{index}{sum}        sums[thread] = x;\n        workgroupBarrier();\n{halves}        \
                 if (lane == 0u && start + thread / {sharers}u < {n}u) {{\n        x = sums[thread]{others};\n{rest}        {y} = {value};\n        }}\n        \
                 workgroupBarrier();\n    }}\n",
                last = n - 1
            )
        } else if self.wide && n >= ABREAST * WIDE {
            let index = indices(i, &[&sum, &rest, &value].map(String::as_str).concat());
            let mut text = format!("    for (var start = thread; start < {n}u; start += {ABREAST}u * THREADS) {{\n");
            for k in 0..ABREAST {
                text += &format!(
                    "        var word{k} = 0u;\n        {{\n        let n = min(start + {k}u * THREADS, {}u);\n{index}{sum}{rest}        \
                     word{k} = {value};\n        }}\n",
                    n - 1
                );
            }
            let index = indices(i, &y);
            for k in 0..ABREAST {
                text += &format!(
                    "        if (start + {k}u * THREADS < {n}u) {{\n        let n = start + {k}u * THREADS;\n{index}        {y} = word{k};\n        }}\n"
                );
            }
            text + "    }\n"
        } else {
            let body = [&sum, &rest, "        ", &y, " = ", &value, ";\n"].concat();
            format!("    for (var n = thread; n < {n}u; n += THREADS) {{\n{}{body}    }}\n", indices(i, &body))
        }
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
    used.map(|(name, value)| format!("        let {name} = {value};\n")).collect()
}

impl Op for Block {
    fn name(&self) -> &'static str {
        "block"
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
        unreachable!("a CPU runs a block's parts")
    }

    fn parts(&self) -> &[Rc<dyn Op>] {
        &self.parts
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        let (shader, threads) =
            if adapter.is_software() { (&self.shaders[0], NARROW) } else { (&self.shaders[1], WIDE) };
        Kernel {
            shader: shader.clone(),
            entry: "run",
            constants: vec![("THREADS", threads as f64)],
            params: Params { parts: self.parts.len() as u32 }.bytes(),
            workgroups: [1, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("block", Params::layout())
}

/// A dense GAN's head with its loss and the gradients of both: sums and rows long enough for each way to run them.
#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use super::activation::Activation;
    use super::product::Orientation::Plain;
    use crate::program::DType;
    let scene = |[rows, inner]: [usize; 2]| {
        let mut r = Recorder::new();
        r.begin("head");
        let x = r.input("x", [rows, inner], DType::F32);
        let w = r.input("w", [inner, 1], DType::F32);
        let b = r.input("b", [1], DType::F32);
        let hidden = r.activation(x, Activation::LeakyRelu(0.2)).unwrap();
        let y = r.product(hidden, w, Plain).unwrap();
        let y = r.add(y, b).unwrap();
        let y = r.activation(y, Activation::Sigmoid).unwrap();
        let loss = r.mean(y).unwrap();
        let dx = r.gradients(loss, &[x]).unwrap()[0];
        let squares = r.sum_of_squares(x).unwrap();
        let recording = r.finish(true, &[loss, dx, squares]);
        assert!(recording.programs[0].ops.iter().any(|op| op.name() == "block"), "a head is run by a block");
        let random = |n: usize| (0..n as u32).map(|i| (i as f32 * 0.7).sin().to_bits()).collect::<Vec<u32>>();
        super::check::Scene {
            name: format!("block of {rows}x{inner}"),
            recording: recording.into(),
            uploads: vec![(x, random(rows * inner)), (w, random(inner)), (b, random(1))],
            outputs: vec![loss, dx, squares],
            times: 1,
            tolerance: 1e-5,
        }
    };
    vec![scene([128, 256]), scene([37, 104]), scene([3, 65]), scene([3, 5000])]
}
