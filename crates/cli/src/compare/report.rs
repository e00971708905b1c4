//! All figures, as a table in Markdown and as JSON.

use super::figures::Figures;
use crate::args::Column;
use crate::bench::machine::{Machine, load};
use crate::distances::Distances;
use crate::table::digits;
use clap::ValueEnum;
use digit_forge_core::judge::FEATURES;
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub program: &'static str,
    pub version: &'static str,
    pub engine: &'static str,
    pub adapter: String,
    pub machine: Machine,
    /// Before and after.
    pub load: [Option<f64>; 2],
    pub seeds: u32,
    pub samples: usize,
    /// How the judge was taught that reads.
    pub judge: String,
    /// Of test images, where there are any.
    pub real: Option<Figures>,
    /// Of training images, where distances are measured: what real images have.
    pub floor: Option<Figures>,
    pub rows: Vec<Row>,
}

/// One kind of settings.
#[derive(Serialize)]
pub struct Row {
    pub name: String,
    pub settings: String,
    /// Floating-point operations of a step's products, in millions.
    pub mflop: f64,
    pub runs: Vec<Run>,
}

#[derive(Serialize)]
pub struct Run {
    pub seed: u32,
    pub readings: Vec<Reading>,
}

/// After so many steps.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    pub steps: u32,
    /// Of training only.
    pub seconds: f64,
    pub tflop: f64,
    #[serde(flatten)]
    pub figures: Figures,
    /// D's mean opinion of training images.
    pub d_real: f64,
    /// Of test images.
    pub d_test: Option<f64>,
    /// Of fakes.
    pub d_fake: f64,
    /// The furthest from 0 that a step's mean opinion has been since the reading before.
    pub d_furthest: f64,
}

impl Report {
    pub fn new(engine: &'static str, adapter: String) -> Self {
        Report {
            program: "digit-forge compare",
            version: env!("CARGO_PKG_VERSION"),
            engine,
            adapter,
            machine: Machine::here(),
            load: [load(), None],
            seeds: 0,
            samples: 0,
            judge: String::new(),
            real: None,
            floor: None,
            rows: Vec::new(),
        }
    }

    /// One object. A figure that is no number is null.
    pub fn json(&self) -> String {
        // Only maps with keys that are no text can't be written, and there is none.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    pub fn markdown(&self, columns: &[Column]) -> String {
        let columns = if columns.is_empty() { Column::value_variants() } else { columns };
        let mut text = String::new();
        let load = self.load.map(|load| load.map_or("unknown".into(), |l| format!("{l:.2}")));
        let _ = writeln!(
            text,
            "{}; engine {}; load {} before, {} after.",
            self.machine.line(),
            self.engine,
            load[0],
            load[1]
        );
        let _ = writeln!(
            text,
            "Seeds 1 to {}: the median, and the lowest and the highest where they differ. {} images a reading, read by the judge {}.\n",
            self.seeds, self.samples, self.judge
        );
        line(&mut text, "", "steps", columns.iter().map(|c| c.head().into()));
        line(&mut text, "---", "--:", columns.iter().map(|_| "--:".into()));
        if let Some(real) = &self.real {
            line(&mut text, "real test images", "", columns.iter().map(|c| c.cell(&[real], &[])));
        }
        if let Some(floor) = &self.floor {
            line(&mut text, "real training images", "", columns.iter().map(|c| c.cell(&[floor], &[])));
        }
        for row in &self.rows {
            let readings = row.runs.iter().map(|run| run.readings.len()).min().unwrap_or_default();
            for i in 0..readings {
                let readings: Vec<&Reading> = row.runs.iter().map(|run| &run.readings[i]).collect();
                let figures: Vec<&Figures> = readings.iter().map(|r| &r.figures).collect();
                let steps = readings[0].steps.to_string();
                line(&mut text, &row.name, &steps, columns.iter().map(|c| c.cell(&figures, &readings)));
            }
        }
        let _ = writeln!(text);
        for row in &self.rows {
            let _ = writeln!(text, "- {}: `{}`", row.name, row.settings);
        }
        text
    }
}

/// Whether these columns tell distances in the judge's features, of which so many samples can have some.
pub fn asks_for_distances(columns: &[Column], samples: usize) -> bool {
    let told = columns.iter().any(|column| matches!(column, Column::Fd | Column::Density | Column::Coverage));
    told || columns.is_empty() && samples > FEATURES
}

