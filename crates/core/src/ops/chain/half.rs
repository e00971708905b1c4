//! A batch norm, or its gradient, as two links: one writes each image's own moments, and behind all images the other merges them.
//! So a chain ends in between, but neither needs a dispatch of its own.

use super::{Form, Link};
use crate::ops::{Adapter, Kernel, Op};
use crate::program::{Recorder, Tensor};
use std::rc::Rc;

/// One of the two. It is no operation by itself: it has its place in a chain.
struct Half {
    link: Link,
    /// What a CPU runs for it: nothing for the first, and for the second what both stand for.
    parts: Vec<Rc<dyn Op>>,
}

/// The halves of an operation that [`Op::halves`] says to have them.
pub(crate) fn halves(op: &Rc<dyn Op>, r: &mut Recorder) -> Option<[Rc<dyn Op>; 2]> {
    let [first, then] = op.halves(r)?;
    Some([Rc::new(Half { link: first, parts: Vec::new() }), Rc::new(Half { link: then, parts: vec![Rc::clone(op)] })])
}

/// Whether it is one.
pub(crate) fn is_half(op: &Rc<dyn Op>) -> bool {
    op.link().is_some_and(|link| matches!(link.form, Form::Moments { .. } | Form::Evened { .. }))
}

impl Op for Half {
    fn name(&self) -> &'static str {
        "half"
    }

    fn reads(&self) -> Vec<Tensor> {
        self.link.tensors().into_iter().filter(|&t| t != self.link.result).collect()
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.link.result]
    }

    fn run(&self, _x: &[&[f32]], _y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        unreachable!("a CPU runs the whole")
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
