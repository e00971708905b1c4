//! The operations: one file each, with its shape rule, gradient, CPU loop and GPU dispatch, its shader beside it.
//!
//! An operation is recorded with every extent resolved, so both engines only replay numbers. To add one: write
//! `ops/<op>.rs` and `ops/<op>.wgsl`, implement [`Op`] and an `impl Recorder` method that checks shapes, and list its
//! `cases` in the tests below; the harness in `check.rs` then holds it against finite differences and engine against
//! engine.

pub mod activation;
pub mod adam;
pub mod affine;
pub mod average;
pub mod binary;
pub mod block;
pub mod chain;
pub mod clip;
pub mod concat;
pub mod conv;
pub mod conv_transpose;
pub mod conv_weights;
pub(crate) mod draw;
pub mod dropout;
pub mod epilogue;
pub mod gather;
pub mod log;
pub mod lookup;
pub mod map;
pub(crate) mod marks;
pub mod math;
pub mod noise;
pub mod normalize;
pub mod pick;
pub mod product;
pub mod reduce;
pub mod replay;
pub mod reshape;
pub mod schedule;
pub mod sgd;
pub mod softmax;
pub(crate) mod source;
pub mod spectral;
pub mod tick;
pub mod translate;
pub(crate) mod update;
pub mod upsample;
pub mod window;

#[cfg(test)]
pub(crate) mod check;
#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::program::{Recorder, Tensor};
use block::Instruction;
use chain::Link;
use epilogue::Tail;
use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

/// The most tensors that one operation reads, and the most that it writes.
pub const MOST_READS: usize = 6;
/// See [`MOST_READS`].
pub const MOST_WRITES: usize = 3;

/// An operation with all its extents known.
pub trait Op: Any {
    /// Its name for messages.
    fn name(&self) -> &'static str;

    /// The tensors it reads, in the order of its shader's bindings.
    fn reads(&self) -> Vec<Tensor>;

    /// The tensors it writes, in the order of its shader's bindings. An in-place update is named here only.
    fn writes(&self) -> Vec<Tensor>;

    /// Whether a gradient can pass from its first write to its reads.
    fn differentiable(&self) -> bool {
        true
    }

    /// Whether it only gives the storage of its read another shape; engines skip it.
    fn is_view(&self) -> bool {
        false
    }

    /// Records the gradients for its reads, given that of its first write. Reads that aren't `wanted` may get `None`.
    ///
    /// # Errors
    /// [`Error::NoGradient`] where it has none, or what recording the gradient finds wrong.
    fn gradient(&self, _recorder: &mut Recorder, _dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        Err(Error::NoGradient { op: self.name() })
    }

    /// Runs on the CPU: the reads, the writes (with their previous content), and scratch of [`Op::scratch`] values.
    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], scratch: &mut [f32]);

    /// How many values of scratch [`Op::run`] needs.
    fn scratch(&self) -> usize {
        0
    }

    /// Of an operation that stands for several: those, which a CPU runs one after another instead.
    fn parts(&self) -> Option<&[Rc<dyn Op>]> {
        None
    }

    /// The same as instructions of a [`block`], if it can be said so.
    fn instructions(&self) -> Option<Vec<Instruction>> {
        None
    }

    /// The same as a link of a [`chain`], if it is one.
    fn link(&self) -> Option<Link> {
        None
    }

    /// The same as two links, of which the first is all that an image tells the others, and the second needs to know that of all.
    fn halves(&self, _recorder: &mut Recorder) -> Option<[Link; 2]> {
        None
    }

    /// What to dispatch on a GPU of this kind.
    fn kernel(&self, adapter: Adapter) -> Kernel;

    /// Multiplications and additions of its sums of products, of which both count; 0 where there are none.
    fn flops(&self) -> u64 {
        0
    }

    /// If it is a bias or an activation: what it is applied to, and which.
    fn tail(&self) -> Option<(Tensor, Tail)> {
        None
    }

    /// If all it does is to lay two tensors one after another: those.
    fn joins(&self) -> Option<[Tensor; 2]> {
        None
    }

    /// The same operation where this lane of the clock is still to be ticked, if it can do without.
    fn before_tick(&self, _lane: tick::Lane) -> Option<Rc<dyn Op>> {
        None
    }

    /// The same operation with `tail` applied before it writes `y`; `None` where it can't.
    fn with_tail(&self, _tail: Tail, _y: Tensor) -> Option<Rc<dyn Op>> {
        None
    }
}

