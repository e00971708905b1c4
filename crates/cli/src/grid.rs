//! The grid of images as a PNG: black ink on white paper.

use crate::failure::Result;
use digit_forge_core::data::{DIGITS, ImageShape};

/// Paper around and between the images.
const GAP: usize = 4;

/// Images of this shape, ink = 255, row by row of the grid, ten columns.
pub fn png(images: &[u8], shape: ImageShape) -> Result<Vec<u8>> {
    let rows = images.len() / shape.pixels() / DIGITS;
    let (cell_width, cell_height) = (shape.columns + GAP, shape.rows + GAP);
    let (width, height) = (DIGITS * cell_width + GAP, rows * cell_height + GAP);
    let mut paper = vec![255u8; width * height];
    for (i, image) in images.chunks_exact(shape.pixels()).enumerate() {
        let (left, top) = (i % DIGITS * cell_width + GAP, i / DIGITS * cell_height + GAP);
        for (y, line) in image.chunks_exact(shape.columns).enumerate() {
            let at = (top + y) * width + left;
            for (pixel, ink) in paper[at..].iter_mut().zip(line) {
                *pixel = 255 - ink;
            }
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&paper)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use digit_forge_core::data::IMAGE;

    #[test]
    fn each_image_lies_in_its_cell_as_black_on_white() {
        let mut images = vec![0u8; 20 * IMAGE.pixels()];
        // The second row's fourth image: its first pixel, and its last.
        images[13 * IMAGE.pixels()] = 255;
        images[14 * IMAGE.pixels() - 1] = 100;
        let file = png(&images, IMAGE).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (10 * 32 + 4, 2 * 32 + 4));
        let at = |x: usize, y: usize| pixels[y * info.width as usize + x];
        assert_eq!(at(3 * 32 + 4, 32 + 4), 0);
        assert_eq!(at(3 * 32 + 4 + 27, 32 + 4 + 27), 155);
        assert_eq!(pixels.iter().filter(|&&p| p == 255).count(), pixels.len() - 2);
    }
}
