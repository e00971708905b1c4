//! One value of each row, chosen by an integer, and the way back: `pick` and `place`, each the other's gradient.
//!
//! An integer that leads past the last column picks 0 and places nothing, on both engines. A one-hot matrix is `place`
//! of a constant 1.

use super::block::{Beside, Code, Instruction, Operand};
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    /// `x [M, C]` to `y [M, 1]`.
    Pick,
    /// `x [M, 1]` to `y [M, C]`.
    Place,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    pub x: Tensor,
    pub index: Tensor,
    pub y: Tensor,
    pub way: Way,
    pub rows: usize,
    pub columns: usize,
    pub offset: usize,
}

params! { rows: u32, columns: u32, offset: u32 }

impl Recorder {
    /// `y[i] = x[i, index[i] + offset]`: `x [M, C]`, `index [M]` of integers, `y [M, 1]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn pick(&mut self, x: Tensor, index: Tensor, offset: usize) -> Result<Tensor> {
        let [rows, columns] = self.shape(x).matrix("pick")?;
        self.record_pick(Way::Pick, [x, index], rows, columns, offset)
    }

    /// `y[i, index[i] + offset] = v[i]`, and 0 elsewhere: `v [M, 1]`, `index [M]` of integers, `y [M, columns]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn place(&mut self, v: Tensor, index: Tensor, columns: usize, offset: usize) -> Result<Tensor> {
        let [rows, one] = self.shape(v).matrix("place")?;
        if one != 1 {
            return Err(Error::Shape { op: "place", shape: self.shape(v).clone(), why: "a column [M, 1] is needed" });
        }
        self.record_pick(Way::Place, [v, index], rows, columns, offset)
    }

    fn record_pick(
        &mut self,
        way: Way,
        [x, index]: [Tensor; 2],
        rows: usize,
        columns: usize,
        offset: usize,
    ) -> Result<Tensor> {
        let op = way.name();
        if self.info(index).dtype != DType::U32 || self.shape(index).0 != [rows] {
            let (left, right) = (self.shape(x).clone(), self.shape(index).clone());
            return Err(Error::Shapes { op, left, right, why: "an integer for each row, [M], is needed" });
        }
        if offset > columns {
            return Err(Error::Shape {
                op,
                shape: [rows, columns].into(),
                why: "the offset lies past the last column",
            });
        }
        let y = self.result(op, [rows, if let Way::Pick = way { 1 } else { columns }], DType::F32);
        self.push(Pick { x, index, y, way, rows, columns, offset })
    }
}

impl Way {
    /// The operation's name, also that of its entry point.
    fn name(self) -> &'static str {
        match self {
            Way::Pick => "pick",
            Way::Place => "place",
        }
    }
}

impl Op for Pick {
    fn name(&self) -> &'static str {
        self.way.name()
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x, self.index]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let dx = match self.way {
            Way::Pick => r.place(dy, self.index, self.columns, self.offset)?,
            Way::Place => r.pick(dy, self.index, self.offset)?,
        };
        Ok(vec![Some(dx), None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let index: &[u32] = bytemuck::cast_slice(x[1]);
        // Looked up in what follows the offset, since index + offset may wrap.
        let stretch = self.offset..self.columns;
        match self.way {
            Way::Pick => {
                for ((y, row), &i) in y[0].iter_mut().zip(x[0].chunks_exact(self.columns)).zip(index) {
                    *y = row[stretch.clone()].get(i as usize).copied().unwrap_or(0.0);
                }
            }
            Way::Place => {
                for ((row, x), &i) in y[0].chunks_exact_mut(self.columns).zip(x[0]).zip(index) {
                    row.fill(0.0);
                    if let Some(y) = row[stretch.clone()].get_mut(i as usize) {
                        *y = *x;
                    }
                }
            }
        }
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let Pick { x, index, y, way, rows, columns, offset } = *self;
        let (beside, extents, strides) = match way {
            Way::Pick => (Beside::Pick, [1, 1, rows, 1], [0, 0, columns, 0]),
            Way::Place => (Beside::Place, [1, 1, rows, columns], [0, 0, 1, 0]),
        };
        let (a, c) = (Operand::new(x, strides), Some(Operand::new(index, [0, 0, 1, 0])));
        let offset = [offset, columns - offset];
        Some(vec![Instruction { a, c, beside, offset, ..Instruction::new(Code::Compute, extents, y, x) }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let Pick { rows, columns, offset, .. } = *self;
        let params = Params { rows: rows as u32, columns: columns as u32, offset: offset as u32 };
        let threads = match self.way {
            Way::Pick => rows,
            Way::Place => rows * columns,
        };
        let (entry, workgroups) = (self.way.name(), groups(threads));
        Kernel { shader: shader!("pick"), entry, constants: vec![], params: params.bytes(), workgroups }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("pick", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::check::Case;
    // The last of the first case's indices lead past the last column, the very last so far that offset + index wraps.
    let settings = [(6, 5, 2, vec![0, 2, 1, 3, 4, u32::MAX]), (1, 1, 0, vec![0]), (3, 4, 0, vec![3, 0, 4])];
    let mut cases = Vec::new();
    for (rows, columns, offset, index) in settings {
        let columns_of = |index: &[u32]| index.iter().map(|&i| i as usize + offset).collect::<Vec<_>>();
        let at = columns_of(&index);
        cases.push(
            Case::new(format!("pick {rows}x{columns}+{offset}"), [[rows, columns].into()])
                .words(index.clone())
                .records(move |r, x| r.pick(x[0], x[1], offset))
                .equals(move |x| {
                    at.iter().zip(x[0].chunks(columns)).map(|(&j, row)| row.get(j).copied().unwrap_or(0.0)).collect()
                }),
        );
        let at = columns_of(&index);
        cases.push(
            Case::new(format!("place {rows}x{columns}+{offset}"), [[rows, 1].into()])
                .words(index)
                .records(move |r, x| r.place(x[0], x[1], columns, offset))
                .equals(move |x| {
                    let value = |k: usize| if at[k / columns] == k % columns { x[0][k / columns] } else { 0.0 };
                    (0..rows * columns).map(value).collect()
                }),
        );
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_an_index_that_has_not_one_integer_for_each_row() {
        let mut r = Recorder::new();
        r.begin("test");
        let x = r.input("x", [3, 4], DType::F32);
        let v = r.input("v", [3, 1], DType::F32);
        let short = r.input("short", [2], DType::U32);
        let real = r.input("real", [3], DType::F32);
        let index = r.input("index", [3], DType::U32);
        assert!(matches!(r.pick(x, short, 0), Err(Error::Shapes { op: "pick", .. })));
        assert!(matches!(r.pick(x, real, 0), Err(Error::Shapes { op: "pick", .. })));
        assert!(matches!(r.pick(x, index, 5), Err(Error::Shape { op: "pick", .. })));
        assert!(matches!(r.place(x, index, 4, 0), Err(Error::Shape { op: "place", .. })));
        assert!(matches!(r.place(v, index, 4, 5), Err(Error::Shape { op: "place", .. })));
    }
}
