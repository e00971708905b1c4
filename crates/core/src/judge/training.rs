//! Teaching a judge: images are drawn in a shuffled order, moved by a pixel or two, and the classifier learns their labels
//! by the cross-entropy, with AdamW (Loshchilov and Hutter 2019) and a rate that falls to 0 as a cosine.
//!
//! ```text
//! draw    a batch of images and labels from the data set on the device
//! learn   ticks · images moved · loss · gradients · update, its moving average, the log
//! read    the average on images that the host wrote
//! ```
//! What is saved and what reads is the moving average of the weights.

use super::network::{Classifier, Reading};
use super::{Readings, inks, read, weights};
use crate::data::IMAGE;
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::{GpuContext, GpuEngine};
use crate::engine::{Engine, Pending};
use crate::error::{Error, Result};
use crate::layers::Pass;
use crate::models::gan::{LOG_COLUMNS, LOG_ROWS, OPENING_IMAGES};
use crate::ops::activation::Activation;
use crate::ops::adam::Adam;
use crate::ops::gather::Batch;
use crate::ops::schedule::{Fall, Schedule};
use crate::ops::tick::{LANES, Lane};
use crate::ops::translate::Shift;
use crate::optim::{Optimizer, Pace, follow};
use crate::program::{DType, Init, ProgramId, Recorder, Recording, Tensor};
use crate::train::after;
use crate::train::number::show;
use std::rc::Rc;

/// Images in a batch.
const SIZE: usize = 64;
/// The most pixels that an image is moved by, either way.
const MOST_MOVED: usize = 2;
/// Random stream of how far.
const SHIFT_STREAM: u32 = 7;
/// Updates over which the rate rises at first, but at most a tenth of the lesson.
const WARMUP: u32 = 200;
/// The part of itself that a weight loses in a step, over the rate.
const DECAY: f32 = 0.02;
/// How much of the average is kept each step.
const KEPT: f32 = 0.999;
/// The lane that counts the updates: what is taught here discriminates digits.
const LANE: Lane = Lane::Discriminator;

/// How a judge is taught.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson {
    /// Where all random numbers start.
    pub seed: u32,
    /// Batches of 64 images; the rate is 0 after them.
    pub steps: u32,
    /// The rate at its highest.
    pub rate: f32,
}

impl Lesson {
    /// The pinned judge's.
    pub const PINNED: Lesson = Lesson { seed: 1, steps: 20_000, rate: 2e-3 };

    fn text(self) -> String {
        format!("seed={}&steps={}&rate={}", self.seed, self.steps, show(self.rate))
    }
}

/// What a step left in the log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Counted from 1.
    pub step: u32,
    /// The mean cross-entropy of its batch, in nats.
    pub loss: f32,
    /// The share of its batch that was read right, with some values dropped.
    pub accuracy: f32,
}

/// A classifier that learns on an engine. See the module's head.
pub struct Teacher {
    lesson: Lesson,
    engine: Box<dyn Engine>,
    course: Course,
    available: usize,
    steps: u32,
    logged: u32,
}

/// What was recorded.
struct Course {
    recording: Rc<Recording>,
    steps: [ProgramId; 2],
    reading: Reading,
    /// The parameters, and the averages of each.
    weights: [Vec<Tensor>; 2],
    clock: Tensor,
    dials: Tensor,
    log: Tensor,
    images: Tensor,
    labels: Tensor,
    available: Tensor,
    /// Images of the data set.
    total: usize,
}

