//! A run under care: the doctor, the ring, and going back.
//!
//! A run is deterministic, so one that goes back and changes nothing breaks again at the same step. So going back comes with
//! a change: what is no number any more goes back by itself, once, and goes on at a tenth of the rates; when it happens again,
//! it goes back, rests, and whoever trains must choose. Everything else only alarms, since it is worth looking at.

use super::breakage::{Breakage, locate};
use super::cures::{self, Offer};
use super::ring::{Ring, Snapshot};
use super::symptoms::Symptoms;
use super::{Alarm, Doctor};
use crate::error::Result;
use crate::train::{Trainer, not_finite};

/// Bytes of checkpoints that a keeper holds: those of `quick` fifty times.
pub const MOST_BYTES: usize = 64 << 20;

/// See the module's head.
#[derive(Debug)]
pub struct Keeper {
    doctor: Doctor,
    ring: Ring,
    went_back: bool,
}

/// What came of an observation.
#[derive(Debug, Default)]
pub struct Observed {
    /// Alarms that are new.
    pub alarms: Vec<Alarm>,
    /// That the run went back by itself.
    pub rescue: Option<Rescue>,
}

/// How a run that had become no numbers went back.
#[derive(Debug)]
pub struct Rescue {
    /// Where it had broken, if it does so again.
    pub breakage: Option<Breakage>,
    /// The step that it goes on from: that of the checkpoint.
    pub to: u32,
    /// What was changed. Without it, the run must not go on as it is: it would break again.
    pub changed: Option<Offer>,
}

impl Keeper {
    /// For a trainer, which is taken to be well as it is. `most` bounds the bytes of checkpoints.
    ///
    /// # Errors
    /// What saving reports.
    pub async fn new(trainer: &mut Trainer, most: usize) -> Result<Self> {
        let doctor = Doctor::new(trainer.settings().clone());
        let mut keeper = Keeper { doctor, ring: Ring::new(most), went_back: false };
        keeper.doctor.forget(trainer.steps());
        keeper.keep(trainer).await?;
        Ok(keeper)
    }

    /// The doctor.
    pub fn doctor(&self) -> &Doctor {
        &self.doctor
    }

    /// The checkpoints.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Follows settings that were changed live.
    pub fn tune(&mut self, trainer: &Trainer) {
        self.doctor.tune(trainer.settings().clone());
    }

    async fn keep(&mut self, trainer: &mut Trainer) -> Result<()> {
        let (step, checkpoint) = (trainer.steps(), trainer.save()?.await?);
        // The last update can have broken what no loss shows yet.
        if not_finite(&checkpoint)?.is_none() {
            self.ring.keep(Snapshot { step, checkpoint });
        }
        Ok(())
    }

    /// Tells the doctor the symptoms of the trainer as it is, keeps a checkpoint where all is well, and goes back where
    /// nothing is a number any more.
    ///
    /// # Errors
    /// What the trainer reports.
    pub async fn observe(&mut self, trainer: &mut Trainer, symptoms: Symptoms) -> Result<Observed> {
        let (step, broke) = (symptoms.step, symptoms.broke);
        let alarms = self.doctor.observe(symptoms);
        let broken = alarms.iter().any(|alarm| alarm.rule.id == "not-finite");
        let rescue = match self.ring.before(broke.unwrap_or(step)).cloned() {
            Some(good) if broken => Some(self.rescue(trainer, &good, step).await?),
            _ => {
                if self.doctor.is_healthy() {
                    self.keep(trainer).await?;
                }
                None
            }
        };
        Ok(Observed { alarms, rescue })
    }

    async fn rescue(&mut self, trainer: &mut Trainer, good: &Snapshot, broke: u32) -> Result<Rescue> {
        // Of a run that several make together, one makes the steps again.
        let mut alone = trainer.alone()?;
        let breakage = locate(alone.as_mut().unwrap_or(trainer), good, broke).await?;
        drop(alone);
        self.go_back(trainer, good)?;
        let changed = if self.went_back { None } else { cures::TENTH.offer(trainer.settings())? };
        if let Some(offer) = &changed {
            trainer.tune(offer.settings.clone())?;
            self.tune(trainer);
        }
        self.went_back = true;
        Ok(Rescue { breakage, to: good.step, changed })
    }

    fn go_back(&mut self, trainer: &mut Trainer, good: &Snapshot) -> Result<()> {
        trainer.load(&good.checkpoint)?;
        self.ring.leave(good.step + 1);
        self.doctor.forget(good.step);
        Ok(())
    }

    /// What to go back to from an alarm: the newest checkpoint that the doctor found healthy before it began. A run that had
    /// never drawn digits by then has nothing worth keeping, and may have been broken long before a rule could say so: of such a
    /// one it is the oldest.
    pub fn before(&self, alarm: &Alarm) -> Option<&Snapshot> {
        let newest = self.ring.before(alarm.since)?;
        let worth = self.doctor.was_legible_by(alarm.since);
        if worth { Some(newest) } else { self.ring.snapshots().first() }
    }

    /// Undo to before it broke: goes back to [`Keeper::before`] an alarm, and applies a live change, without which the run would
    /// break again. Returns the step, or none where there is none so old.
    ///
    /// # Errors
    /// What the trainer reports, and [`crate::Error::BadSetting`] where the change isn't live: that needs a new run from
    /// [`Offer::new_run`].
    pub fn undo(&mut self, trainer: &mut Trainer, alarm: &Alarm, change: Option<&Offer>) -> Result<Option<u32>> {
        let Some(good) = self.before(alarm).cloned() else { return Ok(None) };
        if let Some(offer) = change {
            trainer.tune(offer.settings.clone())?;
        }
        self.go_back(trainer, &good)?;
        self.tune(trainer);
        Ok(Some(good.step))
    }
}

