//! Where a run broke: the first step after which something of a network is no finite number, and which tensor that is. A run
//! is deterministic, so it is simply run again from a checkpoint that was well, by halving. (Steps that several trainers made are made
//! again by one, with another rounding: there step and layer may be others than those that broke.)

use super::ring::Snapshot;
use crate::error::Result;
use crate::train::{Trainer, not_finite};

/// Steps at a time: few enough that no driver takes a submit for a hang.
const TURN: u32 = 32;

/// See the module's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakage {
    /// The step that left it so.
    pub step: u32,
    /// `discriminator` or `generator`. D is updated first, so a broken D comes before a broken G.
    pub network: String,
    /// The layer of it, as in the names of parameters: the first in order that is broken.
    pub layer: String,
    /// The tensor's whole name.
    pub tensor: String,
}

impl Breakage {
    fn of(step: u32, tensor: String) -> Self {
        let mut parts = tensor.split('.').map(str::to_owned);
        let (network, layer) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Breakage { step, network, layer, tensor }
    }
}

/// Runs the trainer from `good` up to step `broke` at most. None if it doesn't break this time, which happens where rates
/// were changed, or images arrived, in between, or several made the steps. The trainer is somewhere between the two afterwards.
///
/// # Errors
/// What loading, running and saving report.
pub async fn locate(trainer: &mut Trainer, good: &Snapshot, broke: u32) -> Result<Option<Breakage>> {
    let mut well = good.clone();
    let mut found = None;
    let mut end = broke;
    while well.step < end {
        // First all of it, then by halves.
        let middle = if found.is_none() { end } else { well.step + (end - well.step) / 2 };
        if middle == well.step {
            break;
        }
        trainer.load(&well.checkpoint)?;
        while trainer.steps() < middle {
            trainer.run(TURN.min(middle - trainer.steps()))?;
            trainer.settle().await?;
        }
        let checkpoint = trainer.save()?.await?;
        match not_finite(&checkpoint)? {
            Some(tensor) => {
                end = middle;
                found = Some(Breakage::of(middle, tensor));
            }
            None if found.is_none() => return Ok(None),
            None => well = Snapshot { step: middle, checkpoint },
        }
    }
    Ok(found)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::engine::block_on;
    use crate::train::tests::{TINY, trainer};

    pub(in crate::doctor) fn trainer_of(text: &str) -> Trainer {
        trainer(&format!("{TINY}&{text}"))
    }

    #[test]
    fn a_run_that_is_well_has_no_breakage() {
        let mut trainer = trainer_of("");
        let good = Snapshot { step: 0, checkpoint: block_on(trainer.save().unwrap()).unwrap() };
        assert_eq!(block_on(locate(&mut trainer, &good, 100)).unwrap(), None);
        // However far, it goes there turn by turn.
        assert_eq!(trainer.turns, [TURN, TURN, TURN, 4]);
    }

    #[test]
    fn a_name_is_taken_apart() {
        let breakage = Breakage::of(7, "generator.2.weight.moment1".into());
        assert_eq!((breakage.network.as_str(), breakage.layer.as_str()), ("generator", "2"));
    }
}
