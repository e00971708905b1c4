//! Pipelines, each made once: kernels with the same shader, entry point and constants share one.

use crate::ops::{Kernel, Shader};
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

/// Makes and keeps pipelines while a recording is compiled.
pub(super) struct Pipelines<'a> {
    device: &'a wgpu::Device,
    modules: Made<Shader, wgpu::ShaderModule>,
    layouts: Made<(usize, usize), (wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
    pipelines: Made<Key, wgpu::ComputePipeline>,
}

impl<'a> Pipelines<'a> {
    pub fn new(device: &'a wgpu::Device) -> Self {
        Pipelines { device, modules: Made(vec![]), layouts: Made(vec![]), pipelines: Made(vec![]) }
    }

    /// The pipeline of `kernel`, which reads and writes this many tensors, and its bindings' layout.
    pub fn get(
        &mut self,
        kernel: &Kernel,
        reads: usize,
        writes: usize,
    ) -> (wgpu::ComputePipeline, wgpu::BindGroupLayout) {
        let device = self.device;
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
