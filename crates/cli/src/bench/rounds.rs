//! Rounds long enough to be timed, of works that take turns, and medians of them with intervals.
//!
//! Works take turns forwards and then backwards (A B B A), so that a machine that grows slower or faster meanwhile
//! treats them alike; what is compared are rounds of the same block.

use std::time::{Duration, Instant};

/// A round shorter than this isn't timed well.
pub const ROUND: Duration = Duration::from_millis(50);
/// More blocks than this tell nothing new.
const MOST_BLOCKS: usize = 200;

/// Does something so many times, and has finished when it returns.
pub type Work<'a, E> = Box<dyn FnMut(u32) -> Result<(), E> + 'a>;

/// A work, and how often a round repeats it.
pub struct Turn<'a, E> {
    work: Work<'a, E>,
    times: u32,
    seconds: f64,
}

impl<'a, E> Turn<'a, E> {
    /// Runs the work until it is warm and a round of it takes at least `round`.
    ///
    /// # Errors
    /// The work's own.
    pub fn new(mut work: Work<'a, E>, round: Duration) -> Result<Self, E> {
        // The first time pays for what is made once.
        work(1)?;
        let mut times = 1;
        loop {
            let took = timed(&mut work, times)?;
            if took >= round || times == 1 << 30 {
                return Ok(Turn { work, times, seconds: took.as_secs_f64() / f64::from(times) });
            }
            // Towards a tenth more than is needed, and at most eightfold, as a short time says little.
            let factor = 1.1 * round.as_secs_f64() / took.as_secs_f64().max(1e-9);
            times = (f64::from(times) * factor.clamp(1.1, 8.0)).ceil().min(f64::from(1 << 30)) as u32;
        }
    }

    /// Seconds of one repetition, roughly: measured once, when it was made.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Seconds of one repetition, from one round.
    fn round(&mut self) -> Result<f64, E> {
        Ok(timed(&mut self.work, self.times)?.as_secs_f64() / f64::from(self.times))
    }
}

fn timed<E>(work: &mut Work<'_, E>, times: u32) -> Result<Duration, E> {
    let began = Instant::now();
    work(times)?;
    Ok(began.elapsed())
}

/// Lets the works take turns, in blocks of forwards and backwards, until `budget` is spent; at least `least` blocks.
/// For each work: the seconds of one repetition in each round, two rounds a block.
///
/// # Errors
/// The works' own.
pub fn take_turns<E>(turns: &mut [Turn<'_, E>], budget: Duration, least: usize) -> Result<Vec<Vec<f64>>, E> {
    let began = Instant::now();
    let mut samples = vec![Vec::new(); turns.len()];
    for block in 1..=MOST_BLOCKS.max(least) {
        let order = (0..turns.len()).chain((0..turns.len()).rev());
        for i in order {
            samples[i].push(turns[i].round()?);
        }
        // Another block has to fit in.
        if block >= least && began.elapsed().mul_f64(1.0 + 1.0 / block as f64) > budget {
            break;
        }
    }
    Ok(samples)
}

/// The median of some measurements, and between which of them it lies with 95 % certainty.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Median {
    /// The median.
    pub median: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
    /// How many were measured.
    pub count: usize,
}

impl Median {
    /// Of these, of which there is at least one. The interval's ends are order statistics (binomial, by its normal
    /// approximation); below six measurements they are the extremes, and claim less than 95 %.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let middle = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
        let cut = (count as f64 / 2.0 - 0.98 * (count as f64).sqrt()).floor().max(0.0) as usize;
        Median { median: middle, low: sorted[cut], high: sorted[count - 1 - cut], count }
    }

    /// Of the ratios `a / b`, block by block; samples as [`take_turns`] gives them.
    pub fn of_ratios(a: &[f64], b: &[f64]) -> Self {
        let sum = |block: &[f64]| block.iter().sum::<f64>();
        let ratios: Vec<f64> = a.chunks(2).zip(b.chunks(2)).map(|(a, b)| sum(a) / sum(b)).collect();
        Self::of(&ratios)
    }

    /// The same with each value turned into another; a falling function exchanges the ends.
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let (low, high) = (f(self.low), f(self.high));
        Median { median: f(self.median), low: low.min(high), high: low.max(high), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::convert::Infallible;
    use std::thread::sleep;

    #[test]
    fn medians_and_their_intervals() {
        let of = |n: u32| Median::of(&(1..=n).rev().map(f64::from).collect::<Vec<_>>());
        assert_eq!(of(1), Median { median: 1.0, low: 1.0, high: 1.0, count: 1 });
        assert_eq!(of(4), Median { median: 2.5, low: 1.0, high: 4.0, count: 4 });
        // The 6th to the 15th of 20: the binomial's own 95 % interval.
        assert_eq!(of(20), Median { median: 10.5, low: 6.0, high: 15.0, count: 20 });
        assert_eq!(of(3).map(|v| 6.0 / v), Median { median: 3.0, low: 2.0, high: 6.0, count: 3 });
    }

    #[test]
    fn ratios_are_of_the_same_block() {
        let ratio = Median::of_ratios(&[2.0, 4.0, 20.0, 40.0, 6.0, 6.0], &[1.0, 2.0, 10.0, 20.0, 1.0, 2.0]);
        assert_eq!(ratio, Median { median: 2.0, low: 2.0, high: 4.0, count: 3 });
    }

    #[test]
    fn turns_go_forwards_and_backwards_in_rounds_that_are_long_enough() {
        let order = RefCell::new(Vec::new());
        let work = |name: char| -> Work<'_, Infallible> {
            let order = &order;
            Box::new(move |times| {
                order.borrow_mut().push(name);
                sleep(Duration::from_micros(300) * times);
                Ok(())
            })
        };
        let round = Duration::from_millis(4);
        let Ok(mut turns) =
            ['a', 'b'].map(|name| Turn::new(work(name), round)).into_iter().collect::<Result<Vec<_>, _>>();
        order.borrow_mut().clear();
        let Ok(samples) = take_turns(&mut turns, Duration::ZERO, 2);
        assert_eq!(order.take(), ['a', 'b', 'b', 'a', 'a', 'b', 'b', 'a']);
        assert!(turns.iter().all(|t| t.times >= 4));
        assert!(samples.iter().flatten().all(|&s| (3e-4..1e-1).contains(&s)), "{samples:?}");
        assert_eq!(samples.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
    }
}
