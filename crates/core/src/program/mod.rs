//! A model is recorded once as programs of operations on tensor handles, and replayed every step.
//!
//! The [`Recorder`] knows shapes, not buffers. Every shape is checked while recording, so replay can't fail on one.
//! Programs share tensors: a GAN's "train the discriminator" reads the fakes that "draw" wrote.
//!
//! Rules, checked here:
//! - a result is written by one operation, once; parameters and state may be updated in place;
//! - an operation never reads a storage that it writes (an in-place update names it as a write only);
//! - a gradient never goes through a value that was updated after it was used.

pub(crate) mod arena;
mod fuse;
mod tape;

use crate::error::{Error, Result};
use crate::ops::Op;
use std::fmt;
use std::rc::Rc;

/// A handle of a tensor in one [`Recorder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tensor(pub(crate) u32);

impl Tensor {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Each of them once, in their order.
pub(crate) fn distinct(tensors: impl Iterator<Item = Tensor>) -> Vec<Tensor> {
    let mut all = Vec::new();
    for tensor in tensors {
        if !all.contains(&tensor) {
            all.push(tensor);
        }
    }
    all
}

/// A handle of a program in one [`Recorder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramId(pub(crate) usize);

/// Extents, outermost first. Images are `[B, H, W, C]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape(pub Vec<usize>);

impl Shape {
    /// The number of values.
    pub fn len(&self) -> usize {
        self.0.iter().product()
    }

    /// Whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The extents of a matrix `[M, N]`, or what `op` objects to.
    ///
    /// # Errors
    /// [`Error::Shape`] where it has other axes.
    pub fn matrix(&self, op: &'static str) -> Result<[usize; 2]> {
        <[usize; 2]>::try_from(self.0.as_slice()).map_err(|_| Error::Shape {
            op,
            shape: self.clone(),
            why: "a matrix [M, N] is needed",
        })
    }

    /// The extents of a stack of images `[B, H, W, C]`, or what `op` objects to.
    ///
    /// # Errors
    /// [`Error::Shape`] where it has other axes.
    pub fn images(&self, op: &'static str) -> Result<[usize; 4]> {
        <[usize; 4]>::try_from(self.0.as_slice()).map_err(|_| Error::Shape {
            op,
            shape: self.clone(),
            why: "images [B, H, W, C] are needed",
        })
    }

    /// The extents with ones put in front up to four axes.
    pub(crate) fn padded(&self) -> [usize; 4] {
        let mut dims = [1; 4];
        let start = 4 - self.rank();
        dims[start..].copy_from_slice(&self.0);
        dims
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Shape(dims.to_vec())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// What the 32-bit words of a tensor mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DType {
    /// IEEE 754 single precision.
    F32,
    /// Unsigned integers: labels, counters, packed bytes.
    U32,
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Normal numbers of mean 0 and this standard deviation, drawn from the run's seed.
    Normal(f32),
    /// All the same value.
    Fill(f32),
    /// The same as another parameter.
    Same(Tensor),
}

/// Who gives a tensor its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// Learnt: starts by [`Init`], updated in place, part of a checkpoint.
    Parameter(Init),
    /// Kept from step to step (moments, averages, counters): updated in place, part of a checkpoint.
    State(Init),
    /// Written by the host.
    Input,
    /// Never changes.
    Constant(f32),
    /// Written by the one operation that computes it.
    Result,
    /// Memory that other tensors share, side by side.
    Arena,
}

impl Role {
    /// Whether the tensor survives a step, and so belongs into a checkpoint.
    pub fn lasts(self) -> bool {
        matches!(self, Role::Parameter(_) | Role::State(_))
    }
}

/// What is known of a tensor.
#[derive(Clone, Debug)]
pub struct TensorInfo {
    /// A name for people: `generator.0.weight`, `d_loss`.
    pub name: String,
    /// Its extents.
    pub shape: Shape,
    /// What its words mean.
    pub dtype: DType,
    /// Who gives it its value.
    pub role: Role,
    /// The tensor whose memory it looks at: itself, but for a reshaped view or a member of an arena.
    pub storage: Tensor,
    /// Words before it in that memory.
    pub offset: usize,
}

/// An operation as recorded, with the versions of what it read.
#[derive(Clone)]
pub(crate) struct Node {
    pub op: Rc<dyn Op>,
    pub program: ProgramId,
    /// For each read: how often its storage had been updated in place by then.
    pub versions: Vec<u32>,
}

/// Records programs. See the module's head for its rules.
#[derive(Default)]
pub struct Recorder {
    tensors: Vec<TensorInfo>,
    /// How often each tensor's storage has been updated in place so far.
    versions: Vec<u32>,
    written: Vec<bool>,
    arenas: Vec<arena::Arena>,
    nodes: Vec<Node>,
    programs: Vec<String>,
    /// Of the recording that this one goes on from.
    earlier: Vec<Program>,
    earlier_kept: Vec<Tensor>,
}

impl Recorder {
    /// An empty recorder. Call [`Recorder::begin`] before recording an operation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on from a finished recording: more programs over the same tensors, wherever fusing has put them. An engine takes
    /// them up beside the earlier ones, which stay as they are. Tensors that last can't be added.
    pub fn after(recording: &Recording) -> Self {
        let tensors = recording.tensors.clone();
        Recorder {
            versions: vec![0; tensors.len()],
            written: vec![true; tensors.len()],
            tensors,
            programs: recording.programs.iter().map(|p| p.name.clone()).collect(),
            earlier: recording.programs.clone(),
            earlier_kept: recording.kept.clone(),
            ..Self::default()
        }
    }

