//! What a product or convolution does to each value before it writes it: add a bias, apply an activation.

use super::activation::Activation;
use crate::program::Tensor;

/// A bias or an activation, as the fusion rewrite hands it on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tail {
    /// Adds `[N]` to each row.
    Bias(Tensor),
    /// Applies a function to each value.
    Activation(Activation),
}

/// `y = activation(x + bias)`, each part optional.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Epilogue {
    /// `[N]`, one for each column.
    pub bias: Option<Tensor>,
    /// Applied last.
    pub activation: Option<Activation>,
}

impl Epilogue {
    /// With one more part at its end, if it still has room for it there.
    pub fn with(self, tail: Tail) -> Option<Self> {
        match (tail, self) {
            (Tail::Bias(bias), Epilogue { bias: None, activation: None }) => {
                Some(Epilogue { bias: Some(bias), activation: None })
            }
            (Tail::Activation(kind), Epilogue { activation: None, .. }) => {
                Some(Epilogue { activation: Some(kind), ..self })
            }
            _ => None,
        }
    }

    /// Applies it to rows of `columns` values. `bias` is the tensor's content where there is one.
    pub fn apply(&self, y: &mut [f32], columns: usize, bias: Option<&[f32]>) {
        if let Some(bias) = bias {
            for row in y.chunks_exact_mut(columns) {
                for (y, b) in row.iter_mut().zip(bias) {
                    *y += b;
                }
            }
        }
        if let Some(activation) = self.activation {
            activation.apply(y);
        }
    }

    /// The override constants that the shaders share: `BIAS`, `ACTIVATION`, `SLOPE`.
    pub fn constants(&self) -> Vec<(&'static str, f64)> {
        let (code, slope) = self.activation.map_or((0, 0.0), Activation::code);
        vec![
            ("BIAS", f64::from(u8::from(self.bias.is_some()))),
            ("ACTIVATION", f64::from(code)),
            ("SLOPE", f64::from(slope)),
        ]
    }
}
