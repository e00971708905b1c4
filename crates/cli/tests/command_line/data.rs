//! Training on an IDX pair of one's own.

use crate::scene::{Scene, image, said};
use digit_forge_core::data::{IMAGE, MNIST_IMAGES, idx};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

/// A pair of so many images, the first of which is a zero.
fn pair(count: usize) -> (Vec<u8>, Vec<u8>) {
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    let pixels: Vec<u8> = labels.iter().flat_map(|&label| image(label)).collect();
    (idx::write_images(IMAGE, &pixels), idx::write_labels(&labels))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// As little as makes a run.
const RUN: [&str; 8] = ["train", "--steps", "3", "--set", "gChannels=2", "batch=4", "--out", "run"];

#[test]
fn a_pair_trains_in_either_order_and_gzipped_to_the_same_bytes() {
    let scene = Scene::new();
    let (images, labels) = pair(37);
    scene.put("x", &images);
    scene.put("y", &labels);
    scene.put("x.bin", &gzip(&images));
    scene.put("y.gz", &gzip(&labels));
    let mut models = Vec::new();
    for files in [["x", "y"], ["y", "x"], ["x.bin", "y.gz"]] {
        let output = scene.succeeds(&[&RUN[..], &["--idx"], &files].concat());
        let name = if files.contains(&"x") { "x" } else { "x.bin" };
        assert!(said(&output).contains(&format!("{name}: 37 images")), "{}", said(&output));
        assert_eq!(scene.json("run/metrics.json")["runs"][0]["data"], format!("{name}: 37 images"));
        models.push(scene.get("run/model.safetensors"));
    }
    assert!(models.windows(2).all(|two| two[0] == two[1]), "the runs differ");
}

#[test]
fn transposed_images_make_another_run() {
    let scene = Scene::new();
    let (images, labels) = pair(20);
    scene.put("x", &images);
    scene.put("y", &labels);
    let sideways: Vec<u8> = images[16..]
        .chunks(IMAGE.pixels())
        .flat_map(|image| (0..IMAGE.pixels()).map(|i| image[i % IMAGE.columns * IMAGE.columns + i / IMAGE.columns]))
        .collect();
    scene.put("z", &idx::write_images(IMAGE, &sideways));
    let model = |args: &[&str]| {
        scene.succeeds(&[&RUN[..], args].concat());
        scene.get("run/model.safetensors")
    };
    let upright = model(&["--idx", "x", "y"]);
    assert!(model(&["--idx", "z", "y", "--transpose"]) == upright);
    assert!(model(&["--idx", "z", "y"]) != upright);
    scene.refuses(&[&RUN[..], &["--transpose"]].concat(), 2, &["--idx"]);
}

#[test]
fn of_more_images_than_a_run_takes_the_first_are_used_and_that_is_said() {
    let scene = Scene::new();
    let (images, labels) = pair(MNIST_IMAGES + 10);
    scene.put("x", &images);
    scene.put("y", &labels);
    let all = scene.succeeds(&[&RUN[..], &["--idx", "x", "y"]].concat());
    assert!(said(&all).contains("x: the first 60000 of 60010 images"), "{}", said(&all));
    let few = scene.succeeds(&[&RUN[..5], &["images=1000"], &RUN[5..], &["--idx", "x", "y"]].concat());
    assert!(said(&few).contains("x: the first 1000 of 60010 images"), "{}", said(&few));
}

#[test]
fn a_folder_trains_on_all_its_images_as_the_pair_of_its_files_does() {
    let scene = Scene::new();
    let files = ["data/mnist/train-images-idx3-ubyte", "data/mnist/train-labels-idx1-ubyte"];
    // More than the opening pass, and a quarter of what MNIST has.
    let (images, labels) = pair(15_000);
    scene.put(files[0], &images);
    scene.put(files[1], &labels);
    let small = ["train", "--steps", "15", "--out", "run", "--set", "gChannels=1", "dChannels=1", "batch=1024"];
    let model = |data: &[&str]| {
        let output = scene.succeeds(&[&small[..], data].concat());
        assert!(said(&output).contains(": 15000 images"), "{}", said(&output));
        scene.get("run/model.safetensors")
    };
    assert!(model(&[]) == model(&[&["--idx"], &files[..]].concat()));
}

#[test]
fn a_run_on_a_pair_resumes_bit_for_bit() {
    let scene = Scene::new();
    let (images, labels) = pair(50);
    scene.put("x", &images);
    scene.put("y", &labels);
    let data = ["--idx", "x", "y"];
    scene.succeeds(&[&RUN[..], &data].concat());
    scene.succeeds(&[&["train", "--resume", "run", "--steps", "2", "--out", "parts"], &data[..]].concat());
    scene.succeeds(
        &[&["train", "--steps", "5", "--out", "whole", "--set", "gChannels=2", "batch=4"], &data[..]].concat(),
    );
    assert!(scene.get("parts/model.safetensors") == scene.get("whole/model.safetensors"));
}

#[test]
fn who_forgets_the_data_that_a_run_was_trained_on_is_told_and_who_names_other_is_reminded() {
    let scene = Scene::new();
    let (images, labels) = pair(50);
    scene.put("x", &images);
    scene.put("y", &labels);
    scene.put("moved", &gzip(&images));
    scene.put("z", &idx::write_labels(&[7; 50]));
    scene.succeeds(&[&RUN[..5], &["images=1000"], &RUN[5..], &["--idx", "x", "y"]].concat());
    let before = scene.get("run/model.safetensors");
    let resume = ["train", "--resume", "run", "--steps", "2"];
    scene.refuses(&resume, 2, &["until now", "(x: 50 images)", "--idx"]);
    assert!(scene.get("run/model.safetensors") == before);
    let same = scene.succeeds(&[&resume[..], &["--idx", "moved", "y"]].concat());
    assert!(!said(&same).contains("other data"), "{}", said(&same));
    let other = scene.succeeds(&[&resume[..], &["--idx", "x", "z"]].concat());
    assert!(
        said(&other).contains("until now the run was trained on other data (moved: 50 images)"),
        "{}",
        said(&other)
    );
}

#[test]
fn files_that_are_no_pair_are_named_with_the_reason() {
    let scene = Scene::new();
    let (images, labels) = pair(30);
    scene.put("x", &images);
    scene.put("y", &labels);
    let refuse = |bad: &[u8], texts: &[&str]| {
        scene.put("bad", bad);
        scene.refuses(&[&RUN[..], &["--idx", "x", "bad"]].concat(), 1, texts);
    };
    refuse(b"", &["bad: ", "0 bytes"]);
    refuse(b"7,0,0,0,12\n", &["bad: no IDX file"]);
    refuse(b"\xff\xd8\xff\xe0 a JPEG", &["bad: no IDX file", "0xffd8ffe0"]);
    refuse(b"PK\x03\x04 and so on", &["bad: a zip archive"]);
    refuse(&gzip(b"PK\x03\x04 and so on"), &["bad: a zip archive"]);
    refuse(&gzip(&labels)[..25], &["bad: can't be unpacked"]);
    refuse(&[&gzip(&labels)[..12], b"nonsense that is no deflate stream"].concat(), &["bad: can't be unpacked"]);
    refuse(&labels[..20], &["bad: truncated", "promises 30 bytes, 12 follow"]);
    refuse(&images, &["bad: images, as x has", "labels are missing"]);
    refuse(&idx::write_labels(&[1; 29]), &["x: 30 images but 29 labels"]);
    refuse(&idx::write_labels(&[&[1; 7][..], &[26; 23]].concat()), &["bad: label 7 is 26"]);

    let refuse_images = |bad: &[u8], texts: &[&str]| {
        scene.put("bad", bad);
        scene.refuses(&[&RUN[..], &["--idx", "bad", "y"]].concat(), 1, texts);
    };
    let wide = digit_forge_core::data::ImageShape { rows: 32, columns: 32 };
    refuse_images(&idx::write_images(wide, &[0; 30 * 32 * 32]), &["bad: 32×32 pixels, and 28×28 are needed"]);
    refuse_images(&images[..1000], &["bad: truncated"]);
    refuse_images(&[&images[..], b"x"].concat(), &["bad: too long"]);
    refuse_images(&labels, &["y: labels, as bad has", "images are missing"]);
    scene.put("y", &idx::write_labels(&[]));
    refuse_images(&idx::write_images(IMAGE, &[]), &["bad: there is no image in it"]);

    scene.refuses(&[&RUN[..], &["--idx", "nowhere", "y"]].concat(), 1, &["nowhere", "can't be read"]);
    scene.refuses(&[&RUN[..], &["--idx", "x"]].concat(), 2, &["2 values", "--idx"]);
}
