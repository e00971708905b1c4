//! All settings and presets as JSON, for whoever draws them: the page's controls and the command line's table.

use super::presets::{PRESETS, Preset};
use super::settings::{GROUPS, Group, ROWS, Row};
use crate::models::gan::{DIGITS, GRID_ROWS};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Description {
    groups: &'static [Group],
    settings: &'static [Row],
    presets: Vec<FullPreset>,
    grid: Grid,
}

/// Extents of the grid, in images.
#[derive(Serialize)]
struct Grid {
    rows: usize,
    columns: usize,
}

/// A preset with the values of all settings, also those that it leaves at their defaults.
#[derive(Serialize)]
struct FullPreset {
    #[serde(flatten)]
    preset: Preset,
    values: BTreeMap<&'static str, &'static str>,
}

impl FullPreset {
    fn of(preset: &Preset) -> Self {
        let own = |key| preset.values.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
        let values = ROWS.iter().map(|row| (row.key, own(row.key).unwrap_or(row.default)));
        FullPreset { preset: *preset, values: values.collect() }
    }
}

/// `{"groups": […], "settings": […], "presets": […], "grid": {rows, columns}}`: [`GROUPS`], [`ROWS`], and [`PRESETS`]
/// with every setting's value as text.
pub fn describe() -> String {
    let presets = PRESETS.iter().map(FullPreset::of).collect();
    let description =
        Description { groups: GROUPS, settings: ROWS, presets, grid: Grid { rows: GRID_ROWS, columns: DIGITS } };
    serde_json::to_string(&description).expect("plain tables with text keys always make JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::settings::Settings;

    #[test]
    fn presets_come_with_the_values_that_they_resolve_to() {
        let json: serde_json::Value = serde_json::from_str(&describe()).unwrap();
        assert_eq!(json["presets"].as_array().unwrap().len(), PRESETS.len());
        for (preset, described) in PRESETS.iter().zip(json["presets"].as_array().unwrap()) {
            let settings = Settings::of(preset).unwrap();
            assert_eq!(described["name"], preset.name);
            assert_eq!(described["values"].as_object().unwrap().len(), ROWS.len());
            for row in ROWS {
                assert_eq!(described["values"][row.key], row.get(&settings), "{} of {}", row.key, preset.name);
            }
        }
    }

    #[test]
    fn ranges_stand_beside_the_kind() {
        let json: serde_json::Value = serde_json::from_str(&describe()).unwrap();
        let row = |key: &str| {
            let rows = json["settings"].as_array().unwrap();
            rows.iter().find(|r| r["key"] == key).unwrap().clone()
        };
        assert_eq!(row("batch")["kind"], "integer");
        assert_eq!(row("batch")["max"], 1024);
        assert_eq!(row("loss")["choices"][1]["value"], "minimax");
        assert_eq!(row("lambda")["when"]["key"], "loss");
        assert_eq!(row("beta1")["max"], 0.9999);
        assert_eq!(row("gRate")["restart"], false);
        assert_eq!(row("noise").get("when"), None);
        assert!(json["groups"].as_array().unwrap().iter().any(|g| g["key"] == "model"));
    }
}
