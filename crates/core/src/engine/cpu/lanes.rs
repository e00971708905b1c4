//! As many values as one instruction takes: four in wasm, and one elsewhere, where LLVM makes vectors of loops by itself.
//!
//! The page's engine is compiled for size, in which LLVM neither makes vectors nor unrolls much. So its hot loops are written with
//! these; what they compute is the same everywhere.

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Sub};

#[cfg(target_arch = "wasm32")]
use std::arch::wasm32::{self, v128 as Register};
#[cfg(not(target_arch = "wasm32"))]
type Register = f32;

/// How many.
pub(crate) const LANES: usize = size_of::<Register>() / size_of::<f32>();

/// So many values.
#[derive(Clone, Copy)]
pub(crate) struct Lanes(Register);

impl Lanes {
    #[inline(always)]
    pub fn new(values: [f32; LANES]) -> Self {
        // SAFETY: each is as many floats, whatever they are.
        Lanes(unsafe { std::mem::transmute::<[f32; LANES], Register>(values) })
    }

    #[inline(always)]
    pub fn values(self) -> [f32; LANES] {
        // SAFETY: as above.
        unsafe { std::mem::transmute::<Register, [f32; LANES]>(self.0) }
    }

    #[inline(always)]
    pub fn splat(value: f32) -> Self {
        Lanes::new([value; LANES])
    }

    #[inline(always)]
    pub fn first(self) -> f32 {
        self.values()[0]
    }

    /// Lane by lane `then` where the value is less than `limit`, else `otherwise`, as for NaN.
    #[inline(always)]
    pub fn if_less(self, limit: Self, then: Self, otherwise: Self) -> Self {
        #[cfg(target_arch = "wasm32")]
        return Lanes(wasm32::v128_bitselect(then.0, otherwise.0, wasm32::f32x4_lt(self.0, limit.0)));
        #[cfg(not(target_arch = "wasm32"))]
        return if self.0 < limit.0 { then } else { otherwise };
    }

    #[inline(always)]
    pub fn sqrt(self) -> Self {
        #[cfg(target_arch = "wasm32")]
        return Lanes(wasm32::f32x4_sqrt(self.0));
        #[cfg(not(target_arch = "wasm32"))]
        return Lanes(self.0.sqrt());
    }

    /// `2ⁿ` for the whole number `n` that stands in the low bits of each value, from -126 to 127.
    #[inline(always)]
    pub fn power_of_low_bits(self) -> Self {
        #[cfg(target_arch = "wasm32")]
        return Lanes(wasm32::i32x4_add(wasm32::i32x4_shl(self.0, 23), wasm32::i32x4_splat(127 << 23)));
        #[cfg(not(target_arch = "wasm32"))]
        return Lanes(f32::from_bits((self.0.to_bits() << 23).wrapping_add(127 << 23)));
    }

    /// As many rows of a square, with rows and columns exchanged.
    #[cfg(any(test, target_arch = "wasm32"))]
    #[inline(always)]
    pub fn transposed(rows: [Self; LANES]) -> [Self; LANES] {
        #[cfg(target_arch = "wasm32")]
        {
            let [a, b, c, d] = rows.map(|row| row.0);
            let left = [wasm32::i32x4_shuffle::<0, 4, 1, 5>(a, b), wasm32::i32x4_shuffle::<0, 4, 1, 5>(c, d)];
            let right = [wasm32::i32x4_shuffle::<2, 6, 3, 7>(a, b), wasm32::i32x4_shuffle::<2, 6, 3, 7>(c, d)];
            let upper = |[ab, cd]: [Register; 2]| Lanes(wasm32::i64x2_shuffle::<0, 2>(ab, cd));
            let lower = |[ab, cd]: [Register; 2]| Lanes(wasm32::i64x2_shuffle::<1, 3>(ab, cd));
            [upper(left), lower(left), upper(right), lower(right)]
        }
        #[cfg(not(target_arch = "wasm32"))]
        rows
    }

    /// `self + a · b`, by the target's fused instruction if `FUSED`.
    #[inline(always)]
    pub fn add_product<const FUSED: bool>(self, a: Self, b: Self) -> Self {
        // In wasm `mul_add`, which promises one rounding, would be a call.
        #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
        if FUSED {
            return Lanes(wasm32::f32x4_relaxed_madd(a.0, b.0, self.0));
        }
        #[cfg(not(target_arch = "wasm32"))]
        if FUSED {
            return Lanes(a.0.mul_add(b.0, self.0));
        }
        self + a * b
    }
}

macro_rules! operations {
    ($($operation:ident, $method:ident, $instruction:ident;)*) => {$(
        impl $operation for Lanes {
            type Output = Lanes;

            #[inline(always)]
            fn $method(self, other: Lanes) -> Lanes {
                #[cfg(target_arch = "wasm32")]
                return Lanes(wasm32::$instruction(self.0, other.0));
                #[cfg(not(target_arch = "wasm32"))]
                return Lanes(self.0.$method(other.0));
            }
        }

        impl $operation<f32> for Lanes {
            type Output = Lanes;

            #[inline(always)]
            fn $method(self, other: f32) -> Lanes {
                self.$method(Lanes::splat(other))
            }
        }
    )*};
}

operations! { Add, add, f32x4_add; Sub, sub, f32x4_sub; Mul, mul, f32x4_mul; Div, div, f32x4_div; }

