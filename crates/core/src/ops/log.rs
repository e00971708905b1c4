//! One row of numbers a step into a ring on the device, which the host reads once in a while and never waits for.
//!
//! A row is the step's number `t`, then up to four values. The ring is a tensor of floats, but its first column holds
//! the bits of an integer: `t` as [`f32::to_bits`] would return it. With `R` rows, step `t` is in row `(t - 1) % R`, so
//! the host knows which rows are new from the last `t` that it saw; it must read before `R` more have come.

use super::block::{Code, Instruction, Operand};
use super::tick::Lane;
use super::{Adapter, Kernel, Op, params, shader};
use crate::error::{Error, Result};
use crate::program::{Recorder, Tensor};

/// Numbers in a row of the ring: `t` and the values.
pub const ROW: usize = 5;

#[derive(Clone, Debug)]
struct LogRow {
    clock: Tensor,
    values: Vec<Tensor>,
    ring: Tensor,
    lane: Lane,
    rows: usize,
}

params! { lane: u32, rows: u32, count: u32 }

impl Recorder {
    /// Writes up to four single numbers into `ring [R, 5]`, in the row of what `lane` of the clock has counted to,
    /// which must be 1 or more.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes don't fit, or the clock is none.
    pub fn log_row(&mut self, values: &[Tensor], ring: Tensor, clock: Tensor, lane: Lane) -> Result<()> {
        let op = "log_row";
        self.check_clock(op, clock)?;
        let [rows, columns] = self.shape(ring).matrix(op)?;
        if columns != ROW || values.len() >= ROW || rows == 0 {
            let shape = self.shape(ring).clone();
            return Err(Error::Shape { op, shape, why: "a ring [R, 5] takes up to four values" });
        }
        if let Some(&value) = values.iter().find(|&&v| self.shape(v).len() != 1) {
            return Err(Error::Shape { op, shape: self.shape(value).clone(), why: "a single number is needed" });
        }
        self.push(LogRow { clock, values: values.to_vec(), ring, lane, rows }).map(|_| ())
    }
}

impl Op for LogRow {
    fn name(&self) -> &'static str {
        "log_row"
    }

    fn reads(&self) -> Vec<Tensor> {
        // The shader has one layout: where there is no value, the clock stands in its place, unused.
        let place = |i: usize| self.values.get(i).copied().unwrap_or(self.clock);
        vec![self.clock, place(0), place(1), place(2), place(3)]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.ring]
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let t = self.lane.of(bytemuck::cast_slice(x[0]));
        let ring: &mut [u32] = bytemuck::cast_slice_mut(y[0]);
        let row = &mut ring[t.wrapping_sub(1) as usize % self.rows * ROW..][..ROW];
        row.fill(0);
        row[0] = t;
        for (place, value) in row[1..].iter_mut().zip(&x[1..]).take(self.values.len()) {
            *place = value[0].to_bits();
        }
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let count = Operand { start: self.lane as usize, ..Operand::new(self.clock, [0; 4]) };
        let cell = |column: usize| {
            let y = Operand { start: column, ..Operand::new(self.ring, [0; 4]) };
            let cell = Instruction { y, c: Some(count), ..Instruction::flat(Code::Log, 1, self.ring, self.ring) };
            let cell = Instruction { offset: [self.rows, ROW], ..cell };
            match column.checked_sub(1) {
                None => Instruction { a: count, ..cell },
                Some(i) => {
                    self.values.get(i).map_or(cell.zero(), |&v| Instruction { a: Operand::new(v, [0; 4]), ..cell })
                }
            }
        };
        Some((0..ROW).map(cell).collect())
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let params = Params { lane: self.lane as u32, rows: self.rows as u32, count: self.values.len() as u32 };
        Kernel {
            shader: shader!("log"),
            entry: "log_row",
            constants: vec![],
            params: params.bytes(),
            workgroups: [1, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("log", Params::layout())
}

/// The words of four values; the second is a NaN with bits of its own.
#[cfg(test)]
const VALUES: [u32; 4] = [0.5f32.to_bits(), 0x7fc0_1234, 2.0f32.to_bits(), 3.0f32.to_bits()];

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use super::tick::LANES;
    use crate::program::{DType, Init};
    let scene = |count: usize, times: u32| {
        let mut r = Recorder::new();
        r.begin("scene");
        let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
        let ring = r.state("ring", [3, ROW], DType::F32, Init::Fill(0.0));
        let values: Vec<Tensor> = (0..count).map(|_| r.input("value", [1, 1], DType::F32)).collect();
        r.tick(clock, Lane::Generator).unwrap();
        r.log_row(&values, ring, clock, Lane::Generator).unwrap();
        let mut uploads = vec![(clock, vec![7, 7, 0, 7, 7, 7, 7, 7]), (ring, vec![0x77; 3 * ROW])];
        uploads.extend(values.iter().zip(VALUES).map(|(&v, word)| (v, vec![word])));
        super::check::Scene {
            name: format!("log_row of {count}, {times} times"),
            recording: r.finish(true, &[ring]).into(),
            uploads,
            outputs: vec![ring],
            times,
            tolerance: 0.0,
        }
    };
    vec![scene(4, 2), scene(2, 5), scene(0, 3)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{DType, Init};

    #[test]
    fn writes_the_row_of_its_step_and_starts_over_at_the_end() {
        let [half, nan, two, three] = VALUES;
        let rings: Vec<Vec<u32>> = scenes().iter().map(|scene| scene.on_cpu().remove(0)).collect();
        assert_eq!(rings[0][..10], [1, half, nan, two, three, 2, half, nan, two, three]);
        assert_eq!(rings[0][10..], [0x77; ROW], "not its turn yet");
        assert_eq!(rings[1], [4, half, nan, 0, 0, 5, half, nan, 0, 0, 3, half, nan, 0, 0]);
        assert_eq!(rings[2], [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0]);
    }

    #[test]
    fn refuses_what_does_not_fit_into_a_row() {
        let mut r = Recorder::new();
        r.begin("test");
        let clock = r.state("clock", [8], DType::U32, Init::Fill(0.0));
        let ring = r.state("ring", [4, ROW], DType::F32, Init::Fill(0.0));
        let narrow = r.state("narrow", [4, 4], DType::F32, Init::Fill(0.0));
        let value = r.input("value", [1], DType::F32);
        let pair = r.input("pair", [2], DType::F32);
        let mut log = |values: &[Tensor], ring| r.log_row(values, ring, clock, Lane::Generator);
        assert!(log(&[value; 4], ring).is_ok());
        assert!(matches!(log(&[value; 5], ring), Err(Error::Shape { op: "log_row", .. })));
        assert!(matches!(log(&[value], narrow), Err(Error::Shape { op: "log_row", .. })));
        assert!(matches!(log(&[value, pair], ring), Err(Error::Shape { op: "log_row", .. })));
    }
}
