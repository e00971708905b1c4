//! Bad input: each is named on stderr, with an exit code and without a file.

use crate::scene::Scene;

#[test]
fn settings_that_are_wrong_are_named() {
    let scene = Scene::new();
    for (args, texts) in [
        (&["--set", "batch=0"][..], &["digit-forge: `batch=0`: expected a whole number from 1 to 1024"][..]),
        (&["--set", "bach=3"], &["unknown setting `bach`", "did you mean `batch`"]),
        (&["--set", "images=1000", "gRate=NaN"], &["`gRate=NaN`", "number from"]),
        (&["--set", "dRate=inf"], &["`dRate=inf`", "number from"]),
        (&["--set", "beta1=-0.5"], &["`beta1=-0.5`", "number from 0"]),
        (&["--set", "loss=wgan"], &["`loss=wgan`", "nonsaturating minimax"]),
        (&["--set", "gWidths=5,0"], &["`gWidths=5,0`", "widths from 1"]),
        (&["--preset", "quack"], &["`preset=quack`", "expected one of quick "]),
        (&["--seed", "-1"], &["`seed=-1`", "whole number"]),
        (&["--seed", "4294967296"], &["`seed=4294967296`", "4294967295"]),
        (&["--samples", "10", "--set", "condition=none"], &["`condition=none`", "--samples", "labels"]),
        (&["--samples", "10", "--preset", "primer-case"], &["`condition=none`", "labels"]),
    ] {
        scene.refuses(&[&["train", "--out", "run"], args].concat(), 1, texts);
    }
}

#[test]
fn arguments_that_make_no_sense_are_usage_errors() {
    let scene = Scene::new();
    for (args, texts) in [
        (&["train"][..], &["--out"][..]),
        (&["train", "--out", "run", "--engine", "tpu"], &["tpu", "cpu", "gpu"]),
        (&["train", "--out", "run", "--samples", "15"], &["'15'", "multiple of 10"]),
        (&["train", "--out", "run", "--samples", "0"], &["'0'", "multiple of 10"]),
        (&["train", "--out", "run", "--samples", "1000010"], &["'1000010'", "at most 1000000"]),
        (&["train", "--out", "run", "--samples", "10000000000000000"], &["at most 1000000"]),
        (&["evaluate", "run", "--samples", "10000000000000000"], &["at most 1000000"]),
        (&["train", "--out", "run", "--steps", "-3"], &["-3"]),
        (&["train", "--out", "run", "--steps", "many"], &["many"]),
        (&["train", "--out", "run", "--set", "batch"], &["'batch'", "KEY=VALUE"]),
        (&["train", "--out", "run", "--set", "preset=quick"], &["--preset"]),
        (&["train", "--out", "run", "--seed", "1", "--set", "seed=2"], &["twice"]),
        (&["forge"], &["forge"]),
        (&[], &["Usage"]),
    ] {
        scene.refuses(args, 2, texts);
    }
}

#[test]
fn data_that_is_missing_or_broken_is_named() {
    let scene = Scene::new();
    let (images, labels) = ("data/mnist/train-images-idx3-ubyte", "data/mnist/train-labels-idx1-ubyte");
    let (good_images, good_labels) = (scene.get(images), scene.get(labels));
    let train = ["train", "--out", "run", "--steps", "1", "--set", "images=1000"];

    let with = |file: &str, bytes: &[u8], texts: &[&str]| {
        scene.put(file, bytes);
        scene.refuses(&train, 1, texts);
        scene.put(images, &good_images);
        scene.put(labels, &good_labels);
    };
    with(images, &good_images[..good_images.len() - 1], &[images, "truncated"]);
    with(images, &good_images[..9], &[images, "truncated"]);
    with(images, b"", &[images, "truncated"]);
    with(images, &good_labels, &[images, "magic number"]);
    with(labels, &good_labels[..500], &[labels, "truncated"]);
    with(labels, &[&good_labels[..1007], &[10]].concat(), &[labels, "label 999 is 10"]);
    with(images, &idx_of(999), &["data/mnist", "999 images but 1000 labels"]);

    scene.refuses(
        &[&train[..], &["--data", "nowhere"]].concat(),
        1,
        &["nowhere/train-images-idx3-ubyte", "npm run data"],
    );
    std::fs::remove_file(scene.path(labels)).unwrap();
    scene.refuses(&train, 1, &[labels, "npm run data"]);
}

/// A file of this many blank images.
fn idx_of(count: usize) -> Vec<u8> {
    use digit_forge_core::data::{IMAGE, idx};
    idx::write_images(IMAGE, &vec![0; count * IMAGE.pixels()])
}

#[test]
fn a_folder_that_can_not_be_written_is_found_before_training() {
    let scene = Scene::new();
    scene.put("file", b"in the way");
    for out in ["file", "file/below"] {
        let train = ["train", "--out", out, "--steps", "1000000000", "--set", "images=1000"];
        scene.refuses(&train, 1, &[out, "can't be created"]);
    }
    assert_eq!(scene.get("file"), b"in the way");
}

#[test]
#[cfg(target_os = "linux")]
fn without_an_adapter_the_cpu_is_suggested() {
    let scene = Scene::new();
    let mut command = scene.command(&["train", "--engine", "gpu", "--out", "run", "--set", "images=1000"]);
    // Vulkan's loader finds no driver there.
    command.env("VK_DRIVER_FILES", "/nowhere").env("VK_ICD_FILENAMES", "/nowhere");
    scene.refused(&mut command, 1, &["GPU", "--engine cpu"]);
}
