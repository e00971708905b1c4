//! Functions that losses and penalties need, elementwise: exponential, logarithm, square root, square, softplus.
//! Their gradients are short compositions of other operations.

use super::activation::Activation;
use super::block::{Code, Instruction};
use super::{Adapter, Kernel, Op, groups, math, params, shader};
use crate::error::Result;
use crate::program::{Recorder, Tensor};

/// By their code in `functions.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Function {
    Exp = 4,
    Log = 5,
    Sqrt = 6,
    Square = 7,
    Softplus = 8,
}

#[derive(Clone, Copy, Debug)]
struct Map {
    x: Tensor,
    y: Tensor,
    n: usize,
    function: Function,
}

params! { n: u32 }

impl Recorder {
    fn map(&mut self, x: Tensor, function: Function) -> Result<Tensor> {
        let info = self.info(x).clone();
        let y = self.result("map", info.shape.clone(), info.dtype);
        self.push(Map { x, y, n: info.shape.len(), function })
    }

    /// `eˣ`.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn exp(&mut self, x: Tensor) -> Result<Tensor> {
        self.map(x, Function::Exp)
    }

    /// The natural logarithm.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn log(&mut self, x: Tensor) -> Result<Tensor> {
        self.map(x, Function::Log)
    }

    /// The square root.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn sqrt(&mut self, x: Tensor) -> Result<Tensor> {
        self.map(x, Function::Sqrt)
    }

    /// `x²`.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn square(&mut self, x: Tensor) -> Result<Tensor> {
        self.map(x, Function::Square)
    }

    /// `ln(1 + eˣ)`; so `-ln sigmoid(x)` is the softplus of `-x`.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn softplus(&mut self, x: Tensor) -> Result<Tensor> {
        self.map(x, Function::Softplus)
    }
}

impl Op for Map {
    fn name(&self) -> &'static str {
        "map"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let dx = match self.function {
            Function::Exp => r.mul(dy, self.y)?,
            Function::Log => r.div(dy, self.x)?,
            Function::Sqrt => {
                let twice = r.affine(self.y, 2.0, 0.0)?;
                r.div(dy, twice)?
            }
            Function::Square => {
                let twice = r.affine(self.x, 2.0, 0.0)?;
                r.mul(dy, twice)?
            }
            Function::Softplus => {
                let slope = r.activation(self.x, Activation::Sigmoid)?;
                r.mul(dy, slope)?
            }
        };
        Ok(vec![Some(dx)])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let apply = |f: &dyn Fn(f32) -> f32, y: &mut [f32]| y.iter_mut().zip(x[0]).for_each(|(y, &x)| *y = f(x));
        match self.function {
            Function::Exp => apply(&math::exp, y[0]),
            Function::Log => apply(&f32::ln, y[0]),
            Function::Sqrt => apply(&f32::sqrt, y[0]),
            Function::Square => y[0].iter_mut().zip(x[0]).for_each(|(y, &x)| *y = x * x),
            Function::Softplus => apply(&math::softplus, y[0]),
        }
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let function = self.function as u32;
        Some(vec![Instruction { function, ..Instruction::flat(Code::Compute, self.n, self.y, self.x) }])
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        Kernel {
            shader: shader!("map", "functions"),
            entry: "forward",
            constants: vec![("FUNCTION", f64::from(self.function as u32))],
            params: Params { n: self.n as u32 }.bytes(),
            workgroups: groups(self.n),
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("map", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::check::Case;
    type Method = fn(&mut Recorder, Tensor) -> Result<Tensor>;
    let case = |name: &str, (low, high), method: Method, formula: fn(f64) -> f64| {
        Case::new(name, [[5, 13].into()])
            .range(low, high)
            .records(move |r, x| method(r, x[0]))
            .equals(move |x| x[0].iter().map(|&v| formula(v)).collect())
    };
    vec![
        case("exp", (-2.0, 2.0), Recorder::exp, f64::exp),
        case("log", (0.5, 3.0), Recorder::log, f64::ln),
        case("sqrt", (0.5, 3.0), Recorder::sqrt, f64::sqrt),
        case("square", (-2.0, 2.0), Recorder::square, |v| v * v),
        case("softplus", (-4.0, 4.0), Recorder::softplus, |v| v.exp().ln_1p()),
    ]
}
