//! Every choice trains: with every other that it must get on with, on both engines, fused as it was recorded.

use super::{TINY, TINY_MLP, assert_close, assert_trains, gpu_trainer, plain_metrics, trainer};
use crate::engine::{block_on, gpu};
use crate::models::gan::Gan;
use crate::ops::Adapter;
use crate::train::settings::{
    ActivationKind, Condition, DNorm, DOptimizer, GNorm, Loss, OptimizerKind, Size, Upsampling, resolve,
};
use crate::train::values::Choice;

/// D's penalties and constraints, as settings.
const PENALTIES: [&str; 7] =
    ["", "r1=1", "r2=1", "r1=1&r2=1", "gradientPenalty=10", "clip=0.05", "instanceNoise=0.5&instanceNoiseSteps=20"];

pub(super) fn values(choices: &'static [Choice]) -> impl Iterator<Item = &'static str> {
    choices.iter().map(|c| c.value)
}

/// What the networks can be made of, beside the plain ones: each choice by itself.
pub(super) fn single_constructions() -> Vec<String> {
    let each = |key: &'static str, choices| values(choices).map(move |value| format!("{key}={value}"));
    let mut all: Vec<String> = each("gNorm", GNorm::CHOICES)
        .chain(each("dNorm", DNorm::CHOICES))
        .chain(each("condition", Condition::CHOICES))
        .chain(each("gActivation", ActivationKind::CHOICES))
        .chain(each("dActivation", ActivationKind::CHOICES))
        .chain(each("upsampling", Upsampling::CHOICES))
        .chain(each("size", Size::CHOICES))
        .chain(each("dOptimizer", DOptimizer::CHOICES))
        .collect();
    let others = [
        "gDepth=3",
        "dDepth=2",
        "dropout=0.3",
        "minibatchDeviation=on",
        "pack=2",
        "translate=3",
        "replay=20",
        "clip=0.1",
        "clipNorm=1",
        "instanceNoise=0.1",
        "schedule=cosine&warmup=5",
    ];
    all.extend(others.map(str::to_owned));
    all
}

/// The same, then many together.
pub(crate) fn constructions() -> Vec<String> {
    let mut all = single_constructions();
    all.push(
        "gNorm=batch&dNorm=batch&pack=2&condition=map&dropout=0.2&minibatchDeviation=on&translate=2&replay=9".into(),
    );
    all.push(
        "size=56&gNorm=layer&dNorm=spectral&pack=2&condition=embedding&upsampling=nearest&gDepth=2&dDepth=2".into(),
    );
    all
}

/// Every loss with every penalty and optimiser.
pub(super) fn combinations() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    values(Loss::CHOICES).flat_map(move |loss| {
        PENALTIES
            .into_iter()
            .flat_map(move |penalty| values(OptimizerKind::CHOICES).map(move |optimizer| (loss, penalty, optimizer)))
    })
}

#[test]
fn every_condition_trains_and_stays_finite() {
    for network in [TINY, TINY_MLP] {
        for condition in ["projection", "concat", "none"] {
            let text = format!(
                "{network}&condition={condition}&dSteps=2&clipNorm=0.5&schedule=cosine&scheduleSteps=30&warmup=3"
            );
            assert_trains(&mut trainer(&text), 20, &text);
        }
    }
}

#[test]
fn every_loss_trains_with_every_penalty_optimiser_and_norm() {
    for (i, (loss, penalty, optimizer)) in combinations().enumerate() {
        for (j, d_norm) in values(DNorm::CHOICES).enumerate() {
            // What isn't said to be with every other takes turns.
            let network = if (i + j) % 2 == 0 { TINY } else { TINY_MLP };
            let condition = Condition::CHOICES[i % Condition::CHOICES.len()].value;
            let g_norm = GNorm::CHOICES[(i / 2 + j) % GNorm::CHOICES.len()].value;
            let text = format!(
                "{network}&condition={condition}&loss={loss}&{penalty}&optimizer={optimizer}&momentum=0.5&smoothing=0.1\
                 &gNorm={g_norm}&dNorm={d_norm}"
            );
            assert_trains(&mut trainer(&text), 50, &text);
        }
    }
}

#[test]
fn every_construction_trains_and_fused_is_plain() {
    for (i, text) in constructions().iter().enumerate() {
        let text = format!("{}&batch=6&{text}", network(text, i % 3 == 2));
        let plain = plain_metrics(&text, 10);
        let fused = assert_trains(&mut trainer(&text), 10, &text);
        assert_close(&plain, &fused, 1e-4, &text);
    }
}

#[test]
fn every_construction_trains_on_the_gpu_as_on_the_cpu() {
    let Some(context) = gpu::test_context() else { return };
    for (i, text) in constructions().iter().enumerate() {
        assert_gpu_is_cpu(&context, &format!("{}&batch=6&{text}", network(text, i % 4 == 3)));
    }
}

