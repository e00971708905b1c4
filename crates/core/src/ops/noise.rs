//! Random numbers that are counted, not kept: each is a pure function of the seed, a stream, a lane of the clock and its
//! own index, so both engines draw the same ones and a resumed run goes on as if it had never stopped.
//!
//! The generator is Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
//! SC 2011): key `(seed, stream)`, counter `(index / 4, clock lane, 0, 0)`. Normal numbers are made in pairs by the
//! method of Box and Muller (1958); from 24 bits, none lies further out than 5.77. The logarithm, sine and cosine are
//! short series, good to about 1e-7, written here as in the shader: WGSL's own may be off by 5e-4.

use super::tick::Lane;
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::error::Result;
use crate::program::{DType, Recorder, Shape, Tensor};
use std::f32::consts::{FRAC_PI_2, LN_2};
use std::rc::Rc;

/// How random numbers are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Mean 0, variance 1.
    Normal,
    /// Even from the first to the second number, which is not reached but by rounding.
    Uniform(f32, f32),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    pub clock: Tensor,
    pub y: Tensor,
    pub n: usize,
    pub lane: Lane,
    pub stream: u32,
    pub distribution: Distribution,
    /// What normal numbers are added to, and how.
    pub over: Option<(Tensor, Fading)>,
    /// Ticks that the clock's lane is behind.
    pub ahead: u32,
}

/// Noise that becomes less until it is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fading {
    /// Its deviation at first.
    pub size: f32,
    /// After so many ticks it is gone.
    pub steps: u32,
}

params! { n: u32, lane: u32, ahead: u32, seed: u32, stream: u32, low: f32, high: f32 }

impl Recorder {
    /// New random numbers each time `lane` of the clock is ticked. Draws that share seed, lane and `stream` are equal,
    /// so each place that draws has a stream of its own. One hasn't: a gradient penalty's images are moved and blurred as D's real
    /// ones are, which are another batch of D's, so that nothing tells.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes don't fit, or the clock is none.
    pub fn noise(
        &mut self,
        shape: impl Into<Shape>,
        clock: Tensor,
        lane: Lane,
        stream: u32,
        distribution: Distribution,
    ) -> Result<Tensor> {
        self.check_clock("noise", clock)?;
        let shape = shape.into();
        let n = shape.len();
        let y = self.result("noise", shape, DType::F32);
        self.push(Noise { clock, y, n, lane, stream, distribution, over: None, ahead: 0 })
    }

    /// `x` under normal noise, by as much as is left of it when `lane` of the clock has been ticked so often.
    ///
    /// # Errors
    /// [`crate::Error`] where the clock is none.
    pub fn blur(&mut self, x: Tensor, clock: Tensor, lane: Lane, stream: u32, fading: Fading) -> Result<Tensor> {
        self.check_clock("blur", clock)?;
        let shape = self.shape(x).clone();
        let n = shape.len();
        let y = self.result("blur", shape, DType::F32);
        let (distribution, over) = (Distribution::Normal, Some((x, fading)));
        self.push(Noise { clock, y, n, lane, stream, distribution, over, ahead: 0 })
    }
}

impl Fading {
    fn at(&self, time: u32) -> f32 {
        self.size * (1.0 - (time as f32 / self.steps as f32).min(1.0))
    }
}

/// `count` normal numbers of a stream, as [`Recorder::noise`] draws them while the clock's lane is 0.
pub fn normal(seed: u32, stream: u32, count: usize) -> Vec<f32> {
    let mut y = vec![0.0; count];
    fill(&mut y, Distribution::Normal, [seed, stream], 0);
    y
}

fn fill(y: &mut [f32], distribution: Distribution, key: [u32; 2], time: u32) {
    for (block, y) in y.chunks_mut(4).enumerate() {
        let words = philox([block as u32, time, 0, 0], key);
        let values = match distribution {
            Distribution::Normal => {
                let ([a, b], [c, d]) = (normal_pair(words[0], words[1]), normal_pair(words[2], words[3]));
                [a, b, c, d]
            }
            Distribution::Uniform(low, high) => words.map(|w| low + (high - low) * unit(w)),
        };
        y.copy_from_slice(&values[..y.len()]);
    }
}

