//! Sums over axes, and their adjoint, the repetition along axes. Either can scale on the way, so a mean is one
//! operation. Shapes are aligned at their last axis, as in broadcasting.

use super::binary::steps;
use super::block::{Code, Combine, Instruction, Operand, dense};
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::engine::cpu::lanes::{SIXTEEN, repeated, sixteen, sixteen_of, values};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Shape, Tensor};

/// Sums `x` of the `large` shape to the `small` one; or, where that is one number, perhaps its squares.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    pub x: Tensor,
    pub y: Tensor,
    pub scale: f32,
    pub squared: bool,
    pub shapes: Shapes,
}

/// Repeats `x` of the `small` shape to the `large` one.
#[derive(Clone, Debug)]
struct Repeat {
    x: Tensor,
    y: Tensor,
    scale: f32,
    shapes: Shapes,
}

#[derive(Clone, Debug)]
pub(super) struct Shapes {
    pub large: Shape,
    pub small: Shape,
}

impl Shapes {
    fn new(op: &'static str, large: &Shape, small: &Shape) -> Result<Self> {
        let (l, s) = (large.padded(), small.padded());
        if (0..4).any(|i| s[i] != l[i] && s[i] != 1) {
            let (left, right) = (large.clone(), small.clone());
            return Err(Error::Shapes { op, left, right, why: "the smaller one's extents must be equal or 1" });
        }
        Ok(Shapes { large: large.clone(), small: small.clone() })
    }

    /// Extents of the large tensor, and the small one's step along each (0 where it is summed or repeated).
    fn walk(&self) -> ([usize; 4], [usize; 4]) {
        let large = self.large.padded();
        (large, steps(&self.small, large))
    }

    /// Calls `row(start in the large tensor, start in the small one)` for each last-axis row of the large tensor.
    fn rows(&self, mut row: impl FnMut(usize, usize)) {
        let ([e0, e1, e2, e3], s) = self.walk();
        let mut start = 0;
        for (i0, i1, i2) in (0..e0).flat_map(|i| (0..e1).flat_map(move |j| (0..e2).map(move |k| (i, j, k)))) {
            row(start, i0 * s[0] + i1 * s[1] + i2 * s[2]);
            start += e3;
        }
    }
}

params! {
    n: u32, terms: u32, scale: f32,
    extent0: u32, extent1: u32, extent2: u32, extent3: u32,
    summed0: u32, summed1: u32, summed2: u32, summed3: u32,
}

impl Recorder {
    /// Sums `x` over the axes where `shape` is 1 or missing.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn sum_to(&mut self, x: Tensor, shape: impl Into<Shape>) -> Result<Tensor> {
        self.sum_scaled(x, &shape.into(), 1.0)
    }

    /// The mean of all values of `x`, as shape `[1]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn mean(&mut self, x: Tensor) -> Result<Tensor> {
        let n = self.shape(x).len();
        self.sum_scaled(x, &[1].into(), 1.0 / n as f32)
    }

    pub(super) fn sum_scaled(&mut self, x: Tensor, shape: &Shape, scale: f32) -> Result<Tensor> {
        if self.shape(x) == shape {
            return if scale == 1.0 { Ok(x) } else { self.affine(x, scale, 0.0) };
        }
        let shapes = Shapes::new("sum", self.shape(x), shape)?;
        let y = self.result("sum", shape.clone(), DType::F32);
        self.push(Sum { x, y, scale, squared: false, shapes })
    }

    /// The sum of the squares of all values of `x`, as shape `[1]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn sum_of_squares(&mut self, x: Tensor) -> Result<Tensor> {
        let shapes = Shapes { large: self.shape(x).clone(), small: [1].into() };
        let y = self.result("sum_of_squares", [1], DType::F32);
        self.push(Sum { x, y, scale: 1.0, squared: true, shapes })
    }

    fn repeat_scaled(&mut self, x: Tensor, shape: &Shape, scale: f32) -> Result<Tensor> {
        let shapes = Shapes::new("repeat", shape, self.shape(x))?;
        let y = self.result("repeat", shape.clone(), DType::F32);
        self.push(Repeat { x, y, scale, shapes })
    }
}

