//! The classification accuracy score: how well a classifier reads real test images that has only seen generated ones
//! (Ravuri, Vinyals, "Classification accuracy score for conditional generative models", 2019; for MNIST: Lesort et al.,
//! "Training discriminative models to evaluate generative ones", 2018). What a generator never shows, or shows wrongly,
//! the classifier never learns. Beside it one taught with as many real images in the same way.

use super::evaluation::Labelled;
use super::subject::Subject;
use crate::failure::{Failure, Result};
use crate::pace::Pace;
use crate::progress::Progress;
use digit_forge_core::data::IMAGE;
use digit_forge_core::engine::block_on;
use digit_forge_core::judge::{Lesson, Teacher};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cas {
    /// Images that each was taught with, in so many steps.
    pub images: usize,
    pub steps: u32,
    /// The share of the test images that are read right.
    pub score: f64,
    /// The same after real training images.
    pub real: f64,
}

pub fn score(subject: &mut Subject, training: Labelled, test: Labelled, steps: u32) -> Result<Cas> {
    let (pixels, labels) = subject.lesson()?;
    let count = labels.len().min(training.1.len());
    let first =
        |(pixels, labels): Labelled<'_>| taught((&pixels[..count * IMAGE.pixels()], &labels[..count]), test, steps);
    Ok(Cas { images: count, steps, score: first((&pixels, &labels))?, real: first(training)? })
}

/// The accuracy on test images of a classifier that was taught with these.
fn taught((pixels, labels): Labelled, test: Labelled, steps: u32) -> Result<f64> {
    let lesson = Lesson { steps, ..Lesson::PINNED };
    let mut teacher = Teacher::cpu(lesson, labels.len())?;
    teacher.add_data(pixels, labels)?;
    let mut progress = Progress::new("step", 0, steps.into());
    Pace::new().run(&mut teacher, steps, |teacher| {
        progress.tell(teacher.steps().into(), "");
        Ok(())
    })?;
    progress.finish();
    let accuracy = block_on(teacher.read(test.0))?.agreement(test.1);
    if accuracy.is_nan() {
        return Err(Failure::Usage("there are no test images for --cas".into()));
    }
    Ok(accuracy)
}
