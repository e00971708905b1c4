//! How many steps are asked for at a time: enough that asking costs nothing, few enough that progress is true and no
//! driver takes a submit for a hang.

use std::time::Duration;

/// What a turn should take.
const TURN: Duration = Duration::from_millis(35);
/// However fast the steps are. Far below what the trainer's log remembers.
const MOST: u32 = 512;

pub struct Pace {
    steps: u32,
}

impl Pace {
    pub fn new() -> Self {
        Pace { steps: 1 }
    }

    /// The next turn's steps.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Learns from a turn. One slow turn (the first, or a busy machine) at most halves the next.
    pub fn learn(&mut self, took: Duration) {
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
                pace.learn(step * pace.steps());
            }
            let turn = step * pace.steps();
            assert!(pace.steps() == 1 || (20..=50).contains(&turn.as_millis()), "{step:?}: {turn:?}");
        }
    }

    #[test]
    fn a_turn_never_exceeds_what_the_log_remembers() {
        let mut pace = Pace::new();
        for _ in 0..40 {
            pace.learn(Duration::ZERO);
        }
        assert_eq!(pace.steps(), MOST);
        assert!(MOST as usize <= digit_forge_core::models::gan::LOG_ROWS / 2);
    }
}
