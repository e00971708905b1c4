//! Tensors side by side in one memory, so that one operation can serve them all: an optimiser's update is one dispatch
//! for a network, however many layers it has.

use super::{DType, Recorder, Role, Tensor};

/// Where each member starts, in words: a multiple of this, as WebGPU wants of bindings (256 bytes).
pub(super) const ALIGNMENT: usize = 64;

/// A stretch of an arena and its members, in order.
#[derive(Clone, Debug)]
pub(super) struct Arena {
    stretch: Tensor,
    members: Vec<Tensor>,
}

impl Recorder {
    /// The stretch of memory that holds exactly these tensors, made now if there is none. Between its members lie zeros
    /// that nothing writes but an operation on the whole.
    ///
    /// `None` where they can't share memory: see [`Recorder::arenas`].
    pub(crate) fn arena(&mut self, name: &str, members: &[Tensor]) -> Option<Tensor> {
        match self.arenas.iter().find(|a| a.members == members) {
            Some(known) => Some(known.stretch),
            None => self.arenas(name, &[members]).map(|stretches| stretches[0]),
        }
    }

    /// Stretches for several lists of tensors, one after another in one memory, so that one binding holds them all.
    ///
    /// `None` where they can't share memory: one of them shares it already, was updated, belongs to the host or is no
    /// float; or an operation reads one of them while it writes another.
    pub(crate) fn arenas(&mut self, name: &str, parts: &[&[Tensor]]) -> Option<Vec<Tensor>> {
        let all = parts.concat();
        let alone = |&t: &Tensor| {
            let info = self.info(t);
            let ours = info.role.lasts() || info.role == Role::Result && self.written[t.index()];
            ours && info.storage == t && info.dtype == DType::F32 && self.versions[t.index()] == 0
        };
        let distinct = (1..all.len()).all(|i| !all[..i].contains(&all[i]));
        let apart = self.nodes.iter().filter(|n| !n.op.is_view()).all(|n| {
            let ours = |t: &Tensor| all.contains(&self.storage(*t));
            !(n.op.writes().iter().any(ours) && n.op.reads().iter().any(ours))
        });
        if parts.iter().any(|members| members.is_empty()) || !all.iter().all(alone) || !distinct || !apart {
            return None;
        }
        let mut starts = Vec::with_capacity(all.len());
        let mut stretches = Vec::with_capacity(parts.len());
        let mut length = 0;
        for members in parts {
            let start = length;
            for &member in *members {
                starts.push(length);
                length += self.shape(member).len().next_multiple_of(ALIGNMENT);
            }
            stretches.push(start..length);
        }
        let memory = self.declare(name.to_owned(), [length].into(), DType::F32, Role::Arena);
        for info in &mut self.tensors {
            if let Some(i) = all.iter().position(|&m| m == info.storage) {
                (info.storage, info.offset) = (memory, starts[i]);
            }
        }
        let stretches = stretches.into_iter().zip(parts).map(|(range, members)| {
            let stretch = self.stretch(memory, range);
            self.arenas.push(Arena { stretch, members: members.to_vec() });
            stretch
        });
        Some(stretches.collect())
    }

    /// All stretches that hold tensors side by side.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = Tensor> {
        self.arenas.iter().map(|arena| arena.stretch)
    }

    /// The tensors that lie in this stretch, in order.
    pub(crate) fn members(&self, stretch: Tensor) -> &[Tensor] {
        self.arenas.iter().find(|a| a.stretch == stretch).map_or(&[], |a| &a.members)
    }

    /// A part of a memory as a tensor of its own.
    fn stretch(&mut self, memory: Tensor, range: std::ops::Range<usize>) -> Tensor {
        let name = self.info(memory).name.clone();
        let stretch = self.declare(name, [range.len()].into(), DType::F32, Role::Arena);
        let info = &mut self.tensors[stretch.index()];
        (info.storage, info.offset) = (memory, range.start);
        stretch
    }
}
