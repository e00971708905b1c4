//! A picture of a digit made like MNIST's images: white ink on black, its box scaled to fit 20×20 pixels, its centre of mass
//! in the middle of 28×28 (LeCun, Cortes, Burges, "The MNIST database").
//!
//! The paper's shade is the border's median, and ink is on the side of it that goes further; what differs by less than an
//! eighth of that is paper, too. Thin strokes grow faint where a large picture shrinks, so the darkest pixel becomes full ink again.

use super::IMAGE;
use crate::error::{Error, Result};

/// The longer side of the ink's box.
const BOX: usize = 20;
/// Grey levels between paper and ink, below which there is no ink.
const LEAST_CONTRAST: u8 = 24;

/// Grey pixels `[height, width]`, 0 = black, to `[28, 28]` bytes, ink = 255. The ink may be darker or lighter than the
/// paper.
///
/// # Errors
/// [`Error::Data`] where the picture is blank, or `grey` isn't as long as its extents say.
pub fn prepare(grey: &[u8], width: usize, height: usize) -> Result<Vec<u8>> {
    let fail = |why: &str| Err(Error::Data { what: "picture".into(), why: why.into() });
    if grey.is_empty() || width.checked_mul(height) != Some(grey.len()) {
        return fail("its pixels aren't as many as its width times its height");
    }
    let paper = median_of_border(grey, width, height);
    let (darkest, lightest) = grey.iter().fold((paper, paper), |(dark, light), &v| (dark.min(v), light.max(v)));
    let (darker, lighter) = (paper - darkest, lightest - paper);
    let ink = |v: u8| if lighter > darker { v.saturating_sub(paper) } else { paper.saturating_sub(v) };
    let most = darker.max(lighter);
    if most < LEAST_CONTRAST {
        return fail("it is blank");
    }
    let least = most / 8;
    let picture = Picture { grey, width, ink: &|v| if ink(v) > least { ink(v) } else { 0 } };
    let small = picture.shrunk(picture.bounds(height));
    Ok(small.centred())
}

/// Half of the border is darker, half is lighter.
fn median_of_border(grey: &[u8], width: usize, height: usize) -> u8 {
    let mut counts = [0usize; 256];
    let mut count = |y: usize, x: usize| counts[usize::from(grey[y * width + x])] += 1;
    for x in 0..width {
        count(0, x);
        count(height - 1, x);
    }
    for y in 0..height {
        count(y, 0);
        count(y, width - 1);
    }
    let mut left = width + height;
    for (shade, &n) in counts.iter().enumerate() {
        if n >= left {
            return shade as u8;
        }
        left -= n;
    }
    255
}

/// The ink's box: from the first row and column with ink to before the first without.
struct Bounds {
    top: usize,
    left: usize,
    bottom: usize,
    right: usize,
}

struct Picture<'a> {
    grey: &'a [u8],
    width: usize,
    ink: &'a dyn Fn(u8) -> u8,
}

impl Picture<'_> {
    fn bounds(&self, height: usize) -> Bounds {
        let mut bounds = Bounds { top: height, left: self.width, bottom: 0, right: 0 };
        for (i, _) in self.grey.iter().enumerate().filter(|&(_, &v)| (self.ink)(v) > 0) {
            let (y, x) = (i / self.width, i % self.width);
            bounds.top = bounds.top.min(y);
            bounds.left = bounds.left.min(x);
            bounds.bottom = bounds.bottom.max(y + 1);
            bounds.right = bounds.right.max(x + 1);
        }
        bounds
    }

    /// The ink in `bounds`, averaged over the area that becomes each pixel; the longer side becomes [`BOX`] pixels.
    fn shrunk(&self, bounds: Bounds) -> Small {
        let (rows, columns) = (bounds.bottom - bounds.top, bounds.right - bounds.left);
        let side = |n: usize| ((BOX * n) as f32 / rows.max(columns) as f32).round().max(1.0) as usize;
        let (height, width) = (side(rows), side(columns));
        let mut values = Vec::with_capacity(height * width);
        for y in 0..height {
            for x in 0..width {
                let mut sum = 0.0;
                for (row, part) in shares(y, height, rows) {
                    let line = &self.grey[(bounds.top + row) * self.width + bounds.left..];
                    for (column, share) in shares(x, width, columns) {
                        sum += part * share * f32::from((self.ink)(line[column]));
                    }
                }
                values.push(sum);
            }
        }
        Small { height, width, values }
    }
}