/// Each value of each of `y` becomes what `term` makes of those at its place in all of `x` and in all of `y`. What `term` captures it
/// should own: what may have changed between two values keeps LLVM from making vectors.
///
/// # Panics
/// Unless they are as long as the first of `y`, or longer.
#[inline(always)]
pub(crate) fn each<const N: usize, const M: usize>(
    x: [&[f32]; N],
    y: [&mut [f32]; M],
    term: impl Fn([Lanes; N], [Lanes; M]) -> [Lanes; M],
) {
    let len = y[0].len();
    let (x, y) = (x.map(|x| &x[..len]), y.map(|y| &mut y[..len]));
    for at in (0..len / LANES).map(|i| i * LANES) {
        let (mut of_x, mut of_y) = ([Lanes::splat(0.0); N], [Lanes::splat(0.0); M]);
        // SAFETY: each has `len` values, and at least as many as lanes from `at` on. A check would be one for each of them.
        unsafe {
            for i in 0..N {
                of_x[i] = Lanes::new(*x[i].as_ptr().add(at).cast());
            }
            for i in 0..M {
                of_y[i] = Lanes::new(*y[i].as_ptr().add(at).cast());
            }
            let results = term(of_x, of_y);
            for i in 0..M {
                *y[i].as_mut_ptr().add(at).cast() = results[i].values();
            }
        }
    }
    for at in len / LANES * LANES..len {
        let results = term(from_fn(|i| Lanes::splat(x[i][at])), from_fn(|i| Lanes::splat(y[i][at])));
        for i in 0..M {
            y[i][at] = results[i].first();
        }
    }
}

/// [`each`], in the widest registers that the processor has; the results stay the same bits.
#[inline(always)]
pub(crate) fn each_wide<const N: usize, const M: usize>(
    x: [&[f32]; N],
    y: [&mut [f32]; M],
    term: impl Fn([Lanes; N], [Lanes; M]) -> [Lanes; M],
) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has it.
        return unsafe { each_with_avx2(x, y, term) };
    }
    each(x, y, term);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn each_with_avx2<const N: usize, const M: usize>(
    x: [&[f32]; N],
    y: [&mut [f32]; M],
    term: impl Fn([Lanes; N], [Lanes; M]) -> [Lanes; M],
) {
    each(x, y, term);
}

/// Sixteen values: whole rows of a matrix, side by side, where it has 1, 2, 4, 8 or 16 columns. A loop over so few would cost more
/// than they do.
pub(crate) type Sixteen = [Lanes; SIXTEEN / LANES];

/// Their number.
pub(crate) const SIXTEEN: usize = 16;

/// What `lanes` says of each place.
#[inline(always)]
pub(crate) fn sixteen_of(lanes: impl Fn(usize) -> Lanes) -> Sixteen {
    // Written out, it stays in registers.
    #[cfg(target_arch = "wasm32")]
    return [lanes(0), lanes(1), lanes(2), lanes(3)];
    #[cfg(not(target_arch = "wasm32"))]
    {
        let mut sixteen = [Lanes::splat(0.0); SIXTEEN / LANES];
        for (q, sixteen) in sixteen.iter_mut().enumerate() {
            *sixteen = lanes(q);
        }
        sixteen
    }
}

/// Sixteen that stand side by side.
#[inline(always)]
pub(crate) fn sixteen(values: &[f32; SIXTEEN]) -> Sixteen {
    sixteen_of(|q| part(values, q))
}

/// The `q`-th lanes of them.
#[inline(always)]
pub(crate) fn part(values: &[f32; SIXTEEN], q: usize) -> Lanes {
    Lanes::new(values.as_chunks().0[q])
}

/// A row whose length divides sixteen, over and over.
#[inline(always)]
pub(crate) fn repeated(row: &[f32]) -> Sixteen {
    sixteen_of(|q| Lanes::new(from_fn(|i| row[(LANES * q + i) % row.len()])))
}

/// The values in order.
#[inline(always)]
pub(crate) fn values(sixteen: Sixteen) -> [f32; SIXTEEN] {
    let mut values = [0.0; SIXTEEN];
    values.as_chunks_mut().0.iter_mut().zip(sixteen).for_each(|(values, lanes)| *values = lanes.values());
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_worked_on_once_and_the_last_ones_too() {
        for len in [0, 1, 3, 4, 9, 16, 21] {
            let x: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let (mut sums, mut twice) = (vec![1.0; len], vec![f32::NAN; len]);
            each([&x], [&mut sums, &mut twice], |[x], [sum, _]| [sum + x, x * 2.0]);
            assert_eq!(sums, x.iter().map(|x| x + 1.0).collect::<Vec<_>>());
            assert_eq!(twice, x.iter().map(|x| x * 2.0).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_not_a_number_is_less_than_nothing() {
        let of = |x: f32| Lanes::splat(x).if_less(Lanes::splat(1.0), Lanes::splat(2.0), Lanes::splat(3.0)).values();
        assert_eq!([0.5, 1.0, f32::NAN].map(of), [[2.0; LANES], [3.0; LANES], [3.0; LANES]]);
    }

    #[test]
    fn a_row_is_repeated() {
        let row = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(values(repeated(&row)), *[row, row].as_flattened());
        assert_eq!(values(sixteen(&values(repeated(&row[..2])))), values(repeated(&row[..2])));
    }
}