/// Wide enough for chains, forwards and back, and for gradients of gradients through them.
#[test]
fn deep_networks_train_on_the_gpu_as_on_the_cpu() {
    let Some(context) = gpu::test_context() else { return };
    let all = [
        (Adapter::Hardware, "gNorm=layer&dNorm=layer&upsampling=nearest"),
        (Adapter::Software, "dNorm=layer&r1=1"),
        (Adapter::Hardware, "loss=wasserstein&gradientPenalty=10"),
        // Smooth ones: a value that rounds to the other side of a kink is soon seen behind norms of six images.
        (Adapter::Hardware, "gNorm=batch&dNorm=batch&upsampling=nearest&gActivation=tanh&dActivation=tanh"),
        (Adapter::Software, "gNorm=batch&dNorm=batch&r1=1&gActivation=tanh&dActivation=tanh"),
    ];
    for (kind, text) in all {
        let text = format!("images=1000&batch=6&noise=7&gChannels=4&dChannels=8&gDepth=2&dDepth=2&{text}");
        let recording = Gan::record(&resolve(&text).unwrap().settings, 1000, true).unwrap().recording;
        let chains = recording.programs.iter().flat_map(|p| &p.ops).filter(|op| op.name() == "chain").count();
        assert!(chains >= 4, "{text}: {chains} chains");
        assert_gpu_is_cpu(&context.clone().assume(kind), &text);
    }
}

/// A tiny network that the text's settings have a meaning for, dense if it may be.
pub(super) fn network(text: &str, dense: bool) -> &'static str {
    let of_convolutions = ["Depth", "size", "upsampling"].iter().any(|key| text.contains(key));
    if dense && !of_convolutions { TINY_MLP } else { TINY }
}

/// Holds a few steps on the GPU against the CPU's, and the images after them.
fn assert_gpu_is_cpu(context: &gpu::GpuContext, text: &str) {
    let mut on_gpu = gpu_trainer(context, text);
    let mut on_cpu = trainer(text);
    let metrics = [&mut on_cpu, &mut on_gpu].map(|trainer| assert_trains(trainer, 8, text));
    assert_close(&metrics[0], &metrics[1], 1e-3, text);
    let (a, b) = (block_on(on_cpu.images().unwrap()).unwrap(), block_on(on_gpu.images().unwrap()).unwrap());
    let apart = a.iter().zip(&b).filter(|(a, b)| a.abs_diff(**b) > 4).count();
    assert!(apart * 100 <= a.len(), "{text}: {apart} of {} pixels differ", a.len());
}

#[test]
fn every_loss_and_penalty_trains_on_the_gpu_as_on_the_cpu() {
    let Some(context) = gpu::test_context() else { return };
    for (i, (loss, penalty, optimizer)) in combinations().enumerate() {
        // Compiling for a GPU in software takes a second for each, so networks and optimisers take turns.
        if i % 2 == i / 2 % 2 {
            continue;
        }
        let network = if i % 3 == 0 { TINY_MLP } else { TINY };
        let longest = if i % 4 == 0 { 0.5 } else { 0.0 };
        let (g_norm, d_norm) =
            (GNorm::CHOICES[i % GNorm::CHOICES.len()].value, DNorm::CHOICES[i / 2 % DNorm::CHOICES.len()].value);
        let text = format!(
            "{network}&loss={loss}&{penalty}&optimizer={optimizer}&momentum=0.5&clipNorm={longest}&gNorm={g_norm}&dNorm={d_norm}"
        );
        let mut on_cpu = trainer(&text);
        let mut on_gpu = gpu_trainer(&context, &text);
        // RMSprop's first steps are thirty times its later ones, which amplifies what rounding leaves: after one, G's loss
        // already is that of an updated D.
        let steps = if optimizer == "rmsprop" { 1 } else { 3 };
        on_cpu.run(steps).unwrap();
        let metrics = assert_trains(&mut on_gpu, 50, &text);
        let mut both = [block_on(on_cpu.metrics()).unwrap(), metrics[..steps as usize].to_vec()];
        if loss == "relativistic" {
            // Only how far scores are apart counts with it. What all share has no gradient but its rounding, which Adam
            // makes as large as any other.
            both.iter_mut().flatten().for_each(|m| (m.d_real, m.d_fake) = (m.d_real - m.d_fake, 0.0));
        }
        assert_close(&both[0], &both[1], 1e-3, &text);
    }
}

/// All of what the test above takes in turns: a quarter of an hour on a GPU in software, so only where it is asked for, with
/// `EVERY_COMBINATION=1`. A change to a loss, a penalty, an optimiser or a norm should be.
#[test]
fn every_combination_trains_on_the_gpu_if_asked_for() {
    let Some(context) = gpu::test_context() else { return };
    let asked = std::env::var_os("EVERY_COMBINATION").is_some();
    let all = combinations().flat_map(|c| values(DNorm::CHOICES).map(move |d_norm| (c, d_norm))).enumerate();
    // Without being asked for, the first and the last.
    let last = combinations().count() * DNorm::CHOICES.len() - 1;
    for (i, ((loss, penalty, optimizer), d_norm)) in all.filter(|(i, _)| asked || *i == 0 || *i == last) {
        let network = if i % 2 == i / 8 % 2 { TINY_MLP } else { TINY };
        let g_norm = GNorm::CHOICES[i / 4 % GNorm::CHOICES.len()].value;
        let text =
            format!("{network}&loss={loss}&{penalty}&optimizer={optimizer}&momentum=0.5&gNorm={g_norm}&dNorm={d_norm}");
        assert_trains(&mut gpu_trainer(&context, &text), 50, &text);
    }
}
