//! A product of which only some columns are read is made of those alone: each slice of it becomes a product with the rows
//! of `B` that lead there, which are where they are. So a layer that labels were joined to passes its gradient back
//! without copies.

use crate::ops::product::narrowed;
use crate::program::{Node, Recorder, Tensor};

/// The nodes with such slices in place of products.
pub(super) fn columns(r: &mut Recorder, nodes: Vec<Node>, keep: &[Tensor]) -> Vec<Node> {
    let mut out = nodes.clone();
    let mut dropped = vec![false; nodes.len()];
    for (i, node) in nodes.iter().enumerate().filter(|(_, node)| !node.op.is_view()) {
        let y = r.storage(node.op.writes()[0]);
        let reads = |n: &Node| !n.op.is_view() && n.op.reads().iter().any(|&t| r.storage(t) == y);
        let readers: Vec<usize> = (i + 1..nodes.len()).filter(|&j| reads(&nodes[j])).collect();
        let Some(&last) = readers.last() else { continue };
        let inputs: Vec<Tensor> = node.op.reads().iter().map(|&t| r.storage(t)).collect();
        let moves = nodes[i + 1..last].iter().any(|n| n.op.writes().iter().any(|&w| inputs.contains(&r.storage(w))));
        if moves || keep.iter().any(|&k| r.storage(k) == y) {
            continue;
        }
        let narrow: Option<Vec<_>> = readers.iter().map(|&j| narrowed(r, &node.op, &nodes[j].op)).collect();
        if let Some(narrow) = narrow {
            dropped[i] = true;
            readers.iter().zip(narrow).for_each(|(&j, op)| out[j].op = op);
        }
    }
    let mut dropped = dropped.into_iter();
    out.retain(|_| dropped.next() != Some(true));
    out
}
