//! Many small operations in one dispatch: each becomes a loop over strided tensors in one shader, for one workgroup.
//!
//! A loss is two dozen operations on `[B, 1]`, each far shorter than the dispatch that would start it. A block runs them
//! one after another, with barriers where one needs another's result. An operation that can serve says in
//! [`super::Op::instructions`] what its loop is; the CPU runs the operations themselves.

mod writer;

use super::epilogue::Epilogue;
use super::{Adapter, Kernel, Op, Shader, params, shader};
use crate::program::{Recorder, Tensor, distinct};
use std::rc::Rc;
pub(super) use writer::Writer;
pub(crate) use writer::number;
use writer::{NARROW, WIDE};

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
    /// Normalises the columns of `a`, with the function and `c` of [`Code::Compute`].
    Normalize,
    /// The gradient of that, of which `a` is what was normalised and `b` the result's gradient.
    NormalizeBackward,
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
    /// [`Code::Log`]: the ring's rows, and the values in one. For normalising: a group's rows and columns.
    pub offset: [usize; 2],
    /// For [`Beside::Pick`]: how many values a step is. For normalising: the rows that mean and deviation are taken of.
    pub step: usize,
    /// In a chain, whose workgroups have an image each: which image the first of its values are of, and of how many images they all are.
    pub rows: Option<[usize; 2]>,
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
            rows: None,
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

    pub(super) fn values(&self) -> usize {
        self.extents.iter().product()
    }

    /// How many of its values one workgroup computes.
    fn run(&self) -> usize {
        self.values() / self.rows.map_or(1, |[_, count]| count)
    }

    pub(super) fn operands(&self) -> impl Iterator<Item = &Operand> {
        [self.first(), self.b.as_ref(), self.c.as_ref()].into_iter().flatten()
    }

    /// Where the n-th value of an operand lies in its tensor.
    pub(super) fn place(&self, o: &Operand, n: usize) -> usize {
        let steps = dense(self.extents).into_iter().zip(self.extents).zip(o.strides);
        o.start + steps.map(|((step, extent), stride)| n / step % extent * stride).sum::<usize>()
    }

    /// Whether so many values one after another are always the same stretch of an axis, with all of the axes within: then, as no step leads
    /// back, no operand's value lies before that of the first of them, nor behind that of the last.
    pub(super) fn has_runs_of(&self, width: usize) -> bool {
        let axes = dense(self.extents).into_iter().zip(self.extents);
        axes.into_iter().any(|(step, extent)| width.is_multiple_of(step) && (step * extent).is_multiple_of(width))
    }

    /// What it touches; constants become literals.
    pub(super) fn tensors(&self, r: &Recorder) -> Vec<Tensor> {
        let all = self.operands().chain([&self.y]).map(|o| o.tensor);
        all.filter(|&t| !r.is_constant(t)).collect()
    }

    /// Whether it picks from a tensor that no memory holds.
    pub(crate) fn picks_constant(&self, r: &Recorder) -> bool {
        self.beside == Beside::Pick && r.is_constant(self.a.tensor)
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
    /// The storages that a block of these operations would bind.
    pub fn storages(parts: &[Rc<dyn Op>], r: &Recorder) -> Vec<Tensor> {
        let code = parts.iter().flat_map(|op| op.instructions().unwrap_or_default());
        distinct(code.flat_map(|i| i.tensors(r)).map(|t| r.storage(t)))
    }

    /// The block of these operations in this order, once their tensors have their places.
    pub fn new(parts: Vec<Rc<dyn Op>>, r: &Recorder) -> Self {
        let memories = Block::storages(&parts, r);
        let Shader { name, source } = shader!("block", "functions");
        let shaders = [false, true].map(|wide| {
            let writer = Writer { r, memories: &memories, wide };
            Shader { name, source: writer.shader(&source, &parts).into() }
        });
        Block { parts, memories, shaders }
    }
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

    fn parts(&self) -> Option<&[Rc<dyn Op>]> {
        Some(&self.parts)
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
    vec![scene([128, 256]), scene([12, 256]), scene([37, 104]), scene([3, 65]), scene([3, 5000])]
}
