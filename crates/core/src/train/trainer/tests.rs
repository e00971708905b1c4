//! The promises of a run: determinism, checkpoints, engines that agree, and a GAN that learns.

use super::*;
use crate::data::{ImageShape, MNIST_IMAGES};
use crate::engine::{block_on, gpu};
use crate::ops::check::Random;
use crate::train::settings::{
    ActivationKind, Condition, DNorm, DOptimizer, GNorm, Loss, OptimizerKind, Size, Upsampling, resolve,
};
use crate::train::values::Choice;

/// Digits as simple as can be: digit `d` is a bright square at one of ten places, with some noise.
pub(crate) fn toy_data(count: usize) -> (Vec<u8>, Vec<u8>) {
    let mut random = Random(42);
    let labels: Vec<u8> = (0..count).map(|i| (i % DIGITS) as u8).collect();
    let mut pixels = vec![0; count * IMAGE.pixels()];
    for (image, &label) in pixels.chunks_exact_mut(IMAGE.pixels()).zip(&labels) {
        let (row, column) = (4 + usize::from(label / 4) * 8, 3 + usize::from(label % 4) * 6);
        for at in (0..5).flat_map(|y| (0..5).map(move |x| (row + y) * IMAGE.columns + column + x)) {
            image[at] = 180 + (random.next() * 75.0) as u8;
        }
    }
    (idx::write_images(IMAGE, &pixels), idx::write_labels(&labels))
}

pub(crate) fn trainer(text: &str) -> Trainer {
    let resolved = resolve(text).unwrap();
    assert!(resolved.errors.is_empty(), "{:?}", resolved.errors);
    with_data(Trainer::cpu(resolved.preset, resolved.settings, MNIST_IMAGES).unwrap())
}

pub(crate) fn with_data(mut trainer: Trainer) -> Trainer {
    let (images, labels) = toy_data(1000);
    trainer.add_data(&images, &labels).unwrap();
    trainer
}

pub(crate) fn save(trainer: &mut Trainer) -> Vec<u8> {
    block_on(trainer.save().unwrap()).unwrap()
}

pub(crate) const TINY: &str = "images=1000&gChannels=2&dChannels=2&batch=5&noise=7";
pub(crate) const TINY_MLP: &str = "images=1000&network=mlp&gWidths=12,9&dWidths=11&batch=5&noise=7";

/// D's penalties and constraints, as settings.
const PENALTIES: [&str; 7] =
    ["", "r1=1", "r2=1", "r1=1&r2=1", "gradientPenalty=10", "clip=0.05", "instanceNoise=0.5&instanceNoiseSteps=20"];

fn values(choices: &'static [Choice]) -> impl Iterator<Item = &'static str> {
    choices.iter().map(|c| c.value)
}

/// What the networks can be made of, beside the plain ones: each choice by itself.
fn single_constructions() -> Vec<String> {
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
fn combinations() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    values(Loss::CHOICES).flat_map(move |loss| {
        PENALTIES
            .into_iter()
            .flat_map(move |penalty| values(OptimizerKind::CHOICES).map(move |optimizer| (loss, penalty, optimizer)))
    })
}

fn assert_trains(trainer: &mut Trainer, steps: u32, what: &str) -> Vec<Metrics> {
    let before = save(trainer);
    trainer.run(steps).unwrap();
    let metrics = block_on(trainer.metrics()).unwrap();
    assert_eq!(metrics.iter().map(|m| m.step).collect::<Vec<_>>(), (1..=steps).collect::<Vec<_>>(), "{what}");
    let finite = |m: &Metrics| [m.d_loss, m.g_loss, m.d_real, m.d_fake].iter().all(|v| v.is_finite());
    assert!(metrics.iter().all(finite), "{what}: {:?}", metrics.last());
    assert_ne!(save(trainer), before, "{what}");
    metrics
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
        let network = if i % 3 == 2 { TINY_MLP } else { TINY };
        let text = format!("{network}&batch=6&{text}");
        let plain = plain_metrics(&text, 10);
        let fused = assert_trains(&mut trainer(&text), 10, &text);
        assert_close(&plain, &fused, 1e-4, &text);
    }
}