/// The operations that a CPU runs for `op`, in order.
pub(crate) fn parts(op: &Rc<dyn Op>) -> Vec<Rc<dyn Op>> {
    match op.parts() {
        Some(all) => all.iter().flat_map(parts).collect(),
        None => vec![Rc::clone(op)],
    }
}

/// What these write.
fn writes(ops: &[Rc<dyn Op>]) -> Vec<Tensor> {
    ops.iter().flat_map(|op| op.writes()).collect()
}

/// What a GPU is made of, which decides how a kernel is laid out for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapter {
    /// Thousands of threads, dear dispatches.
    Hardware,
    /// A driver that runs shaders on the CPU (lavapipe, WARP): few threads, dear barriers.
    Software,
    /// Such a driver where four threads are one vector of the processor and can swap values (SwiftShader, where WGSL has subgroups).
    SoftwareQuads,
}

impl Adapter {
    /// Whether shaders run on the CPU.
    pub fn is_software(self) -> bool {
        self != Adapter::Hardware
    }

    /// Threads that one vector of the processor runs, where shaders run on the CPU. A workgroup of so many waits for nobody at a
    /// barrier, and small ones keep all cores at work.
    pub fn lanes(self) -> Option<usize> {
        match self {
            Adapter::Hardware => None,
            Adapter::Software => Some(8),
            Adapter::SoftwareQuads => Some(4),
        }
    }
}

/// A shader file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shader {
    /// The file's name without its ending.
    pub name: &'static str,
    /// Its text.
    pub source: Cow<'static, str>,
}

/// Names the shader beside the calling file, after those whose functions it uses. Their text is carried without comments
/// (but for the marks of [`marks`]) and idle spaces, line for line, so that a driver's message still names the line, and each
/// once, whoever uses it.
macro_rules! shader {
    ($name:literal $(, $before:literal)*) => {
        $crate::ops::Shader {
            name: $name,
            source: $crate::ops::source::together(&[$($crate::ops::file!($before),)* $crate::ops::file!($name)]),
        }
    };
}

/// The code of one such file.
macro_rules! file {
    ($name:literal) => {{
        const FILE: &str = include_str!(concat!($name, ".wgsl"));
        const CODE: &[u8] = &$crate::ops::source::code::<{ $crate::ops::source::code_len(FILE) }>(FILE);
        const TEXT: &str = $crate::ops::source::text(CODE);
        if cfg!(feature = "gpu") { TEXT } else { "" }
    }};
}
pub(crate) use {file, shader};

/// One dispatch. Bindings are dense in group 0: the params at 0, then the reads, then the writes.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The shader file.
    pub shader: Shader,
    /// Its entry point.
    pub entry: &'static str,
    /// Its override constants: known when the pipeline is built.
    pub constants: Vec<(&'static str, f64)>,
    /// The bytes of its `Params`: known when the operation is recorded.
    pub params: Vec<u8>,
    /// Workgroups along x, y, z.
    pub workgroups: [u32; 3],
}

/// Declares a shader's `Params` on the host, and lists its fields for the layout test.
macro_rules! params {
    ($($field:ident: $type:ty),+ $(,)?) => {
        #[repr(C)]
        #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
        struct Params { $($field: $type),+ }

        impl Params {
            fn bytes(self) -> Vec<u8> {
                bytemuck::bytes_of(&self).to_vec()
            }

            #[cfg(test)]
            fn layout() -> $crate::ops::check::Layout {
                vec![$((stringify!($field), stringify!($type), std::mem::offset_of!(Params, $field))),+]
            }
        }
    };
}
pub(crate) use params;

/// Threads in a workgroup of the elementwise shaders.
const GROUP: usize = 64;

/// Workgroups for `n` threads of an elementwise shader. Its loop strides over the whole grid, so a cap costs nothing
/// but a second turn.
fn groups(n: usize) -> [u32; 3] {
    [n.div_ceil(GROUP).clamp(1, 16_384) as u32, 1, 1]
}
