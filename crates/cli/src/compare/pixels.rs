//! Distances between images, pixel by pixel.

use crate::failure::Result;
use digit_forge_core::data::IMAGE;
use digit_forge_core::metrics::{Features, Neighbours, inks};

/// To measure distances from the pixels of these images.
pub fn neighbours(pixels: &[u8]) -> Result<Neighbours> {
    Ok(Neighbours::new(Features::new("training images", &inks(pixels), IMAGE.pixels())?))
}

/// Calls `each` for every image, in order, with its squared distances from all neighbours.
pub fn distances(from: &mut Neighbours, pixels: &[u8], each: &mut dyn FnMut(&[f32])) -> Result<()> {
    let values = inks(pixels);
    Ok(from.distances(Features::new("images", &values, IMAGE.pixels())?, &mut |_, distances| each(distances))?)
}
