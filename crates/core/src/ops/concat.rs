//! Two tensors joined along one axis. Words are copied as they are, so it serves integers too.

use super::block::{Code, Instruction, Operand};
use super::window::{around, stretch_of};
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::error::{Error, Result};
use crate::program::{Recorder, Tensor};

/// Both seen as `[outer, left or right, inner]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Concat {
    pub a: Tensor,
    pub b: Tensor,
    pub y: Tensor,
    axis: usize,
    pub outer: usize,
    pub inner: usize,
    pub left: usize,
    pub right: usize,
}

params! { n: u32, left: u32, both: u32 }

impl Recorder {
    /// `a` followed by `b` along `axis`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn concat(&mut self, a: Tensor, b: Tensor, axis: usize) -> Result<Tensor> {
        let (mut shape, other) = (self.shape(a).clone(), self.shape(b).clone());
        let fits = shape.rank() == other.rank() && (0..shape.rank()).all(|i| i == axis || shape.0[i] == other.0[i]);
        if axis >= shape.rank() || !fits || self.info(a).dtype != self.info(b).dtype {
            return Err(Error::Shapes {
                op: "concat",
                left: shape,
                right: other,
                why: "all but the joined axis must agree",
            });
        }
        let (outer, inner) = around(&shape, axis);
        let (left, right) = (shape.0[axis], other.0[axis]);
        shape.0[axis] = left + right;
        let y = self.result("concat", shape, self.info(a).dtype);
        self.push(Concat { a, b, y, axis, outer, inner, left, right })
    }
}

impl Op for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.a, self.b]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let mut part = |wanted: bool, start, extent| wanted.then(|| r.slice(dy, self.axis, start, extent)).transpose();
        Ok(vec![part(wanted[0], 0, self.left)?, part(wanted[1], self.left, self.right)?])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let (left, right) = (self.left * self.inner, self.right * self.inner);
        for (i, y) in y[0].chunks_exact_mut(left + right).enumerate() {
            y[..left].copy_from_slice(&x[0][i * left..(i + 1) * left]);
            y[left..].copy_from_slice(&x[1][i * right..(i + 1) * right]);
        }
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let Concat { a, b, y, outer, inner, left, right, .. } = *self;
        let part = |x: Tensor, start: usize, extent: usize| {
            let (extents, strides) = stretch_of(outer, left + right, extent, inner);
            let to = Operand { start: start * inner, ..Operand::new(y, strides) };
            Instruction { y: to, ..Instruction::new(Code::Copy, extents, y, x) }
        };
        Some(vec![part(a, 0, left), part(b, left, right)])
    }

    fn joins(&self) -> Option<[Tensor; 2]> {
        (self.outer == 1).then_some([self.a, self.b])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let both = (self.left + self.right) * self.inner;
        let n = self.outer * both;
        let params = Params { n: n as u32, left: (self.left * self.inner) as u32, both: both as u32 };
        Kernel {
            shader: shader!("concat"),
            entry: "join",
            constants: vec![],
            params: params.bytes(),
            workgroups: groups(n),
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("concat", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::check::Case;
    vec![
        Case::new("concat rows", [[2, 5].into(), [3, 5].into()])
            .records(|r, x| {
                let y = r.concat(x[0], x[1], 0)?;
                r.square(y)
            })
            .equals(|x| x[0].iter().chain(&x[1]).map(|v| v * v).collect()),
        Case::new("concat columns", [[3, 2].into(), [3, 7].into()])
            .records(|r, x| {
                let y = r.concat(x[0], x[1], 1)?;
                r.square(y)
            })
            .equals(|x| {
                x[0].chunks(2).zip(x[1].chunks(7)).flat_map(|(a, b)| a.iter().chain(b).map(|v| v * v)).collect()
            }),
    ]
}
