//! Reading device memory back without stopping the loop: staging buffers are kept and used again.

use super::super::Pending;
use crate::error::{Error, Result};
use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// Staging buffers kept for the next read-back: those of the log and of the grid come back every frame.
const KEPT: usize = 4;
/// A larger one is not kept, in bytes.
const LARGEST_KEPT: u64 = 4 << 20;

/// Staging buffers that wait for use, the longest unused first.
type Pool = Rc<RefCell<Vec<wgpu::Buffer>>>;

/// See the module's head.
pub(super) struct Readback {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pool: Pool,
}

/// What a GPU callback leaves, and whom it wakes. The callback may come from another thread natively.
struct Signal<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

fn signal<T: Send + 'static>() -> (impl FnOnce(T) + Send + 'static, impl Future<Output = T>) {
    let shared = Arc::new(Mutex::new(Signal { value: None, waker: None }));
    let sender = Arc::clone(&shared);
    let send = move |value| {
        // A poisoned lock would mean a panic while storing a value; there is none.
        let mut signal = sender.lock().unwrap_or_else(|e| e.into_inner());
        signal.value = Some(value);
        if let Some(waker) = signal.waker.take() {
            waker.wake();
        }
    };
    let receive = poll_fn(move |context| {
        let mut signal = shared.lock().unwrap_or_else(|e| e.into_inner());
        match signal.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                signal.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    });
    (send, receive)
}

impl Readback {
    pub fn new(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        Readback { device, queue, pool: Rc::default() }
    }

    /// The words in `size` bytes of `buffer` from `offset` on, after everything submitted so far.
    pub fn read(&self, buffer: &wgpu::Buffer, offset: u64, size: u64) -> Pending<Vec<u32>> {
        let staging = self.staging(size);
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("read back") });
        encoder.copy_buffer_to_buffer(buffer, offset, &staging, 0, size);
        self.queue.submit([encoder.finish()]);
        let (send, mapped) = signal();
        staging.map_async(wgpu::MapMode::Read, 0..size, send);
        let pool = Rc::clone(&self.pool);
        let device = self.device.clone();
        Box::pin(async move {
            wait(&device)?;
            mapped.await.map_err(|e| Error::Gpu(format!("reading back: {e}")))?;
            let view = staging.get_mapped_range(0..size).map_err(|e| Error::Gpu(format!("reading back: {e}")))?;
            let words = bytemuck::pod_collect_to_vec(&view[..]);
            drop(view);
            staging.unmap();
            keep(&mut pool.borrow_mut(), staging);
            Ok(words)
        })
    }

    fn staging(&self, size: u64) -> wgpu::Buffer {
        let mut pool = self.pool.borrow_mut();
        if let Some(i) = pool.iter().position(|b| b.size() == size) {
            return pool.remove(i);
        }
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("staging"),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// Resolves when everything submitted so far has finished.
    pub fn settle(&self) -> Pending<()> {
        let (send, done) = signal();
        self.queue.on_submitted_work_done(move || send(()));
        let device = self.device.clone();
        Box::pin(async move {
            wait(&device)?;
            done.await;
            Ok(())
        })
    }
}

fn keep(pool: &mut Vec<wgpu::Buffer>, staging: wgpu::Buffer) {
    pool.push(staging);
    let too_many = pool.len().saturating_sub(KEPT);
    pool.drain(..too_many).for_each(|b| b.destroy());
    pool.retain(|b| {
        let kept = b.size() <= LARGEST_KEPT;
        if !kept {
            b.destroy();
        }
        kept
    });
}

/// Natively somebody must poll the device; a browser does that by itself, and there this returns at once.
fn wait(device: &wgpu::Device) -> Result<()> {
    device
        .poll(wgpu::PollType::wait_indefinitely())
        .map(|_| ())
        .map_err(|e| Error::Gpu(format!("waiting for the device: {e}")))
}
