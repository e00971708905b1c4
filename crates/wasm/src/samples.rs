//! What whoever reads a run asks of it, for JavaScript.

use crate::{Forge, bytes, error, promise};
use js_sys::{Array, Float32Array, Promise};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
impl Forge {
    /// `count` images of the grid's generator, from the number `first` on, by noise of their own that is always the same, and
    /// their digits, in turn: a promise of both as bytes. The run may go on meanwhile.
    pub fn samples(&mut self, first: usize, count: usize) -> Result<Promise, JsError> {
        let pending = self.trainer.sampled(first..first + count).map_err(error)?;
        Ok(promise(pending, |(images, labels)| Array::of2(&bytes(images), &bytes(labels)).into()))
    }

    /// How the run is, besides its losses: a promise of the lengths of both gradients, D's first, how far the noise moves images,
    /// and D's logits, of as many real images as fakes; and of the share of pairs in which D gives the real image more.
    pub fn vitals(&mut self) -> Result<Promise, JsError> {
        let pending = self.trainer.vitals().map_err(error)?;
        Ok(promise(pending, |vitals| {
            let lengths = [vitals.d_gradient, vitals.g_gradient, vitals.noise_effect];
            let values = [&lengths[..], &vitals.real, &vitals.fake].concat();
            Array::of2(&Float32Array::from(&values[..]), &f64::from(vitals.accuracy()).into()).into()
        }))
    }
}
