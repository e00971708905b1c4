//! A stretch of one axis, and its adjoint, the same stretch set into zeros.
//! Seen as `[outer, axis, inner]`, both copy runs of `inner` values.

use super::block::{Code, Instruction, Operand};
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::error::{Error, Result};
use crate::program::{Recorder, Shape, Tensor};

/// `wide` is the axis' full extent, of which the stretch holds `narrow` from `start` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub outer: usize,
    pub inner: usize,
    pub wide: usize,
    pub narrow: usize,
    pub start: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    pub x: Tensor,
    pub y: Tensor,
    axis: usize,
    pub stretch: Stretch,
}

#[derive(Clone, Copy, Debug)]
struct Pad {
    x: Tensor,
    y: Tensor,
    axis: usize,
    stretch: Stretch,
}

params! { n: u32, inner: u32, wide: u32, narrow: u32, start: u32 }

impl Stretch {
    fn kernel(self, entry: &'static str, n: usize) -> Kernel {
        let Stretch { inner, wide, narrow, start, .. } = self;
        let params =
            Params { n: n as u32, inner: inner as u32, wide: wide as u32, narrow: narrow as u32, start: start as u32 };
        Kernel { shader: shader!("window"), entry, constants: vec![], params: params.bytes(), workgroups: groups(n) }
    }
}

/// A copy between two tensors of which one is a stretch of the other's middle axis: extents, and the steps along them
/// where the axis is as long as `axis`.
pub(super) fn stretch_of(outer: usize, axis: usize, narrow: usize, inner: usize) -> ([usize; 4], [usize; 4]) {
    ([1, outer, narrow, inner], [0, axis * inner, inner, 1])
}

/// Extents before and after `axis`, multiplied.
pub(super) fn around(shape: &Shape, axis: usize) -> (usize, usize) {
    (shape.0[..axis].iter().product(), shape.0[axis + 1..].iter().product())
}

impl Recorder {
    /// The values `start..start + extent` along `axis`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn slice(&mut self, x: Tensor, axis: usize, start: usize, extent: usize) -> Result<Tensor> {
        let mut shape = self.shape(x).clone();
        if axis >= shape.rank() || start + extent > shape.0[axis] {
            return Err(Error::Shape { op: "slice", shape, why: "the stretch reaches past the axis" });
        }
        let (outer, inner) = around(&shape, axis);
        let stretch = Stretch { outer, inner, wide: shape.0[axis], narrow: extent, start };
        shape.0[axis] = extent;
        let y = self.result("slice", shape, self.info(x).dtype);
        self.push(Slice { x, y, axis, stretch })
    }

    /// `x` at `start` along `axis` of zeros that extend to `extent`.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn pad(&mut self, x: Tensor, axis: usize, start: usize, extent: usize) -> Result<Tensor> {
        let mut shape = self.shape(x).clone();
        if axis >= shape.rank() || start + shape.0[axis] > extent {
            return Err(Error::Shape { op: "pad", shape, why: "it doesn't fit into the padded axis" });
        }
        let (outer, inner) = around(&shape, axis);
        let stretch = Stretch { outer, inner, wide: extent, narrow: shape.0[axis], start };
        shape.0[axis] = extent;
        let y = self.result("pad", shape, self.info(x).dtype);
        self.push(Pad { x, y, axis, stretch })
    }
}

impl Op for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(r.pad(dy, self.axis, self.stretch.start, self.stretch.wide)?)])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let Stretch { inner, wide, narrow, start, .. } = self.stretch;
        for (x, y) in x[0].chunks_exact(wide * inner).zip(y[0].chunks_exact_mut(narrow * inner)) {
            y.copy_from_slice(&x[start * inner..(start + narrow) * inner]);
        }
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let Stretch { outer, inner, wide, narrow, start } = self.stretch;
        let (extents, strides) = stretch_of(outer, wide, narrow, inner);
        let a = Operand { start: start * inner, ..Operand::new(self.x, strides) };
        Some(vec![Instruction { a, ..Instruction::new(Code::Copy, extents, self.y, self.x) }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        self.stretch.kernel("slice", self.stretch.outer * self.stretch.narrow * self.stretch.inner)
    }
}

impl Op for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(r.slice(dy, self.axis, self.stretch.start, self.stretch.narrow)?)])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let Stretch { inner, wide, narrow, start, .. } = self.stretch;
        for (x, y) in x[0].chunks_exact(narrow * inner).zip(y[0].chunks_exact_mut(wide * inner)) {
            y.fill(0.0);
            y[start * inner..(start + narrow) * inner].copy_from_slice(x);
        }
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let Stretch { outer, inner, wide, narrow, start } = self.stretch;
        let place = |at: usize, extent: usize| {
            let (extents, strides) = stretch_of(outer, wide, extent, inner);
            let y = Operand { start: at * inner, ..Operand::new(self.y, strides) };
            Instruction { y, ..Instruction::new(Code::Copy, extents, self.y, self.x) }
        };
        // Zeros before and after, and the values between.
        let (end, zero) = (start + narrow, Instruction::zero);
        Some(vec![zero(place(0, start)), place(start, narrow), zero(place(end, wide - end))])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        self.stretch.kernel("pad", self.stretch.outer * self.stretch.wide * self.stretch.inner)
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("window", Params::layout())
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    let mut r = Recorder::new();
    r.begin("scene");
    let x = r.input("x", [3, 40, 5], crate::program::DType::U32);
    let slice = r.slice(x, 1, 3, 30).unwrap();
    let pad = r.pad(slice, 1, 1, 33).unwrap();
    vec![super::check::Scene {
        name: "integers sliced and padded".into(),
        recording: r.finish(false, &[slice, pad]).into(),
        // Small ones are denormal as floats, and some of these are no numbers as such.
        uploads: vec![(x, (0..600).map(|i| if i % 7 == 0 { 0x7fc0_0000 + i } else { i % 10 }).collect())],
        outputs: vec![slice, pad],
        times: 1,
        tolerance: 0.0,
    }]
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::check::Case;
    let square = |r: &mut Recorder, x: &[Tensor]| r.square(x[0]);
    vec![
        Case::new("slice rows", [[5, 3].into()])
            .records(move |r, x| {
                let x = square(r, x)?;
                r.slice(x, 0, 1, 3)
            })
            .equals(|x| x[0][3..12].iter().map(|v| v * v).collect()),
        Case::new("slice columns", [[4, 7].into()])
            .records(move |r, x| {
                let x = square(r, x)?;
                r.slice(x, 1, 2, 4)
            })
            .equals(|x| x[0].chunks(7).flat_map(|row| row[2..6].iter().map(|v| v * v)).collect()),
        Case::new("pad columns", [[4, 3].into()])
            .records(move |r, x| {
                let x = square(r, x)?;
                r.pad(x, 1, 2, 6)
            })
            .equals(|x| x[0].chunks(3).flat_map(|v| [0.0, 0.0, v[0] * v[0], v[1] * v[1], v[2] * v[2], 0.0]).collect()),
    ]
}
