//! Stochastic gradient descent with momentum, in place: `velocity = μ · velocity + g`, `w -= rate · velocity`.
//!
//! Polyak's heavy ball ("Some methods of speeding up the convergence of iteration methods", 1964) in the form that
//! frameworks use, where the rate isn't part of the velocity, so that a change of it acts at once. `μ = 0` is the plain
//! method.

use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::engine::cpu::lanes::each_wide;
use crate::error::Result;
use crate::program::{Recorder, Tensor};

#[derive(Clone, Copy, Debug)]
pub(super) struct Sgd {
    pub gradient: Tensor,
    pub dials: Tensor,
    pub weight: Tensor,
    pub velocity: Tensor,
    pub n: usize,
    pub dial: usize,
    pub momentum: f32,
}

params! { n: u32, dial: u32, momentum: f32 }

impl Recorder {
    /// Updates `weight` and its `velocity`, both of the gradient's shape. `dial` of the dials holds the learning rate.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes differ, or the clock or the dial is none.
    pub fn sgd(
        &mut self,
        weight: Tensor,
        velocity: Tensor,
        gradient: Tensor,
        dials: Tensor,
        dial: usize,
        momentum: f32,
    ) -> Result<()> {
        self.check_update("sgd", weight, &[velocity, gradient], dials, dial)?;
        let n = self.shape(weight).len();
        self.push(Sgd { gradient, dials, weight, velocity, n, dial, momentum }).map(|_| ())
    }
}

impl Op for Sgd {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.gradient, self.dials]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.weight, self.velocity]
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let [weight, velocity] = y else { unreachable!("sgd writes a weight and its velocity") };
        let (rate, momentum) = (x[1][self.dial], self.momentum);
        each_wide([x[0]], [&mut **weight, &mut **velocity], move |[g], [w, velocity]| {
            let velocity = velocity * momentum + g;
            [w - velocity * rate, velocity]
        });
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let params = Params { n: self.n as u32, dial: self.dial as u32, momentum: self.momentum };
        let workgroups = groups(self.n);
        Kernel {
            shader: shader!("sgd", "optimizers"),
            entry: "update",
            constants: vec![],
            params: params.bytes(),
            workgroups,
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("sgd", Params::layout())
}

/// `times` updates with this gradient, from weights of 0.5 at rest: the weight and its velocity come out.
#[cfg(test)]
fn scene(momentum: f32, gradient: &[f32], times: u32) -> super::check::Scene {
    use crate::program::{DType, Init};
    let n = gradient.len();
    let mut r = Recorder::new();
    r.begin("scene");
    let dials = r.input("dials", [8], DType::F32);
    let weight = r.parameter("weight", [n], Init::Fill(0.5));
    let velocity = r.state("velocity", [n], DType::F32, Init::Fill(0.0));
    let g = r.input("gradient", [n], DType::F32);
    r.sgd(weight, velocity, g, dials, 1, momentum).unwrap();
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    super::check::Scene {
        name: format!("sgd {n}, momentum {momentum}, {times} times"),
        recording: r.finish(true, &[weight, velocity]).into(),
        uploads: vec![
            (dials, bits(&[9.0, 0.01, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0])),
            (weight, bits(&vec![0.5; n])),
            (velocity, vec![0; n]),
            (g, bits(gradient)),
        ],
        outputs: vec![weight, velocity],
        times,
        tolerance: 1e-6,
    }
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    let gradient = |n: u32| (0..n).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<f32>>();
    vec![scene(0.9, &gradient(1003), 5), scene(0.0, &gradient(65), 2)]
}

#[cfg(test)]
mod tests {
    use super::super::check::{assert_close, floats};
    use super::*;
    use crate::error::Error;
    use crate::program::{DType, Init};

    #[test]
    fn follows_its_formula() {
        let gradient = [1.0, -0.5, 1e-3, 0.0];
        for (momentum, times) in [(0.0, 1), (0.0, 5), (0.9, 1), (0.9, 20)] {
            let got = scene(momentum, &gradient, times).on_cpu();
            let mut expected = [vec![0.5; 4], vec![0.0; 4]];
            let [w, velocity] = &mut expected;
            for _ in 0..times {
                for (i, g) in gradient.iter().map(|&g| f64::from(g)).enumerate() {
                    velocity[i] = f64::from(momentum) * velocity[i] + g;
                    w[i] -= f64::from(0.01f32) * velocity[i];
                }
            }
            for (what, (got, expected)) in ["w", "velocity"].iter().zip(got.iter().zip(&expected)) {
                assert_close(&format!("{what} after {times} with {momentum}"), &floats(got), expected, 1e-6);
            }
        }
    }

    #[test]
    fn refuses_other_shapes_and_missing_dials() {
        let mut r = Recorder::new();
        r.begin("test");
        let dials = r.input("dials", [8], DType::F32);
        let [w, velocity] = ["w", "velocity"].map(|name| r.parameter(name, [3, 2], Init::Fill(0.0)));
        let g = r.input("g", [3, 2], DType::F32);
        let turned = r.input("turned", [2, 3], DType::F32);
        let mut sgd = |g, dial| r.sgd(w, velocity, g, dials, dial, 0.9);
        assert!(sgd(g, 7).is_ok());
        assert!(matches!(sgd(g, 8), Err(Error::Shape { op: "sgd", .. })));
        assert!(matches!(sgd(turned, 0), Err(Error::Shapes { op: "sgd", .. })));
    }
}
