//! Model families, one file each. To add one: its file, and its settings in `train/settings.rs`.

mod discriminator;
pub mod gan;
mod generator;
pub mod losses;
mod networks;
pub mod penalties;
mod scene;
pub mod shard;
pub mod summary;
pub mod vitals;
pub mod wants;
