//! A pool of earlier rows, so that the discriminator doesn't forget what it has unlearnt to see (Shrivastava et al. 2017,
//! "Learning from simulated and unsupervised images through adversarial training").
//!
//! Each row of a batch has slots of its own in the pool. The first batches fill them and pass through. From then on a row is
//! by even chances itself, or what a random one of its slots held, where it takes that one's place. What is drawn depends on
//! seed, stream and clock alone, so images and their labels, replayed with the same stream, stay together. Words are
//! copied as they are, so it serves integers too.

use super::noise::philox;
use super::tick::Lane;
use super::{Adapter, Kernel, Op, params, shader};
use crate::error::{Error, Result};
use crate::program::{Recorder, Shape, Tensor};
use std::rc::Rc;

#[derive(Clone, Copy, Debug)]
struct Replay {
    x: Tensor,
    clock: Tensor,
    y: Tensor,
    pool: Tensor,
    rows: usize,
    columns: usize,
    slots: usize,
    lane: Lane,
    /// Ticks that the lane is behind.
    ahead: u32,
    stream: u32,
}

params! { rows: u32, columns: u32, slots: u32, lane: u32, ahead: u32, seed: u32, stream: u32 }

impl Recorder {
    /// Rows of `x [B, ..]`, some of them exchanged for earlier ones from the state `pool [S, B, ..]`. The lane, already
    /// ticked, counts the batches.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes or types differ, or the clock is none.
    pub fn replay(&mut self, x: Tensor, pool: Tensor, clock: Tensor, lane: Lane, stream: u32) -> Result<Tensor> {
        let op = "replay";
        self.check_clock(op, clock)?;
        let (info, kept) = (self.info(x).clone(), self.info(pool).clone());
        let slots = kept.shape.0.first().copied().unwrap_or_default();
        if slots == 0 || kept.shape.0[1..] != info.shape.0[..] || kept.dtype != info.dtype || info.shape.is_empty() {
            let why = "the pool must hold whole batches of the same kind";
            return Err(Error::Shapes { op, left: info.shape, right: kept.shape, why });
        }
        let rows = info.shape.0[0];
        let columns = info.shape.len() / rows;
        let y = self.result(op, info.shape, info.dtype);
        self.push(Replay { x, clock, y, pool, rows, columns, slots, lane, ahead: 0, stream })
    }

    /// A state for [`Recorder::replay`] that remembers at least so many rows like those of `x`.
    pub fn pool_for(&mut self, x: Tensor, name: &str, rows: usize) -> Tensor {
        let info = self.info(x).clone();
        let slots = rows.div_ceil(info.shape.0[0]).max(1);
        let shape = Shape([&[slots], info.shape.0.as_slice()].concat());
        self.state(name, shape, info.dtype, crate::program::Init::Fill(0.0))
    }
}

