//! Steps that several engines make together, for JavaScript: see the core's `train/trainer/shards.rs`. Each is a worker's, and
//! messages between them are `Float32Array`s of [`Forge::message`] words, which lend themselves to being sent to and fro.

use crate::{Forge, error, valid};
use digit_forge_core::data::MNIST_IMAGES;
use digit_forge_core::models::shard::{self, Shard};
use digit_forge_core::train::Trainer;
use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

/// Into how many shards a run's batches can be cut, at most `most`, which is how many engines can share its steps; if it must
/// `pay`, only as many as make the steps shorter.
#[wasm_bindgen]
pub fn shards(text: &str, most: usize, pay: bool) -> Result<usize, JsError> {
    let settings = valid(text)?.settings;
    let most = shard::shards(&settings, most);
    Ok(if pay && most > 1 { most.min(shard::worthwhile(&settings).map_err(error)?) } else { most })
}

/// Writes pieces into a message, one behind the other.
fn put(message: &Float32Array) -> impl FnMut(&[f32]) {
    let mut at = 0;
    move |piece| {
        let end = at + piece.len() as u32;
        message.subarray(at, end).copy_from(piece);
        at = end;
    }
}

/// Reads pieces of a message likewise.
fn take(message: &Float32Array) -> impl FnMut(&mut [f32]) {
    let mut at = 0;
    move |piece| {
        let end = at + piece.len() as u32;
        message.subarray(at, end).copy_to(piece);
        at = end;
    }
}

#[wasm_bindgen]
impl Forge {
    /// A run on the CPU engine, for one shard of each batch of so many. That of rank 0 leads the others.
    pub fn shard(text: &str, data: Option<usize>, rank: usize, count: usize) -> Result<Forge, JsError> {
        let resolved = valid(text)?;
        let (data, shard) = (data.unwrap_or(MNIST_IMAGES), Shard { rank, count });
        let trainer = Trainer::cpu_shard(resolved.preset, resolved.settings, data, shard).map_err(error)?;
        Ok(Forge { trainer, presenter: None, raw_presenter: None, keeper: None })
    }

    /// Words of the longest message.
    pub fn message(&self) -> usize {
        self.trainer.message()
    }

    /// As the leader: writes what the others need for the next lesson.
    pub fn order(&mut self, message: &Float32Array) -> Result<(), JsError> {
        self.trainer.order(&mut put(message)).map_err(error)
    }

    /// As the leader: its own part of the lesson.
    pub fn work(&mut self) -> Result<(), JsError> {
        self.trainer.work().map_err(error)
    }

    /// As the leader: takes in an answer. They have to come in the same order always.
    pub fn add(&mut self, message: &Float32Array) {
        self.trainer.add(&mut take(message));
    }

    /// As the leader: ends the lesson, and says whether that ends the step.
    pub fn conclude(&mut self) -> Result<bool, JsError> {
        self.trainer.conclude().map_err(error)
    }

    /// As one of the others: does what the leader's message asks for, and writes the answer over it.
    pub fn obey(&mut self, message: &Float32Array) -> Result<(), JsError> {
        self.trainer.obey(&mut take(message)).map_err(error)?;
        self.trainer.answer(&mut put(message));
        Ok(())
    }
}
