//! MNIST's training and test files in a folder.

use crate::failure::{Failure, Result};
use digit_forge_core::Error;
use digit_forge_core::data::{IMAGE, idx};
use digit_forge_core::train::Trainer;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Images and labels.
const TRAINING: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Files in IDX format.
pub struct DataSet {
    folder: PathBuf,
    images_path: PathBuf,
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl DataSet {
    /// Reads both training files, and checks each by itself so that an error names the file.
    pub fn read(folder: &Path) -> Result<Self> {
        Self::of_files(folder, TRAINING)
    }

    /// The test files, where there are any.
    pub fn read_test(folder: &Path) -> Result<Option<Self>> {
        TEST.iter().any(|name| folder.join(name).exists()).then(|| Self::of_files(folder, TEST)).transpose()
    }

    fn of_files(folder: &Path, names: [&str; 2]) -> Result<Self> {
        let [images_path, labels_path] = names.map(|name| folder.join(name));
        let (images, labels) = (read(&images_path)?, read(&labels_path)?);
        idx::images(names[0], &images).map_err(|e| Failure::of_file(&images_path, e))?;
        idx::labels(names[1], &labels).map_err(|e| Failure::of_file(&labels_path, e))?;
        Ok(DataSet { folder: folder.into(), images_path, images, labels })
    }

    /// Pixels and labels of the first so many images, or of all where there are fewer.
    pub fn first(&self, count: usize) -> Result<(&[u8], &[u8])> {
        let of_folder = |e: Error| Failure::of_file(&self.folder, e);
        let images = idx::images("images", &self.images).map_err(of_folder)?;
        let labels = idx::labels("labels", &self.labels).map_err(of_folder)?;
        if images.shape != IMAGE || images.count != labels.len() {
            let (shape, count) = (images.shape, images.count);
            let why = format!("{count} images of {}×{} pixels, {} labels", shape.rows, shape.columns, labels.len());
            return Err(Failure::File { path: self.folder.clone(), why });
        }
        let count = count.min(images.count);
        Ok((&images.pixels[..count * IMAGE.pixels()], &labels[..count]))
    }

    /// Gives the trainer as many images as its settings ask for.
    pub fn give(&self, trainer: &mut Trainer) -> Result<()> {
        let of_folder = |e: Error| Failure::of_file(&self.folder, e);
        trainer.add_data(&self.images, &self.labels).map_err(of_folder)?;
        let (there, needed) = (trainer.images_available(), trainer.images_to_start());
        if there < needed {
            let why = format!("{there} images, and these settings need at least {needed}");
            return Err(Failure::File { path: self.images_path.clone(), why });
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
