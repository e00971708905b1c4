//! Data sets: 28×28 grey images of ten digits. MNIST, any pair of IDX files like its own ([`pair`]), or pictures made like
//! its images ([`handwriting`]).

pub mod handwriting;
pub mod idx;
pub mod pair;

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

/// Images of MNIST's training set, and as many as are taken of a larger one.
pub const MNIST_IMAGES: usize = 60_000;