impl Shapes {
    fn kernel(&self, scale: f32) -> Params {
        let ([e0, e1, e2, e3], _) = self.walk();
        let small = self.small.padded();
        let summed = |axis: usize, extent: usize| if small[axis] == 1 { extent as u32 } else { 1 };
        let n = self.small.len();
        Params {
            n: n as u32,
            terms: (self.large.len() / n) as u32,
            scale,
            extent0: e0 as u32,
            extent1: e1 as u32,
            extent2: e2 as u32,
            extent3: e3 as u32,
            summed0: summed(0, e0),
            summed1: summed(1, e1),
            summed2: summed(2, e2),
            summed3: summed(3, e3),
        }
    }
}

/// Adds the rows of `x` to `y`, whose length divides sixteen.
fn sum_rows(x: &[f32], y: &mut [f32]) {
    let (chunks, rest) = x.as_chunks();
    let mut sums = repeated(&[0.0]);
    for chunk in chunks.iter().map(sixteen) {
        sums = sixteen_of(|q| sums[q] + chunk[q]);
    }
    let columns = y.len();
    values(sums).iter().chain(rest).enumerate().for_each(|(i, x)| y[i % columns] += x);
}

impl Op for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let scale = if self.squared { 2.0 * self.scale } else { self.scale };
        let dx = r.repeat_scaled(dy, &self.shapes.large, scale)?;
        Ok(vec![Some(if self.squared { r.mul(dx, self.x)? } else { dx })])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let (x, y) = (x[0], &mut *y[0]);
        if self.squared {
            y[0] = self.scale * sum(x, |x| x * x);
            return;
        }
        let (columns, small) = (self.shapes.walk().0[3], self.shapes.small.padded());
        y.fill(0.0);
        if small[..3] == [1; 3] && (small[3] == columns || small[3] == 1) && SIXTEEN.is_multiple_of(small[3]) {
            sum_rows(x, y);
        } else if small[3] == columns {
            self.shapes.rows(|from, to| {
                y[to..to + columns].iter_mut().zip(&x[from..from + columns]).for_each(|(y, x)| *y += x)
            });
        } else {
            self.shapes.rows(|from, to| y[to] += sum(&x[from..from + columns], |x| x));
        }
        y.iter_mut().for_each(|y| *y *= self.scale);
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let ((large, _), small) = (self.shapes.walk(), self.shapes.small.padded());
        let strides = dense(large);
        // The summed axes, neighbours that lie densely taken as one: (extent, stride), outermost first.
        let mut summed: Vec<(usize, usize)> = Vec::new();
        for axis in (0..4).filter(|&axis| large[axis] != small[axis]) {
            match summed.last_mut() {
                Some((extent, stride)) if *stride == large[axis] * strides[axis] => {
                    (*extent, *stride) = (*extent * large[axis], strides[axis]);
                }
                _ => summed.push((large[axis], strides[axis])),
            }
        }
        let [outer, inner] = match *summed {
            [] => [(1, 0); 2],
            [one] => [(1, 0), one],
            [first, second] => [first, second],
            _ => return None,
        };
        let a = Operand { inner: [outer.1, inner.1], ..Operand::new(self.x, strides) };
        let (terms, scale) = ([outer.0, inner.0], self.scale);
        let (b, combine) = if self.squared { (Some(a), Combine::Mul) } else { (None, Combine::First) };
        let sum = Instruction::new(Code::Compute, small, self.y, self.x);
        Some(vec![Instruction { a, b, combine, terms, scale, ..sum }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let params = self.shapes.kernel(self.scale);
        // A second axis takes over where there are more workgroups than one dimension can hold.
        let x = params.n.min(32_768);
        let (entry, workgroups, constants) = if params.n == 1 {
            ("sum_all", [1; 3], vec![("SQUARED", f64::from(u8::from(self.squared)))])
        } else if params.terms <= 128 {
            ("sum_few", groups(params.n as usize), vec![])
        } else {
            ("sum_many", [x, params.n.div_ceil(x), 1], vec![])
        };
        Kernel { shader: shader!("reduce"), entry, constants, params: params.bytes(), workgroups }
    }
}

