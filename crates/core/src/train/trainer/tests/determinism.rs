//! The same seed on the same engine gives the same bits, also of a run that was saved and went on.

use super::{TINY, TINY_MLP, constructions, save, trainer, with_data};
use crate::data::MNIST_IMAGES;
use crate::engine::block_on;
use crate::train::Trainer;

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
