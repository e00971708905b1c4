//! The IDX format of MNIST's authors (LeCun, Cortes, Burges): a magic number, extents, bytes; integers big-endian.

use super::{IMAGE, ImageShape};
use crate::error::{Error, Result};

/// Images as they lie in the file: one byte a pixel, ink = 255.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// Extents of each.
    pub shape: ImageShape,
    /// How many.
    pub count: usize,
    /// `[count, rows, columns]`
    pub pixels: &'a [u8],
}

impl Images<'_> {
    /// Whether a GAN can be trained on them with these labels.
    ///
    /// # Errors
    /// What doesn't fit: the extents, or the number of labels.
    pub fn fit(&self, labels: &[u8]) -> Result<(), String> {
        let ImageShape { rows, columns } = self.shape;
        if self.shape != IMAGE {
            return Err(format!("{rows}×{columns} pixels, and {}×{} are needed", IMAGE.rows, IMAGE.columns));
        }
        if self.count != labels.len() {
            return Err(format!("{} images but {} labels", self.count, labels.len()));
        }
        Ok(())
    }
}

/// What an IDX file of bytes holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `[count, rows, columns]`
    Images,
    /// `[count]`
    Labels,
}

const IMAGES_MAGIC: u32 = 0x0803;
const LABELS_MAGIC: u32 = 0x0801;

fn header<'a>(what: &str, file: &'a [u8], magic: u32, extents: usize) -> Result<(Vec<usize>, &'a [u8])> {
    let fail = |why: String| Error::Data { what: what.to_owned(), why };
    let size = 4 + 4 * extents;
    if file.len() < size {
        return Err(fail(format!("truncated: {} bytes, and an IDX header has {size}", file.len())));
    }
    let (head, body) = file.split_at(size);
    let mut words = head.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let found = words.next().unwrap_or_default();
    if head[..2] == [0x1f, 0x8b] {
        return Err(fail("it is gzipped; unpack it first".into()));
    }
    if found != magic {
        return Err(fail(format!("not the expected IDX file: its magic number is {found:#010x}, not {magic:#010x}")));
    }
    let extents: Vec<usize> = words.map(|w| w as usize).collect();
    let expected =
        extents.iter().try_fold(1usize, |n, &e| n.checked_mul(e)).ok_or_else(|| fail("impossible extents".into()))?;
    if body.len() != expected {
        let state = if body.len() < expected { "truncated" } else { "too long" };
        return Err(fail(format!("{state}: its header {extents:?} promises {expected} bytes, {} follow", body.len())));
    }
    Ok((extents, body))
}

/// What a file holds, by its magic number alone. `what` names it in errors.
///
/// # Errors
/// [`Error::Data`] where it holds neither images nor labels.
pub fn kind(what: &str, file: &[u8]) -> Result<Kind> {
    let fail = |why: String| Err(Error::Data { what: what.to_owned(), why });
    let Some(&[a, b, c, d]) = file.first_chunk() else {
        return fail(format!("no IDX file: it has {} bytes", file.len()));
    };
    match u32::from_be_bytes([a, b, c, d]) {
        IMAGES_MAGIC => Ok(Kind::Images),
        LABELS_MAGIC => Ok(Kind::Labels),
        _ if [a, b] == *b"PK" => fail("a zip archive; unpack it first".into()),
        found => fail(format!(
            "no IDX file of images ({IMAGES_MAGIC:#010x}) or labels ({LABELS_MAGIC:#010x}): it begins with {found:#010x}"
        )),
    }
}

/// Reads an image file. `what` names it in errors.
///
/// # Errors
/// [`Error::Data`] that says what is wrong with the file.
pub fn images<'a>(what: &str, file: &'a [u8]) -> Result<Images<'a>> {
    let (extents, pixels) = header(what, file, IMAGES_MAGIC, 3)?;
    Ok(Images { count: extents[0], shape: ImageShape { rows: extents[1], columns: extents[2] }, pixels })
}

/// Reads a label file of digits 0 to 9. `what` names it in errors.
///
/// # Errors
/// [`Error::Data`] that says what is wrong with the file.
pub fn labels<'a>(what: &str, file: &'a [u8]) -> Result<&'a [u8]> {
    let (_, labels) = header(what, file, LABELS_MAGIC, 1)?;
    match labels.iter().position(|&l| l > 9) {
        Some(i) => {
            Err(Error::Data { what: what.to_owned(), why: format!("label {i} is {}, and digits end at 9", labels[i]) })
        }
        None => Ok(labels),
    }
}

/// Writes an image file.
pub fn write_images(shape: ImageShape, pixels: &[u8]) -> Vec<u8> {
    let count = pixels.len() / shape.pixels();
    write(IMAGES_MAGIC, &[count, shape.rows, shape.columns], pixels)
}

/// Writes a label file.
pub fn write_labels(labels: &[u8]) -> Vec<u8> {
    write(LABELS_MAGIC, &[labels.len()], labels)
}

fn write(magic: u32, extents: &[usize], body: &[u8]) -> Vec<u8> {
    let words = std::iter::once(magic).chain(extents.iter().map(|&e| e as u32));
    words.flat_map(u32::to_be_bytes).chain(body.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape { rows: 2, columns: 3 };

    #[test]
    fn what_is_written_is_read() {
        let pixels: Vec<u8> = (0..12).collect();
        let file = write_images(SHAPE, &pixels);
        let read = images("x", &file).unwrap();
        assert_eq!((read.shape, read.count, read.pixels), (SHAPE, 2, pixels.as_slice()));
        assert_eq!(labels("y", &write_labels(&[3, 9])).unwrap(), [3, 9]);
    }

    #[test]
    fn the_magic_number_tells_images_from_labels() {
        assert_eq!(kind("x", &write_images(SHAPE, &[7; 12])).unwrap(), Kind::Images);
        assert_eq!(kind("y", &write_labels(&[])).unwrap(), Kind::Labels);
        for (file, said) in
            [(&b""[..], "0 bytes"), (b"\0\0\x0d\x03", "0x00000d03"), (b"PK\x03\x04", "zip"), (b"text", "no IDX file")]
        {
            let error = kind("z", file).unwrap_err().to_string();
            assert!(error.starts_with("z: ") && error.contains(said), "{error}");
        }
    }

    #[test]
    fn broken_files_are_refused_with_the_reason() {
        let file = write_images(SHAPE, &[7; 12]);
        let reason = |file: &[u8]| images("train-images", file).unwrap_err().to_string();
        assert!(reason(&file[..10]).contains("truncated"));
        assert!(reason(&file[..20]).contains("promises 12 bytes, 4 follow"));
        assert!(reason(&[&file[..], &[0]].concat()).contains("too long"));
        assert!(reason(&write_labels(&[1; 20])).contains("0x00000801"));
        assert!(reason(&[&[0x1f, 0x8b][..], &[0; 30]].concat()).contains("gzipped"));
        assert!(labels("y", &write_labels(&[1, 10])).unwrap_err().to_string().contains("label 1 is 10"));
        assert!(
            reason(&[0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]).contains("impossible")
        );
    }
}
