//! Whether images repeat those that were trained on: how far each is from its nearest training image, in pixels, beside
//! the same of real images that weren't trained on.
//!
//! A generator that has learnt is as far from the training images as new real images are; one that has memorised is far
//! below, and one that makes noise or blots is far above. The distance is `|a − b|` with pixels from 0 to 1, so an image with
//! little ink, or none, is near to thin digits without having learnt any: being near means something where images differ.

use super::cloud::{Features, inks, refuse};
use super::neighbours::Neighbours;
use crate::error::Result;

/// Training images at a time.
const AT_ONCE: usize = 2_000;
/// An image is suspiciously close where fewer than this share of the real ones are closer.
pub const SUSPICIOUS: f64 = 0.01;

/// An image's nearest training image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Its number among the training images.
    pub training: usize,
    /// How far it is.
    pub distance: f64,
}

/// The nearest of `training` for each of `images`; of several as near, the first. Both are `[N, width]` bytes.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) where either has no image or no whole number of them.
pub fn nearest(training: &[u8], images: &[u8], width: usize) -> Result<Vec<Nearest>> {
    if width == 0 || training.is_empty() || !training.len().is_multiple_of(width) {
        return Err(refuse("training images", format!("{} bytes are no whole images of {width}", training.len())));
    }
    let values = inks(images);
    let images = Features::new("images", &values, width)?;
    let mut all = vec![(0, f32::INFINITY); images.count()];
    for (block, pixels) in training.chunks(AT_ONCE * width).enumerate() {
        let values = inks(pixels);
        let mut neighbours = Neighbours::new(Features::new("training images", &values, width)?);
        neighbours.distances(images, &mut |i, distances| {
            for (j, &distance) in distances.iter().enumerate() {
                if distance < all[i].1 {
                    all[i] = (block * AT_ONCE + j, distance);
                }
            }
        })?;
    }
    Ok(all.into_iter().map(|(training, squared)| Nearest { training, distance: f64::from(squared).sqrt() }).collect())
}

/// How near images come to the training images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// The images' mean distance from the nearest training image.
    pub distance: f64,
    /// The same of real images that weren't trained on.
    pub real: f64,
    /// The share of images that are closer than all but [`SUSPICIOUS`] of the real ones: about that share where nothing is
    /// memorised.
    pub close: f64,
    /// Images that equal a training image, pixel by pixel.
    pub copies: usize,
}

impl Memory {
    /// Of images and of real ones, each with their [`nearest`].
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) where either are none.
    pub fn of(images: &[Nearest], real: &[Nearest]) -> Result<Self> {
        for (what, set) in [("images", images), ("real images", real)] {
            if set.is_empty() {
                return Err(refuse(what, "there are none".into()));
            }
        }
        let mean = |set: &[Nearest]| set.iter().map(|n| n.distance).sum::<f64>() / set.len() as f64;
        // The share that is closer says where the limit is without sorting all of them: it is among the few closest.
        let few = (real.len() as f64 * SUSPICIOUS) as usize;
        let mut closest = vec![f64::INFINITY; few + 1];
        for Nearest { distance, .. } in real {
            if *distance < closest[few] {
                let at = closest.partition_point(|other| other <= distance);
                closest.copy_within(at..few, at + 1);
                closest[at] = *distance;
            }
        }
        let close = images.iter().filter(|n| n.distance < closest[few]).count();
        Ok(Memory {
            distance: mean(images),
            real: mean(real),
            close: close as f64 / images.len() as f64,
            copies: images.iter().filter(|n| n.distance == 0.0).count(),
        })
    }

    /// The distance relative to real images': 1 where the images are as new as those, 0 where all are copies. None where
    /// the real images are copies themselves.
    pub fn ratio(&self) -> Option<f64> {
        (self.real > 0.0).then(|| self.distance / self.real)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::kid::mixed;

    /// `[count, 16]` bytes that look random.
    fn images(count: usize, stream: u64) -> Vec<u8> {
        (0..count as u64 * 16).map(|i| mixed(stream << 32 | i) as u8).collect()
    }

    #[test]
    fn the_nearest_is_found_in_any_block_with_its_distance() {
        let training = images(AT_ONCE + 40, 1);
        let mut queries = training[7 * 16..8 * 16].to_vec();
        queries.extend(&training[(AT_ONCE + 3) * 16..(AT_ONCE + 4) * 16]);
        queries[16] ^= 16;
        let found = nearest(&training, &queries, 16).unwrap();
        assert_eq!(found[0], Nearest { training: 7, distance: 0.0 });
        assert_eq!(found[1].training, AT_ONCE + 3);
        assert!((found[1].distance - 16.0 / 255.0).abs() < 1e-6);
        for (query, found) in queries.chunks(16).zip(&found) {
            let distance = |image: &[u8]| {
                image.iter().zip(query).map(|(a, b)| ((f64::from(*a) - f64::from(*b)) / 255.0).powi(2)).sum::<f64>()
            };
            let least = training.chunks(16).map(distance).fold(f64::INFINITY, f64::min).sqrt();
            assert!((found.distance - least).abs() < 1e-6);
        }
    }

    #[test]
    fn memorised_images_are_told_from_new_ones_and_from_noise() {
        // Real images are grey with some noise; what is memorised are those that were trained on.
        let grey = |count, stream| images(count, stream).iter().map(|v| 100 + v / 4).collect::<Vec<u8>>();
        let training = grey(600, 1);
        let memory = |images: &[u8]| {
            let [images, real] = [images, &grey(400, 2)].map(|set| nearest(&training, set, 16).unwrap());
            Memory::of(&images, &real).unwrap()
        };
        let new = memory(&grey(400, 3));
        assert!((0.95..1.05).contains(&new.ratio().unwrap()) && new.close < 0.04 && new.copies == 0, "{new:?}");
        let mut blurred = training[..200 * 16].to_vec();
        blurred.iter_mut().step_by(5).for_each(|v| *v += 2);
        let copied = memory(&[&training[..200 * 16], &blurred].concat());
        assert!(copied.ratio().unwrap() < 0.1 && copied.close == 1.0 && copied.copies == 200, "{copied:?}");
        let noise = memory(&images(400, 4));
        assert!(noise.ratio().unwrap() > 1.5 && noise.close == 0.0, "{noise:?}");
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let error = |training: &[u8], images: &[u8]| nearest(training, images, 16).unwrap_err().to_string();
        assert_eq!(error(&[], &[0; 16]), "training images: 0 bytes are no whole images of 16");
        assert_eq!(error(&[0; 16], &[0; 17]), "images: 17 values are no whole rows of 16");
        assert_eq!(error(&[0; 16], &[]), "images: there are none");
        let one = [Nearest { training: 0, distance: 1.0 }];
        assert_eq!(Memory::of(&one, &[]).unwrap_err().to_string(), "real images: there are none");
    }

    #[test]
    fn beside_real_images_that_are_copies_nothing_is_relative() {
        let one = [Nearest { training: 0, distance: 1.0 }];
        let memory = Memory::of(&one, &[Nearest { training: 0, distance: 0.0 }]).unwrap();
        assert_eq!((memory.ratio(), memory.close), (None, 0.0));
    }
}
