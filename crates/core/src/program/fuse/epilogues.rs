//! A product or convolution followed by a bias and an activation, or an input gradient followed by the slope of the
//! activation before it, becomes one operation, if nobody else reads what lies between.
//!
//! Gradients are recorded before this, on the plain operations; since an activation's slope is read from its output,
//! they never need what the rewrite drops.

use crate::ops::epilogue::Tail;
use crate::program::{Node, Recorder, Role, Tensor};

/// The nodes with biases and activations moved into the operation before them.
pub(super) fn epilogues(recorder: &Recorder, nodes: Vec<Node>, keep: &[Tensor]) -> Vec<Node> {
    // Views don't count: whoever reads through one does.
    let reads = nodes.iter().filter(|n| !n.op.is_view()).flat_map(|n| n.op.reads());
    let mut readers = vec![0; recorder.tensors.len()];
    for tensor in reads.chain(keep.iter().copied()) {
        readers[recorder.storage(tensor).index()] += 1;
    }

    let recorded = nodes;
    let mut nodes: Vec<Option<Node>> = Vec::with_capacity(recorded.len());
    // Which node computes a result now, by the result's storage.
    let mut writer: Vec<Option<usize>> = vec![None; recorder.tensors.len()];
    for mut node in recorded {
        if let Some((x, tail)) = node.op.tail()
            && (x == recorder.storage(x) || !matches!(tail, Tail::Bias(_)))
            && recorder.info(recorder.storage(x)).role == Role::Result
            && readers[recorder.storage(x).index()] == 1
            && let Some(before) = writer[recorder.storage(x).index()]
            && let Some(earlier) = nodes[before].as_ref().filter(|earlier| earlier.program == node.program)
            && untouched(recorder, &earlier.op.reads(), &nodes[before + 1..])
            && let Some(fused) = earlier.op.with_tail(tail, node.op.writes()[0])
        {
            node.op = fused;
            nodes[before] = None;
        }
        if !node.op.is_view() {
            writer[recorder.storage(node.op.writes()[0]).index()] = Some(nodes.len());
        }
        nodes.push(Some(node));
    }
    nodes.into_iter().flatten().collect()
}

/// Whether none of `between` writes any of `reads`, so that the earlier operation may run later.
fn untouched(recorder: &Recorder, reads: &[Tensor], between: &[Option<Node>]) -> bool {
    let mut written = between.iter().flatten().flat_map(|n| n.op.writes()).map(|w| recorder.storage(w));
    !written.any(|w| reads.iter().any(|&r| recorder.storage(r) == w))
}
