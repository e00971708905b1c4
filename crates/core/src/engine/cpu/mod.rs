//! The CPU engine: replays each operation's own loop, one thread, on memory laid out when it is made.

mod gemm;
pub(crate) mod lanes;
pub(crate) mod tiles;
mod wide;

pub(crate) use gemm::{Matrix, gemm, gemm_scratch};
pub(crate) use wide::wide;

use super::start::starts;
use super::{Engine, Pending};
use crate::error::{Error, Result};
use crate::ops::{MOST_READS, MOST_WRITES, Op, parts};
use crate::program::{ProgramId, Recording, Role, Tensor};
use std::ops::Range;
use std::rc::Rc;

/// Where a tensor lies: in which memory, and which of its values.
struct Place {
    memory: usize,
    values: Range<usize>,
}

impl Place {
    fn of(recording: &Recording, tensor: Tensor) -> Self {
        let info = recording.info(tensor);
        Place { memory: info.storage.index(), values: info.offset..info.offset + info.shape.len() }
    }

    fn overlaps(&self, other: &Place) -> bool {
        self.memory == other.memory && self.values.start < other.values.end && other.values.start < self.values.end
    }
}

/// An operation with the places of its tensors.
struct Step {
    op: Rc<dyn Op>,
    reads: Vec<Place>,
    writes: Vec<Place>,
}

impl Step {
    /// # Panics
    /// If what it writes overlaps anything else of it, which recording rules out.
    fn new(op: &Rc<dyn Op>, recording: &Recording) -> Self {
        let places = |tensors: Vec<Tensor>| tensors.iter().map(|&t| Place::of(recording, t)).collect::<Vec<_>>();
        let (reads, writes) = (places(op.reads()), places(op.writes()));
        assert!(reads.len() <= MOST_READS && writes.len() <= MOST_WRITES, "{}: too many tensors", op.name());
        for (i, write) in writes.iter().enumerate() {
            let mut others = reads.iter().chain(&writes[..i]);
            assert!(!others.any(|other| other.overlaps(write)), "{}: it reads what it writes", op.name());
        }
        Step { op: Rc::clone(op), reads, writes }
    }

    fn replay(&self, memory: &mut [Vec<f32>], scratch: &mut [f32]) {
        let mut reads: [&[f32]; MOST_READS] = [&[]; MOST_READS];
        let mut writes: [&mut [f32]; MOST_WRITES] = Default::default();
        for (slot, place) in writes.iter_mut().zip(&self.writes) {
            let memory = &mut memory[place.memory];
            assert!(place.values.end <= memory.len());
            // SAFETY: in bounds by the assertion, and `new` has checked that nothing else of this step overlaps it; all
            // slices are gone when this returns.
            *slot = unsafe {
                std::slice::from_raw_parts_mut(memory.as_mut_ptr().add(place.values.start), place.values.len())
            };
        }
        for (slot, place) in reads.iter_mut().zip(&self.reads) {
            let memory = &memory[place.memory];
            assert!(place.values.end <= memory.len());
            // SAFETY: in bounds by the assertion, and apart from what is written, as above.
            *slot = unsafe { std::slice::from_raw_parts(memory.as_ptr().add(place.values.start), place.values.len()) };
        }
        self.op.run(&reads[..self.reads.len()], &mut writes[..self.writes.len()], scratch);
    }
}

/// See the module's head.
pub struct CpuEngine {
    recording: Rc<Recording>,
    /// By storage tensor; empty for those that nothing stores.
    memory: Vec<Vec<f32>>,
    programs: Vec<Vec<Step>>,
    scratch: Vec<f32>,
}

impl CpuEngine {
    /// Lays out the memory of `recording` and gives parameters their start for `seed`.
    pub fn new(recording: &Rc<Recording>, seed: u32) -> Self {
        let (memory, programs, scratch) = (Vec::new(), Vec::new(), Vec::new());
        let mut engine = CpuEngine { recording: Rc::default(), memory, programs, scratch };
        engine.extend(recording);
        for (tensor, words) in starts(recording, seed) {
            let Place { memory, values } = Place::of(recording, tensor);
            engine.memory[memory][values].copy_from_slice(bytemuck::cast_slice(&words));
        }
        engine
    }

    /// Takes up the programs that a recording has beside the engine's own, which it goes on from
    /// ([`Recorder::after`](crate::program::Recorder::after)). Nothing else changes.
    pub fn extend(&mut self, recording: &Rc<Recording>) {
        self.memory.resize(recording.tensors.len(), Vec::new());
        let stored = recording.stored(parts);
        for ((memory, t), _) in self.memory.iter_mut().zip(&recording.tensors).zip(stored).filter(|(_, stored)| *stored)
        {
            if memory.is_empty() {
                *memory = vec![if let Role::Constant(value) = t.role { value } else { 0.0 }; t.shape.len()];
            }
        }
        let step = |op: Rc<dyn Op>| Step::new(&op, recording);
        let new = recording.programs[self.programs.len()..].iter();
        self.programs.extend(new.map(|p| p.ops.iter().flat_map(parts).map(step).collect::<Vec<_>>()));
        let scratch = self.programs.iter().flatten().map(|s| s.op.scratch()).max().unwrap_or(0);
        self.scratch.resize(scratch, 0.0);
        self.recording = Rc::clone(recording);
    }

    /// The words of a tensor.
    pub fn words(&self, tensor: Tensor) -> &[u32] {
        bytemuck::cast_slice(self.values(tensor))
    }

    /// The same, as values.
    pub(crate) fn values(&self, tensor: Tensor) -> &[f32] {
        let Place { memory, values } = Place::of(&self.recording, tensor);
        &self.memory[memory][values]
    }

    /// The same, to be changed.
    pub(crate) fn values_mut(&mut self, tensor: Tensor) -> &mut [f32] {
        let Place { memory, values } = Place::of(&self.recording, tensor);
        &mut self.memory[memory][values]
    }
}

impl Engine for CpuEngine {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn adapter(&self) -> String {
        if cfg!(target_arch = "wasm32") {
            "WebAssembly SIMD, one thread".into()
        } else {
            format!("{}, one thread", std::env::consts::ARCH)
        }
    }

    fn upload(&mut self, tensor: Tensor, offset: usize, words: &[u32]) -> Result<()> {
        let Place { memory, values } = Place::of(&self.recording, tensor);
        let range = self.memory[memory][values.clone()].get_mut(offset..offset + words.len());
        let length = || Error::Length {
            tensor: self.recording.info(tensor).name.clone(),
            expected: values.len(),
            got: offset + words.len(),
        };
        let range = range.ok_or_else(length)?;
        range.copy_from_slice(bytemuck::cast_slice(words));
        Ok(())
    }

    fn run(&mut self, programs: &[ProgramId], times: u32) -> Result<()> {
        for _ in 0..times {
            for program in programs {
                for step in &self.programs[program.0] {
                    step.replay(&mut self.memory, &mut self.scratch);
                }
            }
        }
        Ok(())
    }

    fn download(&mut self, tensor: Tensor) -> Pending<Vec<u32>> {
        let words = self.words(tensor).to_vec();
        Box::pin(std::future::ready(Ok(words)))
    }

    fn settle(&mut self) -> Pending<()> {
        Box::pin(std::future::ready(Ok(())))
    }
}
