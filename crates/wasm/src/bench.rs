//! What the benches time beside whole steps: one workload on one engine. Only in builds with the feature `bench`.

use crate::{error, promise, valid};
use digit_forge_core::bench::Workload;
use digit_forge_core::engine::Engine;
use digit_forge_core::engine::cpu::CpuEngine;
use digit_forge_core::engine::gpu::{GpuContext, GpuEngine};
use digit_forge_core::error::Result;
use digit_forge_core::ops::noise;
use digit_forge_core::ops::product::Orientation;
use digit_forge_core::program::{DType, Role, Tensor};
use js_sys::Promise;
use std::collections::HashSet;
use wasm_bindgen::prelude::*;

/// Seed of the operands.
const SEED: u32 = 1;

/// A workload on an engine, with random operands.
#[wasm_bindgen]
pub struct Workbench {
    workload: Workload,
    engine: Box<dyn Engine>,
    /// The device, where there is one, for its end.
    context: Option<GpuContext>,
}

#[wasm_bindgen]
impl Workbench {
    /// One product of extents `m`, `k`, `n` on the engine `cpu` or `gpu`. Of the operands, `a` `[m, k]` and `b` `[k, n]`,
    /// `transposed` names the one that lies transposed in memory: `a`, `b`, or neither with an empty text.
    pub async fn product(engine: String, m: usize, k: usize, n: usize, transposed: String) -> Result<Self, JsError> {
        let orientation = match transposed.as_str() {
            "" => Orientation::Plain,
            "a" => Orientation::TransposedA,
            "b" => Orientation::TransposedB,
            other => return Err(JsError::new(&format!("`{other}` names no operand: expected `a`, `b` or nothing"))),
        };
        Self::new(&engine, Workload::product([m, k, n], orientation).map_err(error)?).await
    }

    /// The products and convolutions of a training step with these settings on the engine `cpu` or `gpu`.
    #[wasm_bindgen(js_name = bareProducts)]
    pub async fn bare_products(engine: String, settings: String) -> Result<Self, JsError> {
        let settings = valid(&settings)?.settings;
        Self::new(&engine, Workload::bare_products(&settings).map_err(error)?).await
    }

    /// Replays the workload: now on the CPU, as one submit on the GPU.
    pub fn run(&mut self, times: u32) -> Result<(), JsError> {
        self.engine.run(&self.workload.programs, times).map_err(error)
    }

    /// Resolves when all that was asked for has been done.
    pub fn settle(&mut self) -> Promise {
        promise(self.engine.settle(), |()| JsValue::UNDEFINED)
    }

    /// Floating-point operations of one replay.
    pub fn flops(&self) -> f64 {
        self.workload.flops() as f64
    }

    /// Frees what it holds on the device.
    pub fn destroy(self) {
        if let Some(context) = &self.context {
            context.destroy();
        }
    }
}

impl Workbench {
    async fn new(engine: &str, workload: Workload) -> Result<Self, JsError> {
        let (engine, context): (Box<dyn Engine>, _) = match engine {
            "cpu" => (Box::new(CpuEngine::new(&workload.recording, SEED)), None),
            "gpu" => {
                let context = GpuContext::new().await.map_err(error)?;
                let engine = GpuEngine::new(context.clone(), &workload.recording, SEED).await.map_err(error)?;
                (Box::new(engine), Some(context))
            }
            other => return Err(JsError::new(&format!("`{other}` is no engine: expected `cpu` or `gpu`"))),
        };
        let mut bench = Workbench { workload, engine, context };
        bench.fill().map_err(error)?;
        Ok(bench)
    }

    /// Gives every tensor that is read before the workload writes it normal numbers; parameters have theirs.
    fn fill(&mut self) -> Result<()> {
        let recording = &self.workload.recording;
        let mut settled: HashSet<Tensor> = HashSet::new();
        for op in recording.programs.iter().flat_map(|p| &p.ops) {
            for tensor in op.reads() {
                let info = recording.info(tensor);
                let ours = info.dtype == DType::F32 && matches!(info.role, Role::Input | Role::Result);
                if ours && settled.insert(info.storage) {
                    let values = noise::normal(SEED, settled.len() as u32, info.shape.len());
                    self.engine.upload(tensor, 0, &values.iter().map(|v| v.to_bits()).collect::<Vec<_>>())?;
                }
            }
            settled.extend(op.writes().iter().map(|&w| recording.info(w).storage));
        }
        Ok(())
    }
}
