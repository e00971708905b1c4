//! Draws a grid of images from a device buffer to a canvas, without a read-back.

use super::{GpuContext, GpuEngine};
use crate::error::{Error, Result};
use crate::program::Tensor;

/// What is left free on each side of an image, as a share of it.
const MARGIN: f32 = 1.0 / 28.0;

/// How images lie on the canvas.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// Images side by side.
    pub columns: u32,
    /// Images below one another.
    pub rows: u32,
    /// An image's width in pixels.
    pub width: u32,
    /// An image's height in pixels.
    pub height: u32,
}

/// A canvas with the pipeline that draws on it.
pub struct Presenter {
    context: GpuContext,
    surface: wgpu::Surface<'static>,
    format: wgpu::TextureFormat,
    size: [u32; 2],
    pipeline: wgpu::RenderPipeline,
    bindings: wgpu::BindGroup,
    params: wgpu::Buffer,
    grid: Grid,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    canvas: [f32; 2],
    grid: [u32; 2],
    image: [u32; 2],
    gap: f32,
    padding: f32,
    paper: [f32; 4],
    ink: [f32; 4],
}

/// `0xRRGGBB` as the shader wants it.
fn colour(rgb: u32) -> [f32; 4] {
    let channel = |shift: u32| f32::from((rgb >> shift) as u8) / 255.0;
    [channel(16), channel(8), channel(0), 1.0]
}

impl Presenter {
    /// Draws the tensor `images` (`[rows · columns, height · width]`, values from -1 to 1) on an off-screen canvas.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the canvas gives no WebGPU surface.
    #[cfg(target_arch = "wasm32")]
    pub async fn new(engine: &GpuEngine, canvas: web_sys::OffscreenCanvas, images: Tensor, grid: Grid) -> Result<Self> {
        let size = [canvas.width(), canvas.height()];
        let context = engine.context().clone();
        let surface = Self::surface(&context, canvas)?;
        let formats = surface.get_capabilities(&context.adapter).formats;
        let format = formats.iter().copied().find(|f| !f.is_srgb());
        let format = format.ok_or_else(|| Error::Gpu("the canvas has no usable pixel format".into()))?;
        let scope = context.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let presenter = Self::with_surface(engine, surface, format, size, images, grid);
        match scope.pop().await {
            Some(error) => Err(Error::Gpu(error.to_string())),
            None => Ok(presenter),
        }
    }

    /// Draws another tensor of the same shape on another canvas. Nothing is waited for: the first has shown that it works.
    ///
    /// # Errors
    /// The same.
    #[cfg(target_arch = "wasm32")]
    pub fn twin(&self, engine: &GpuEngine, canvas: web_sys::OffscreenCanvas, images: Tensor) -> Result<Self> {
        let size = [canvas.width(), canvas.height()];
        let surface = Self::surface(&self.context, canvas)?;
        Ok(Self::with_pipeline(engine, surface, self.format, size, images, self.grid, self.pipeline.clone()))
    }

    #[cfg(target_arch = "wasm32")]
    fn surface(context: &GpuContext, canvas: web_sys::OffscreenCanvas) -> Result<wgpu::Surface<'static>> {
        let target = wgpu::SurfaceTarget::OffscreenCanvas(canvas);
        context.instance.create_surface(target).map_err(|e| Error::Gpu(format!("the canvas: {e}")))
    }

    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "only a browser has canvases"))]
    fn with_surface(
        engine: &GpuEngine,
        surface: wgpu::Surface<'static>,
        format: wgpu::TextureFormat,
        size: [u32; 2],
        images: Tensor,
        grid: Grid,
    ) -> Self {
        let device = &engine.context().device;
        let module = device.create_shader_module(wgpu::include_wgsl!("present.wgsl"));
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("present"),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("cover"),
                compilation_options: Default::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("draw"),
                compilation_options: Default::default(),
                targets: &[Some(format.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        Self::with_pipeline(engine, surface, format, size, images, grid, pipeline)
    }

    fn with_pipeline(
        engine: &GpuEngine,
        surface: wgpu::Surface<'static>,
        format: wgpu::TextureFormat,
        size: [u32; 2],
        images: Tensor,
        grid: Grid,
        pipeline: wgpu::RenderPipeline,
    ) -> Self {
        let context = engine.context().clone();
        let device = &context.device;
        let params = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("present params"),
            size: size_of::<Params>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("present"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: params.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: engine.buffer(images).as_entire_binding() },
            ],
        });
        let mut presenter = Presenter { context, surface, format, size, pipeline, bindings, params, grid };
        presenter.resize(size);
        presenter
    }

    /// Follows a canvas that got another size, in pixels.
    pub fn resize(&mut self, size: [u32; 2]) {
        self.size = size.map(|s| s.max(1));
        let [width, height] = self.size;
        let configuration = wgpu::SurfaceConfiguration {
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            format: self.format,
            color_space: Default::default(),
            width,
            height,
            present_mode: wgpu::PresentMode::Fifo,
            desired_maximum_frame_latency: 2,
            alpha_mode: wgpu::CompositeAlphaMode::Auto,
            view_formats: vec![],
        };
        self.surface.configure(&self.context.device, &configuration);
    }

    /// Draws what the buffer holds after everything submitted so far. Colours are `0xRRGGBB`.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the canvas is lost.
    pub fn present(&mut self, paper: u32, ink: u32) -> Result<()> {
        use wgpu::CurrentSurfaceTexture as Current;
        let texture = match self.surface.get_current_texture() {
            Current::Success(texture) | Current::Suboptimal(texture) => texture,
            Current::Timeout | Current::Occluded => return Ok(()),
            Current::Outdated => {
                self.resize(self.size);
                return Ok(());
            }
            Current::Lost | Current::Validation => return Err(Error::Gpu("the canvas is lost".into())),
        };
        let Grid { columns, rows, width, height } = self.grid;
        let params = Params {
            canvas: self.size.map(|s| s as f32),
            grid: [columns, rows],
            image: [width, height],
            gap: self.size[0] as f32 / columns as f32 * MARGIN * 2.0 / (1.0 + MARGIN * 2.0),
            padding: 0.0,
            paper: colour(paper),
            ink: colour(ink),
        };
        self.context.queue.write_buffer(&self.params, 0, bytemuck::bytes_of(&params));
        let view = texture.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut encoder =
            self.context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("present") });
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("present"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::BLACK), store: wgpu::StoreOp::Store },
            })],
            ..Default::default()
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.draw(0..3, 0..1);
        drop(pass);
        self.context.queue.submit([encoder.finish()]);
        self.context.queue.present(texture);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Params;
    use std::mem::offset_of;

    #[test]
    fn params_have_the_same_layout_on_both_sides() {
        let module = naga::front::wgsl::parse_str(include_str!("present.wgsl")).unwrap();
        let (_, params) = module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Params")).unwrap();
        let naga::TypeInner::Struct { members, span } = &params.inner else { panic!("Params is no struct") };
        let shader: Vec<(&str, usize)> =
            members.iter().map(|m| (m.name.as_deref().unwrap(), m.offset as usize)).collect();
        let host = [
            ("canvas", offset_of!(Params, canvas)),
            ("grid", offset_of!(Params, grid)),
            ("image", offset_of!(Params, image)),
            ("gap", offset_of!(Params, gap)),
            ("paper", offset_of!(Params, paper)),
            ("ink", offset_of!(Params, ink)),
        ];
        assert_eq!(shader, host);
        assert_eq!(*span as usize, size_of::<Params>());
    }
}
