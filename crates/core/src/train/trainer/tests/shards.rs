//! Several trainers, each with a shard of every batch, make the steps that one makes with all of it.

use super::choices::{combinations, constructions, network};
use super::{TINY, TINY_MLP, assert_close, save, trainer, with_data};
use crate::data::MNIST_IMAGES;
use crate::engine::block_on;
use crate::models::shard::{Shard, shards};
use crate::train::settings::resolve;
use crate::train::{Trainer, Weights};

/// The leader first.
fn team(text: &str, count: usize) -> Vec<Trainer> {
    let resolved = resolve(text).unwrap();
    let one = |rank| {
        let shard = Shard { rank, count };
        with_data(Trainer::cpu_shard(resolved.preset, resolved.settings.clone(), MNIST_IMAGES, shard).unwrap())
    };
    (0..count).map(one).collect()
}

/// Carries messages as a host does: in one buffer for each of the others.
fn run(team: &mut [Trainer], steps: u32) {
    let (leader, others) = team.split_first_mut().unwrap();
    let mut buffers = vec![vec![0.0; leader.message()]; others.len()];
    for _ in 0..steps {
        loop {
            for (buffer, other) in buffers.iter_mut().zip(&mut *others) {
                let mut at = 0;
                let put = &mut |part: &[f32]| {
                    buffer[at..at + part.len()].copy_from_slice(part);
                    at += part.len();
                };
                leader.order(put).unwrap();
                let mut at = 0;
                other
                    .obey(&mut |part: &mut [f32]| {
                        part.copy_from_slice(&buffer[at..at + part.len()]);
                        at += part.len();
                    })
                    .unwrap();
                let mut at = 0;
                other.answer(&mut |part: &[f32]| {
                    buffer[at..at + part.len()].copy_from_slice(part);
                    at += part.len();
                });
            }
            leader.work().unwrap();
            for buffer in &buffers {
                let mut at = 0;
                leader.add(&mut |part: &mut [f32]| {
                    part.copy_from_slice(&buffer[at..at + part.len()]);
                    at += part.len();
                });
            }
            if leader.conclude().unwrap() {
                break;
            }
        }
    }
}

fn most(text: &str, most: usize) -> usize {
    shards(&resolve(text).unwrap().settings, most)
}

#[test]
fn what_can_be_cut_is_the_run_of_one_trainer() {
    let losses = combinations().map(|(loss, penalty, optimizer)| {
        let text = format!("loss={loss}&{penalty}&optimizer={optimizer}&clipNorm=0.5&dSteps=2&momentum=0.5");
        // Of what RMSprop makes of rounding see the tests of both engines; and where a hinge bends, its shift is seen.
        let steps = if optimizer == "rmsprop" {
            1
        } else if loss == "hinge" {
            2
        } else {
            6
        };
        (text, steps)
    });
    let mut cut = 0;
    for (i, (text, steps)) in losses.chain(constructions().into_iter().map(|text| (text, 6))).enumerate() {
        // Shards of one row, of as many, and of different numbers.
        let (batch, wanted) = [(6, 2), (5, 2), (7, 3), (6, 3), (5, 4), (3, 3)][i % 6];
        let text = format!("{}&batch={batch}&{text}", network(&text, i % 4 == 3));
        let count = most(&text, wanted);
        if count == 1 {
            continue;
        }
        cut += 1;
        let mut whole = trainer(&text);
        whole.run(steps).unwrap();
        let mut team = team(&text, count);
        run(&mut team, steps);
        assert_eq!(team[0].steps(), steps);
        let mut both = [&mut whole, &mut team[0]].map(|trainer| block_on(trainer.metrics()).unwrap());
        if ["relativistic", "hinge", "wasserstein"].iter().any(|loss| text.contains(loss)) {
            // Only how far scores are apart counts with it: what all share has no gradient but its rounding, which Adam makes as
            // large as any other.
            both.iter_mut().flatten().for_each(|m| (m.d_real, m.d_fake, m.g_loss) = (m.d_real - m.d_fake, 0.0, 0.0));
        }
        assert_close(&both[0], &both[1], 1e-3, &format!("{text}, {count} shards"));
        let [a, b] = [&mut whole, &mut team[0]].map(|trainer| block_on(trainer.images().unwrap()).unwrap());
        let apart = a.iter().zip(&b).filter(|(a, b)| a.abs_diff(**b) > 2).count();
        assert!(
            apart * 100 <= a.len() || text.contains("rmsprop"),
            "{text}, {count} shards: {apart} of {} pixels differ",
            a.len()
        );
    }
    assert!(cut > 150, "{cut} were cut");
}

