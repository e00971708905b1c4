//! Finds the operations of a program that one dispatch can do together.

use super::Piece;
use crate::ops::block::{Block, MOST_INSTRUCTIONS, MOST_MEMORIES, MOST_WORK};
use crate::ops::chain::{self, Chain, Link};
use crate::ops::draw::Draw;
use crate::ops::normalize;
use crate::ops::tick::{Lane, ticked};
use crate::ops::update::Update;
use crate::ops::{self, Op};
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
    own(r, &mut pieces);
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
            if smalls(r, piece).is_some() {
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

/// Where these pieces may all run: at the place of the last of them, or at that of the first.
fn meeting(r: &Recorder, pieces: &[Piece], at: &[usize]) -> Option<usize> {
    let places = [*at.iter().max()?, *at.iter().min()?];
    places.into_iter().find(|&place| may_meet(r, pieces, at, place))
}

/// Whether they may run at this place: what stands between an earlier one and it needs nothing of that, and a later one nothing of what
/// stands before that.
fn may_meet(r: &Recorder, pieces: &[Piece], at: &[usize], place: usize) -> bool {
    let apart = |one: usize, other: usize| !depend(r, &pieces[one].parts(), &pieces[other].parts());
    let others =
        |mut range: std::ops::Range<usize>, free: &dyn Fn(usize) -> bool| range.all(|i| at.contains(&i) || free(i));
    at.iter().all(|&part| others(part + 1..place, &|i| apart(part, i)) && others(place + 1..part, &|i| apart(i, part)))
}

/// Puts `group` where its parts may meet, and takes them out.
fn take(r: &Recorder, pieces: &mut Vec<Piece>, at: &[usize], group: Piece) {
    if let Some(place) = meeting(r, pieces, at) {
        put(pieces, at, place, group);
    }
}

/// Puts `group` at this place, and takes its parts out.
fn put(pieces: &mut Vec<Piece>, at: &[usize], place: usize, group: Piece) {
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

/// The operations of a piece that chains may have links of.
fn links(piece: &Piece) -> Vec<Rc<dyn Op>> {
    if matches!(piece, Piece::One(_) | Piece::Chain(_)) { piece.parts() } else { Vec::new() }
}

/// Gathers the small operations between two links that no image needs another for, behind the first of them.
fn own(r: &Recorder, pieces: &mut Vec<Piece>) {
    // From the last on, since what is taken stands before the link that it is for.
    let mut end = pieces.len();
    while end > 0 {
        end -= 1;
        let Some(link) = links(&pieces[end]).first().and_then(|op| op.link()) else { continue };
        let (mut at, mut before) = (Vec::new(), Vec::new());
        for (i, piece) in pieces[..end].iter().enumerate() {
            before.append(&mut links(piece));
            at.resize(before.len(), i);
        }
        let Some((own, from, parts)) = chain::own(r, &before, &link) else { continue };
        let (place, own) = (at[from], [own]);
        let behind = pieces[place].parts();
        let chain = [&behind[..], &own].concat();
        let all: Vec<usize> = parts.into_iter().chain([from]).map(|i| at[i]).collect();
        let may = Chain::continues(r, &behind, &own) && Chain::has_room(&chain, r);
        if may && may_meet(r, pieces, &all, place) {
            put(pieces, &all, place, Piece::Chain(chain));
            end = end.min(pieces.len());
        }
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
        let Some(ops) = smalls(r, &piece) else {
            out.push(piece);
            continue;
        };
        for op in ops {
            let op = [op];
            let bound = out.iter().rposition(|before| depend(r, &before.parts(), &op)).unwrap_or(0);
            let block = (bound..out.len()).rev().find(|&i| match &out[i] {
                Piece::Block(parts) => fits(r, parts, &op),
                _ => false,
            });
            match block.map(|i| &mut out[i]) {
                Some(Piece::Block(parts)) => parts.extend(op),
                _ => out.push(Piece::Block(op.into())),
            }
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

/// The operations of a piece that a block may have: of a chain, too, if it has no others, nor half of one.
fn smalls(r: &Recorder, piece: &Piece) -> Option<Vec<Rc<dyn Op>>> {
    let may = match piece {
        Piece::One(op) => small(op, r),
        Piece::Chain(parts) => {
            !parts.iter().any(chain::is_half) && parts.iter().flat_map(ops::parts).all(|op| small(&op, r))
        }
        _ => false,
    };
    may.then(|| piece.parts().iter().flat_map(ops::parts).collect())
}

/// Whether a block is a good place for this operation.
fn small(op: &Rc<dyn Op>, r: &Recorder) -> bool {
    op.instructions().is_some_and(|code| code.iter().all(|i| i.work() <= MOST_WORK && !i.picks_constant(r)))
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
    earlier.iter().any(|before| {
        let (reads, writes) = (before.reads(), before.writes());
        later.iter().any(|after| {
            let written = after.writes();
            r.meet(&after.reads(), &writes) || r.meet(&written, &writes) || r.meet(&written, &reads)
        })
    })
}
