//! Two results laid one after another are written there in the first place: real and fake images become one batch
//! without a copy.

use crate::program::arena::ALIGNMENT;
use crate::program::{Node, Recorder, Role, Tensor};

/// The nodes without the joins that this could do by placing their operands.
pub(super) fn joins(r: &mut Recorder, nodes: Vec<Node>, keep: &[Tensor]) -> Vec<Node> {
    let mut left = Vec::with_capacity(nodes.len());
    for (i, node) in nodes.iter().enumerate() {
        let joined = node.op.joins().is_some_and(|parts| {
            let others = nodes.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, n)| n);
            place(r, others, parts, node.op.writes()[0], keep)
        });
        if !joined {
            left.push(node.clone());
        }
    }
    left
}

/// Gives `a` and `b` their places in `y`, if they can have them there.
fn place<'a>(
    r: &mut Recorder,
    mut others: impl Iterator<Item = &'a Node>,
    [a, b]: [Tensor; 2],
    y: Tensor,
    keep: &[Tensor],
) -> bool {
    let (sa, sb) = (r.storage(a), r.storage(b));
    let whole = |t: Tensor, s: Tensor| {
        let aligned = r.shape(t).len().is_multiple_of(ALIGNMENT);
        r.info(s).role == Role::Result && r.shape(s).len() == r.shape(t).len() && aligned
    };
    let free = sa != sb && !keep.iter().any(|&k| [sa, sb, y].contains(&r.storage(k)));
    let ours = |tensors: Vec<Tensor>| tensors.iter().any(|&t| [sa, sb, y].contains(&r.storage(t)));
    if !(free && r.storage(y) == y && whole(a, sa) && whole(b, sb))
        || others.any(|n| !n.op.is_view() && ours(n.op.reads()) && ours(n.op.writes()))
    {
        return false;
    }
    let second = r.shape(a).len();
    for info in &mut r.tensors {
        if info.storage == sa {
            info.storage = y;
        } else if info.storage == sb {
            (info.storage, info.offset) = (y, info.offset + second);
        }
    }
    true
}
