//! Squared distances between images, by one matrix product: `|a − b|² = |a|² + |b|² − 2ab`.

use crate::failure::Result;
use digit_forge_core::bench::Workload;
use digit_forge_core::data::IMAGE;
use digit_forge_core::engine::cpu::CpuEngine;
use digit_forge_core::engine::{Engine, block_on};
use digit_forge_core::ops::product::Orientation;
use digit_forge_core::program::{ProgramId, Tensor};

/// Images whose distances are computed at a time.
const AT_ONCE: usize = 100;

/// Images to measure distances from.
pub struct Neighbours {
    engine: CpuEngine,
    programs: Vec<ProgramId>,
    /// `[AT_ONCE, 784]`
    images: Tensor,
    /// `[AT_ONCE, N]`
    products: Tensor,
    /// `|b|²`, `[N]`
    lengths: Vec<f32>,
}

impl Neighbours {
    /// `neighbours` are the pixels of images, at least one.
    pub fn new(neighbours: &[u8]) -> Result<Self> {
        let values = values(neighbours);
        let lengths: Vec<f32> = values.chunks_exact(IMAGE.pixels()).map(squared).collect();
        let work = Workload::product([AT_ONCE, IMAGE.pixels(), lengths.len()], Orientation::TransposedB)?;
        let op = &work.recording.programs[0].ops[0];
        let (images, others, products) = (op.reads()[0], op.reads()[1], op.writes()[0]);
        let mut engine = CpuEngine::new(&work.recording, 0);
        engine.upload(others, 0, &words(&values))?;
        Ok(Neighbours { engine, programs: work.programs, images, products, lengths })
    }

    /// Calls `each` for every image, in order, with its squared distances from all neighbours.
    pub fn distances(&mut self, pixels: &[u8], mut each: impl FnMut(&[f32])) -> Result<()> {
        let mut distances = vec![0.0; self.lengths.len()];
        for pixels in pixels.chunks(AT_ONCE * IMAGE.pixels()) {
            let values = values(pixels);
            self.engine.upload(self.images, 0, &words(&values))?;
            self.engine.run(&self.programs, 1)?;
            let products = block_on(self.engine.download(self.products))?;
            let rows = values.chunks_exact(IMAGE.pixels()).zip(products.chunks_exact(self.lengths.len()));
            for (image, products) in rows {
                let own = squared(image);
                for ((distance, &product), length) in distances.iter_mut().zip(products).zip(&self.lengths) {
                    *distance = own + length - 2.0 * f32::from_bits(product);
                }
                each(&distances);
            }
        }
        Ok(())
    }
}

/// From 0 to 1.
fn values(pixels: &[u8]) -> Vec<f32> {
    pixels.iter().map(|&p| f32::from(p) / 255.0).collect()
}

fn squared(image: &[f32]) -> f32 {
    image.iter().map(|v| v * v).sum()
}

fn words(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_sums_of_squares() {
        let image = |i: usize| (0..IMAGE.pixels()).map(move |p| ((p * (i + 3) * 7) % 256) as u8);
        let images = |range: std::ops::Range<usize>| range.flat_map(image).collect::<Vec<u8>>();
        let (others, pixels) = (images(0..7), images(2..AT_ONCE + 5));
        let mut all = Vec::new();
        Neighbours::new(&others).unwrap().distances(&pixels, |d| all.push(d.to_vec())).unwrap();
        assert_eq!(all.len(), AT_ONCE + 3);
        for (i, distances) in all.iter().enumerate() {
            for (j, &distance) in distances.iter().enumerate() {
                let difference = image(i + 2).zip(image(j)).map(|(a, b)| (f32::from(a) - f32::from(b)) / 255.0);
                let expected: f32 = difference.map(|d| d * d).sum();
                assert!((distance - expected).abs() < 1e-3, "{i}, {j}: {distance}, expected {expected}");
            }
        }
    }
}
