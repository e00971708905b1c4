//! `f32` as text and back, exactly as Rust's standard library has it. The library's own way goes through tables that are
//! a tenth of the page's engine; a setting is read or shown now and then, so this takes its time instead.

use std::cmp::Ordering;

/// Significant digits that are looked at: a value halfway between two `f32` has fewer, so that what follows them only
/// says whether there is more.
const MOST_DIGITS: usize = 160;

/// The nearest `f32` to a decimal like `-1.5e-3`; of two, the one with an even last bit. `None` where `text` is none: nor
/// are `inf` and `NaN`.
pub(super) fn read(text: &str) -> Option<f32> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut digits = Vec::new();
    let (mut seen, mut exponent, mut fraction) = (false, 0, false);
    let mut rest = unsigned;
    while let [byte, after @ ..] = rest {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                match (digits.len(), byte - b'0') {
                    (0, 0) => {}
                    (..MOST_DIGITS, digit) => digits.push(digit),
                    (MOST_DIGITS, digit) => digits.push(u8::from(digit > 0)),
                    (_, digit) => {
                        digits[MOST_DIGITS] |= u8::from(digit > 0);
                        exponent += 1;
                    }
                }
                exponent -= i64::from(fraction);
            }
            b'.' if !fraction => fraction = true,
            b'e' | b'E' if seen => {
                exponent += power(after)?;
                break;
            }
            _ => return None,
        }
        rest = after;
    }
    let size = nearest(&digits, exponent);
    seen.then_some(if negative { -size } else { size })
}

/// The whole number after an `e`. One that is far too large for any `f32` may come out smaller, but no less too large.
fn power(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    let size = digits.iter().try_fold(0, |size: i64, digit| {
        digit.is_ascii_digit().then(|| (size * 10 + i64::from(digit - b'0')).min(1 << 40))
    });
    if digits.is_empty() { None } else { Some(sign * size?) }
}

/// The shortest decimal that reads back as `value`, without an exponent; of several the nearest to it.
pub(crate) fn show(value: f32) -> String {
    let sign = if value.is_sign_negative() && !value.is_nan() { "-" } else { "" };
    if !value.is_finite() {
        return format!("{sign}{}", if value.is_nan() { "NaN" } else { "inf" });
    }
    let (digits, exponent) = shortest(value.abs());
    let point = digits.len() as i64 + exponent;
    let zeros = |count: i64| "0".repeat(count.max(0) as usize);
    let mut text = format!("{sign}{}{}", if point > 0 { "" } else { "0." }, zeros(-point));
    for (i, digit) in digits.iter().enumerate() {
        if i > 0 && i as i64 == point {
            text.push('.');
        }
        text.push(char::from(b'0' + digit));
    }
    text + &zeros(exponent)
}

/// The digits and the power of ten of a value that is finite and not negative.
fn shortest(size: f32) -> (Vec<u8>, i64) {
    let wide = f64::from(size);
    let (mut lead, mut top) = (wide, 1);
    while lead >= 10.0 {
        (lead, top) = (lead / 10.0, top + 1);
    }
    while lead > 0.0 && lead < 1.0 {
        (lead, top) = (lead * 10.0, top - 1);
    }
    let at = |count: i64| (scaled(wide, count - top), top - count);
    // Nine digits tell any two values apart; a tenth is for a `lead` that rounding took past a power of ten.
    for count in 1..10 {
        let (number, exponent) = at(count);
        // Beside a power of two, where values lie half as dense on one side, the other neighbour may be the one.
        for number in [number.round(), number.floor(), number.ceil()] {
            let (digits, exponent) = decimal(number as u64, exponent);
            if nearest(&digits, exponent) == size {
                return (digits, exponent);
            }
        }
    }
    let (number, exponent) = at(10);
    decimal(number.round() as u64, exponent)
}

/// The digits of `number · 10^exponent`, without zeros at the end.
fn decimal(mut number: u64, mut exponent: i64) -> (Vec<u8>, i64) {
    while number >= 10 && number.is_multiple_of(10) {
        (number, exponent) = (number / 10, exponent + 1);
    }
    let mut digits = vec![(number % 10) as u8];
    while number >= 10 {
        number /= 10;
        digits.insert(0, (number % 10) as u8);
    }
    (digits, exponent)
}

/// `x · 10^exponent`, off by some units in the last place.
fn scaled(x: f64, exponent: i64) -> f64 {
    (0..exponent.abs()).fold(x, |x, _| if exponent < 0 { x / 10.0 } else { x * 10.0 })
}

