//! Pipelines, each made once: kernels with the same shader, entry point and constants share one.

#[cfg(target_arch = "wasm32")]
use super::beside;
use crate::error::Result;
use crate::ops::{Kernel, Op, Shader};
use std::borrow::Cow;

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

/// A kernel, and how many tensors it reads and writes.
pub(super) struct Wanted<'a> {
    pub kernel: &'a Kernel,
    pub reads: usize,
    pub writes: usize,
}

impl<'a> Wanted<'a> {
    pub fn of(op: &dyn Op, kernel: &'a Kernel) -> Self {
        Wanted { kernel, reads: op.reads().len(), writes: op.writes().len() }
    }
}

/// Makes pipelines and keeps them: what is recorded later needs many of them again.
pub(super) struct Pipelines {
    device: wgpu::Device,
    modules: Made<Shader, wgpu::ShaderModule>,
    layouts: Made<(usize, usize), (wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
    pipelines: Made<Key, wgpu::ComputePipeline>,
}

impl Pipelines {
    pub fn new(device: wgpu::Device) -> Self {
        Pipelines { device, modules: Made(vec![]), layouts: Made(vec![]), pipelines: Made(vec![]) }
    }

    /// Makes all of these, of which [`Pipelines::get`] then has each at hand. Tells how many of how many are made.
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn make(&mut self, wanted: &[Wanted<'_>], told: &dyn Fn(usize, usize)) -> Result<()> {
        let all = wanted.len();
        for (made, wanted) in wanted.iter().enumerate() {
            self.get(wanted);
            told(made + 1, all);
        }
        Ok(())
    }

    /// Makes all of these beside one another, of which [`Pipelines::get`] then has each at hand. Tells how many of how many are
    /// made.
    #[cfg(target_arch = "wasm32")]
    pub async fn make(&mut self, wanted: &[Wanted<'_>], told: &dyn Fn(usize, usize)) -> Result<()> {
        let known = self.pipelines.0.len();
        let begun = beside::begin(|| wanted.iter().for_each(|w| drop(self.get(w))));
        // Nothing was made yet that is of use.
        self.pipelines.0.truncate(known);
        let made = beside::made(begun, told).await?;
        beside::hand(made, || wanted.iter().for_each(|w| drop(self.get(w))));
        Ok(())
    }

    /// The pipeline of a kernel and its bindings' layout.
    pub fn get(
        &mut self,
        &Wanted { kernel, reads, writes }: &Wanted<'_>,
    ) -> (wgpu::ComputePipeline, wgpu::BindGroupLayout) {
        let device = &self.device;
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
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(shader.name),
        source: wgpu::ShaderSource::Wgsl(Cow::Borrowed(&shader.source)),
    };
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
