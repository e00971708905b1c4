//! Sum, difference, product and quotient of two tensors, with broadcasting: shapes are aligned at their last axis, and
//! an extent of 1 (or a missing one) is repeated.

use super::block::{Code, Combine, Instruction, Operand};
use super::epilogue::Tail;
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Shape, Tensor};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
}

#[derive(Clone, Debug)]
pub(super) struct Binary {
    a: Tensor,
    b: Tensor,
    y: Tensor,
    arithmetic: Arithmetic,
    shapes: [Shape; 2],
    /// Extents of the result, and each operand's step along each of them (0 where it is repeated).
    extents: [usize; 4],
    steps: [[usize; 4]; 2],
}

params! {
    n: u32, extent1: u32, extent2: u32, extent3: u32,
    a0: u32, a1: u32, a2: u32, a3: u32,
    b0: u32, b1: u32, b2: u32, b3: u32,
}

/// The shape that two shapes broadcast to.
fn broadcast(left: &Shape, right: &Shape) -> Result<Shape> {
    let (a, b) = (left.padded(), right.padded());
    let mut extents = [1; 4];
    for axis in 0..4 {
        extents[axis] = match (a[axis], b[axis]) {
            (a, b) if a == b => a,
            (1, b) => b,
            (a, 1) => a,
            _ => {
                let (left, right) = (left.clone(), right.clone());
                return Err(Error::Shapes { op: "broadcast", left, right, why: "extents must be equal or 1" });
            }
        };
    }
    Ok(Shape(extents[4 - left.rank().max(right.rank())..].to_vec()))
}

/// The step along each axis of `extents` through a tensor of this shape; 0 where it is repeated.
pub(super) fn steps(shape: &Shape, extents: [usize; 4]) -> [usize; 4] {
    let own = shape.padded();
    let mut steps = [0; 4];
    let mut step = 1;
    for axis in (0..4).rev() {
        steps[axis] = if own[axis] == 1 && extents[axis] != 1 { 0 } else { step };
        step *= own[axis];
    }
    steps
}

impl Recorder {
    fn binary(&mut self, a: Tensor, b: Tensor, arithmetic: Arithmetic) -> Result<Tensor> {
        let shapes = [self.shape(a).clone(), self.shape(b).clone()];
        let shape = broadcast(&shapes[0], &shapes[1])?;
        let extents = shape.padded();
        let steps = [steps(&shapes[0], extents), steps(&shapes[1], extents)];
        let y = self.result("binary", shape, DType::F32);
        self.push(Binary { a, b, y, arithmetic, shapes, extents, steps })
    }

    /// `a + b`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn add(&mut self, a: Tensor, b: Tensor) -> Result<Tensor> {
        self.binary(a, b, Arithmetic::Add)
    }

    /// `a - b`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn sub(&mut self, a: Tensor, b: Tensor) -> Result<Tensor> {
        self.binary(a, b, Arithmetic::Sub)
    }

    /// `a · b`, elementwise.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn mul(&mut self, a: Tensor, b: Tensor) -> Result<Tensor> {
        self.binary(a, b, Arithmetic::Mul)
    }

    /// `a / b`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn div(&mut self, a: Tensor, b: Tensor) -> Result<Tensor> {
        self.binary(a, b, Arithmetic::Div)
    }
}

impl Binary {
    /// If it multiplies all values of one tensor by the only value of another: both, and how many values they are.
    pub fn scaling(&self) -> Option<([Tensor; 2], usize)> {
        let scales = self.arithmetic == Arithmetic::Mul && self.shapes[1].len() == 1;
        scales.then(|| ([self.a, self.b], self.shapes[0].len()))
    }

    fn apply(&self, a: &[f32], b: &[f32], y: &mut [f32], f: impl Fn(f32, f32) -> f32) {
        if self.shapes[0] == self.shapes[1] {
            y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = f(a, b));
            return;
        }
        let [e0, e1, e2, e3] = self.extents;
        let [sa, sb] = self.steps;
        let mut rows = y.chunks_exact_mut(e3);
        for (i0, i1, i2) in (0..e0).flat_map(|i| (0..e1).flat_map(move |j| (0..e2).map(move |k| (i, j, k)))) {
            let (a, b) = (&a[i0 * sa[0] + i1 * sa[1] + i2 * sa[2]..], &b[i0 * sb[0] + i1 * sb[1] + i2 * sb[2]..]);
            let Some(row) = rows.next() else { break };
            match (sa[3], sb[3]) {
                (0, _) => row.iter_mut().zip(b).for_each(|(y, &b)| *y = f(a[0], b)),
                (_, 0) => row.iter_mut().zip(a).for_each(|(y, &a)| *y = f(a, b[0])),
                _ => row.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = f(a, b)),
            }
        }
    }
}

