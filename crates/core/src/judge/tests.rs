//! On images drawn here; what the pinned weights make of MNIST's is held in `crates/cli/tests`.

use super::*;
use crate::engine::{block_on, gpu};
use crate::error::CheckpointFault;
use crate::ops::check::Random;
use sha2::Digest;

/// Digits that are bars, lying or standing, further apart than images are moved while teaching; a little noisy, and their
/// labels.
fn bars(count: usize, seed: u32) -> (Vec<u8>, Vec<u8>) {
    let mut random = Random(seed);
    let labels: Vec<u8> = (0..count).map(|i| (i * 7 % DIGITS) as u8).collect();
    let mut image = |label: u8| -> Vec<u8> {
        let bar = 2 + 5 * usize::from(label % 5);
        let along = |at: usize| if label < 5 { at / IMAGE.columns } else { at % IMAGE.columns };
        let ink = |at: usize| if (bar..bar + 4).contains(&along(at)) { 150.0 } else { 20.0 };
        (0..IMAGE.pixels()).map(|at| (ink(at) + 80.0 * random.next()) as u8).collect()
    };
    (labels.iter().flat_map(|&label| image(label)).collect(), labels)
}

const LESSON: Lesson = Lesson { seed: 3, steps: 120, rate: 2e-3 };

fn taught(mut teacher: Teacher, turns: &[u32]) -> (Teacher, Vec<u8>) {
    let (images, labels) = bars(400, 5);
    teacher.add_data(&images, &labels).unwrap();
    turns.iter().for_each(|&steps| teacher.run(steps).unwrap());
    let file = block_on(teacher.save()).unwrap();
    (teacher, file)
}

#[test]
fn a_taught_judge_reads_what_it_was_taught_and_repeats_bit_for_bit() {
    let (mut teacher, file) = taught(Teacher::cpu(LESSON, 400).unwrap(), &[120]);
    let progress = block_on(teacher.progress()).unwrap();
    assert_eq!(progress.iter().map(|p| p.step).collect::<Vec<_>>(), (1..=120).collect::<Vec<_>>());
    let (first, last) = (progress[0], &progress[100..]);
    assert!(first.loss > 1.5 && first.accuracy < 0.5, "{first:?}");
    assert!(last.iter().all(|p| p.loss < 0.5 * first.loss && p.accuracy > 0.7), "{last:?}");
    assert!(block_on(teacher.progress()).unwrap().is_empty());

    let (_, again) = taught(Teacher::cpu(LESSON, 400).unwrap(), &[1, 39, 80]);
    assert!(file == again, "grouping steps otherwise changed the weights");
    let other = Lesson { seed: 4, ..LESSON };
    assert!(file != taught(Teacher::cpu(other, 400).unwrap(), &[120]).1, "the seed changed nothing");

    // Other images than those that it was taught; not a whole number of batches.
    let (images, labels) = bars(130, 6);
    let mut judge = Judge::cpu(&file).unwrap();
    assert_eq!(judge.lesson(), "seed=3&steps=120&rate=0.002");
    let readings = block_on(judge.read(&images)).unwrap();
    assert_eq!((readings.count(), readings.features.len()), (130, 130 * FEATURES));
    assert!(readings.agreement(&labels) > 0.9, "{}", readings.agreement(&labels));
    assert!(readings.features.iter().all(|&f| f >= 0.0) && readings.features.iter().any(|&f| f > 0.0));

    // The file's weights are the averages that the teacher reads with, rounded to half precision.
    let by_teacher = block_on(teacher.read(&images)).unwrap();
    let furthest = by_teacher.logits.iter().zip(&readings.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(furthest > 0.0 && furthest < 0.05, "{furthest}");
}

/// `README.md` beside the file has it, too.
const PINNED_SHA256: &str = "541af023be6e92c1aadf55af07364909d5724240d10ec5ae59a5e9cb5739abaf";

#[test]
fn the_pinned_weights_are_those_of_the_readme() {
    let hash: String = sha2::Sha256::digest(PINNED).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, PINNED_SHA256);
    let readme = include_str!("README.md");
    let judge = Judge::cpu(PINNED).unwrap();
    let Lesson { seed, steps, .. } = Lesson::PINNED;
    assert!(judge.lesson().starts_with(&format!("seed={seed}&steps={steps}&")), "{}", judge.lesson());
    for part in [&hash, judge.lesson(), &format!("--seed {seed} --steps {steps}")] {
        assert!(readme.contains(part), "README.md lacks {part}");
    }
    assert!(PINNED.len() <= 300_000, "{} bytes", PINNED.len());
}

