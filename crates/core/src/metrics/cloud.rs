//! Rows of features, checked once, so that no metric meets what isn't a number.

use crate::error::{Error, Result};

/// Features of some images, `[N, width]`, all finite.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    what: &'static str,
    values: &'a [f32],
    width: usize,
}

impl<'a> Features<'a> {
    /// `values` are rows of `width` values; `what` names them in errors.
    ///
    /// # Errors
    /// [`Error::Data`] where there is no whole number of rows, or none at all, or a value isn't finite: that one's row is
    /// named.
    pub fn new(what: &'static str, values: &'a [f32], width: usize) -> Result<Self> {
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(refuse(what, format!("{} values are no whole rows of {width}", values.len())));
        }
        if values.is_empty() {
            return Err(refuse(what, "there are none".into()));
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(refuse(what, format!("value {} of row {} is no finite number", at % width, at / width)));
        }
        Ok(Features { what, values, width })
    }

    /// What errors call them.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// All of them, row by row.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// Values in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows.
    pub fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// Row by row.
    pub fn rows(&self) -> std::slice::ChunksExact<'a, f32> {
        self.values.chunks_exact(self.width)
    }

    /// One row.
    pub(super) fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.width..][..self.width]
    }

    /// Refuses fewer rows than this, and says what they are needed for.
    pub(super) fn at_least(&self, rows: usize, why: &str) -> Result<()> {
        if self.count() < rows {
            return Err(refuse(self.what, format!("{} rows, and {why} needs at least {rows}", self.count())));
        }
        Ok(())
    }

    /// Refuses others with rows of another width.
    pub(super) fn beside(&self, other: &Features) -> Result<()> {
        same_width((self.what, self.width), (other.what, other.width))
    }
}

/// Pixels, from 0 to 1.
pub fn inks(pixels: &[u8]) -> Vec<f32> {
    pixels.iter().map(|&p| f32::from(p) / 255.0).collect()
}

/// Refuses widths that differ.
pub(super) fn same_width(one: (&'static str, usize), other: (&'static str, usize)) -> Result<()> {
    if one.1 != other.1 {
        return Err(refuse(one.0, format!("rows of {} values, but {} has rows of {}", one.1, other.0, other.1)));
    }
    Ok(())
}

pub(super) fn refuse(what: &str, why: String) -> Error {
    Error::Data { what: what.to_owned(), why }
}
