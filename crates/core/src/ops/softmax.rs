//! What a classifier's loss needs of the rows of `x [M, C]`: the softmax, the logarithm of the sum of exponentials, and
//! the greatest value. The cross-entropy of a row and its label is `log Σⱼ exp xⱼ − x[label]`
//! ([`Recorder::cross_entropy`]).
//!
//! Each exponential is of `xⱼ − max x`, so none overflows however large the logits are, and one of them is 1. The sum's
//! gradient is the softmax `s`, and that of the softmax is `s · (dy − Σⱼ dyⱼ sⱼ)`. A thread takes a row: rows are meant
//! to be short, as ten classes are.

use super::{Adapter, Kernel, Op, groups, math, params, shader};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// `y [M, C]`
    Softmax,
    /// `y [M, 1]`
    LogSumExp,
    /// `y [M, 1]`
    Greatest,
}

#[derive(Clone, Copy, Debug)]
struct Rows {
    x: Tensor,
    y: Tensor,
    of: Of,
    rows: usize,
    columns: usize,
}

params! { rows: u32, columns: u32 }

impl Recorder {
    /// `exp xⱼ / Σ exp x` in each row of `x [M, C]`.
    ///
    /// # Errors
    /// [`crate::Error`] where `x` is no matrix with columns.
    pub fn softmax(&mut self, x: Tensor) -> Result<Tensor> {
        self.rows(x, Of::Softmax)
    }

    /// `log Σⱼ exp xⱼ` of each row of `x [M, C]`, `[M, 1]`.
    ///
    /// # Errors
    /// [`crate::Error`] where `x` is no matrix with columns.
    pub fn log_sum_exp(&mut self, x: Tensor) -> Result<Tensor> {
        self.rows(x, Of::LogSumExp)
    }

    /// The greatest value of each row of `x [M, C]`, `[M, 1]`. It has no gradient.
    ///
    /// # Errors
    /// [`crate::Error`] where `x` is no matrix with columns.
    pub fn greatest(&mut self, x: Tensor) -> Result<Tensor> {
        self.rows(x, Of::Greatest)
    }

    /// `−log softmax(x)[label]` of each row, `[M, 1]`: logits `x [M, C]` and integers `labels [M]` below C.
    ///
    /// # Errors
    /// [`crate::Error`] where the shapes don't fit.
    pub fn cross_entropy(&mut self, x: Tensor, labels: Tensor) -> Result<Tensor> {
        let all = self.log_sum_exp(x)?;
        let own = self.pick(x, labels, 0)?;
        self.sub(all, own)
    }

    fn rows(&mut self, x: Tensor, of: Of) -> Result<Tensor> {
        let [rows, columns] = self.shape(x).matrix(of.name())?;
        if columns == 0 {
            let shape = self.shape(x).clone();
            return Err(Error::Shape { op: of.name(), shape, why: "a row must have a value" });
        }
        let y = self.result(of.name(), [rows, if of == Of::Softmax { columns } else { 1 }], DType::F32);
        self.push(Rows { x, y, of, rows, columns })
    }
}

impl Of {
    /// The operation's name, also that of its entry point.
    fn name(self) -> &'static str {
        match self {
            Of::Softmax => "softmax",
            Of::LogSumExp => "log_sum_exp",
            Of::Greatest => "greatest",
        }
    }
}

impl Op for Rows {
    fn name(&self) -> &'static str {
        self.of.name()
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn differentiable(&self) -> bool {
        self.of != Of::Greatest
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        let dx = match self.of {
            Of::Softmax => {
                let weighted = r.mul(dy, self.y)?;
                let mean = r.sum_to(weighted, [self.rows, 1])?;
                let off = r.sub(dy, mean)?;
                r.mul(off, self.y)?
            }
            Of::LogSumExp => {
                let shares = r.softmax(self.x)?;
                r.mul(shares, dy)?
            }
            Of::Greatest => return Err(Error::NoGradient { op: self.name() }),
        };
        Ok(vec![Some(dx)])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let rows = x[0].chunks_exact(self.columns);
        match self.of {
            Of::Softmax => {
                for (y, x) in y[0].chunks_exact_mut(self.columns).zip(rows) {
                    let most = greatest(x);
                    y.iter_mut().zip(x).for_each(|(y, &x)| *y = math::exp(x - most));
                    let sum: f32 = y.iter().sum();
                    y.iter_mut().for_each(|y| *y /= sum);
                }
            }
            Of::LogSumExp => {
                for (y, x) in y[0].iter_mut().zip(rows) {
                    let most = greatest(x);
                    *y = most + x.iter().map(|&x| math::exp(x - most)).sum::<f32>().ln();
                }
            }
            Of::Greatest => y[0].iter_mut().zip(rows).for_each(|(y, x)| *y = greatest(x)),
        }
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        Kernel {
            shader: shader!("softmax"),
            entry: self.of.name(),
            constants: vec![],
            params: Params { rows: self.rows as u32, columns: self.columns as u32 }.bytes(),
            workgroups: groups(self.rows),
        }
    }
}

