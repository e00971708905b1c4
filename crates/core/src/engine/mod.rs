//! What replays a recording. Two engines, one trait: the CPU ([`cpu`]) and the GPU ([`gpu`], the only place that names
//! wgpu). Either holds the memory of all tensors; nothing is allocated, compiled, bound or looked up while stepping.

pub mod cpu;
pub mod gpu;
mod start;

use crate::error::Result;
use crate::program::{ProgramId, Tensor};
use std::future::Future;
use std::pin::Pin;

/// A value on its way from the engine to the host.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

/// An engine with a recording compiled into it.
pub trait Engine {
    /// `cpu` or `gpu`.
    fn name(&self) -> &'static str;

    /// The processor or adapter it runs on, as well as it is known.
    fn adapter(&self) -> String;

    /// Overwrites a tensor's words from `offset` on.
    ///
    /// # Errors
    /// [`crate::Error::Length`] where the words reach past the tensor.
    fn upload(&mut self, tensor: Tensor, offset: usize, words: &[u32]) -> Result<()>;

    /// Replays the programs in order, the whole sequence `times` over. The CPU has finished when this returns; the GPU
    /// has only been told, in one submit.
    ///
    /// # Errors
    /// What the engine reports.
    fn run(&mut self, programs: &[ProgramId], times: u32) -> Result<()>;

    /// The words of a tensor after everything submitted so far.
    fn download(&mut self, tensor: Tensor) -> Pending<Vec<u32>>;

    /// Resolves when everything submitted so far has finished.
    fn settle(&mut self) -> Pending<()>;
}

/// Waits for a future on a thread that may block: natively, where the GPU is polled by whoever asks.
#[cfg(not(target_arch = "wasm32"))]
pub fn block_on<F: Future>(future: F) -> F::Output {
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}
