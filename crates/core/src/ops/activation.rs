//! Activations, elementwise, and their slopes.
//!
//! Each slope is a function of the activation's *output*, so the input need not be kept and a product can apply the
//! activation before it writes. Two operations: `y = f(x)`, and `dx = dy · f′` with `f′` read off `y`.

use super::block::{Beside, Code, Instruction, Operand, dense};
use super::epilogue::Tail;
use super::{Adapter, Kernel, Op, groups, math, params, shader};
use crate::engine::cpu::lanes::{Lanes, each_wide};
use crate::error::{Error, Result};
use crate::program::{Recorder, Tensor};

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `x` where positive, else `slope · x`. Slope 0 is the ReLU.
    LeakyRelu(f32),
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
}

impl Activation {
    /// How the shaders know it: a code, and the leaky ReLU's slope.
    pub(super) fn code(self) -> (u32, f32) {
        match self {
            Activation::LeakyRelu(slope) => (1, slope),
            Activation::Tanh => (2, 0.0),
            Activation::Sigmoid => (3, 0.0),
        }
    }

    /// Replaces each value by the function's.
    pub fn apply(self, y: &mut [f32]) {
        let zero = Lanes::splat(0.0);
        match self {
            Activation::LeakyRelu(slope) => each_wide([], [y], move |[], [y]| [zero.if_less(y, y, y * slope)]),
            Activation::Tanh => each_wide([], [y], move |[], [y]| [math::tanhs(y)]),
            Activation::Sigmoid => each_wide([], [y], move |[], [y]| [math::sigmoids(y)]),
        }
    }

    /// Multiplies each value of `dx` by the slope, read off the function's output `y`.
    pub fn gate(self, y: &[f32], dx: &mut [f32]) {
        let (zero, one) = (Lanes::splat(0.0), Lanes::splat(1.0));
        match self {
            Activation::LeakyRelu(slope) => {
                each_wide([y], [dx], move |[y], [dx]| [zero.if_less(y, dx, dx * slope)]);
            }
            Activation::Tanh => each_wide([y], [dx], move |[y], [dx]| [dx * (one - y * y)]),
            Activation::Sigmoid => each_wide([y], [dx], move |[y], [dx]| [dx * (y * (one - y))]),
        }
    }
}

params! { n: u32 }

fn kernel(entry: &'static str, kind: Activation, n: usize) -> Kernel {
    let (code, slope) = kind.code();
    let constants = vec![("ACTIVATION", f64::from(code)), ("SLOPE", f64::from(slope))];
    let shader =
        if entry == "forward" { shader!("activation", "functions") } else { shader!("activation_slope", "functions") };
    Kernel { shader, entry, constants, params: Params { n: n as u32 }.bytes(), workgroups: groups(n) }
}

#[derive(Clone, Copy, Debug)]
struct Activate {
    x: Tensor,
    y: Tensor,
    n: usize,
    kind: Activation,
}

#[derive(Clone, Copy, Debug)]
struct Slope {
    y: Tensor,
    dy: Tensor,
    dx: Tensor,
    n: usize,
    kind: Activation,
}

impl Recorder {
    /// `f(x)` for each value.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn activation(&mut self, x: Tensor, kind: Activation) -> Result<Tensor> {
        let info = self.info(x).clone();
        let y = self.result("activation", info.shape.clone(), info.dtype);
        self.push(Activate { x, y, n: info.shape.len(), kind })
    }

    /// `dy · f′`, with `f′` read off the activation's output `y`.
    pub(super) fn activation_slope(&mut self, y: Tensor, dy: Tensor, kind: Activation) -> Result<Tensor> {
        let info = self.info(y).clone();
        if info.shape != *self.shape(dy) {
            let right = self.shape(dy).clone();
            return Err(Error::Shapes {
                op: "activation_slope",
                left: info.shape,
                right,
                why: "both must be the same",
            });
        }
        let dx = self.result("activation_slope", info.shape.clone(), info.dtype);
        self.push(Slope { y, dy, dx, n: info.shape.len(), kind })
    }
}

impl Op for Activate {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(r.activation_slope(self.y, dy, self.kind)?)])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        y[0].copy_from_slice(x[0]);
        self.kind.apply(y[0]);
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let (function, slope) = self.kind.code();
        Some(vec![Instruction { function, slope, ..Instruction::flat(Code::Compute, self.n, self.y, self.x) }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        kernel("forward", self.kind, self.n)
    }

    fn tail(&self) -> Option<(Tensor, Tail)> {
        Some((self.x, Tail::Activation(self.kind)))
    }
}

impl Op for Slope {
    fn name(&self) -> &'static str {
        "activation_slope"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.y, self.dy]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.dx]
    }

    fn gradient(&self, r: &mut Recorder, ddx: Tensor, wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        // f′ as a function of y: 1 - y² or y - y², whose own slope is linear. A leaky ReLU's slope is constant in y.
        let bend = match self.kind {
            Activation::LeakyRelu(_) => None,
            Activation::Tanh => Some((-2.0, 0.0)),
            Activation::Sigmoid => Some((-2.0, 1.0)),
        };
        let by_y = match bend {
            Some((scale, shift)) if wanted[0] => {
                let bend = r.affine(self.y, scale, shift)?;
                let both = r.mul(self.dy, ddx)?;
                Some(r.mul(both, bend)?)
            }
            _ => None,
        };
        let by_dy = if wanted[1] { Some(r.activation_slope(self.y, ddx, self.kind)?) } else { None };
        Ok(vec![by_y, by_dy])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        y[0].copy_from_slice(x[1]);
        self.kind.gate(x[0], y[0]);
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let (function, slope) = self.kind.code();
        let copy = Instruction::flat(Code::Compute, self.n, self.dx, self.dy);
        let c = Some(Operand::new(self.y, dense(copy.extents)));
        Some(vec![Instruction { function, slope, c, beside: Beside::Gate, ..copy }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        kernel("backward", self.kind, self.n)
    }

    fn tail(&self) -> Option<(Tensor, Tail)> {
        Some((self.dy, Tail::Slope(self.y, self.kind)))
    }
}

#[cfg(test)]
pub(super) fn layouts() -> Vec<(&'static str, super::check::Layout)> {
    vec![("activation", Params::layout()), ("activation_slope", Params::layout())]
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::check::Case;
    let case = |name: &str, kind: Activation, formula: fn(f64) -> f64| {
        Case::new(name, [[3, 23].into()])
            .range(-3.0, 3.0)
            .records(move |r, x| r.activation(x[0], kind))
            .equals(move |x| x[0].iter().map(|&v| formula(v)).collect())
    };
    vec![
        case("leaky ReLU", Activation::LeakyRelu(0.2), |v| if v > 0.0 { v } else { f64::from(0.2f32) * v }),
        case("ReLU", Activation::LeakyRelu(0.0), |v| v.max(0.0)),
        case("tanh", Activation::Tanh, f64::tanh),
        case("sigmoid", Activation::Sigmoid, |v| 1.0 / (1.0 + (-v).exp())),
    ]
}