impl Op for Replay {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x, self.clock]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y, self.pool]
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let Replay { rows, columns, slots, stream, .. } = *self;
        let clock: &[u32] = bytemuck::cast_slice(x[1]);
        let (time, seed) = (self.lane.of(clock).wrapping_add(self.ahead), Lane::Seed.of(clock));
        let [y, pool] = y else { unreachable!("it writes rows and the pool") };
        let filling = time as usize <= slots;
        for (row, (x, y)) in x[0].chunks_exact(columns).zip(y.chunks_exact_mut(columns)).enumerate() {
            let words = philox([row as u32, time, 0, 0], [seed, stream]);
            let slot = if filling { time.wrapping_sub(1) } else { words[0] } as usize % slots;
            let kept = &mut pool[(slot * rows + row) * columns..][..columns];
            let swaps = !filling && words[1] < 1 << 31;
            y.copy_from_slice(if swaps { kept } else { x });
            if filling || swaps {
                kept.copy_from_slice(x);
            }
        }
    }

    fn before_tick(&self, lane: Lane) -> Option<Rc<dyn Op>> {
        Some(Rc::new(Replay { ahead: self.ahead + u32::from(self.lane == lane), ..*self }))
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let params = Params {
            rows: self.rows as u32,
            columns: self.columns as u32,
            slots: self.slots as u32,
            lane: self.lane as u32,
            ahead: self.ahead,
            seed: Lane::Seed as u32,
            stream: self.stream,
        };
        Kernel {
            shader: shader!("replay", "random"),
            entry: "replay",
            constants: vec![],
            params: params.bytes(),
            workgroups: [self.rows as u32, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("replay", Params::layout())
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use super::tick::LANES;
    use crate::program::{DType, Init};
    let scene = |before: u32, times: u32| {
        let mut r = Recorder::new();
        r.begin("scene");
        let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
        let x = r.input("x", [4, 70], DType::F32);
        let pool = r.pool_for(x, "pool", 9);
        r.tick(clock, Lane::Draws).unwrap();
        let y = r.replay(x, pool, clock, Lane::Draws, 5).unwrap();
        super::check::Scene {
            name: format!("replay {times} times after {before}"),
            recording: r.finish(true, &[y, pool]).into(),
            uploads: vec![
                (clock, vec![before, 0, 0, 0, 7, 0, 0, 0]),
                (x, (0..280).collect()),
                (pool, (0..840).map(|i| 1000 + i).collect()),
            ],
            outputs: vec![y, pool],
            times,
            tolerance: 0.0,
        }
    };
    // The first one's clock begins anew.
    vec![scene(u32::MAX, 1), scene(0, 4), scene(0, 9)]
}

#[cfg(test)]
mod tests {
    use super::super::tick::LANES;
    use super::*;
    use crate::engine::cpu::CpuEngine;
    use crate::engine::{Engine, block_on};
    use crate::program::{DType, Init, ProgramId};

    #[test]
    fn half_of_the_rows_are_older_ones_and_images_keep_their_labels() {
        const ROWS: usize = 4;
        let mut r = Recorder::new();
        r.begin("test");
        let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
        let images = r.input("images", [ROWS, 2], DType::F32);
        let labels = r.input("labels", [ROWS], DType::U32);
        let (pool, label_pool) = (r.pool_for(images, "pool", 12), r.pool_for(labels, "labels", 12));
        r.tick(clock, Lane::Draws).unwrap();
        let y = r.replay(images, pool, clock, Lane::Draws, 5).unwrap();
        let y_labels = r.replay(labels, label_pool, clock, Lane::Draws, 5).unwrap();
        let mut engine = CpuEngine::new(&r.finish(true, &[y, y_labels]).into(), 0);
        let (mut older, mut known) = (0, vec![Vec::new(); ROWS]);
        for batch in 0..200u32 {
            let number = |row: u32| 100 * batch + row;
            let pixels: Vec<u32> = (0..4).flat_map(|row| [number(row) as f32; 2]).map(f32::to_bits).collect();
            engine.upload(images, 0, &pixels).unwrap();
            engine.upload(labels, 0, &[0, 1, 2, 3].map(number)).unwrap();
            engine.run(&[ProgramId(0)], 1).unwrap();
            let pixels = block_on(engine.download(y)).unwrap();
            let labels = block_on(engine.download(y_labels)).unwrap();
            for (row, (&label, pixels)) in labels.iter().zip(pixels.chunks(2)).enumerate() {
                assert_eq!(pixels, [(label as f32).to_bits(); 2]);
                known[row].push(number(row as u32));
                // Each row that comes again had left the batch that way: never twice.
                assert!(known[row].contains(&label), "row {row} has {label} in batch {batch}");
                if label != number(row as u32) {
                    older += 1;
                    known[row].retain(|&n| n != label);
                }
                assert!(batch >= 3 || label == number(row as u32), "the pool fills first");
            }
        }
        // 788 chances, even: a deviation of 14.
        assert!((338..450).contains(&older), "{older}");
    }

    #[test]
    fn refuses_a_pool_of_another_kind() {
        let mut r = Recorder::new();
        r.begin("test");
        let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
        let x = r.input("x", [4, 2], DType::F32);
        for (shape, kind) in [(vec![3, 4], DType::F32), (vec![0, 4, 2], DType::F32), (vec![3, 4, 2], DType::U32)] {
            let pool = r.state("pool", Shape(shape), kind, Init::Fill(0.0));
            assert!(matches!(r.replay(x, pool, clock, Lane::Draws, 1), Err(Error::Shapes { op: "replay", .. })));
        }
    }
}
