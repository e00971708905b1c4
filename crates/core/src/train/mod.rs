//! Training from settings: what can be set ([`settings`], [`presets`]), the [`Trainer`] that steps a model on an engine,
//! and its checkpoints.

pub(crate) mod checkpoint;
mod choices;
pub mod describe;
pub mod json;
pub(crate) mod number;
pub mod presets;
pub(crate) mod safetensors;
pub mod settings;
mod trainer;
pub mod values;

pub use checkpoint::{check as check_checkpoint, not_finite, settings_of as checkpoint_settings};
pub(crate) use trainer::after;
pub use trainer::{MOST_STEPS, Metrics, Trainer, Weights};

#[cfg(test)]
pub(crate) use trainer::tests;
