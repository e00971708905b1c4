//! `digit-forge compare`: trains each of several settings from several seeds, reads what they generate after the same
//! steps, and tells median and range.

pub mod figures;
mod frozen;
mod pixels;
mod report;

use crate::args::Comparison;
use crate::bench::machine::load;
use crate::data::DataSet;
use crate::failure::{Failure, Result};
use crate::output::Folder;
use crate::pace::Pace;
use crate::progress::note;
use crate::start::on;
use crate::subject::Subject;
use crate::{grid, table};
use digit_forge_core::bench::Workload;
use digit_forge_core::data::{IMAGE, ImageShape};
use digit_forge_core::engine::block_on;
use digit_forge_core::train::Trainer;
use digit_forge_core::train::presets::PRESETS;
use digit_forge_core::train::settings::{Condition, Settings};
use figures::Judge;
use frozen::Frozen;
use report::{Reading, Report, Row, Run};
use std::fs;

pub fn compare(order: &Comparison) -> Result<()> {
    let subjects = subjects(&order.rows)?;
    let mut steps = order.steps.clone();
    steps.sort_unstable();
    steps.dedup();
    let training = DataSet::mnist(&order.data)?;
    let test = DataSet::read_test(&order.data)?;
    // Whether each can be trained is known before the first of all runs, and not before the last.
    for subject in &subjects {
        training.give(&mut on(order.engine, subject.what.preset, subject.what.settings.clone(), training.count)?)?;
    }
    let grids = order.grids.as_deref().map(Folder::create).transpose()?;
    let distances = report::asks_for_distances(&order.columns, order.samples);
    let mut judge = Judge::new(&training, test.as_ref().filter(|_| distances))?;
    let mut trainer = on(order.engine, subjects[0].what.preset, subjects[0].what.settings.clone(), training.count)?;
    let mut report = Report::new(trainer.engine_name(), trainer.adapter());
    (report.seeds, report.samples, report.judge) = (order.seeds, order.samples, judge.lesson().to_owned());
    if let Some(test) = &test {
        let (pixels, labels) = test.first(order.samples)?;
        report.real = Some(judge.figures(pixels, Some(labels))?);
        if distances {
            let (pixels, labels) = training.first(order.samples)?;
            report.floor = Some(judge.figures(pixels, Some(labels))?);
        }
    }
    let mut lab = Lab { order, steps, training, test, grids, judge };
    write(order, &report)?;
    for subject in &subjects {
        let products = Workload::bare_products(&subject.what.settings)?;
        let mflop = products.flops() as f64 / 1e6;
        report.rows.push(Row { name: subject.name.clone(), settings: subject.text()?, mflop, runs: Vec::new() });
        for seed in 1..=order.seeds {
            let readings = lab.readings(&subject.with(&[("seed", seed.to_string())])?, mflop)?;
            if let Some(row) = report.rows.last_mut() {
                row.runs.push(Run { seed, readings });
            }
            // What is measured so far outlives an end before the end.
            write(order, &report)?;
        }
    }
    report.load[1] = load();
    write(order, &report)?;
    table::write(&report.markdown(&order.columns))
}

/// The rows asked for, or every preset.
pub fn subjects(rows: &[(String, String)]) -> Result<Vec<Subject>> {
    if rows.is_empty() {
        return PRESETS.iter().map(|p| Subject::read(p.name, &format!("preset={}", p.name))).collect();
    }
    let subject = |(name, text): &(String, String)| {
        let subject = Subject::read(name, text)?;
        if subject.what.settings.seed != Settings::of(subject.what.preset)?.seed {
            return Err(Failure::Usage(format!("--row {name}: the seeds are 1 to N of --seeds")));
        }
        Ok(subject)
    };
    let subjects = rows.iter().map(subject).collect::<Result<Vec<_>>>()?;
    for (i, subject) in subjects.iter().enumerate() {
        if subjects[..i].iter().any(|other| other.name == subject.name) {
            return Err(Failure::Usage(format!("--row {}: two rows have this name", subject.name)));
        }
    }
    Ok(subjects)
}

