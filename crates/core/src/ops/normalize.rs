//! Normalisation: `y = (x − mean) / s`, `s = √(variance + ε)`, over the rows of each column of each group, with an optional
//! epilogue; its gradient (`backward`); and `s` itself.
//!
//! Batch, layer and instance norm differ only in what is a group, a row and a column ([`Grouping`]). There is no learnt
//! gain, since whatever follows an activation that lets factors through can learn it; the bias comes with the epilogue.

mod backward;
mod deviation;
mod moments;

pub(crate) use deviation::both;

use super::block::{Code, Instruction};
use super::chain::{Form, Link};
use super::epilogue::{Epilogue, Tail};
use super::{Adapter, Kernel, Op, params, shader};
use crate::error::{Error, Result};
use crate::program::{DType, Recorder, Tensor};
use moments::rows;
use std::rc::Rc;

/// Keeps a column of equal values finite (Ioffe and Szegedy 2015).
pub(super) const EPSILON: f32 = 1e-5;
/// Values from which on it has a dispatch of its own: a block is a single workgroup.
const MANY: usize = 1 << 12;

/// A tensor seen as `[groups, rows, columns]`: each column of each group is normalised over its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// Parts that don't know of each other.
    pub groups: usize,
    /// Values that lie side by side and don't know of each other.
    pub columns: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Extents {
    groups: usize,
    rows: usize,
    columns: usize,
    /// Rows that mean and deviation are taken of, from the first on.
    seen: usize,
    /// The last extent: that of a bias.
    channels: usize,
}

#[derive(Clone, Copy, Debug)]
struct Normalize {
    x: Tensor,
    y: Tensor,
    extents: Extents,
    epilogue: Epilogue,
}

params! { rows: u32, columns: u32, seen: u32, channels: u32, epsilon: f32 }

impl Recorder {
    fn grouped(&self, op: &'static str, x: Tensor, grouping: Grouping) -> Result<Extents> {
        let (shape, Grouping { groups, columns }) = (self.shape(x), grouping);
        if groups == 0 || columns == 0 || !shape.len().is_multiple_of(groups * columns) || shape.is_empty() {
            let why = "groups and columns must divide its values";
            return Err(Error::Shape { op, shape: shape.clone(), why });
        }
        let rows = shape.len() / (groups * columns);
        let channels = shape.0.last().copied().unwrap_or(1);
        Ok(Extents { groups, rows, columns, seen: rows, channels })
    }

    /// `(x − mean) / √(variance + 1e-5)`, mean and variance being each column's of each group.
    ///
    /// # Errors
    /// [`crate::Error`] where the grouping doesn't divide `x`.
    pub fn normalize(&mut self, x: Tensor, grouping: Grouping) -> Result<Tensor> {
        let extents = self.grouped("normalize", x, grouping)?;
        self.normalize_at(x, extents)
    }

    /// The same, but mean and variance are those of the first `seen` rows. It has no gradient.
    ///
    /// # Errors
    /// [`crate::Error`] where the grouping doesn't divide `x`, or there are fewer rows.
    pub fn normalize_by_first(&mut self, x: Tensor, grouping: Grouping, seen: usize) -> Result<Tensor> {
        let extents = self.grouped("normalize", x, grouping)?;
        if seen == 0 || seen > extents.rows {
            let why = "it has fewer rows than are to be seen";
            return Err(Error::Shape { op: "normalize", shape: self.shape(x).clone(), why });
        }
        self.normalize_at(x, Extents { seen, ..extents })
    }

    fn normalize_at(&mut self, x: Tensor, extents: Extents) -> Result<Tensor> {
        let y = self.result("normalize", self.shape(x).clone(), DType::F32);
        self.push(Normalize { x, y, extents, epilogue: Epilogue::default() })
    }
}

impl Extents {
    fn whole(&self) -> [usize; 3] {
        [self.groups, self.rows, self.columns]
    }

    /// For a block, where there are few values.
    fn instruction(&self, code: Code, y: Tensor, x: Tensor) -> Option<Instruction> {
        let n: usize = self.whole().iter().product();
        let all = Instruction::new(code, [1, 1, n / self.channels, self.channels], y, x);
        (n < MANY).then_some(Instruction { offset: [self.rows, self.columns], step: self.seen, ..all })
    }

    /// For a chain, where each image is a group of one column.
    fn link(&self, [source, result]: [Tensor; 2], other: Option<Tensor>, epilogue: Epilogue) -> Option<Link> {
        let Extents { groups: images, rows: len, columns, seen, channels } = *self;
        let form = Form::Normalize { len, channels, backward: other.is_some() };
        let link = Link { images, source, other, result, epilogue, form };
        link.fitting().filter(|_| columns == 1 && seen == len && len.is_multiple_of(channels))
    }