fn line(text: &mut String, name: &str, steps: &str, cells: impl Iterator<Item = String>) {
    let _ = writeln!(text, "| {name} | {steps} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

impl Column {
    fn head(self) -> &'static str {
        match self {
            Column::Seconds => "seconds",
            Column::Tflop => "TFLOP",
            Column::Agreement => "agreement",
            Column::F1 => "F1",
            Column::Weakest => "weakest",
            Column::Fd => "FD",
            Column::Density => "density",
            Column::Coverage => "coverage",
            Column::H => "H",
            Column::Rarest => "rarest",
            Column::Spread => "spread",
            Column::Distance => "distance",
            Column::Copies => "copies",
            Column::Training => "D on training images",
            Column::Test => "on test images",
            Column::Fakes => "on fakes",
            Column::Furthest => "furthest",
        }
    }

    /// Of several seeds after the same steps. Real images have figures, but no readings.
    fn cell(self, figures: &[&Figures], readings: &[&Reading]) -> String {
        let share =
            |value: fn(&Figures) -> Option<f64>| summary(figures.iter().map(|f| value(f)), |v| format!("{v:.2}"));
        let fine =
            |value: fn(&Figures) -> Option<f64>| summary(figures.iter().map(|f| value(f)), |v| format!("{v:.3}"));
        let feature =
            |value: fn(&Distances) -> f64| summary(figures.iter().map(|f| f.features.as_ref().map(value)), digits);
        let of = |value: fn(&Reading) -> Option<f64>| summary(readings.iter().map(|r| value(r)), digits);
        match self {
            // A clock's range says something of the machine, not of the settings.
            Column::Seconds if readings.is_empty() => String::new(),
            Column::Seconds => digits(median(&mut readings.iter().map(|r| r.seconds).collect::<Vec<_>>())),
            Column::Tflop => of(|r| Some(r.tflop)),
            Column::Agreement => share(|f| f.agreement),
            Column::F1 => fine(|f| f.f1),
            Column::Weakest => share(|f| f.weakest),
            Column::Fd => feature(|d| d.fd),
            Column::Density => feature(|d| d.density),
            Column::Coverage => feature(|d| d.coverage),
            Column::H => share(|f| Some(f.entropy)),
            Column::Rarest => share(|f| f.shares.iter().copied().reduce(f64::min)),
            Column::Spread => share(|f| f.spread),
            Column::Distance => share(|f| f.distance),
            Column::Copies => share(|f| f.copies),
            Column::Training => of(|r| Some(r.d_real)),
            Column::Test => of(|r| r.d_test),
            Column::Fakes => of(|r| Some(r.d_fake)),
            Column::Furthest => of(|r| Some(r.d_furthest)),
        }
    }
}

/// The median, and the range where it is more than that. Nothing where there is nothing, and a word for what isn't finite.
fn summary(values: impl Iterator<Item = Option<f64>>, show: impl Fn(f64) -> String) -> String {
    let Some(mut values) = values.collect::<Option<Vec<f64>>>().filter(|v| !v.is_empty()) else { return String::new() };
    if values.iter().any(|v| !v.is_finite()) {
        return "not finite".into();
    }
    let median = show(median(&mut values));
    let [low, high] = [values.first(), values.last()].map(|v| v.map_or(String::new(), |&v| show(v)));
    if low == high { median } else { format!("{median} ({low} to {high})") }
}

/// Sorts the values.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 { f64::NAN } else { (values[(n - 1) / 2] + values[n / 2]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_told_with_its_range() {
        let show = |values: &[f64]| summary(values.iter().map(|&v| Some(v)), |v| format!("{v:.1}"));
        assert_eq!(show(&[3.0, -1.0, 2.0]), "2.0 (-1.0 to 3.0)");
        assert_eq!(show(&[1.0, 4.0]), "2.5 (1.0 to 4.0)");
        assert_eq!(show(&[0.31, 0.32]), "0.3");
        assert_eq!(show(&[1.0, f64::NAN]), "not finite");
        assert_eq!(summary([Some(1.0), None].into_iter(), digits), "");
        assert_eq!(summary([].into_iter(), digits), "");
    }
}