    /// Starts a program: what is recorded from here on belongs to it.
    pub fn begin(&mut self, name: &str) -> ProgramId {
        self.programs.push(name.to_owned());
        ProgramId(self.programs.len() - 1)
    }

    fn declare(&mut self, name: String, shape: Shape, dtype: DType, role: Role) -> Tensor {
        let tensor = Tensor(self.tensors.len() as u32);
        self.tensors.push(TensorInfo { name, shape, dtype, role, storage: tensor, offset: 0 });
        self.versions.push(0);
        self.written.push(false);
        tensor
    }

    /// A learnt tensor.
    pub fn parameter(&mut self, name: impl Into<String>, shape: impl Into<Shape>, init: Init) -> Tensor {
        self.declare(name.into(), shape.into(), DType::F32, Role::Parameter(init))
    }

    /// A tensor that lasts from step to step without being learnt.
    pub fn state(&mut self, name: impl Into<String>, shape: impl Into<Shape>, dtype: DType, init: Init) -> Tensor {
        self.declare(name.into(), shape.into(), dtype, Role::State(init))
    }

    /// A tensor that the host writes.
    pub fn input(&mut self, name: impl Into<String>, shape: impl Into<Shape>, dtype: DType) -> Tensor {
        self.declare(name.into(), shape.into(), dtype, Role::Input)
    }

    /// A tensor full of one value; the same one each time it is asked for.
    pub fn constant(&mut self, shape: impl Into<Shape>, value: f32) -> Tensor {
        let shape = shape.into();
        let known = self.tensors.iter().position(|t| t.shape == shape && t.role == Role::Constant(value));
        match known {
            Some(i) => Tensor(i as u32),
            None => self.declare("constant".into(), shape, DType::F32, Role::Constant(value)),
        }
    }

    /// A tensor that the operation about to be recorded will write.
    pub(crate) fn result(&mut self, op: &str, shape: impl Into<Shape>, dtype: DType) -> Tensor {
        self.declare_result(op, shape.into(), dtype)
    }

    fn declare_result(&mut self, op: &str, shape: Shape, dtype: DType) -> Tensor {
        let name = format!("{op} {}", self.tensors.len());
        self.declare(name, shape, dtype, Role::Result)
    }

    /// What is known of `tensor`.
    pub fn info(&self, tensor: Tensor) -> &TensorInfo {
        &self.tensors[tensor.index()]
    }

    /// The shape of `tensor`.
    pub fn shape(&self, tensor: Tensor) -> &Shape {
        &self.info(tensor).shape
    }

    pub(crate) fn storage(&self, tensor: Tensor) -> Tensor {
        self.info(tensor).storage
    }

    /// Whether it is one value throughout, known when it is recorded.
    pub(crate) fn is_constant(&self, tensor: Tensor) -> bool {
        matches!(self.info(tensor).role, Role::Constant(_))
    }

    /// Whether two tensors share values.
    pub(crate) fn overlap(&self, a: Tensor, b: Tensor) -> bool {
        let (a, b) = (self.info(a), self.info(b));
        let ends = [a, b].map(|info| info.offset + info.shape.len());
        a.storage == b.storage && a.offset < ends[1] && b.offset < ends[0]
    }

    /// Whether some of these share values with some of those.
    pub(crate) fn meet(&self, these: &[Tensor], those: &[Tensor]) -> bool {
        these.iter().any(|&a| those.iter().any(|&b| self.overlap(a, b)))
    }

    /// Whether two tensors are the same values, whatever their shapes.
    pub(crate) fn is_same_place(&self, a: Tensor, b: Tensor) -> bool {
        let [a, b] = [a, b].map(|t| (self.storage(t), self.info(t).offset, self.shape(t).len()));
        a == b
    }

    /// `x` seen with another shape of as many values; nothing is copied.
    pub(crate) fn view(&mut self, x: Tensor, shape: Shape) -> Tensor {
        let (dtype, storage, offset) = (self.info(x).dtype, self.storage(x), self.info(x).offset);
        let view = self.result("view", shape, dtype);
        let info = &mut self.tensors[view.index()];
        (info.storage, info.offset) = (storage, offset);
        view
    }

    /// So many rows of a matrix from `start` on, where they lie; `None` where a binding couldn't start there.
    pub(crate) fn view_rows(&mut self, x: Tensor, start: usize, extent: usize) -> Option<Tensor> {
        let [_, columns] = self.shape(x).matrix("view").ok()?;
        let before = start * columns;
        before.is_multiple_of(arena::ALIGNMENT).then(|| {
            let rows = self.view(x, [extent, columns].into());
            self.tensors[rows.index()].offset += before;
            rows
        })
    }

