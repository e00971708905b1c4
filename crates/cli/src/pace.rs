//! How many steps are asked for at a time: enough that asking costs nothing, few enough that progress is true and no
//! driver takes a submit for a hang.

use crate::failure::Result;
use digit_forge_core::engine::block_on;
use digit_forge_core::judge::Teacher;
use digit_forge_core::train::Trainer;
use std::time::{Duration, Instant};

/// What a turn should take.
const TURN: Duration = Duration::from_millis(35);
/// However fast the steps are. Far below what the trainer's log remembers.
const MOST: u32 = 512;

/// What makes steps.
pub trait Steps {
    /// Made so far.
    fn steps(&self) -> u32;
    /// Makes so many more, and returns when they are made.
    fn make(&mut self, steps: u32) -> Result<()>;
}

impl Steps for Trainer {
    fn steps(&self) -> u32 {
        self.steps()
    }

    fn make(&mut self, steps: u32) -> Result<()> {
        self.run(steps)?;
        Ok(block_on(self.settle())?)
    }
}

impl Steps for Teacher {
    fn steps(&self) -> u32 {
        self.steps()
    }

    fn make(&mut self, steps: u32) -> Result<()> {
        self.run(steps)?;
        Ok(block_on(self.settle())?)
    }
}

pub struct Pace {
    steps: u32,
}

impl Pace {
    pub fn new() -> Self {
        Pace { steps: 1 }
    }

    /// Makes all steps up to this one, and calls `told` after each turn. How long the steps alone took.
    pub fn run<S: Steps>(
        &mut self,
        of: &mut S,
        upto: u32,
        mut told: impl FnMut(&mut S) -> Result<()>,
    ) -> Result<Duration> {
        let mut all = Duration::ZERO;
        while of.steps() < upto {
            let began = Instant::now();
            of.make(self.steps.min(upto - of.steps()))?;
            let took = began.elapsed();
            self.learn(took);
            all += took;
            told(of)?;
        }
        Ok(all)
    }

    /// Learns from a turn. One slow turn (the first, or a busy machine) at most halves the next.
    fn learn(&mut self, took: Duration) {
        let factor = (TURN.as_secs_f64() / took.as_secs_f64().max(1e-6)).clamp(0.5, 2.0);
        self.steps = ((f64::from(self.steps) * factor).round() as u32).clamp(1, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_grow_to_their_time_and_stay_there() {
        for step in [Duration::from_micros(200), Duration::from_millis(3), Duration::from_millis(400)] {
            let mut pace = Pace::new();
            for _ in 0..20 {
                pace.learn(step * pace.steps);
            }
            let turn = step * pace.steps;
            assert!(pace.steps == 1 || (20..=50).contains(&turn.as_millis()), "{step:?}: {turn:?}");
        }
    }

    /// The steps of each turn.
    impl Steps for Vec<u32> {
        fn steps(&self) -> u32 {
            self.iter().sum()
        }

        fn make(&mut self, steps: u32) -> Result<()> {
            self.push(steps);
            Ok(())
        }
    }

    #[test]
    fn all_steps_are_made_turn_by_turn_and_none_beyond() {
        let (mut pace, mut turns, mut told) = (Pace::new(), Vec::new(), 0);
        for upto in [1000, 3000] {
            pace.run(&mut turns, upto, |turns| {
                told += 1;
                assert_eq!(turns.len(), told);
                Ok(())
            })
            .unwrap();
            assert_eq!(turns.steps(), upto);
        }
        // It goes on as fast as it was.
        assert!(turns.starts_with(&[1, 2, 4, 8]) && turns.ends_with(&[MOST, MOST, MOST, 464]), "{turns:?}");
        assert!(turns.iter().all(|&turn| turn <= MOST));
    }

    #[test]
    fn a_turn_never_exceeds_what_the_log_remembers() {
        let mut pace = Pace::new();
        for _ in 0..40 {
            pace.learn(Duration::ZERO);
        }
        assert_eq!(pace.steps, MOST);
        assert!(MOST as usize <= digit_forge_core::models::gan::LOG_ROWS / 2);
    }
}
