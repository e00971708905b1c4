//! Data sets. MNIST so far: 28×28 grey images of ten digits, as IDX files.

pub mod idx;

/// The extents of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Pixels from top to bottom.
    pub rows: usize,
    /// Pixels from left to right.
    pub columns: usize,
}

impl ImageShape {
    /// All pixels.
    pub const fn pixels(self) -> usize {
        self.rows * self.columns
    }
}

/// What the networks generate and judge.
pub const IMAGE: ImageShape = ImageShape { rows: 28, columns: 28 };
