//! Small operations on values that are an image's own, as a link. A logit's way through a loss and back is such: so the chain of a network
//! goes on into that of its gradients, and the loss, which adds up all images, is left to whoever wants to know it. Where no chain has them, a
//! block runs them.

#[cfg(test)]
mod tests;

use super::link::{Form, Link, MOST_VALUES};
use super::part::Part;
use crate::ops::block::{Beside, Code, Instruction, Operand};
use crate::ops::epilogue::Epilogue;
use crate::ops::{Op, writes};
use crate::program::{Recorder, Tensor};
use std::rc::Rc;

/// Which image each value of a memory belongs to, where those of one image lie side by side.
#[derive(Clone, Copy, PartialEq)]
struct Rows {
    /// That of the memory's first value; negative if the first image's values lie further on.
    first: isize,
    /// How many values each image has.
    width: usize,
}

impl Rows {
    /// Those of a tensor that all images share.
    fn of_all(r: &Recorder, t: Tensor, images: usize) -> Option<Rows> {
        let (len, start) = (r.shape(t).len(), r.info(t).offset);
        let width = len / images.max(1);
        let whole = width > 0 && len == width * images && start.is_multiple_of(width);
        whole.then(|| Rows { first: -((start / width) as isize), width })
    }

    fn image(self, place: usize) -> isize {
        self.first + (place / self.width) as isize
    }
}

/// How memories must lie for what reads them.
struct Wants<'a> {
    r: &'a Recorder,
    images: usize,
    /// A memory may be wanted by several; none of them gets it if it is wanted in two ways, or in none that rows have.
    all: Vec<(Tensor, Option<Rows>)>,
}

impl Wants<'_> {
    /// How what these are must lie, if anybody wants them.
    fn of(&self, written: &[Tensor]) -> Option<Rows> {
        let mut found = None;
        for (storage, rows) in &self.all {
            if written.iter().any(|&t| self.r.storage(t) == *storage) {
                if rows.is_none() || found.is_some_and(|found| found != *rows) {
                    return None;
                }
                found = Some(*rows);
            }
        }
        found.flatten()
    }

    /// Tells each of these instructions, which write such rows, of which images its values are, and adds what it wants for them to be those
    /// images' own. Whether they are of one image each.
    fn add(&mut self, code: &mut [Instruction], rows: Rows) -> bool {
        for i in code {
            let place = |o: &Operand, n: usize| self.r.info(o.tensor).offset + i.place(o, n);
            let (n, first) = (i.values(), rows.image(place(&i.y, 0)));
            let count = (rows.image(place(&i.y, n - 1)) + 1 - first) as usize;
            let within = first >= 0 && first as usize + count <= self.images;
            let alone = matches!(i.code, Code::Copy | Code::Compute) && i.terms == [1, 1] && !i.picks_constant(self.r);
            let width = n / count.max(1);
            if !alone || !within || n != width * count || width > MOST_VALUES || !i.has_runs_of(width) {
                return false;
            }
            let mut operands = vec![i.y];
            operands.extend(i.operands());
            for (nth, o) in operands.iter().enumerate() {
                let len = self.r.shape(self.r.storage(o.tensor)).len();
                let step = match count {
                    1 if len.is_multiple_of(self.images) => len / self.images,
                    1 => len,
                    _ => place(o, width) - place(o, 0),
                };
                let lying = Rows { first: first - (place(o, 0) / step.max(1)) as isize, width: step.max(1) };
                // A picked value may lie as far behind.
                let picked = i.beside == Beside::Pick && o.tensor == i.a.tensor;
                let far = if picked { i.offset[0] + i.offset[1].saturating_sub(1) * i.step } else { 0 };
                // The first and the last value of an image lie outermost.
                let is_own = |nth: usize| {
                    let image = first + nth as isize;
                    let ends = [place(o, nth * width), place(o, (nth + 1) * width - 1) + far];
                    ends.map(|end| lying.image(end)) == [image; 2]
                };
                let lying = (step > 0 && (0..count).all(is_own)).then_some(lying);
                if nth > 0 {
                    self.all.push((self.r.storage(o.tensor), lying));
                } else if lying != Some(rows) {
                    return false;
                }
            }
            i.rows = Some([first as usize, count]);
        }
        true
    }
}

/// The operations by which `then`, a link, gets what it reads from what another leaves, if on the way no image needs another's values:
/// as one link, and where that other and they stand among all those `before` it.
pub(crate) fn own(r: &Recorder, before: &[Rc<dyn Op>], then: &Link) -> Option<(Rc<dyn Op>, usize, Vec<usize>)> {
    let Link { images, source: result, .. } = *then;
    let mut wants = Wants { r, images, all: vec![(r.storage(result), Rows::of_all(r, result, images))] };
    let (mut at, mut code, mut from) = (Vec::new(), Vec::new(), None);
    for (i, op) in before.iter().enumerate().rev() {
        let Some(rows) = wants.of(&op.writes()) else { continue };
        if let Some(link) = op.link() {
            let fits = link.images == images && Rows::of_all(r, link.result, images) == Some(rows);
            from = from.or(fits.then_some(i));
        } else if let Some(mut first) = op.instructions() {
            first.retain(|i| i.values() > 0);
            if wants.add(&mut first, rows) {
                at.push(i);
                first.append(&mut code);
                code = first;
            }
        }
    }
    at.reverse();
    let parts: Vec<Rc<dyn Op>> = at.iter().map(|&i| Rc::clone(&before[i])).collect();
    let results = writes(&parts);
    let touched: Vec<Tensor> = code.iter().flat_map(|i: &Instruction| i.tensors(r)).collect();
    let rows = |t: Tensor| Rows::of_all(r, t, images);
    // What comes of no image at all, as some losses' gradients, may as well come behind another link.
    let mut behind = None;
    for (i, op) in before.iter().enumerate() {
        let Some(link) = op.link().filter(|link| link.images == images) else { continue };
        // What other links have left in these memories is each image's own as well.
        let apart = rows(link.result).is_none() || wants.of(&[link.result]) != rows(link.result);
        if apart && r.meet(&[link.result], &touched) {
            return None;
        }
        if !r.meet(&op.reads(), &results) && from.is_none_or(|from| from == i) {
            behind = Some((i, link.result));
        }
    }
    let (from, source) = behind.filter(|_| !parts.is_empty())?;
    let apart = touched.iter().copied().filter(|&t| rows(t).is_none() || wants.of(&[t]) != rows(t)).collect();
    let form = Form::Own { code: code.into(), touched: touched.into(), apart };
    let link = Link { images, source, other: None, result, epilogue: Epilogue::default(), form };
    Some((Rc::new(Part { link: link.fitting()?, writes: results, parts }), from, at))
}

/// Whether it is such a link.
pub(crate) fn is_own(op: &Rc<dyn Op>) -> bool {
    op.link().is_some_and(|link| matches!(link.form, Form::Own { .. }))
}
