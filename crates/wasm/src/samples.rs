//! What whoever reads a run asks of it, for JavaScript.

use crate::{Forge, bytes, error, promise};
use digit_forge_core::models::vitals::higher;
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

    /// Makes what the first `vitals` would have to wait for: a promise. The run may go on meanwhile.
    #[wasm_bindgen(js_name = prepareVitals)]
    pub fn prepare_vitals(&mut self) -> Result<Promise, JsError> {
        Ok(promise(self.trainer.prepare_vitals().map_err(error)?, |()| JsValue::UNDEFINED))
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

    /// How much more D likes images that the run trains on than others: a promise of the share of pairs in which it gives the
    /// former more, half where it knows none by heart. Both are `[N, 784]` bytes, ink = 255, with a digit each; what doesn't
    /// fill D's last batch of either is left out.
    pub fn preference(
        &mut self,
        known: &[u8],
        known_labels: &[u8],
        unseen: &[u8],
        unseen_labels: &[u8],
    ) -> Result<Promise, JsError> {
        let known = self.trainer.opinions(known, known_labels).map_err(error)?;
        let unseen = self.trainer.opinions(unseen, unseen_labels).map_err(error)?;
        let share = async move { Ok(higher(&known.await?, &unseen.await?)) };
        Ok(promise(Box::pin(share), |share| f64::from(share).into()))
    }
}