/// Which of `n` pixels lie under pixel `i` of `size`, and how much of each.
fn shares(i: usize, size: usize, n: usize) -> impl Iterator<Item = (usize, f32)> {
    // In units of 1 / size of a source pixel, where all edges are whole.
    let (from, to) = (i * n, (i + 1) * n);
    (from / size..to.div_ceil(size)).map(move |k| {
        let covered = to.min((k + 1) * size) - from.max(k * size);
        (k, covered as f32 / n as f32)
    })
}

/// At most [`BOX`] pixels high and wide.
struct Small {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl Small {
    /// In the middle by its centre of mass, or as near as no ink is cut off.
    fn centred(&self) -> Vec<u8> {
        let (mut mass, mut down, mut across, mut most) = (0.0, 0.0, 0.0, 0.0f32);
        for (i, &v) in self.values.iter().enumerate() {
            mass += v;
            down += v * (i / self.width) as f32;
            across += v * (i % self.width) as f32;
            most = most.max(v);
        }
        let start = |moment: f32, size: usize, whole: usize| {
            let middle = (whole - 1) as f32 / 2.0;
            (middle - moment / mass).round().clamp(0.0, (whole - size) as f32) as usize
        };
        let (top, left) = (start(down, self.height, IMAGE.rows), start(across, self.width, IMAGE.columns));
        let mut image = vec![0; IMAGE.pixels()];
        for (i, &v) in self.values.iter().enumerate() {
            let (y, x) = (top + i / self.width, left + i % self.width);
            image[y * IMAGE.columns + x] = (255.0 * v / most).round() as u8;
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[height, width]` of paper, with a rectangle of ink at rows `y` and columns `x`.
    fn picture(
        [height, width]: [usize; 2],
        [paper, ink]: [u8; 2],
        y: std::ops::Range<usize>,
        x: std::ops::Range<usize>,
    ) -> Vec<u8> {
        let at = |i: usize| if y.contains(&(i / width)) && x.contains(&(i % width)) { ink } else { paper };
        (0..height * width).map(at).collect()
    }

    /// The rows and columns with ink, and the ink in all.
    fn extent(image: &[u8]) -> ([usize; 4], u32) {
        assert_eq!(image.len(), IMAGE.pixels());
        let inked: Vec<usize> = (0..image.len()).filter(|&i| image[i] > 0).collect();
        let rows = inked.iter().map(|i| i / 28);
        let columns = inked.iter().map(|i| i % 28);
        let box_ =
            [rows.clone().min(), rows.max(), columns.clone().min(), columns.max()].map(|edge| edge.unwrap_or_default());
        (box_, image.iter().map(|&v| u32::from(v)).sum())
    }

    #[test]
    fn dark_and_light_paper_give_the_same_image() {
        let dark = prepare(&picture([60, 50], [0, 255], 10..50, 20..30), 50, 60).unwrap();
        let light = prepare(&picture([60, 50], [255, 0], 10..50, 20..30), 50, 60).unwrap();
        let grey = prepare(&picture([60, 50], [210, 90], 10..50, 20..30), 50, 60).unwrap();
        // 40 by 10 pixels become 20 by 5, in the middle.
        assert_eq!(extent(&dark), ([4, 23, 12, 16], 20 * 5 * 255));
        assert_eq!(light, dark);
        assert_eq!(grey, dark);
    }

    #[test]
    fn ink_is_on_the_side_of_the_greater_contrast() {
        let clean = prepare(&picture([60, 50], [0, 255], 10..50, 20..30), 50, 60).unwrap();
        for (paper, ink, stain) in [(120, 0, 130), (140, 255, 130), (100, 0, 190), (160, 255, 70)] {
            let mut page = picture([60, 50], [paper, ink], 10..50, 20..30);
            assert_eq!(prepare(&page, 50, 60).unwrap(), clean, "{ink} on {paper}");
            page[55 * 50 + 40] = stain;
            assert_eq!(prepare(&page, 50, 60).unwrap(), clean, "{ink} on {paper}, with a spot of {stain}");
        }
    }

    #[test]
    fn faint_grain_is_paper() {
        let mut page = picture([60, 50], [230, 40], 10..50, 20..30);
        let clean = prepare(&page, 50, 60).unwrap();
        for i in (0..page.len()).step_by(7).filter(|i| page[*i] == 230).collect::<Vec<_>>() {
            page[i] = 215;
        }
        assert_eq!(prepare(&page, 50, 60).unwrap(), clean);
    }

    #[test]
    fn blank_pictures_are_refused() {
        for shade in [0, 128, 255] {
            let error = prepare(&[shade; 600], 30, 20).unwrap_err().to_string();
            assert_eq!(error, "picture: it is blank");
        }
        assert!(prepare(&picture([20, 20], [200, 190], 5..10, 5..10), 20, 20).is_err());
        assert!(prepare(&[0], 1, 1).is_err());
    }

    #[test]
    fn pixels_that_are_not_as_many_as_said_are_refused() {
        for (grey, width, height) in [(&[][..], 0, 0), (&[1, 2][..], 3, 1), (&[1][..], usize::MAX, 2)] {
            assert!(prepare(grey, width, height).unwrap_err().to_string().contains("width times"));
        }
    }

    #[test]
    fn a_single_pixel_becomes_a_square() {
        let image = prepare(&picture([9, 9], [255, 0], 0..1, 8..9), 9, 9).unwrap();
        assert_eq!(extent(&image), ([4, 23, 4, 23], 400 * 255));
    }

    #[test]
    fn a_huge_picture_with_a_thin_line_keeps_its_ink() {
        let image = prepare(&picture([2000, 3000], [255, 0], 1000..1001, 100..2900), 3000, 2000).unwrap();
        // The middle of an even number of pixels lies between two.
        assert_eq!(extent(&image), ([14, 14, 4, 23], 20 * 255));
    }

    #[test]
    fn areas_are_averaged_where_edges_fall_within_pixels() {
        // 30 pixels to 20: each takes one and a half.
        let page = picture([30, 40], [0, 200], 0..30, 10..11);
        let mut page = page;
        page[29 * 40 + 39] = 200;
        let image = prepare(&page, 40, 30).unwrap();
        let total: f32 = image.iter().map(|&v| f32::from(v)).sum();
        // 31 pixels of ink, each 4/9 of a pixel there; the fullest is 2/3 covered by a line one pixel wide.
        assert!((total - 255.0 * 31.0 * 4.0 / 9.0 * 1.5).abs() < 20.0, "{total}");
    }

    #[test]
    fn the_centre_of_mass_is_in_the_middle_and_no_ink_is_cut_off() {
        // A foot with a thin stem: its mass lies low, so the box lies high.
        let mut page = picture([40, 40], [0, 255], 30..40, 10..30);
        for y in 0..30 {
            page[y * 40 + 20] = 255;
        }
        let image = prepare(&page, 40, 40).unwrap();
        let (mut mass, mut down) = (0.0, 0.0);
        for (i, &v) in image.iter().enumerate() {
            mass += f32::from(v);
            down += f32::from(v) * (i / 28) as f32;
        }
        let ([top, bottom, ..], _) = extent(&image);
        assert_eq!(bottom - top, 19);
        assert!((down / mass - 13.5).abs() <= 0.5 || top == 0, "{} from {top}", down / mass);
        // Nearly all mass at one end: the whole box is still there.
        let mut heavy = picture([200, 200], [0, 255], 180..200, 0..200);
        heavy[100] = 255;
        let ([top, bottom, ..], _) = extent(&prepare(&heavy, 200, 200).unwrap());
        assert_eq!((top, bottom), (0, 19));
    }
}
