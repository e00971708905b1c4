//! All that a step draws in one dispatch: noise, joined with what G hears of the labels, and a batch of images with
//! their labels. A group of `noise`, `gather` and, if they are there, `place` or `lookup`, and `concat`.

use super::concat::Concat;
use super::gather::Gather;
use super::lookup::Lookup;
use super::noise::{Distribution, Noise};
use super::pick::{Pick, Way};
use super::tick::Lane;
use super::{Adapter, Kernel, Op, params, shader};
use crate::program::{Recorder, Role, Tensor};
use std::any::Any;
use std::rc::Rc;

/// See the module's head.
#[derive(Clone)]
pub(crate) struct Draw {
    parts: Vec<Rc<dyn Op>>,
    noise: Noise,
    gather: Gather,
    /// Noise `[B, Z]`, or joined with the labels `[B, Z + C]`.
    input: Tensor,
    /// Columns of noise, and those of labels after them.
    columns: [usize; 2],
    /// What G hears of a label.
    heard: Heard,
}

#[derive(Clone, Copy)]
enum Heard {
    /// This number at the label's place among zeros.
    Place(f32),
    /// The label's row of a table that has so many.
    Row(Tensor, usize),
}

params! {
    size: u32, words: u32, first: u32, total: u32, opening: u32, draws: u32, seed: u32, paper: f32,
    noise: u32, labels: u32, lane: u32, stream: u32, label: f32, classes: u32,
}

fn find<T: Clone + 'static>(ops: &[Rc<dyn Op>], which: impl Fn(&T) -> bool) -> Option<(usize, T)> {
    let op = |op: &Rc<dyn Op>| (op.as_ref() as &dyn Any).downcast_ref::<T>().filter(|op| which(op)).cloned();
    ops.iter().enumerate().find_map(|(i, candidate)| Some((i, op(candidate)?)))
}

impl Draw {
    /// The draw among these operations, and which of them it is made of. `alone` says whether a tensor has no other
    /// reader, and `movable` whether operations may all run where the last of them does.
    pub fn find(
        ops: &[Rc<dyn Op>],
        r: &Recorder,
        alone: &dyn Fn(Tensor, &Rc<dyn Op>) -> bool,
        movable: &dyn Fn(&[usize]) -> bool,
    ) -> Option<(Self, Vec<usize>)> {
        let (at_gather, gather) = find(ops, |_: &Gather| true)?;
        let size = gather.batch.size;
        let (at_noise, noise) = find(ops, |n: &Noise| {
            n.distribution == Distribution::Normal
                && n.over.is_none()
                && n.clock == gather.clock
                && n.n.is_multiple_of(size)
        })?;
        let mut at = vec![at_noise, at_gather];
        let (mut input, mut columns, mut heard) = (noise.y, [noise.n / size, 0], Heard::Place(0.0));
        let place = |concat: &Concat| {
            let (at, place) = find(ops, |p: &Pick| {
                p.y == concat.b && p.way == Way::Place && p.index == gather.y[1] && p.offset == 0
            })?;
            let Role::Constant(label) = r.info(place.x).role else { return None };
            Some((at, Heard::Place(label)))
        };
        let row = |concat: &Concat| {
            let (at, row) = find(ops, |l: &Lookup| l.y == concat.b && l.index == gather.y[1])?;
            Some((at, Heard::Row(row.table, row.classes)))
        };
        let joined = || {
            let (at_concat, concat) = find(ops, |c: &Concat| c.a == noise.y && (c.outer, c.inner) == (size, 1))?;
            let (at_heard, heard) = place(&concat).or_else(|| row(&concat))?;
            let inner = alone(noise.y, &ops[at_concat]) && alone(concat.b, &ops[at_concat]);
            inner.then_some(([at_heard, at_concat], concat, heard))
        };
        if let Some((more, concat, value)) = joined() {
            at.extend(more);
            (input, columns, heard) = (concat.y, [concat.left, concat.right], value);
        }
        let parts = at.iter().map(|&i| Rc::clone(&ops[i])).collect();
        movable(&at).then_some((Draw { parts, noise, gather, input, columns, heard }, at))
    }
}