#[test]
fn every_construction_trains_on_the_gpu_as_on_the_cpu() {
    let Some(context) = gpu::test_context() else { return };
    for (i, text) in constructions().iter().enumerate() {
        let network = if i % 4 == 3 { TINY_MLP } else { TINY };
        let text = format!("{network}&batch=6&{text}");
        let resolved = resolve(&text).unwrap();
        let on_gpu = Trainer::gpu(resolved.preset, resolved.settings, context.clone(), MNIST_IMAGES);
        let mut on_gpu = with_data(block_on(on_gpu).unwrap());
        let mut on_cpu = trainer(&text);
        let metrics = [&mut on_cpu, &mut on_gpu].map(|trainer| assert_trains(trainer, 8, &text));
        assert_close(&metrics[0], &metrics[1], 1e-3, &text);
        let (a, b) = (block_on(on_cpu.images().unwrap()).unwrap(), block_on(on_gpu.images().unwrap()).unwrap());
        let apart = a.iter().zip(&b).filter(|(a, b)| a.abs_diff(**b) > 4).count();
        assert!(apart * 100 <= a.len(), "{text}: {apart} of {} pixels differ", a.len());
    }
}

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
        let resolved = resolve(&text).unwrap();
        let mut on_cpu = trainer(&text);
        let on_gpu = Trainer::gpu(resolved.preset, resolved.settings, context.clone(), MNIST_IMAGES);
        let mut on_gpu = with_data(block_on(on_gpu).unwrap());
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
        let resolved = resolve(&text).unwrap();
        let on_gpu = Trainer::gpu(resolved.preset, resolved.settings, context.clone(), MNIST_IMAGES);
        assert_trains(&mut with_data(block_on(on_gpu).unwrap()), 50, &text);
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_does_not() {
    for network in [TINY, TINY_MLP] {
        let end = |seed: u32, submits: &[u32]| {
            let mut trainer = trainer(&format!("{network}&seed={seed}"));
            submits.iter().for_each(|&n| trainer.run(n).unwrap());
            save(&mut trainer)
        };
        let once = end(7, &[1000]);
        assert!(once == end(7, &[1, 99, 900]), "how steps are grouped must not matter");
        assert!(once != end(8, &[1000]));
    }
}

#[test]
fn a_resumed_run_is_the_run_that_never_stopped() {
    let constructions = constructions();
    let rich = constructions.iter().rev().take(2).map(|text| format!("{TINY}&batch=6&{text}"));
    let bare = format!("{TINY}&average=0&gNorm=batch&dNorm=spectral&replay=20");
    for network in [TINY.into(), TINY_MLP.into(), bare].into_iter().chain(rich) {
        let network = network.as_str();
        let mut whole = trainer(network);
        whole.run(30).unwrap();
        let mut first = trainer(network);
        first.run(17).unwrap();
        let file = save(&mut first);
        let resolved = crate::train::checkpoint_settings(&file).unwrap();
        let mut second = with_data(Trainer::cpu(resolved.preset, resolved.settings, MNIST_IMAGES).unwrap());
        second.load(&file).unwrap();
        assert_eq!(second.steps(), 17);
        second.run(13).unwrap();
        assert!(save(&mut whole) == save(&mut second));
        assert_eq!(block_on(whole.images().unwrap()).unwrap(), block_on(second.images().unwrap()).unwrap());
        let metrics = block_on(second.metrics()).unwrap();
        assert_eq!(metrics.first().map(|m| m.step), Some(18));
        assert_eq!(metrics, block_on(whole.metrics()).unwrap()[17..]);
    }
}

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
fn fused_programs_compute_what_the_plain_ones_do() {
    for text in [TINY, TINY_MLP] {
        let settings = resolve(text).unwrap().settings;
        let ops = |fused| {
            Gan::record(&settings, MNIST_IMAGES, fused)
                .unwrap()
                .recording
                .programs
                .iter()
                .map(|p| p.ops.len())
                .sum::<usize>()
        };
        assert!(ops(true) < ops(false));
        let mut fused = trainer(text);
        fused.run(50).unwrap();
        assert_close(&plain_metrics(text, 50), &block_on(fused.metrics()).unwrap(), 1e-4, text);
    }
}

/// Of a run whose programs are those that were recorded, without rewrites.
fn plain_metrics(text: &str, steps: u32) -> Vec<Metrics> {
    let resolved = resolve(text).unwrap();
    let gan = Gan::record(&resolved.settings, MNIST_IMAGES, false).unwrap();
    let engine = Runner::Cpu(CpuEngine::new(&gan.recording, resolved.settings.seed));
    let mut trainer = with_data(Trainer::with(resolved.preset, resolved.settings, gan, engine).unwrap());
    trainer.run(steps).unwrap();
    block_on(trainer.metrics()).unwrap()
}

