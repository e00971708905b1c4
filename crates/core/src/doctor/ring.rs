//! Checkpoints kept in memory, to go back to before something broke. The ring holds at most so many bytes, and what it
//! forgets first is what its neighbours stand for best: the older, the sparser, but the newest always stays.

/// A run as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Steps made by then.
    pub step: u32,
    /// As [`Trainer::save`](crate::train::Trainer::save) gives it.
    pub checkpoint: Vec<u8>,
}

/// See the module's head.
#[derive(Debug)]
pub struct Ring {
    /// By step.
    snapshots: Vec<Snapshot>,
    most: usize,
}

impl Ring {
    /// An empty ring of at most `most` bytes of checkpoints.
    pub fn new(most: usize) -> Self {
        Ring { snapshots: Vec::new(), most }
    }

    /// Keeps a snapshot. What lies at its step or after it is of a course that the run has left, and forgotten. One that is
    /// larger than the whole ring is not kept.
    pub fn keep(&mut self, snapshot: Snapshot) {
        self.leave(snapshot.step);
        if snapshot.checkpoint.len() > self.most {
            return;
        }
        self.snapshots.push(snapshot);
        while self.bytes() > self.most {
            let at = self.dispensable();
            self.snapshots.remove(at);
        }
    }

    /// Forgets what lies at a step or after it: the run goes on from before.
    pub fn leave(&mut self, step: u32) {
        self.snapshots.retain(|s| s.step < step);
    }

    /// The newest snapshot from before a step.
    pub fn before(&self, step: u32) -> Option<&Snapshot> {
        self.snapshots.iter().rev().find(|s| s.step < step)
    }

    /// All of them, oldest first.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// Bytes of the checkpoints.
    pub fn bytes(&self) -> usize {
        self.snapshots.iter().map(|s| s.checkpoint.len()).sum()
    }

    /// Which one is missed least: without it the gap between its neighbours is the smallest, for its age. Never the newest.
    fn dispensable(&self) -> usize {
        let Some(newest) = self.snapshots.last() else { return 0 };
        let (mut least, mut at) = (f32::INFINITY, 0);
        for i in 0..self.snapshots.len() - 1 {
            let before = if i == 0 { 0 } else { self.snapshots[i - 1].step };
            let age = newest.step - self.snapshots[i].step;
            let gap = (self.snapshots[i + 1].step - before) as f32 / age as f32;
            if gap < least {
                (least, at) = (gap, i);
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(step: u32) -> Snapshot {
        Snapshot { step, checkpoint: vec![0; 10] }
    }

    fn steps(ring: &Ring) -> Vec<u32> {
        ring.snapshots().iter().map(|s| s.step).collect()
    }

    #[test]
    fn it_goes_back_to_the_newest_one_from_before() {
        let mut ring = Ring::new(1000);
        for step in [100, 200, 300] {
            ring.keep(snapshot(step));
        }
        for (broke, expected) in [(500, Some(300)), (300, Some(200)), (250, Some(200)), (100, None)] {
            assert_eq!(ring.before(broke).map(|s| s.step), expected, "{broke}");
        }
        // Going on from there leaves what was behind.
        ring.leave(201);
        assert_eq!(steps(&ring), [100, 200]);
        ring.keep(snapshot(150));
        assert_eq!(steps(&ring), [100, 150]);
    }

    #[test]
    fn memory_is_bounded_and_old_snapshots_thin_out() {
        let mut ring = Ring::new(85);
        for step in (100..=10_000).step_by(100) {
            ring.keep(snapshot(step));
            assert!(ring.bytes() <= 85);
        }
        let steps = steps(&ring);
        assert_eq!(steps.len(), 8);
        assert_eq!(&steps[6..], [9_900, 10_000]);
        assert!(steps[0] <= 7_000, "{steps:?}");
        // From back to front the gaps don't shrink by more than what rounding to a hundred does.
        let gaps: Vec<u32> = steps.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(gaps[0] > gaps[5], "{steps:?}");
        ring.keep(Snapshot { checkpoint: vec![0; 86], ..snapshot(20_000) });
        assert_eq!(ring.snapshots().last().map(|s| s.step), Some(10_000));
    }
}
