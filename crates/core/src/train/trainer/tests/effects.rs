//! What a setting does to a run, and what it leaves alone.

use super::{TINY, assert_close, save, trainer};
use crate::engine::block_on;
use crate::train::settings::resolve;

#[test]
fn instance_noise_is_there_and_fades_away() {
    let losses = |noise: &str| {
        let mut trainer = trainer(&format!("{TINY}&{noise}"));
        trainer.run(5).unwrap();
        block_on(trainer.metrics()).unwrap()
    };
    let (without, gone) = (losses(""), losses("instanceNoise=0.5&instanceNoiseSteps=1"));
    assert_close(&without, &gone, 1e-6, "noise that is gone");
    let there = losses("instanceNoise=0.5&instanceNoiseSteps=1000");
    assert!((there[0].d_loss - without[0].d_loss).abs() > 1e-3, "{there:?} {without:?}");
}

#[test]
fn clipping_holds_the_discriminators_weights_and_no_others() {
    let mut trainer = trainer(&format!("{TINY}&clip=0.05"));
    trainer.run(5).unwrap();
    let file = save(&mut trainer);
    let largest = |network: &str| {
        let tensors = safetensors::SafeTensors::deserialize(&file).unwrap();
        let weights = tensors
            .tensors()
            .into_iter()
            .filter(|(name, _)| name.starts_with(network) && (name.ends_with(".weight") || name.ends_with(".bias")));
        let values = weights.flat_map(|(_, t)| bytemuck::pod_collect_to_vec::<u8, f32>(t.data()));
        values.fold(0.0, |most: f32, v| most.max(v.abs()))
    };
    assert_eq!(largest("discriminator"), 0.05);
    assert!(largest("generator") > 0.05);
}

#[test]
fn only_live_settings_can_be_tuned() {
    let mut trainer = trainer(TINY);
    let with = |text: &str| resolve(&format!("{TINY}&{text}")).unwrap().settings;
    let error = trainer.tune(with("batch=6")).unwrap_err().to_string();
    assert!(error.contains("`batch=6`") && error.contains("new run"), "{error}");
    trainer.run(2).unwrap();
    let before = block_on(trainer.images().unwrap()).unwrap();
    trainer.tune(with("gRate=0.000001&dRate=0.000001")).unwrap();
    trainer.run(1).unwrap();
    let after = block_on(trainer.images().unwrap()).unwrap();
    let moved = before.iter().zip(&after).map(|(a, b)| a.abs_diff(*b)).max();
    trainer.tune(with("gRate=0.05")).unwrap();
    trainer.run(1).unwrap();
    let far = block_on(trainer.images().unwrap()).unwrap();
    let moved_far = after.iter().zip(&far).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(moved_far > moved, "{moved_far:?} {moved:?}");
}
