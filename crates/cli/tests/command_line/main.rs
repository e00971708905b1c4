//! The built program, run as people run it, on a small data set of our own.

#![allow(clippy::unwrap_used, reason = "the scene's functions are part of the tests, which clippy can't know")]

mod bench;
mod compare;
mod data;
mod doctor;
mod evaluate;
mod fool;
mod gpu;
mod judge;
mod refusals;
mod resume;
mod scene;
mod settings;
mod train;
