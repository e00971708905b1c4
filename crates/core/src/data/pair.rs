//! A data set that somebody else made: two IDX files, of which either may be the images.

use super::idx::{self, Images, Kind};
use super::{IMAGE, MNIST_IMAGES};
use crate::error::{Error, Result};

/// Images and labels that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// `[labels.len(), 28, 28]`, ink = 255.
    pub pixels: Vec<u8>,
    /// A digit for each image, at most [`MNIST_IMAGES`]: those that come first.
    pub labels: Vec<u8>,
    /// Images in the file.
    pub found: usize,
}

impl Pair {
    /// Reads two files, each with the name that errors give it. Their magic numbers say which one holds the images.
    ///
    /// # Errors
    /// [`Error::Data`] that names the file at fault: broken, of another size, without images, with a label that is no digit,
    /// or of the same kind as the other one.
    pub fn read(files: [(&str, &[u8]); 2]) -> Result<Pair> {
        let [(first, a), (second, b)] = files;
        let error = |what: &str, why: String| Error::Data { what: what.to_owned(), why };
        let fail = |what: &str, why: String| Err(error(what, why));
        let (images_name, images, labels_name, labels) = match (idx::kind(first, a)?, idx::kind(second, b)?) {
            (Kind::Images, Kind::Labels) => (first, a, second, b),
            (Kind::Labels, Kind::Images) => (second, b, first, a),
            (Kind::Images, Kind::Images) => return fail(second, format!("images, as {first} has; labels are missing")),
            (Kind::Labels, Kind::Labels) => return fail(second, format!("labels, as {first} has; images are missing")),
        };
        let images = idx::images(images_name, images)?;
        if images.count == 0 {
            return fail(images_name, "there is no image in it".into());
        }
        let labels = idx::labels(labels_name, labels)?;
        images.fit(labels).map_err(|why| error(images_name, why))?;
        Ok(Pair::of(&images, labels))
    }

    fn of(images: &Images, labels: &[u8]) -> Pair {
        let count = labels.len().min(MNIST_IMAGES);
        let pixels = images.pixels[..count * IMAGE.pixels()].to_vec();
        Pair { pixels, labels: labels[..count].to_vec(), found: images.count }
    }

    /// Makes rows of columns: EMNIST's images are published lying on their side, mirrored.
    pub fn transpose(&mut self) {
        for image in self.pixels.chunks_exact_mut(IMAGE.pixels()) {
            for y in 0..IMAGE.rows {
                for x in 0..y {
                    image.swap(y * IMAGE.columns + x, x * IMAGE.columns + y);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ImageShape;
    use super::*;

    fn images(count: usize) -> Vec<u8> {
        let pixels: Vec<u8> = (0..count * IMAGE.pixels()).map(|i| i as u8).collect();
        idx::write_images(IMAGE, &pixels)
    }

    fn labels(count: usize) -> Vec<u8> {
        idx::write_labels(&(0..count).map(|i| (i % 10) as u8).collect::<Vec<_>>())
    }

    #[test]
    fn either_file_may_come_first() {
        let (x, y) = (images(5), labels(5));
        let pair = Pair::read([("a", &x), ("b", &y)]).unwrap();
        assert_eq!((pair.found, pair.labels.as_slice()), (5, &[0, 1, 2, 3, 4][..]));
        assert_eq!(pair.pixels, x[16..]);
        assert_eq!(Pair::read([("b", &y), ("a", &x)]).unwrap(), pair);
    }

    #[test]
    fn of_a_large_set_the_first_are_taken() {
        let (x, y) = (images(MNIST_IMAGES + 3), labels(MNIST_IMAGES + 3));
        let pair = Pair::read([("a", &x), ("b", &y)]).unwrap();
        assert_eq!((pair.found, pair.labels.len()), (MNIST_IMAGES + 3, MNIST_IMAGES));
        assert_eq!(pair.pixels.len(), MNIST_IMAGES * IMAGE.pixels());
    }

    #[test]
    fn what_does_not_belong_together_is_named() {
        let error = |a: &[u8], b: &[u8]| Pair::read([("a", a), ("b", b)]).unwrap_err().to_string();
        assert_eq!(error(&images(2), &images(2)), "b: images, as a has; labels are missing");
        assert_eq!(error(&labels(2), &labels(2)), "b: labels, as a has; images are missing");
        assert_eq!(error(&labels(3), &images(2)), "b: 2 images but 3 labels");
        assert_eq!(error(&images(0), &labels(0)), "a: there is no image in it");
        assert_eq!(error(&images(2), &idx::write_labels(&[1, 26])), "b: label 1 is 26, and digits end at 9");
        let wide = idx::write_images(ImageShape { rows: 28, columns: 32 }, &[0; 28 * 32]);
        assert_eq!(error(&wide, &labels(1)), "a: 28×32 pixels, and 28×28 are needed");
        assert!(error(&images(2)[..99], &labels(2)).starts_with("a: truncated"));
        assert!(error(&images(2), &[]).starts_with("b: no IDX file"));
    }

    #[test]
    fn transposing_turns_rows_into_columns_and_back() {
        let (x, y) = (images(2), labels(2));
        let mut pair = Pair::read([("a", &x), ("b", &y)]).unwrap();
        let before = pair.clone();
        pair.transpose();
        let at = |pair: &Pair, n: usize, y: usize, x: usize| pair.pixels[n * 784 + y * 28 + x];
        assert_eq!(at(&pair, 1, 3, 20), at(&before, 1, 20, 3));
        assert_ne!(pair, before);
        pair.transpose();
        assert_eq!(pair, before);
    }
}
