//! `digit-forge bench`: how long steps take, how much of that are their products, what each operation takes alone, how near
//! products come to what the machine can do, and how the time grows with batch and width.
//!
//! Data are made up, as their content doesn't matter to the time. Whatever is compared takes turns (`rounds.rs`).

mod ceiling;
pub mod machine;
mod report;
mod rounds;
mod shapes;
mod subjects;

use crate::args::{Part, Trial};
use crate::failure::{Failure, Result};
use crate::progress::note;
use crate::subject::Subject;
use crate::table;
use digit_forge_core::bench::Workload;
use digit_forge_core::train::settings::{Architecture, Settings};
use digit_forge_core::train::values::Widths;
use machine::load;
use report::{Growth, Operation, Operations, Product, Products, Report, Series, Step};
use rounds::{Median, ROUND, Turn, Work, take_turns};
use std::fs;
use std::time::{Duration, Instant};
use subjects::Bed;

/// The dense GAN that performance is stated for, beside the default settings.
const MLP: &str =
    "network=mlp&gWidths=256,512&dWidths=512,256&noise=100&batch=64&condition=none&average=0&gActivation=leaky";
/// Shares of the whole time.
const STEPS: f64 = 0.2;
const OPERATIONS: f64 = 0.1;
const PRODUCTS: f64 = 0.35;
const SCALING: f64 = 0.35;
/// What is too long to be repeated so often in half of the time that is left isn't measured at all.
const REPETITIONS: f64 = 6.0;
/// A point's time holds at least so many rounds.
const ROUNDS: f64 = 10.0;
const BATCHES: [u32; 4] = [16, 64, 256, 1024];
const WIDENINGS: [u32; 3] = [1, 2, 4];

pub fn bench(trial: &Trial) -> Result<()> {
    let subjects = match &trial.settings {
        Some(text) => vec![Subject::read("given", text)?],
        None => vec![Subject::read("quick", "")?, Subject::read("mlp", MLP)?],
    };
    let bed = Bed::of(trial.engine)?;
    let (engine, adapter) = bed.names()?;
    let mut report = Report::new(engine, adapter, trial.seconds);
    let bench = Bench { bed, trial };
    // What can't be is known before anything is measured.
    let lines = if bench.has(Part::Scaling) { lines(&subjects)? } else { Vec::new() };
    report.steps = bench.steps(&subjects)?;
    report.operations = bench.operations(&subjects)?;
    report.products = bench.products()?;
    report.series = bench.scaling(&lines)?;
    report.load[1] = load();
    if let Some(path) = &trial.json {
        fs::write(path, report.json()).map_err(|e| Failure::io(path, "written", &e))?;
    }
    table::write(&report.tables())
}

struct Bench<'a> {
    bed: Bed,
    trial: &'a Trial,
}

/// The time for a part, shared among its points.
struct Budget {
    until: Instant,
    points: usize,
}

impl Budget {
    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// The next point's time.
    fn next(&mut self) -> Duration {
        let share = self.left() / self.points.max(1) as u32;
        self.points = self.points.saturating_sub(1);
        share
    }

    /// Whether something that takes so many seconds can be measured.
    fn allows(&self, seconds: f64) -> bool {
        seconds * REPETITIONS <= self.left().as_secs_f64() / 2.0
    }
}

/// How long rounds of so many works are when they share this time.
fn round(time: Duration, works: usize) -> Duration {
    ROUND.min(time.div_f64(ROUNDS * works as f64))
}

