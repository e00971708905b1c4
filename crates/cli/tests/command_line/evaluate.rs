//! `digit-forge evaluate`.

use crate::scene::{Scene, image, said};
use digit_forge_core::data::{IMAGE, idx};
use serde_json::Value;

/// Bars, each with some specks of its own: in files of a kind.
fn put_set(scene: &Scene, [images, labels]: [&str; 2], count: usize, stream: usize) {
    let wanted: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    let specked = |i: usize| {
        let mut pixels = image(wanted[i]);
        for speck in 0..30 {
            let at = (i * 31 + stream * 101 + speck * 7919) * 40_503 % 65_521;
            pixels[at % IMAGE.pixels()] = (at / 3) as u8;
        }
        pixels
    };
    let pixels: Vec<u8> = (0..count).flat_map(specked).collect();
    scene.put(images, &idx::write_images(IMAGE, &pixels));
    scene.put(labels, &idx::write_labels(&wanted));
}

const TRAINING: [&str; 2] = ["data/mnist/train-images-idx3-ubyte", "data/mnist/train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["data/mnist/t10k-images-idx3-ubyte", "data/mnist/t10k-labels-idx1-ubyte"];

fn scene() -> Scene {
    let scene = Scene::new();
    put_set(&scene, TRAINING, 1000, 1);
    put_set(&scene, TEST, 300, 2);
    scene
}

fn evaluated(scene: &Scene, args: &[&str]) -> Value {
    let output = scene.succeeds(&[&["evaluate", "--report", "json"], args].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(scene: &Scene, args: &[&str]) -> String {
    String::from_utf8(scene.succeeds(&[&["evaluate"], args].concat()).stdout).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn a_model_is_told_by_its_folder_or_its_file() {
    let scene = scene();
    scene.trains(&["--steps", "20", "--out", "run"]);
    let json = evaluated(&scene, &["run", "--samples", "200"]);
    assert_eq!((&json["samples"], &json["steps"]), (&200.into(), &20.into()));
    assert_eq!(json["subject"], "run/model.safetensors");
    assert!(json["settings"].as_str().unwrap().starts_with("preset=quick&images=1000"), "{json}");

    let rows = json["report"]["confusion"].as_array().unwrap();
    let mut right = 0;
    for (digit, row) in rows.iter().enumerate() {
        let row: Vec<u64> = row.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
        assert_eq!(row.iter().sum::<u64>(), 20);
        right += row[digit];
        assert_eq!(number(&json["report"]["digits"][digit]["recall"]), row[digit] as f64 / 20.0);
    }
    assert_eq!(number(&json["report"]["accuracy"]), right as f64 / 200.0);
    assert_eq!(json["report"]["weightedAverage"]["support"], 200);
    assert_eq!(json["ceiling"]["macroAverage"]["support"], 300);
    let shares = json["read"]["shares"].as_array().unwrap();
    assert!((shares.iter().map(number).sum::<f64>() - 1.0).abs() < 1e-9);

    // What is drawn by twenty steps is further off than real images are.
    let (own, floor) = (&json["distances"], &json["floor"]);
    assert_eq!((&own["images"], &floor["images"], &own["testImages"]), (&200.into(), &200.into(), &300.into()));
    assert!(number(&own["fd"]) > 3.0 * number(&floor["fd"]), "{own} {floor}");
    assert!(number(&own["kid"]) > number(&floor["kid"]), "{own} {floor}");
    assert!(number(&own["coverage"]) < number(&floor["coverage"]), "{own} {floor}");
    assert_eq!((&json["memory"]["trainingImages"], &json["memory"]["copies"]), (&1000.into(), &0.into()));
    assert!(number(&json["memory"]["ratio"]) > 1.0, "{}", json["memory"]);
    assert!(json["cas"].is_null());

    let of_file = evaluated(&scene, &["run/model.safetensors", "--samples", "200"]);
    assert_eq!(of_file, json);
    let text = text(&scene, &["run", "--samples", "200"]);
    for part in [
        "run/model.safetensors, preset=quick&images=1000",
        ", 20 steps",
        "200 images, 200 of them different, read by the judge seed=",
        "f1-score   support",
        "weighted avg",
        "300 real test images",
        "200 images against 300 real test images; the floor is 200 real training images",
        "Fréchet distance (FD)",
        "coverage",
        "nearest of 1000 training images",
    ] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
    assert_eq!(text.matches("f1-score").count(), 2);
}

#[test]
fn of_a_model_without_labels_it_is_told_which_digits_are_read_instead() {
    let scene = scene();
    scene.succeeds(
        &[
            &["train", "--steps", "2", "--out", "run", "--set", "images=1000", "gChannels=2", "dChannels=2"][..],
            &["condition=none"],
        ]
        .concat(),
    );
    let json = evaluated(&scene, &["run", "--samples", "150"]);
    assert!(json["report"].is_null() && json["ceiling"]["accuracy"].is_f64());
    assert!((0.0..=10f64.ln()).contains(&number(&json["read"]["entropy"])));
    let text = text(&scene, &["run", "--samples", "150"]);
    assert!(text.contains("there is no report") && text.contains("Digits read: entropy"), "{text}");
    assert_eq!(text.matches("f1-score").count(), 1);
    scene.refuses(&["evaluate", "run", "--samples", "150", "--cas"], 1, &["`condition=none`", "--cas", "labels"]);
}

#[test]
fn files_that_copy_the_training_images_or_mislabel_them_are_found_out() {
    let scene = scene();
    let json = evaluated(&scene, &["--idx", TRAINING[0], TRAINING[1]]);
    assert_eq!((&json["samples"], &json["memory"]["copies"]), (&1000.into(), &1000.into()));
    assert_eq!(json["different"], 1000);
    assert_eq!((number(&json["memory"]["ratio"]), number(&json["memory"]["close"])), (0.0, 1.0));
    // They are the very images of the floor.
    assert_eq!(json["distances"], json["floor"]);
    assert!(json["settings"].is_null() && json["steps"].is_null());

    // The same images, each asked to be the next digit.
    let labels: Vec<u8> = (0..1000).map(|i| ((i + 1) % 10) as u8).collect();
    scene.put("wrong", &idx::write_labels(&labels));
    let wrong = evaluated(&scene, &["--idx", TRAINING[0], "wrong"]);
    assert_eq!((&wrong["distances"], &wrong["memory"]), (&json["distances"], &json["memory"]));
    let turned = |of: &Value| -> Vec<Value> {
        let mut rows = of["report"]["confusion"].as_array().unwrap().clone();
        rows.rotate_left(1);
        rows
    };
    assert_eq!(turned(&wrong), *json["report"]["confusion"].as_array().unwrap());
}

#[test]
fn the_classification_accuracy_score_stands_beside_that_of_real_images() {
    let scene = scene();
    // What shows nothing teaches nothing, and bars teach bars.
    scene.put("blank", &idx::write_images(IMAGE, &vec![0; 200 * IMAGE.pixels()]));
    scene.put("labels", &idx::write_labels(&(0..200).map(|i| (i % 10) as u8).collect::<Vec<_>>()));
    let json = evaluated(&scene, &["--idx", "blank", "labels", "--cas", "--cas-steps", "60"]);
    assert_eq!((&json["cas"]["images"], &json["cas"]["steps"]), (&200.into(), &60.into()));
    assert_eq!((&json["samples"], &json["different"]), (&200.into(), &1.into()));
    assert!(number(&json["cas"]["score"]) < 0.3, "{}", json["cas"]);
    assert!(number(&json["cas"]["real"]) > 0.7, "{}", json["cas"]);
}

#[test]
fn what_can_not_be_evaluated_is_named() {
    let scene = scene();
    scene.trains(&["--steps", "1", "--out", "run"]);
    scene.put("broken", &scene.get("run/model.safetensors")[..900]);
    scene.put("short", b"");
    let idx = ["--idx", TEST[0], TEST[1]];
    for (args, code, texts) in [
        (&[][..], 2, &["DIR|CHECKPOINT"][..]),
        (&["nowhere"], 1, &["nowhere", "can't be read"]),
        (&["data"], 1, &["data/model.safetensors", "can't be read"]),
        (&["broken"], 1, &["broken", "not a whole safetensors file"]),
        (&["short"], 1, &["short: "]),
        (&["run", "--samples", "15"], 2, &["'15'", "multiple of 10"]),
        (&["run", "--samples", "60"], 1, &["images to evaluate: 60 rows", "covariance"]),
        (&["run", "--report", "html"], 2, &["html", "text", "json"]),
        (&["run", "--data", "nowhere"], 1, &["nowhere/train-images-idx3-ubyte", "npm run data"]),
        (&["run", idx[0], idx[1], idx[2]], 2, &["--idx", "cannot be used with"]),
        (&[idx[0], idx[1], idx[2], "--samples", "200"], 2, &["--samples", "cannot be used with"]),
        (&["--idx", TEST[0]], 2, &["2 values", "--idx"]),
        (&["--idx", TEST[0], TRAINING[1]], 1, &["300 images but 1000 labels"]),
        (&["run", "--transpose"], 2, &["--transpose", "cannot be used with"]),
        (&["run", "--cas-steps", "9"], 2, &["--cas"]),
        (&["run", "--cas", "--cas-steps", "0"], 2, &["--cas-steps"]),
    ] {
        scene.refuses(&[&["evaluate"], args].concat(), code, texts);
    }
    std::fs::remove_file(scene.path(TEST[1])).unwrap();
    scene.refuses(&["evaluate", "run"], 1, &[TEST[1], "npm run data"]);
}

#[test]
fn what_is_judged_is_said_while_it_works() {
    let scene = scene();
    let output = scene.succeeds(&["evaluate", "--idx", TEST[0], TEST[1]]);
    let said = said(&output);
    assert!(said.contains("reading 300 images") && said.contains("nearest of 1000 training images"), "{said}");
}
