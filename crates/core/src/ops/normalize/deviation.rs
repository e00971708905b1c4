//! The deviation `s` that normalisation divides by, and both as one operation.

use super::{Extents, Grouping, Normalize};
use crate::error::Result;
use crate::ops::epilogue::Epilogue;
use crate::ops::{Adapter, Kernel, Op};
use crate::program::{DType, Recorder, Tensor};
use std::any::Any;
use std::rc::Rc;

#[derive(Clone, Copy, Debug)]
struct Deviation {
    x: Tensor,
    y: Tensor,
    extents: Extents,
}

impl Recorder {
    /// `√(variance + 1e-5)` of each column of each group, `[groups, 1, columns]`.
    ///
    /// # Errors
    /// [`crate::Error`] where the grouping doesn't divide `x`.
    pub fn deviation(&mut self, x: Tensor, grouping: Grouping) -> Result<Tensor> {
        let extents = self.grouped("deviation", x, grouping)?;
        self.deviation_at(x, extents)
    }

    pub(super) fn deviation_at(&mut self, x: Tensor, extents: Extents) -> Result<Tensor> {
        let y = self.result("deviation", [extents.groups, 1, extents.columns], DType::F32);
        self.push(Deviation { x, y, extents })
    }
}

impl Op for Deviation {
    fn name(&self) -> &'static str {
        "deviation"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x, self.x, self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let u = r.normalize_at(self.x, self.extents)?;
        let u = r.reshape(u, self.extents.whole())?;
        let share = r.affine(dy, 1.0 / self.extents.rows as f32, 0.0)?;
        let dx = r.mul(u, share)?;
        Ok(vec![Some(r.reshape(dx, r.shape(self.x).clone())?), None, None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], scratch: &mut [f32]) {
        let columns = self.extents.columns;
        for (x, y) in self.extents.each(x[0]).zip(y[0].chunks_exact_mut(columns)) {
            self.extents.moments(x, scratch);
            y.iter_mut().zip(&scratch[columns..2 * columns]).for_each(|(y, inverse)| *y = 1.0 / inverse);
        }
    }

    fn scratch(&self) -> usize {
        2 * self.extents.columns
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        self.extents.kernel("deviation", adapter, Epilogue::default().constants())
    }
}

/// Normalised values and the deviation that they were divided by, which a gradient through a deviation asks for.
#[derive(Clone)]
struct Both {
    normalize: Normalize,
    deviation: Deviation,
    parts: [Rc<dyn Op>; 2],
}

/// Both of the same values among these operations, as one, and which they are. `movable` says whether operations may run at one
/// place.
pub(crate) fn both(ops: &[Rc<dyn Op>], movable: &dyn Fn(&[usize]) -> bool) -> Option<(Rc<dyn Op>, Vec<usize>)> {
    let of = |op: &Rc<dyn Op>| (op.as_ref() as &dyn Any).downcast_ref::<Deviation>().copied();
    ops.iter().enumerate().filter_map(|(i, op)| Some((i, of(op)?))).find_map(|(i, deviation)| {
        let (j, normalize) = ops.iter().enumerate().find_map(|(j, op)| {
            let found = (op.as_ref() as &dyn Any).downcast_ref::<Normalize>()?;
            ((found.x, found.extents) == (deviation.x, deviation.extents)).then_some((j, *found))
        })?;
        let parts = [i, j].map(|i| Rc::clone(&ops[i]));
        movable(&[i, j]).then(|| (Rc::new(Both { normalize, deviation, parts }) as Rc<dyn Op>, vec![i, j]))
    })
}

impl Op for Both {
    fn name(&self) -> &'static str {
        "normalize"
    }

    fn reads(&self) -> Vec<Tensor> {
        self.normalize.reads()
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.normalize.y, self.deviation.y]
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, _x: &[&[f32]], _y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        unreachable!("a CPU runs its parts")
    }

    fn parts(&self) -> Option<&[Rc<dyn Op>]> {
        Some(&self.parts)
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        self.normalize.extents.kernel("both", adapter, self.normalize.epilogue.constants())
    }
}
