//! The collapse doctor: says in plain words when training breaks, why, and what may help. It computes nothing on a device: it
//! is told [`symptoms`], and judges them by its [`rules`].
//!
//! ```text
//! Trainer::vitals, a reader of samples ─▶ Symptoms ─▶ Doctor::observe ─▶ alarms ─▶ cures, and the ring to go back
//! ```

pub mod breakage;
mod course;
pub mod cures;
pub mod keeper;
pub mod ring;
pub mod rules;
pub mod symptoms;
pub mod words;

use crate::error::Result;
use crate::train::settings::Settings;
use course::Course;
use cures::Offer;
use rules::{RULES, Rule};
use symptoms::Symptoms;

/// What a rule has found.
#[derive(Clone, Copy, Debug)]
pub struct Alarm {
    /// The rule.
    pub rule: &'static Rule,
    /// The step at which it was first bad.
    pub since: u32,
    /// The step at which the rule spoke.
    pub spoke: u32,
    /// What it measures now.
    pub value: f32,
}

/// A rule's bad readings in a row.
#[derive(Clone, Copy, Debug)]
struct Streak {
    alarm: Alarm,
    readings: u32,
    spoken: bool,
    /// Good readings since the last bad one.
    good: u32,
}

/// Good readings in a row that end an alarm.
const RECOVERED: u32 = 2;

/// See the module's head.
#[derive(Debug)]
pub struct Doctor {
    course: Course,
    streaks: Vec<Option<Streak>>,
}

impl Doctor {
    /// For a run with these settings.
    pub fn new(settings: Settings) -> Self {
        Doctor { course: Course::new(settings), streaks: vec![None; RULES.len()] }
    }

    /// Takes over settings that have changed in a running run.
    pub fn tune(&mut self, settings: Settings) {
        self.course.settings = settings;
    }

    /// Forgets what was told, but for the settings: the run went back to this step, or starts there.
    pub fn forget(&mut self, step: u32) {
        self.course.back_to(step);
        self.streaks.fill(None);
    }

    /// Whether the samples have been digits before this step.
    pub fn was_legible_by(&self, step: u32) -> bool {
        self.course.was_legible_by(step)
    }

    /// Is told how the run is, and returns the alarms that are new with it. Symptoms come in the order of their steps; to a rule
    /// only those count that bring what it measures.
    pub fn observe(&mut self, symptoms: Symptoms) -> Vec<Alarm> {
        let step = symptoms.step;
        self.course.add(symptoms);
        let mut new = Vec::new();
        for (rule, streak) in RULES.iter().zip(&mut self.streaks) {
            // What nobody looked at is neither good nor bad.
            if !self.course.now().is_some_and(rule.needs) {
                continue;
            }
            let (value, bad) = rule.check(&self.course).unwrap_or((0.0, false));
            if bad && step >= rule.from {
                let start = Alarm { rule, since: step, spoke: step, value };
                let current = streak.get_or_insert(Streak { alarm: start, readings: 0, spoken: false, good: 0 });
                current.readings += 1;
                (current.alarm.value, current.good) = (value, 0);
                let lasted = step - current.alarm.since >= rule.lasting && current.readings >= rule.readings;
                if lasted && !current.spoken {
                    (current.spoken, current.alarm.spoke) = (true, step);
                    new.push(current.alarm);
                }
            } else if let Some(current) = streak {
                current.good += 1;
                if !current.spoken || current.good >= RECOVERED {
                    *streak = None;
                }
            }
        }
        new
    }

    /// The alarms that are on, the gravest first.
    pub fn alarms(&self) -> Vec<Alarm> {
        self.streaks.iter().flatten().filter(|s| s.spoken).map(|s| s.alarm).collect()
    }

    /// Whether no rule suspects anything: not even what it hasn't spoken of yet.
    pub fn is_healthy(&self) -> bool {
        self.streaks.iter().all(Option::is_none)
    }

    /// The cures of a rule that fit the settings in force, the likeliest first.
    ///
    /// # Errors
    /// As [`Cure::offer`](cures::Cure::offer).
    pub fn offers(&self, rule: &Rule) -> Result<Vec<Offer>> {
        let offers: Result<Vec<_>> = rule.cures.iter().map(|cure| cure.offer(&self.course.settings)).collect();
        Ok(offers?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests;
