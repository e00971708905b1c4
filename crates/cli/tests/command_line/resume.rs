//! A run that goes on.

use crate::scene::Scene;

#[test]
fn ten_steps_and_ten_more_are_twenty_bit_for_bit() {
    let scene = Scene::new();
    scene.trains(&["--steps", "20", "--seed", "5", "--out", "whole"]);
    scene.trains(&["--steps", "10", "--seed", "5", "--out", "parts"]);
    let half = scene.get("parts/model.safetensors");
    scene.succeeds(&["train", "--resume", "parts", "--steps", "10"]);
    assert!(half != scene.get("parts/model.safetensors"), "the second half changed nothing");
    for file in ["model.safetensors", "grid.png"] {
        assert!(scene.get(&format!("whole/{file}")) == scene.get(&format!("parts/{file}")), "{file} differs");
    }
    let (whole, parts) = (scene.json("whole/metrics.json"), scene.json("parts/metrics.json"));
    for key in ["history", "settings", "values", "steps", "imagesSeen"] {
        assert_eq!(whole[key], parts[key], "{key}");
    }
    assert_eq!(parts["runs"].as_array().unwrap().len(), 2);
    assert_eq!((&parts["runs"][1]["after"], &parts["runs"][1]["steps"]), (&10.into(), &10.into()));
}

#[test]
fn another_folder_leaves_the_first_as_it_was() {
    let scene = Scene::new();
    scene.trains(&["--steps", "4", "--out", "a"]);
    let before = (scene.get("a/model.safetensors"), scene.get("a/metrics.json"));
    scene.succeeds(&["train", "--resume", "a", "--steps", "3", "--out", "b"]);
    assert!(before == (scene.get("a/model.safetensors"), scene.get("a/metrics.json")));
    assert_eq!(scene.json("b/metrics.json")["history"]["step"], serde_json::json!([1, 2, 3, 4, 5, 6, 7]));
}

#[test]
fn only_learning_rates_can_change() {
    let scene = Scene::new();
    scene.trains(&["--steps", "4", "--out", "a"]);
    scene.succeeds(&["train", "--resume", "a", "--steps", "2", "--out", "b", "--set", "gRate=0.001"]);
    scene.succeeds(&["train", "--resume", "a", "--steps", "2", "--out", "c"]);
    let metrics = scene.json("b/metrics.json");
    assert_eq!(metrics["values"]["gRate"], "0.001");
    assert!(metrics["runs"][0]["settings"] != metrics["runs"][1]["settings"]);
    assert!(scene.get("b/grid.png") != scene.get("c/grid.png"), "the new rate had no effect");

    let resume = ["train", "--resume", "a", "--out", "d"];
    let refuse = |more: &[&str], code, texts: &[&str]| scene.refuses(&[&resume, more].concat(), code, texts);
    refuse(&["--set", "batch=8"], 1, &["`batch=8`", "new run"]);
    refuse(&["--set", "gRate=0.001", "dRate=2"], 1, &["`dRate=2`", "number from"]);
    refuse(&["--preset", "quick"], 2, &["--preset", "--resume", "gRate"]);
    refuse(&["--seed", "1"], 2, &["--seed", "--resume", "gRate"]);
    refuse(&["--steps", "4294967295"], 2, &["--steps 4294967295", "4 are made"]);
}

#[test]
fn without_its_metrics_a_run_resumes_with_what_follows() {
    let scene = Scene::new();
    scene.trains(&["--steps", "4", "--out", "run"]);
    scene.put("run/metrics.json", b"{\"history\":");
    scene.refuses(&["train", "--resume", "run"], 1, &["metrics.json", "EOF"]);
    std::fs::remove_file(scene.path("run/metrics.json")).unwrap();
    scene.succeeds(&["train", "--resume", "run", "--steps", "2"]);
    assert_eq!(scene.json("run/metrics.json")["history"]["step"], serde_json::json!([5, 6]));
}

#[test]
fn checkpoints_that_do_not_fit_are_refused() {
    let scene = Scene::new();
    scene.trains(&["--steps", "2", "--out", "run"]);
    let good = scene.get("run/model.safetensors");
    let refuse = |bytes: &[u8], texts: &[&str]| {
        scene.put("run/model.safetensors", bytes);
        scene.refuses(&["train", "--resume", "run", "--out", "next"], 1, texts);
        assert!(scene.get("run/model.safetensors") == bytes);
    };
    refuse(
        b"no checkpoint at all, but long enough to look at",
        &["model.safetensors", "not a readable safetensors file"],
    );
    refuse(&good[..good.len() / 2], &["model.safetensors", "not a whole safetensors file"]);
    refuse(&[], &["model.safetensors", "not a whole safetensors file"]);
    refuse(&replaced(&good, "gChannels=2", "gChannels=3"), &["model.safetensors", "in the file", "here"]);
    refuse(&replaced(&good, "gChannels=2", "network=mlp"), &["model.safetensors", "generator.0.weight"]);
    refuse(&replaced(&good, "gChannels=2", "gChannels=0"), &["model.safetensors", "`gChannels=0`"]);
    refuse(&replaced(&good, "digit-forge 1", "something else"), &["model.safetensors", "no settings of this program"]);
    std::fs::remove_file(scene.path("run/model.safetensors")).unwrap();
    scene.refuses(&["train", "--resume", "run", "--out", "next"], 1, &["model.safetensors", "can't be read"]);
    scene.refuses(&["train", "--resume", "nowhere"], 1, &["nowhere", "model.safetensors"]);
    // All else was good; it was the checkpoints that weren't.
    scene.put("run/model.safetensors", &good);
    scene.succeeds(&["train", "--resume", "run", "--steps", "1"]);
}

/// A safetensors file with another text in its header: eight bytes of length, then JSON, then the numbers.
fn replaced(file: &[u8], from: &str, to: &str) -> Vec<u8> {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&file[8..8 + length]).unwrap();
    assert!(header.contains(from), "{header}");
    let mut header = header.replace(from, to);
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &file[8 + length..]].concat()
}