#[test]
fn an_image_is_read_alike_whatever_lies_beside_it() {
    let mut judge = Judge::cpu(PINNED).unwrap();
    let (images, _) = bars(BATCH + 3, 8);
    let all = block_on(judge.read(&images)).unwrap();
    let last = block_on(judge.read(&images[(BATCH + 2) * IMAGE.pixels()..])).unwrap();
    assert_eq!(last.logits, all.logits[(BATCH + 2) * DIGITS..]);
    assert_eq!(last.features, all.features_of(BATCH + 2));
    assert_eq!(block_on(judge.read(&[])).unwrap(), Readings::default());
    let inks: Vec<f32> = images.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    assert_eq!(block_on(judge.read_ink(&inks)).unwrap(), all);
}

#[test]
fn both_engines_teach_and_read_and_attack_alike() {
    let Some(context) = gpu::test_context() else { return };
    // Few steps: training amplifies how differently the engines round.
    let (mut on_cpu, _) = taught(Teacher::cpu(LESSON, 400).unwrap(), &[6]);
    let teacher = block_on(Teacher::gpu(LESSON, context.clone(), 400)).unwrap();
    let (mut on_gpu, file) = taught(teacher, &[2, 4]);
    for (cpu, gpu) in block_on(on_cpu.progress()).unwrap().iter().zip(block_on(on_gpu.progress()).unwrap()) {
        let bound = if cpu.step == 1 { 1e-5 } else { 2e-3 };
        assert!(cpu.step == gpu.step && (cpu.loss - gpu.loss).abs() < bound, "{cpu:?} {gpu:?}");
        // An image or two that are on the edge.
        assert!((cpu.accuracy - gpu.accuracy).abs() < 0.04, "{cpu:?} {gpu:?}");
    }

    let (images, labels) = bars(2 * BATCH + 7, 9);
    let mut cpu = Judge::cpu(&file).unwrap();
    let mut gpu = block_on(Judge::gpu(&file, context)).unwrap();
    let [a, b] = [&mut cpu, &mut gpu].map(|judge| block_on(judge.read(&images)).unwrap());
    let close = |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3);
    assert!(close(&a.logits, &b.logits) && close(&a.features, &b.features));
    let [a, b] = [&mut cpu, &mut gpu].map(|judge| block_on(judge.attack(&images, &labels, 0.1)).unwrap());
    let apart = a.iter().zip(&b).filter(|(a, b)| (*a - *b).abs() > 1e-6).count();
    assert!(apart * 1000 < a.len(), "{apart} pixels of {} moved another way", a.len());
}

#[test]
fn an_attack_moves_ink_by_its_strength_within_bounds_and_raises_the_loss() {
    let (_, file) = taught(Teacher::cpu(LESSON, 400).unwrap(), &[120]);
    let mut judge = Judge::cpu(&file).unwrap();
    let (mut images, labels) = bars(BATCH + 20, 10);
    images[..IMAGE.pixels()].iter_mut().enumerate().for_each(|(i, byte)| *byte = if i % 2 == 0 { 255 } else { 0 });
    let before = inks(&images);
    assert_eq!(block_on(judge.attack(&images, &labels, 0.0)).unwrap(), before);

    let mut accuracies = Vec::new();
    for strength in [0.0, 0.05, 0.1, 0.2, 0.4] {
        let moved = block_on(judge.attack(&images, &labels, strength)).unwrap();
        assert!(moved.iter().all(|ink| (0.0..=1.0).contains(ink)));
        for (before, after) in before.iter().zip(&moved) {
            let expected = [before - strength, *before, before + strength].map(|ink| ink.clamp(0.0, 1.0));
            assert!(expected.iter().any(|ink| (ink - after).abs() < 1e-6), "{before} became {after}");
        }
        accuracies.push(block_on(judge.read_ink(&moved)).unwrap().agreement(&labels));
    }
    assert!(accuracies.is_sorted_by(|a, b| a >= b), "{accuracies:?}");
    assert!(accuracies[0] > 0.9 && accuracies[4] < 0.5, "{accuracies:?}");
}

