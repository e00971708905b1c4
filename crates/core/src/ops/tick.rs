//! The clock: what every step counts and every random draw is keyed by. `tick` adds one to a lane of it, in place.
//!
//! It is one tensor of integers, kept on the device, so that a recorded program never needs a number from the host.
//! Optimisers, averages and the log count their own update too: their lane is ticked first. A draw's number counts those
//! before it: [`Lane::Draws`] is ticked afterwards.

use super::block::{Code, Instruction, Operand};
use super::{Adapter, Kernel, Op, params, shader};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};
use std::any::Any;
use std::rc::Rc;

/// Words of a clock; those without a [`Lane`] are spare.
pub const LANES: usize = 8;

/// What a word of the clock holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// How many batches have been drawn.
    Draws = 0,
    /// How many updates the discriminator has had.
    Discriminator = 1,
    /// How many updates the generator has had.
    Generator = 2,
    /// Which chunk of samples is drawn.
    Samples = 3,
    /// The run's seed, written by the host and never ticked.
    Seed = 4,
}

impl Lane {
    /// The value of this lane.
    pub fn of(self, clock: &[u32]) -> u32 {
        clock[self as usize]
    }
}

#[derive(Clone, Copy, Debug)]
struct Tick {
    clock: Tensor,
    lane: Lane,
}

params! { lane: u32 }

/// The lane that an operation ticks, if that is what it does.
pub(crate) fn ticked(op: &Rc<dyn Op>) -> Option<Lane> {
    (op.as_ref() as &dyn Any).downcast_ref::<Tick>().map(|tick| tick.lane)
}

impl Recorder {
    /// Adds one to a lane of the clock.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes don't fit, or the clock is none.
    pub fn tick(&mut self, clock: Tensor, lane: Lane) -> Result<()> {
        self.check_clock("tick", clock)?;
        self.push(Tick { clock, lane }).map(|_| ())
    }

    /// That `clock` is one: integers `[8]`.
    pub(super) fn check_clock(&self, op: &'static str, clock: Tensor) -> Result<()> {
        let info = self.info(clock);
        if info.dtype != DType::U32 || info.shape.0 != [LANES] {
            return Err(Error::Shape { op, shape: info.shape.clone(), why: "a clock of 8 integers is needed" });
        }
        Ok(())
    }
}

impl Op for Tick {
    fn name(&self) -> &'static str {
        "tick"
    }

    fn reads(&self) -> Vec<Tensor> {
        Vec::new()
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.clock]
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, _x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let clock: &mut [u32] = bytemuck::cast_slice_mut(y[0]);
        let count = &mut clock[self.lane as usize];
        *count = count.wrapping_add(1);
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let y = Operand { start: self.lane as usize, ..Operand::new(self.clock, [0; 4]) };
        Some(vec![Instruction { y, a: y, ..Instruction::flat(Code::Tick, 1, self.clock, self.clock) }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let params = Params { lane: self.lane as u32 };
        Kernel {
            shader: shader!("tick"),
            entry: "tick",
            constants: vec![],
            params: params.bytes(),
            workgroups: [1, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("tick", Params::layout())
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use crate::program::Init;
    let mut r = Recorder::new();
    r.begin("scene");
    let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
    r.tick(clock, Lane::Draws).unwrap();
    r.tick(clock, Lane::Samples).unwrap();
    r.tick(clock, Lane::Draws).unwrap();
    vec![super::check::Scene {
        name: "tick".into(),
        recording: r.finish(true, &[clock]).into(),
        uploads: vec![(clock, vec![0, 0, 0, u32::MAX - 1, 9, 0, 0, 0])],
        outputs: vec![clock],
        times: 3,
        tolerance: 0.0,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Init;

    #[test]
    fn counts_its_lane_alone_and_wraps() {
        assert_eq!(scenes()[0].on_cpu(), [[6, 0, 0, 1, 9, 0, 0, 0]]);
    }

    #[test]
    fn refuses_what_is_no_clock() {
        let mut r = Recorder::new();
        r.begin("test");
        let short = r.state("short", [4], DType::U32, Init::Fill(0.0));
        let real = r.state("real", [LANES], DType::F32, Init::Fill(0.0));
        assert!(matches!(r.tick(short, Lane::Draws), Err(Error::Shape { op: "tick", .. })));
        assert!(matches!(r.tick(real, Lane::Draws), Err(Error::Shape { op: "tick", .. })));
    }
}
