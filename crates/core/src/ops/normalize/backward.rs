//! The gradient of normalisation, and its own gradients.
//!
//! With `u = y` and `n` rows it is `J dy = (dy − mean(dy) − u · mean(dy · u)) / s`. `J` is symmetric, so the gradient with
//! respect to `dy` is the same operation; that with respect to `x` follows from `∂s/∂x = u / n`.

use super::Extents;
use super::moments::{mean, rows};
use crate::error::Result;
use crate::ops::block::{Code, Instruction, Operand};
use crate::ops::chain::Link;
use crate::ops::epilogue::Epilogue;
use crate::ops::{Adapter, Kernel, Op};
use crate::program::{DType, Recorder, Tensor};

#[derive(Clone, Copy, Debug)]
struct Backward {
    x: Tensor,
    dy: Tensor,
    dx: Tensor,
    extents: Extents,
}

impl Recorder {
    pub(super) fn normalize_backward(&mut self, x: Tensor, dy: Tensor, extents: Extents) -> Result<Tensor> {
        let dx = self.result("normalize_backward", self.shape(x).clone(), DType::F32);
        self.push(Backward { x, dy, dx, extents })
    }
}

impl Op for Backward {
    fn name(&self) -> &'static str {
        "normalize_backward"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x, self.dy, self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.dx]
    }

    fn gradient(&self, r: &mut Recorder, ddx: Tensor, wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let along = r.normalize_backward(self.x, ddx, self.extents)?;
        if !wanted[0] {
            return Ok(vec![None, Some(along), None]);
        }
        // f = ddx · J dy changes with x by −(mean(dy u) J ddx + mean(ddx u) J dy + mean(ddx · J dy) u) / s.
        let Extents { rows, .. } = self.extents;
        let u = r.normalize_at(self.x, self.extents)?;
        let s = r.deviation_at(self.x, self.extents)?;
        let shape = self.extents.whole();
        let [dy, a, u, ja, jb] = {
            let mut seen = [self.dy, ddx, u, along, self.dx];
            for tensor in &mut seen {
                *tensor = r.reshape(*tensor, shape)?;
            }
            seen
        };
        let mut total = None;
        for (left, right, times) in [(dy, u, ja), (a, u, jb), (a, jb, u)] {
            let both = r.mul(left, right)?;
            let mean = r.sum_scaled(both, &[shape[0], 1, shape[2]].into(), 1.0 / rows as f32)?;
            let term = r.mul(times, mean)?;
            total = Some(match total {
                None => term,
                Some(sum) => r.add(sum, term)?,
            });
        }
        let dx = match total {
            Some(total) => r.div(total, s)?,
            None => u,
        };
        let dx = r.affine(dx, -1.0, 0.0)?;
        let dx = r.reshape(dx, r.shape(self.x).clone())?;
        Ok(vec![Some(dx), wanted[1].then_some(along), None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], scratch: &mut [f32]) {
        let columns = self.extents.columns;
        let len = self.extents.rows * columns;
        let groups = self.extents.each(x[0]).zip(self.extents.each(x[1]));
        for ((x, dy), dx) in groups.zip(y[0].chunks_exact_mut(len)) {
            let (moments, means) = scratch.split_at_mut(2 * columns);
            self.extents.moments(x, moments);
            let (means_of_x, inverses) = moments.split_at(columns);
            let (means_of_dy, along) = means[..2 * columns].split_at_mut(columns);
            mean([x, dy], means_of_dy, |[_, dy]| dy);
            mean([x, dy, means_of_x], along, |[x, dy, mean]| (x - mean) * dy);
            along.iter_mut().zip(inverses).for_each(|(along, inverse)| *along *= inverse * inverse);
            rows([x, dy, means_of_x, inverses, means_of_dy, along], dx, |[x, dy, mean, inverse, mean_of_dy, along]| {
                (dy - mean_of_dy - (x - mean) * along) * inverse
            });
        }
    }

    fn scratch(&self) -> usize {
        4 * self.extents.columns
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let whole = self.extents.instruction(Code::NormalizeBackward, self.dx, self.x)?;
        Some(vec![Instruction { b: Some(Operand { tensor: self.dy, ..whole.a }), ..whole }])
    }

    fn link(&self) -> Option<Link> {
        self.extents.link([self.dy, self.dx], Some(self.x), Epilogue::default())
    }

    fn halves(&self, r: &mut Recorder) -> Option<[Link; 2]> {
        self.extents.halves(r, [self.dy, self.dx], Some(self.x), Epilogue::default())
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        self.extents.kernel("backward", adapter, Epilogue::default().constants())
    }
}
