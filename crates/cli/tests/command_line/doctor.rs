//! `digit-forge diagnose`, and `train --doctor`.

use crate::scene::Scene;
use digit_forge_core::train::presets::PRESETS;
use std::path::Path;

/// Settings under which a step takes next to no time.
const SMALL: &str = "images=1000&gChannels=2&dChannels=2&batch=4";

#[test]
fn each_seed_is_diagnosed_and_a_run_that_explodes_is_named() {
    let scene = Scene::new();
    let broken = format!("broken={SMALL}&loss=leastsquares&optimizer=sgd&gRate=1&dRate=1");
    let args = ["diagnose", "--row", &broken, "--seeds", "2", "--steps", "60", "--every", "30"];
    let output = scene.succeeds(&args);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("| broken | – | not-finite (30) | not-finite (30) | 0 of 2 |"), "{table}");
}

/// How each of these presets, from so many seeds, was diagnosed; on MNIST, which `npm run data` prepares.
fn diagnoses(presets: &[&str], seeds: usize, steps: usize) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mnist");
    let (seeds, steps) = (seeds.to_string(), steps.to_string());
    let args = ["diagnose", "--data", data.to_str().unwrap(), "--seeds", &seeds, "--steps", &steps, "--row"];
    let table = String::from_utf8(Scene::new().succeeds(&[&args[..], presets].concat()).stdout).unwrap();
    for preset in presets {
        let row = table.lines().find(|line| line.starts_with(&format!("| {preset} |")));
        let right = format!("| {seeds} of {seeds} |");
        assert!(row.is_some_and(|row| row.ends_with(&right)), "{preset}: {table}");
    }
}

#[test]
fn what_presets_break_is_named_within_a_thousand_steps() {
    let broken: Vec<&str> = PRESETS.iter().map(|p| p.name).filter(|name| name.starts_with("break-")).collect();
    assert_eq!(broken.len(), 7);
    diagnoses(&broken, 2, 1000);
}

#[test]
fn presets_that_work_are_left_alone_through_three_thousand() {
    diagnoses(&["quick", "robust"], 2, 3000);
}

#[test]
fn a_run_under_care_goes_back_from_what_is_no_number() {
    let scene = Scene::new();
    let set = SMALL.split('&').chain(["loss=leastsquares", "optimizer=sgd", "gRate=1", "dRate=1"]);
    let mut args = vec!["train", "--doctor", "--steps", "300", "--out", "run", "--set"];
    args.extend(set);
    let output = scene.succeeds(&args);
    let said = String::from_utf8(output.stderr).unwrap();
    for words in [
        "No numbers any more",
        "It broke in step ",
        ": layer ",
        "Back to step 0, and on from there with gRate=0.1&dRate=0.1",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let metrics = scene.json("run/metrics.json");
    let losses = metrics["history"]["dLoss"].as_array().unwrap();
    assert!(!losses.is_empty() && losses.iter().all(serde_json::Value::is_number), "{said}");
    assert_eq!((&metrics["values"]["gRate"], &metrics["values"]["dRate"]), (&"0.1".into(), &"0.1".into()));
}

#[test]
fn the_last_steps_of_a_run_are_examined_however_few() {
    let scene = Scene::new();
    let mut args = vec!["train", "--doctor", "--steps", "60", "--out", "run", "--set"];
    args.extend(SMALL.split('&').chain(["loss=leastsquares", "optimizer=sgd", "gRate=1", "dRate=1"]));
    let said = String::from_utf8(scene.succeeds(&args).stderr).unwrap();
    assert!(said.contains("Step 60: No numbers any more"), "{said}");
    assert!(said.contains("Back to step 0, and on from there"), "{said}");
    assert_eq!(scene.json("run/metrics.json")["steps"], 60);
}

#[test]
fn care_changes_nothing_of_a_run_that_is_well() {
    let scene = Scene::new();
    for (out, more) in [("alone", None), ("cared", Some("--doctor"))] {
        let mut args = vec!["train", "--steps", "300", "--out", out, "--set"];
        args.extend(SMALL.split('&'));
        args.extend(more);
        scene.succeeds(&args);
    }
    assert!(scene.get("alone/model.safetensors") == scene.get("cared/model.safetensors"));
}