impl Bench<'_> {
    fn has(&self, part: Part) -> bool {
        self.trial.only.is_empty() || self.trial.only.contains(&part)
    }

    /// The time for a part: more where others are left out.
    fn budget(&self, part: Part, points: usize) -> Budget {
        let share = |part| match part {
            Part::Steps => STEPS,
            Part::Operations => OPERATIONS,
            Part::Products => PRODUCTS,
            Part::Scaling => SCALING,
        };
        let all = [Part::Steps, Part::Operations, Part::Products, Part::Scaling];
        let sum: f64 = all.into_iter().filter(|&part| self.has(part)).map(share).sum();
        Budget { until: Instant::now() + Duration::from_secs_f64(self.trial.seconds * share(part) / sum), points }
    }

    /// Whole steps beside their products.
    fn steps(&self, subjects: &[Subject]) -> Result<Vec<Step>> {
        if !self.has(Part::Steps) {
            return Ok(Vec::new());
        }
        let mut budget = self.budget(Part::Steps, subjects.len());
        let step = |subject: &Subject| {
            note(&format!("step of {}", subject.name));
            let time = budget.next();
            let products = Workload::bare_products(&subject.what.settings)?;
            let works = [self.bed.steps(&subject.what)?, self.bed.replays(&products)?];
            let [whole, bare] = self.compare(works, time)?;
            Ok(Step {
                name: subject.name.clone(),
                settings: subject.text()?,
                ms: Median::of(&whole).map(|s| s * 1e3),
                products_ms: Median::of(&bare).map(|s| s * 1e3),
                ratio: Median::of_ratios(&whole, &bare),
                mflop: products.flops() as f64 / 1e6,
            })
        };
        subjects.iter().map(step).collect()
    }

    /// What each operation of a step takes when nothing but it is repeated.
    fn operations(&self, subjects: &[Subject]) -> Result<Vec<Operations>> {
        if !self.has(Part::Operations) {
            return Ok(Vec::new());
        }
        let mut budget = self.budget(Part::Operations, subjects.len());
        let operations = |subject: &Subject| {
            note(&format!("operations of {}", subject.name));
            let (began, time) = (Instant::now(), budget.next());
            let works = Workload::operations(&subject.what.settings)?;
            let round = round(time, works.len());
            let turn = |(_, work): &(_, Workload)| Turn::new(self.bed.replays(work)?, round);
            let mut turns = works.iter().map(turn).collect::<Result<Vec<_>>>()?;
            let samples = take_turns(&mut turns, time.saturating_sub(began.elapsed()), 1)?;
            let row = |([program, operation], work): ([String; 2], Workload), samples: &Vec<f64>| {
                let us = Median::of(samples).map(|s| s * 1e6);
                Operation { program, operation, us, mflop: work.flops() as f64 / 1e6 }
            };
            let rows = works.into_iter().zip(&samples).map(|(work, samples)| row(work, samples)).collect();
            Ok(Operations { name: subject.name.clone(), rows })
        };
        subjects.iter().map(operations).collect()
    }

    /// The samples of two works that take turns.
    fn compare(&self, works: [Work<'_, Failure>; 2], time: Duration) -> Result<[Vec<f64>; 2]> {
        let began = Instant::now();
        let [a, b] = works;
        let round = round(time, 2);
        let mut turns = [Turn::new(a, round)?, Turn::new(b, round)?];
        let mut samples = take_turns(&mut turns, time.saturating_sub(began.elapsed()), 1)?.into_iter();
        Ok(std::array::from_fn(|_| samples.next().unwrap_or_default()))
    }

    /// Bare products, each beside the ceiling.
    fn products(&self) -> Result<Option<Products>> {
        if !self.has(Part::Products) {
            return Ok(None);
        }
        note("ceiling of products");
        let ceiling = ceiling::best(&self.bed)?;
        let shapes = shapes::all();
        let mut budget = self.budget(Part::Products, shapes.len());
        let (mut rows, mut rates, mut rate) = (Vec::new(), Vec::new(), f64::INFINITY);
        for shape in &shapes {
            let ([m, k, n], how, what) = shape;
            let name = shapes::written(shape);
            note(&format!("product {name}"));
            let work = Workload::product([*m, *k, *n], *how)?;
            let (time, flops) = (budget.next(), work.flops() as f64);
            let rated = if budget.allows(flops / rate) {
                let works = [self.bed.replays(&work)?, self.bed.replays(&ceiling)?];
                let [product, most] = self.compare(works, time)?;
                let per_flop = Median::of_ratios(&most, &product);
                rates.extend(most.iter().map(|s| ceiling.flops() as f64 / s / 1e9));
                let gflops = Median::of(&product).map(|s| flops / s / 1e9);
                rate = gflops.median * 1e9;
                Some((gflops, per_flop.map(|r| r * flops / ceiling.flops() as f64)))
            } else {
                None
            };
            let (gflops, share) = rated.unzip();
            rows.push(Product { product: name, what: what.clone(), gflops, share });
        }
        let ceiling = (!rates.is_empty()).then(|| Median::of(&rates));
        Ok(Some(Products { ceiling, rows }))
    }

    /// Steps of growing batches and widths.
    fn scaling(&self, lines: &[Line]) -> Result<Vec<Series>> {
        let mut budget = self.budget(Part::Scaling, lines.len());
        lines.iter().map(|line| self.series(line, budget.next())).collect()
    }

    fn series(&self, Line { name, along, points }: &Line, time: Duration) -> Result<Series> {
        let began = Instant::now();
        let (mut turns, mut growth) = (Vec::new(), Vec::new());
        // Seconds of a floating-point operation, as far as it is known.
        let mut pace = 0.0;
        for Point { value, subject, flops } in points {
            note(&format!("step of {name}, {along} {value}"));
            let affordable = flops * pace * REPETITIONS <= time.as_secs_f64() / 2.0;
            if affordable {
                let turn = Turn::new(self.bed.steps(&subject.what)?, round(time, points.len()))?;
                pace = turn.seconds() / flops;
                turns.push(turn);
            }
            growth.push(Growth { value: *value, mflop: flops / 1e6, ms: None, measured: affordable });
        }
        let samples = take_turns(&mut turns, time.saturating_sub(began.elapsed()), 1)?;
        for (point, samples) in growth.iter_mut().filter(|point| point.measured).zip(&samples) {
            point.ms = Some(Median::of(samples).map(|s| s * 1e3));
        }
        Ok(Series { name: name.clone(), along, points: growth })
    }
}

