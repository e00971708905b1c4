//! What a run leaves.

use crate::scene::{SMALL, Scene, said};
use digit_forge_core::data::{IMAGE, idx};
use digit_forge_core::train::checkpoint_settings;

#[test]
fn a_run_leaves_its_files_and_nothing_else() {
    let scene = Scene::new();
    let output = scene.trains(&["--steps", "12", "--seed", "7", "--samples", "130", "--out", "deep/run"]);
    let files =
        ["grid.png", "metrics.json", "model.safetensors", "samples-images-idx3-ubyte", "samples-labels-idx1-ubyte"];
    assert_eq!(scene.list("deep/run"), files);
    assert!(said(&output).contains("ms a step"), "{}", said(&output));

    let images = scene.get("deep/run/samples-images-idx3-ubyte");
    let images = idx::images("samples", &images).unwrap();
    assert_eq!((images.count, images.shape), (130, IMAGE));
    let labels = scene.get("deep/run/samples-labels-idx1-ubyte");
    let labels = idx::labels("samples", &labels).unwrap();
    assert!((0..10).all(|digit| labels.iter().filter(|&&l| l == digit).count() == 13));

    let grid = scene.get("deep/run/grid.png");
    let mut grid = png::Decoder::new(std::io::Cursor::new(grid)).read_info().unwrap();
    let mut pixels = vec![0; grid.output_buffer_size().unwrap()];
    let info = grid.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Grayscale);
    assert!(info.width >= 280 && info.width % 10 == 4 && info.height >= 168, "{info:?}");
    assert_eq!(pixels[0], 255, "paper is white");

    let settings = checkpoint_settings(&scene.get("deep/run/model.safetensors")).unwrap().settings;
    assert_eq!((settings.seed, settings.batch, settings.g_channels), (7, 4, 2));
}

#[test]
fn a_run_is_written_before_its_samples() {
    let scene = Scene::new();
    std::fs::create_dir_all(scene.path("run/samples-images-idx3-ubyte")).unwrap();
    let args = ["train", "--steps", "2", "--samples", "10", "--out", "run"];
    let output = scene.command(&[&args[..], &SMALL].concat()).output().unwrap();
    assert!(!output.status.success() && said(&output).contains("samples-images-idx3-ubyte"), "{}", said(&output));
    for file in ["grid.png", "metrics.json", "model.safetensors"] {
        assert!(!scene.get(&format!("run/{file}")).is_empty());
    }
}

#[test]
fn metrics_hold_settings_times_and_a_row_a_step() {
    let scene = Scene::new();
    scene.trains(&["--preset", "quick", "--steps", "15", "--out", "run"]);
    let metrics = scene.json("run/metrics.json");
    assert_eq!(metrics["preset"], "quick");
    assert_eq!(metrics["settings"], "preset=quick&images=1000&batch=4&gChannels=2&dChannels=2");
    assert_eq!(metrics["values"]["batch"], "4");
    assert_eq!(metrics["values"]["gRate"], "0.004");
    assert_eq!(metrics["engine"], "cpu");
    assert!(!metrics["adapter"].as_str().unwrap().is_empty());
    assert_eq!(metrics["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(metrics["steps"], 15);
    assert_eq!(metrics["imagesSeen"], 60);
    assert!(metrics["seconds"].as_f64().unwrap() > 0.0);
    assert!(metrics["msPerStep"].as_f64().unwrap() > 0.0);
    let steps: Vec<u64> = metrics["history"]["step"].as_array().unwrap().iter().map(|s| s.as_u64().unwrap()).collect();
    assert_eq!(steps, (1..=15).collect::<Vec<u64>>());
    for column in ["dLoss", "gLoss"] {
        let losses = metrics["history"][column].as_array().unwrap();
        assert!(losses.len() == 15 && losses.iter().all(|l| l.as_f64().unwrap() > 0.0), "{column}: {losses:?}");
    }
    for column in ["dReal", "dFake"] {
        let opinions = metrics["history"][column].as_array().unwrap();
        let probable = |o: &serde_json::Value| (0.0..=1.0).contains(&o.as_f64().unwrap());
        assert!(opinions.len() == 15 && opinions.iter().all(probable), "{column}: {opinions:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
    let scene = Scene::new();
    for (seed, out) in [("3", "a"), ("3", "b"), ("4", "c")] {
        scene.trains(&["--steps", "25", "--seed", seed, "--samples", "60", "--out", out]);
    }
    for file in ["model.safetensors", "grid.png", "samples-images-idx3-ubyte"] {
        let of = |run: &str| scene.get(&format!("{run}/{file}"));
        assert!(of("a") == of("b"), "{file} differs between two runs of one seed");
        assert!(of("a") != of("c"), "{file} is the same for two seeds");
    }
}

#[test]
fn every_preset_trains() {
    let scene = Scene::new();
    for preset in ["quick", "primer-torch", "primer-tf", "primer-case"] {
        scene.succeeds(&["train", "--preset", preset, "--steps", "2", "--set", "images=1000", "--out", preset]);
        assert_eq!(scene.json(&format!("{preset}/metrics.json"))["preset"], preset);
    }
}

#[test]
fn the_data_folder_can_come_from_the_environment() {
    let scene = Scene::new();
    std::fs::rename(scene.path("data/mnist"), scene.path("elsewhere")).unwrap();
    let args = ["train", "--steps", "1", "--out", "run", "--set", "images=1000"];
    let output = scene.command(&args).env("DIGIT_FORGE_DATA", "elsewhere").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn losses_that_break_are_told_and_still_written() {
    let scene = Scene::new();
    let rough = ["images=1000", "network=mlp", "slope=1", "gActivation=leaky", "optimizer=sgd", "gRate=1", "dRate=1"];
    let args = [&["train", "--steps", "20", "--out", "run", "--set"][..], &rough].concat();
    let output = scene.succeeds(&args);
    let metrics = scene.json("run/metrics.json");
    let broken = metrics["history"]["dLoss"].as_array().unwrap().iter().any(|loss| loss.is_null());
    assert!(broken, "these rates are meant to break the losses");
    assert!(said(&output).contains("no finite numbers"), "{}", said(&output));
}