#[test]
fn a_batch_is_cut_only_where_its_images_are_alone() {
    assert_eq!([0, 1, 2, 3, 8, 17].map(|n| most("batch=16", n)), [1, 1, 2, 3, 8, 16]);
    for text in [
        "gNorm=batch",
        "dNorm=batch",
        "minibatchDeviation=on",
        "pack=2",
        "dropout=0.1",
        "instanceNoise=0.1",
        "translate=1",
        "replay=10",
    ] {
        assert_eq!(most(&format!("batch=16&{text}"), 4), 1, "{text}");
    }
}

#[test]
fn the_leader_alone_keeps_the_run() {
    for text in [TINY, TINY_MLP] {
        let text = &format!("{text}&batch=8&r1=1");
        let (mut once, mut again) = (team(text, 4), team(text, 4));
        run(&mut once, 20);
        run(&mut again, 9);
        let file = save(&mut again[0]);
        // What the others were told before means nothing.
        let mut later = team(text, 4);
        run(&mut later, 5);
        later[0].load(&file).unwrap();
        run(&mut later, 11);
        assert!(save(&mut once[0]) == save(&mut later[0]));
        // One trainer goes on from the same file.
        let mut alone = trainer(text);
        alone.load(&file).unwrap();
        alone.run(1).unwrap();
        assert_eq!(alone.steps(), 10);
    }
}

#[test]
fn a_leader_that_is_watched_is_the_leader_that_is_not() {
    for text in [TINY, TINY_MLP] {
        let [mut once, mut watched] = [team(text, 2), team(text, 2)];
        run(&mut once, 12);
        for _ in 0..4 {
            run(&mut watched, 3);
            let leader = &mut watched[0];
            block_on(leader.vitals().unwrap()).unwrap();
            block_on(leader.wants(Weights::Raw).unwrap()).unwrap();
            block_on(leader.sampled(0..20).unwrap()).unwrap();
            block_on(leader.images().unwrap()).unwrap();
        }
        assert!(save(&mut once[0]) == save(&mut watched[0]));
    }
}

#[test]
fn a_leader_can_be_followed_without_the_others() {
    let mut team = team(TINY, 2);
    run(&mut team, 3);
    let file = save(&mut team[0]);
    let mut whole = team[0].alone().unwrap().unwrap();
    whole.load(&file).unwrap();
    whole.run(4).unwrap();
    run(&mut team, 4);
    let last = |trainer: &mut Trainer| block_on(trainer.metrics()).unwrap().split_off(3);
    let (theirs, metrics) = (last(&mut team[0]), block_on(whole.metrics()).unwrap());
    assert_close(&theirs, &metrics, 1e-3, TINY);
    assert!(trainer(TINY).alone().unwrap().is_none());
}

#[test]
fn a_shard_makes_no_step_alone_and_waits_for_images() {
    let resolved = resolve(TINY).unwrap();
    let shard = Shard { rank: 0, count: 5 };
    let mut leader = Trainer::cpu_shard(resolved.preset, resolved.settings, MNIST_IMAGES, shard).unwrap();
    assert!(leader.adapter().ends_with("5 threads"), "{}", leader.adapter());
    let said = leader.order(&mut |_| {}).unwrap_err().to_string();
    assert!(said.contains("0 of the first"), "{said}");
    let said = with_data(leader).run(1).unwrap_err().to_string();
    assert!(said.contains("shard"), "{said}");
}
