//! The built program, run as people run it, on a small data set of our own.

mod gpu;
mod refusals;
mod resume;
mod scene;
mod settings;
mod train;
