//! How good generated digits are: predictions against what was asked for ([`report`]), features against those of real
//! images ([`frechet`], [`kid`], [`manifold`]), and pixels against the training images ([`memory`]).
//!
//! Everything here is plain arithmetic on slices: who reads the digits and where features come from is the caller's.
//! A figure depends on the features that it is made of, so none of these is comparable with figures made of another
//! network's: the Fréchet distance is FD here, and not FID, which is Inception's.

mod cloud;
mod eigen;
pub mod frechet;
pub mod kid;
pub mod manifold;
pub mod memory;
mod neighbours;
pub mod report;

pub use cloud::{Features, inks};
pub use neighbours::Neighbours;

#[cfg(test)]
mod constructed;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod refusals;
