//! What a product or convolution does to each value before it writes it: add a bias, apply an activation, or multiply by
//! an activation's slope.

use super::activation::Activation;
use super::block::Beside;
use crate::engine::cpu::lanes::{SIXTEEN, each, repeated, sixteen, sixteen_of, values};
use crate::engine::cpu::wide;
use crate::program::Tensor;

/// One such step, as the fusion rewrite hands it on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tail {
    /// Adds `[N]` to each row.
    Bias(Tensor),
    /// Applies a function to each value.
    Activation(Activation),
    /// Multiplies each value by the function's slope, read off its output, which has as many values.
    Slope(Tensor, Activation),
}

/// `y = activation(x + bias)`, each part optional; or `y = x · activation′`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Epilogue {
    /// `[N]`, one for each column.
    bias: Option<Tensor>,
    /// The output of `activation` whose slope is multiplied by, instead of applying it.
    gate: Option<Tensor>,
    activation: Option<Activation>,
}

impl Epilogue {
    /// With one more part at its end, if it still has room for it there.
    pub fn with(self, tail: Tail) -> Option<Self> {
        match (tail, self) {
            (Tail::Bias(bias), Epilogue { bias: None, activation: None, .. }) => {
                Some(Epilogue { bias: Some(bias), ..self })
            }
            (Tail::Activation(kind), Epilogue { activation: None, .. }) => {
                Some(Epilogue { activation: Some(kind), ..self })
            }
            (Tail::Slope(y, kind), Epilogue { bias: None, activation: None, .. }) => {
                Some(Epilogue { gate: Some(y), activation: Some(kind), bias: None })
            }
            _ => None,
        }
    }

    /// With an activation's slope at its end; what only gradients go through has no use for more.
    pub fn with_slope(self, tail: Tail) -> Option<Self> {
        self.with(tail).filter(|epilogue| epilogue.gate.is_some())
    }

    /// Whether it does nothing.
    pub fn is_none(&self) -> bool {
        *self == Epilogue::default()
    }

    /// The tensor that it reads beside the operands: the bias, or the activation's output.
    pub fn beside(&self) -> Option<Tensor> {
        self.bias.or(self.gate)
    }

    /// Applies it to rows of `columns` values that start at value `at` of the whole result. `beside` is the content of
    /// [`Epilogue::beside`], or anything where there is none.
    pub fn apply(&self, y: &mut [f32], columns: usize, at: usize, beside: &[f32]) {
        if self.bias.is_some() {
            wide(|| add_rows(&beside[..columns], y));
        }
        match (self.activation, self.gate) {
            (Some(activation), Some(_)) => activation.gate(&beside[at..at + y.len()], y),
            (Some(activation), None) => activation.apply(y),
            (None, _) => {}
        }
    }

    /// For an instruction of a block: what [`Epilogue::beside`] is for, the function's code and the leaky ReLU's slope.
    pub fn codes(&self) -> (Beside, u32, f32) {
        let (code, slope) = self.activation.map_or((0, 0.0), Activation::code);
        let beside = match (self.bias, self.gate) {
            (Some(_), _) => Beside::Bias,
            (None, Some(_)) => Beside::Gate,
            (None, None) => Beside::Unused,
        };
        (beside, code, slope)
    }

    /// The override constants that the shaders share: `BIAS`, `GATE`, `ACTIVATION`, `SLOPE`.
    pub fn constants(&self) -> Vec<(&'static str, f64)> {
        let (code, slope) = self.activation.map_or((0, 0.0), Activation::code);
        let flag = |on: bool| f64::from(u8::from(on));
        vec![
            ("BIAS", flag(self.bias.is_some())),
            ("GATE", flag(self.gate.is_some())),
            ("ACTIVATION", f64::from(code)),
            ("SLOPE", f64::from(slope)),
        ]
    }
}

/// Adds `row` to each row of `y`.
#[inline(always)]
fn add_rows(row: &[f32], y: &mut [f32]) {
    if !SIXTEEN.is_multiple_of(row.len()) {
        return y.chunks_exact_mut(row.len()).for_each(|y| each([row], [y], |[x], [y]| [y + x]));
    }
    let rows = repeated(row);
    let (chunks, rest) = y.as_chunks_mut();
    for chunk in chunks {
        let before = sixteen(chunk);
        *chunk = values(sixteen_of(|q| before[q] + rows[q]));
    }
    rest.iter_mut().zip(values(rows)).for_each(|(y, x)| *y += x);
}
