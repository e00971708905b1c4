//! The GPU engine. `REQUIRE_GPU=1`, as `npm test` sets it, makes a missing adapter a failure.

use crate::scene::{SMALL, Scene, said};
use serde_json::Value;

#[test]
fn losses_on_the_gpu_are_those_of_the_cpu() {
    let scene = Scene::new();
    let train = ["train", "--steps", "5", "--samples", "20", "--engine"];
    let gpu = scene.command(&[&train[..], &["gpu", "--out", "gpu"], &SMALL].concat()).output().unwrap();
    if !gpu.status.success() {
        let said = said(&gpu);
        assert!(said.contains("no adapter") && said.contains("--engine cpu"), "{said}");
        assert!(std::env::var("REQUIRE_GPU").is_err(), "REQUIRE_GPU is set: {said}");
        eprintln!("NOT TESTED, as there is no GPU adapter here: {said}");
        return;
    }
    scene.succeeds(&[&train[..], &["cpu", "--out", "cpu"], &SMALL].concat());
    let (gpu, cpu) = (scene.json("gpu/metrics.json"), scene.json("cpu/metrics.json"));
    assert_eq!((&gpu["engine"], &cpu["engine"]), (&"gpu".into(), &"cpu".into()));
    let numbers = |metrics: &Value, column: &str| -> Vec<f64> {
        metrics["history"][column].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    for column in ["step", "dLoss", "gLoss", "dReal", "dFake"] {
        let (gpu, cpu) = (numbers(&gpu, column), numbers(&cpu, column));
        assert_eq!(gpu.len(), 5);
        assert!(gpu.iter().zip(&cpu).all(|(g, c)| (g - c).abs() < 1e-2), "{column}: GPU {gpu:?}, CPU {cpu:?}");
    }
    assert_eq!(scene.list("gpu"), scene.list("cpu"));

    // A checkpoint doesn't care which engine wrote it.
    scene.succeeds(&["train", "--resume", "gpu", "--steps", "1", "--out", "on"]);
    assert_eq!(scene.json("on/metrics.json")["runs"][1]["engine"], "cpu");

    // And what it draws is evaluated alike, whichever engine draws.
    for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
        scene.put(&format!("data/mnist/t10k-{kind}"), &scene.get(&format!("data/mnist/train-{kind}")));
    }
    let fd = |engine: &str| {
        let args = ["evaluate", "gpu", "--samples", "100", "--report", "json", "--engine", engine];
        let json: Value = serde_json::from_slice(&scene.succeeds(&args).stdout).unwrap();
        json["distances"]["fd"].as_f64().unwrap()
    };
    let (gpu, cpu) = (fd("gpu"), fd("cpu"));
    assert!((gpu - cpu).abs() < 1e-2 * cpu, "GPU {gpu}, CPU {cpu}");
}
