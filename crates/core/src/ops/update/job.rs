//! The gradient of one tensor within an update, and how threads share its work.

use super::cast;
use crate::ops::binary::Binary;
use crate::ops::conv::Geometry;
use crate::ops::conv_weights::ConvWeights;
use crate::ops::product::{Cover, Orientation, Product};
use crate::ops::reduce::Sum;
use crate::ops::{Adapter, Op};
use crate::program::Tensor;
use std::rc::Rc;

/// The gradient of one weight, or of a bias: a sum of products over the small side of a convolution. Or stored gradients times
/// a factor.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// The large side; `None` for a bias.
    pub x: Option<Tensor>,
    /// The gradient of the small side.
    pub dy: Tensor,
    pub geometry: Geometry,
}

impl Job {
    /// What `op` computes, if it is such a gradient.
    pub fn of(op: &Rc<dyn Op>) -> Option<Self> {
        // A dense layer is a convolution along a line of the batch with windows of one place.
        let line = |length: usize, channels: usize, out_channels: usize| Geometry {
            batch: 1,
            height: 1,
            width: length,
            channels,
            out_height: 1,
            out_width: length,
            out_channels,
            kernel: [1, 1],
            stride: 1,
            pad: 0,
        };
        if let Some(ConvWeights { x, dy, geometry, .. }) = cast(op) {
            return Some(Job { x: Some(x), dy, geometry });
        }
        if let Some(Product { a, b, orientation: Orientation::TransposedA, m, n, k, epilogue, .. }) = cast(op) {
            return epilogue.is_none().then(|| Job { x: Some(a), dy: b, geometry: line(k, m, n) });
        }
        // Values times one number are a product with a single inner index.
        if let Some(([x, factor], n)) = cast(op).and_then(|op: Binary| op.scaling()) {
            return Some(Job { x: Some(x), dy: factor, geometry: line(1, n, 1) });
        }
        let Sum { x, scale, shapes, squared: false, .. } = cast(op)? else { return None };
        let (large, small) = (shapes.large.padded(), shapes.small.padded());
        let columns = (small[..3] == [1; 3] && small[3] == large[3] && scale == 1.0).then_some(large[3])?;
        Some(Job { x: None, dy: x, geometry: line(shapes.large.len() / columns, 1, columns) })
    }

    /// How many values it has: places in a window by channels of the small side.
    pub fn extents(&self) -> [usize; 2] {
        [self.geometry.window_len(), self.geometry.out_channels]
    }

    pub fn pixels(&self) -> usize {
        let Geometry { batch, out_height, out_width, .. } = self.geometry;
        batch * out_height * out_width
    }

    /// Whether its channels come in fours; else a thread's tile is four values in a row.
    pub fn in_blocks(&self) -> bool {
        self.geometry.out_channels.is_multiple_of(4)
    }

    /// Whether four places of a tile lie side by side in memory: channels of one pixel.
    pub fn reads_fours(&self) -> bool {
        self.x.is_some() && self.in_blocks() && self.geometry.channels.is_multiple_of(4)
    }

    /// Whether it is a dense layer's: windows of one place, whose values lie row by row.
    pub fn is_dense(&self) -> bool {
        let g = &self.geometry;
        let padded = g.pad > 0 || g.frame()[0] > g.height || g.frame()[1] > g.width;
        self.x.is_some() && g.kernel == [1, 1] && g.stride == 1 && !padded
    }

    /// The tile of a thread that works in a quad, where the adapter has quads and the layer is dense and large enough.
    pub fn quads(&self, adapter: Adapter) -> Option<[usize; 2]> {
        let [places, channels] = self.extents();
        let fits = self.is_dense() && self.in_blocks() && self.pixels().is_multiple_of(4);
        Cover::quad_tile(adapter, [places, channels, self.pixels()]).filter(|_| fits)
    }

    /// A thread's tile: fours of places, and of channels. A larger one loads less for each product, but leaves fewer
    /// threads with work.
    pub fn tile(&self, adapter: Adapter) -> [usize; 2] {
        let enough = if adapter.is_software() { 64 } else { 16_384 };
        let [places, channels] = self.extents();
        let fits = |&[deep, wide]: &[usize; 2]| {
            let within = 4 * deep < places + 4 && 4 * wide < channels + 4;
            self.in_blocks() && within && self.tiles([deep, wide]) >= enough
        };
        let alone = || [[2, 2], [1, 2], [2, 1]].into_iter().find(fits).unwrap_or([1, 1]);
        self.quads(adapter).unwrap_or_else(alone)
    }

    fn tiles(&self, [deep, wide]: [usize; 2]) -> usize {
        let [places, channels] = self.extents();
        match self.in_blocks() {
            true => places.div_ceil(4 * deep) * channels.div_ceil(4 * wide),
            false => (places * channels).div_ceil(4),
        }
    }

    /// How many threads work on it, in all, in workgroups of so many.
    pub fn threads(&self, adapter: Adapter, group: usize) -> usize {
        let [deep, wide] = self.tile(adapter);
        match self.quads(adapter) {
            // Whole quads.
            Some(_) => 4 * self.tiles([2 * deep, 2 * wide]),
            None => self.tiles([deep, wide]) * self.split(adapter, group),
        }
    }

    /// How many threads of a workgroup share a tile: more where tiles are few and sums long. None on a software adapter, where a
    /// barrier and the memory to share in cost more than a long sum.
    pub fn split(&self, adapter: Adapter, group: usize) -> usize {
        let tile = self.tile(adapter);
        let mut split = 1;
        while adapter == Adapter::Hardware
            && split < group
            && tile == [1, 1]
            && self.tiles(tile) * split < 65_536
            && self.pixels() / (split * 2) >= 16
        {
            split *= 2;
        }
        split
    }
}

/// Threads of a workgroup for these. On a GPU more where a sum is long enough for all of them; else what they share in takes too
/// much of its memory.
pub fn threads(jobs: &[Job], adapter: Adapter) -> usize {
    const LARGE: usize = 256;
    match adapter.is_software() {
        true => 8,
        false if jobs.iter().any(|job| job.split(adapter, LARGE) == LARGE) => LARGE,
        false => 128,
    }
}
