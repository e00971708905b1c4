//! Many small operations in one dispatch: an interpreter whose instructions are loops over strided tensors.
//!
//! A loss is two dozen operations on `[B, 1]`, each far shorter than the dispatch that would start it. A block runs them
//! one after another in a single workgroup, with barriers in between where one needs another's result. An operation that
//! can serve says how in [`super::Op::instructions`]; the CPU runs the operations themselves.

use super::epilogue::Epilogue;
use super::{Adapter, Kernel, Op, shader};
use crate::program::{Recorder, Role, Tensor};
use std::rc::Rc;

/// The most memories that a block touches: what WebGPU promises a shader.
pub(crate) const MOST_MEMORIES: usize = 8;
/// The most instructions of a block: 15 KiB of uniforms, of the 16 that any device has.
pub(crate) const MOST_INSTRUCTIONS: usize = 96;
/// The most values that one instruction computes, or terms that it sums: beyond, a dispatch of its own is quicker.
pub(crate) const MOST_WORK: usize = 1 << 16;
/// `vec4u` in an instruction.
const ROWS: usize = 10;

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
    Compute = 0,
    /// Copies words as they are: integers too.
    Copy = 1,
    /// Adds one to the word `y`.
    Tick = 2,
    /// Copies the word `a` to a ring: `y` is its place in the first row, and the row follows from the count `c`.
    Log = 3,
}

/// `∘` of an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Combine {
    /// `a` alone.
    First = 0,
    /// `a + b`
    Add = 1,
    /// `a - b`
    Sub = 2,
    /// `a · b`
    Mul = 3,
    /// `a / b`
    Div = 4,
}

/// What the third operand `c` is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Beside {
    /// Nothing.
    Unused = 0,
    /// It is added before the function.
    Bias = 1,
    /// The result is multiplied by the slope of the function whose output it is, instead of applying it.
    Gate = 2,
    /// An integer: `a` is read as many of `a`'s last strides further on, and is 0 past `limit`.
    Pick = 3,
    /// An integer: values whose last index isn't it are 0.
    Place = 4,
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
    /// A code of `block.wgsl`: 0 none, 1–3 an activation, 4 exp, 5 log, 6 sqrt, 7 square, 8 softplus.
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
#[derive(Debug)]
pub(crate) struct Block {
    parts: Vec<Rc<dyn Op>>,
    /// The memories it touches, each bound as a whole, and then some that it doesn't, for the bindings left.
    memories: Vec<Tensor>,
    code: Vec<[u32; 4 * ROWS]>,
}

impl Block {
    /// The storages that a block of these operations would bind; constants become literals.
    pub fn storages(parts: &[Rc<dyn Op>], r: &Recorder) -> Vec<Tensor> {
        let mut storages: Vec<Tensor> = parts
            .iter()
            .flat_map(|op| op.instructions().unwrap_or_default())
            .flat_map(|i| i.operands().copied().chain([i.y]).collect::<Vec<_>>())
            .filter(|o| !matches!(r.info(o.tensor).role, Role::Constant(_)))
            .map(|o| r.info(o.tensor).storage)
            .collect();
        storages.sort();
        storages.dedup();
        storages
    }

    /// The block of these operations in this order, once their tensors have their places. `idle` are memories for the
    /// bindings that nothing uses.
    pub fn new(parts: Vec<Rc<dyn Op>>, r: &Recorder, idle: &[Tensor]) -> Self {
        let mut memories = Block::storages(&parts, r);
        // What has been written, and what has been read, since the last barrier.
        let (mut written, mut read): (Vec<Tensor>, Vec<Tensor>) = (Vec::new(), Vec::new());
        let mut code = Vec::new();
        for instruction in parts.iter().flat_map(|op| op.instructions().unwrap_or_default()) {
            let meets = |t: Tensor, others: &[Tensor]| others.iter().any(|&o| r.overlap(o, t));
            let y = instruction.y.tensor;
            let wait =
                instruction.operands().any(|o| meets(o.tensor, &written)) || meets(y, &written) || meets(y, &read);
            if wait {
                written.clear();
                read.clear();
            }
            written.push(y);
            read.extend(instruction.operands().map(|o| o.tensor));
            code.push(assemble(&instruction, wait, r, &memories));
        }
        memories.extend(&idle[memories.len()..MOST_MEMORIES]);
        Block { parts, memories, code }
    }
}

/// Marks an operand whose value stands in the place of its address.
const LITERAL: u32 = 15;

/// The words of an instruction, as `block.wgsl` reads them.
fn assemble(i: &Instruction, wait: bool, r: &Recorder, memories: &[Tensor]) -> [u32; 4 * ROWS] {
    let place = |operand: Option<&Operand>| match operand {
        None => (LITERAL, 0),
        Some(operand) => match r.info(operand.tensor).role {
            Role::Constant(value) => (LITERAL, value.to_bits()),
            _ => {
                let info = r.info(operand.tensor);
                let memory = memories.iter().position(|&m| m == info.storage).unwrap_or_default();
                (memory as u32, (info.offset + operand.start) as u32)
            }
        },
    };
    let strides = |operand: Option<&Operand>| operand.map_or([0; 4], |o| o.strides.map(|s| s as u32));
    let [y, a, b, c] = [Some(&i.y), i.first(), i.b.as_ref(), i.c.as_ref()];
    let places = [y, a, b, c].map(place);
    let inner = |operand: Option<&Operand>| operand.map_or([0; 2], |o| o.inner.map(|s| s as u32));
    let ([a0, a1], [b0, b1]) = (inner(a), inner(b));
    let numbers = match (i.code, i.beside) {
        (Code::Log, _) | (_, Beside::Pick | Beside::Place) => i.offset.map(|n| n as u32),
        _ => [i.scale.to_bits(), i.shift.to_bits()],
    };
    let rows: [[u32; 4]; ROWS] = [
        [i.code as u32, i.values() as u32, i.terms.iter().product::<usize>() as u32, i.terms[1] as u32],
        i.extents.map(|e| e as u32),
        places.map(|(memory, _)| memory),
        places.map(|(_, at)| at),
        strides(y),
        strides(a),
        strides(b),
        strides(c),
        [a0, a1, b0, b1],
        [
            i.combine as u32 | i.function << 4 | (i.beside as u32) << 8 | u32::from(wait) << 12,
            numbers[0],
            numbers[1],
            i.slope.to_bits(),
        ],
    ];
    let mut words = [0; 4 * ROWS];
    words.copy_from_slice(rows.as_flattened());
    words
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

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let mut params = bytemuck::cast_slice(&[self.code.len() as u32, 0, 0, 0]).to_vec();
        self.code.iter().for_each(|words| params.extend_from_slice(bytemuck::cast_slice(words)));
        // A uniform binding must cover the shader's whole array.
        params.resize(16 + MOST_INSTRUCTIONS * ROWS * 16, 0);
        Kernel {
            shader: shader!("block", "functions"),
            entry: "interpret",
            constants: vec![],
            params,
            workgroups: [1, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("block", vec![("count", "vec4u", 0), ("code", "vec4u[960]", 16)])
}