/// What a series is measured at.
struct Line {
    name: String,
    along: &'static str,
    points: Vec<Point>,
}

struct Point {
    value: u32,
    subject: Subject,
    /// Of a step's products.
    flops: f64,
}

/// Growing batches and widths of each subject.
fn lines(subjects: &[Subject]) -> Result<Vec<Line>> {
    let mut all = Vec::new();
    for subject in subjects {
        let batches = BATCHES.map(|batch| (batch, vec![("batch", batch.to_string())]));
        all.push(line(subject, "batch", &batches)?);
        let widths = WIDENINGS.map(|factor| (factor, wider(&subject.what.settings, factor)));
        all.push(line(subject, "width", &widths)?);
    }
    Ok(all)
}

/// The points that the settings allow.
fn line(subject: &Subject, along: &'static str, points: &[(u32, Vec<(&'static str, String)>)]) -> Result<Line> {
    let point = |(value, changes): &(u32, Vec<_>)| {
        let subject = subject.with(changes)?;
        let flops = Workload::bare_products(&subject.what.settings)?.flops() as f64;
        Ok(Point { value: *value, subject, flops })
    };
    let mut possible = Vec::new();
    for given in points {
        match point(given) {
            Ok(point) => possible.push(point),
            Err(Failure::Core(why)) => note(&format!("{along} {} of {} is left out: {why}", given.0, subject.name)),
            Err(other) => return Err(other),
        }
    }
    Ok(Line { name: subject.name.clone(), along, points: possible })
}

/// What makes a network so many times as wide.
fn wider(s: &Settings, factor: u32) -> Vec<(&'static str, String)> {
    let times = |widths: &Widths| widths.0.iter().map(|w| (w * factor).to_string()).collect::<Vec<_>>().join(",");
    match s.architecture {
        Architecture::Conv => {
            vec![("gChannels", (s.g_channels * factor).to_string()), ("dChannels", (s.d_channels * factor).to_string())]
        }
        Architecture::Mlp => vec![("gWidths", times(&s.g_widths)), ("dWidths", times(&s.d_widths))],
    }
}
