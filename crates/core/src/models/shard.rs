//! A step's batch cut into shards, for engines that work side by side: each computes the gradients of its own rows, and
//! their weighted mean is that of the whole batch (data parallelism).

use super::gan::Gan;
use crate::data::MNIST_IMAGES;
use crate::error::Result;
use crate::program::{Recorder, Tensor};
use crate::train::settings::{DNorm, GNorm, Settings, Toggle};
use std::ops::Range;

/// The rows of each batch that a recording is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which of the shards, from 0. The first is its leader's.
    pub rank: usize,
    /// How many there are.
    pub count: usize,
}

impl Shard {
    /// All rows.
    pub const WHOLE: Shard = Shard { rank: 0, count: 1 };

    /// Whether there are others.
    pub fn is_part(self) -> bool {
        self.count > 1
    }

    /// Its rows of a batch of so many: as many as the others', or one more or less.
    pub fn rows(self, batch: usize) -> Range<usize> {
        let start = |rank: usize| (rank * batch).div_ceil(self.count);
        start(self.rank)..start(self.rank + 1)
    }

    /// Their part of a batch of so many.
    pub fn part(self, batch: usize) -> f32 {
        self.rows(batch).len() as f32 / batch as f32
    }

    /// Its rows of a batch `[B, …]`.
    pub(super) fn of(self, r: &mut Recorder, batch: Tensor) -> Result<Tensor> {
        if !self.is_part() {
            return Ok(batch);
        }
        let rows = self.rows(r.shape(batch).0[0]);
        r.slice(batch, 0, rows.start, rows.len())
    }
}

/// Into how many shards a batch can be cut without another outcome than rounding's, at most `most`. One, where an image hears of
/// others in its batch, or chance depends on its place there.
pub fn shards(s: &Settings, most: usize) -> usize {
    let is_heard = s.g_norm == GNorm::Batch || s.d_norm == DNorm::Batch || s.spread == Toggle::On || s.pack > 1;
    let is_counted = s.dropout > 0.0 || s.blur > 0.0 || s.translate > 0 || s.replay > 0;
    if is_heard || is_counted { 1 } else { most.clamp(1, s.batch as usize) }
}

/// Floating-point operations of a step's products that a shard should have: a third of a millisecond of one core. With fewer the
/// messages cost more than others save.
const LEAST: u64 = 16_000_000;

/// Into how many shards cutting a batch pays.
///
/// # Errors
/// [`crate::Error`] where the settings give shapes that don't fit.
pub fn worthwhile(s: &Settings) -> Result<usize> {
    let gan = Gan::record(s, MNIST_IMAGES, false)?;
    let ops = gan.schedule(s.d_steps as usize).into_iter().flat_map(|program| &gan.recording.programs[program.0].ops);
    Ok((ops.map(|op| op.flops()).sum::<u64>() / LEAST).max(1) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::settings::resolve;

    #[test]
    fn small_steps_are_left_to_one() {
        let of = |text: &str| worthwhile(&resolve(text).unwrap().settings).unwrap();
        let many = |text: &str| of(text) > 8;
        assert_eq!(["preset=tiny", "preset=quick", "preset=tiny&batch=2"].map(of), [1, 3, 1]);
        assert_eq!(["preset=conv", "preset=large", "preset=primer-torch"].map(many), [true; 3]);
    }

    #[test]
    fn each_row_is_in_one_shard_and_all_are_of_a_size() {
        let lengths = |batch, count| {
            let shards: Vec<_> = (0..count).map(|rank| Shard { rank, count }.rows(batch)).collect();
            assert_eq!(shards.iter().cloned().flatten().collect::<Vec<_>>(), (0..batch).collect::<Vec<_>>());
            shards.iter().map(Range::len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(16, 1), [16]);
        assert_eq!(lengths(16, 2), [8, 8]);
        assert_eq!(lengths(16, 3), [6, 5, 5]);
        assert_eq!(lengths(5, 4), [2, 1, 1, 1]);
        assert_eq!(lengths(3, 3), [1, 1, 1]);
        for (batch, count) in [(7, 3), (100, 8), (1024, 5)] {
            let even = batch / count;
            assert!(
                lengths(batch, count).iter().all(|&length| length == even || length == even + 1),
                "{batch} in {count}"
            );
        }
    }
}
