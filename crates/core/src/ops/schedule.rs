//! A learning-rate schedule: the dials times a factor that follows the clock, so that a run stays the same however its steps
//! are grouped.
//!
//! `factor = min(1, t / warmup) · shape(min(1, t / steps))`, where `t` counts the updates with the one that it is for;
//! `shape(p)` is 1, `1 - p`, or `½ (1 + cos πp)` (Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts).

use super::tick::Lane;
use super::{Adapter, Kernel, Op, params, shader};
use crate::error::Result;
use crate::program::{DType, Recorder, Tensor};

/// How a rate falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fall {
    /// Not at all.
    Constant = 0,
    /// By the same amount each step, to 0.
    Linear = 1,
    /// Slowly, quickly, slowly, to 0.
    Cosine = 2,
}

/// Rates over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How they fall.
    pub fall: Fall,
    /// After how many updates they are 0, unless they are constant; at least 1.
    pub steps: u32,
    /// Over how many updates they rise at first; 0 for none.
    pub warmup: u32,
}

impl Schedule {
    /// Whether the factor is always 1.
    pub fn is_constant(&self) -> bool {
        self.fall == Fall::Constant && self.warmup == 0
    }

    /// What the rate is multiplied by for update `t`, which counts from 1.
    pub fn factor(&self, t: u32) -> f32 {
        let part = |of: u32| (t as f32 / of as f32).min(1.0);
        let rise = if self.warmup == 0 { 1.0 } else { part(self.warmup) };
        rise * match self.fall {
            Fall::Constant => 1.0,
            Fall::Linear => 1.0 - part(self.steps),
            Fall::Cosine => 0.5 - 0.5 * sine(part(self.steps) - 0.5),
        }
    }
}

/// `sin πx` for `|x| ≤ ½` by its series to x¹¹: within 1e-7, and the same on both engines.
fn sine(x: f32) -> f32 {
    let y = x * std::f32::consts::PI;
    let square = y * y;
    let last = [110.0, 72.0, 42.0, 20.0, 6.0].into_iter().fold(1.0, |sum, k| 1.0 - square / k * sum);
    y * last
}

#[derive(Clone, Copy, Debug)]
struct Scheduled {
    dials: Tensor,
    clock: Tensor,
    rates: Tensor,
    n: usize,
    lane: Lane,
    schedule: Schedule,
}

params! { n: u32, lane: u32, fall: u32, steps: f32, warmup: f32 }

impl Recorder {
    /// `dials` times the schedule's factor for the update that `lane` of the clock counts.
    ///
    /// # Errors
    /// [`crate::Error`] where the clock is none.
    pub fn schedule(&mut self, dials: Tensor, clock: Tensor, lane: Lane, schedule: Schedule) -> Result<Tensor> {
        self.check_clock("schedule", clock)?;
        let shape = self.shape(dials).clone();
        let n = shape.len();
        let rates = self.result("rates", shape, DType::F32);
        self.push(Scheduled { dials, clock, rates, n, lane, schedule })
    }
}

impl Op for Scheduled {
    fn name(&self) -> &'static str {
        "schedule"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.dials, self.clock]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.rates]
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let factor = self.schedule.factor(self.lane.of(bytemuck::cast_slice(x[1])));
        y[0].iter_mut().zip(x[0]).for_each(|(rate, dial)| *rate = factor * dial);
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let Schedule { fall, steps, warmup } = self.schedule;
        let (n, lane, fall) = (self.n as u32, self.lane as u32, fall as u32);
        Kernel {
            shader: shader!("schedule"),
            entry: "schedule",
            constants: vec![],
            params: Params { n, lane, fall, steps: steps as f32, warmup: warmup as f32 }.bytes(),
            workgroups: [1, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("schedule", Params::layout())
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use super::tick::LANES;
    use crate::program::Init;
    let scene = |schedule: Schedule, t: u32| {
        let mut r = Recorder::new();
        r.begin("scene");
        let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
        let dials = r.input("dials", [3], DType::F32);
        let rates = r.schedule(dials, clock, Lane::Generator, schedule).unwrap();
        super::check::Scene {
            name: format!("{schedule:?} at {t}"),
            recording: r.finish(true, &[rates]).into(),
            uploads: vec![
                (clock, vec![9, 9, t, 9, 9, 9, 9, 9]),
                (dials, [1.0f32, 0.5, 0.0].map(f32::to_bits).to_vec()),
            ],
            outputs: vec![rates],
            times: 1,
            tolerance: 1e-6,
        }
    };
    let falls = [Fall::Constant, Fall::Linear, Fall::Cosine];
    let ways = falls.into_iter().flat_map(|fall| [0, 10].map(|warmup| Schedule { fall, steps: 100, warmup }));
    ways.flat_map(|way| [1, 7, 50, 99, 1000].map(|t| scene(way, t))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_follow_their_formulas() {
        for steps in [1u32, 7, 1000] {
            for t in 1..=2 * steps {
                let p = (f64::from(t) / f64::from(steps)).min(1.0);
                for (fall, expected) in [
                    (Fall::Constant, 1.0),
                    (Fall::Linear, 1.0 - p),
                    (Fall::Cosine, 0.5 + 0.5 * (std::f64::consts::PI * p).cos()),
                ] {
                    let rise = (f64::from(t) / 5.0).min(1.0);
                    for (warmup, expected) in [(0, expected), (5, rise * expected)] {
                        let got = f64::from(Schedule { fall, steps, warmup }.factor(t));
                        assert!(
                            (got - expected).abs() < 3e-7,
                            "{fall:?} {t} of {steps}, {warmup}: {got}, not {expected}"
                        );
                    }
                }
            }
        }
    }
}
