//! The same losses, whether programs are fused or as they were recorded, on either engine.

use super::{TINY, TINY_MLP, assert_close, gpu_trainer, plain_metrics, trainer};
use crate::data::MNIST_IMAGES;
use crate::engine::{block_on, gpu};
use crate::models::gan::Gan;
use crate::train::settings::resolve;

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

#[test]
fn both_engines_see_the_same_losses() {
    let Some(context) = gpu::test_context() else { return };
    for text in
        [TINY, TINY_MLP, "images=1000&batch=16", "images=1000&condition=concat&optimizer=sgd&loss=minimax&lambda=0.5"]
    {
        let mut on_cpu = trainer(text);
        let mut on_gpu = gpu_trainer(&context, text);
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