/// A block of four random words.
pub(super) fn philox(mut c: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    let halves = |a: u32, b: u32| {
        let product = u64::from(a) * u64::from(b);
        ((product >> 32) as u32, product as u32)
    };
    for _ in 0..10 {
        let (high0, low0) = halves(0xd251_1f53, c[0]);
        let (high1, low1) = halves(0xcd9e_8d57, c[2]);
        c = [high1 ^ c[1] ^ key[0], low1, high0 ^ c[3] ^ key[1], low0];
        key = [key[0].wrapping_add(0x9e37_79b9), key[1].wrapping_add(0xbb67_ae85)];
    }
    c
}

/// From 0 to just below 1, in steps of 2⁻²⁴.
pub(super) fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

fn normal_pair(radius: u32, angle: u32) -> [f32; 2] {
    // From 1 on, so that the logarithm is finite.
    let r = (-2.0 * logarithm((radius >> 8) + 1)).sqrt();
    let [cosine, sine] = direction(angle >> 8);
    [r * cosine, r * sine]
}

/// `ln u` for `u = count / 2²⁴`, `count` from 1 to 2²⁴. With `u = m·2ᵉ` and `m` around 1: `ln u = ln m + e·ln 2`, and
/// `ln m = 2 (s + s³/3 + s⁵/5 + …)` with `s = (m - 1) / (m + 1)`.
fn logarithm(count: u32) -> f32 {
    const ROOT_HALF: u32 = 0x3f35_04f3; // the bits of √½: m lies from there to twice that
    let bits = (count as f32).to_bits() - ROOT_HALF;
    let e = (bits >> 23) as f32 - 24.0;
    let m = f32::from_bits((bits & 0x7f_ffff) + ROOT_HALF);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    e * LN_2 + 2.0 * s * (1.0 + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z / 9.0))))
}

/// Cosine and sine of the angle `count / 2²⁴` of a full turn: quarter turns are exact, the rest is at most an eighth.
fn direction(count: u32) -> [f32; 2] {
    const EIGHTH: u32 = 1 << 21;
    let shifted = count + EIGHTH;
    let rest = (shifted & 0x3f_ffff) as f32 - EIGHTH as f32;
    let x = rest * (FRAC_PI_2 / 4_194_304.0);
    let z = x * x;
    let c = 1.0 - z * (1.0 / 2.0 - z * (1.0 / 24.0 - z * (1.0 / 720.0 - z / 40_320.0)));
    let s = x * (1.0 - z * (1.0 / 6.0 - z * (1.0 / 120.0 - z * (1.0 / 5_040.0 - z / 362_880.0))));
    match (shifted >> 22) & 3 {
        0 => [c, s],
        1 => [-s, c],
        2 => [-c, -s],
        _ => [s, -c],
    }
}

