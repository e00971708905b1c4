//! The GPU engine: the same recording as a list of compute dispatches, through wgpu on Vulkan, Metal, DirectX or a
//! browser's WebGPU.
//!
//! Pipelines, buffers and bind groups are made once, when a recording is compiled. A submit is one command buffer with
//! one compute pass that replays the programs as often as asked; the host sends nothing per step.

#[cfg(target_arch = "wasm32")]
mod beside;
mod context;
mod layout;
mod present;
mod readback;
#[cfg(target_arch = "wasm32")]
mod subgroups;

pub use context::GpuContext;
pub use present::{Grid, Presenter};

use super::start::starts;
use super::{Engine, Pending};
use crate::error::{Error, Result};
use crate::ops::Kernel;
use crate::program::{ProgramId, Recording, Role, Tensor};
use layout::{Pipelines, Shared, Wanted};
use readback::Readback;
use std::cell::RefCell;
use std::rc::Rc;

/// One operation, ready to be encoded.
struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    workgroups: [u32; 3],
}

/// See the module's head.
pub struct GpuEngine {
    context: GpuContext,
    recording: Rc<Recording>,
    /// By storage tensor; `None` for those that nothing stores.
    buffers: Vec<Option<wgpu::Buffer>>,
    programs: Vec<Vec<Dispatch>>,
    pipelines: Shared,
    readback: Readback,
}

impl GpuEngine {
    /// Compiles `recording` for the context's device and gives parameters their start for `seed`.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the device refuses a pipeline or a buffer.
    pub async fn new(context: GpuContext, recording: &Rc<Recording>, seed: u32) -> Result<Self> {
        let readback = Readback::new(context.device.clone(), context.queue.clone());
        let pipelines = Rc::new(RefCell::new(Pipelines::new(context.device.clone())));
        let (buffers, programs) = (Vec::new(), Vec::new());
        let mut engine = GpuEngine { context, recording: Rc::default(), buffers, programs, pipelines, readback };
        let kernels =
            layout::make(Rc::clone(&engine.pipelines), engine.kernels(recording), Rc::clone(&engine.context.told));
        engine.take_up(recording, kernels.await?)?.await?;
        for (tensor, words) in starts(recording, seed) {
            engine.upload(tensor, 0, &words)?;
        }
        Ok(engine)
    }

    /// Takes up the programs that a recording has beside the engine's own, which it goes on from
    /// ([`Recorder::after`](crate::program::Recorder::after)). What is pending says whether the device could; nothing else
    /// changes.
    ///
    /// # Errors
    /// [`Error::Gpu`] where a tensor has no buffer, and, pending, where the device refuses a pipeline or a buffer.
    pub fn extend(&mut self, recording: &Rc<Recording>) -> Result<Pending<()>> {
        let kernels = self.kernels(recording);
        self.take_up(recording, kernels)
    }

    /// Makes what [`GpuEngine::extend`] will need for this recording, so that it needn't wait; until then the engine works on.
    pub fn prepare(&self, recording: &Recording) -> Pending<()> {
        let kernels = layout::make(Rc::clone(&self.pipelines), self.kernels(recording), Rc::new(|_, _| ()));
        Box::pin(async move { kernels.await.map(drop) })
    }

    /// The operations of the programs that a recording has beside the engine's own, one after the other, with the kernels that
    /// suit the adapter.
    fn kernels(&self, recording: &Recording) -> Vec<Wanted> {
        let kind = self.context.kind();
        let ops = recording.programs[self.programs.len()..].iter().flat_map(|p| &p.ops);
        ops.map(|op| (Rc::clone(op), op.kernel(kind))).collect()
    }

    fn take_up(&mut self, recording: &Rc<Recording>, kernels: Vec<Wanted>) -> Result<Pending<()>> {
        let device = &self.context.device;
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);

