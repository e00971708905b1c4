//! The CPU engine: replays each operation's own loop, one thread, on memory laid out when it is made.

mod gemm;
pub(crate) mod tiles;

pub use gemm::gemm;

use super::start::starts;
use super::{Engine, Pending};
use crate::error::{Error, Result};
use crate::ops::{MOST_READS, MOST_WRITES, Op};
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
}

/// An operation with the places of its tensors.
struct Step {
    op: Rc<dyn Op>,
    reads: Vec<Place>,
    writes: Vec<Place>,
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
        let fill = |t: &crate::program::TensorInfo| if let Role::Constant(value) = t.role { value } else { 0.0 };
        let memory = recording
            .stored()
            .iter()
            .zip(&recording.tensors)
            .map(|(&stored, t)| if stored { vec![fill(t); t.shape.len()] } else { Vec::new() })
            .collect();
        let place = |t: &Tensor| Place::of(recording, *t);
        let step = |op: &Rc<dyn Op>| {
            let step = Step {
                op: Rc::clone(op),
                reads: op.reads().iter().map(place).collect(),
                writes: op.writes().iter().map(place).collect(),
            };
            assert!(
                step.reads.len() <= MOST_READS && step.writes.len() <= MOST_WRITES,
                "{}: too many tensors",
                op.name()
            );
            step
        };
        let programs: Vec<Vec<Step>> = recording.programs.iter().map(|p| p.ops.iter().map(step).collect()).collect();
        let scratch = programs.iter().flatten().map(|s| s.op.scratch()).max().unwrap_or(0);
        let mut engine = CpuEngine { recording: Rc::clone(recording), memory, programs, scratch: vec![0.0; scratch] };
        for (tensor, words) in starts(recording, seed) {
            let Place { memory, values } = Place::of(recording, tensor);
            engine.memory[memory][values].copy_from_slice(bytemuck::cast_slice(&words));
        }
        engine
    }

    /// The words of a tensor.
    pub fn words(&self, tensor: Tensor) -> &[u32] {
        let Place { memory, values } = Place::of(&self.recording, tensor);
        bytemuck::cast_slice(&self.memory[memory][values])
    }
}

fn replay(step: &Step, memory: &mut [Vec<f32>], scratch: &mut [f32]) {
    // The writes leave the memory for the while, so that the reads can be borrowed beside them.
    let mut taken: [Vec<f32>; MOST_WRITES] = Default::default();
    for (slot, place) in taken.iter_mut().zip(&step.writes) {
        *slot = std::mem::take(&mut memory[place.memory]);
    }
    let mut reads: [&[f32]; MOST_READS] = [&[]; MOST_READS];
    for (slot, place) in reads.iter_mut().zip(&step.reads) {
        *slot = &memory[place.memory][place.values.clone()];
    }
    let mut writes = taken.each_mut().map(Vec::as_mut_slice);
    for (slot, place) in writes.iter_mut().zip(&step.writes) {
        *slot = &mut std::mem::take(slot)[place.values.clone()];
    }
    step.op.run(&reads[..step.reads.len()], &mut writes[..step.writes.len()], scratch);
    for (slot, place) in taken.iter_mut().zip(&step.writes) {
        memory[place.memory] = std::mem::take(slot);
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
                    replay(step, &mut self.memory, &mut self.scratch);
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