/// The nearest `f32` to `digits · 10^exponent`.
fn nearest(digits: &[u8], exponent: i64) -> f32 {
    let magnitude = digits.len() as i64 + exponent;
    if digits.iter().all(|&digit| digit == 0) || magnitude < -50 {
        return 0.0;
    }
    if magnitude > 40 {
        return f32::INFINITY;
    }
    let lead = digits.iter().take(17).fold(0u64, |lead, &digit| lead * 10 + u64::from(digit));
    let guess = scaled(lead as f64, exponent + digits.len().saturating_sub(17) as i64) as f32;
    // The guess is right, or its neighbour is.
    let guess = guess.min(f32::MAX);
    let (below, above) = (guess.next_down(), guess.next_up());
    let odd = guess.to_bits() & 1 == 1;
    let last = f64::from(guess) - f64::from(below);
    let over = if above.is_finite() { f64::from(above) - f64::from(guess) } else { last };
    match compare(digits, exponent, f64::from(guess) + over / 2.0) {
        Ordering::Greater => return above,
        Ordering::Equal if odd => return above,
        _ => {}
    }
    if guess == 0.0 {
        return guess;
    }
    match compare(digits, exponent, f64::from(guess) - last / 2.0) {
        Ordering::Less => below,
        Ordering::Equal if odd => below,
        _ => guess,
    }
}

/// `digits · 10^exponent` against a positive value, exactly: both sides as whole numbers.
fn compare(digits: &[u8], exponent: i64, value: f64) -> Ordering {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let shift = (bits >> 52) as i64 - 1075;
    let mut left = Vec::new();
    digits.iter().for_each(|&digit| scale(&mut left, 10, digit));
    let mut right = vec![mantissa as u32, (mantissa >> 32) as u32];
    let tens = if exponent < 0 { &mut right } else { &mut left };
    (0..exponent.abs()).for_each(|_| scale(tens, 10, 0));
    let twos = if shift < 0 { &mut left } else { &mut right };
    (0..shift.abs()).for_each(|_| scale(twos, 2, 0));
    left.len().cmp(&right.len()).then_with(|| left.iter().rev().cmp(right.iter().rev()))
}

/// `number · factor + digit`, in words of which the last isn't zero.
fn scale(number: &mut Vec<u32>, factor: u64, digit: u8) {
    let mut carry = u64::from(digit);
    for word in number.iter_mut() {
        carry += u64::from(*word) * factor;
        *word = carry as u32;
        carry >>= 32;
    }
    if carry > 0 {
        number.push(carry as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::{read, show};
    use crate::ops::check::Random;

    /// What the standard library reads, but for the names of what isn't finite.
    fn theirs(text: &str) -> Option<f32> {
        text.parse().ok().filter(|_| !text.contains(|c: char| "nN".contains(c)))
    }

    #[track_caller]
    fn reads_alike(text: &str) {
        assert_eq!(read(text).map(f32::to_bits), theirs(text).map(f32::to_bits), "{text}");
    }

    #[test]
    fn shows_and_reads_what_the_standard_library_does() {
        let edges = [0, 1, 2, 0x7f_ffff, 0x80_0000, 0x80_0001, 0x7f7f_fffe, 0x7f7f_ffff, 0x7f80_0000, 0x3f80_0000];
        let powers = (0..0xffu32).flat_map(|e| [(e << 23).wrapping_sub(1), e << 23, (e << 23) + 1]);
        let mut random = Random(11);
        let any = (0..30_000).map(|_| (random.next() * f64::from(u32::MAX)) as u32);
        for bits in edges.into_iter().chain(powers).chain(any) {
            for value in [f32::from_bits(bits), -f32::from_bits(bits)] {
                assert_eq!(show(value), value.to_string(), "{bits:#x}");
                if value.is_finite() {
                    reads_alike(&value.to_string());
                    reads_alike(&format!("{value:e}"));
                    // Halfway to the next value, and a hair beside that.
                    let halfway = (f64::from(value) + f64::from(value.next_up())) / 2.0;
                    if halfway.is_finite() {
                        let exact = format!("{halfway:.150}");
                        reads_alike(&exact);
                        reads_alike(&format!("{exact}{}1", "0".repeat(200)));
                        reads_alike(&format!("{:.9e}", halfway));
                    }
                }
            }
        }
    }

    #[test]
    fn settings_read_as_they_are_written() {
        for thousandths in 0..20_000 {
            for text in
                [format!("{}", thousandths as f32 / 1000.0), format!("{thousandths}e-6"), format!("0.{thousandths}")]
            {
                reads_alike(&text);
                assert_eq!(show(read(&text).unwrap()), text.parse::<f32>().unwrap().to_string());
            }
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", " ", ".", "-", "+", "e5", ".e5", "1e", "1e+", "1.2.3", "1e2.5", "0x10", "1_000", "1 ", " 1", "--1",
            "1e5e", "inf", "-inf", "NaN", "infinity", "é",
        ] {
            reads_alike(text);
            assert_eq!(read(text), None, "{text}");
        }
        for text in [
            "5.",
            ".5",
            "+.5e+1",
            "-0",
            "0e99999999999999999999",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "00012",
            "1E3",
            "3.4028235677973366e38",
            "3.4028235677973365e38",
            "7e-46",
            "7.1e-46",
            "1e39",
            "1e41",
        ] {
            reads_alike(text);
        }
        reads_alike(&format!("0.{}1", "0".repeat(100_000)));
        reads_alike(&format!("1{}e-99999", "0".repeat(99_999)));
        reads_alike(&"9".repeat(39));
    }
}
