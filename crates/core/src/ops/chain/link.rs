//! What a layer is for a chain.

use crate::ops::block::{Beside, Instruction};
use crate::ops::conv::Geometry;
use crate::ops::dropout::Draw;
use crate::ops::epilogue::Epilogue;
use crate::ops::translate::Shift;
use crate::program::Tensor;
use std::rc::Rc;

/// The most multiplications in a layer of one image: beyond, all workgroups together are quicker, a dispatch a layer. A guess from
/// what a dispatch and a multiplication take on GPUs; timed on one were only layers of a twentieth of that, which chains make no slower.
const MOST_WORK: u64 = 1 << 21;
/// The most values of an image that a layer without multiplications writes, likewise.
pub(super) const MOST_VALUES: usize = 1 << 16;
/// The most columns of a head: each has a sum of its own in every thread.
const MOST_COLUMNS: usize = 16;
/// The most instructions of small operations, which the shader has in full.
const MOST_CODE: usize = 64;

/// A layer of which an image needs nothing of the others.
#[derive(Clone, Debug)]
pub struct Link {
    pub(in crate::ops) images: usize,
    /// What the layer before it writes. (Small operations may do without.)
    pub(in crate::ops) source: Tensor,
    /// What else it needs: weights, or of a norm's gradient what was normalised.
    pub(in crate::ops) other: Option<Tensor>,
    pub(in crate::ops) result: Tensor,
    /// What it does at its end.
    pub(in crate::ops) epilogue: Epilogue,
    pub(in crate::ops) form: Form,
}

/// What a link does.
#[derive(Clone, Debug)]
pub(in crate::ops) enum Form {
    /// A convolution from the large side to the small one.
    Conv(Geometry),
    /// Its transpose.
    ConvTranspose(Geometry),
    /// Makes few values of all those of an image, by a product, or many of few.
    Head { wide: usize, narrow: usize, backward: bool },
    /// Evens out all values of an image, so many of so many channels; or is the gradient of that.
    Normalize { len: usize, channels: usize, backward: bool },
    /// Of a batch norm, or of its gradient: means, sums of squares and of products of each channel of an image.
    Moments { pixels: usize, channels: usize, backward: bool },
    /// What follows from the `moments` of all images, of which as many as `group` are one batch.
    Evened { moments: Tensor, group: usize, pixels: usize, channels: usize, backward: bool },
    /// Drops some of an image's values.
    Drop { len: usize, draw: Draw, ahead: u32 },
    /// Moves an image at random, or back.
    Move { extents: [usize; 3], shift: Shift, ahead: u32, backwards: bool, fill: f32 },
    /// Repeats pixels, or sums squares of them, and scales them.
    Squares {
        /// The result's `[H, W, C]`.
        result: [usize; 3],
        factor: usize,
        scale: f32,
        pools: bool,
    },
    /// Small operations.
    Own {
        code: Rc<[Instruction]>,
        /// What they read and write;
        touched: Rc<[Tensor]>,
        /// and what of it doesn't lie as rows of all images do: what no image has, or only some.
        apart: Rc<[Tensor]>,
    },
}

impl Form {
    /// Whether a chain has text for it, and it is little work for an image.
    fn fits(&self) -> bool {
        match self {
            Form::Conv(g) | Form::ConvTranspose(g) => {
                let phases = if let Form::Conv(_) = self { 1 } else { g.stride };
                let whole = [g.height, g.width, g.kernel[0], g.kernel[1]].iter().all(|n| n.is_multiple_of(phases));
                whole && g.flops() / 2 / g.batch.max(1) as u64 <= MOST_WORK
            }
            Form::Head { wide, narrow, .. } => {
                wide.is_multiple_of(4) && (1..=MOST_COLUMNS).contains(narrow) && (wide * narrow) as u64 <= MOST_WORK
            }
            Form::Normalize { len, .. } => (1..MOST_VALUES).contains(len),
            Form::Moments { pixels, channels, .. } | Form::Evened { pixels, channels, .. } => {
                (1..MOST_VALUES).contains(&(pixels * channels))
            }
            Form::Drop { len, .. } => len.is_multiple_of(4) && (1..MOST_VALUES).contains(len),
            Form::Move { extents, .. } => (1..MOST_VALUES).contains(&extents.iter().product()),
            Form::Squares { result, .. } => result.iter().product::<usize>() < MOST_VALUES,
            Form::Own { code, .. } => code.len() <= MOST_CODE,
        }
    }

