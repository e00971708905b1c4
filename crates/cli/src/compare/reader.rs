//! Reads digits: each image is what most of its three nearest training images are, or what the nearest is where they
//! all differ. Any other reader needs [`Reader::new`] and [`Reader::read`].

use crate::failure::Result;
use digit_forge_core::data::IMAGE;
use digit_forge_core::metrics::{Features, Neighbours, inks};

/// How many neighbours vote.
pub const VOTES: usize = 3;

pub struct Reader {
    neighbours: Neighbours,
    labels: Vec<u8>,
}

impl Reader {
    /// Learns from the pixels of images and their labels.
    pub fn new((pixels, labels): (&[u8], &[u8])) -> Result<Self> {
        Ok(Reader { neighbours: neighbours(pixels)?, labels: labels.into() })
    }

    /// The digit of each image.
    pub fn read(&mut self, pixels: &[u8]) -> Result<Vec<u8>> {
        let mut digits = Vec::new();
        distances(&mut self.neighbours, pixels, &mut |distances| digits.push(vote(distances, &self.labels)))?;
        Ok(digits)
    }
}

/// To measure distances from the pixels of these images.
pub fn neighbours(pixels: &[u8]) -> Result<Neighbours> {
    Ok(Neighbours::new(Features::new("training images", &inks(pixels), IMAGE.pixels())?))
}

/// Calls `each` for every image, in order, with its squared distances from all neighbours.
pub fn distances(from: &mut Neighbours, pixels: &[u8], each: &mut dyn FnMut(&[f32])) -> Result<()> {
    let values = inks(pixels);
    Ok(from.distances(Features::new("images", &values, IMAGE.pixels())?, &mut |_, distances| each(distances))?)
}

fn vote(distances: &[f32], labels: &[u8]) -> u8 {
    let mut nearest = [(f32::INFINITY, 0); VOTES];
    for (&distance, &label) in distances.iter().zip(labels) {
        if distance < nearest[VOTES - 1].0 {
            nearest[VOTES - 1] = (distance, label);
            nearest.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
    }
    let [(_, first), (_, second), (_, third)] = nearest;
    if second == third { second } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_of_three_decides_and_else_the_nearest() {
        assert_eq!(vote(&[0.9, 0.1, 0.5, 0.3], &[4, 7, 2, 2]), 2);
        assert_eq!(vote(&[0.9, 0.1, 0.5, 0.3], &[4, 7, 2, 3]), 7);
        assert_eq!(vote(&[0.4, 0.1, 0.5, 0.3], &[7, 7, 2, 2]), 7);
    }
}
