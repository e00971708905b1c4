//! Pipelines, each made once: kernels with the same shader, entry point and constants share one.

use crate::ops::{Kernel, Shader};
use std::borrow::Cow;
use std::collections::HashMap;

/// What tells two pipelines apart: shader, entry point, constants (as bits).
type Key = (Shader, &'static str, Vec<(&'static str, u64)>);

/// Makes and keeps pipelines while a recording is compiled.
pub(super) struct Pipelines<'a> {
    device: &'a wgpu::Device,
    modules: HashMap<Shader, wgpu::ShaderModule>,
    layouts: HashMap<(usize, usize), (wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
    pipelines: HashMap<Key, wgpu::ComputePipeline>,
}

impl<'a> Pipelines<'a> {
    pub fn new(device: &'a wgpu::Device) -> Self {
        Pipelines { device, modules: HashMap::new(), layouts: HashMap::new(), pipelines: HashMap::new() }
    }

    /// The pipeline of `kernel`, which reads and writes this many tensors, and its bindings' layout.
    pub fn get(
        &mut self,
        kernel: &Kernel,
        reads: usize,
        writes: usize,
    ) -> (wgpu::ComputePipeline, wgpu::BindGroupLayout) {
        let device = self.device;
        let (bindings, layout) = self.layouts.entry((reads, writes)).or_insert_with(|| bindings(device, reads, writes));
        let module = self.modules.entry(kernel.shader.clone()).or_insert_with(|| module(device, &kernel.shader));
        let key = (
            kernel.shader.clone(),
            kernel.entry,
            kernel.constants.iter().map(|&(name, value)| (name, value.to_bits())).collect(),
        );
        let pipeline = self.pipelines.entry(key).or_insert_with(|| {
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
