//! `metrics.json`: what a run was made from, and what was measured, step by step. A resumed run goes on in the arrays
//! of the earlier one.

use crate::failure::{Failure, Result};
use digit_forge_core::train::presets::Preset;
use digit_forge_core::train::settings::{ROWS, Settings};
use digit_forge_core::train::{Metrics, Trainer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// The file in a run's folder.
pub const FILE: &str = "metrics.json";

/// A column for each number of a step. A loss that isn't a finite number is `null`, as JSON has no other word for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    step: Vec<u32>,
    d_loss: Vec<Option<f32>>,
    g_loss: Vec<Option<f32>>,
    d_real: Vec<Option<f32>>,
    d_fake: Vec<Option<f32>>,
}

impl History {
    pub fn push(&mut self, metrics: &Metrics) {
        self.step.push(metrics.step);
        let columns = [&mut self.d_loss, &mut self.g_loss, &mut self.d_real, &mut self.d_fake];
        let values = [metrics.d_loss, metrics.g_loss, metrics.d_real, metrics.d_fake];
        for (column, value) in columns.into_iter().zip(values) {
            column.push(Some(value).filter(|v| v.is_finite()));
        }
    }

    /// The first step after which a loss was no finite number.
    pub fn broke_at(&self) -> Option<u32> {
        let whole = |i: usize| self.d_loss[i].is_some() && self.g_loss[i].is_some();
        (0..self.step.len()).find(|&i| !whole(i)).map(|i| self.step[i])
    }

    fn is_even(&self) -> bool {
        let columns = [&self.d_loss, &self.g_loss, &self.d_real, &self.d_fake];
        columns.iter().all(|column| column.len() == self.step.len()) && self.step.is_sorted()
    }

    /// Forgets what lies behind `step`.
    pub fn cut(&mut self, step: u32) {
        let kept = self.step.partition_point(|&s| s <= step);
        self.step.truncate(kept);
        for column in [&mut self.d_loss, &mut self.g_loss, &mut self.d_real, &mut self.d_fake] {
            column.truncate(kept);
        }
    }
}

/// One invocation's share of the steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stretch {
    /// Settings as text: learning rates may change from one to the next.
    pub settings: String,
    /// The data set, and how much of it; older files don't say.
    #[serde(default)]
    pub data: String,
    /// What tells that data set from others; older files don't say.
    #[serde(default)]
    pub content: String,
    pub engine: String,
    pub adapter: String,
    /// The step that it started from.
    pub after: u32,
    pub steps: u32,
    /// Training only: not the start, the samples and the files.
    pub seconds: f64,
    pub ms_per_step: Option<f64>,
}

/// What goes on from one invocation to the next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub history: History,
    pub runs: Vec<Stretch>,
}

impl Record {
    /// The record in this folder up to `step`; an empty one where there is none.
    pub fn of_folder(folder: &Path, step: u32) -> Result<Self> {
        let path = folder.join(FILE);
        let file = match std::fs::read(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Record::default()),
            Err(e) => return Err(Failure::io(&path, "read", &e)),
        };
        let broken =
            |why: String| Failure::File { path: path.clone(), why: format!("{why}; without it, the run resumes") };
        let mut record: Record = serde_json::from_slice(&file).map_err(|e| broken(e.to_string()))?;
        if !record.history.is_even() {
            return Err(broken("its columns don't belong together".into()));
        }
        // An invocation that ended between its files has measured more than the checkpoint knows.
        record.history.cut(step);
        record.runs.retain(|run| run.after < step);
        Ok(record)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    version: &'a str,
    preset: &'a str,
    settings: String,
    values: BTreeMap<&'a str, String>,
    engine: &'a str,
    adapter: String,
    steps: u32,
    images_seen: u64,
    /// Of all stretches.
    seconds: f64,
    /// Of the newest stretch.
    ms_per_step: Option<f64>,
    #[serde(flatten)]
    record: &'a Record,
}

/// The file's bytes.
pub fn report(preset: &Preset, trainer: &mut Trainer, record: &Record) -> Result<Vec<u8>> {
    let settings: &Settings = trainer.settings();
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        preset: preset.name,
        settings: trainer.settings_text()?,
        values: ROWS.iter().map(|row| (row.key, row.get(settings))).collect(),
        steps: trainer.steps(),
        images_seen: trainer.images_seen(),
        engine: trainer.engine_name(),
        adapter: trainer.adapter(),
        seconds: record.runs.iter().map(|run| run.seconds).sum(),
        ms_per_step: record.runs.last().and_then(|run| run.ms_per_step),
        record,
    };
    let mut file = serde_json::to_vec(&report).map_err(|e| Failure::File { path: FILE.into(), why: e.to_string() })?;
    file.push(b'\n');
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(steps: std::ops::RangeInclusive<u32>) -> History {
        let mut history = History::default();
        for step in steps {
            let value = 1.0 / step as f32;
            history.push(&Metrics { step, d_loss: value, g_loss: value, d_real: value, d_fake: value });
        }
        history
    }

    #[test]
    fn what_lies_behind_the_checkpoint_is_forgotten() {
        let mut long = history(1..=9);
        long.cut(4);
        assert_eq!(long, history(1..=4));
        long.cut(7);
        assert_eq!(long, history(1..=4));
    }

    #[test]
    fn numbers_come_back_from_json_as_they_were() {
        let mut before = history(1..=200);
        before.push(&Metrics { step: 201, d_loss: f32::NAN, g_loss: 1.0, d_real: 0.0, d_fake: f32::INFINITY });
        let text = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<History>(&text).unwrap(), before);
        assert_eq!(before.broke_at(), Some(201));
        assert_eq!(history(1..=200).broke_at(), None);
    }

    #[test]
    fn columns_of_different_lengths_are_noticed() {
        let mut uneven = history(1..=3);
        uneven.g_loss.pop();
        assert!(history(1..=3).is_even() && !uneven.is_even());
    }
}
