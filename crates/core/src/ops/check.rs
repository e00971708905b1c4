//! The harness that holds every operation against finite differences in f64, and every engine against the CPU's.
//!
//! A differentiable operation lists [`Case`]s: how it is recorded, and the plain f64 formula that it should equal.
//! From these follow three checks: the value; the gradient of a random weighting of it; and the gradient of a random
//! weighting of that gradient, each against central differences of the formula. Anything else (noise, optimisers)
//! lists [`Scene`]s, which are only compared between engines here and have tests of their own in the operation's file.

use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, block_on};
use crate::error::Result;
use crate::program::{DType, Recorder, Recording, Shape, Tensor};
use std::rc::Rc;

/// The fields of a shader's `Params`: name, Rust type, offset in bytes.
pub type Layout = Vec<(&'static str, &'static str, usize)>;

type Record = Box<dyn Fn(&mut Recorder, &[Tensor]) -> Result<Tensor>>;
type Formula = Box<dyn Fn(&[Vec<f64>]) -> Vec<f64>>;

/// A differentiable operation at some shapes.
pub struct Case {
    name: String,
    shapes: Vec<Shape>,
    range: (f64, f64),
    words: Vec<Vec<u32>>,
    record: Record,
    formula: Formula,
    tolerance: f64,
}

impl Case {
    /// Inputs of these shapes, filled with values between -1 and 1.
    pub fn new(name: impl Into<String>, shapes: impl IntoIterator<Item = Shape>) -> Self {
        Case {
            name: name.into(),
            shapes: shapes.into_iter().collect(),
            range: (-1.0, 1.0),
            words: Vec::new(),
            record: Box::new(|_, x| Ok(x[0])),
            formula: Box::new(|x| x[0].clone()),
            tolerance: 2e-4,
        }
    }

    /// Fills the inputs with values of this range instead.
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = (low, high);
        self
    }

    /// Adds an input of integers after the others; no gradient is taken for it.
    pub fn words(mut self, words: Vec<u32>) -> Self {
        self.words.push(words);
        self
    }

    /// How the operation is recorded; the tensors come in the order of the shapes, then the integers.
    pub fn records(mut self, record: impl Fn(&mut Recorder, &[Tensor]) -> Result<Tensor> + 'static) -> Self {
        self.record = Box::new(record);
        self
    }

    /// The formula that it should equal, on the float inputs.
    pub fn equals(mut self, formula: impl Fn(&[Vec<f64>]) -> Vec<f64> + 'static) -> Self {
        self.formula = Box::new(formula);
        self
    }

    fn values(&self) -> Vec<Vec<f64>> {
        let (low, high) = self.range;
        let mut random = Random(0x9e37_79b9);
        // Rounded to f32, so that both sides see the same numbers.
        self.shapes
            .iter()
            .map(|s| (0..s.len()).map(|_| f64::from((low + (high - low) * random.next()) as f32)).collect())
            .collect()
    }

    /// The value, the first and the second order gradients, as one scene, with what they should be.
    fn scene(&self, fused: bool) -> (Scene, Vec<Vec<f64>>) {
        let values = self.values();
        let mut r = Recorder::new();
        r.begin("case");
        let floats: Vec<Tensor> = self.shapes.iter().map(|s| r.input("x", s.clone(), DType::F32)).collect();
        let words: Vec<Tensor> = self.words.iter().map(|w| r.input("i", [w.len()], DType::U32)).collect();
        let inputs: Vec<Tensor> = floats.iter().chain(&words).copied().collect();
        let y = (self.record)(&mut r, &inputs).unwrap_or_else(|e| panic!("{}: {e}", self.name));

        let mut random = Random(0x2545_f491);
        let mut weights =
            |n: usize| -> Vec<f64> { (0..n).map(|_| f64::from((random.next() * 2.0 - 1.0) as f32)).collect() };
        let wy = weights(r.shape(y).len());
        let wx: Vec<Vec<f64>> = values.iter().map(|v| weights(v.len())).collect();

        let weighted = |r: &mut Recorder, t: Tensor| {
            let w = r.input("w", r.shape(t).clone(), DType::F32);
            let product = r.mul(t, w).unwrap();
            (w, r.sum_to(product, [1]).unwrap())
        };
        let (wy_tensor, loss) = weighted(&mut r, y);
        let first = r.gradients(loss, &floats).unwrap_or_else(|e| panic!("{}: {e}", self.name));
        let mut along = Vec::new();
        let mut second_loss = None;
        for &g in &first {
            let (w, term) = weighted(&mut r, g);
            along.push(w);
            second_loss = Some(match second_loss {
                None => term,
                Some(sum) => r.add(sum, term).unwrap(),
            });
        }
        let second = r.gradients(second_loss.unwrap(), &floats).unwrap_or_else(|e| panic!("{} twice: {e}", self.name));

        let bits = |v: &[f64]| v.iter().map(|&v| (v as f32).to_bits()).collect::<Vec<u32>>();
        let mut uploads: Vec<(Tensor, Vec<u32>)> = floats.iter().zip(&values).map(|(&t, v)| (t, bits(v))).collect();
        uploads.extend(words.iter().zip(&self.words).map(|(&t, w)| (t, w.clone())));
        uploads.push((wy_tensor, bits(&wy)));
        uploads.extend(along.iter().zip(&wx).map(|(&t, w)| (t, bits(w))));

        let outputs: Vec<Tensor> = [y].into_iter().chain(first).chain(second).collect();
        let scene = Scene {
            name: self.name.clone(),
            recording: Rc::new(r.finish(fused, &outputs)),
            uploads,
            outputs,
            times: 1,
            tolerance: self.tolerance,
        };

        let f = |x: &[Vec<f64>]| (self.formula)(x).iter().zip(&wy).map(|(y, w)| y * w).sum::<f64>();
        let mut expected = vec![(self.formula)(&values)];
        expected.extend(first_differences(&f, &values));
        expected.extend(second_differences(&f, &values, &wx));
        (scene, expected)
    }
}