    /// Whether it makes nothing of its values but evens them out.
    pub fn is_norm(&self) -> bool {
        matches!(self, Form::Normalize { .. } | Form::Moments { .. } | Form::Evened { .. })
    }

    /// What its values are multiplied by at their end.
    pub fn scale(&self) -> f32 {
        match *self {
            Form::Squares { scale, .. } => scale,
            Form::Drop { draw, .. } => 1.0 / (1.0 - draw.rate),
            _ => 1.0,
        }
    }

    /// What of it is taken value by value, since its channels are no fours.
    pub fn by_value(&self) -> ByValue {
        let fours = |channels: usize| channels.is_multiple_of(4);
        let (source, result, transposed) = match self {
            Form::Conv(g) => (g.channels, g.out_channels, false),
            Form::ConvTranspose(g) => (g.out_channels, g.channels, true),
            &Form::Head { backward, .. } => return ByValue { source: backward, weights: false, result: !backward },
            Form::Drop { .. } => return ByValue { source: false, weights: false, result: false },
            Form::Move { .. } | Form::Own { .. } => return ByValue { source: true, weights: false, result: true },
            Form::Normalize { channels, .. }
            | Form::Moments { channels, .. }
            | Form::Evened { channels, .. }
            | Form::Squares { result: [.., channels], .. } => {
                let single = !fours(*channels);
                return ByValue { source: single, weights: single, result: single };
            }
        };
        // They lie in the order of the large side's channels, then the small one's.
        let weights = match (fours(source), transposed) {
            (true, true) => false,
            (true, false) => !fours(result) && result != 1,
            (false, true) => !fours(result) || source != 1,
            (false, false) => !fours(result),
        };
        ByValue { source: !fours(source), weights, result: !fours(result) }
    }
}

/// What a link takes value by value, and not in fours.
#[derive(Clone, Copy, Debug)]
pub struct ByValue {
    pub source: bool,
    /// Or what else it reads.
    pub weights: bool,
    pub result: bool,
}

impl Link {
    /// What it touches.
    pub fn tensors(&self) -> Vec<Tensor> {
        if let Form::Own { touched, .. } = &self.form {
            return touched.to_vec();
        }
        let others = [self.other, self.moments(), self.clock(), self.epilogue.beside()];
        [Some(self.source), Some(self.result)].into_iter().chain(others).flatten().collect()
    }

    /// A norm's, of all images of a batch.
    pub fn moments(&self) -> Option<Tensor> {
        if let Form::Evened { moments, .. } = self.form { Some(moments) } else { None }
    }

    /// The clock that makes it random.
    pub fn clock(&self) -> Option<Tensor> {
        match self.form {
            Form::Drop { draw, .. } => Some(draw.clock),
            Form::Move { shift, .. } => Some(shift.clock),
            _ => None,
        }
    }

    /// What it needs that is no image's own, as a gate is and what a norm's gradient looks at: weights, a bias, moments, a clock.
    pub fn of_all_images(&self) -> Vec<Tensor> {
        if let Form::Own { apart, .. } = &self.form {
            return apart.to_vec();
        }
        let weights = self.other.filter(|_| !self.form.is_norm());
        let bias = self.epilogue.beside().filter(|_| self.epilogue.codes().0 == Beside::Bias);
        [weights, bias, self.moments(), self.clock()].into_iter().flatten().collect()
    }

    /// What is read or written value by value, or word by word as a clock is.
    pub fn singles(&self) -> Vec<Tensor> {
        if let Form::Own { touched, .. } = &self.form {
            return touched.to_vec();
        }
        let by_value = self.form.by_value();
        let gate = self.epilogue.beside().filter(|_| self.epilogue.codes().0 == Beside::Gate && by_value.result);
        [by_value.source.then_some(self.source), by_value.result.then_some(self.result), gate, self.clock()]
            .into_iter()
            .flatten()
            .collect()
    }

    /// It, if a chain can have it.
    pub fn fitting(self) -> Option<Self> {
        self.form.fits().then_some(self)
    }
}
