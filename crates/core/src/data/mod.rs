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

/// Classes: the ten digits.
pub const DIGITS: usize = 10;

/// Images of MNIST's training set, and as many as are taken of a larger one.
pub const MNIST_IMAGES: usize = 60_000;

/// A number that other bytes have hardly ever, unless somebody means them to: FNV-1a (Fowler, Noll, Vo) of all of them, one after another.
pub fn fingerprint(parts: &[&[u8]]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    parts.iter().copied().flatten().fold(0xcbf2_9ce4_8422_2325, step)
}

#[test]
fn fingerprints_are_those_of_fnv() {
    // The reference implementation's, of nothing and of "foobar".
    assert_eq!(fingerprint(&[]), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fingerprint(&[b"foo", b"bar"]), 0x8594_4171_f739_67e8);
}
