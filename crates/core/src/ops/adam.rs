//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1), in place.
//!
//! `m += (1 - β1)(g - m)`, `v += (1 - β2)(g² - v)`, `w -= rate · m̂ / (√v̂ + ε)` with `m̂ = m / (1 - β1ᵗ)` and
//! `v̂ = v / (1 - β2ᵗ)`. At first `β2ᵗ` is so close to 1 that the plain formula would lose three of seven digits, and
//! WGSL's `pow` more: the corrections are `1 - exp(t·ln β)` with `ln β` from the host and a series near 0.
//!
//! Its relatives differ in a number: AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019) also
//! shrinks each weight by `rate · decay` of itself; RMSprop (Tieleman and Hinton, lecture 6.5 of their course, 2012) is
//! `β1 = 0` with `v` uncorrected.

use super::tick::Lane;
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::engine::cpu::lanes::each_wide;
use crate::error::{Error, Result};
use crate::program::{Recorder, Tensor};

/// What stays the same for a whole run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// How much of the mean gradient is kept each step, from 0 to below 1.
    pub beta1: f32,
    /// How much of the mean squared gradient is kept each step, from 0 to below 1.
    pub beta2: f32,
    /// Keeps the division finite where gradients vanish.
    pub epsilon: f32,
    /// The part of itself that a weight loses in a step, over the learning rate.
    pub decay: f32,
    /// Whether the moments are corrected for their start at zero.
    pub corrected: bool,
}