/// Of a row; one that holds a NaN is left to what is done with it.
fn greatest(x: &[f32]) -> f32 {
    x.iter().fold(f32::NEG_INFINITY, |most, &x| if x > most { x } else { most })
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("softmax", Params::layout())
}

#[cfg(test)]
fn log_sum_exp(x: &[f64]) -> f64 {
    let most = x.iter().fold(f64::NEG_INFINITY, |m, &x| m.max(x));
    most + x.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::check::Case;
    let mut cases = Vec::new();
    // Also more rows than a workgroup has threads, and a single column.
    for (rows, columns, [low, high]) in [(5, 10, [-2.0, 2.0]), (70, 3, [-1.0, 1.0]), (4, 1, [-1.0, 1.0])] {
        cases.push(
            Case::new(format!("softmax {rows}×{columns}"), [[rows, columns].into()])
                .range(low, high)
                .records(|r, x| r.softmax(x[0]))
                .equals(move |x| {
                    let shares = |x: &[f64]| x.iter().map(|v| (v - log_sum_exp(x)).exp()).collect::<Vec<_>>();
                    x[0].chunks(columns).flat_map(shares).collect()
                }),
        );
        cases.push(
            Case::new(format!("log_sum_exp {rows}×{columns}"), [[rows, columns].into()])
                .range(low, high)
                .records(|r, x| r.log_sum_exp(x[0]))
                .equals(move |x| x[0].chunks(columns).map(log_sum_exp).collect()),
        );
        let labels: Vec<u32> = (0..rows as u32).map(|i| i * 7 % columns as u32).collect();
        let of = labels.clone();
        cases.push(
            Case::new(format!("cross_entropy {rows}×{columns}"), [[rows, columns].into()])
                .range(low, high)
                .words(labels)
                .records(|r, x| r.cross_entropy(x[0], x[1]))
                .equals(move |x| {
                    let rows = x[0].chunks(columns).zip(&of);
                    rows.map(|(row, &label)| log_sum_exp(row) - row[label as usize]).collect()
                }),
        );
    }
    cases
}

/// Logits far beyond what an exponential can hold.
#[cfg(test)]
const LARGE: [[f32; 4]; 4] =
    [[500.0, -500.0, 0.0, 499.0], [-500.0; 4], [120.0, 119.5, 100.0, 0.0], [-300.0, -300.0, -298.0, -299.5]];

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    let mut r = Recorder::new();
    r.begin("scene");
    let x = r.input("x", [4, 4], DType::F32);
    let outputs = vec![r.softmax(x).unwrap(), r.log_sum_exp(x).unwrap(), r.greatest(x).unwrap()];
    vec![super::check::Scene {
        name: "rows of large logits".into(),
        recording: r.finish(false, &outputs).into(),
        uploads: vec![(x, LARGE.as_flattened().iter().map(|x| x.to_bits()).collect())],
        outputs,
        times: 1,
        tolerance: 1e-6,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{assert_close, floats};

    #[test]
    fn large_logits_neither_overflow_nor_vanish() {
        let got: Vec<Vec<f64>> = scenes()[0].on_cpu().iter().map(|words| floats(words)).collect();
        for (i, row) in LARGE.iter().enumerate() {
            let row: Vec<f64> = row.iter().map(|&x| f64::from(x)).collect();
            let (sum, most) = (log_sum_exp(&row), row.iter().fold(f64::NEG_INFINITY, |m, &x| m.max(x)));
            let shares: Vec<f64> = row.iter().map(|x| (x - sum).exp()).collect();
            assert_close("softmax", &got[0][4 * i..][..4], &shares, 1e-6);
            assert_close("log_sum_exp", &got[1][i..=i], &[sum], 1e-6);
            assert_eq!(got[2][i], most);
        }
    }

    #[test]
    fn not_a_number_is_not_hidden() {
        let mut r = Recorder::new();
        r.begin("test");
        let x = r.input("x", [1, 3], DType::F32);
        let outputs = vec![r.softmax(x).unwrap(), r.log_sum_exp(x).unwrap()];
        let scene = super::super::check::Scene {
            name: "NaN".into(),
            recording: r.finish(false, &outputs).into(),
            uploads: vec![(x, [1.0, f32::NAN, 2.0].map(f32::to_bits).to_vec())],
            outputs,
            times: 1,
            tolerance: 0.0,
        };
        assert!(scene.on_cpu().iter().flat_map(|words| floats(words)).all(f64::is_nan));
    }

    #[test]
    fn the_greatest_has_no_gradient_and_other_shapes_are_refused() {
        let mut r = Recorder::new();
        r.begin("test");
        let x = r.input("x", [2, 3], DType::F32);
        let y = r.greatest(x).unwrap();
        let sum = r.sum_to(y, [1]).unwrap();
        let zeros = r.gradients(sum, &[x]).unwrap();
        assert!(matches!(r.info(zeros[0]).role, crate::program::Role::Constant(0.0)));
        let (flat, empty) = (r.input("flat", [6], DType::F32), r.input("empty", [2, 0], DType::F32));
        assert!(matches!(r.softmax(flat), Err(Error::Shape { op: "softmax", .. })));
        assert!(matches!(r.log_sum_exp(empty), Err(Error::Shape { op: "log_sum_exp", .. })));
    }
}
