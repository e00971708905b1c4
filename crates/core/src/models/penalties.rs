//! What the discriminator pays for being steep: penalties on the gradient of its logit for the image. They are gradients of
//! gradients, which the operations allow, being closed under differentiation.
//!
//! | Penalty | Added to D's loss |
//! |---|---|
//! | R1 | `γ/2 E ‖∇d(x)‖²` on real images (Mescheder et al. 2018) |
//! | R2 | `γ/2 E ‖∇d(G(z))‖²` on fakes |
//! | gradient penalty | `λ E (‖∇d(x̂)‖ - 1)²`, `x̂` evenly between a real image and a fake (Gulrajani et al. 2017) |

use crate::error::Result;
use crate::program::{Recorder, Tensor};

/// Keeps the norm's slope finite where a gradient is zero.
const TINY: f32 = 1e-12;

/// `‖∇d‖²` for each logit, `[N, 1]`: of `logits [N, 1]` for the images `[N·K, P]` that they were computed from, each from a
/// pack of K. Each of the parts holds the first images of its packs, then the second ones, and so on.
///
/// # Errors
/// [`crate::Error`] where the shapes don't fit.
pub fn steepness(r: &mut Recorder, logits: Tensor, images: Tensor, parts: usize) -> Result<Tensor> {
    let rows = r.shape(images).0[0];
    let sum = r.sum_to(logits, [1])?;
    let slopes = r.gradients(sum, &[images])?[0];
    let squares = r.square(slopes)?;
    let each = r.sum_to(squares, [rows, 1])?;
    let packs = r.shape(logits).0[0];
    if packs == rows {
        return Ok(each);
    }
    let each = r.reshape(each, [parts, rows / packs, packs / parts])?;
    let sums = r.sum_to(each, [parts, 1, packs / parts])?;
    r.reshape(sums, [packs, 1])
}

/// `γ/2` times the mean of what [`steepness`] gives.
///
/// # Errors
/// [`crate::Error`] where the shapes don't fit.
pub fn half_mean(r: &mut Recorder, steepness: Tensor, gamma: f32) -> Result<Tensor> {
    let mean = r.mean(steepness)?;
    r.affine(mean, gamma / 2.0, 0.0)
}

/// `λ` times the mean of `(‖∇d‖ - 1)²`, of what [`steepness`] gives.
///
/// # Errors
/// [`crate::Error`] where the shapes don't fit.
pub fn off_one(r: &mut Recorder, steepness: Tensor, lambda: f32) -> Result<Tensor> {
    let shifted = r.affine(steepness, 1.0, TINY)?;
    let norm = r.sqrt(shifted)?;
    let off = r.affine(norm, 1.0, -1.0)?;
    let square = r.square(off)?;
    let mean = r.mean(square)?;
    r.affine(mean, lambda, 0.0)
}

/// `b + e (a - b)` for rows `[N, P]` and `e [N, 1]`: the images between.
///
/// # Errors
/// [`crate::Error`] where the shapes don't fit.
pub fn between(r: &mut Recorder, a: Tensor, b: Tensor, e: Tensor) -> Result<Tensor> {
    let difference = r.sub(a, b)?;
    let part = r.mul(difference, e)?;
    r.add(b, part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{Case, check};

    /// `d(x) = Σ w x²`, so `∇d = 2 w x`.
    fn case(
        name: &str,
        range: (f64, f64),
        penalty: fn(&mut Recorder, Tensor) -> Result<Tensor>,
        of: fn(f64) -> f64,
    ) -> Case {
        Case::new(name, [[3, 4].into(), [4].into()])
            .range(range.0, range.1)
            .records(move |r, x| {
                let squares = r.square(x[0])?;
                let terms = r.mul(squares, x[1])?;
                let logits = r.sum_to(terms, [3, 1])?;
                let steepness = steepness(r, logits, x[0], 1)?;
                penalty(r, steepness)
            })
            .equals(move |x| {
                let square = |row: &[f64]| row.iter().zip(&x[1]).map(|(x, w)| (2.0 * w * x).powi(2)).sum::<f64>();
                vec![x[0].chunks(4).map(|row| of(square(row))).sum::<f64>() / 3.0]
            })
    }

    #[test]
    fn penalties_are_their_formulas_with_their_gradients() {
        check(vec![
            case("R1", (-1.0, 1.0), |r, s| half_mean(r, s, 3.0), |square| 1.5 * square),
            case(
                "gradient penalty",
                (0.3, 1.0),
                |r, s| off_one(r, s, 10.0),
                |square| 10.0 * (square.sqrt() - 1.0).powi(2),
            ),
        ]);
    }

    #[test]
    fn a_pack_is_as_steep_as_its_images_together() {
        // Two parts of two packs of two images; a pack's logit is Σ x² over its images, so its slope is 2 x.
        const PACK: [[usize; 2]; 4] = [[0, 2], [1, 3], [4, 6], [5, 7]];
        check(vec![
            Case::new("steepness of packs", [[8, 3].into()])
                .records(|r, x| {
                    let squares = r.square(x[0])?;
                    let each = r.sum_to(squares, [8, 1])?;
                    let each = r.reshape(each, [2, 2, 2])?;
                    let logits = r.sum_to(each, [2, 1, 2])?;
                    let logits = r.reshape(logits, [4, 1])?;
                    steepness(r, logits, x[0], 2)
                })
                .equals(|x| {
                    let row = |i: usize| x[0][3 * i..3 * i + 3].iter().map(|v| 4.0 * v * v).sum::<f64>();
                    PACK.map(|pack| pack.map(row).iter().sum()).to_vec()
                }),
        ]);
    }

    #[test]
    fn images_between_lie_where_they_are_put() {
        check(vec![
            Case::new("between", [[3, 4].into(), [3, 4].into(), [3, 1].into()])
                .records(|r, x| between(r, x[0], x[1], x[2]))
                .equals(|x| (0..12).map(|i| x[1][i] + x[2][i / 4] * (x[0][i] - x[1][i])).collect()),
        ]);
    }
}
