//! What digits were asked for, and what digits were read: the confusion matrix, and from it precision, recall and F1 for
//! each digit, in scikit-learn's terms and, as text, in its layout (`classification_report`, with all ten labels given and
//! `zero_division=0`).
//!
//! **A ratio of nothing is 0**: the precision of a digit that is never read, the recall of one that is never asked for.
//!
//! Where nothing was asked for there is no report, but only which digits were read: the [`Histogram`].

use super::cloud::refuse;
use crate::data::DIGITS;
use crate::error::Result;

/// How often each digit was read where each was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// `[asked for][read]`
    pub counts: [[u32; DIGITS]; DIGITS],
}

/// Of one digit, or an average.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Of what is read as this digit, the share that was asked for.
    pub precision: f64,
    /// Of what was asked for, the share that is read as this digit.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// How many were asked for.
    pub support: u32,
}

/// The table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Digit by digit.
    pub digits: [Scores; DIGITS],
    /// The share of images that are read as what was asked for. It is the micro average of precision, of recall and of F1
    /// as well, for each image has one digit.
    pub accuracy: f64,
    /// Digits count alike.
    pub macro_average: Scores,
    /// Digits count by their support.
    pub weighted_average: Scores,
}

impl Confusion {
    /// Of digits asked for and digits read, image by image.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) where there are none, their numbers differ, or one is no digit.
    pub fn of(wanted: &[u8], read: &[u8]) -> Result<Self> {
        if wanted.len() != read.len() {
            return Err(refuse("digits read", format!("{}, but {} were asked for", read.len(), wanted.len())));
        }
        check("digits asked for", wanted)?;
        check("digits read", read)?;
        let mut counts = [[0; DIGITS]; DIGITS];
        for (&wanted, &read) in wanted.iter().zip(read) {
            counts[usize::from(wanted)][usize::from(read)] += 1;
        }
        Ok(Confusion { counts })
    }

    /// Precision, recall and F1.
    pub fn report(&self) -> Report {
        let digits: [Scores; DIGITS] = std::array::from_fn(|digit| {
            let support: u32 = self.counts[digit].iter().sum();
            let read: u32 = self.counts.iter().map(|row| row[digit]).sum();
            let right = self.counts[digit][digit];
            Scores {
                precision: ratio(right, read),
                recall: ratio(right, support),
                f1: ratio(2 * right, read + support),
                support,
            }
        });
        let total: u32 = digits.iter().map(|scores| scores.support).sum();
        let average = |weight: fn(&Scores) -> u32| {
            let weights = f64::from(digits.iter().map(weight).sum::<u32>());
            let mean = |of: fn(&Scores) -> f64| {
                digits.iter().map(|scores| f64::from(weight(scores)) * of(scores)).sum::<f64>() / weights
            };
            Scores { precision: mean(|s| s.precision), recall: mean(|s| s.recall), f1: mean(|s| s.f1), support: total }
        };
        Report {
            digits,
            accuracy: ratio((0..DIGITS).map(|digit| self.counts[digit][digit]).sum(), total),
            macro_average: average(|_| 1),
            weighted_average: average(|scores| scores.support),
        }
    }
}

impl Report {
    /// As `classification_report(labels=range(10), zero_division=0)` prints it, with so many decimals.
    pub fn text(&self, decimals: usize) -> String {
        const WIDTH: usize = "weighted avg".len();
        let width = WIDTH.max(decimals);
        let row = |name: &str, scores: &Scores| {
            let Scores { precision, recall, f1, support } = scores;
            format!("{name:>width$}  {precision:>9.decimals$} {recall:>9.decimals$} {f1:>9.decimals$} {support:>9}\n")
        };
        let heads = ["precision", "recall", "f1-score", "support"].map(|head| format!(" {head:>9}")).concat();
        let mut text = format!("{:width$} {heads}\n\n", "");
        for (digit, scores) in self.digits.iter().enumerate() {
            text += &row(&digit.to_string(), scores);
        }
        let (accuracy, total) = (self.accuracy, self.macro_average.support);
        text += &format!("\n{:>width$}  {:9} {:9} {accuracy:>9.decimals$} {total:>9}\n", "accuracy", "", "");
        text + &row("macro avg", &self.macro_average) + &row("weighted avg", &self.weighted_average)
    }
}

/// Which digits are read, whatever was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Histogram {
    /// Of each digit, from 0 to 1.
    pub shares: [f64; DIGITS],
    /// Of the shares, in nats: ln 10 where all digits are as frequent, 0 where there is only one.
    pub entropy: f64,
}

impl Histogram {
    /// Of the digits read.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) where there are none, or one is no digit.
    pub fn of(read: &[u8]) -> Result<Self> {
        check("digits read", read)?;
        let of = |digit: usize| read.iter().filter(|&&d| usize::from(d) == digit).count() as f64;
        let shares: [f64; DIGITS] = std::array::from_fn(|digit| of(digit) / read.len() as f64);
        // 0 rather than −0 where there is one digit.
        let entropy = 0.0 - shares.iter().filter(|&&share| share > 0.0).map(|share| share * share.ln()).sum::<f64>();
        Ok(Histogram { shares, entropy })
    }
}

fn check(what: &str, digits: &[u8]) -> Result<()> {
    if digits.is_empty() {
        return Err(refuse(what, "there are none".into()));
    }
    match digits.iter().position(|&d| usize::from(d) >= DIGITS) {
        Some(at) => Err(refuse(what, format!("number {at} is {}, and digits end at 9", digits[at]))),
        None => Ok(()),
    }
}

/// 0 where there is nothing to divide by.
fn ratio(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_the_digits() {
        let entropy = |read: &[u8]| Histogram::of(read).unwrap().entropy;
        assert!((entropy(&[3, 8, 8, 3]) - 2f64.ln()).abs() < 1e-12);
        assert_eq!(entropy(&[4; 7]).to_bits(), 0.0f64.to_bits());
        assert!((entropy(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) - 10f64.ln()).abs() < 1e-12);
        assert_eq!(Histogram::of(&[1, 1, 1, 7]).unwrap().shares[1], 0.75);
    }
}