    /// For two chains, where each channel of a batch of images is a column.
    fn halves(
        &self,
        r: &mut Recorder,
        [source, result]: [Tensor; 2],
        other: Option<Tensor>,
        epilogue: Epilogue,
    ) -> Option<[Link; 2]> {
        let Extents { groups, rows, columns: channels, seen, .. } = *self;
        let [images, _, _, _] = r.shape(source).images("normalize").ok()?;
        if channels != self.channels || seen < rows || !images.is_multiple_of(groups) {
            return None;
        }
        let (group, backward) = (images / groups, other.is_some());
        let pixels = rows / group;
        let moments = r.result("moments", [images, if backward { 4 } else { 2 }, channels], DType::F32);
        let first = Form::Moments { pixels, channels, backward };
        let then = Form::Evened { moments, group, pixels, channels, backward };
        let first = Link { images, source, other, result: moments, epilogue: Epilogue::default(), form: first };
        let then = Link { images, source, other, result, epilogue, form: then };
        Some([first.fitting()?, then.fitting()?])
    }

    fn kernel(&self, entry: &'static str, adapter: Adapter, mut constants: Vec<(&'static str, f64)>) -> Kernel {
        // Few where there are few rows: what each thread has summed is added up by all.
        let (least, most, rows_each) = if adapter.is_software() { (4, 16, 8) } else { (32, 256, 1) };
        let threads = self.seen.div_ceil(rows_each).next_power_of_two().clamp(least, most);
        constants.push(("THREADS", threads as f64));
        let params = Params {
            rows: self.rows as u32,
            columns: self.columns as u32,
            seen: self.seen as u32,
            channels: self.channels as u32,
            epsilon: EPSILON,
        };
        Kernel {
            shader: shader!("normalize", "epilogue", "total"),
            entry,
            constants,
            params: params.bytes(),
            workgroups: [self.columns as u32, self.groups as u32, 1],
        }
    }
}

