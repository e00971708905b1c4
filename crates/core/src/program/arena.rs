//! Tensors side by side in one memory, so that one operation can serve them all: an optimiser's update is one dispatch
//! for a network, however many layers it has.

use super::{DType, Recorder, Role, Tensor};

/// Where each member starts, in words: a multiple of this, as WebGPU wants of bindings (256 bytes).
const ALIGNMENT: usize = 64;

/// An arena and its members, in order.
#[derive(Clone, Debug)]
pub(super) struct Arena {
    memory: Tensor,
    members: Vec<Tensor>,
}

impl Recorder {
    /// The arena of exactly these tensors, made now if there is none. Between its members lie zeros that nothing writes
    /// but an operation on the whole.
    ///
    /// `None` where they can't share memory: one of them shares it already, was updated, belongs to the host or is no
    /// float; or an operation reads one of them while it writes another.
    pub(crate) fn arena(&mut self, name: &str, members: &[Tensor]) -> Option<Tensor> {
        if let Some(known) = self.arenas.iter().find(|a| a.members == members) {
            return Some(known.memory);
        }
        let alone = |&t: &Tensor| {
            let info = self.info(t);
            let ours = info.role.lasts() || info.role == Role::Result && self.written[t.index()];
            ours && info.storage == t && info.dtype == DType::F32 && self.versions[t.index()] == 0
        };
        let distinct = (1..members.len()).all(|i| !members[..i].contains(&members[i]));
        let apart = self.nodes.iter().filter(|n| !n.op.is_view()).all(|n| {
            let ours = |t: &Tensor| members.contains(&self.storage(*t));
            !(n.op.writes().iter().any(ours) && n.op.reads().iter().any(ours))
        });
        if members.is_empty() || !members.iter().all(alone) || !distinct || !apart {
            return None;
        }
        let mut length = 0;
        let offsets: Vec<usize> = members
            .iter()
            .map(|&member| {
                let offset = length;
                length += self.shape(member).len().next_multiple_of(ALIGNMENT);
                offset
            })
            .collect();
        let memory = self.declare(name.to_owned(), [length].into(), DType::F32, Role::Arena);
        for info in &mut self.tensors {
            if let Some(i) = members.iter().position(|&m| m == info.storage) {
                (info.storage, info.offset) = (memory, offsets[i]);
            }
        }
        self.arenas.push(Arena { memory, members: members.to_vec() });
        Some(memory)
    }
}
