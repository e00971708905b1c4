//! `digit-forge compare`.

use crate::scene::Scene;
use digit_forge_core::train::presets::PRESETS;
use serde_json::Value;

/// Settings under which a step takes next to no time.
const SMALL: &str = "images=1000&gChannels=2&dChannels=2&batch=4";

/// The scene with its training files as test files, too.
fn with_test_files() -> Scene {
    let scene = Scene::new();
    for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
        let file = scene.get(&format!("data/mnist/train-{kind}"));
        scene.put(&format!("data/mnist/t10k-{kind}"), &file);
    }
    scene
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn each_row_is_read_from_each_seed_at_each_step() {
    let scene = with_test_files();
    let (plain, none) = (format!("plain={SMALL}"), format!("without labels={SMALL}&condition=none&loss=wasserstein"));
    let args = ["compare", "--row", &plain, &none, "--seeds", "2", "--steps", "12", "3", "12", "--samples", "30"];
    let output = scene.succeeds(&[&args[..], &["--json", "figures.json", "--grids", "grids"]].concat());
    let json = scene.json("figures.json");

    assert_eq!((&json["engine"], &json["seeds"]), (&"cpu".into(), &2.into()));
    assert!(json["judge"].as_str().unwrap().contains("seed=1"), "{}", json["judge"]);
    // Bars at ten heights are no digits: the judge reads equal ones alike, three of each of ten.
    let shares = numbers(&json["real"]["shares"]);
    assert!(
        shares.iter().all(|share| (share * 10.0).fract() < 1e-9 || (share * 10.0).fract() > 1.0 - 1e-9),
        "{shares:?}"
    );
    assert_eq!((&json["real"]["copies"], &json["real"]["features"]), (&Value::Null, &Value::Null));
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["settings"], "preset=quick&images=1000&batch=4&gChannels=2&dChannels=2");
    for row in rows {
        let runs = row["runs"].as_array().unwrap();
        assert_eq!((runs.len(), &runs[0]["seed"], &runs[1]["seed"]), (2, &1.into(), &2.into()));
        for run in runs {
            let readings = run["readings"].as_array().unwrap();
            assert_eq!((readings.len(), &readings[0]["steps"], &readings[1]["steps"]), (2, &3.into(), &12.into()));
            for reading in readings {
                let shares = numbers(&reading["shares"]);
                assert!(shares.len() == 10 && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{reading}");
                for key in ["agreement", "f1", "weakest"] {
                    assert_eq!(reading[key].is_null(), row["name"] == "without labels", "{key}");
                }
                assert!(["seconds", "tflop"].iter().all(|key| reading[key].as_f64() > Some(0.0)), "{reading}");
                assert!(["dReal", "dTest", "dFake", "dFurthest"].iter().all(|key| reading[key].is_f64()), "{reading}");
                // Test images are the training images here, and D is asked about all of both in the same order.
                assert_eq!(reading["dReal"], reading["dTest"]);
            }
        }
        assert_ne!(runs[0]["readings"][1]["dReal"], runs[1]["readings"][1]["dReal"]);
    }
    let grids = scene.list("grids");
    assert_eq!(grids.len(), 8);
    assert!(grids.contains(&"without labels-2-12.png".into()), "{grids:?}");

    let table = String::from_utf8(output.stdout).unwrap();
    let cells: Vec<Vec<&str>> = table.lines().filter(|l| l.starts_with('|')).map(|l| l.split('|').collect()).collect();
    assert!(cells.iter().all(|line| line.len() == cells[0].len()), "{table}");
    let names: Vec<&str> = cells.iter().map(|line| line[1].trim()).collect();
    assert_eq!(names, ["", "---", "real test images", "plain", "plain", "without labels", "without labels"]);
    assert!(table.contains("- plain: `preset=quick&images=1000&batch=4&gChannels=2&dChannels=2`"), "{table}");
}

#[test]
fn test_files_of_few_images_are_enough() {
    let scene = with_test_files();
    let row = "plain=gChannels=2&dChannels=2&batch=4";
    let args = ["compare", "--row", row, "--seeds", "1", "--steps", "2", "--samples", "10", "--json", "figures.json"];
    scene.succeeds(&args);
    assert!(scene.json("figures.json")["rows"][0]["runs"][0]["readings"][0]["dTest"].is_number());
}

