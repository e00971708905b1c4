//! `digit-forge diagnose`, and `train --doctor`.

use crate::scene::Scene;

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