#[track_caller]
fn assert_close(left: &[Metrics], right: &[Metrics], tolerance: f32, what: &str) {
    assert_eq!(left.len(), right.len(), "{what}");
    for (l, r) in left.iter().zip(right) {
        let close = |a: f32, b: f32| (a - b).abs() <= tolerance * (1.0 + a.abs());
        assert!(
            close(l.d_loss, r.d_loss)
                && close(l.g_loss, r.g_loss)
                && close(l.d_real, r.d_real)
                && close(l.d_fake, r.d_fake),
            "{what}: {l:?} {r:?}"
        );
    }
}

#[test]
fn both_engines_see_the_same_losses() {
    let Some(context) = gpu::test_context() else { return };
    for text in
        [TINY, TINY_MLP, "images=1000&batch=16", "images=1000&condition=concat&optimizer=sgd&loss=minimax&lambda=0.5"]
    {
        let resolved = resolve(text).unwrap();
        let mut on_cpu = trainer(text);
        let on_gpu = Trainer::gpu(resolved.preset, resolved.settings, context.clone(), MNIST_IMAGES);
        let mut on_gpu = with_data(block_on(on_gpu).unwrap());
        on_cpu.run(12).unwrap();
        on_gpu.run(5).unwrap();
        on_gpu.run(7).unwrap();
        block_on(on_gpu.settle()).unwrap();
        // Rounding differs, and training amplifies it: 1e-3 over the first dozen steps.
        assert_close(&block_on(on_cpu.metrics()).unwrap(), &block_on(on_gpu.metrics()).unwrap(), 1e-3, text);
        let (a, b) = (block_on(on_cpu.images().unwrap()).unwrap(), block_on(on_gpu.images().unwrap()).unwrap());
        let apart = a.iter().zip(&b).filter(|(a, b)| a.abs_diff(**b) > 4).count();
        assert!(apart * 100 <= a.len(), "{apart} of {} pixels differ", a.len());
    }
}

#[test]
fn training_cannot_start_without_its_images() {
    let resolved = resolve(TINY).unwrap();
    let mut trainer = Trainer::cpu(resolved.preset, resolved.settings, MNIST_IMAGES).unwrap();
    let (images, labels) = toy_data(400);
    assert!(trainer.run(1).unwrap_err().to_string().contains("0 of the first 1000"));
    trainer.add_data(&images, &labels).unwrap();
    assert!(trainer.run(1).unwrap_err().to_string().contains("400 of the first 1000"));
    let fewer = idx::write_labels(&[1; 399]);
    assert!(trainer.add_data(&images, &fewer).unwrap_err().to_string().contains("400 images but 399 labels"));
    let large = idx::write_images(ImageShape { rows: 32, columns: 32 }, &[0; 1024]);
    assert!(trainer.add_data(&large, &idx::write_labels(&[1])).unwrap_err().to_string().contains("32×32"));
    assert_eq!(trainer.images_available(), 400);
    trainer.add_data(&images, &labels).unwrap();
    trainer.add_data(&images, &labels).unwrap();
    assert_eq!(trainer.images_available(), 1000);
    trainer.run(1).unwrap();
}

