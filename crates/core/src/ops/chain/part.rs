//! A link that is no operation by itself: half a norm, or several small operations. It has its place in a chain.

use super::Link;
use crate::ops::{Adapter, Kernel, Op};
use crate::program::Tensor;
use std::rc::Rc;

/// Such a link.
pub(super) struct Part {
    pub link: Link,
    pub writes: Vec<Tensor>,
    /// What a CPU runs for it.
    pub parts: Vec<Rc<dyn Op>>,
}

impl Op for Part {
    fn name(&self) -> &'static str {
        "part"
    }

    fn reads(&self) -> Vec<Tensor> {
        self.link.tensors().into_iter().filter(|t| !self.writes.contains(t)).collect()
    }

    fn writes(&self) -> Vec<Tensor> {
        self.writes.clone()
    }

    fn run(&self, _x: &[&[f32]], _y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        unreachable!("a CPU runs its parts")
    }

    fn parts(&self) -> Option<&[Rc<dyn Op>]> {
        Some(&self.parts)
    }

    fn link(&self) -> Option<Link> {
        Some(self.link.clone())
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        unreachable!("it is part of a chain")
    }
}