impl Course {
    fn record(lesson: Lesson, total: usize) -> Result<Self> {
        let r = &mut Recorder::new();
        let pixels = IMAGE.pixels();
        let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
        let dials = r.input("dials", [1], DType::F32);
        let log = r.state("log", [LOG_ROWS, LOG_COLUMNS], DType::F32, Init::Fill(0.0));
        let images = r.input("data images", [total * pixels / 4], DType::U32);
        let labels = r.input("data labels", [total.div_ceil(4)], DType::U32);
        let available = r.input("available", [1], DType::U32);
        let classifier = Classifier::new(r);
        let average = classifier.twin(r);

        let draw = r.begin("draw");
        let first = total.min(OPENING_IMAGES) as u32;
        let batch = Batch { size: SIZE, pixels, first, total: total as u32, paper: -1.0 };
        let (drawn, drawn_labels) = r.gather(images, labels, available, clock, batch)?;

        let learn = r.begin("learn");
        r.tick(clock, Lane::Draws)?;
        r.tick(clock, LANE)?;
        let schedule = Schedule { fall: Fall::Cosine, steps: lesson.steps, warmup: WARMUP.min(lesson.steps / 10) };
        let dials_now = r.schedule(dials, clock, LANE, schedule)?;
        let square = r.reshape(drawn, [SIZE, IMAGE.rows, IMAGE.columns, 1])?;
        let shift = Shift { clock, lane: LANE, stream: SHIFT_STREAM, most: MOST_MOVED };
        let moved = r.translate(square, shift, -1.0)?;
        let moved = r.reshape(moved, [SIZE, pixels])?;
        let seen = classifier.forward(r, moved, Pass { clock: Some((clock, LANE)), ..Pass::PLAIN })?;
        let losses = r.cross_entropy(seen.logits, drawn_labels)?;
        let loss = r.mean(losses)?;
        let accuracy = accuracy(r, seen.logits, drawn_labels)?;
        let parameters = classifier.parameters();
        let gradients = r.gradients(loss, &parameters)?;
        let pace = Pace { clock, lane: LANE, dials: dials_now, rate: 0, longest: 0.0 };
        let adam = Adam { decay: DECAY, ..Adam::new(0.9, 0.999) };
        Optimizer::Adam(adam).update(r, &parameters, &gradients, pace)?;
        let averages = average.parameters();
        follow(r, &averages, &parameters, pace, KEPT)?;
        r.log_row(&[loss, accuracy], log, clock, LANE)?;

        let reading = Reading::record(r, &average)?;
        let kept = [reading.seen.logits, reading.seen.features];
        let recording = Rc::new(std::mem::take(r).finish(true, &kept));
        let (steps, weights) = ([draw, learn], [parameters, averages]);
        Ok(Course { recording, steps, reading, weights, clock, dials, log, images, labels, available, total })
    }
}

/// The share of rows whose label has the greatest logit.
fn accuracy(r: &mut Recorder, logits: Tensor, labels: Tensor) -> Result<Tensor> {
    let greatest = r.greatest(logits)?;
    let own = r.pick(logits, labels, 0)?;
    let missing = r.sub(greatest, own)?;
    // 1 where nothing is missing, and below 0 wherever anything is: floats aren't as close as this is steep.
    let steep = r.affine(missing, -1e30, 1.0)?;
    let right = r.activation(steep, Activation::LeakyRelu(0.0))?;
    r.mean(right)
}

impl Teacher {
    /// Teaches on the CPU engine, from a data set of `data` images.
    ///
    /// # Errors
    /// [`Error`] where the data set is empty.
    pub fn cpu(lesson: Lesson, data: usize) -> Result<Self> {
        let course = Course::record(lesson, data)?;
        let engine = CpuEngine::new(&course.recording, lesson.seed);
        Self::with(lesson, course, Box::new(engine))
    }

    /// Teaches on a GPU.
    ///
    /// # Errors
    /// The same, and [`Error::Gpu`] where the device refuses.
    pub async fn gpu(lesson: Lesson, context: GpuContext, data: usize) -> Result<Self> {
        let course = Course::record(lesson, data)?;
        let engine = GpuEngine::new(context, &course.recording, lesson.seed).await?;
        Self::with(lesson, course, Box::new(engine))
    }

    fn with(lesson: Lesson, course: Course, engine: Box<dyn Engine>) -> Result<Self> {
        let mut teacher = Teacher { lesson, engine, course, available: 0, steps: 0, logged: 0 };
        teacher.engine.upload(teacher.course.clock, Lane::Seed as usize, &[lesson.seed])?;
        teacher.engine.upload(teacher.course.dials, 0, &[lesson.rate.to_bits()])?;
        Ok(teacher)
    }

