//! Pipelines, each made once: kernels with the same shader, entry point and constants share one.

#[cfg(target_arch = "wasm32")]
use super::beside;
use super::context::Told;
use crate::error::Result;
use crate::ops::{Kernel, Op, Shader};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// What tells two pipelines apart: shader, entry point, constants (as bits).
type Key = (Shader, &'static str, Vec<(&'static str, u64)>);

/// What was made so far, with its key. A few dozen at most: a list is as quick as a table, and less code.
struct Made<K, V>(Vec<(K, V)>);

impl<K: PartialEq, V> Made<K, V> {
    fn get(&mut self, key: K, make: impl FnOnce() -> V) -> &V {
        let known = self.0.iter().position(|(k, _)| *k == key);
        let i = known.unwrap_or_else(|| {
            self.0.push((key, make()));
            self.0.len() - 1
        });
        &self.0[i].1
    }
}

/// An operation with the kernel that suits the adapter.
pub(super) type Wanted = (Rc<dyn Op>, Kernel);

/// Pipelines that an engine shares with what is still being made for it.
pub(super) type Shared = Rc<RefCell<Pipelines>>;

/// Makes pipelines and keeps them: what is recorded later needs many of them again.
pub(super) struct Pipelines {
    device: wgpu::Device,
    modules: Made<Shader, wgpu::ShaderModule>,
    layouts: Made<(usize, usize), (wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
    pipelines: Made<Key, wgpu::ComputePipeline>,
}

/// Makes the pipelines of all kernels, of which [`Pipelines::get`] then has each at hand. Tells how many of how many are made,
/// and gives back the kernels.
#[cfg(not(target_arch = "wasm32"))]
pub(super) async fn make(shared: Shared, wanted: Vec<Wanted>, told: Rc<Told>) -> Result<Vec<Wanted>> {
    for (made, one) in wanted.iter().enumerate() {
        shared.borrow_mut().get(one);
        told(made + 1, wanted.len());
    }
    Ok(wanted)
}

/// The same, beside one another: others may use the pipelines meanwhile, and make some of the same.
#[cfg(target_arch = "wasm32")]
pub(super) async fn make(shared: Shared, wanted: Vec<Wanted>, told: Rc<Told>) -> Result<Vec<Wanted>> {
    let begun = shared.borrow_mut().begin(&wanted);
    let mut made = Vec::new();
    for (index, promise) in begun.iter() {
        made.push((*index, beside::made(promise).await?));
        told(made.len(), begun.len());
    }
    shared.borrow_mut().take(&wanted, made);
    Ok(wanted)
}

impl Pipelines {
    pub fn new(device: wgpu::Device) -> Self {
        Pipelines { device, modules: Made(vec![]), layouts: Made(vec![]), pipelines: Made(vec![]) }
    }

    /// Begins to make each pipeline that is missing: which kernel's, and a promise of it.
    #[cfg(target_arch = "wasm32")]
    fn begin(&mut self, wanted: &[Wanted]) -> Vec<(usize, js_sys::Promise)> {
        let known = self.pipelines.0.len();
        let begun =
            wanted.iter().enumerate().filter_map(|(i, wanted)| Some((i, beside::begin(|| drop(self.get(wanted)))?)));
        let begun = begun.collect();
        // Nothing is made yet that is of use.
        self.pipelines.0.truncate(known);
        begun
    }

    /// Takes up what was made, but for what others have made meanwhile.
    #[cfg(target_arch = "wasm32")]
    fn take(&mut self, wanted: &[Wanted], made: Vec<(usize, wasm_bindgen::JsValue)>) {
        for (index, pipeline) in made {
            beside::hand(pipeline, || drop(self.get(&wanted[index])));
        }
    }

    /// The pipeline of a kernel and its bindings' layout.
    pub fn get(&mut self, (op, kernel): &Wanted) -> (wgpu::ComputePipeline, wgpu::BindGroupLayout) {
        let device = &self.device;
        let (reads, writes) = (op.reads().len(), op.writes().len());
        let (bindings, layout) = self.layouts.get((reads, writes), || bindings(device, reads, writes));
        let module = self.modules.get(kernel.shader.clone(), || module(device, &kernel.shader));
        let key = (
            kernel.shader.clone(),
            kernel.entry,
            kernel.constants.iter().map(|&(name, value)| (name, value.to_bits())).collect(),
        );
        let pipeline = self.pipelines.get(key, || {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(kernel.shader.name),
                layout: Some(layout),
                module,
                entry_point: Some(kernel.entry),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &kernel.constants,
                    ..Default::default()
                },
                cache: None,
            })
        });
        (pipeline.clone(), bindings.clone())
    }
}

fn module(device: &wgpu::Device, shader: &Shader) -> wgpu::ShaderModule {
    let source = Cow::Borrowed(shader.source.as_ref());
    // What a shader enables, which naga allows without being told, and doesn't know how to be told of subgroups.
    #[cfg(target_arch = "wasm32")]
    let source = Cow::Owned(source.replace("//<enable>", "enable"));
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(shader.name), source: wgpu::ShaderSource::Wgsl(source) };
    // SAFETY: every index of our shaders lies within its binding and every loop ends, whatever the tensors hold: an index
    // comes from extents known when the shader is bound, or is clamped. A browser checks regardless.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}

/// Params at 0, then the reads, then the writes.
fn bindings(device: &wgpu::Device, reads: usize, writes: usize) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
    let entry = |binding: usize, ty: wgpu::BufferBindingType| wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform)];
    entries
        .extend((0..reads + writes).map(|i| entry(i + 1, wgpu::BufferBindingType::Storage { read_only: i < reads })));
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
    let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    (layout, pipeline)
}
