//! Pipelines made beside one another in a browser: `beside.js` says how.

use crate::error::{Error, Result};
use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/src/engine/gpu/beside.js")]
extern "C" {
    fn gather() -> Array;
    #[wasm_bindgen(js_name = hand)]
    fn hand_over(pipelines: Array);
    fn stop();
}

/// Begins to make what `ask` asks wgpu for: a promise of each. What it gets is of no use.
pub(super) fn begin(ask: impl FnOnce()) -> Array {
    let begun = gather();
    ask();
    stop();
    begun
}

/// What has become of it, told as it comes: how many of how many.
///
/// # Errors
/// [`Error::Gpu`] where the device refuses one.
pub(super) async fn made(begun: Array, told: &dyn Fn(usize, usize)) -> Result<Array> {
    let (made, all) = (Array::new(), begun.length() as usize);
    for promise in begun.iter() {
        let pipeline = JsFuture::from(promise.unchecked_into::<Promise>()).await;
        made.push(
            &pipeline.map_err(|error: JsValue| Error::Gpu(error.unchecked_into::<js_sys::Error>().message().into()))?,
        );
        told(made.length() as usize, all);
    }
    Ok(made)
}

/// Has wgpu answer `ask`, which asks for the same in the same order, with what was made.
pub(super) fn hand(made: Array, ask: impl FnOnce()) {
    hand_over(made);
    ask();
    stop();
}
