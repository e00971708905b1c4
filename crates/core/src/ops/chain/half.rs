//! A batch norm, or its gradient, as two links: one writes each image's own moments, and behind all images the other merges them.
//! So a chain ends in between, but neither needs a dispatch of its own.

use super::part::Part;
use super::{Form, Link};
use crate::ops::Op;
use crate::program::Recorder;
use std::rc::Rc;

/// The halves of an operation that [`Op::halves`] says to have them. A CPU runs nothing for the first, and the whole for the second.
pub(crate) fn halves(op: &Rc<dyn Op>, r: &mut Recorder) -> Option<[Rc<dyn Op>; 2]> {
    let [first, then] = op.halves(r)?;
    let half = |link: Link, parts| Rc::new(Part { writes: vec![link.result], link, parts });
    Some([half(first, Vec::new()), half(then, vec![Rc::clone(op)])])
}

/// Whether it is one.
pub(crate) fn is_half(op: &Rc<dyn Op>) -> bool {
    op.link().is_some_and(|link| matches!(link.form, Form::Moments { .. } | Form::Evened { .. }))
}
