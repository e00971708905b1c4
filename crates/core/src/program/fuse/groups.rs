//! Finds the operations of a program that one dispatch can do together.

use super::Piece;
use crate::ops::Op;
use crate::ops::block::{Beside, Block, MOST_INSTRUCTIONS, MOST_MEMORIES, MOST_WORK};
use crate::ops::chain::{self, Chain, Link};
use crate::ops::draw::Draw;
use crate::ops::normalize;
use crate::ops::tick::{Lane, ticked};
use crate::ops::update::Update;
use crate::program::{Node, Recorder, Role, Tensor};
use std::rc::Rc;

/// The pieces of a program with these operations. `nodes` are those of all programs.
pub(super) fn group(r: &mut Recorder, nodes: &[Node], ops: Vec<Rc<dyn Op>>, keep: &[Tensor]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = ops.into_iter().map(Piece::One).collect();
    while let Some((both, at)) = found(r, &pieces, |ops, movable| normalize::both(ops, movable)) {
        take(r, &mut pieces, &at, Piece::One(both));
    }
    halve(r, &mut pieces);
    let r = &*r;
    let alone = |t: Tensor, reader: &Rc<dyn Op>| {
        let read_by = |n: &&Node| !n.op.is_view() && n.op.reads().iter().any(|&read| r.overlap(read, t));
        nodes.iter().filter(read_by).all(|n| Rc::ptr_eq(&n.op, reader)) && !keep.iter().any(|&k| r.overlap(k, t))
    };
    while let Some((draw, at)) = found(r, &pieces, |ops, movable| Draw::find(ops, r, &alone, movable)) {
        take(r, &mut pieces, &at, Piece::Draw(draw));
    }
    while let Some((update, at)) = found(r, &pieces, |ops, movable| Update::find(ops, r, &alone, movable)) {
        take(r, &mut pieces, &at, Piece::Update(update));
    }
    chains(r, &mut pieces);
    late_ticks(r, &mut pieces);
    blocks(r, pieces).into_iter().map(Piece::or_one).collect()
}

/// Moves each tick of the clock on to the last small operation, whose block it can join, before the first that can't do without
/// it. What it passes counts for itself that the tick is still to come: so what is random at the start of a program needs no
/// dispatch before it.
fn late_ticks(r: &Recorder, pieces: &mut [Piece]) {
    for i in (0..pieces.len()).rev() {
        let tick = pieces[i].parts();
        let Some(lane) = tick.first().and_then(ticked) else { continue };
        let mut passed = Vec::new();
        let mut end = i;
        for (j, piece) in pieces.iter().enumerate().skip(i + 1) {
            if matches!(piece, Piece::One(op) if small(op, r)) {
                end = j;
            }
            if !depend(r, &tick, &piece.parts()) {
                continue;
            }
            match piece.before_tick(r, &tick, lane) {
                Some(piece) => passed.push((j, piece)),
                None => break,
            }
        }
        if passed.iter().any(|(j, _)| *j < end) {
            for (j, piece) in passed.into_iter().filter(|(j, _)| *j < end) {
                pieces[j] = piece;
            }
            pieces[i..end].rotate_left(1);
        }
    }
}

impl Piece {
    /// It, told that this tick of the clock's lane is still to come, if it can be told.
    fn before_tick(&self, r: &Recorder, tick: &[Rc<dyn Op>], lane: Lane) -> Option<Piece> {
        let told = |op: &Rc<dyn Op>| {
            if depend(r, tick, std::slice::from_ref(op)) { op.before_tick(lane) } else { Some(Rc::clone(op)) }
        };
        match self {
            Piece::One(op) => told(op).map(Piece::One),
            Piece::Chain(parts) => parts.iter().map(told).collect::<Option<_>>().map(Piece::Chain),
            _ => None,
        }
    }
}

/// Looks for a group among the operations that are still on their own: the group, and which pieces it is made of. `find`
/// is also told which of them may move to one place.
fn found<T>(
    r: &Recorder,
    pieces: &[Piece],
    find: impl Fn(&[Rc<dyn Op>], &dyn Fn(&[usize]) -> bool) -> Option<(T, Vec<usize>)>,
) -> Option<(T, Vec<usize>)> {
    let (at, ops): (Vec<usize>, Vec<Rc<dyn Op>>) = pieces
        .iter()
        .enumerate()
        .filter_map(|(i, piece)| if let Piece::One(op) = piece { Some((i, Rc::clone(op))) } else { None })
        .unzip();
    let movable = |parts: &[usize]| meeting(r, pieces, &parts.iter().map(|&i| at[i]).collect::<Vec<_>>()).is_some();
    find(&ops, &movable).map(|(group, parts)| (group, parts.iter().map(|&i| at[i]).collect()))
}

/// Where these pieces may all run: at the place of the last of them, where nothing between needs one, or at that of the first,
/// where none of them needs anything between.
fn meeting(r: &Recorder, pieces: &[Piece], at: &[usize]) -> Option<usize> {
    let (first, last) = (*at.iter().min()?, *at.iter().max()?);
    let apart = |one: usize, other: usize| !depend(r, &pieces[one].parts(), &pieces[other].parts());
    let others =
        |mut range: std::ops::Range<usize>, free: &dyn Fn(usize) -> bool| range.all(|i| at.contains(&i) || free(i));
    if at.iter().all(|&place| others(place + 1..last, &|i| apart(place, i))) {
        return Some(last);
    }
    at.iter().all(|&place| others(first + 1..place, &|i| apart(i, place))).then_some(first)
}