    /// `cpu` or `gpu`.
    pub fn engine_name(&self) -> &'static str {
        self.engine.name()
    }

    /// What the engine runs on.
    pub fn adapter(&self) -> String {
        self.engine.adapter()
    }

    /// How many images must be there before the first step.
    pub fn images_to_start(&self) -> usize {
        self.course.total.min(OPENING_IMAGES)
    }

    /// Appends images `[N, 784]`, bytes with ink = 255, and their labels `[N]`.
    ///
    /// # Errors
    /// [`Error::Data`] where they don't fit together, or into the data set; nothing changes then.
    pub fn add_data(&mut self, images: &[u8], labels: &[u8]) -> Result<()> {
        let refuse = |why: String| Err(Error::Data { what: "images".into(), why });
        let (first, count, pixels) = (self.available, labels.len(), IMAGE.pixels());
        if images.len() != count * pixels {
            return refuse(format!("{} values for {count} labels, and an image has {pixels}", images.len()));
        }
        if labels.iter().any(|&label| label > 9) {
            return refuse("a label is above 9".into());
        }
        if !first.is_multiple_of(4) {
            return refuse(format!("{first} are there, and more can only follow a multiple of four"));
        }
        if first + count > self.course.total {
            return refuse(format!("{} are too many for a data set of {}", first + count, self.course.total));
        }
        let words = |bytes: &[u8]| -> Vec<u32> {
            let word = |b: &[u8]| u32::from_le_bytes(std::array::from_fn(|i| b.get(i).copied().unwrap_or(0)));
            bytes.chunks(4).map(word).collect()
        };
        self.engine.upload(self.course.images, first * pixels / 4, &words(images))?;
        self.engine.upload(self.course.labels, first / 4, &words(labels))?;
        self.available += count;
        self.engine.upload(self.course.available, 0, &[self.available as u32])
    }

    /// Teaches for this many steps. The CPU has finished when this returns; the GPU has got one submit. Steps after the
    /// lesson's last have a rate of 0.
    ///
    /// # Errors
    /// [`Error::Data`] if there are too few images to start with, [`Error::Steps`] beyond
    /// [`MOST_STEPS`](crate::train::MOST_STEPS).
    pub fn run(&mut self, steps: u32) -> Result<()> {
        if self.available < self.images_to_start() {
            let why = format!("{} of the first {} are there", self.available, self.images_to_start());
            return Err(Error::Data { what: "images".into(), why });
        }
        let upto = after(self.steps, steps)?;
        self.engine.run(&self.course.steps, steps)?;
        self.steps = upto;
        Ok(())
    }

    /// Steps asked for so far.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Resolves when all steps asked for have been made.
    pub fn settle(&mut self) -> Pending<()> {
        self.engine.settle()
    }

    /// Loss and accuracy of the steps since the last call, oldest first; of more than the log remembers, the newest.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the log can't be read, or holds no row of a step that was asked for.
    pub fn progress(&mut self) -> Pending<Vec<Progress>> {
        let (after, upto) = (self.logged, self.steps);
        self.logged = upto;
        let log = self.engine.download(self.course.log);
        Box::pin(async move {
            let words = log.await?;
            let row = |step: u32| {
                let row = &words[(step - 1) as usize % LOG_ROWS * LOG_COLUMNS..][..LOG_COLUMNS];
                // A driver that can't run a pipeline says so nowhere else: its submits are void.
                if row[0] != step {
                    return Err(Error::Gpu(format!("the device was asked for step {step} and didn't make it")));
                }
                Ok(Progress { step, loss: f32::from_bits(row[1]), accuracy: f32::from_bits(row[2]) })
            };
            (after.max(upto.saturating_sub(LOG_ROWS as u32)) + 1..=upto).map(row).collect()
        })
    }

    /// Reads images as [`Judge::read`](super::Judge::read) does, by the average of the weights as they are now.
    ///
    /// # Errors
    /// [`Error::Data`] where they are no whole images, or what the engine reports.
    pub async fn read(&mut self, images: &[u8]) -> Result<Readings> {
        read(self.engine.as_mut(), &self.course.reading, &inks(images)).await
    }

    /// The averaged weights as a file that a [`Judge`](super::Judge) opens.
    ///
    /// # Errors
    /// [`Error::Gpu`] if they can't be read back.
    pub fn save(&mut self) -> impl Future<Output = Result<Vec<u8>>> + use<> {
        let text = self.lesson.text();
        let recording = Rc::clone(&self.course.recording);
        let [parameters, averages] = self.course.weights.clone();
        let contents: Vec<Pending<Vec<u32>>> = averages.iter().map(|&t| self.engine.download(t)).collect();
        async move {
            let mut parts = Vec::with_capacity(parameters.len());
            for (tensor, words) in parameters.into_iter().zip(contents) {
                parts.push((recording.info(tensor), words.await?));
            }
            Ok(weights::write(&text, &parts))
        }
    }
}
