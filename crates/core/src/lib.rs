//! Digit Forge's core: models recorded once as programs of operations, replayed by a GPU or a CPU engine.
//!
//! ```text
//! settings ─▶ model (layers) ─▶ program ─▶ gradients ─▶ fused program ─▶ engine: gpu | cpu ─▶ images, losses
//! ```
//!
//! Start reading at [`train::Trainer`] (what the page and the command line drive), [`models::gan`] (what is recorded)
//! and [`ops`] (what it is made of).

pub mod bench;
pub mod data;
pub mod doctor;
pub mod engine;
pub mod error;
pub mod judge;
pub mod layers;
pub mod metrics;
pub mod models;
pub mod ops;
pub mod optim;
pub mod program;
pub mod train;

pub use error::{Error, Result};
