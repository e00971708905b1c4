//! The promises of a run, a file for each kind. Here is what they share: small runs, and a toy problem, which a GAN learns.

mod agreement;
mod checkpoints;
mod choices;
mod data;
mod determinism;
mod effects;
mod samples;
mod shards;
mod steps;

use super::{Metrics, Runner, Trainer};
use crate::data::{DIGITS, IMAGE, MNIST_IMAGES, idx};
use crate::engine::block_on;
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::GpuContext;
use crate::models::gan::Gan;
use crate::ops::check::Random;
use crate::train::settings::resolve;
pub(crate) use choices::constructions;

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

/// The same on the GPU.
pub(crate) fn gpu_trainer(context: &GpuContext, text: &str) -> Trainer {
    let resolved = resolve(text).unwrap();
    assert!(resolved.errors.is_empty(), "{:?}", resolved.errors);
    let trainer = Trainer::gpu(resolved.preset, resolved.settings, context.clone(), MNIST_IMAGES);
    with_data(block_on(trainer).unwrap())
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