        self.buffers.resize(recording.tensors.len(), None);
        let stored = recording.stored(|op| vec![Rc::clone(op)]);
        for ((buffer, t), _) in
            self.buffers.iter_mut().zip(&recording.tensors).zip(stored).filter(|(_, stored)| *stored)
        {
            if buffer.is_some() {
                continue;
            }
            let made = buffer.insert(storage(device, &t.name, t.shape.len()));
            if let Role::Constant(value) = t.role {
                self.context.queue.write_buffer(made, 0, bytemuck::cast_slice(&vec![value; t.shape.len()]));
            }
        }
        let (params, offsets) = all_params(device, &self.context.queue, kernels.iter().map(|(_, k)| k));
        let mut kernels = kernels.into_iter().zip(offsets);
        for program in &recording.programs[self.programs.len()..] {
            let mut dispatches = Vec::with_capacity(program.ops.len());
            for (wanted, offset) in kernels.by_ref().take(program.ops.len()) {
                let (pipeline, layout) = self.pipelines.borrow_mut().get(&wanted);
                let (op, kernel) = wanted;
                let (reads, writes) = (op.reads(), op.writes());
                let binding = |t: &Tensor| {
                    let info = recording.info(*t);
                    let missing = || Error::Gpu(format!("{}: `{}` has no buffer", op.name(), info.name));
                    let buffer = self.buffers[info.storage.index()].as_ref().ok_or_else(missing)?;
                    let (offset, size) = (info.offset as u64 * 4, wgpu::BufferSize::new(bytes(info.shape.len())));
                    Ok::<_, Error>(wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size }))
                };
                let params = wgpu::BufferBinding {
                    buffer: &params,
                    offset,
                    size: wgpu::BufferSize::new(kernel.params.len() as u64),
                };
                let mut entries =
                    vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(params) }];
                for (i, tensor) in reads.iter().chain(&writes).enumerate() {
                    entries.push(wgpu::BindGroupEntry { binding: i as u32 + 1, resource: binding(tensor)? });
                }
                let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some(op.name()),
                    layout: &layout,
                    entries: &entries,
                });
                dispatches.push(Dispatch { pipeline, bindings, workgroups: kernel.workgroups });
            }
            self.programs.push(dispatches);
        }

        self.recording = Rc::clone(recording);
        let (memory, scope) = (memory.pop(), scope.pop());
        Ok(Box::pin(async move {
            match memory.await.or(scope.await) {
                Some(error) => Err(Error::Gpu(error.to_string())),
                None => Ok(()),
            }
        }))
    }

    /// The device and what is known of it.
    pub fn context(&self) -> &GpuContext {
        &self.context
    }

    /// The buffer that a tensor lies in.
    ///
    /// # Panics
    /// If nothing stores the tensor, because no operation reads or writes it.
    pub fn buffer(&self, tensor: Tensor) -> &wgpu::Buffer {
        self.buffers[self.recording.info(tensor).storage.index()].as_ref().expect("the tensor is stored")
    }
}

/// What so many values take: whole vectors of four, as which a group may bind them.
fn bytes(words: usize) -> u64 {
    words.next_multiple_of(4) as u64 * 4
}

fn storage(device: &wgpu::Device, label: &str, words: usize) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes(words),
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

/// The params of all kernels in one uniform buffer, and where each starts.
fn all_params<'a>(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    kernels: impl Iterator<Item = &'a Kernel>,
) -> (wgpu::Buffer, Vec<u64>) {
    let align = device.limits().min_uniform_buffer_offset_alignment as usize;
    let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
    for kernel in kernels {
        offsets.push(bytes.len() as u64);
        bytes.extend(&kernel.params);
        bytes.resize(bytes.len().next_multiple_of(align), 0);
    }
    bytes.resize(bytes.len().max(align), 0);
    // Not `create_buffer_init`: mapping at creation can panic in a browser.
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("params"),
        size: bytes.len() as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    queue.write_buffer(&buffer, 0, &bytes);
    (buffer, offsets)
}

impl Engine for GpuEngine {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn adapter(&self) -> String {
        self.context.name()
    }

    fn upload(&mut self, tensor: Tensor, offset: usize, words: &[u32]) -> Result<()> {
        let info = self.recording.info(tensor);
        let (expected, got) = (info.shape.len(), offset + words.len());
        if got > expected {
            return Err(Error::Length { tensor: info.name.clone(), expected, got });
        }
        let at = (info.offset + offset) as u64 * 4;
        self.context.queue.write_buffer(self.buffer(tensor), at, bytemuck::cast_slice(words));
        Ok(())
    }

    fn run(&mut self, programs: &[ProgramId], times: u32) -> Result<()> {
        let mut encoder =
            self.context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("steps") });
        let mut pass =
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("steps"), timestamp_writes: None });
        for _ in 0..times {
            for dispatch in programs.iter().flat_map(|p| &self.programs[p.0]) {
                let [x, y, z] = dispatch.workgroups;
                pass.set_pipeline(&dispatch.pipeline);
                pass.set_bind_group(0, &dispatch.bindings, &[]);
                pass.dispatch_workgroups(x, y, z);
            }
        }
        drop(pass);
        self.context.queue.submit([encoder.finish()]);
        Ok(())
    }

    fn download(&mut self, tensor: Tensor) -> Pending<Vec<u32>> {
        let info = self.recording.info(tensor);
        self.readback.read(self.buffer(tensor), info.offset as u64 * 4, info.shape.len() as u64 * 4)
    }

    fn settle(&mut self) -> Pending<()> {
        self.readback.settle()
    }
}

impl Drop for GpuEngine {
    fn drop(&mut self) {
        // In a browser dropping a handle frees nothing.
        self.buffers.iter().flatten().for_each(wgpu::Buffer::destroy);
    }
}

/// A context for tests. Without an adapter a test fails, unless `REQUIRE_GPU=0` says that none is expected.
#[cfg(test)]
pub(crate) fn test_context() -> Option<GpuContext> {
    match super::block_on(GpuContext::new()) {
        Ok(context) => Some(context),
        Err(_) if std::env::var("REQUIRE_GPU").is_ok_and(|v| v == "0") => None,
        Err(error) => panic!("{error}; install a Vulkan driver (Debian: mesa-vulkan-drivers), or set REQUIRE_GPU=0"),
    }
}
