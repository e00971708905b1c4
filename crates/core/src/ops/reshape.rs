//! The same values seen with another shape. Nothing runs: the result looks at its operand's memory.

use super::{Adapter, Kernel, Op};
use crate::error::{Error, Result};
use crate::program::{Recorder, Shape, Tensor};

#[derive(Clone, Debug)]
struct Reshape {
    x: Tensor,
    y: Tensor,
    from: Shape,
}

impl Recorder {
    /// `x` with another shape of as many values, row-major.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn reshape(&mut self, x: Tensor, shape: impl Into<Shape>) -> Result<Tensor> {
        let (from, shape) = (self.shape(x).clone(), shape.into());
        if from == shape {
            return Ok(x);
        }
        if from.len() != shape.len() {
            return Err(Error::Shapes {
                op: "reshape",
                left: from,
                right: shape,
                why: "both must hold as many values",
            });
        }
        if shape.rank() > 4 {
            return Err(Error::Shape { op: "reshape", shape, why: "tensors have four axes at most" });
        }
        let y = self.view(x, shape);
        self.push(Reshape { x, y, from })
    }
}

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn is_view(&self) -> bool {
        true
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(r.reshape(dy, self.from.clone())?)])
    }

    fn run(&self, _x: &[&[f32]], _y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        unreachable!("engines skip views");
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        unreachable!("engines skip views");
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    vec![
        super::check::Case::new("reshape", [[6, 5].into()])
            .records(|r, x| {
                let x = r.square(x[0])?;
                let x = r.reshape(x, [3, 10])?;
                r.exp(x)
            })
            .equals(|x| x[0].iter().map(|v| (v * v).exp()).collect()),
    ]
}
