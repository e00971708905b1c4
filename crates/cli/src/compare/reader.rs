//! Reads digits: each image is what most of its three nearest training images are, or what the nearest is where they
//! all differ. Any other reader needs [`Reader::new`] and [`Reader::read`].

use super::neighbours::Neighbours;
use crate::failure::Result;

/// How many neighbours vote.
pub const VOTES: usize = 3;

pub struct Reader {
    neighbours: Neighbours,
    labels: Vec<u8>,
}

impl Reader {
    /// Learns from the pixels of images and their labels.
    pub fn new((pixels, labels): (&[u8], &[u8])) -> Result<Self> {
        Ok(Reader { neighbours: Neighbours::new(pixels)?, labels: labels.into() })
    }

    /// The digit of each image.
    pub fn read(&mut self, pixels: &[u8]) -> Result<Vec<u8>> {
        let mut digits = Vec::new();
        self.neighbours.distances(pixels, |distances| digits.push(vote(distances, &self.labels)))?;
        Ok(digits)
    }
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