impl Op for Binary {
    fn name(&self) -> &'static str {
        "binary"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.a, self.b]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let by_a = match self.arithmetic {
            _ if !wanted[0] => None,
            Arithmetic::Add | Arithmetic::Sub => Some(dy),
            Arithmetic::Mul => Some(r.mul(dy, self.b)?),
            Arithmetic::Div => Some(r.div(dy, self.b)?),
        };
        let by_b = match self.arithmetic {
            _ if !wanted[1] => None,
            Arithmetic::Add => Some(dy),
            Arithmetic::Sub => Some(r.affine(dy, -1.0, 0.0)?),
            Arithmetic::Mul => Some(r.mul(dy, self.a)?),
            Arithmetic::Div => {
                let rate = r.div(self.y, self.b)?;
                let product = r.mul(dy, rate)?;
                Some(r.affine(product, -1.0, 0.0)?)
            }
        };
        let mut to_shape = |g: Option<Tensor>, i: usize| g.map(|g| r.sum_to(g, self.shapes[i].clone())).transpose();
        Ok(vec![to_shape(by_a, 0)?, to_shape(by_b, 1)?])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        match self.arithmetic {
            Arithmetic::Add => self.apply(x[0], x[1], y[0], |a, b| a + b),
            Arithmetic::Sub => self.apply(x[0], x[1], y[0], |a, b| a - b),
            Arithmetic::Mul => self.apply(x[0], x[1], y[0], |a, b| a * b),
            Arithmetic::Div => self.apply(x[0], x[1], y[0], |a, b| a / b),
        }
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let combine = match self.arithmetic {
            Arithmetic::Add => Combine::Add,
            Arithmetic::Sub => Combine::Sub,
            Arithmetic::Mul => Combine::Mul,
            Arithmetic::Div => Combine::Div,
        };
        let (a, b) = (Operand::new(self.a, self.steps[0]), Some(Operand::new(self.b, self.steps[1])));
        Some(vec![Instruction { a, b, combine, ..Instruction::new(Code::Compute, self.extents, self.y, self.a) }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let n: usize = self.extents.iter().product();
        let [_, extent1, extent2, extent3] = self.extents.map(|e| e as u32);
        let [[a0, a1, a2, a3], [b0, b1, b2, b3]] = self.steps.map(|s| s.map(|s| s as u32));
        let params = Params { n: n as u32, extent1, extent2, extent3, a0, a1, a2, a3, b0, b1, b2, b3 };
        Kernel {
            shader: shader!("binary"),
            entry: "combine",
            constants: vec![("ARITHMETIC", f64::from(self.arithmetic as u32))],
            params: params.bytes(),
            workgroups: groups(n),
        }
    }

    fn tail(&self) -> Option<(Tensor, Tail)> {
        let is_bias = self.arithmetic == Arithmetic::Add
            && self.shapes[1].rank() == 1
            && self.shapes[0].rank() > 1
            && self.shapes[0].0.last() == self.shapes[1].0.first();
        is_bias.then_some((self.a, Tail::Bias(self.b)))
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("binary", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::check::Case;
    let mut cases = Vec::new();
    let shapes: [(Shape, Shape); 6] = [
        ([3, 5].into(), [3, 5].into()),
        ([4, 7].into(), [7].into()),
        ([4, 7].into(), [4, 1].into()),
        ([1].into(), [3, 3].into()),
        ([2, 3, 1, 5].into(), [3, 4, 1].into()),
        ([1, 6].into(), [5, 1].into()),
    ];
    for (a, b) in shapes {
        for kind in [Arithmetic::Add, Arithmetic::Sub, Arithmetic::Mul, Arithmetic::Div] {
            let f = move |a: f64, b: f64| match kind {
                Arithmetic::Add => a + b,
                Arithmetic::Sub => a - b,
                Arithmetic::Mul => a * b,
                Arithmetic::Div => a / b,
            };
            let (left, right) = (a.clone(), b.clone());
            let formula = move |x: &[Vec<f64>]| {
                let shape = broadcast(&left, &right).unwrap().padded();
                let (l, r) = (left.padded(), right.padded());
                let at = |dims: [usize; 4], i: [usize; 4]| (0..4).fold(0, |at, d| at * dims[d] + i[d] % dims[d]);
                let index = |n: usize| {
                    let (n3, n2, n1) = (shape[3], shape[2] * shape[3], shape[1] * shape[2] * shape[3]);
                    [n / n1, n / n2 % shape[1], n / n3 % shape[2], n % n3]
                };
                (0..shape.iter().product()).map(|n| f(x[0][at(l, index(n))], x[1][at(r, index(n))])).collect()
            };
            cases.push(
                Case::new(format!("{kind:?} {a} {b}"), [a.clone(), b.clone()])
                    .range(0.5, 2.0)
                    .records(move |r, x| r.binary(x[0], x[1], kind))
                    .equals(formula),
            );
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_that_do_not_broadcast_are_named() {
        let error = broadcast(&[2, 3].into(), &[4].into()).unwrap_err().to_string();
        assert!(error.contains("[2, 3]") && error.contains("[4]"), "{error}");
    }
}
