//! Digit Forge's trainer for JavaScript: settings as text, bytes in, promises out. No logic of its own.
//!
//! Methods that wait return a promise instead of being `async`, so that none holds the object while it waits.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::missing_errors_doc, reason = "each throws an Error with the message of the core")]

#[cfg(feature = "bench")]
mod bench;
mod care;
mod samples;
mod shards;

#[cfg(feature = "bench")]
pub use bench::Workbench;
pub use care::rules;
pub use shards::shards;

use digit_forge_core::data::{DIGITS, MNIST_IMAGES, handwriting};
use digit_forge_core::doctor::keeper::Keeper;
use digit_forge_core::engine::Pending;
use digit_forge_core::engine::gpu::{GpuContext, Grid, Presenter};
use digit_forge_core::error::{CheckpointFault, Error, Result};
use digit_forge_core::models::gan::GRID_ROWS;
use digit_forge_core::train::json::Json;
use digit_forge_core::train::{Trainer, Weights, check_checkpoint, describe, settings};
use js_sys::{Float32Array, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::OffscreenCanvas;

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

fn error(error: Error) -> JsError {
    JsError::new(&error.to_string())
}

fn no_canvas() -> JsError {
    JsError::new("this run has no canvas to draw on")
}

/// With the fault's word as its name.
fn checkpoint_error(error: Error) -> js_sys::Error {
    let (name, message) = match error {
        Error::Checkpoint { fault, why } => (fault.name(), why),
        // Valid settings that nothing can be recorded from.
        other => (CheckpointFault::Settings.name(), other.to_string()),
    };
    let error = js_sys::Error::new(&message);
    error.set_name(name);
    error
}

/// A promise of what `pending` brings, as `convert` gives it to JavaScript.
fn promise<T: 'static>(pending: Pending<T>, convert: impl FnOnce(T) -> JsValue + 'static) -> Promise {
    future_to_promise(async move { pending.await.map(convert).map_err(|e| error(e).into()) })
}

fn bytes(bytes: Vec<u8>) -> JsValue {
    Uint8Array::from(bytes.as_slice()).into()
}

/// All groups, settings, presets and the grid, as JSON.
#[wasm_bindgen(js_name = describe)]
pub fn description() -> String {
    describe::describe()
}

/// Reads settings from a text like `preset=quick&batch=32`, as JSON: every value, what differs from the preset, the
/// shortest text that says the same, and what was wrong.
#[wasm_bindgen]
pub fn resolve(text: &str) -> Result<String, JsError> {
    let resolved = settings::resolve(text).map_err(error)?;
    let settings = &resolved.settings;
    let changed = settings.changed(resolved.preset).map_err(error)?;
    let complaint = |(key, value, error): &(String, String, Error)| {
        let message = error.to_string();
        Json::object(vec![("key", Json::text(key)), ("value", Json::text(value)), ("message", Json::text(&message))])
    };
    let resolution = Json::object(vec![
        ("preset", Json::text(resolved.preset.name)),
        ("values", Json::object(settings::ROWS.iter().map(|r| (r.key, Json::text(&r.get(settings)))).collect())),
        ("changed", Json::object(changed.iter().map(|(key, value)| (*key, Json::text(value))).collect())),
        ("text", Json::text(&settings.text(resolved.preset).map_err(error)?)),
        ("errors", Json::Array(resolved.errors.iter().map(complaint).collect())),
    ]);
    Ok(resolution.write())
}

/// The settings, as their shortest text, of a checkpoint that a run with them can load. Of a file that isn't one, the
/// error's `name` says in a word what is wrong: `format`, `truncated`, `foreign`, `settings`, `tensors` or `values`.
#[wasm_bindgen(js_name = checkpointSettings)]
pub fn checkpoint_settings(file: &[u8]) -> Result<String, js_sys::Error> {
    let text = || check_checkpoint(file).and_then(|found| found.settings.text(found.preset));
    text().map_err(checkpoint_error)
}

/// A picture of a digit, grey pixels row by row, made like MNIST's images: 28 × 28 bytes, ink = 255. A blank one throws.
#[wasm_bindgen]
pub fn prepare(grey: &[u8], width: usize, height: usize) -> Result<Vec<u8>, JsError> {
    handwriting::prepare(grey, width, height).map_err(error)
}