#[cfg(test)]
mod tests {
    use super::super::symptoms::Samples;
    use super::*;
    use crate::engine::block_on;
    use crate::train::tests::{TINY, trainer};

    /// SGD at these rates leaves all bounds within a few steps.
    const EXPLODING: &str = "loss=leastsquares&optimizer=sgd&gRate=1&dRate=1";

    fn symptoms(trainer: &mut Trainer) -> Symptoms {
        let metrics = block_on(trainer.metrics()).unwrap();
        let broke = metrics.iter().find(|m| !(m.d_loss.is_finite() && m.g_loss.is_finite())).map(|m| m.step);
        Symptoms { step: trainer.steps(), broke, ..Symptoms::default() }
    }

    fn observed(keeper: &mut Keeper, trainer: &mut Trainer, steps: u32) -> Observed {
        trainer.run(steps).unwrap();
        let samples = Some(Samples { agreement: Some(0.8), shares: [0.1; 10], ..Samples::default() });
        let symptoms = Symptoms { samples, ..symptoms(trainer) };
        block_on(keeper.observe(trainer, symptoms)).unwrap()
    }

    #[test]
    fn what_is_no_number_goes_back_once_by_itself_and_then_rests() {
        let mut trainer = trainer(&format!("{TINY}&{EXPLODING}"));
        let mut keeper = block_on(Keeper::new(&mut trainer, MOST_BYTES)).unwrap();
        let rescue = observed(&mut keeper, &mut trainer, 60).rescue.unwrap();
        let breakage = rescue.breakage.unwrap();
        assert_eq!((rescue.to, trainer.steps()), (0, 0));
        assert_eq!(rescue.changed.map(|offer| offer.text()), Some("gRate=0.1&dRate=0.1".into()));
        assert_eq!((trainer.settings().g_rate, trainer.settings().d_rate), (0.1, 0.1));

        // What it names is where it breaks, and not a step earlier.
        let mut again = super::super::breakage::tests::trainer_of(EXPLODING);
        again.run(breakage.step - 1).unwrap();
        assert_eq!(not_finite(&block_on(again.save().unwrap()).unwrap()).unwrap(), None);
        again.run(1).unwrap();
        let broken = not_finite(&block_on(again.save().unwrap()).unwrap()).unwrap();
        assert_eq!(broken.as_ref(), Some(&breakage.tensor));
        assert!(breakage.tensor.starts_with(&format!("{}.{}", breakage.network, breakage.layer)));

        // As bad as before: the second time nothing is changed, and it is left to whoever trains.
        let mut settings = trainer.settings().clone();
        (settings.g_rate, settings.d_rate) = (1.0, 1.0);
        trainer.tune(settings).unwrap();
        let rescue = observed(&mut keeper, &mut trainer, 60).rescue.unwrap();
        assert!(rescue.changed.is_none() && trainer.steps() == 0);
    }

    #[test]
    fn undo_goes_on_from_before_the_alarm_with_the_change() {
        let mut trainer = trainer(TINY);
        let mut keeper = block_on(Keeper::new(&mut trainer, MOST_BYTES)).unwrap();
        observed(&mut keeper, &mut trainer, 10);
        observed(&mut keeper, &mut trainer, 10);
        assert_eq!(keeper.ring().snapshots().iter().map(|s| s.step).collect::<Vec<_>>(), [0, 10, 20]);
        let then = keeper.ring().snapshots()[1].checkpoint.clone();
        let rule = super::super::rules::rule("alike").unwrap();
        let alarm = Alarm { rule, since: 20, spoke: 20, value: 0.1 };
        let offer = cures::TENTH.offer(trainer.settings()).unwrap().unwrap();
        assert_eq!(keeper.undo(&mut trainer, &alarm, None).unwrap(), Some(10));
        assert!(block_on(trainer.save().unwrap()).unwrap() == then);
        assert_eq!(keeper.undo(&mut trainer, &alarm, Some(&offer)).unwrap(), Some(10));
        assert_eq!(*trainer.settings(), offer.settings);
        // What isn't live needs a new run; nothing changes then.
        let other = cures::RELATIVISTIC.offer(trainer.settings()).unwrap().unwrap();
        trainer.run(3).unwrap();
        assert!(keeper.undo(&mut trainer, &alarm, Some(&other)).is_err() && trainer.steps() == 13);
        let early = Alarm { since: 0, ..alarm };
        assert_eq!(keeper.undo(&mut trainer, &early, None).unwrap(), None);
    }

    #[test]
    fn a_run_that_never_drew_digits_goes_back_to_where_it_began() {
        for (agreement, back) in [(0.1, 0), (0.8, 20)] {
            let mut trainer = trainer(TINY);
            let mut keeper = block_on(Keeper::new(&mut trainer, MOST_BYTES)).unwrap();
            for _ in 0..2 {
                trainer.run(10).unwrap();
                let samples = Samples { agreement: Some(agreement), ..Samples::default() };
                let symptoms = Symptoms { samples: Some(samples), ..symptoms(&mut trainer) };
                block_on(keeper.observe(&mut trainer, symptoms)).unwrap();
            }
            let rule = super::super::rules::rule("saturated").unwrap();
            let alarm = Alarm { rule, since: 30, spoke: 30, value: 1.0 };
            assert_eq!(keeper.undo(&mut trainer, &alarm, None).unwrap(), Some(back));
            assert_eq!(keeper.doctor().was_legible_by(30), back == 20);
        }
    }
}
