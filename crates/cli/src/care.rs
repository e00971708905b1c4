//! `train --doctor`: a run under the core's keeper, whose findings are told in plain words.

use crate::data::DataSet;
use crate::examine::Examiner;
use crate::failure::Result;
use crate::progress::note;
use crate::table::digits;
use digit_forge_core::doctor::Alarm;
use digit_forge_core::doctor::keeper::{Keeper, MOST_BYTES, Rescue};
use digit_forge_core::engine::block_on;
use digit_forge_core::train::{Metrics, Trainer};

/// Steps between two examinations: half a second of `quick`, of which one takes a fifth.
const EVERY: u32 = 250;

pub struct Care<'a> {
    keeper: Keeper,
    examiner: Examiner<'a>,
}

/// What becomes of a run after an examination.
pub enum Course {
    On,
    /// It went back to this step and goes on.
    Back(u32),
    /// It went back to this step, and going on would break it again.
    Rest(u32),
}

impl<'a> Care<'a> {
    pub fn new(trainer: &mut Trainer, training: &'a DataSet, test: Option<&'a DataSet>) -> Result<Self> {
        let keeper = block_on(Keeper::new(trainer, MOST_BYTES))?;
        let examiner = Examiner::new(training, test)?;
        Ok(Care { keeper, examiner })
    }

    /// The step after which the run is to be examined next, unless it ends before.
    pub fn next(&self, trainer: &Trainer) -> u32 {
        trainer.steps().saturating_add(EVERY)
    }

    /// Examines the run. `metrics` are what it has left in the log since the last time.
    pub fn examine(&mut self, trainer: &mut Trainer, metrics: &[Metrics]) -> Result<Course> {
        let symptoms = self.examiner.examine(trainer, metrics)?;
        let observed = block_on(self.keeper.observe(trainer, symptoms))?;
        let changed = observed.rescue.as_ref().is_some_and(|rescue| rescue.changed.is_some());
        for alarm in &observed.alarms {
            Self::tell(alarm);
            // What has been done already isn't advised.
            if !changed {
                self.advise(alarm)?;
            }
        }
        let Some(rescue) = observed.rescue else { return Ok(Course::On) };
        tell_rescue(&rescue);
        Ok(if rescue.changed.is_some() { Course::Back(rescue.to) } else { Course::Rest(rescue.to) })
    }

    fn tell(alarm: &Alarm) {
        let rule = alarm.rule;
        let (since, value) = (alarm.since, digits(alarm.value.into()));
        note(&format!("Step {}: {}. {}", alarm.spoke, rule.label, rule.reason));
        note(&format!(
            "  {}: {value} since step {since}; {} is the limit.",
            rule.measure,
            digits(rule.threshold.into())
        ));
    }

    fn advise(&self, alarm: &Alarm) -> Result<()> {
        for offer in self.keeper.doctor().offers(alarm.rule)? {
            let how = if offer.live { "--resume with --set" } else { "a new run with --set" };
            note(&format!("  {} {how} {}", offer.cure.words, offer.text().replace('&', " ")));
        }
        Ok(())
    }
}

fn tell_rescue(rescue: &Rescue) {
    match &rescue.breakage {
        Some(b) => {
            note(&format!("  It broke in step {}: layer {} of the {} ({}).", b.step, b.layer, b.network, b.tensor))
        }
        None => note("  Run again from there, it didn't break: something was changed in between."),
    }
    let to = rescue.to;
    match &rescue.changed {
        Some(offer) => note(&format!("  Back to step {to}, and on from there with {}.", offer.text())),
        None => note(&format!(
            "  Back to step {to} again. A run is deterministic: going on would break it again, so it rests there."
        )),
    }
}
