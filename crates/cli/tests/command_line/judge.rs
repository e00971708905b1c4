//! The pinned judge on MNIST's own test images, which `npm run data` prepares, and `digit-forge train-judge`.

use crate::scene::{Scene, said};
use digit_forge_core::data::idx;
use digit_forge_core::engine::block_on;
use digit_forge_core::engine::gpu::GpuContext;
use digit_forge_core::judge::{Judge, PINNED, Readings};
use std::fs;
use std::path::Path;

/// What the README promises of the pinned judge, on either engine.
const PROMISED: f64 = 0.993;
/// Engines round differently. Where they read another digit, its logit and the next one are no further apart.
const NEAR_TIE: f32 = 1e-3;

/// Pixels and labels of MNIST's 10,000 test images.
fn test_images() -> (Vec<u8>, Vec<u8>) {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mnist").join(name);
        fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; `npm run data` prepares it", path.display()))
    };
    let (images, labels) = (read("t10k-images-idx3-ubyte"), read("t10k-labels-idx1-ubyte"));
    let (images, labels) = (idx::images("images", &images).unwrap(), idx::labels("labels", &labels).unwrap());
    assert_eq!((images.count, labels.len()), (10_000, 10_000));
    (images.pixels.to_vec(), labels.to_vec())
}

fn holds_its_promise(readings: &Readings, labels: &[u8]) {
    let agreement = readings.agreement(labels);
    assert!(agreement >= PROMISED, "{agreement}");
    for digit in 0..10 {
        let of_digit = readings.digits().into_iter().zip(labels).filter(|&(_, &label)| label == digit);
        let (all, right) =
            of_digit.fold((0, 0), |(all, right), (read, _)| (all + 1, right + usize::from(read == digit)));
        assert!(all * 99 <= right * 100, "{right} of {all} images of a {digit} are read as one");
    }
}

#[test]
fn the_pinned_judge_reads_mnists_test_images_alike_on_both_engines() {
    let (images, labels) = test_images();
    let on_cpu = block_on(Judge::cpu(PINNED).unwrap().read(&images)).unwrap();
    holds_its_promise(&on_cpu, &labels);
    let context = match block_on(GpuContext::new()) {
        Ok(context) => context,
        Err(error) => {
            assert!(std::env::var("REQUIRE_GPU").is_err(), "REQUIRE_GPU is set: {error}");
            eprintln!("NOT TESTED ON A GPU, as there is no adapter here: {error}");
            return;
        }
    };
    let on_gpu = block_on(async { Judge::gpu(PINNED, context).await.unwrap().read(&images).await }).unwrap();
    holds_its_promise(&on_gpu, &labels);

    let (cpu, gpu, margins) = (on_cpu.digits(), on_gpu.digits(), on_cpu.margins());
    let apart: Vec<usize> = (0..labels.len()).filter(|&i| cpu[i] != gpu[i]).collect();
    assert!(apart.iter().all(|&i| margins[i] < NEAR_TIE), "images {apart:?} are read otherwise, and are no near-ties");
    let furthest = on_cpu.logits.iter().zip(&on_gpu.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(furthest < NEAR_TIE, "logits differ by up to {furthest}");
}

#[test]
fn an_attack_misleads_the_pinned_judge_the_more_the_stronger_it_is() {
    let (images, labels) = test_images();
    let (images, labels) = (&images[..1000 * 784], &labels[..1000]);
    let mut judge = Judge::cpu(PINNED).unwrap();
    let accuracies: Vec<f64> = [0.0, 0.05, 0.1, 0.2, 0.3]
        .map(|strength| {
            let moved = block_on(judge.attack(images, labels, strength)).unwrap();
            block_on(judge.read_ink(&moved)).unwrap().agreement(labels)
        })
        .into();
    assert!(accuracies.windows(2).all(|two| two[0] > two[1]), "{accuracies:?}");
    // As other networks of this size, of which 80 % at 0.1 is published (LeNet, in advertorch's examples).
    assert!(accuracies[0] > 0.99 && (0.5..0.97).contains(&accuracies[2]) && accuracies[4] < 0.5, "{accuracies:?}");
}

/// The scene with its training files as test files, too.
fn with_test_files() -> Scene {
    let scene = Scene::new();
    for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
        let file = scene.get(&format!("data/mnist/train-{kind}"));
        scene.put(&format!("data/mnist/t10k-{kind}"), &file);
    }
    scene
}

#[test]
fn a_taught_judge_is_written_repeats_and_is_told_of() {
    let scene = with_test_files();
    let teach = ["train-judge", "--steps", "40", "--out"];
    let output = said(&scene.succeeds(&[&teach[..], &["new/a"]].concat()));
    assert!(output.contains("data/mnist: 1000 images on cpu"), "{output}");
    assert!(output.contains("40 steps in") && output.contains("new/a: 2"), "{output}");
    assert!(output.contains("of 1000 test images right"), "{output}");
    scene.succeeds(&[&teach[..], &["b"]].concat());
    scene.succeeds(&[&teach[..], &["c", "--seed", "2"]].concat());
    assert!(scene.get("new/a") == scene.get("b"), "the same lesson came to other weights");
    assert!(scene.get("b") != scene.get("c"), "the seed changed nothing");
    let judge = Judge::cpu(&scene.get("c")).unwrap();
    assert_eq!(judge.lesson(), "seed=2&steps=40&rate=0.002");
    assert!(PINNED.len() <= 300_000 && PINNED.len().abs_diff(scene.get("c").len()) < 16);
}

#[test]
fn a_judge_is_taught_on_a_gpu_where_there_is_one() {
    let scene = with_test_files();
    let output = scene.command(&["train-judge", "--steps", "2", "--engine", "gpu", "--out", "a"]).output().unwrap();
    let said = said(&output);
    if output.status.success() {
        assert!(said.contains("1000 images on gpu: "), "{said}");
        assert!(Judge::cpu(&scene.get("a")).is_ok());
    } else {
        assert!(said.contains("no adapter") && said.contains("--engine cpu"), "{said}");
        assert!(std::env::var("REQUIRE_GPU").is_err(), "REQUIRE_GPU is set: {said}");
        eprintln!("NOT TESTED, as there is no GPU adapter here: {said}");
    }
}

#[test]
fn what_a_judge_cant_be_taught_by_is_named() {
    let scene = Scene::new();
    scene.refuses(&["train-judge"], 1, &["t10k-images-idx3-ubyte", "not found", "npm run data"]);
    scene.refuses(&["train-judge", "--steps", "0"], 2, &["--steps"]);
    let scene = with_test_files();
    scene.refuses(&["train-judge", "--out", ".."], 2, &["--out ..", "names no file"]);
}
