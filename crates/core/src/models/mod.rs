//! Model families, one file each. To add one: its file, and its settings in `train/settings.rs`.

pub mod gan;
pub mod losses;
pub mod penalties;
pub mod summary;