impl Op for Noise {
    fn name(&self) -> &'static str {
        "noise"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.clock, self.over.map_or(self.clock, |(x, _)| x)]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn differentiable(&self) -> bool {
        self.over.is_some()
    }

    fn gradient(&self, _r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![None, Some(dy)])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let clock = bytemuck::cast_slice(x[0]);
        let time = self.lane.of(clock).wrapping_add(self.ahead);
        fill(y[0], self.distribution, [Lane::Seed.of(clock), self.stream], time);
        if let Some((_, fading)) = self.over {
            let size = fading.at(time);
            y[0].iter_mut().zip(x[1]).for_each(|(y, x)| *y = x + size * *y);
        }
    }

    fn before_tick(&self, lane: Lane) -> Option<Rc<dyn Op>> {
        Some(Rc::new(Noise { ahead: self.ahead + u32::from(self.lane == lane), ..*self }))
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let (entry, low, high) = match (self.distribution, self.over) {
            (Distribution::Uniform(low, high), _) => ("draw_uniform", low, high),
            (_, Some((_, Fading { size, steps }))) => ("blur", size, steps as f32),
            _ => ("draw_normal", 0.0, 0.0),
        };
        let (lane, seed) = (self.lane as u32, Lane::Seed as u32);
        let params = Params { n: self.n as u32, lane, ahead: self.ahead, seed, stream: self.stream, low, high };
        let workgroups = groups(self.n.div_ceil(4));
        Kernel { shader: shader!("noise", "random"), entry, constants: vec![], params: params.bytes(), workgroups }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("noise", Params::layout())
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use super::check::Scene;
    use super::tick::LANES;
    let draws = [
        ("normal", 1, Distribution::Normal),
        ("normal", 1003, Distribution::Normal),
        ("normal", 300_001, Distribution::Normal),
        ("uniform", 1003, Distribution::Uniform(-2.0, 3.0)),
    ];
    let recorded = |name: &str, n: usize, record: &dyn Fn(&mut Recorder, Tensor) -> Result<Tensor>| {
        let mut r = Recorder::new();
        r.begin("scene");
        let clock = r.input("clock", [LANES], DType::U32);
        let y = record(&mut r, clock).unwrap();
        Scene {
            name: format!("noise {name} {n}"),
            recording: r.finish(true, &[y]).into(),
            uploads: vec![(clock, vec![1, 2, 0xdead_beef, 4, 0x89ab_cdef, 0, 0, 0])],
            outputs: vec![y],
            times: 1,
            tolerance: 1e-6,
        }
    };
    let (lane, stream) = (Lane::Generator, 0xfeed_f00d);
    let mut scenes: Vec<Scene> = draws
        .into_iter()
        .map(|(name, n, which)| recorded(name, n, &|r, clock| r.noise([n], clock, lane, stream, which)))
        .collect();
    // At the tick 0xdeadbeef: almost gone, and gone.
    for steps in [u32::MAX, 1000] {
        scenes.push(recorded("blur", 1003, &|r, clock| {
            let x = r.constant([1003], 0.5);
            r.blur(x, clock, lane, stream, Fading { size: 2.0, steps })
        }));
    }
    scenes
}

#[cfg(test)]
mod tests {
    use super::super::check::floats;
    use super::*;

