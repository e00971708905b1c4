//! Elementary functions for the CPU loops: branch-free, so that they vectorise, and the same on every target.

use crate::engine::cpu::lanes::Lanes;

const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 in two parts; the first has few enough bits that `n · LN2_HIGH` is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;
/// 1.5 · 2²³: adding it rounds to a whole number, which then stands in the low bits.
const ROUND: f32 = 12_582_912.0;

/// `eˣ` to about 1e-7 relative, clamped to ±87 (NaN stays NaN). Cephes' polynomial.
#[inline(always)]
pub(crate) fn exps(x: Lanes) -> Lanes {
    let (least, most) = (Lanes::splat(-87.0), Lanes::splat(87.0));
    let x = x.if_less(least, least, x);
    let x = most.if_less(x, most, x);
    let rounded = x * LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let p = r * 1.987_569_2e-4 + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let value = p * r * r + r + 1.0;
    value * rounded.power_of_low_bits()
}

/// `tanh x` to about 1e-7 absolute.
#[inline(always)]
pub(crate) fn tanhs(x: Lanes) -> Lanes {
    let e = exps(x * 2.0);
    (e - 1.0) / (e + 1.0)
}

/// `1 / (1 + e⁻ˣ)`.
#[inline(always)]
pub(crate) fn sigmoids(x: Lanes) -> Lanes {
    Lanes::splat(1.0) / (exps(x * -1.0) + 1.0)
}

/// `exps` of one.
#[inline]
pub fn exp(x: f32) -> f32 {
    exps(Lanes::splat(x)).first()
}

/// `tanhs` of one.
#[inline]
pub fn tanh(x: f32) -> f32 {
    tanhs(Lanes::splat(x)).first()
}

/// `sigmoids` of one.
#[inline]
pub fn sigmoid(x: f32) -> f32 {
    sigmoids(Lanes::splat(x)).first()
}

/// `ln(1 + eˣ)` without overflow: `max(x, 0) + ln(1 + e^-|x|)`.
#[inline]
pub fn softplus(x: f32) -> f32 {
    (if x < 0.0 { 0.0 } else { x }) + exp(-x.abs()).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_accurate_over_their_range() {
        for i in -4000..=4000 {
            let x = i as f32 * 0.02;
            let exact = f64::from(x);
            assert!((f64::from(exp(x)) / exact.exp() - 1.0).abs() < 3e-7, "exp {x}");
            assert!((f64::from(tanh(x)) - exact.tanh()).abs() < 2e-7, "tanh {x}");
            assert!((f64::from(sigmoid(x)) - 1.0 / (1.0 + (-exact).exp())).abs() < 2e-7, "sigmoid {x}");
            assert!((f64::from(softplus(x)) - exact.exp().ln_1p()).abs() < 1e-5, "softplus {x}");
        }
    }

    #[test]
    fn not_a_number_is_not_hidden() {
        assert!(
            exp(f32::NAN).is_nan()
                && tanh(f32::NAN).is_nan()
                && sigmoid(f32::NAN).is_nan()
                && softplus(f32::NAN).is_nan()
        );
    }
}