/// Puts `group` where its parts may meet, and takes them out.
fn take(r: &Recorder, pieces: &mut Vec<Piece>, at: &[usize], group: Piece) {
    let Some(place) = meeting(r, pieces, at) else { return };
    pieces[place] = group;
    let mut i = 0;
    pieces.retain(|_| {
        i += 1;
        i - 1 == place || !at.contains(&(i - 1))
    });
}

/// Cuts the norms of a batch in two, where the layers before and after them are links of chains, which then take a half each.
fn halve(r: &mut Recorder, pieces: &mut Vec<Piece>) {
    let links: Vec<Link> = pieces.iter().flat_map(Piece::parts).filter_map(|op| op.link()).collect();
    for i in (0..pieces.len()).rev() {
        let Piece::One(op) = &pieces[i] else { continue };
        let Some(halves) = chain::halves(op, r).filter(|halves| Chain::between(r, &links, halves)) else { continue };
        let [first, then] = halves.map(|half| Piece::Chain(vec![half]));
        pieces[i] = then;
        pieces.insert(i, first);
    }
}

/// Gathers layers that follow one another, and of which an image needs nothing of the others, into chains.
fn chains(r: &Recorder, pieces: &mut Vec<Piece>) {
    let mut i = 0;
    while i < pieces.len() {
        let parts = pieces[i].parts();
        let chain = |j: usize| [parts.clone(), pieces[j].parts()].concat();
        let single = |piece: &Piece| matches!(piece, Piece::One(_) | Piece::Chain(_));
        let next = (i + 1..pieces.len()).find(|&j| {
            single(&pieces[i])
                && single(&pieces[j])
                && Chain::continues(r, &parts, &pieces[j].parts())
                && Chain::has_room(&chain(j), r)
                && meeting(r, pieces, &[i, j]).is_some()
        });
        match next {
            Some(j) => {
                let chain = Piece::Chain(chain(j));
                take(r, pieces, &[i, j], chain);
            }
            None => i += 1,
        }
    }
}

/// Gathers small operations into blocks: each joins the last block that it may, and a block moves on into a later one
/// where nothing between depends on it.
fn blocks(r: &Recorder, pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let Piece::One(op) = &piece else {
            out.push(piece);
            continue;
        };
        if !small(op, r) {
            out.push(piece);
            continue;
        }
        let bound = out.iter().rposition(|before| depend(r, &before.parts(), &piece.parts())).unwrap_or(0);
        let block = (bound..out.len()).rev().find(|&i| match &out[i] {
            Piece::Block(parts) => fits(r, parts, &piece.parts()),
            _ => false,
        });
        match block.map(|i| &mut out[i]) {
            Some(Piece::Block(parts)) => parts.push(Rc::clone(op)),
            _ => out.push(Piece::Block(vec![Rc::clone(op)])),
        }
    }
    let mut i = 0;
    while i < out.len() {
        let later = match &out[i] {
            Piece::Block(parts) => {
                let end = (i + 1..out.len()).find(|&j| depend(r, parts, &out[j].parts())).unwrap_or(out.len() - 1);
                (i + 1..=end).find(|&j| matches!(&out[j], Piece::Block(others) if fits(r, parts, others)))
            }
            _ => None,
        };
        match later {
            Some(j) => {
                let parts = out[i].parts();
                if let Piece::Block(others) = &mut out[j] {
                    others.splice(0..0, parts);
                }
                out.remove(i);
            }
            None => i += 1,
        }
    }
    out
}

/// Whether a block is a good place for this operation.
fn small(op: &Rc<dyn Op>, r: &Recorder) -> bool {
    op.instructions().is_some_and(|code| {
        code.iter().all(|i| {
            let constant = matches!(r.info(i.a.tensor).role, Role::Constant(_));
            i.work() <= MOST_WORK && !(i.beside == Beside::Pick && constant)
        })
    })
}

/// Whether one block has room for both.
fn fits(r: &Recorder, parts: &[Rc<dyn Op>], others: &[Rc<dyn Op>]) -> bool {
    let both = [parts, others].concat();
    let length: usize = both.iter().map(|op| op.instructions().map_or(0, |code| code.len())).sum();
    // Results will share pools; what doesn't is bound on its own.
    let own = Block::storages(&both, r).into_iter().filter(|&s| r.info(s).role != Role::Result).count();
    length <= MOST_INSTRUCTIONS && own < MOST_MEMORIES - 2
}

/// Whether `later` must stay behind `earlier`: it reads or writes what that writes, or writes what that reads.
fn depend(r: &Recorder, earlier: &[Rc<dyn Op>], later: &[Rc<dyn Op>]) -> bool {
    let meet = |a: Vec<Tensor>, b: &[Tensor]| a.iter().any(|&a| b.iter().any(|&b| r.overlap(a, b)));
    earlier.iter().any(|before| {
        let (reads, writes) = (before.reads(), before.writes());
        later
            .iter()
            .any(|after| meet(after.reads(), &writes) || meet(after.writes(), &writes) || meet(after.writes(), &reads))
    })
}