    #[test]
    fn philox_gives_the_published_answers() {
        // Random123's kat_vectors.
        let known = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, answer) in known {
            assert_eq!(philox(counter, key), answer);
        }
    }

    /// Every count near the ends and the folds, and many between.
    fn counts() -> impl Iterator<Item = u32> {
        let folds = [0, 1 << 21, 3 << 21, 5 << 21, 7 << 21, 11_863_283, 1 << 23, (1 << 24) - 200];
        folds.into_iter().flat_map(|at: u32| at.saturating_sub(99)..at + 200).chain((0..1 << 24).step_by(997))
    }

    #[test]
    fn the_series_are_as_good_as_single_precision() {
        for count in counts() {
            let turn = f64::from(count) / f64::from(1 << 24);
            let (s, c) = (std::f64::consts::TAU * turn).sin_cos();
            let [cosine, sine] = direction(count).map(f64::from);
            assert!((cosine - c).abs() < 1.5e-7 && (sine - s).abs() < 1.5e-7, "direction({count}) = {cosine}, {sine}");

            let expected = (f64::from(count + 1) / f64::from(1 << 24)).ln();
            let got = f64::from(logarithm(count + 1));
            assert!(
                (got - expected).abs() <= 2.5e-7 * expected.abs(),
                "logarithm({count} + 1) = {got}, not {expected}"
            );
        }
    }

    #[test]
    fn numbers_are_finite_at_the_ends_of_the_range() {
        for radius in [0, 255, 256, u32::MAX - 256, u32::MAX] {
            for angle in [0, u32::MAX] {
                assert!(normal_pair(radius, angle).iter().all(|v| v.abs() < 5.78));
            }
        }
        assert_eq!((unit(0), unit(u32::MAX)), (0.0, 1.0 - f32::EPSILON / 2.0));
    }

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        let (sum, count) = values.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
        sum / count
    }

    /// The largest distance between the sample's distribution and `cumulative` (Kolmogorov and Smirnov), times √n:
    /// above 1.95 once in a thousand honest samples.
    fn kolmogorov_smirnov(values: &[f32], cumulative: impl Fn(f64) -> f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f32::total_cmp);
        let n = sorted.len() as f64;
        let distance = sorted.iter().enumerate().fold(0.0f64, |d, (i, &v)| {
            let p = cumulative(f64::from(v));
            d.max(p - i as f64 / n).max((i as f64 + 1.0) / n - p)
        });
        distance * n.sqrt()
    }

    /// The normal distribution's cumulative function, integrated by Simpson's rule from 0 to `x`.
    fn normal_cumulative(x: f64) -> f64 {
        let density = |t: f64| (-t * t / 2.0).exp() / std::f64::consts::TAU.sqrt();
        let h = x / 64.0;
        let inner: f64 = (1..64).map(|i| density(f64::from(i) * h) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
        0.5 + h / 3.0 * (density(0.0) + inner + density(x))
    }

    const N: usize = 200_000;

    #[test]
    fn normal_numbers_are_normal() {
        let values = normal(7, 1, N);
        let moment = |power| mean(values.iter().map(|&v| f64::from(v).powi(power)));
        let off = |moment: f64, variance: f64| moment / (variance / N as f64).sqrt();
        // In standard errors of each sample moment: the variance of vᵏ is E v²ᵏ - (E vᵏ)².
        assert!(off(moment(1), 1.0).abs() < 4.0);
        assert!(off(moment(2) - 1.0, 2.0).abs() < 4.0);
        assert!(off(moment(3), 15.0).abs() < 4.0);
        assert!(off(moment(4) - 3.0, 96.0).abs() < 4.0);
        assert!(kolmogorov_smirnov(&values, normal_cumulative) < 1.95);
        // The two numbers of a pair, and neighbours of different pairs.
        for lag in [1, 2, 3, 4] {
            let product = mean(values.iter().zip(&values[lag..]).map(|(&a, &b)| f64::from(a) * f64::from(b)));
            assert!(off(product, 1.0).abs() < 4.0, "lag {lag}");
        }
    }

    #[test]
    fn uniform_numbers_are_uniform() {
        let mut values = vec![0.0; N];
        fill(&mut values, Distribution::Uniform(-2.0, 3.0), [7, 2], 5);
        assert!(values.iter().all(|v| (-2.0..=3.0).contains(v)));
        assert!(kolmogorov_smirnov(&values, |v| (v + 2.0) / 5.0) < 1.95);
    }

    #[test]
    fn another_seed_stream_or_step_gives_unrelated_numbers() {
        let draw = |key, time| {
            let mut y = vec![0.0; N];
            fill(&mut y, Distribution::Normal, key, time);
            y
        };
        let base = draw([7, 1], 3);
        assert_eq!(base, draw([7, 1], 3));
        for (key, time) in [([8, 1], 3), ([7, 2], 3), ([7, 1], 4), ([1, 7], 3), ([7, 3], 1)] {
            let product = mean(base.iter().zip(draw(key, time)).map(|(&a, b)| f64::from(a) * f64::from(b)));
            assert!(product.abs() * (N as f64).sqrt() < 4.0, "{key:?} at {time}");
        }
    }

    #[test]
    fn the_operation_draws_the_streams_numbers() {
        let mut r = Recorder::new();
        r.begin("test");
        let clock = r.input("clock", [super::super::tick::LANES], DType::U32);
        let y = r.noise([5, 3], clock, Lane::Samples, 11, Distribution::Normal).unwrap();
        let scene = super::super::check::Scene {
            name: "noise".into(),
            recording: r.finish(true, &[y]).into(),
            uploads: vec![(clock, vec![9, 9, 9, 0, 7, 9, 9, 9])],
            outputs: vec![y],
            times: 1,
            tolerance: 0.0,
        };
        let expected: Vec<f64> = normal(7, 11, 15).into_iter().map(f64::from).collect();
        assert_eq!(floats(&scene.on_cpu()[0]), expected);
    }
}