fn first_differences(f: &dyn Fn(&[Vec<f64>]) -> f64, at: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let h = 1e-5;
    let mut x = at.to_vec();
    let mut difference = |i: usize, j: usize| {
        let mut shifted = |by: f64| {
            x[i][j] = at[i][j] + by;
            let value = f(&x);
            x[i][j] = at[i][j];
            value
        };
        (shifted(h) - shifted(-h)) / (2.0 * h)
    };
    (0..at.len()).map(|i| (0..at[i].len()).map(|j| difference(i, j)).collect()).collect()
}

/// The gradient's derivative along `direction`: rows of the Hessian times it.
fn second_differences(f: &dyn Fn(&[Vec<f64>]) -> f64, at: &[Vec<f64>], direction: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let h = 1e-4;
    let value = |i: usize, j: usize, by: f64, along: f64| {
        let mut x: Vec<Vec<f64>> =
            at.iter().zip(direction).map(|(x, d)| x.iter().zip(d).map(|(x, d)| x + along * d).collect()).collect();
        x[i][j] += by;
        f(&x)
    };
    let difference =
        |i, j| (value(i, j, h, h) - value(i, j, h, -h) - value(i, j, -h, h) + value(i, j, -h, -h)) / (4.0 * h * h);
    (0..at.len()).map(|i| (0..at[i].len()).map(|j| difference(i, j)).collect()).collect()
}

/// A recording with its inputs and the outputs to look at.
pub struct Scene {
    /// What it is, for messages.
    pub name: String,
    /// Its first program is replayed.
    pub recording: Rc<Recording>,
    /// What the host writes first, as words.
    pub uploads: Vec<(Tensor, Vec<u32>)>,
    /// What is read in the end.
    pub outputs: Vec<Tensor>,
    /// How often the program is replayed.
    pub times: u32,
    /// The largest difference between engines, relative to 1 + the output's largest magnitude. 0 compares bits.
    pub tolerance: f64,
}

impl Scene {
    /// Replays it on `engine`, which has compiled its recording, and returns the outputs as words.
    pub fn play(&self, engine: &mut dyn Engine) -> Vec<Vec<u32>> {
        for (tensor, words) in &self.uploads {
            engine.upload(*tensor, 0, words).unwrap();
        }
        engine.run(&[crate::program::ProgramId(0)], self.times).unwrap();
        self.outputs.iter().map(|&t| block_on(engine.download(t)).unwrap()).collect()
    }

    /// Replays it on a new CPU engine.
    pub fn on_cpu(&self) -> Vec<Vec<u32>> {
        self.play(&mut CpuEngine::new(&self.recording, 0))
    }
}

/// The words as floats.
pub fn floats(words: &[u32]) -> Vec<f64> {
    words.iter().map(|&w| f64::from(f32::from_bits(w))).collect()
}

/// Panics where `got` is further from `expected` than `tolerance × (1 + largest magnitude)`, or isn't finite.
pub fn assert_close(what: &str, got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}: lengths differ");
    let scale = 1.0 + expected.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).abs() <= tolerance * scale, "{what}[{i}]: got {g}, expected {e}");
    }
}

/// Holds each case against its formula on the CPU, plain and fused.
pub fn check(cases: Vec<Case>) {
    assert!(!cases.is_empty());
    for case in cases {
        for fused in [false, true] {
            let (scene, expected) = case.scene(fused);
            for (i, (got, expected)) in scene.on_cpu().iter().zip(&expected).enumerate() {
                let order =
                    ["value", "gradient", "gradient of gradient"][(i > 0) as usize + (i > case.shapes.len()) as usize];
                assert_close(
                    &format!("{}: {order} (fused: {fused})", case.name),
                    &floats(got),
                    expected,
                    case.tolerance,
                );
            }
        }
    }
}

/// The cases as scenes, to compare engines.
pub fn scenes(cases: Vec<Case>) -> Vec<Scene> {
    cases.iter().flat_map(|case| [case.scene(false).0, case.scene(true).0]).collect()
}

/// A small generator, so that test data needs no dependency (xorshift32; uniform in 0..1).
pub struct Random(pub u32);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        f64::from(self.0) / f64::from(u32::MAX)
    }
}
