//! Whose images are evaluated: a saved model's, or those of two files.

use crate::args::Examination;
use crate::compare::shrunk;
use crate::data::DataSet;
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::start::{MODEL, opened};
use digit_forge_core::Error;
use digit_forge_core::data::MNIST_IMAGES;
use digit_forge_core::engine::block_on;
use digit_forge_core::train::Trainer;
use digit_forge_core::train::settings::Condition;
use std::path::Path;

/// As many as the primer's report is made of.
const SAMPLES: usize = 6_000;

pub struct Subject {
    pub name: String,
    /// `[N, 784]`
    pub pixels: Vec<u8>,
    /// What each image was to be, where anything was asked for.
    pub labels: Option<Vec<u8>>,
    pub model: Option<Model>,
}

/// What generated the images.
pub struct Model {
    trainer: Trainer,
    pub settings: String,
    pub steps: u32,
    /// Images that it was trained on, at most: a checkpoint holds nothing of its data set.
    pub images: usize,
}

impl Subject {
    pub fn of(order: &Examination) -> Result<Self> {
        match (order.idx.as_slice(), &order.model) {
            ([one, other], _) => {
                let data = DataSet::pair([one, other], order.transpose)?;
                let (pixels, labels) = data.first(data.count)?;
                let (pixels, labels) = (pixels.to_vec(), Some(labels.to_vec()));
                Ok(Subject { name: data.words(data.count), pixels, labels, model: None })
            }
            ([], Some(path)) => Self::saved(order, path),
            ([], None) => Err(Failure::Usage("nothing to evaluate: neither DIR|CHECKPOINT nor --idx".into())),
            (more, _) => Err(Failure::Usage(format!("--idx takes two files, once, and {} are given", more.len()))),
        }
    }

    fn saved(order: &Examination, path: &Path) -> Result<Self> {
        let path = if path.is_dir() { path.join(MODEL) } else { path.into() };
        let trainer = opened(order.engine, &path)?;
        let (settings, steps) = (trainer.settings_text()?, trainer.steps());
        let images = trainer.images_wanted();
        let mut model = Model { trainer, settings, steps, images };
        let (pixels, labels) = model.samples(order.samples.unwrap_or(SAMPLES))?;
        Ok(Subject { name: path.display().to_string(), pixels, labels, model: Some(model) })
    }

    /// Whether a classifier can be taught with its images.
    pub fn can_teach(&self) -> Result<()> {
        match self.labels {
            Some(_) => Ok(()),
            None => {
                let why = "without labels nothing says which digit a sample is, so --cas has nothing to teach".into();
                Err(Error::BadSetting { key: "condition".into(), value: "none".into(), why }.into())
            }
        }
    }

    /// Images and labels to teach with: as many as MNIST's training images, or those that there are.
    pub fn lesson(&mut self) -> Result<(Vec<u8>, Vec<u8>)> {
        self.can_teach()?;
        let (pixels, labels) = match &mut self.model {
            Some(model) => model.samples(MNIST_IMAGES)?,
            None => (self.pixels.clone(), self.labels.clone()),
        };
        Ok((pixels, labels.unwrap_or_default()))
    }
}

impl Model {
    fn samples(&mut self, count: usize) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
        let mut progress = Progress::new("sample", 0, count as u64);
        let (pixels, labels) = block_on(self.trainer.samples(count, |done| progress.tell(done as u64, "")))?;
        progress.finish();
        let asked = self.trainer.settings().condition != Condition::None;
        Ok((shrunk(pixels, self.trainer.image()), asked.then_some(labels)))
    }
}