#[test]
fn a_small_data_set_is_trained_on_as_a_whole() {
    let resolved = resolve(TINY).unwrap();
    let of = |data: usize| Trainer::cpu(resolved.preset, resolved.settings.clone(), data);
    // Not a multiple of the four that lie in a word, and a batch larger than the whole.
    for count in [1, 3, 13] {
        let mut trainer = of(count).unwrap();
        assert_eq!((trainer.images_wanted(), trainer.images_to_start()), (count, count));
        let (images, labels) = toy_data(count);
        trainer.add_data(&images, &labels).unwrap();
        assert_trains(&mut trainer, 20, &format!("{count} images"));
    }
    assert!(of(0).is_err());
    assert_eq!(of(1500).unwrap().images_wanted(), 1000);
    // A checkpoint has nothing of the data set in it.
    let mut trainer = of(13).unwrap();
    trainer.load(&save(&mut self::trainer(TINY))).unwrap();
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

#[test]
fn samples_are_fresh_and_leave_the_grid_as_it_was() {
    let mut trainer = trainer(TINY);
    trainer.run(5).unwrap();
    let grid = block_on(trainer.images().unwrap()).unwrap();
    let count = 2 * GRID_ROWS * DIGITS + 10;
    let (images, labels) = block_on(trainer.samples(count, |_| {})).unwrap();
    assert_eq!(images.len(), count * IMAGE.pixels());
    assert_eq!(labels, (0..count).map(|i| (i % 10) as u8).collect::<Vec<_>>());
    assert_ne!(images[..grid.len()], grid);
    assert_ne!(images[..grid.len()], images[grid.len()..2 * grid.len()]);
    assert_eq!(block_on(trainer.images().unwrap()).unwrap(), grid);
}

#[test]
fn samples_drawn_in_parts_are_the_samples_drawn_at_once() {
    let mut trainer = trainer(TINY);
    trainer.run(5).unwrap();
    let mut drawn = |wanted| block_on(trainer.sampled(wanted).unwrap()).unwrap();
    let (images, labels) = drawn(0..200);
    // Parts of a grid, whole ones, and more than one; and none.
    let parts = [0..30, 30..80, 80..80, 80..165, 165..200].map(&mut drawn);
    assert!(parts.iter().flat_map(|(images, _)| images).eq(&images));
    assert!(parts.iter().flat_map(|(_, labels)| labels).eq(&labels));
}

/// The grid by averaged and by raw weights.
fn both_grids(trainer: &mut Trainer) -> [Vec<u8>; 2] {
    [Weights::Averaged, Weights::Raw].map(|weights| block_on(trainer.images_of(weights).unwrap()).unwrap())
}

#[test]
fn the_raw_grid_is_the_averaged_one_until_they_part() {
    for network in [TINY, TINY_MLP] {
        let with = |average: &str| trainer(&format!("{network}&average={average}"));
        let mut averaging = with("0.99");
        let [averaged, raw] = both_grids(&mut averaging);
        assert!(averaged == raw, "the average starts as a copy");
        averaging.run(20).unwrap();
        let [averaged, raw] = both_grids(&mut averaging);
        assert!(averaged != raw);
        let mut plain = with("0");
        plain.run(20).unwrap();
        let [shown, same] = both_grids(&mut plain);
        assert!(shown == same, "without an average there is one grid");
        // Averaging follows the training and has no part in it.
        assert!(shown == raw);
    }
}

#[test]
fn both_engines_draw_the_same_raw_grid() {
    let Some(context) = gpu::test_context() else { return };
    let resolved = resolve(TINY).unwrap();
    let mut on_cpu = trainer(TINY);
    let mut on_gpu =
        with_data(block_on(Trainer::gpu(resolved.preset, resolved.settings, context, MNIST_IMAGES)).unwrap());
    on_cpu.run(5).unwrap();
    on_gpu.run(5).unwrap();
    for (a, b) in both_grids(&mut on_cpu).iter().zip(both_grids(&mut on_gpu)) {
        let apart = a.iter().zip(&b).filter(|(a, b)| a.abs_diff(**b) > 4).count();
        assert!(apart * 100 <= a.len(), "{apart} of {} pixels differ", a.len());
    }
}

/// How far the grid is from the data: the mean distance of each image from its digit's clean square, per pixel.
fn distance_from_toys(trainer: &mut Trainer) -> f64 {
    let (file, _) = toy_data(DIGITS);
    let toys = idx::images("toys", &file).unwrap().pixels.to_vec();
    let grid = block_on(trainer.images().unwrap()).unwrap();
    let pixels = IMAGE.pixels();
    let distance = |n: usize| {
        let (image, toy) = (&grid[n * pixels..(n + 1) * pixels], &toys[n % DIGITS * pixels..(n % DIGITS + 1) * pixels]);
        image.iter().zip(toy).map(|(a, b)| f64::from(a.abs_diff(*b)) / 255.0).sum::<f64>() / pixels as f64
    };
    (0..grid.len() / pixels).map(distance).sum::<f64>() / (grid.len() / pixels) as f64
}

#[test]
fn a_gan_learns_a_toy_problem() {
    let mut trainer = trainer("images=1000&gChannels=4&dChannels=4&noise=16");
    let untrained = distance_from_toys(&mut trainer);
    trainer.run(600).unwrap();
    let trained = distance_from_toys(&mut trainer);
    // Blank images are 0.03 from the toys; each column must show its own square.
    assert!(untrained > 0.3, "{untrained}");
    assert!(trained < 0.02, "{trained}");
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