impl Adam {
    /// As published.
    pub const fn new(beta1: f32, beta2: f32) -> Self {
        Adam { beta1, beta2, epsilon: 1e-8, decay: 0.0, corrected: true }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct AdamUpdate {
    pub gradient: Tensor,
    pub clock: Tensor,
    pub dials: Tensor,
    pub weight: Tensor,
    pub m: Tensor,
    pub v: Tensor,
    pub n: usize,
    pub lane: Lane,
    pub dial: usize,
    pub adam: Adam,
}

params! { n: u32, lane: u32, dial: u32, beta1: f32, beta2: f32, ln_beta1: f32, ln_beta2: f32, epsilon: f32, decay: f32 }

impl Recorder {
    /// Updates `weight` and its moments `m` and `v`, all of one shape. `lane` of the clock counts the updates, this one
    /// included; `dial` of the dials holds the learning rate.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes differ, or the clock or the dial is none.
    #[expect(clippy::too_many_arguments, reason = "each is another tensor or number of the published algorithm")]
    pub fn adam(
        &mut self,
        weight: Tensor,
        m: Tensor,
        v: Tensor,
        gradient: Tensor,
        clock: Tensor,
        lane: Lane,
        dials: Tensor,
        dial: usize,
        adam: Adam,
    ) -> Result<()> {
        self.check_clock("adam", clock)?;
        self.check_update("adam", weight, &[m, v, gradient], dials, dial)?;
        let n = self.shape(weight).len();
        self.push(AdamUpdate { gradient, clock, dials, weight, m, v, n, lane, dial, adam }).map(|_| ())
    }

    /// That `weight` and the `others` have one shape, and that the dial exists.
    pub(super) fn check_update(
        &self,
        op: &'static str,
        weight: Tensor,
        others: &[Tensor],
        dials: Tensor,
        dial: usize,
    ) -> Result<()> {
        let shape = self.shape(weight);
        if let Some(&other) = others.iter().find(|&&other| self.shape(other) != shape) {
            let (left, right) = (shape.clone(), self.shape(other).clone());
            return Err(Error::Shapes { op, left, right, why: "a weight, its gradient and its state have one shape" });
        }
        if dial >= self.shape(dials).len() {
            return Err(Error::Shape { op, shape: self.shape(dials).clone(), why: "there is no such dial" });
        }
        Ok(())
    }
}

impl AdamUpdate {
    /// `ln β` of both moments, for their corrections; a moment that isn't corrected has that of 0, where there is nothing to
    /// correct. It is finite here, since WGSL may assume that infinities don't occur.
    pub(super) fn ln_betas(&self) -> [f32; 2] {
        let Adam { beta1, beta2, corrected, .. } = self.adam;
        [beta1, beta2].map(|beta| if corrected { f64::from(beta).ln().max(-80.0) as f32 } else { -80.0 })
    }
}

/// `1 - exp(x)` for `x <= 0`.
fn one_minus_exp(x: f32) -> f32 {
    if x < -0.5 {
        return 1.0 - x.max(-80.0).exp();
    }
    // The series of exp up to x⁸, in Horner's form.
    -x * (2..=8u8).rev().fold(1.0, |sum, k| 1.0 + x / f32::from(k) * sum)
}

impl Op for AdamUpdate {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.gradient, self.clock, self.dials]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.weight, self.m, self.v]
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let [weight, m, v] = y else { unreachable!("adam writes a weight and its moments") };
        let Adam { beta1, beta2, epsilon, decay, .. } = self.adam;
        let t = self.lane.of(bytemuck::cast_slice(x[1])) as f32;
        let [correction1, correction2] = self.ln_betas().map(|ln_beta| one_minus_exp(t * ln_beta));
        let rate = x[2][self.dial] / correction1;
        let unbias = 1.0 / correction2.sqrt();
        let shrink = 1.0 - x[2][self.dial] * decay;
        each_wide([x[0]], [&mut **weight, &mut **m, &mut **v], move |[g], [w, m, v]| {
            let m = m + (g - m) * (1.0 - beta1);
            let v = v + (g * g - v) * (1.0 - beta2);
            [w * shrink - m * rate / (v.sqrt() * unbias + epsilon), m, v]
        });
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let Adam { beta1, beta2, epsilon, decay, .. } = self.adam;
        let [ln_beta1, ln_beta2] = self.ln_betas();
        let (n, lane, dial) = (self.n as u32, self.lane as u32, self.dial as u32);
        let params = Params { n, lane, dial, beta1, beta2, ln_beta1, ln_beta2, epsilon, decay };
        let workgroups = groups(self.n);
        Kernel {
            shader: shader!("adam", "optimizers"),
            entry: "update",
            constants: vec![],
            params: params.bytes(),
            workgroups,
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("adam", Params::layout())
}

/// `times` updates with this gradient: the weight and its moments come out.
#[cfg(test)]
fn scene(adam: Adam, gradient: &[f32], times: u32) -> super::check::Scene {
    use super::tick::LANES;
    use crate::program::{DType, Init};
    let n = gradient.len();
    let mut r = Recorder::new();
    r.begin("scene");
    let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
    let dials = r.input("dials", [LANES], DType::F32);
    let weight = r.parameter("weight", [n], Init::Fill(0.5));
    let m = r.state("m", [n], DType::F32, Init::Fill(0.0));
    let v = r.state("v", [n], DType::F32, Init::Fill(0.0));
    let g = r.input("gradient", [n], DType::F32);
    r.tick(clock, Lane::Discriminator).unwrap();
    r.adam(weight, m, v, g, clock, Lane::Discriminator, dials, 3, adam).unwrap();
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    super::check::Scene {
        name: format!("adam {n}, {times} times"),
        recording: r.finish(true, &[weight, m, v]).into(),
        uploads: vec![
            (clock, vec![9, 0, 9, 9, 9, 9, 9, 9]),
            (dials, bits(&[9.0, 9.0, 9.0, 0.01, 9.0, 9.0, 9.0, 9.0])),
            (weight, bits(&vec![0.5; n])),
            (m, vec![0; n]),
            (v, vec![0; n]),
            (g, bits(gradient)),
        ],
        outputs: vec![weight, m, v],
        times,
        tolerance: 1e-6,
    }
}

#[cfg(test)]
fn usual() -> Adam {
    Adam::new(0.5, 0.999)
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    let gradient = |n: u32| (0..n).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<f32>>();
    vec![
        scene(usual(), &gradient(1), 1),
        scene(usual(), &gradient(1003), 3),
        scene(usual(), &gradient(70), 800),
        scene(Adam { beta1: 0.0, ..usual() }, &gradient(65), 2),
        scene(Adam { decay: 0.5, ..usual() }, &gradient(66), 3),
        scene(Adam { corrected: false, ..Adam::new(0.0, 0.9) }, &gradient(67), 3),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::check::{assert_close, floats};
    use super::*;
    use crate::program::{DType, Init};

    #[test]
    fn follows_the_published_algorithm() {
        let gradient = [1.0, -0.5, 1e-3, -1e-6, 0.0];
        for adam in [
            usual(),
            Adam { beta1: 0.9, ..usual() },
            Adam { epsilon: 1e-3, ..Adam::new(0.0, 0.0) },
            Adam { decay: 0.1, ..usual() },
            Adam { corrected: false, ..Adam::new(0.0, 0.9) },
        ] {
            for times in [1, 2, 7, 1000] {
                let got = scene(adam, &gradient, times).on_cpu();
                let (beta1, beta2) = (f64::from(adam.beta1), f64::from(adam.beta2));
                let mut expected = [vec![0.5; 5], vec![0.0; 5], vec![0.0; 5]];
                let [w, m, v] = &mut expected;
                for t in 1..=times as i32 {
                    for (i, g) in gradient.iter().map(|&g| f64::from(g)).enumerate() {
                        m[i] = beta1 * m[i] + (1.0 - beta1) * g;
                        v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
                        let correction = |beta: f64| if adam.corrected { 1.0 - beta.powi(t) } else { 1.0 };
                        let (m_hat, v_hat) = (m[i] / correction(beta1), v[i] / correction(beta2));
                        let rate = f64::from(0.01f32);
                        w[i] -= rate * f64::from(adam.decay) * w[i];
                        w[i] -= rate * m_hat / (v_hat.sqrt() + f64::from(adam.epsilon));
                    }
                }
                for (what, (got, expected)) in ["w", "m", "v"].iter().zip(got.iter().zip(&expected)) {
                    // Each step may round by half a unit of the last place, always the same way.
                    let tolerance = 6e-8 * f64::from(times.max(5));
                    assert_close(&format!("{what} after {times} of {adam:?}"), &floats(got), expected, tolerance);
                }
            }
        }
    }

    #[test]
    fn the_first_step_is_the_rate_whatever_the_gradients_size() {
        let got = floats(&scene(usual(), &[1.0, -0.5, 1e-3], 1).on_cpu()[0]);
        assert_close("w", &got, &[0.49, 0.51, 0.49], 1e-6);
    }

    #[test]
    fn corrections_keep_their_digits() {
        for x in [-1e-9, -1e-3, -0.0010005, -0.3, -0.4999, -0.5, -0.5001, -2.0, -79.0, -1e6f32] {
            let expected = -f64::from(x).exp_m1();
            let got = f64::from(one_minus_exp(x));
            assert!((got - expected).abs() <= 2e-7 * expected, "1 - exp({x}) = {got}, not {expected}");
        }
    }

    #[test]
    fn refuses_other_shapes_and_missing_dials() {
        let mut r = Recorder::new();
        r.begin("test");
        let clock = r.state("clock", [8], DType::U32, Init::Fill(0.0));
        let dials = r.input("dials", [8], DType::F32);
        let [w, m, v] = ["w", "m", "v"].map(|name| r.parameter(name, [3, 2], Init::Fill(0.0)));
        let g = r.input("g", [3, 2], DType::F32);
        let turned = r.input("turned", [2, 3], DType::F32);
        let mut adam = |g, dial| r.adam(w, m, v, g, clock, Lane::Generator, dials, dial, usual());
        assert!(adam(g, 7).is_ok());
        assert!(matches!(adam(g, 8), Err(Error::Shape { op: "adam", .. })));
        assert!(matches!(adam(turned, 0), Err(Error::Shapes { op: "adam", .. })));
    }
}
