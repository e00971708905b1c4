//! The device: how an adapter is asked for, and what is known of it.

use crate::error::{Error, Result};
use crate::ops::Adapter;
use std::rc::Rc;

/// Is told how many of how many are done.
pub(crate) type Told = dyn Fn(usize, usize);

/// A device with its queue and the adapter's description. Clones share them.
#[derive(Clone)]
pub struct GpuContext {
    #[cfg(target_arch = "wasm32")]
    pub(crate) instance: wgpu::Instance,
    pub(crate) adapter: wgpu::Adapter,
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    /// Which kernels suit it.
    kind: Adapter,
    /// Whether shaders may have threads swap values, whatever suits it.
    #[cfg(test)]
    quads: bool,
    /// Told how far the pipelines of an engine are while it starts: what is done, and of how much.
    pub(crate) told: Rc<Told>,
}

impl GpuContext {
    /// Asks for the fastest adapter and a device with all its limits.
    ///
    /// # Errors
    /// [`Error::Gpu`] where there is no adapter or it gives no device, or where the crate was built without its feature `gpu`.
    pub async fn new() -> Result<Self> {
        if !cfg!(feature = "gpu") {
            return Err(Error::Gpu("this build has no shaders".into()));
        }
        let instance = instance();
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance.request_adapter(&options).await.map_err(|e| Error::Gpu(format!("no adapter: {e}")))?;
        let subgroups = adapter.features() & wgpu::Features::SUBGROUP;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("digit-forge"),
            required_features: subgroups,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        #[cfg(not(target_arch = "wasm32"))]
        let (device, quads) = (adapter.request_device(&descriptor), !subgroups.is_empty());
        #[cfg(target_arch = "wasm32")]
        let (device, quads) = super::subgroups::with_subgroups(|| adapter.request_device(&descriptor));
        let (device, queue) = device.await.map_err(|e| Error::Gpu(format!("no device: {e}")))?;
        let info = adapter.get_info();
        let kind = match info.device_type {
            wgpu::DeviceType::Cpu if quads && info.subgroup_max_size == 4 => Adapter::SoftwareQuads,
            wgpu::DeviceType::Cpu => Adapter::Software,
            _ => Adapter::Hardware,
        };
        Ok(GpuContext {
            told: Rc::new(|_, _| ()),
            kind,
            #[cfg(test)]
            quads,
            #[cfg(target_arch = "wasm32")]
            instance,
            adapter,
            device,
            queue,
        })
    }

    /// The same device with the kernels of another kind of adapter, for tests and measurements.
    pub fn assume(self, kind: Adapter) -> Self {
        GpuContext { kind, ..self }
    }

    /// The same device, whose engines tell while they start how far their pipelines are: what is done, and of how much.
    pub fn telling(self, told: impl Fn(usize, usize) + 'static) -> Self {
        GpuContext { told: Rc::new(told), ..self }
    }

    /// Which kernels suit it.
    pub fn kind(&self) -> Adapter {
        self.kind
    }

    #[cfg(test)]
    pub(crate) fn has_quads(&self) -> bool {
        self.quads
    }

    /// Frees everything that was made with the device. Engines that share it are of no use afterwards.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// The adapter's name, as well as it is known (a browser tells little).
    pub fn name(&self) -> String {
        let info = self.adapter.get_info();
        match (info.name.is_empty(), info.driver.is_empty()) {
            (true, _) => "WebGPU adapter".into(),
            (false, true) => info.name,
            (false, false) => format!("{} ({})", info.name, info.driver),
        }
    }
}

fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends =
        wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12 | wgpu::Backends::BROWSER_WEBGPU;
    wgpu::Instance::new(descriptor)
}
