//! Subgroups in a browser: `subgroups.js` says why.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/engine/gpu/subgroups.js")]
extern "C" {
    fn insist();
    fn relent() -> bool;
}

/// What `request` gives, which asks wgpu for a device, and whether that will have subgroups.
pub(super) fn with_subgroups<T>(request: impl FnOnce() -> T) -> (T, bool) {
    insist();
    let device = request();
    (device, relent())
}
