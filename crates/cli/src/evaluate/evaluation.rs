//! All that is said of some images. Each figure stands beside the same of real images: the report beside the judge's own
//! on test images, which no generator can beat by more than chance, and distances beside those of as many training images.
//! The judge has learnt from these, and sees them a little more clearly than test images; so the floor is, if anything,
//! higher than that of images which are new to it.

use super::cas::Cas;
use super::subject::Subject;
use crate::distances::Distances;
use crate::failure::Result;
use crate::progress::note;
use crate::reading::{Read, Reader};
use digit_forge_core::data::IMAGE;
use digit_forge_core::metrics::memory::{self, Nearest};
use digit_forge_core::metrics::report::{Confusion, Histogram, Report, Scores};
use serde::Serialize;
use std::collections::HashSet;

/// Test images whose nearest training images say how near new images come to these.
const NEW: usize = 2_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    program: &'static str,
    version: &'static str,
    /// How the judge was taught.
    pub judge: String,
    pub subject: String,
    /// Of a model.
    pub settings: Option<String>,
    pub steps: Option<u32>,
    pub samples: usize,
    /// How many of them are different: one where weights are no finite numbers any more, or nothing but one image is left.
    pub different: usize,
    /// Where digits were asked for.
    pub report: Option<Table>,
    /// Of real test images.
    pub ceiling: Table,
    pub read: Digits,
    pub distances: Distances,
    /// Of as many real training images.
    pub floor: Distances,
    pub memory: Memory,
    pub cas: Option<Cas>,
}

/// A report as data.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// `[asked for][read]`
    confusion: Vec<[u32; 10]>,
    digits: Vec<Row>,
    accuracy: f64,
    macro_average: Row,
    weighted_average: Row,
    #[serde(skip)]
    pub report: Report,
}

#[derive(Serialize)]
struct Row {
    precision: f64,
    recall: f64,
    f1: f64,
    support: u32,
}

/// Which digits are read, whatever was asked for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Digits {
    pub shares: [f64; 10],
    /// In nats.
    pub entropy: f64,
}

/// How near the images come to the training images, in pixels.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// The first so many training images are looked at.
    pub training_images: usize,
    /// Mean distance from the nearest of them.
    pub distance: f64,
    /// The same of real test images.
    pub real: f64,
    /// None where test images are copies of training images.
    pub ratio: Option<f64>,
    /// The share of images that are nearer than all but 1 % of the test images.
    pub close: f64,
    pub copies: usize,
    /// The image that is nearest of all, and what it is near to, by number.
    pub nearest: Option<[usize; 2]>,
}

/// Pixels and labels.
pub type Labelled<'a> = (&'a [u8], &'a [u8]);

impl Evaluation {
    pub fn of(subject: &mut Subject, reader: &mut Reader, training: Labelled, test: Labelled) -> Result<Self> {
        let samples = subject.pixels.len() / IMAGE.pixels();
        note(&format!("{}: reading {samples} images", subject.name));
        let images = reader.read("images to evaluate", &subject.pixels)?;
        // What can't be measured is found before anything that takes long.
        let of_test = reader.read("test images", test.0)?;
        let distances = Distances::of(&images, &of_test)?;
        let same = samples.min(training.1.len());
        let of_training = reader.read("training images", &training.0[..same * IMAGE.pixels()])?;
        let floor = Distances::of(&of_training, &of_test)?;
        let histogram = Histogram::of(&images.digits)?;
        let known = subject.model.as_ref().map_or(training.1.len(), |model| model.images.min(training.1.len()));
        note(&format!("looking for the nearest of {known} training images"));
        Ok(Evaluation {
            program: "digit-forge evaluate",
            version: env!("CARGO_PKG_VERSION"),
            judge: reader.lesson().to_owned(),
            subject: subject.name.clone(),
            settings: subject.model.as_ref().map(|model| model.settings.clone()),
            steps: subject.model.as_ref().map(|model| model.steps),
            samples,
            different: subject.pixels.chunks_exact(IMAGE.pixels()).collect::<HashSet<_>>().len(),
            report: subject.labels.as_ref().map(|labels| Table::of(labels, &images)).transpose()?,
            ceiling: Table::of(test.1, &of_test)?,
            read: Digits { shares: histogram.shares, entropy: histogram.entropy },
            distances,
            floor,
            memory: Memory::of(&training.0[..known * IMAGE.pixels()], &subject.pixels, test.0)?,
            cas: None,
        })
    }

    /// One object.
    pub fn json(&self) -> String {
        // Only maps with keys that are no text can't be written, and there is none.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl Table {
    fn of(labels: &[u8], images: &Read) -> Result<Self> {
        let confusion = Confusion::of(labels, &images.digits)?;
        let report = confusion.report();
        Ok(Table {
            confusion: confusion.counts.to_vec(),
            digits: report.digits.iter().map(Row::of).collect(),
            accuracy: report.accuracy,
            macro_average: Row::of(&report.macro_average),
            weighted_average: Row::of(&report.weighted_average),
            report,
        })
    }
}

impl Row {
    fn of(&Scores { precision, recall, f1, support }: &Scores) -> Self {
        Row { precision, recall, f1, support }
    }
}

impl Memory {
    fn of(training: &[u8], images: &[u8], test: &[u8]) -> Result<Self> {
        let pixels = IMAGE.pixels();
        let new = &test[..test.len().min(NEW * pixels)];
        let nearest = memory::nearest(training, images, pixels)?;
        let memory = memory::Memory::of(&nearest, &memory::nearest(training, new, pixels)?)?;
        let distance = |of: &(usize, &Nearest)| of.1.distance;
        let closest = nearest.iter().enumerate().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        Ok(Memory {
            training_images: training.len() / pixels,
            distance: memory.distance,
            real: memory.real,
            ratio: memory.ratio(),
            close: memory.close,
            copies: memory.copies,
            nearest: closest.map(|(image, near)| [image, near.training]),
        })
    }
}