fn write(order: &Comparison, report: &Report) -> Result<()> {
    let Some(path) = &order.json else { return Ok(()) };
    fs::write(path, report.json()).map_err(|e| Failure::io(path, "written", &e))
}

/// What all runs share.
struct Lab<'a> {
    order: &'a Comparison,
    steps: Vec<u32>,
    training: DataSet,
    test: Option<DataSet>,
    grids: Option<Folder>,
    judge: Judge,
}

impl Lab<'_> {
    /// One run.
    fn readings(&mut self, subject: &Subject, mflop: f64) -> Result<Vec<Reading>> {
        let (engine, what) = (self.order.engine, &subject.what);
        let mut trainer = on(engine, what.preset, what.settings.clone(), self.training.count)?;
        self.training.give(&mut trainer)?;
        let mut on_training = Frozen::new(engine, what, &self.training)?;
        let mut on_test = self.test.as_ref().map(|test| Frozen::new(engine, what, test)).transpose()?;
        let (mut seconds, mut readings) = (0.0, Vec::new());
        for steps in self.steps.clone() {
            let (took, furthest) = train(&mut trainer, steps)?;
            seconds += took;
            let (pixels, labels) = block_on(trainer.samples(self.order.samples, |_| ()))?;
            let pixels = shrunk(pixels, trainer.image());
            let wanted = (what.settings.condition != Condition::None).then_some(&labels[..]);
            let figures = self.judge.figures(&pixels, wanted)?;
            let checkpoint = block_on(trainer.save()?)?;
            let seen = on_training.opinions(&checkpoint)?;
            let unseen = on_test.as_mut().map(|frozen| frozen.opinions(&checkpoint)).transpose()?;
            if let Some(folder) = &self.grids {
                let images = block_on(trainer.images()?)?;
                folder.write(
                    &format!("{}-{}-{steps}.png", subject.name, what.settings.seed),
                    &grid::png(&images, trainer.image())?,
                )?;
            }
            note(&format!(
                "{}, seed {}, step {steps}: {seconds:.1} s, H {:.2}{}",
                subject.name,
                what.settings.seed,
                figures.entropy,
                figures.agreement.map_or(String::new(), |a| format!(", agreement {a:.2}")),
            ));
            readings.push(Reading {
                steps,
                seconds,
                tflop: f64::from(steps) * mflop / 1e6,
                figures,
                d_real: seen.real,
                d_test: unseen.map(|opinions| opinions.real),
                d_fake: seen.fake,
                d_furthest: furthest,
            });
        }
        Ok(readings)
    }
}

/// Images of this shape as [`IMAGE`] has it: of larger ones, each pixel the mean of those that it stands for.
pub fn shrunk(images: Vec<u8>, shape: ImageShape) -> Vec<u8> {
    let by = shape.columns / IMAGE.columns;
    if by == 1 {
        return images;
    }
    let pixel = |image: &[u8], at: usize| {
        let (row, column) = (at / IMAGE.columns * by, at % IMAGE.columns * by);
        let square = (0..by * by).map(|i| u32::from(image[(row + i / by) * shape.columns + column + i % by]));
        (f64::from(square.sum::<u32>()) / (by * by) as f64).round() as u8
    };
    images.chunks_exact(shape.pixels()).flat_map(|image| (0..IMAGE.pixels()).map(move |at| pixel(image, at))).collect()
}

/// Trains up to so many steps. The seconds that it took, and the furthest from 0 that D's opinion has been.
fn train(trainer: &mut Trainer, steps: u32) -> Result<(f64, f64)> {
    let mut furthest = 0.0f64;
    let took = Pace::new().run(trainer, steps, |trainer| {
        for m in block_on(trainer.metrics())? {
            let opinions = [m.d_real, m.d_fake].map(|opinion| f64::from(opinion.abs()));
            // What is no number is as far away as can be.
            furthest = opinions.iter().fold(furthest, |f, &o| if o.is_nan() { f64::INFINITY } else { f.max(o) });
        }
        Ok(())
    })?;
    Ok((took.as_secs_f64(), furthest))
}
