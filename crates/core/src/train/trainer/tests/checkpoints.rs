//! Files that are no checkpoint of such a run are refused, with the reason.

use super::{TINY, save, trainer};
use crate::error::Error;

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
    let found = crate::train::check_checkpoint(&file).unwrap();
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
        let Err(Error::Checkpoint { fault, why }) = crate::train::check_checkpoint(&broken) else {
            panic!("{said}: not refused");
        };
        assert_eq!(fault, expected, "{why}");
        assert!(why.contains(said), "{why}");
    }
}