#[test]
fn reading_changes_nothing_of_a_run() {
    let scene = Scene::new();
    let row = format!("plain={SMALL}");
    let args = ["compare", "--row", &row, "--seeds", "1", "--samples", "20"];
    scene.succeeds(&[&args[..], &["--steps", "2", "5", "9", "--grids", "often", "--json", "often.json"]].concat());
    let columns = ["--columns", "fakes", "h"];
    let output =
        scene.succeeds(&[&args[..], &columns, &["--steps", "9", "--grids", "once", "--json", "once.json"]].concat());
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("|  | steps | on fakes | H |\n| --- | --: | --: | --: |\n| plain | 9 | "), "{table}");
    assert!(scene.get("often/plain-1-9.png") == scene.get("once/plain-1-9.png"));
    let [often, once] =
        ["often.json", "once.json"].map(|file| scene.json(file)["rows"][0]["runs"][0]["readings"].clone());
    assert_eq!((&often[2]["dReal"], &often[2]["entropy"]), (&once[0]["dReal"], &once[0]["entropy"]));
    // Without test files nothing is said about them.
    assert!(once[0]["dTest"].is_null());

    scene.trains(&["--steps", "9", "--out", "run"]);
    assert!(scene.get("run/grid.png") == scene.get("once/plain-1-9.png"));
}

#[test]
fn distances_stand_beside_those_of_real_images() {
    let scene = with_test_files();
    let row = format!("plain={SMALL}");
    let args = ["compare", "--row", &row, "--seeds", "1", "--steps", "3", "--samples", "100", "--json", "figures.json"];
    let output = scene.succeeds(&[&args[..], &["--columns", "f1", "fd", "density", "coverage"]].concat());
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("|  | steps | F1 | FD | density | coverage |"), "{table}");
    let json = scene.json("figures.json");
    let fd = |of: &Value| of["features"]["fd"].as_f64().unwrap();
    // The training images are the test images here.
    let (floor, run) = (fd(&json["floor"]), fd(&json["rows"][0]["runs"][0]["readings"][0]));
    assert!(floor < 0.1 * run, "{floor}, {run}");
    scene.refuses(&[&args[..7], &["--samples", "20", "--columns", "fd"]].concat(), 1, &["20", "65"]);
}

#[test]
fn a_name_alone_is_a_preset_and_none_at_all_is_every_preset() {
    let scene = Scene::new();
    let args = ["compare", "--seeds", "1", "--steps", "1", "--samples", "10", "--json", "figures.json"];
    scene.succeeds(&[&args[..], &["--row", "primer-case"]].concat());
    let json = scene.json("figures.json");
    assert_eq!(
        (&json["rows"][0]["name"], &json["rows"][0]["settings"]),
        (&"primer-case".into(), &"preset=primer-case".into())
    );
    scene.succeeds(&args);
    let rows = scene.json("figures.json")["rows"].clone();
    let names: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let scene = Scene::new();
    let row = format!("plain={SMALL}");
    for (args, code, texts) in [
        (&["--row", "quack"][..], 1, &["`preset=quack`", "expected one of quick"][..]),
        (&["--row", "=batch=3"], 2, &["NAME=TEXT"]),
        (&["--row", "../up=batch=3"], 2, &["NAME=TEXT"]),
        (&["--row", "a=batch=0"], 1, &["`batch=0`", "whole number from 1"]),
        (&["--row", "a=bach=3"], 1, &["did you mean `batch`"]),
        (&["--row", "a=images=1000&seed=7"], 2, &["--row a", "--seeds"]),
        (&["--row", &row, &row], 2, &["--row plain", "two rows"]),
        (&["--row", &row, "--seeds", "0"], 2, &["--seeds"]),
        (&["--row", &row, "--steps", "0"], 2, &["--steps"]),
        (&["--row", &row, "--steps", "many"], 2, &["many"]),
        (&["--row", &row, "--samples", "15"], 2, &["'15'", "multiple of 10"]),
        (&["--row", &row, "--columns", "beauty"], 2, &["beauty", "agreement", "furthest"]),
        (&["--row", &row, "--engine", "tpu"], 2, &["tpu", "cpu", "gpu"]),
        (&["--row", &row, "--data", "nowhere"], 1, &["nowhere", "npm run data"]),
        (&["--row", &row, "--json", "no/where"], 1, &["no/where", "can't be written"]),
    ] {
        scene.refuses(&[&["compare"], args].concat(), code, texts);
    }
    scene.put("data/mnist/t10k-labels-idx1-ubyte", b"no labels");
    scene.refuses(&["compare", "--row", &row], 1, &["t10k-images-idx3-ubyte", "not found"]);
}
