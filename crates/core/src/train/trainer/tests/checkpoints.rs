//! Files that are no checkpoint of such a run are refused, with the reason.

use super::{TINY, save, trainer};
use crate::error::{CheckpointFault, Error};
use crate::train::{MOST_STEPS, check_checkpoint, safetensors};

#[test]
fn a_checkpoint_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut small = trainer(TINY);
    small.run(3).unwrap();
    let file = save(&mut small);
    let mut other = trainer("images=1000&gChannels=3&dChannels=3&batch=5&noise=7");
    let before = save(&mut other);
    let error = other.load(&file).unwrap_err().to_string();
    assert!(error.contains("generator") && error.contains("in the file"), "{error}");
    for broken in [&file[..100], &file[..file.len() - 5], b"not a checkpoint".as_slice(), &[]] {
        assert!(matches!(other.load(broken), Err(Error::Checkpoint { .. })));
        assert!(matches!(crate::train::checkpoint_settings(broken), Err(Error::Checkpoint { .. })));
    }
    assert!(save(&mut other) == before);
    let error = trainer(&format!("{TINY}&optimizer=sgd")).load(&file).unwrap_err().to_string();
    assert!(error.contains("velocity") && error.contains("missing"), "{error}");
}

#[test]
fn a_checkpoint_is_checked_without_a_run_and_its_fault_has_a_name() {
    let mut trainer = trainer(&format!("{TINY}&seed=9&gRate=0.5"));
    trainer.run(2).unwrap();
    let file = save(&mut trainer);
    let found = check_checkpoint(&file).unwrap();
    assert_eq!(found.settings, *trainer.settings());

    // Other settings of the same length in the header leave a whole file.
    let with = |from: &str, to: &str| {
        let at = file.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        [&file[..at], to.as_bytes(), &file[at + to.len()..]].concat()
    };
    let text = br#"{"__metadata__":{"made by":"another"}}"#;
    let foreign = [&(text.len() as u64).to_le_bytes(), text.as_slice()].concat();
    use crate::error::CheckpointFault::{Foreign, Format, Settings, Tensors, Truncated};
    for (broken, expected, said) in [
        (b"not a checkpoint".to_vec(), Format, "safetensors"),
        (Vec::new(), Truncated, "safetensors"),
        (file[..100].to_vec(), Truncated, "safetensors"),
        (file[..file.len() - 5].to_vec(), Truncated, "safetensors"),
        ([file.as_slice(), &[0]].concat(), Truncated, "safetensors"),
        (foreign, Foreign, "no settings of this program"),
        (with("noise=7", "nooze=7"), Settings, "did you mean `noise`"),
        (with("batch=5", "batch=x"), Settings, "`batch=x`"),
        (with("gChannels=2", "gChannels=3"), Tensors, "in the file"),
        (with("discriminator.head", "discriminator.hand"), Tensors, "`discriminator.head"),
    ] {
        let Err(Error::Checkpoint { fault, why }) = check_checkpoint(&broken) else {
            panic!("{said}: not refused");
        };
        assert_eq!(fault, expected, "{why}");
        assert!(why.contains(said), "{why}");
    }
}

/// The file with these words where a tensor begins.
fn with_words(file: &[u8], tensor: &str, words: &[u32]) -> Vec<u8> {
    let bytes: &[u8] = bytemuck::cast_slice(words);
    let place = safetensors::File::read(file).unwrap().tensor(tensor).unwrap().bytes.as_ptr_range();
    let at = place.start as usize - file.as_ptr() as usize;
    [&file[..at], bytes, &file[at + bytes.len()..]].concat()
}

#[test]
fn clocks_that_no_run_has_are_refused_and_change_nothing() {
    let mut run = trainer(&format!("{TINY}&dSteps=2"));
    run.run(3).unwrap();
    let file = save(&mut run);
    let mut other = trainer(&format!("{TINY}&dSteps=2"));
    other.run(1).unwrap();
    let before = save(&mut other);
    let nan = f32::NAN.to_bits();
    // How many batches were drawn, and both networks' updates.
    for clock in [
        [6, 6, 4],
        [6, 3, 3],
        [5, 6, 3],
        [nan, nan, nan],
        [nan.wrapping_mul(2), nan.wrapping_mul(2), nan],
        [u32::MAX; 3],
    ] {
        let bad = with_words(&file, "clock", &clock);
        for result in [check_checkpoint(&bad).map(|_| ()), other.load(&bad)] {
            let Err(Error::Checkpoint { fault, why }) = result else { panic!("{clock:?}: not refused") };
            assert!(fault == CheckpointFault::Values && why.contains("clock"), "{why}");
        }
    }
    assert!(save(&mut other) == before && other.steps() == 1);
}

#[test]
fn a_run_ends_at_its_last_step() {
    let mut run = trainer(TINY);
    let last = with_words(&save(&mut run), "clock", &[MOST_STEPS - 1; 3]);
    run.load(&last).unwrap();
    for more in [2, u32::MAX] {
        let error = run.run(more).unwrap_err().to_string();
        assert_eq!(error, format!("999999999 steps are made, and no run has {more} more: it ends at 1000000000"));
    }
    run.run(1).unwrap();
    assert!(run.run(1).is_err() && run.steps() == MOST_STEPS);
}

/// To open one would end a run for nothing; but the doctor and `compare` ask what a broken one does.
#[test]
fn a_broken_run_is_not_opened_but_can_be_loaded() {
    let mut run = trainer(TINY);
    let file = save(&mut run);
    let tensors = safetensors::File::read(&file).unwrap().tensors;
    let name = |start: &str| tensors.iter().find(|t| t.name.starts_with(start)).unwrap().name.clone();
    for (start, value) in [("discriminator.", f32::NAN), ("generator.", f32::INFINITY)] {
        let name = name(start);
        let broken = with_words(&file, &name, &[value.to_bits()]);
        let Err(Error::Checkpoint { fault, why }) = check_checkpoint(&broken) else { panic!("{name}: not refused") };
        assert!(fault == CheckpointFault::Values && why.contains(&name), "{why}");
        run.load(&broken).unwrap();
    }
}
