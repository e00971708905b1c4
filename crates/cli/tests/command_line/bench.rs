//! `digit-forge bench`.

use crate::scene::{Scene, said};
use serde_json::Value;

const SMALL: [&str; 4] = ["bench", "--seconds", "0.2", "--settings"];

/// A figure is positive and within its interval.
fn is_figure(value: &Value) -> bool {
    let [median, low, high] = ["median", "low", "high"].map(|key| value[key].as_f64().unwrap_or(f64::NAN));
    0.0 < low && low <= median && median <= high && value["count"].as_u64() >= Some(1)
}

#[test]
fn every_part_is_measured_and_told_twice() {
    let scene = Scene::new();
    let args = [&SMALL[..], &["gChannels=1&batch=2&images=1000", "--json", "figures.json"]].concat();
    let output = scene.succeeds(&args);
    let (tables, json) = (String::from_utf8(output.stdout).unwrap(), scene.json("figures.json"));

    assert_eq!((&json["engine"], &json["seconds"]), (&"cpu".into(), &0.2.into()));
    assert!(json["machine"]["threads"].as_u64() >= Some(1) && json["load"].as_array().unwrap().len() == 2);

    let step = &json["steps"][0];
    assert_eq!(step["name"], "given");
    assert_eq!(step["settings"], "preset=quick&images=1000&batch=2&gChannels=1");
    assert!(["ms", "productsMs", "ratio"].iter().all(|key| is_figure(&step[key])), "{step}");
    assert!(step["mflop"].as_f64() > Some(0.1), "{step}");

    let operations = json["operations"][0]["rows"].as_array().unwrap();
    assert!(operations.len() == 10 && operations.iter().all(|o| is_figure(&o["us"])), "{operations:?}");
    assert!(tables.contains("Operations of given, each alone") && tables.contains("together"), "{tables}");

    let products = json["products"]["rows"].as_array().unwrap();
    assert!(products.len() > 20 && is_figure(&json["products"]["ceiling"]));
    // The smallest one is never too long.
    assert!(is_figure(&products[0]["gflops"]) && is_figure(&products[0]["share"]), "{}", products[0]);
    assert!(products.iter().all(|p| tables.contains(p["product"].as_str().unwrap())), "{tables}");

    let series = json["series"].as_array().unwrap();
    let along: Vec<&Value> = series.iter().map(|s| &s["along"]).collect();
    assert_eq!(along, ["batch", "width"]);
    assert_eq!(series[0]["points"][3]["value"], 1024);
    assert!(series.iter().all(|s| is_figure(&s["points"][0]["ms"])), "{series:?}");
    assert!(tables.contains("given, growing batch") && tables.contains("step ÷ products"), "{tables}");
}

#[test]
fn points_that_settings_do_not_allow_are_left_out() {
    let scene = Scene::new();
    let args = [&SMALL[..], &["dChannels=64&batch=1&images=1000", "--only", "scaling", "--json", "f"]].concat();
    let output = scene.succeeds(&args);
    let series = scene.json("f")["series"].clone();
    let values = |along: usize| {
        let points = series[along]["points"].as_array().unwrap();
        points.iter().map(|point| point["value"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((values(0), values(1)), (vec![16, 64, 256, 1024], vec![1]));
    assert!(said(&output).contains("width 2 of given is left out: `dChannels=128`"), "{}", said(&output));
}

#[test]
fn only_the_part_asked_for_is_measured() {
    let scene = Scene::new();
    let args = [&SMALL[..], &["network=mlp&gWidths=8&dWidths=8&images=1000", "--only", "scaling", "--json", "f"]];
    scene.succeeds(&args.concat());
    let json = scene.json("f");
    assert_eq!((&json["steps"], &json["products"]), (&Value::Array(vec![]), &Value::Null));
    assert_eq!(json["series"][1]["along"], "width");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let scene = Scene::new();
    for (args, code, texts) in [
        (&["--seconds", "0"][..], 2, &["--seconds", "at most a day"][..]),
        (&["--seconds", "NaN"], 2, &["--seconds"]),
        (&["--seconds", "-3"], 2, &["-3"]),
        (&["--only", "losses"], 2, &["losses", "steps", "operations", "products", "scaling"]),
        (&["--engine", "tpu"], 2, &["tpu", "cpu", "gpu"]),
        (&["--settings", "batch=0"], 1, &["`batch=0`", "whole number from 1"]),
        (&["--settings", "bach=3"], 1, &["did you mean `batch`"]),
        (&["--settings", "images=1000", "--only", "steps", "--seconds", "0.1", "--json", "no/where"], 1, &["no/where"]),
    ] {
        scene.refuses(&[&["bench"], args].concat(), code, texts);
    }
}

#[test]
fn the_gpu_is_measured_where_there_is_one() {
    let scene = Scene::new();
    let args = ["--engine", "gpu", "--only", "steps", "products", "--json", "f"];
    let small = [&SMALL[..], &["gChannels=1&batch=2&images=1000"], &args].concat();
    let output = scene.command(&small).output().unwrap();
    if !output.status.success() {
        let said = said(&output);
        assert!(said.contains("no adapter"), "{said}");
        assert!(std::env::var("REQUIRE_GPU").is_err(), "REQUIRE_GPU is set: {said}");
        eprintln!("NOT TESTED, as there is no GPU adapter here: {said}");
        return;
    }
    let json = scene.json("f");
    assert_eq!(json["engine"], "gpu");
    assert!(is_figure(&json["steps"][0]["ms"]) && is_figure(&json["products"]["rows"][0]["gflops"]));
}
