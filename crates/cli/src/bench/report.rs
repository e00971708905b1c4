//! All figures, as tables and as JSON.

use super::machine::{Machine, load};
use super::rounds::Median;
use crate::table::{digits, section};
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
    /// How long it was to measure.
    pub seconds: f64,
    pub steps: Vec<Step>,
    pub operations: Vec<Operations>,
    pub products: Option<Products>,
    pub series: Vec<Series>,
}

/// A whole step beside its products.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub name: String,
    pub settings: String,
    pub ms: Median,
    pub products_ms: Median,
    /// Step ÷ products.
    pub ratio: Median,
    /// Floating-point operations of its products, in millions.
    pub mflop: f64,
}

/// The operations of a step.
#[derive(Serialize)]
pub struct Operations {
    pub name: String,
    pub rows: Vec<Operation>,
}

/// One of them, alone.
#[derive(Serialize)]
pub struct Operation {
    pub program: String,
    pub operation: String,
    pub us: Median,
    /// Floating-point operations of its products, in millions.
    pub mflop: f64,
}

/// Bare products.
#[derive(Serialize)]
pub struct Products {
    /// GFLOP/s of multiplications and additions in registers alone.
    pub ceiling: Option<Median>,
    pub rows: Vec<Product>,
}

/// One of them; without figures where it would have taken too long.
#[derive(Serialize)]
pub struct Product {
    pub product: String,
    pub what: String,
    pub gflops: Option<Median>,
    /// Of the ceiling.
    pub share: Option<Median>,
}

/// Steps of growing size.
#[derive(Serialize)]
pub struct Series {
    pub name: String,
    /// `batch` or `width`.
    pub along: &'static str,
    pub points: Vec<Growth>,
}

#[derive(Serialize)]
pub struct Growth {
    /// The batch, or how many times as wide.
    pub value: u32,
    pub mflop: f64,
    /// Missing where it would have taken too long.
    pub ms: Option<Median>,
    #[serde(skip)]
    pub measured: bool,
}

impl Series {
    /// The exponent `e` of `time ∝ sizeᵉ`, by least squares over the points measured; `size` is `value` or `mflop`.
    fn exponent(&self, size: impl Fn(&Growth) -> f64) -> Option<f64> {
        let points: Vec<(f64, f64)> =
            self.points.iter().filter_map(|p| Some((size(p).ln(), p.ms?.median.ln()))).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
        let (x, y) = (mean(|p| p.0), mean(|p| p.1));
        let sum = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>();
        (points.len() > 1).then(|| sum(&|p| (p.0 - x) * (p.1 - y)) / sum(&|p| (p.0 - x).powi(2)))
    }
}

impl Report {
    pub fn new(engine: &'static str, adapter: String, seconds: f64) -> Self {
        Report {
            program: "digit-forge bench",
            version: env!("CARGO_PKG_VERSION"),
            engine,
            adapter,
            machine: Machine::here(),
            load: [load(), None],
            seconds,
            steps: Vec::new(),
            operations: Vec::new(),
            products: None,
            series: Vec::new(),
        }
    }

