//! Rows of a table, each chosen by an integer: what a one-hot matrix times the table would be, and 0 past its last row.

use super::block::{Beside, Code, Instruction, Operand};
use super::product::Orientation;
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};

#[derive(Clone, Copy, Debug)]
pub(super) struct Lookup {
    pub table: Tensor,
    pub index: Tensor,
    pub y: Tensor,
    rows: usize,
    pub classes: usize,
    columns: usize,
}

params! { n: u32, classes: u32, columns: u32 }

impl Recorder {
    /// `y[i] = table[index[i]]`: `table [K, E]`, `index [M]` of integers, `y [M, E]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn lookup(&mut self, table: Tensor, index: Tensor) -> Result<Tensor> {
        let op = "lookup";
        let [classes, columns] = self.shape(table).matrix(op)?;
        let rows = self.shape(index).len();
        if self.info(index).dtype != DType::U32 || self.shape(index).rank() != 1 {
            let (left, right) = (self.shape(table).clone(), self.shape(index).clone());
            return Err(Error::Shapes { op, left, right, why: "an integer for each row, [M], is needed" });
        }
        let y = self.result(op, [rows, columns], DType::F32);
        self.push(Lookup { table, index, y, rows, classes, columns })
    }
}

impl Op for Lookup {
    fn name(&self) -> &'static str {
        "lookup"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.table, self.index]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let one = r.constant([self.rows, 1], 1.0);
        let chosen = r.place(one, self.index, self.classes, 0)?;
        Ok(vec![Some(r.product(chosen, dy, Orientation::TransposedA)?), None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let index: &[u32] = bytemuck::cast_slice(x[1]);
        for (y, &i) in y[0].chunks_exact_mut(self.columns).zip(index) {
            match x[0].chunks_exact(self.columns).nth(i as usize) {
                Some(row) => y.copy_from_slice(row),
                None => y.fill(0.0),
            }
        }
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let Lookup { table, index, y, rows, classes, columns } = *self;
        let (a, c) = (Operand::new(table, [0, 0, 0, 1]), Some(Operand::new(index, [0, 0, 1, 0])));
        let copy = Instruction::new(Code::Compute, [1, 1, rows, columns], y, table);
        Some(vec![Instruction { a, c, beside: Beside::Pick, offset: [0, classes], step: columns, ..copy }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let n = self.rows * self.columns;
        let params = Params { n: n as u32, classes: self.classes as u32, columns: self.columns as u32 };
        let workgroups = groups(n);
        Kernel { shader: shader!("lookup"), entry: "look_up", constants: vec![], params: params.bytes(), workgroups }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("lookup", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::check::Case;
    let case = |classes: usize, columns: usize, index: &'static [u32]| {
        Case::new(format!("lookup in {classes} × {columns}"), [[classes, columns].into()])
            .words(index.to_vec())
            .records(|r, x| {
                let table = r.square(x[0])?;
                r.lookup(table, x[1])
            })
            .equals(move |x| {
                let value = |i: u32, j: usize| x[0].get(i as usize * columns + j).map_or(0.0, |v| v * v);
                index.iter().flat_map(|&i| (0..columns).map(move |j| value(i, j))).collect()
            })
    };
    vec![case(3, 5, &[2, 0, 2, 1]), case(4, 1, &[3, 4, u32::MAX >> 8])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_are_no_integers_for_rows() {
        let mut r = Recorder::new();
        r.begin("test");
        let table = r.input("table", [3, 2], DType::F32);
        let float = r.input("float", [4], DType::F32);
        let matrix = r.input("matrix", [4, 1], DType::U32);
        assert!(matches!(r.lookup(table, float), Err(Error::Shapes { op: "lookup", .. })));
        assert!(matches!(r.lookup(table, matrix), Err(Error::Shapes { op: "lookup", .. })));
    }
}
