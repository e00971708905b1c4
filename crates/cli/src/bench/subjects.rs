//! What is timed: whole training steps on made-up images, and workloads without the rest of a step.

use super::rounds::Work;
use crate::args::EngineKind;
use crate::failure::{Failure, Result};
use digit_forge_core::bench::Workload;
use digit_forge_core::data::{IMAGE, MNIST_IMAGES, idx};
use digit_forge_core::engine::cpu::CpuEngine;
use digit_forge_core::engine::gpu::{GpuContext, GpuEngine};
use digit_forge_core::engine::{Engine, block_on};
use digit_forge_core::ops::Adapter;
use digit_forge_core::train::Trainer;
use digit_forge_core::train::settings::Resolved;

/// Where everything runs.
pub enum Bed {
    Cpu,
    Gpu(GpuContext),
}

impl Bed {
    pub fn of(kind: EngineKind) -> Result<Self> {
        match kind {
            EngineKind::Cpu => Ok(Bed::Cpu),
            EngineKind::Gpu => Ok(Bed::Gpu(block_on(GpuContext::new()).map_err(Failure::NoGpu)?)),
        }
    }

    /// Which kind of GPU it is, if it is one.
    pub fn gpu(&self) -> Option<Adapter> {
        match self {
            Bed::Cpu => None,
            Bed::Gpu(context) => Some(context.kind()),
        }
    }

    fn engine(&self, work: &Workload) -> Result<Box<dyn Engine>> {
        Ok(match self {
            Bed::Cpu => Box::new(CpuEngine::new(&work.recording, 1)),
            Bed::Gpu(context) => Box::new(block_on(GpuEngine::new(context.clone(), &work.recording, 1))?),
        })
    }

    /// `cpu` or `gpu`, and what that runs on.
    pub fn names(&self) -> Result<(&'static str, String)> {
        let engine = self.engine(&Workload::ceiling(1, 1, false)?)?;
        Ok((engine.name(), engine.adapter()))
    }

    /// Training steps with these settings.
    pub fn steps(&self, what: &Resolved) -> Result<Work<'static, Failure>> {
        let mut trainer = match self {
            Bed::Cpu => Trainer::cpu(what.preset, what.settings.clone(), MNIST_IMAGES)?,
            Bed::Gpu(context) => {
                block_on(Trainer::gpu(what.preset, what.settings.clone(), context.clone(), MNIST_IMAGES))
                    .map_err(Failure::NoGpu)?
            }
        };
        let (images, labels) = made_up(trainer.images_to_start());
        trainer.add_data(&images, &labels)?;
        Ok(Box::new(move |times| {
            trainer.run(times)?;
            Ok(block_on(trainer.settle())?)
        }))
    }

    /// Replays of a workload.
    pub fn replays(&self, work: &Workload) -> Result<Work<'static, Failure>> {
        let mut engine = self.engine(work)?;
        let programs = work.programs.clone();
        Ok(Box::new(move |times| {
            engine.run(&programs, times)?;
            Ok(block_on(engine.settle())?)
        }))
    }
}

/// As many images of a bar whose height tells its digit, and their labels, as IDX files.
fn made_up(count: usize) -> (Vec<u8>, Vec<u8>) {
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    let ink = |digit: u8, row: usize| if row / 2 == 2 + usize::from(digit) { 255 } else { 0 };
    let image = |&digit: &u8| (0..IMAGE.pixels()).map(move |i| ink(digit, i / IMAGE.columns));
    let pixels: Vec<u8> = labels.iter().flat_map(image).collect();
    (idx::write_images(IMAGE, &pixels), idx::write_labels(&labels))
}
