//! Pipelines made beside one another in a browser: `beside.js` says how.

use crate::error::{Error, Result};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/src/engine/gpu/beside.js")]
extern "C" {
    fn divert();
    fn begun() -> Option<Promise>;
    fn give(pipeline: JsValue);
    fn stop();
}

/// Begins to make what `ask` asks wgpu for, if it asks: a promise of that. What it gets is of no use.
pub(super) fn begin(ask: impl FnOnce()) -> Option<Promise> {
    divert();
    ask();
    stop();
    begun()
}

/// What has become of it.
///
/// # Errors
/// [`Error::Gpu`] where the device refuses it.
pub(super) async fn made(begun: &Promise) -> Result<JsValue> {
    let pipeline = JsFuture::from(begun.clone()).await;
    pipeline.map_err(|error| Error::Gpu(error.unchecked_into::<js_sys::Error>().message().into()))
}

/// Has wgpu answer `ask`, which asks for it again, with what was made.
pub(super) fn hand(pipeline: JsValue, ask: impl FnOnce()) {
    give(pipeline);
    ask();
    stop();
}