#[test]
fn an_attack_follows_the_losses_finite_differences() {
    let mut judge = Judge::cpu(PINNED).unwrap();
    let (images, labels) = bars(1, 12);
    let moved = block_on(judge.attack(&images, &labels, 0.01)).unwrap();
    let before = inks(&images);
    let mut loss = |image: &[f32]| {
        let logits = block_on(judge.read_ink(image)).unwrap().logits;
        let most = logits.iter().fold(f32::NEG_INFINITY, |m, &x| m.max(x));
        let sum: f64 = logits.iter().map(|&x| f64::from(x - most).exp()).sum();
        sum.ln() - f64::from(logits[labels[0] as usize] - most)
    };
    // Pixels whose slope is too small for single precision to tell its sign are passed over.
    let mut told = 0;
    for at in (0..IMAGE.pixels()).step_by(13) {
        let mut nudged = |by: f32| {
            let mut image = before.clone();
            image[at] += by;
            loss(&image)
        };
        let slope = nudged(0.004) - nudged(-0.004);
        if slope.abs() > 1e-3 {
            told += 1;
            assert_eq!(slope > 0.0, moved[at] > before[at], "pixel {at}: {slope}");
        }
    }
    assert!(told > 20, "only {told} pixels matter");
}

#[test]
fn larger_images_are_read_at_half_their_size() {
    let mut large = vec![0; 2 * 56 * 56];
    // The four pixels of row 3, column 5 of the second image.
    for (at, value) in [(6 * 56 + 10, 10), (6 * 56 + 11, 20), (7 * 56 + 10, 30), (7 * 56 + 11, 255)] {
        large[56 * 56 + at] = value;
    }
    let small = halved(&large).unwrap();
    let expected: Vec<(usize, u8)> = vec![(IMAGE.pixels() + 3 * IMAGE.columns + 5, 79)];
    assert_eq!(small.len(), 2 * IMAGE.pixels());
    assert_eq!(small.iter().copied().enumerate().filter(|&(_, v)| v > 0).collect::<Vec<_>>(), expected);
    assert!(matches!(halved(&large[1..]), Err(Error::Data { .. })));
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut judge = Judge::cpu(PINNED).unwrap();
    let (images, labels) = bars(2, 1);
    let data = |error: Error| matches!(error, Error::Data { .. });
    assert!(data(block_on(judge.read(&images[1..])).unwrap_err()));
    assert!(data(block_on(judge.attack(&images, &labels[1..], 0.1)).unwrap_err()));
    assert!(data(block_on(judge.attack(&images, &[0, 10], 0.1)).unwrap_err()));

    let mut teacher = Teacher::cpu(LESSON, 3).unwrap();
    assert!(data(teacher.run(1).unwrap_err()));
    assert!(data(teacher.add_data(&images[1..], &labels).unwrap_err()));
    assert!(data(teacher.add_data(&images, &[0, 10]).unwrap_err()));
    assert!(data(teacher.add_data(&[&images[..], &images].concat(), &[0; 4]).unwrap_err()));
    teacher.add_data(&images, &labels).unwrap();
    assert!(data(teacher.add_data(&images[..IMAGE.pixels()], &[1]).unwrap_err()), "two images are no whole word");
    assert!(Teacher::cpu(LESSON, 0).is_err());
    let (mut teacher, _) = taught(Teacher::cpu(LESSON, 400).unwrap(), &[1]);
    assert!(matches!(teacher.run(u32::MAX), Err(Error::Steps { made: 1, more: u32::MAX })));
}

#[test]
fn files_of_no_judge_are_refused_with_the_kind_of_fault() {
    let fault = |file: &[u8]| match Judge::cpu(file) {
        Err(Error::Checkpoint { fault, .. }) => fault,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    };
    assert_eq!(fault(b"neither weights nor anything else"), CheckpointFault::Format);
    assert_eq!(fault(&PINNED[..PINNED.len() - 1]), CheckpointFault::Truncated);
    let text = |from: &str, to: &str| {
        let at = PINNED.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        [&PINNED[..at], to.as_bytes(), &PINNED[at + from.len()..]].concat()
    };
    assert_eq!(fault(&text("digit-forge 1 judge", "digit-forge 1 other")), CheckpointFault::Foreign);
    assert_eq!(fault(&text("judge.logits.bias", "judge.logits.bios")), CheckpointFault::Tensors);
    assert_eq!(fault(&text("[1024,64]", "[64,1024]")), CheckpointFault::Tensors);
}