    /// Adds an operation to the newest program and returns its first write.
    pub(crate) fn push(&mut self, op: impl Op + 'static) -> Result<Tensor> {
        self.push_shared(Rc::new(op))
    }

    /// Apart from `push`, so that it is compiled once and not once for each operation.
    fn push_shared(&mut self, op: Rc<dyn Op>) -> Result<Tensor> {
        let (reads, writes) = (op.reads(), op.writes());
        let overwrite =
            |tensor: Tensor, why| Error::Overwrite { op: op.name(), tensor: self.info(tensor).name.clone(), why };
        for &w in &writes {
            if !op.is_view() && reads.iter().any(|&r| self.storage(r) == self.storage(w)) {
                return Err(overwrite(w, "it reads the same storage"));
            }
            if writes.iter().filter(|&&other| self.overlap(other, w)).count() > 1 {
                return Err(overwrite(w, "it writes the same values twice"));
            }
            match self.info(w).role {
                Role::Result if self.written[w.index()] => return Err(overwrite(w, "another operation wrote it")),
                Role::Input | Role::Constant(_) => return Err(overwrite(w, "it belongs to the host")),
                _ => {}
            }
        }
        let versions = reads.iter().map(|&r| self.versions[self.storage(r).index()]).collect();
        for &w in &writes {
            self.written[w.index()] = true;
            if self.info(w).role.lasts() || self.info(w).role == Role::Arena {
                let storage = self.storage(w);
                self.versions[storage.index()] += 1;
            }
        }
        assert!(!self.programs.is_empty(), "Recorder::begin comes before the first operation");
        self.nodes.push(Node { op, program: ProgramId(self.programs.len() - 1), versions });
        Ok(writes[0])
    }

    /// Ends the recording. With `fused`, the rewrites of `program/fuse` are applied; the results are the same.
    /// `keep` names tensors that the host will read, so that no rewrite drops them.
    pub fn finish(mut self, fused: bool, keep: &[Tensor]) -> Recording {
        // What earlier programs have left for others stays where they put it.
        let kept = [&self.earlier_kept, keep].concat();
        let mut programs: Vec<Program> =
            self.programs.iter().map(|name| Program { name: name.clone(), ops: Vec::new() }).collect();
        if fused {
            for (program, ops) in programs.iter_mut().zip(fuse::rewrite(&mut self, &kept)) {
                program.ops = ops;
            }
        } else {
            for node in self.nodes.iter().filter(|n| !n.op.is_view()) {
                programs[node.program.0].ops.push(Rc::clone(&node.op));
            }
        }
        for (program, earlier) in programs.iter_mut().zip(self.earlier) {
            *program = earlier;
        }
        Recording { tensors: self.tensors, programs, kept }
    }
}

/// One program: what an engine replays, in order.
#[derive(Clone)]
pub struct Program {
    /// A name for people.
    pub name: String,
    /// Its operations.
    pub ops: Vec<Rc<dyn Op>>,
}

/// Everything an engine needs to know of a model.
#[derive(Default)]
pub struct Recording {
    /// All tensors; a [`Tensor`] indexes them.
    pub tensors: Vec<TensorInfo>,
    /// All programs; a [`ProgramId`] indexes them.
    pub programs: Vec<Program>,
    /// Tensors that the host reads, used or not.
    kept: Vec<Tensor>,
}

impl Recording {
    /// What is known of `tensor`.
    pub fn info(&self, tensor: Tensor) -> &TensorInfo {
        &self.tensors[tensor.index()]
    }

    /// The same with only some of the operations, for measurements: what the others would write keeps its start.
    pub fn keep(&self, which: impl Fn(&dyn Op) -> bool) -> Recording {
        let programs = self.programs.iter().map(|p| Program {
            name: p.name.clone(),
            ops: p.ops.iter().filter(|op| which(op.as_ref())).cloned().collect(),
        });
        Recording { tensors: self.tensors.clone(), programs: programs.collect(), kept: self.kept.clone() }
    }

    /// The tensors that belong into a checkpoint.
    pub fn lasting(&self) -> impl Iterator<Item = Tensor> + '_ {
        (0..self.tensors.len() as u32).map(Tensor).filter(|&t| self.info(t).role.lasts())
    }

    /// For each tensor, whether it needs memory: it lasts, the host writes or reads it, or an operation does, of those
    /// that the engine runs for each recorded one.
    pub(crate) fn stored(&self, run: impl Fn(&Rc<dyn Op>) -> Vec<Rc<dyn Op>>) -> Vec<bool> {
        let all = (0..self.tensors.len() as u32).map(Tensor);
        let kept = all.filter(|&t| self.info(t).role.lasts() || self.info(t).role == Role::Input);
        let ops = self.programs.iter().flat_map(|p| &p.ops).flat_map(run);
        let used = ops.flat_map(|op| [op.reads(), op.writes()].concat());
        let mut stored = vec![false; self.tensors.len()];
        for tensor in kept.chain(used).chain(self.kept.iter().copied()) {
            stored[self.info(tensor).storage.index()] = true;
        }
        stored
    }
}

#[cfg(test)]
mod tests;
