//! A batch norm, or its gradient, as two links: one writes each image's own moments, and behind all images the other merges them.
//! So a chain ends in between, but neither needs a dispatch of its own.

use super::{Form, Link};
use crate::ops::{Adapter, Kernel, Op};
use crate::program::{Recorder, Tensor};
use std::rc::Rc;

/// One of the two. It is no operation by itself: it has its place in a chain, and a CPU runs what both stand for.
struct Half {
    link: Link,
    whole: Rc<dyn Op>,
}

/// The halves of an operation that [`Op::halves`] says to have them.
pub(crate) fn halves(op: &Rc<dyn Op>, r: &mut Recorder) -> Option<[Rc<dyn Op>; 2]> {
    let links = op.halves(r)?;
    Some(links.map(|link| Rc::new(Half { link, whole: Rc::clone(op) }) as Rc<dyn Op>))
}

/// Whether it is one.
pub(crate) fn is_half(op: &Rc<dyn Op>) -> bool {
    op.link().is_some_and(|link| matches!(link.form, Form::Moments { .. } | Form::Evened { .. }))
}

/// The recorded operations that a CPU runs for a link: of two halves the second stands for both.
pub(super) fn recorded(op: &Rc<dyn Op>) -> Vec<Rc<dyn Op>> {
    match op.link().map(|link| link.form) {
        Some(Form::Moments { .. }) => Vec::new(),
        _ => crate::ops::parts(op),
    }
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
        Some(std::slice::from_ref(&self.whole))
    }

    fn link(&self) -> Option<Link> {
        Some(self.link)
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        unreachable!("it is part of a chain")
    }
}
