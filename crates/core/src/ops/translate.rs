//! Images moved by whole pixels, each by its own random shift: DiffAugment's translation (Zhao et al. 2020,
//! "Differentiable augmentation for data-efficient GAN training").
//!
//! The shift is a function of seed, stream and clock (see `noise.rs`), so nothing is stored: the gradient moves `dy` back
//! by the same shift, while the clock stands as it did.

use super::chain::{Form, Link};
use super::epilogue::{Epilogue, Tail};
use super::noise::philox;
use super::tick::Lane;
use super::{Adapter, Kernel, Op, params, shader};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};
use std::rc::Rc;

/// How far images move.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    /// The clock tensor.
    pub clock: Tensor,
    /// The lane of the clock that makes each shift another.
    pub lane: Lane,
    /// The stream of random numbers: one for each place that draws.
    pub stream: u32,
    /// The most pixels along each axis, either way.
    pub most: usize,
}

#[derive(Clone, Copy, Debug)]
struct Translate {
    x: Tensor,
    y: Tensor,
    extents: [usize; 4],
    shift: Shift,
    /// Whether it undoes the shift.
    backwards: bool,
    fill: f32,
    /// Ticks that the clock's lane is behind.
    ahead: u32,
    epilogue: Epilogue,
}

params! {
    height: u32, width: u32, channels: u32, lane: u32, ahead: u32, seed: u32, stream: u32, most: u32, backwards: u32, fill: f32,
}

impl Recorder {
    /// Images `x [B, H, W, C]`, each moved by up to `shift.most` pixels, with `fill` where nothing came from.
    ///
    /// # Errors
    /// [`crate::Error`] where `x` isn't such images, they are smaller than the shift, or the clock is none.
    pub fn translate(&mut self, x: Tensor, shift: Shift, fill: f32) -> Result<Tensor> {
        let op = "translate";
        self.check_clock(op, shift.clock)?;
        let extents = self.shape(x).images(op)?;
        if shift.most >= extents[1] || shift.most >= extents[2] {
            let why = "images must be larger than they move";
            return Err(Error::Shape { op, shape: self.shape(x).clone(), why });
        }
        self.moved(x, extents, shift, false, fill)
    }

    fn moved(&mut self, x: Tensor, extents: [usize; 4], shift: Shift, backwards: bool, fill: f32) -> Result<Tensor> {
        let y = self.result("translate", extents, DType::F32);
        self.push(Translate { x, y, extents, shift, backwards, fill, ahead: 0, epilogue: Epilogue::default() })
    }
}

impl Shift {
    /// Rows and columns by which this image moves.
    fn of(&self, seed: u32, time: u32, image: usize) -> [isize; 2] {
        let words = philox([image as u32, time, 0, 0], [seed, self.stream]);
        [words[0], words[1]].map(|word| (word % (2 * self.most as u32 + 1)) as isize - self.most as isize)
    }
}