/// Sums what `term` makes of each value, in eight lanes, which vectorises and errs less than one running sum.
fn sum(x: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += term(x);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&x| term(x)).sum::<f32>()
}

impl Op for Repeat {
    fn name(&self) -> &'static str {
        "repeat"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(r.sum_scaled(dy, &self.shapes.small, self.scale)?)])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let (x, y, scale) = (x[0], &mut *y[0], self.scale);
        let columns = self.shapes.walk().0[3];
        let whole_rows = self.shapes.small.padded()[3] == columns;
        self.shapes.rows(|to, from| {
            let row = &mut y[to..to + columns];
            if whole_rows {
                row.iter_mut().zip(&x[from..]).for_each(|(y, x)| *y = scale * x);
            } else {
                row.fill(scale * x[from]);
            }
        });
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let (large, steps) = self.shapes.walk();
        let (a, scale) = (Operand::new(self.x, steps), self.scale);
        Some(vec![Instruction { a, scale, ..Instruction::new(Code::Compute, large, self.y, self.x) }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let params = self.shapes.kernel(self.scale);
        Kernel {
            shader: shader!("reduce"),
            entry: "repeat",
            constants: vec![],
            params: params.bytes(),
            workgroups: groups(self.shapes.large.len()),
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("reduce", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::check::Case;
    let mut cases = Vec::new();
    let shapes: [(Shape, Shape); 7] = [
        ([5, 13].into(), [13].into()),
        ([5, 13].into(), [5, 1].into()),
        ([97, 3].into(), [1].into()),
        ([2, 3, 4, 5].into(), [3, 1, 5].into()),
        ([2, 3, 4, 5].into(), [2, 1, 4, 1].into()),
        ([130, 5].into(), [5].into()),
        ([7, 1, 1, 150].into(), [7, 1, 1, 1].into()),
    ];
    for (large, small) in shapes {
        // Where each value of the large tensor goes in the small one, walked the slow way.
        let targets = {
            let (l, s) = (large.padded(), small.padded());
            (0..large.len())
                .map(|n| {
                    let index = [n / (l[1] * l[2] * l[3]), n / (l[2] * l[3]) % l[1], n / l[3] % l[2], n % l[3]];
                    (0..4).fold(0, |at, d| at * s[d] + index[d] % s[d])
                })
                .collect::<Vec<usize>>()
        };
        let (to, size, into) = (small.clone(), small.len(), targets.clone());
        cases.push(
            Case::new(format!("sum {large} to {small}"), [large.clone()])
                .records(move |r, x| {
                    // Squared, so that the gradient of the gradient isn't zero.
                    let x = r.square(x[0])?;
                    r.sum_scaled(x, &to, 0.5)
                })
                .equals(move |x| {
                    let mut y = vec![0.0; size];
                    into.iter().zip(&x[0]).for_each(|(&at, v)| y[at] += 0.5 * v * v);
                    y
                }),
        );
        let to = large.clone();
        cases.push(
            Case::new(format!("repeat {small} to {large}"), [small.clone()])
                .records(move |r, x| {
                    let x = r.square(x[0])?;
                    r.repeat_scaled(x, &to, 0.5)
                })
                .equals(move |x| targets.iter().map(|&at| 0.5 * x[0][at] * x[0][at]).collect()),
        );
    }
    for n in [1, 300] {
        cases.push(
            Case::new(format!("sum of {n} squares"), [[n].into()])
                .records(|r, x| r.sum_of_squares(x[0]))
                .equals(|x| vec![x[0].iter().map(|x| x * x).sum()]),
        );
    }
    cases
}
