//! `digit-forge settings`.

use crate::scene::Scene;
use digit_forge_core::train::settings::ROWS;
use serde_json::Value;

#[test]
fn settings_are_listed_as_a_table_and_as_json() {
    let scene = Scene::new();
    let table = String::from_utf8(scene.succeeds(&["settings"]).stdout).unwrap();
    let json: Value = serde_json::from_slice(&scene.succeeds(&["settings", "--json"]).stdout).unwrap();
    for row in ROWS {
        let line = table.lines().find(|line| line.split_whitespace().next() == Some(row.key));
        assert!(line.is_some_and(|line| line.contains(row.help) && line.contains(row.default)), "{}", row.key);
        let described = json["settings"].as_array().unwrap().iter().find(|s| s["key"] == row.key).unwrap();
        assert_eq!(described["default"], row.default);
    }
    assert!(json["groups"].is_array() && json["presets"][0]["values"]["batch"] == "16");
    assert!(table.contains("primer-case"));
}