/// Settings that must be valid as a whole.
fn valid(text: &str) -> Result<settings::Resolved, JsError> {
    let resolved = settings::resolve(text).map_err(error)?;
    match resolved.errors.first() {
        Some((_, _, first)) => Err(JsError::new(&first.to_string())),
        None => Ok(resolved),
    }
}

/// The generator and the discriminator that settings describe, layer by layer, as JSON.
#[wasm_bindgen]
pub fn networks(text: &str) -> Result<String, JsError> {
    describe::networks(&valid(text)?.settings).map_err(error)
}

/// A training run on one engine.
#[wasm_bindgen]
pub struct Forge {
    trainer: Trainer,
    presenter: Option<Presenter>,
    raw_presenter: Option<Presenter>,
    keeper: Option<Keeper>,
}

#[wasm_bindgen]
impl Forge {
    /// A run on the CPU engine. `data`: how many images the data set has, if it isn't MNIST.
    pub fn cpu(text: &str, data: Option<usize>) -> Result<Forge, JsError> {
        Forge::shard(text, data, 0, 1)
    }

    /// The same on the GPU, which draws to `canvas` if there is one. `told` is called with how many of how many pipelines are
    /// made.
    pub async fn gpu(
        text: String,
        canvas: Option<OffscreenCanvas>,
        data: Option<usize>,
        told: Option<Function>,
    ) -> Result<Forge, JsError> {
        let resolved = valid(&text)?;
        let mut context = GpuContext::new().await.map_err(error)?;
        if let Some(told) = told {
            // What whoever is told throws is no failure of the run.
            context = context.telling(move |made, all| drop(told.call2(&JsValue::NULL, &made.into(), &all.into())));
        }
        let data = data.unwrap_or(MNIST_IMAGES);
        let trainer = Trainer::gpu(resolved.preset, resolved.settings, context, data).await.map_err(error)?;
        let grid = Grid {
            columns: DIGITS as u32,
            rows: GRID_ROWS as u32,
            width: trainer.image().columns as u32,
            height: trainer.image().rows as u32,
        };
        let presenter = match (canvas, trainer.gpu_grid(Weights::Averaged)) {
            (Some(canvas), Some((engine, images))) => {
                Some(Presenter::new(engine, canvas, images, grid).await.map_err(error)?)
            }
            _ => None,
        };
        Ok(Forge { trainer, presenter, raw_presenter: None, keeper: None })
    }

    /// `cpu` or `gpu`.
    pub fn engine(&mut self) -> String {
        self.trainer.engine_name().into()
    }

    /// What the engine runs on, as well as it is known here.
    pub fn adapter(&mut self) -> String {
        self.trainer.adapter()
    }

    /// Rows of the grid.
    pub fn rows(&self) -> usize {
        GRID_ROWS
    }

    /// Columns of the grid: one for each digit.
    pub fn columns(&self) -> usize {
        DIGITS
    }

    /// Pixels along each side of a generated image.
    pub fn side(&self) -> usize {
        self.trainer.image().columns
    }

    /// Appends images and labels, as IDX files.
    pub fn add_data(&mut self, images: &[u8], labels: &[u8]) -> Result<(), JsError> {
        self.trainer.add_data(images, labels).map_err(error)
    }

    /// Images that are there.
    pub fn images_available(&self) -> usize {
        self.trainer.images_available()
    }

    /// Images to train on: as many as the settings ask for, or all where the data set has fewer.
    pub fn images_wanted(&self) -> usize {
        self.trainer.images_wanted()
    }

    /// Trains for some steps: now on the CPU, as one submit on the GPU.
    pub fn run(&mut self, steps: u32) -> Result<(), JsError> {
        self.trainer.run(steps).map_err(error)
    }

    /// Resolves when all steps asked for have been made.
    pub fn settle(&mut self) -> Promise {
        promise(self.trainer.settle(), |()| JsValue::UNDEFINED)
    }

    /// Steps asked for so far.
    pub fn step(&self) -> u32 {
        self.trainer.steps()
    }

