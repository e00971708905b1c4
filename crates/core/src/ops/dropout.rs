//! Dropout (Srivastava et al. 2014): each value is 0 with the probability `rate`, else `1 / (1 − rate)` times itself.
//!
//! The mask is a function of seed, stream and clock (see `noise.rs`), so it is never stored: the gradient is the same
//! operation on `dy`, while the clock stands as it did.

use super::chain::{Form, Link};
use super::epilogue::{Epilogue, Tail};
use super::noise::{philox, unit};
use super::tick::Lane;
use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::error::Result;
use crate::program::{DType, Recorder, Tensor};
use std::rc::Rc;

#[derive(Clone, Copy, Debug)]
struct Dropout {
    x: Tensor,
    y: Tensor,
    n: usize,
    /// Rows, each of which a chain may take by itself.
    rows: usize,
    draw: Draw,
    /// Ticks that the clock's lane is behind.
    ahead: u32,
    epilogue: Epilogue,
}

/// Which values fall out.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// The clock tensor.
    pub clock: Tensor,
    /// The lane of the clock that makes each mask another.
    pub lane: Lane,
    /// The stream of random numbers: one for each place that draws.
    pub stream: u32,
    /// The share that is dropped, from 0 to below 1.
    pub rate: f32,
}

params! { n: u32, lane: u32, ahead: u32, seed: u32, stream: u32, rate: f32, scale: f32 }

impl Recorder {
    /// `x` with a share of its values dropped, another one each time the lane is ticked.
    ///
    /// # Errors
    /// [`crate::Error`] where the clock is none.
    pub fn dropout(&mut self, x: Tensor, draw: Draw) -> Result<Tensor> {
        self.check_clock("dropout", draw.clock)?;
        let shape = self.shape(x).clone();
        let (n, rows) = (shape.len(), shape.0.first().copied().unwrap_or(1));
        let y = self.result("dropout", shape, DType::F32);
        self.push(Dropout { x, y, n, rows, draw, ahead: 0, epilogue: Epilogue::default() })
    }
}

impl Op for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x, self.draw.clock, self.epilogue.beside().unwrap_or(self.x)]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(r.dropout(dy, self.draw)?), None, None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let Draw { lane, stream, rate, .. } = self.draw;
        let clock = bytemuck::cast_slice(x[1]);
        let (time, key, scale) =
            (lane.of(clock).wrapping_add(self.ahead), [Lane::Seed.of(clock), stream], 1.0 / (1.0 - rate));
        for ((block, y), x) in (0..).zip(y[0].chunks_mut(4)).zip(x[0].chunks(4)) {
            for ((y, x), word) in y.iter_mut().zip(x).zip(philox([block, time, 0, 0], key)) {
                *y = if unit(word) >= rate { x * scale } else { 0.0 };
            }
        }
        self.epilogue.apply(y[0], self.n, 0, x[2]);
    }

    fn before_tick(&self, lane: Lane) -> Option<Rc<dyn Op>> {
        Some(Rc::new(Dropout { ahead: self.ahead + u32::from(self.draw.lane == lane), ..*self }))
    }

    fn with_tail(&self, tail: Tail, y: Tensor) -> Option<Rc<dyn Op>> {
        Some(Rc::new(Dropout { y, epilogue: self.epilogue.with_slope(tail)?, ..*self }))
    }

    fn link(&self) -> Option<Link> {
        let Dropout { x: source, y: result, n, rows: images, draw, ahead, epilogue } = *self;
        let form = Form::Drop { len: n / images.max(1), draw, ahead };
        Link { images, source, other: None, result, epilogue, form }.fitting()
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let Draw { lane, stream, rate, .. } = self.draw;
        let (lane, seed, scale) = (lane as u32, Lane::Seed as u32, 1.0 / (1.0 - rate));
        let params = Params { n: self.n as u32, lane, ahead: self.ahead, seed, stream, rate, scale };
        let workgroups = groups(self.n.div_ceil(4));
        let shader = shader!("dropout", "epilogue", "random");
        Kernel { shader, entry: "drop_some", constants: self.epilogue.constants(), params: params.bytes(), workgroups }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("dropout", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::activation::Activation;
    use super::check::Case;
    let draw = |clock| Draw { clock, lane: Lane::Generator, stream: 7, rate: 0.3 };
    let kept = |i: usize, y: f64| {
        let word = philox([i as u32 / 4, 5, 0, 0], [9, 7])[i % 4];
        if unit(word) >= 0.3 { y / (1.0 - f64::from(0.3f32)) } else { 0.0 }
    };
    let case = |name: &str, rows: usize, columns: usize| {
        Case::new(format!("dropout of {name} {rows} × {columns}"), [[rows, columns].into()])
            .words(vec![0, 0, 5, 0, 9, 0, 0, 0])
    };
    let squares = |rows, columns| {
        case("squares", rows, columns)
            .records(move |r, x| {
                let y = r.square(x[0])?;
                r.dropout(y, draw(x[1]))
            })
            .equals(move |x| x[0].iter().enumerate().map(|(i, v)| kept(i, v * v)).collect())
    };
    // The slope moves into the gradient.
    let activated = case("activations", 5, 7)
        .records(move |r, x| {
            let y = r.activation(x[0], Activation::LeakyRelu(0.5))?;
            r.dropout(y, draw(x[1]))
        })
        .equals(move |x| x[0].iter().enumerate().map(|(i, &v)| kept(i, v.max(0.5 * v))).collect());
    vec![squares(3, 5), squares(16, 64), activated]
}

#[cfg(test)]
mod tests {
    use super::super::check::{Scene, floats};
    use super::super::tick::LANES;
    use super::*;

    fn dropped(rate: f32, time: u32) -> Vec<f64> {
        let mut r = Recorder::new();
        r.begin("test");
        let clock = r.input("clock", [LANES], DType::U32);
        let x = r.constant([100_000], 1.0);
        let y = r.dropout(x, Draw { clock, lane: Lane::Draws, stream: 1, rate }).unwrap();
        let scene = Scene {
            name: "dropout".into(),
            recording: r.finish(true, &[y]).into(),
            uploads: vec![(clock, vec![time, 0, 0, 0, 1, 0, 0, 0])],
            outputs: vec![y],
            times: 1,
            tolerance: 0.0,
        };
        floats(&scene.on_cpu()[0])
    }

    #[test]
    fn as_many_are_dropped_as_asked_and_the_mean_stays() {
        for rate in [0.0, 0.1, 0.5, 0.9] {
            let values = dropped(rate, 3);
            let zeros = values.iter().filter(|&&v| v == 0.0).count() as f64 / 1e5;
            let error = (f64::from(rate) * (1.0 - f64::from(rate)) / 1e5).sqrt();
            assert!((zeros - f64::from(rate)).abs() <= 4.0 * error, "{rate}: {zeros}");
            let mean = values.iter().sum::<f64>() / 1e5;
            assert!((mean - 1.0).abs() <= 4.0 * error / (1.0 - f64::from(rate)) + 1e-6, "{rate}: {mean}");
        }
        assert_ne!(dropped(0.5, 3), dropped(0.5, 4), "another mask at another time");
    }
}
