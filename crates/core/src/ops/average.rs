//! The exponential moving average of a weight, in place: `average += (1 - d)(w - average)`.
//!
//! `d = min(decay, (t + 1) / (t + 10))`, where `t` counts the updates before this one: at first the average forgets
//! quickly, so that it isn't held back by the random start (the rule of TensorFlow's `ExponentialMovingAverage`).

use super::tick::Lane;
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::engine::cpu::lanes::each_wide;
use crate::error::{Error, Result};
use crate::program::{Recorder, Tensor};

#[derive(Clone, Copy, Debug)]
pub(super) struct Average {
    pub weight: Tensor,
    pub clock: Tensor,
    pub average: Tensor,
    pub n: usize,
    pub lane: Lane,
    pub decay: f32,
}

params! { n: u32, lane: u32, decay: f32 }

impl Recorder {
    /// Moves `average` towards `weight`, of the same shape. `lane` of the clock counts the updates, this one included;
    /// `decay`, below 1, is how much of the average is kept in the long run.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes differ, or the clock or the dial is none.
    pub fn average(&mut self, average: Tensor, weight: Tensor, clock: Tensor, lane: Lane, decay: f32) -> Result<()> {
        self.check_clock("average", clock)?;
        if self.shape(average) != self.shape(weight) {
            let (left, right) = (self.shape(average).clone(), self.shape(weight).clone());
            return Err(Error::Shapes { op: "average", left, right, why: "an average has its weight's shape" });
        }
        let n = self.shape(weight).len();
        self.push(Average { weight, clock, average, n, lane, decay }).map(|_| ())
    }
}

impl Op for Average {
    fn name(&self) -> &'static str {
        "average"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.weight, self.clock]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.average]
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let count = self.lane.of(bytemuck::cast_slice(x[1])) as f32;
        let step = 1.0 - self.decay.min(count / (count + 9.0));
        each_wide([x[0]], [&mut *y[0]], move |[weight], [average]| [average + (weight - average) * step]);
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let params = Params { n: self.n as u32, lane: self.lane as u32, decay: self.decay };
        let workgroups = groups(self.n);
        Kernel {
            shader: shader!("average", "optimizers"),
            entry: "update",
            constants: vec![],
            params: params.bytes(),
            workgroups,
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("average", Params::layout())
}

/// `times` updates of averages that start at 0.5.
#[cfg(test)]
fn scene(weight: &[f32], decay: f32, times: u32) -> super::check::Scene {
    use super::tick::LANES;
    use crate::program::{DType, Init};
    let n = weight.len();
    let mut r = Recorder::new();
    r.begin("scene");
    let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
    let average = r.state("average", [n], DType::F32, Init::Fill(0.0));
    let w = r.input("weight", [n], DType::F32);
    r.tick(clock, Lane::Generator).unwrap();
    r.average(average, w, clock, Lane::Generator, decay).unwrap();
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    super::check::Scene {
        name: format!("average {n}, {times} times"),
        recording: r.finish(true, &[average]).into(),
        uploads: vec![(clock, vec![9, 9, 0, 9, 9, 9, 9, 9]), (average, bits(&vec![0.5; n])), (w, bits(weight))],
        outputs: vec![average],
        times,
        tolerance: 1e-6,
    }
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    let weight = |n: u32| (0..n).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<f32>>();
    vec![scene(&weight(1003), 0.99, 3), scene(&weight(1), 0.6, 30)]
}

#[cfg(test)]
mod tests {
    use super::super::check::{assert_close, floats};
    use super::*;
    use crate::program::{DType, Init};

    #[test]
    fn follows_its_formula() {
        let weight = [1.0, -2.0, 0.5, 1e-3];
        // At 0.6 the decay is reached after 12 updates, at 0.999 not in this test.
        for (decay, times) in [(0.999, 1), (0.999, 50), (0.6, 11), (0.6, 40), (0.0, 1)] {
            let got = scene(&weight, decay, times).on_cpu();
            let mut expected = vec![0.5; 4];
            for t in 0..times {
                let d = f64::from(decay).min((f64::from(t) + 1.0) / (f64::from(t) + 10.0));
                for (a, w) in expected.iter_mut().zip(weight) {
                    *a = d * *a + (1.0 - d) * f64::from(w);
                }
            }
            assert_close(&format!("after {times} with {decay}"), &floats(&got[0]), &expected, 1e-6);
        }
    }

    #[test]
    fn refuses_another_shape() {
        let mut r = Recorder::new();
        r.begin("test");
        let clock = r.state("clock", [8], DType::U32, Init::Fill(0.0));
        let average = r.state("average", [3, 2], DType::F32, Init::Fill(0.0));
        let turned = r.parameter("turned", [2, 3], Init::Fill(0.0));
        let result = r.average(average, turned, clock, Lane::Generator, 0.9);
        assert!(matches!(result, Err(Error::Shapes { op: "average", .. })));
    }
}
