//! `y = scale · x + shift` with constants, elementwise. Its gradient is itself without the shift.

use super::block::{Code, Instruction};
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::error::Result;
use crate::program::{Recorder, Role, Tensor};

#[derive(Clone, Copy, Debug)]
struct Affine {
    x: Tensor,
    y: Tensor,
    n: usize,
    scale: f32,
    shift: f32,
}

params! { n: u32, scale: f32, shift: f32 }

impl Recorder {
    /// `scale · x + shift` for each value.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn affine(&mut self, x: Tensor, scale: f32, shift: f32) -> Result<Tensor> {
        let info = self.info(x).clone();
        if let Role::Constant(value) = info.role {
            return Ok(self.constant(info.shape, scale * value + shift));
        }
        let y = self.result("affine", info.shape.clone(), info.dtype);
        self.push(Affine { x, y, n: info.shape.len(), scale, shift })
    }
}

impl Op for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(r.affine(dy, self.scale, 0.0)?)])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        for (y, x) in y[0].iter_mut().zip(x[0]) {
            *y = self.scale * x + self.shift;
        }
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let (scale, shift) = (self.scale, self.shift);
        Some(vec![Instruction { scale, shift, ..Instruction::flat(Code::Compute, self.n, self.y, self.x) }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let params = Params { n: self.n as u32, scale: self.scale, shift: self.shift };
        Kernel {
            shader: shader!("affine"),
            entry: "forward",
            constants: vec![],
            params: params.bytes(),
            workgroups: groups(self.n),
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("affine", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    vec![
        super::check::Case::new("affine", [[7, 13].into()])
            .records(|r, x| r.affine(x[0], -2.5, 0.75))
            .equals(|x| x[0].iter().map(|v| -2.5 * v + 0.75).collect()),
    ]
}
