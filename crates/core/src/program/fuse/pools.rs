//! Results share a few memories instead of having one each, so that a group of operations binds few. WebGPU forbids a
//! dispatch to read and to write one buffer in two bindings, so results that one operation reads and writes must lie
//! apart ([`Piece::apart`]): a colouring of a graph, done greedily in the order of use.

use super::Piece;
use crate::program::arena::ALIGNMENT;
use crate::program::{DType, Recorder, Role, Tensor};

/// Words in a pool: what one binding is sure to hold (128 MiB).
const MOST_WORDS: usize = 1 << 25;

/// Gives every result that a dispatch uses its place in a pool.
pub(super) fn plan(r: &mut Recorder, programs: &[Vec<Piece>], keep: &[Tensor]) {
    let kept: Vec<Tensor> = keep.iter().map(|&t| r.storage(t)).collect();
    let ours = |s: &Tensor| r.info(*s).role == Role::Result && !kept.contains(s);
    let mut results: Vec<Tensor> = Vec::new();
    let mut apart: Vec<Vec<Tensor>> = vec![Vec::new(); r.tensors.len()];
    for piece in programs.iter().flatten() {
        for storage in piece.storages(r).into_iter().filter(ours) {
            if !results.contains(&storage) {
                results.push(storage);
            }
        }
        let sides = piece.apart().map(|side| side.into_iter().map(|t| r.storage(t)).filter(ours).collect::<Vec<_>>());
        for &one in &sides[0] {
            for &other in &sides[1] {
                apart[one.index()].push(other);
                apart[other.index()].push(one);
            }
        }
    }

    // Which pool, and where in it.
    let mut places: Vec<Option<(usize, usize)>> = vec![None; r.tensors.len()];
    let mut lengths: Vec<usize> = Vec::new();
    for &result in &results {
        let length = r.shape(result).len().next_multiple_of(ALIGNMENT);
        let free = |pool: usize| {
            let meets = apart[result.index()].iter().any(|other| places[other.index()].is_some_and(|p| p.0 == pool));
            !meets && (lengths[pool] == 0 || lengths[pool] + length <= MOST_WORDS)
        };
        let pool = (0..lengths.len()).find(|&pool| free(pool)).unwrap_or(lengths.len());
        lengths.resize(lengths.len().max(pool + 1), 0);
        places[result.index()] = Some((pool, lengths[pool]));
        lengths[pool] += length;
    }
    let pools: Vec<Tensor> = lengths
        .iter()
        .enumerate()
        .map(|(i, &length)| r.declare(format!("results {i}"), [length].into(), DType::F32, Role::Arena))
        .collect();
    for info in &mut r.tensors {
        if let Some(&Some((pool, start))) = places.get(info.storage.index()) {
            (info.storage, info.offset) = (pools[pool], info.offset + start);
        }
    }
}
