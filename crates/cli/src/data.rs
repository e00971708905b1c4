//! What is trained on: MNIST's training files in a folder, or any two IDX files.

use crate::failure::{Failure, Result};
use digit_forge_core::Error;
use digit_forge_core::data::pair::Pair;
use digit_forge_core::data::{IMAGE, MNIST_IMAGES, fingerprint, idx};
use digit_forge_core::train::Trainer;
use flate2::read::MultiGzDecoder;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Images and labels.
const TRAINING: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
/// A file unpacks to no more, bytes: four times EMNIST's largest.
const MOST: u64 = 2 << 30;

/// Files in IDX format.
pub struct DataSet {
    /// What errors name.
    path: PathBuf,
    images: Vec<u8>,
    labels: Vec<u8>,
    /// How many images a trainer is made for.
    pub count: usize,
    /// Images in the file.
    found: usize,
}

impl DataSet {
    /// Reads MNIST's training files in a folder, and checks each by itself so that an error names the file.
    pub fn mnist(folder: &Path) -> Result<Self> {
        Self::of_files(folder, TRAINING)
    }

    /// The test files, where there are any.
    pub fn read_test(folder: &Path) -> Result<Option<Self>> {
        TEST.iter().any(|name| folder.join(name).exists()).then(|| Self::mnist_test(folder)).transpose()
    }

    fn of_files(folder: &Path, names: [&str; 2]) -> Result<Self> {
        let [images_path, labels_path] = names.map(|name| folder.join(name));
        let (images, labels) = (read(&images_path)?, read(&labels_path)?);
        let found = idx::images(names[0], &images).map_err(|e| Failure::of_file(&images_path, e))?.count;
        idx::labels(names[1], &labels).map_err(|e| Failure::of_file(&labels_path, e))?;
        Ok(DataSet { path: folder.into(), images, labels, count: found.min(MNIST_IMAGES), found })
    }

    /// MNIST's test files in a folder.
    pub fn mnist_test(folder: &Path) -> Result<Self> {
        Self::of_files(folder, TEST)
    }

    /// Pixels and labels of the first so many images, or of all where there are fewer.
    pub fn first(&self, count: usize) -> Result<(&[u8], &[u8])> {
        let of_folder = |e: Error| Failure::of_file(&self.path, e);
        let images = idx::images("images", &self.images).map_err(of_folder)?;
        let labels = idx::labels("labels", &self.labels).map_err(of_folder)?;
        if images.shape != IMAGE || images.count != labels.len() {
            let (shape, count) = (images.shape, images.count);
            let why = format!("{count} images of {}×{} pixels, {} labels", shape.rows, shape.columns, labels.len());
            return Err(Failure::File { path: self.path.clone(), why });
        }
        let count = count.min(images.count);
        Ok((&images.pixels[..count * IMAGE.pixels()], &labels[..count]))
    }

    /// Reads an IDX pair, gzipped or not, in either order.
    pub fn pair(paths: [&Path; 2], transpose: bool) -> Result<Self> {
        let [one, other] = paths;
        let files = [unpacked(one, read(one)?)?, unpacked(other, read(other)?)?];
        let names = paths.map(|path| path.display().to_string());
        let mut pair = Pair::read([(&names[0], &files[0]), (&names[1], &files[1])])?;
        if transpose {
            pair.transpose();
        }
        let path = if idx::kind(&names[0], &files[0])? == idx::Kind::Images { one } else { other };
        let (images, labels) = (idx::write_images(IMAGE, &pair.pixels), idx::write_labels(&pair.labels));
        Ok(DataSet { path: path.into(), images, labels, count: pair.labels.len(), found: pair.found })
    }

    /// Its name, and which of its images are trained on.
    pub fn words(&self, used: usize) -> String {
        let which = if used < self.found { format!("the first {used} of ") } else { String::new() };
        format!("{}: {which}{} images", self.path.display(), self.found)
    }

    /// What tells its images and labels from others', wherever they lie, as hexadecimal digits.
    pub fn content(&self) -> String {
        format!("{:016x}", fingerprint(&[&self.images, &self.labels]))
    }

    /// Gives a trainer that was made for it as many images as its settings ask for.
    pub fn give(&self, trainer: &mut Trainer) -> Result<()> {
        trainer.add_data(&self.images, &self.labels).map_err(|e| Failure::of_file(&self.path, e))
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound if TRAINING.iter().chain(&TEST).any(|name| path.ends_with(name)) => {
            let why = "not found; `npm run data` prepares MNIST in data/mnist, --data names another folder".into();
            Failure::File { path: path.into(), why }
        }
        _ => Failure::io(path, "read", &e),
    })
}

/// What is in the file: gzip is known by its first bytes, not by a name.
fn unpacked(path: &Path, file: Vec<u8>) -> Result<Vec<u8>> {
    if !file.starts_with(&[0x1f, 0x8b]) {
        return Ok(file);
    }
    let mut inner = Vec::new();
    match MultiGzDecoder::new(file.as_slice()).take(MOST + 1).read_to_end(&mut inner) {
        Ok(size) if size as u64 <= MOST => Ok(inner),
        Ok(_) => Err(Failure::File { path: path.into(), why: format!("unpacks to more than {MOST} bytes") }),
        Err(e) => Err(Failure::io(path, "unpacked", &e)),
    }
}