    /// Real images seen so far.
    pub fn images_seen(&self) -> f64 {
        self.trainer.images_seen() as f64
    }

    /// A `Float32Array` of rows of five since the last call: step, D's loss, G's loss, mean D(x), mean D(G(z)).
    pub fn metrics(&mut self) -> Promise {
        promise(self.trainer.metrics(), |rows| {
            let values: Vec<f32> =
                rows.iter().flat_map(|m| [m.step as f32, m.d_loss, m.g_loss, m.d_real, m.d_fake]).collect();
            Float32Array::from(values.as_slice()).into()
        })
    }

    /// Samples the grid and draws it on the canvas that the run was made with. Colours are `0xRRGGBB`.
    pub fn draw(&mut self, paper: u32, ink: u32) -> Result<(), JsError> {
        let presenter = self.presenter.as_mut().ok_or_else(no_canvas)?;
        self.trainer.sample_grid(Weights::Averaged).map_err(error)?;
        presenter.present(paper, ink).map_err(error)
    }

    /// Gives the raw generator a canvas of its own, beside that of its average. Only on the GPU.
    pub fn add_raw_canvas(&mut self, canvas: OffscreenCanvas) -> Result<(), JsError> {
        let presenter = self.presenter.as_ref().ok_or_else(no_canvas)?;
        let (engine, images) = self.trainer.gpu_grid(Weights::Raw).ok_or_else(no_canvas)?;
        self.raw_presenter = Some(presenter.twin(engine, canvas, images).map_err(error)?);
        Ok(())
    }

    /// As `draw`, by the generator as the last step left it, on its own canvas.
    pub fn draw_raw(&mut self, paper: u32, ink: u32) -> Result<(), JsError> {
        let presenter = self.raw_presenter.as_mut().ok_or_else(no_canvas)?;
        self.trainer.sample_grid(Weights::Raw).map_err(error)?;
        presenter.present(paper, ink).map_err(error)
    }

    /// Follows canvases that got another size, in pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        for presenter in [&mut self.presenter, &mut self.raw_presenter].into_iter().flatten() {
            presenter.resize([width, height]);
        }
    }

    /// Samples the grid: rows × columns images of side × side bytes, ink = 255.
    pub fn images(&mut self) -> Result<Promise, JsError> {
        Ok(promise(self.trainer.images().map_err(error)?, bytes))
    }

    /// As `images`, by the generator as the last step left it.
    pub fn raw_images(&mut self) -> Result<Promise, JsError> {
        Ok(promise(self.trainer.images_of(Weights::Raw).map_err(error)?, bytes))
    }

    /// How D's logit follows from each pixel of the grid's images, sampled now: a `Float32Array` of rows × columns × side ×
    /// side values, above 0 where more ink would look more real. `raw`: of the generator as the last step left it.
    pub fn wants(&mut self, raw: bool) -> Result<Promise, JsError> {
        let weights = if raw { Weights::Raw } else { Weights::Averaged };
        let wishes = self.trainer.wants(weights).map_err(error)?;
        Ok(promise(wishes, |values| Float32Array::from(values.as_slice()).into()))
    }

    /// Takes over settings that differ only where a change is live.
    pub fn tune(&mut self, text: &str) -> Result<(), JsError> {
        self.trainer.tune(valid(text)?.settings).map_err(error)?;
        if let Some(keeper) = &mut self.keeper {
            keeper.tune(&self.trainer);
        }
        Ok(())
    }

    /// A checkpoint, as a safetensors file.
    pub fn save(&mut self) -> Result<Promise, JsError> {
        let save = self.trainer.save().map_err(error)?;
        Ok(promise(Box::pin(save), bytes))
    }

    /// Goes on from a checkpoint.
    pub fn load(&mut self, file: &[u8]) -> Result<(), JsError> {
        self.trainer.load(file).map_err(error)?;
        // Those who cared for another run know nothing of this one.
        self.keeper = None;
        Ok(())
    }

    /// Ends the run and frees what it holds on the device.
    pub fn destroy(self) {
        // In a browser dropping a handle frees nothing.
        if let Some((engine, _)) = self.trainer.gpu_grid(Weights::Averaged) {
            engine.context().destroy();
        }
    }
}
