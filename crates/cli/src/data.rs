//! MNIST's training files in a folder.

use crate::failure::{Failure, Result};
use digit_forge_core::Error;
use digit_forge_core::data::idx;
use digit_forge_core::train::Trainer;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";

pub struct DataSet {
    folder: PathBuf,
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl DataSet {
    /// Reads both files, and checks each by itself so that an error names the file.
    pub fn read(folder: &Path) -> Result<Self> {
        let (images_path, labels_path) = (folder.join(IMAGES), folder.join(LABELS));
        let (images, labels) = (read(&images_path)?, read(&labels_path)?);
        idx::images(IMAGES, &images).map_err(|e| Failure::of_file(&images_path, e))?;
        idx::labels(LABELS, &labels).map_err(|e| Failure::of_file(&labels_path, e))?;
        Ok(DataSet { folder: folder.into(), images, labels })
    }

    /// Gives the trainer as many images as its settings ask for.
    pub fn give(&self, trainer: &mut Trainer) -> Result<()> {
        let of_folder = |e: Error| Failure::of_file(&self.folder, e);
        trainer.add_data(&self.images, &self.labels).map_err(of_folder)?;
        let (there, needed) = (trainer.images_available(), trainer.images_to_start());
        if there < needed {
            let why = format!("{there} images, and these settings need at least {needed}");
            return Err(Failure::File { path: self.folder.join(IMAGES), why });
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => {
            let why = "not found; `npm run data` prepares MNIST in data/mnist, --data names another folder".into();
            Failure::File { path: path.into(), why }
        }
        _ => Failure::io(path, "read", &e),
    })
}