    /// One object. A figure that is no number, as after a clock that stood still, is null.
    pub fn json(&self) -> String {
        // Only maps with keys that are no text can't be written, and there is none.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    pub fn tables(&self) -> String {
        let mut text = String::new();
        let load = self.load.map(|load| load.map_or("unknown".into(), |l| format!("{l:.2}")));
        let _ = writeln!(text, "{}: {}", self.engine, self.adapter);
        let _ = writeln!(text, "{}", self.machine.line());
        let _ = writeln!(text, "load {} before, {} after\n", load[0], load[1]);
        if !self.steps.is_empty() {
            let rows: Vec<_> = self.steps.iter().map(Step::cells).collect();
            section(&mut text, "Steps", ["", "ms", "its products, ms", "step ÷ products", "MFLOP", "GFLOP/s"], &rows);
        }
        for operations in &self.operations {
            let title = format!("Operations of {}, each alone", operations.name);
            section(&mut text, &title, ["", "", "µs", "of all", "MFLOP"], &operations.cells());
        }
        if let Some(products) = &self.products {
            let ceiling = products.ceiling.map_or("unknown".into(), |c| figure(&c));
            let title = format!("Products; in registers alone {ceiling} GFLOP/s");
            let rows: Vec<_> = products.rows.iter().map(Product::cells).collect();
            section(&mut text, &title, ["", "", "GFLOP/s", "of the ceiling"], &rows);
        }
        for series in &self.series {
            let title = format!("{}, growing {}", series.name, series.along);
            let heads = [series.along, "ms", "MFLOP", "GFLOP/s", "time ÷ linear", "time ÷ MFLOP"];
            section(&mut text, &title, heads, &series.cells());
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    }
}

impl Step {
    fn cells(&self) -> [String; 6] {
        let rate = self.mflop / self.ms.median;
        [
            self.name.clone(),
            figure(&self.ms),
            figure(&self.products_ms),
            figure(&self.ratio),
            digits(self.mflop),
            digits(rate),
        ]
    }
}

impl Operations {
    /// A row for each, and one for their sum.
    fn cells(&self) -> Vec<[String; 5]> {
        let sum: f64 = self.rows.iter().map(|row| row.us.median).sum();
        let row = |row: &Operation| {
            let percent = format!("{:.0} %", row.us.median / sum * 100.0);
            let mflop = if row.mflop > 0.0 { digits(row.mflop) } else { String::new() };
            [row.program.clone(), row.operation.clone(), figure(&row.us), percent, mflop]
        };
        let last = ["together".into(), String::new(), digits(sum), String::new(), String::new()];
        self.rows.iter().map(row).chain([last]).collect()
    }
}

impl Product {
    fn cells(&self) -> [String; 4] {
        let percent = self.share.map_or(TOO_LONG.into(), |s| format!("{:.0} %", s.median * 100.0));
        [self.product.clone(), self.what.clone(), self.gflops.map_or(String::new(), |g| figure(&g)), percent]
    }
}

/// Instead of a figure.
const TOO_LONG: &str = "too long for --seconds";

impl Series {
    /// A row for each point, and one for the exponents.
    fn cells(&self) -> Vec<[String; 6]> {
        let first = self.points.iter().find_map(|p| Some((f64::from(p.value), p.mflop, p.ms?.median)));
        let row = |p: &Growth| {
            let label = if self.along == "width" { format!("×{}", p.value) } else { p.value.to_string() };
            let (Some(ms), Some((value, mflop, base))) = (p.ms, first) else {
                return [label, TOO_LONG.into(), digits(p.mflop), String::new(), String::new(), String::new()];
            };
            let times = ms.median / base;
            let (linear, by_flop) = (times * value / f64::from(p.value), times * mflop / p.mflop);
            [label, figure(&ms), digits(p.mflop), digits(p.mflop / ms.median), digits(linear), digits(by_flop)]
        };
        let exponent = |e: Option<f64>| e.map_or(String::new(), |e| format!("^{e:.2}"));
        let (by_value, by_flop) = (self.exponent(|p| f64::from(p.value)), self.exponent(|p| p.mflop));
        let blank = String::new;
        let last = ["exponent".into(), blank(), blank(), blank(), exponent(by_value), exponent(by_flop)];
        self.points.iter().map(row).chain([last]).collect()
    }
}

/// The median and its interval.
fn figure(median: &Median) -> String {
    format!("{} ({}–{})", digits(median.median), digits(median.low), digits(median.high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(value: u32, ms: Option<f64>) -> Growth {
        let ms = ms.map(|ms| Median { median: ms, low: ms, high: ms, count: 1 });
        Growth { value, mflop: f64::from(value).powi(2), ms, measured: ms.is_some() }
    }

    #[test]
    fn growth_is_told_beside_linear_growth() {
        let series = Series {
            name: "quick".into(),
            along: "width",
            points: vec![point(1, Some(2.0)), point(2, Some(8.0)), point(4, Some(32.0)), point(8, None)],
        };
        let cells = series.cells();
        assert_eq!(cells[0], ["×1", "2.00 (2.00–2.00)", "1.00", "0.500", "1.00", "1.00"]);
        assert_eq!(cells[2], ["×4", "32.0 (32.0–32.0)", "16.0", "0.500", "4.00", "1.00"]);
        assert_eq!(cells[3], ["×8", TOO_LONG, "64.0", "", "", ""]);
        assert_eq!(cells[4], ["exponent", "", "", "", "^2.00", "^1.00"]);
    }
}
