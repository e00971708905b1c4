//! All settings and presets as JSON, for whoever draws them: the page's controls and the command line's table. And the
//! networks that settings describe, for the page's diagrams.

use super::json::Json;
use super::presets::{PRESETS, Preset};
use super::settings::{GROUPS, Group, Loss, ROWS, Row, Settings, When};
use crate::data::{DIGITS, MNIST_IMAGES};
use crate::error::Result;
use crate::layers::LayerSummary;
use crate::models::gan::{GRID_ROWS, Gan};
use crate::models::losses::formulas;
use crate::models::summary::{NetworkSummary, summaries};

fn texts(texts: &[&str]) -> Json {
    Json::Array(texts.iter().map(|text| Json::text(text)).collect())
}

fn group(group: &Group) -> Json {
    Json::object(vec![("key", Json::text(group.key)), ("label", Json::text(group.label))])
}

fn row(row: &Row) -> Json {
    let mut fields = vec![
        ("key", Json::text(row.key)),
        ("group", Json::text(row.group)),
        ("label", Json::text(row.label)),
        ("help", Json::text(row.help)),
    ];
    fields.extend(row.kind.fields());
    fields.extend([("default", Json::text(row.default)), ("restart", Json::Bool(row.restart))]);
    if !row.when.is_empty() {
        let case =
            |When { key, values }: &When| Json::object(vec![("key", Json::text(key)), ("values", texts(values))]);
        fields.push(("when", Json::Array(row.when.iter().map(case).collect())));
    }
    Json::object(fields)
}

/// A preset with the values of all settings, also those that it leaves at their defaults.
fn preset(preset: &Preset) -> Json {
    let own = |key| preset.values.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
    let values = ROWS.iter().map(|row| (row.key, Json::text(own(row.key).unwrap_or(row.default))));
    Json::object(vec![
        ("name", Json::text(preset.name)),
        ("label", Json::text(preset.label)),
        ("help", Json::text(preset.help)),
        ("values", Json::object(values.collect())),
    ])
}

/// `{"groups": […], "settings": […], "presets": […], "grid": {rows, columns}, "scores": […], "formulas": {…}}`: [`GROUPS`], [`ROWS`], and
/// [`PRESETS`] with every setting's value as text. The grid's extents are in images. `scores` are the values of `loss` with
/// which the discriminator's opinion is a score instead of a probability; `formulas` say for each what D and G minimise.
pub fn describe() -> String {
    let grid = Json::object(vec![("rows", Json::number(GRID_ROWS)), ("columns", Json::number(DIGITS))]);
    Json::object(vec![
        ("groups", Json::Array(GROUPS.iter().map(group).collect())),
        ("settings", Json::Array(ROWS.iter().map(row).collect())),
        ("presets", Json::Array(PRESETS.iter().map(preset).collect())),
        ("grid", grid),
        (
            "scores",
            texts(&Loss::all().filter(|(_, loss)| !loss.is_probabilistic()).map(|(text, _)| text).collect::<Vec<_>>()),
        ),
        ("formulas", Json::object(Loss::all().map(|(text, loss)| (text, texts(&formulas(loss)))).collect())),
    ])
    .write()
}

fn shape(extents: &[usize]) -> Json {
    Json::Array(extents.iter().map(|&extent| Json::number(extent)).collect())
}

fn layer(layer: &LayerSummary) -> Json {
    Json::object(vec![
        ("name", Json::text(&layer.name)),
        ("kind", Json::text(layer.kind)),
        ("detail", Json::text(&layer.detail)),
        ("shape", shape(&layer.shape)),
        ("parameters", Json::number(layer.parameters)),
    ])
}

fn network(network: &NetworkSummary) -> Json {
    Json::object(vec![
        ("network", Json::text(network.name)),
        ("parameters", Json::number(network.parameters())),
        ("input", shape(&network.input)),
        ("layers", Json::Array(network.layers.iter().map(layer).collect())),
    ])
}

/// `[{network, parameters, input, layers: [{name, kind, detail, shape, parameters}, …]}, …]`: G and D, see
/// [`NetworkSummary`].
///
/// # Errors
/// [`crate::Error`] where the settings give shapes that don't fit.
pub fn networks(settings: &Settings) -> Result<String> {
    // A single sample passes where a batch may not.
    Gan::record(settings, MNIST_IMAGES, false)?;
    Ok(Json::Array(summaries(settings)?.iter().map(network).collect()).write())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(row("lambda")["when"][0]["key"], "loss");
        assert_eq!(json["formulas"]["wasserstein"], serde_json::json!(["E d(G(z)) − E d(x)", "−E d(G(z))"]));
        assert_eq!(json["formulas"].as_object().unwrap().len(), Loss::CHOICES.len());
        assert_eq!(json["scores"], serde_json::json!(["leastsquares", "hinge", "wasserstein", "relativistic"]));
        assert_eq!(row("beta1")["max"], 0.9999);
        assert_eq!(row("gRate")["restart"], false);
        assert_eq!(row("noise").get("when"), None);
        assert!(json["groups"].as_array().unwrap().iter().any(|g| g["key"] == "model"));
    }

    #[test]
    fn networks_come_with_every_layer() {
        let settings = crate::train::settings::resolve("dChannels=3&slope=0.25").unwrap().settings;
        let json: serde_json::Value = serde_json::from_str(&networks(&settings).unwrap()).unwrap();
        let d = &json[1];
        let learnt: u64 = d["layers"].as_array().unwrap().iter().map(|l| l["parameters"].as_u64().unwrap()).sum();
        assert_eq!((&d["network"], d["parameters"].as_u64()), (&"discriminator".into(), Some(learnt)));
        assert_eq!(d["input"], serde_json::json!([784]));
        let leaky = serde_json::json!(
            {"name": "", "kind": "activation", "detail": "leaky ReLU 0.25", "shape": [14, 14, 3], "parameters": 0}
        );
        assert_eq!(d["layers"][2], leaky);
    }
}
