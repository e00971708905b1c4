//! Reverse-mode gradients, recorded as operations of the same set.
//!
//! The set is closed under differentiation, so the gradient of a gradient is one more call. Nothing is zeroed: a
//! tensor's first contribution is its gradient, further ones are added.

use super::{Recorder, Tensor};
use crate::error::{Error, Result};
use std::rc::Rc;

impl Recorder {
    /// Records the gradients of the single number `y` for each of `wrt`, into the newest program.
    /// A tensor that `y` doesn't depend on gets zeros.
    ///
    /// # Errors
    /// [`Error::NotScalar`], [`Error::NoGradient`] or [`Error::Stale`].
    pub fn gradients(&mut self, y: Tensor, wrt: &[Tensor]) -> Result<Vec<Tensor>> {
        if self.shape(y).len() != 1 {
            return Err(Error::NotScalar { shape: self.shape(y).clone() });
        }
        let end = self.nodes.len();
        let depends = self.dependents(wrt, end);
        let seed = self.constant(self.shape(y).clone(), 1.0);
        let mut gradients: Vec<Option<Tensor>> = vec![None; self.tensors.len()];
        gradients[y.index()] = Some(seed);

        for i in (0..end).rev() {
            let op = Rc::clone(&self.nodes[i].op);
            let out = op.writes()[0];
            let Some(dy) = gradients[out.index()] else { continue };
            let reads = op.reads();
            let wanted: Vec<bool> = reads.iter().map(|r| depends[r.index()]).collect();
            if !wanted.contains(&true) {
                continue;
            }
            self.check_fresh(i, &reads)?;
            for ((read, gradient), wanted) in reads.iter().zip(op.gradient(self, dy, &wanted)?).zip(wanted) {
                let (Some(gradient), true) = (gradient, wanted) else { continue };
                let total = match gradients[read.index()] {
                    Some(sum) => self.add(sum, gradient)?,
                    None => gradient,
                };
                gradients[read.index()] = Some(total);
            }
        }
        Ok(wrt
            .iter()
            .map(|t| gradients[t.index()].unwrap_or_else(|| self.constant(self.shape(*t).clone(), 0.0)))
            .collect())
    }

    /// Which tensors depend on any of `roots`, following the first `end` nodes.
    fn dependents(&self, roots: &[Tensor], end: usize) -> Vec<bool> {
        let mut depends = vec![false; self.tensors.len()];
        for root in roots {
            depends[root.index()] = true;
        }
        for node in &self.nodes[..end] {
            if node.op.differentiable() && node.op.reads().iter().any(|r| depends[r.index()]) {
                depends[node.op.writes()[0].index()] = true;
            }
        }
        depends
    }

    fn check_fresh(&self, node: usize, reads: &[Tensor]) -> Result<()> {
        let node = &self.nodes[node];
        for (&read, &seen) in reads.iter().zip(&node.versions) {
            let storage = self.info(read).storage;
            if self.versions[storage.index()] != seen {
                return Err(Error::Stale { op: node.op.name(), tensor: self.info(read).name.clone() });
            }
        }
        Ok(())
    }
}
