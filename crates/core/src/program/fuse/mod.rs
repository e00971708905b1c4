//! Rewrites that make recorded programs cheaper without changing what they compute, in this order:
//!
//! 1. *columns*: a product of which slices are read becomes products of those columns;
//! 2. *epilogues*: a bias, an activation or a slope moves into the product or convolution before it;
//! 3. *joins*: what is only laid side by side is written side by side in the first place;
//! 4. *groups*: operations that one dispatch can do together (`ops/draw.rs`, `ops/update.rs`, `ops/chain.rs`, `ops/block.rs`);
//! 5. *pools*: results that no dispatch both reads and writes share a memory, so that groups need few bindings.
//!
//! The last two are for a GPU: a CPU runs a group's parts.
//!
//! What a rewrite doesn't know it leaves alone: a form that lacks a fused one runs unfused, beside those that have one.

mod columns;
mod epilogues;
mod groups;
mod joins;
mod pools;

use super::{Recorder, Tensor};
use crate::ops::Op;
use crate::ops::block::{Block, MOST_MEMORIES};
use crate::ops::chain::{self, Chain};
use crate::ops::draw::Draw;
use crate::ops::update::Update;
use std::rc::Rc;

/// A part of a program on its way to one dispatch.
enum Piece {
    /// An operation as it is.
    One(Rc<dyn Op>),
    /// Noise, batch and labels.
    Draw(Draw),
    /// Gradients of weights and their optimiser.
    Update(Update),
    /// Layers of one image after another.
    Chain(Vec<Rc<dyn Op>>),
    /// Small operations in order.
    Block(Vec<Rc<dyn Op>>),
}

impl Piece {
    /// The operations that it stands for.
    fn parts(&self) -> Vec<Rc<dyn Op>> {
        match self {
            Piece::One(op) => vec![Rc::clone(op)],
            Piece::Draw(draw) => draw.parts().unwrap_or_default().to_vec(),
            Piece::Update(update) => update.parts().unwrap_or_default().to_vec(),
            Piece::Chain(parts) | Piece::Block(parts) => parts.clone(),
        }
    }

    /// The storages that its dispatch binds.
    fn storages(&self, r: &Recorder) -> Vec<Tensor> {
        let tensors = match self {
            Piece::One(op) => [op.reads(), op.writes()].concat(),
            Piece::Draw(draw) => [draw.reads(), draw.writes()].concat(),
            Piece::Update(update) => update.operands(),
            Piece::Chain(parts) => Chain::storages(parts, r),
            Piece::Block(parts) => Block::storages(parts, r),
        };
        tensors.into_iter().map(|t| r.storage(t)).collect()
    }

    /// Those tensors of which none may share a memory with one of these: what an operation reads and what it writes, or what a chain
    /// takes value by value and in fours.
    fn apart(&self) -> [Vec<Tensor>; 2] {
        match self {
            Piece::One(op) => [op.reads(), op.writes()],
            Piece::Chain(parts) => Chain::sides(parts),
            Piece::Draw(_) | Piece::Update(_) | Piece::Block(_) => Default::default(),
        }
    }

    /// It, or its only operation: a group of one is no gain, but half a norm is no operation by itself.
    fn or_one(self) -> Piece {
        match &self {
            Piece::Block(parts) | Piece::Chain(parts)
                if let [only] = parts.as_slice()
                    && !chain::is_half(only) =>
            {
                Piece::One(Rc::clone(only))
            }
            _ => self,
        }
    }

    /// What is left of it where it has no room: its operations, or a chain's halves.
    fn cut(self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        match &self {
            Piece::Chain(parts) if parts.len() > 1 => {
                let (first, then) = parts.split_at(parts.len() / 2);
                for links in [first, then] {
                    if links.iter().all(chain::is_own) {
                        pieces.push(Piece::Block(links.iter().flat_map(crate::ops::parts).collect()));
                    } else {
                        pieces.push(Piece::Chain(links.to_vec()).or_one());
                    }
                }
            }
            _ => pieces.extend(self.parts().into_iter().map(Piece::One)),
        }
        pieces
    }

    /// The finished operation, once its tensors have their places; `None` if it would need too many bindings.
    fn finish(&self, r: &Recorder) -> Option<Rc<dyn Op>> {
        match self {
            Piece::One(op) => Some(Rc::clone(op)),
            Piece::Draw(draw) => Some(Rc::new(draw.clone())),
            Piece::Update(update) => update.placed(r).map(|op| Rc::new(op) as Rc<dyn Op>),
            Piece::Chain(parts) => Chain::placed(parts.clone(), r).map(|op| Rc::new(op) as Rc<dyn Op>),
            Piece::Block(parts) if Block::storages(parts, r).len() <= MOST_MEMORIES => {
                Some(Rc::new(Block::new(parts.clone(), r)))
            }
            Piece::Block(_) => None,
        }
    }
}

/// The operations of each program, rewritten.
pub(super) fn rewrite(r: &mut Recorder, keep: &[Tensor]) -> Vec<Vec<Rc<dyn Op>>> {
    let nodes = columns::columns(r, r.nodes.clone(), keep);
    let nodes = joins::joins(r, epilogues::epilogues(r, nodes, keep), keep);
    let of = |i: usize| nodes.iter().filter(move |n| n.program.0 == i && !n.op.is_view()).map(|n| Rc::clone(&n.op));
    let programs: Vec<Vec<Rc<dyn Op>>> = (0..r.programs.len()).map(|i| of(i).collect()).collect();
    // A CPU runs a group's parts.
    if !cfg!(feature = "gpu") {
        return programs;
    }
    let mut programs: Vec<Vec<Piece>> = programs.into_iter().map(|ops| groups::group(r, &nodes, ops, keep)).collect();
    let tensors = r.tensors.clone();
    loop {
        pools::plan(r, &programs, keep);
        let finished: Vec<Vec<Option<Rc<dyn Op>>>> =
            programs.iter().map(|pieces| pieces.iter().map(|p| p.finish(r)).collect()).collect();
        if finished.iter().flatten().all(Option::is_some) {
            return finished.into_iter().map(|ops| ops.into_iter().flatten().collect()).collect();
        }
        // Take apart what has no room, and start over: its parts bring rules of their own for the pools.
        r.tensors.clone_from(&tensors);
        for (pieces, finished) in programs.iter_mut().zip(finished) {
            let apart = pieces.drain(..).zip(finished).flat_map(|(piece, finished)| match finished {
                Some(_) => vec![piece],
                None => piece.cut(),
            });
            *pieces = apart.collect();
        }
    }
}