impl Op for Translate {
    fn name(&self) -> &'static str {
        "translate"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x, self.shift.clock, self.epilogue.beside().unwrap_or(self.x)]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(r.moved(dy, self.extents, self.shift, !self.backwards, 0.0)?), None, None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let [_, height, width, channels] = self.extents;
        let clock = bytemuck::cast_slice(x[1]);
        let (seed, time) = (Lane::Seed.of(clock), self.shift.lane.of(clock).wrapping_add(self.ahead));
        let (line, size) = (width * channels, height * width * channels);
        for (image, (x, y)) in x[0].chunks_exact(size).zip(y[0].chunks_exact_mut(size)).enumerate() {
            let [mut down, mut across] = self.shift.of(seed, time, image);
            if self.backwards {
                (down, across) = (-down, -across);
            }
            // The columns that have a source.
            let first = across.min(0).unsigned_abs();
            let count = width - across.unsigned_abs();
            let from = across.max(0).unsigned_abs();
            for (row, y) in y.chunks_exact_mut(line).enumerate() {
                y.fill(self.fill);
                if let Some(source) = row.checked_add_signed(down).filter(|&source| source < height) {
                    let x = &x[source * line..][from * channels..(from + count) * channels];
                    y[first * channels..(first + count) * channels].copy_from_slice(x);
                }
            }
        }
        self.epilogue.apply(y[0], channels, 0, x[2]);
    }

    fn before_tick(&self, lane: Lane) -> Option<Rc<dyn Op>> {
        Some(Rc::new(Translate { ahead: self.ahead + u32::from(self.shift.lane == lane), ..*self }))
    }

    fn with_tail(&self, tail: Tail, y: Tensor) -> Option<Rc<dyn Op>> {
        Some(Rc::new(Translate { y, epilogue: self.epilogue.with_slope(tail)?, ..*self }))
    }

    fn link(&self) -> Option<Link> {
        let Translate { x: source, y: result, extents, shift, backwards, fill, ahead, epilogue } = *self;
        let [images, height, width, channels] = extents;
        let form = Form::Move { extents: [height, width, channels], shift, ahead, backwards, fill };
        Link { images, source, other: None, result, epilogue, form }.fitting()
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let [batch, height, width, channels] = self.extents;
        let params = Params {
            height: height as u32,
            width: width as u32,
            channels: channels as u32,
            lane: self.shift.lane as u32,
            ahead: self.ahead,
            seed: Lane::Seed as u32,
            stream: self.shift.stream,
            most: self.shift.most as u32,
            backwards: self.backwards.into(),
            fill: self.fill,
        };
        Kernel {
            shader: shader!("translate", "epilogue", "random"),
            entry: "translate",
            constants: self.epilogue.constants(),
            params: params.bytes(),
            workgroups: [batch as u32, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("translate", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::activation::Activation;
    use super::check::Case;
    // Of squares; or of activations, whose slope moves into the gradient.
    let case = |[b, h, w, c]: [usize; 4], most: usize, squares: bool| {
        let shift = move |clock| Shift { clock, lane: Lane::Discriminator, stream: 7, most };
        Case::new(format!("translate {b}×{h}×{w}×{c} by {most}"), [[b, h, w, c].into()])
            .words(vec![0, 5, 0, 0, 9, 0, 0, 0])
            .records(move |r, x| {
                let y = if squares { r.square(x[0])? } else { r.activation(x[0], Activation::LeakyRelu(0.5))? };
                r.translate(y, shift(x[1]), -1.0)
            })
            .equals(move |x| {
                let mut y = vec![-1.0; b * h * w * c];
                for (i, y) in y.iter_mut().enumerate() {
                    let words = philox([(i / (h * w * c)) as u32, 5, 0, 0], [9, 7]);
                    let offset = |word: u32| (word as usize % (2 * most + 1)) as isize - most as isize;
                    let row = (i / (w * c) % h).checked_add_signed(offset(words[0])).filter(|&r| r < h);
                    let column = (i / c % w).checked_add_signed(offset(words[1])).filter(|&c| c < w);
                    if let (Some(row), Some(column)) = (row, column) {
                        let v = x[0][(i / (h * w * c) * h * w + row * w + column) * c + i % c];
                        *y = if squares { v * v } else { v.max(0.5 * v) };
                    }
                }
                y
            })
    };
    vec![
        case([5, 4, 6, 1], 2, true),
        case([3, 5, 3, 3], 2, true),
        case([2, 3, 3, 2], 0, true),
        case([3, 5, 3, 3], 2, false),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shift_comes_about_as_often() {
        let mut r = Recorder::new();
        let clock = r.input("clock", [super::super::tick::LANES], DType::U32);
        let shift = Shift { clock, lane: Lane::Draws, stream: 3, most: 2 };
        let mut counts = [[0u32; 5]; 5];
        for image in 0..25_000 {
            let [down, across] = shift.of(1, 2, image);
            counts[(down + 2) as usize][(across + 2) as usize] += 1;
        }
        // 1,000 of each are expected, with a deviation of 31.
        assert!(counts.iter().flatten().all(|&n| (870..1130).contains(&n)), "{counts:?}");
    }

    #[test]
    fn refuses_to_move_an_image_out_of_sight() {
        let mut r = Recorder::new();
        r.begin("test");
        let clock = r.input("clock", [super::super::tick::LANES], DType::U32);
        let x = r.input("x", [2, 3, 4, 1], DType::F32);
        let shift = |most| Shift { clock, lane: Lane::Draws, stream: 3, most };
        assert!(r.translate(x, shift(2), 0.0).is_ok());
        assert!(matches!(r.translate(x, shift(3), 0.0), Err(Error::Shape { op: "translate", .. })));
    }
}
