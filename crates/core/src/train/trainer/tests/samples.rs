//! What the generator shows: samples, and the grid by averaged and by raw weights.

use super::{TINY, TINY_MLP, gpu_trainer, trainer};
use crate::data::{DIGITS, IMAGE};
use crate::engine::{block_on, gpu};
use crate::models::gan::GRID_ROWS;
use crate::train::{Trainer, Weights};

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
    let mut on_cpu = trainer(TINY);
    let mut on_gpu = gpu_trainer(&context, TINY);
    on_cpu.run(5).unwrap();
    on_gpu.run(5).unwrap();
    for (a, b) in both_grids(&mut on_cpu).iter().zip(both_grids(&mut on_gpu)) {
        let apart = a.iter().zip(&b).filter(|(a, b)| a.abs_diff(**b) > 4).count();
        assert!(apart * 100 <= a.len(), "{apart} of {} pixels differ", a.len());
    }
}