impl Op for Draw {
    fn name(&self) -> &'static str {
        "draw"
    }

    fn reads(&self) -> Vec<Tensor> {
        let mut reads = self.gather.reads();
        // Without a table any tensor stands in its place, unread.
        reads.push(if let Heard::Row(table, _) = self.heard { table } else { reads[0] });
        reads
    }

    fn writes(&self) -> Vec<Tensor> {
        [vec![self.input], self.gather.writes()].concat()
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, _x: &[&[f32]], _y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        unreachable!("a CPU runs a draw's parts")
    }

    fn parts(&self) -> Option<&[Rc<dyn Op>]> {
        Some(&self.parts)
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let batch = &self.gather.batch;
        let params = Params {
            size: batch.size as u32,
            words: (batch.pixels / 4) as u32,
            first: batch.first,
            total: batch.total,
            opening: batch.opening(),
            draws: Lane::Draws as u32,
            seed: Lane::Seed as u32,
            paper: batch.paper,
            noise: self.columns[0] as u32,
            labels: self.columns[1] as u32,
            lane: self.noise.lane as u32,
            stream: self.noise.stream,
            label: if let Heard::Place(label) = self.heard { label } else { 0.0 },
            classes: if let Heard::Row(_, classes) = self.heard { classes as u32 } else { 0 },
        };
        let shader = shader!("draw", "random", "shuffle");
        Kernel {
            shader,
            entry: "draw",
            constants: vec![],
            params: params.bytes(),
            workgroups: [batch.size as u32, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("draw", Params::layout())
}

/// How a scene's G hears of labels.
#[cfg(test)]
#[derive(Debug)]
enum Hears {
    Nothing,
    Place,
    Row,
}

/// The four operations that a GAN records, at this count of draws.
#[cfg(test)]
fn scene(size: usize, z: usize, hears: Hears) -> super::check::Scene {
    use super::gather::Batch;
    use super::tick::LANES;
    use crate::program::DType;
    let batch = Batch { size, pixels: 12, first: 30, total: 101, paper: -0.5 };
    let words = |n: u32| (0..n).map(|i| i.wrapping_mul(0x9e37_79b9)).collect::<Vec<u32>>();
    let mut r = Recorder::new();
    r.begin("scene");
    let images = r.input("images", [101 * 3], DType::U32);
    let packed = r.input("labels", [26], DType::U32);
    let available = r.input("available", [1], DType::U32);
    let clock = r.input("clock", [LANES], DType::U32);
    let noise = r.noise([size, z], clock, Lane::Draws, 5, Distribution::Normal).unwrap();
    let (real, labels) = r.gather(images, packed, available, clock, batch).unwrap();
    let one = r.constant([size, 1], 0.7);
    let table = r.input("table", [256, 3], DType::F32);
    let heard = match hears {
        Hears::Nothing => None,
        Hears::Place => Some(r.place(one, labels, 256, 0).unwrap()),
        Hears::Row => Some(r.lookup(table, labels).unwrap()),
    };
    let input = heard.map_or(noise, |heard| r.concat(noise, heard, 1).unwrap());
    let outputs = vec![input, real, labels];
    let recording = r.finish(true, &outputs);
    assert_eq!(recording.programs[0].ops.iter().map(|op| op.name()).collect::<Vec<_>>(), ["draw"]);
    super::check::Scene {
        name: format!("draw {size}, {z}, {hears:?}"),
        recording: recording.into(),
        uploads: vec![
            (images, words(101 * 3)),
            (table, (0..256 * 3).map(|i| (i as f32).to_bits()).collect()),
            (packed, words(26)),
            (available, vec![101]),
            (clock, vec![17, 0, 0, 0, 0xffff_0001, 0, 0, 0]),
        ],
        outputs,
        times: 1,
        tolerance: 1e-6,
    }
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use Hears::{Nothing, Place, Row};
    [(16, 64, Place), (5, 7, Place), (3, 1, Place), (7, 33, Nothing), (16, 64, Row), (3, 5, Row)]
        .map(|(b, z, hears)| scene(b, z, hears))
        .into()
}
