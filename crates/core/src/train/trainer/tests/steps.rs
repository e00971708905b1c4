//! What a step costs, in dispatches, and what it leaves in the log.

use super::choices::{single_constructions, values};
use super::{TINY_MLP, trainer};
use crate::data::MNIST_IMAGES;
use crate::engine::block_on;
use crate::models::gan::{Gan, LOG_ROWS};
use crate::program::ProgramId;
use crate::train::settings::{DNorm, GNorm, Loss, OptimizerKind, resolve};

/// The dispatches of a step, by program.
fn dispatches(text: &str) -> Vec<Vec<&'static str>> {
    let settings = resolve(text).unwrap().settings;
    let gan = Gan::record(&settings, MNIST_IMAGES, true).unwrap();
    let names = |p: &ProgramId| gan.recording.programs[p.0].ops.iter().map(|op| op.name()).collect();
    gan.schedule(settings.d_steps as usize).iter().map(names).collect()
}

#[test]
fn a_step_has_few_dispatches() {
    const MLP: &str = "network=mlp&gWidths=256,512&dWidths=512,256&noise=100&batch=64&condition=none&average=0";
    for (text, most) in [(MLP, 17), ("", 21)] {
        let step = dispatches(text);
        assert_eq!(step.iter().flatten().count(), most, "{text}: {step:#?}");
    }
    // Whatever is chosen, as long as nothing needs gradients of gradients.
    let few = |text: &str| {
        let step = dispatches(text);
        assert!(step.iter().flatten().count() <= 30, "{text}: {step:#?}");
    };
    for loss in values(Loss::CHOICES) {
        for optimizer in values(OptimizerKind::CHOICES) {
            few(&format!("loss={loss}&optimizer={optimizer}&smoothing=0.1"));
        }
        for (g_norm, d_norm) in values(GNorm::CHOICES).flat_map(|g| values(DNorm::CHOICES).map(move |d| (g, d))) {
            few(&format!("loss={loss}&gNorm={g_norm}&dNorm={d_norm}"));
        }
    }
    single_constructions().iter().for_each(|text| few(text));
}

#[test]
fn the_log_remembers_the_newest_steps() {
    let mut trainer = trainer(&format!("{TINY_MLP}&batch=1"));
    trainer.run(LOG_ROWS as u32 + 10).unwrap();
    let metrics = block_on(trainer.metrics()).unwrap();
    assert_eq!(metrics.len(), LOG_ROWS);
    assert_eq!((metrics[0].step, metrics[LOG_ROWS - 1].step), (11, LOG_ROWS as u32 + 10));
    assert!(block_on(trainer.metrics()).unwrap().is_empty());
}