impl Op for Normalize {
    fn name(&self) -> &'static str {
        "normalize"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.x, self.x, self.epilogue.beside().unwrap_or(self.x)]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn gradient(&self, r: &mut Recorder, dy: Tensor, _wanted: &[bool]) -> Result<Vec<Option<Tensor>>> {
        if self.extents.seen < self.extents.rows {
            return Err(Error::NoGradient { op: self.name() });
        }
        // It stands among the reads three times, and one of them carries the gradient.
        Ok(vec![Some(r.normalize_backward(self.x, dy, self.extents)?), None, None])
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], scratch: &mut [f32]) {
        let Extents { columns, channels, .. } = self.extents;
        let len = self.extents.rows * columns;
        for (x, y) in self.extents.each(x[0]).zip(y[0].chunks_exact_mut(len)) {
            self.extents.moments(x, scratch);
            let (means, inverses) = scratch.split_at(columns);
            rows([x, x, means, &inverses[..columns]], y, |[x, _, mean, inverse]| (x - mean) * inverse);
        }
        self.epilogue.apply(y[0], channels, 0, x[2]);
    }

    fn scratch(&self) -> usize {
        2 * self.extents.columns
    }

    fn instructions(&self) -> Option<Vec<Instruction>> {
        let whole = self.extents.instruction(Code::Normalize, self.y, self.x)?;
        Some(vec![whole.with_epilogue(&self.epilogue)])
    }

    fn link(&self) -> Option<Link> {
        self.extents.link([self.x, self.y], None, self.epilogue)
    }

    fn halves(&self, r: &mut Recorder) -> Option<[Link; 2]> {
        self.extents.halves(r, [self.x, self.y], None, self.epilogue)
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        self.extents.kernel("normalize", adapter, self.epilogue.constants())
    }

    fn with_tail(&self, tail: Tail, y: Tensor) -> Option<Rc<dyn Op>> {
        let epilogue = self.epilogue.with(tail)?;
        Some(Rc::new(Normalize { y, epilogue, ..*self }))
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("normalize", Params::layout())
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::check::Case> {
    use super::activation::Activation;
    use super::check::Case;
    use crate::program::Shape;
    // Mean and deviation of the column that holds value i.
    fn moments(x: &[f64], Grouping { groups, columns }: Grouping, i: usize) -> (f64, f64) {
        let (rows, start) = (x.len() / groups / columns, i / (x.len() / groups) * (x.len() / groups) + i % columns);
        let column = || (0..rows).map(|row| x[start + row * columns]);
        let mean = column().sum::<f64>() / rows as f64;
        let variance = column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows as f64;
        (mean, (variance + f64::from(EPSILON)).sqrt())
    }
    let shapes: [(&str, Shape, Grouping); 6] = [
        ("batch", [6, 3, 2, 4].into(), Grouping { groups: 1, columns: 4 }),
        ("batch in two parts", [10, 3].into(), Grouping { groups: 2, columns: 3 }),
        ("layer", [4, 3, 3, 2].into(), Grouping { groups: 4, columns: 1 }),
        ("instance", [2, 3, 5, 8].into(), Grouping { groups: 2, columns: 8 }),
        ("wide", [7, 19].into(), Grouping { groups: 1, columns: 19 }),
        ("long", [3, 70].into(), Grouping { groups: 3, columns: 1 }),
    ];
    let mut cases = Vec::new();
    for (name, shape, grouping) in shapes {
        let channels = shape.0[shape.rank() - 1];
        cases.push(
            Case::new(format!("normalize {name}"), [shape.clone()])
                .records(move |r, x| r.normalize(x[0], grouping))
                .equals(move |x| {
                    let u = |i: usize| {
                        let (mean, s) = moments(&x[0], grouping, i);
                        (x[0][i] - mean) / s
                    };
                    (0..x[0].len()).map(u).collect()
                }),
        );
        cases.push(
            Case::new(format!("normalize {name}, bias, tanh"), [shape.clone(), [channels].into()])
                .records(move |r, x| {
                    let u = r.normalize(x[0], grouping)?;
                    let y = r.add(u, x[1])?;
                    r.activation(y, Activation::Tanh)
                })
                .equals(move |x| {
                    let y = |i: usize| {
                        let (mean, s) = moments(&x[0], grouping, i);
                        ((x[0][i] - mean) / s + x[1][i % channels]).tanh()
                    };
                    (0..x[0].len()).map(y).collect()
                }),
        );
        cases.push(
            Case::new(format!("deviation {name}"), [shape.clone()])
                .records(move |r, x| r.deviation(x[0], grouping))
                .equals(move |x| {
                    let Grouping { groups, columns } = grouping;
                    let group = x[0].len() / groups;
                    let at = |i: usize| i / columns * group + i % columns;
                    (0..groups * columns).map(|i| moments(&x[0], grouping, at(i)).1).collect()
                }),
        );
    }
    cases
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    let scene = |rows: usize, columns: usize, seen: usize| {
        let mut r = Recorder::new();
        r.begin("scene");
        let x = r.input("x", [rows, columns], DType::F32);
        let y = r.normalize_by_first(x, Grouping { groups: 1, columns }, seen).unwrap();
        super::check::Scene {
            name: format!("normalize {rows} by {seen}"),
            recording: r.finish(true, &[y]).into(),
            uploads: vec![(x, (0..rows * columns).map(|i| (i as f32 * 0.37).sin().to_bits()).collect())],
            outputs: vec![y],
            times: 1,
            tolerance: 1e-5,
        }
    };
    let both = |shape: [usize; 2], grouping: Grouping| {
        let mut r = Recorder::new();
        r.begin("scene");
        let x = r.input("x", shape, DType::F32);
        let s = r.deviation(x, grouping).unwrap();
        let y = r.normalize(x, grouping).unwrap();
        let recording = r.finish(true, &[y, s]);
        assert_eq!(recording.programs[0].ops.len(), 1, "both in one dispatch");
        super::check::Scene {
            name: format!("normalize {shape:?} with its deviation"),
            recording: recording.into(),
            uploads: vec![(x, (0..shape[0] * shape[1]).map(|i| (i as f32 * 0.37).sin().to_bits()).collect())],
            outputs: vec![y, s],
            times: 1,
            tolerance: 1e-5,
        }
    };
    vec![
        scene(500, 3, 300),
        scene(40, 20, 1),
        scene(500, 9, 300),
        both([30, 11], Grouping { groups: 2, columns: 11 }),
        both([6, 50], Grouping { groups: 6, columns: 1 }),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::check::{assert_close, floats};
    use super::*;

    #[test]
    fn by_the_first_rows_is_the_same_for_them_and_blind_to_the_others() {
        let scene = &scenes()[0];
        let y = floats(&scene.on_cpu()[0]);
        let x = floats(&scene.uploads[0].1);
        let column: Vec<f64> = (0..300).map(|row| x[row * 3]).collect();
        let mean = column.iter().sum::<f64>() / 300.0;
        let variance = column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 300.0;
        let expected: Vec<f64> = (0..500).map(|row| (x[row * 3] - mean) / (variance + 1e-5).sqrt()).collect();
        let got: Vec<f64> = (0..500).map(|row| y[row * 3]).collect();
        assert_close("first column", &got, &expected, 1e-5);
    }

    #[test]
    fn refuses_what_does_not_divide() {
        let mut r = Recorder::new();
        r.begin("test");
        let x = r.input("x", [4, 3], DType::F32);
        for grouping in [(5, 1), (1, 5), (0, 1), (1, 0)] {
            let grouping = Grouping { groups: grouping.0, columns: grouping.1 };
            assert!(matches!(r.normalize(x, grouping), Err(Error::Shape { op: "normalize", .. })));
        }
        let grouping = Grouping { groups: 1, columns: 3 };
        assert!(matches!(r.normalize_by_first(x, grouping, 5), Err(Error::Shape { .. })));
        let y = r.normalize_by_first(x, grouping, 2).unwrap();
        let y = r.mean(y).unwrap();
        assert!(matches!(r.gradients(y, &[x]), Err(Error::NoGradient { op: "normalize" })));
    }
}
