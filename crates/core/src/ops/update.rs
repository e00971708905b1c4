//! A network's update in one dispatch: the gradients of all its weights and biases, the optimiser and the moving average.
//! A group of `conv_weights`, `product` and `sum`, of `adam` or `sgd`, and of `average`.
//!
//! The inner index of a weight's gradient is the batch (or its pixels), so a workgroup owns whole tiles of it: the sum is
//! complete, without atomics, where the optimiser needs it, and no gradient is stored.

use super::adam::AdamUpdate;
use super::average::Average;
use super::conv::Geometry;
use super::conv_weights::ConvWeights;
use super::product::{Orientation, Product};
use super::reduce::Sum;
use super::sgd::Sgd;
use super::tick::Lane;
use super::{Adapter, Kernel, Op, Shader, cut, params, shader};
use crate::program::{Recorder, Tensor};
use std::any::Any;
use std::fmt::Write;
use std::rc::Rc;

/// What WebGPU promises a shader in storage buffers.
const MOST_BINDINGS: usize = 8;

/// The gradient of one weight, or of a bias: a sum of products over the small side of a convolution.
#[derive(Clone, Copy, Debug)]
struct Job {
    /// The large side; `None` for a bias.
    x: Option<Tensor>,
    /// The gradient of the small side.
    dy: Tensor,
    geometry: Geometry,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    Adam(AdamUpdate),
    Sgd(Sgd),
}

/// See the module's head.
#[derive(Clone)]
pub(crate) struct Update {
    parts: Vec<Rc<dyn Op>>,
    /// In the order of the network's parameters.
    jobs: Vec<Job>,
    rule: Rule,
    follow: Option<Average>,
    /// Where everything lies, once that is known.
    places: Option<Places>,
}

#[derive(Clone, Debug)]
struct Places {
    /// The memories of `x` and `dy`.
    memories: Vec<Tensor>,
    /// For each job: which memory `x` and `dy` are in and where, and where its weights start among the network's.
    jobs: Vec<([(usize, usize); 2], usize)>,
    /// Weights and moments.
    state: Tensor,
    /// Where weights, first and second moments start in it.
    stretches: [usize; 3],
    /// The memory of the averages, if there are any, and where they start.
    averages: Option<(Tensor, usize)>,
}

params! {
    optimizer_lane: u32, dial: u32, decay1: f32, decay2: f32, ln_decay1: f32, ln_decay2: f32, epsilon: f32,
    weight: u32, first: u32, second: u32, average: u32, average_lane: u32, average_decay: f32,
}

fn cast<T: Clone + 'static>(op: &Rc<dyn Op>) -> Option<T> {
    (op.as_ref() as &dyn Any).downcast_ref::<T>().cloned()
}

impl Rule {
    fn of(op: &Rc<dyn Op>) -> Option<Self> {
        cast(op).map(Rule::Adam).or_else(|| cast(op).map(Rule::Sgd))
    }

    fn gradient(&self) -> Tensor {
        match self {
            Rule::Adam(adam) => adam.gradient,
            Rule::Sgd(sgd) => sgd.gradient,
        }
    }

    fn clock_and_dials(&self) -> (Option<Tensor>, Tensor) {
        match self {
            Rule::Adam(adam) => (Some(adam.clock), adam.dials),
            Rule::Sgd(sgd) => (None, sgd.dials),
        }
    }

    /// The weights and what is kept beside them.
    fn state(&self) -> Vec<Tensor> {
        match self {
            Rule::Adam(adam) => vec![adam.weight, adam.m, adam.v],
            Rule::Sgd(sgd) => vec![sgd.weight, sgd.velocity],
        }
    }
}

impl Job {
    /// What `op` computes, if it is such a gradient.
    fn of(op: &Rc<dyn Op>) -> Option<Self> {
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
        let Sum { x, scale, shapes, .. } = cast(op)?;
        let (large, small) = (shapes.large.padded(), shapes.small.padded());
        let columns = (small[..3] == [1; 3] && small[3] == large[3] && scale == 1.0).then_some(large[3])?;
        Some(Job { x: None, dy: x, geometry: line(shapes.large.len() / columns, 1, columns) })
    }

    /// How many values it has: places in a window by channels of the small side.
    fn extents(&self) -> [usize; 2] {
        [self.geometry.window_len(), self.geometry.out_channels]
    }

    fn pixels(&self) -> usize {
        let Geometry { batch, out_height, out_width, .. } = self.geometry;
        batch * out_height * out_width
    }

    /// Whether its channels come in fours; else a thread's tile is four values in a row.
    fn in_blocks(&self) -> bool {
        self.geometry.out_channels.is_multiple_of(4)
    }

    /// A thread's tile: fours of places, and of channels. A larger one loads less for each product, but leaves fewer
    /// threads with work.
    fn tile(&self, adapter: Adapter) -> [usize; 2] {
        let enough = if adapter == Adapter::Software { 64 } else { 16_384 };
        let [places, channels] = self.extents();
        let fits = |&[deep, wide]: &[usize; 2]| {
            let within = 4 * deep < places + 4 && 4 * wide < channels + 4;
            self.in_blocks() && within && self.tiles([deep, wide]) >= enough
        };
        [[2, 2], [1, 2], [2, 1]].into_iter().find(fits).unwrap_or([1, 1])
    }

    fn tiles(&self, [deep, wide]: [usize; 2]) -> usize {
        let [places, channels] = self.extents();
        match self.in_blocks() {
            true => places.div_ceil(4 * deep) * channels.div_ceil(4 * wide),
            false => (places * channels).div_ceil(4),
        }
    }

    /// How many threads share a tile: more where tiles are few and sums long. None on a software adapter, where a barrier
    /// and the memory to share in cost more than a long sum.
    fn split(&self, adapter: Adapter) -> usize {
        let tile = self.tile(adapter);
        let mut split = 1;
        while adapter == Adapter::Hardware
            && split < 16
            && tile == [1, 1]
            && self.tiles(tile) * split < 4096
            && self.pixels() / (split * 2) >= 16
        {
            split *= 2;
        }
        split
    }
}

/// Threads of a workgroup.
fn threads(adapter: Adapter) -> usize {
    if adapter == Adapter::Software { 16 } else { 64 }
}

/// `text` with what stands between two marks, each time they come, or without it.
pub(super) fn keep(text: &str, from: &str, to: &str, whether: bool) -> String {
    let mut text = text.to_owned();
    while text.contains(from) {
        let (before, between, after) = cut(&text, from, to);
        text = [before, if whether { between } else { "" }, after].concat();
    }
    text
}

/// `text` with each line that has `name` repeated so many times, and the name replaced by the number.
fn repeat(text: &str, name: &str, times: usize) -> String {
    let suffix = format!("_{name}");
    let lines = text.lines().flat_map(|line| {
        let nth = |n: usize| line.replace(&suffix, &format!("_{n}")).replace(name, &format!("{n}u")) + "\n";
        (0..if line.contains(name) { times } else { 1 }).map(nth)
    });
    lines.collect()
}

impl Update {
    /// An update among these operations, and which of them it is made of. `alone` says whether a tensor has no other
    /// reader, and `movable` whether operations may all run where the last of them does.
    pub fn find(
        ops: &[Rc<dyn Op>],
        r: &Recorder,
        alone: &dyn Fn(Tensor, &Rc<dyn Op>) -> bool,
        movable: &dyn Fn(&[usize]) -> bool,
    ) -> Option<(Self, Vec<usize>)> {
        ops.iter().enumerate().find_map(|(at_rule, op)| {
            let rule = Rule::of(op)?;
            let state = rule.state();
            let together = state.iter().all(|&t| r.storage(t) == r.storage(state[0]));
            let members = r.members(rule.gradient());
            if !together || members.is_empty() {
                return None;
            }
            let mut at = Vec::new();
            let mut jobs = Vec::new();
            for &member in members {
                let writer = ops[..at_rule].iter().rposition(|other| other.writes().contains(&member))?;
                if !alone(member, op) {
                    return None;
                }
                at.push(writer);
                jobs.push(Job::of(&ops[writer])?);
            }
            at.push(at_rule);
            let follow = ops.iter().enumerate().skip(at_rule).find_map(|(i, op)| {
                let average: Average = cast(op)?;
                (average.weight == state[0]).then_some((i, average))
            });
            // Both find the clock in one place; gradient descent has none of its own.
            let clock = rule.clock_and_dials().0;
            let follow = follow.filter(|(_, average)| clock.is_none_or(|clock| clock == average.clock));
            at.extend(follow.map(|(i, _)| i));
            if !movable(&at) {
                return None;
            }
            let parts = at.iter().map(|&i| Rc::clone(&ops[i])).collect();
            Some((Update { parts, jobs, rule, follow: follow.map(|(_, f)| f), places: None }, at))
        })
    }

    /// The activations and gradients that it sums over.
    pub fn operands(&self) -> Vec<Tensor> {
        self.jobs.iter().flat_map(|job| job.x.into_iter().chain([job.dy])).collect()
    }

    /// With the places of its tensors, if few enough memories hold them.
    pub fn placed(&self, r: &Recorder) -> Option<Self> {
        let mut memories: Vec<Tensor> = self.operands().into_iter().map(|t| r.storage(t)).collect();
        memories.sort();
        memories.dedup();
        let state = self.rule.state();
        let averages = self.follow.map(|f| (r.storage(f.average), r.info(f.average).offset));
        let written = [Some(r.storage(state[0])), averages.map(|(memory, _)| memory)];
        // Beside them: clock, dials, what is written.
        let bindings = memories.len() + 3 + usize::from(averages.is_some());
        if bindings > MOST_BINDINGS || memories.iter().any(|&m| written.contains(&Some(m))) {
            return None;
        }
        let place = |t: Tensor| {
            let memory = memories.iter().position(|&m| m == r.storage(t)).unwrap_or_default();
            (memory, r.info(t).offset)
        };
        let members = r.members(self.rule.gradient());
        let start = r.info(self.rule.gradient()).offset;
        let jobs = self
            .jobs
            .iter()
            .zip(members)
            .map(|(job, &member)| ([job.x.unwrap_or(job.dy), job.dy].map(place), r.info(member).offset - start));
        let offset = |i: usize| state.get(i).map_or(0, |&t| r.info(t).offset);
        let places = Places {
            jobs: jobs.collect(),
            memories,
            state: r.storage(state[0]),
            stretches: [offset(0), offset(1), offset(2)],
            averages,
        };
        Some(Update { places: Some(places), ..self.clone() })
    }

    fn places(&self) -> &Places {
        self.places.as_ref().expect("an update is run once it is placed")
    }

    /// The shader with a part for each job, and how many workgroups they take together.
    fn shader(&self, adapter: Adapter) -> (Shader, usize) {
        let Shader { name, source } = shader!("update", "optimizers");
        let source = keep(&source, "//<together>", "//</together>", adapter == Adapter::Software);
        let source = keep(&source, "//<apart>", "//</apart>", adapter == Adapter::Hardware);
        let (head, _, rest) = cut(&source, "//<bindings>", "//</bindings>");
        let (rule, _, rest) = cut(rest, "//<sample>", "//</sample>");
        let (_, template, rest) = cut(rest, "//<job>", "//</job>");
        let (entry, _, tail) = cut(rest, "//<jobs>", "//</jobs>");
        let reads = (0..self.places().memories.len()).map(|i| (format!("m{i}"), "read", "f32"));
        let reads = reads.chain([("clock".into(), "read", "u32"), ("dials".into(), "read", "f32")]);
        let writes = ["state", "averages"].map(|name| (name.to_owned(), "read_write", "vec4f"));
        let bindings: String = reads
            .chain(writes.into_iter().take(self.writes().len()))
            .enumerate()
            .map(|(i, (name, access, word))| {
                format!("@group(0) @binding({}) var<storage, {access}> {name}: array<{word}>;\n", i + 1)
            })
            .collect();
        let shared = self.jobs.iter().any(|job| job.split(adapter) > 1);
        let rule = keep(rule, "//<follow>", "//</follow>", self.follow.is_some());
        let rule = keep(&rule, "//<partial>", "//</partial>", shared);
        let (mut text, mut calls, mut first) = ([head, &bindings, &rule].concat(), String::new(), 0);
        for (i, (job, &([x, dy], at))) in self.jobs.iter().zip(&self.places().jobs).enumerate() {
            let g = &job.geometry;
            let split = job.split(adapter);
            let padded = g.pad > 0 || g.frame()[0] > g.height || g.frame()[1] > g.width;
            let ([deep, wide], [places, channels]) = (job.tile(adapter), job.extents());
            let form = match job.x {
                None => "bias",
                Some(_) if g.kernel == [1, 1] && g.stride == 1 && !padded => "dense",
                Some(_) => "windows",
            };
            let mut part = keep(template, "//<split>", "//</split>", split > 1);
            for other in ["bias", "dense", "windows"] {
                part = keep(&part, &format!("//<{other}>"), &format!("//</{other}>"), form == other);
            }
            let blocks = job.in_blocks();
            part = keep(&keep(&part, "//<blocks>", "//</blocks>", blocks), "//<rows>", "//</rows>", !blocks);
            let part = repeat(&repeat(&part, "JOB_ROW", deep), "JOB_NTH", wide);
            let mut part = part.replace("JOB_RUN", &format!("job{i}"));
            // Names that begin alike: the longer ones come first.
            for (name, value) in [
                ("JOB_AT", format!("{at}u")),
                ("JOB_X_AT", format!("{}u", x.1)),
                ("JOB_DY_AT", format!("{}u", dy.1)),
                ("JOB_SPLIT", format!("{split}u")),
                ("JOB_PARTIAL", if blocks { "partial" } else { "partial_rows" }.into()),
                ("JOB_DEEP", format!("{deep}u")),
                ("JOB_WIDE", format!("{wide}u")),
                ("JOB_FITS_PLACES", places.is_multiple_of(4 * deep).to_string()),
                ("JOB_FITS_CHANNELS", channels.is_multiple_of(4 * wide).to_string()),
                ("JOB_PLACES", format!("{places}u")),
                ("JOB_PIXELS", format!("{}u", job.pixels())),
                ("JOB_HEIGHT", format!("{}i", g.height)),
                ("JOB_WIDTH", format!("{}i", g.width)),
                ("JOB_CHANNELS", format!("{}u", g.channels)),
                ("JOB_OUT_HEIGHT", format!("{}u", g.out_height)),
                ("JOB_OUT_WIDTH", format!("{}u", g.out_width)),
                ("JOB_OUT_CHANNELS", format!("{channels}u")),
                ("JOB_KERNEL_WIDTH", format!("{}u", g.kernel[1])),
                ("JOB_STRIDE", format!("{}u", g.stride)),
                ("JOB_PAD", format!("{}i", g.pad)),
                ("JOB_X", format!("m{}", x.0)),
                ("JOB_DY", format!("m{}", dy.0)),
            ] {
                part = part.replace(name, &value);
            }
            text.push_str(&part);
            let groups = (job.tiles([deep, wide]) * split).div_ceil(threads(adapter));
            let otherwise = if i == 0 { "" } else { " else " };
            let last = first + groups;
            // Writing to a string can't fail.
            let _ =
                write!(calls, "{otherwise}if (group < {last}u) {{\n        job{i}(group - {first}u, thread);\n    }}");
            first = last;
        }
        let source = [&text, entry, &calls, tail].concat();
        (Shader { name, source: source.into() }, first)
    }
}

impl Op for Update {
    fn name(&self) -> &'static str {
        "update"
    }

    fn reads(&self) -> Vec<Tensor> {
        let (clock, dials) = self.rule.clock_and_dials();
        // Gradient descent without an average needs no clock: any tensor stands in its place, unread.
        let clock = clock.or(self.follow.map(|f| f.clock)).unwrap_or(dials);
        [self.places().memories.clone(), vec![clock, dials]].concat()
    }

    fn writes(&self) -> Vec<Tensor> {
        let Places { state, averages, .. } = self.places();
        [Some(*state), averages.map(|(memory, _)| memory)].into_iter().flatten().collect()
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, _x: &[&[f32]], _y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        unreachable!("a CPU runs an update's parts")
    }

    fn parts(&self) -> &[Rc<dyn Op>] {
        &self.parts
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        let Places { stretches: [weight, first, second], averages, .. } = self.places().clone();
        let (lane, dial, [decay1, decay2], [ln_decay1, ln_decay2], epsilon) = match &self.rule {
            Rule::Adam(op) => (op.lane, op.dial, [op.adam.beta1, op.adam.beta2], op.ln_betas(), op.adam.epsilon),
            Rule::Sgd(op) => (Lane::Draws, op.dial, [op.momentum, 0.0], [0.0; 2], 0.0),
        };
        let params = Params {
            optimizer_lane: lane as u32,
            dial: dial as u32,
            decay1,
            decay2,
            ln_decay1,
            ln_decay2,
            epsilon,
            weight: weight as u32,
            first: first as u32,
            second: second as u32,
            average: averages.map_or(0, |(_, start)| start as u32),
            average_lane: self.follow.map_or(0, |f| f.lane as u32),
            average_decay: self.follow.map_or(0.0, |f| f.decay),
        };
        let (shader, groups) = self.shader(adapter);
        let optimizer = if let Rule::Adam(_) = self.rule { 0.0 } else { 1.0 };
        // Two axes, since one dimension is limited to 65,535 workgroups.
        let x = groups.min(32_768);
        Kernel {
            shader,
            entry: "update",
            constants: vec![("OPTIMIZER", optimizer), ("THREADS", threads(adapter) as f64)],
            params: params.bytes(),
            workgroups: [x as u32, groups.div_ceil(x) as u32, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("update", Params::layout())
}

/// A network of a convolution and a dense layer that learns for a few steps: weights, moments and averages come out.
#[cfg(test)]
fn scene(optimizer: crate::optim::Optimizer, average: bool, [channels, outputs]: [usize; 2]) -> super::check::Scene {
    use super::tick::LANES;
    use crate::optim::{Pace, follow};
    use crate::program::{DType, Init};
    let mut r = Recorder::new();
    r.begin("scene");
    let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
    let dials = r.input("dials", [8], DType::F32);
    let pace = Pace { clock, lane: Lane::Generator, dials, rate: 1 };
    let x = r.input("x", [5, 6, 7, 3], DType::F32);
    let (height, width) = (3, 3);
    let parameters = [
        r.parameter("conv", [4, 4, 3, channels], Init::Normal(0.3)),
        r.parameter("conv.bias", [channels], Init::Normal(0.3)),
        r.parameter("dense", [height * width * channels, outputs], Init::Normal(0.3)),
        r.parameter("dense.bias", [outputs], Init::Normal(0.3)),
    ];
    r.tick(clock, Lane::Generator).unwrap();
    let [conv, conv_bias, dense, dense_bias] = parameters;
    let y = r.conv(x, conv, 2, 1).unwrap();
    let y = r.add(y, conv_bias).unwrap();
    let y = r.activation(y, super::activation::Activation::Tanh).unwrap();
    let y = r.reshape(y, [5, height * width * channels]).unwrap();
    let y = r.product(y, dense, Orientation::Plain).unwrap();
    let y = r.add(y, dense_bias).unwrap();
    let y = r.square(y).unwrap();
    let loss = r.sum_to(y, [1]).unwrap();
    let gradients = r.gradients(loss, &parameters).unwrap();
    optimizer.update(&mut r, &parameters, &gradients, pace).unwrap();
    let mut averages = Vec::new();
    if average {
        let twin = |p: Tensor| (r.info(p).name.clone(), r.shape(p).clone(), p);
        let twins: Vec<_> = parameters.into_iter().map(twin).collect();
        averages = twins.into_iter().map(|(name, shape, p)| r.state(name, shape, DType::F32, Init::Same(p))).collect();
        follow(&mut r, &averages, &parameters, pace, 0.9).unwrap();
    }
    let outputs = [parameters.to_vec(), averages].concat();
    let recording = r.finish(true, &[]);
    let updates = recording.programs[0].ops.iter().filter(|op| op.name() == "update").count();
    assert_eq!(updates, 1, "gradients, optimiser and averages are one dispatch");
    let random = |n: usize| (0..n as u32).map(|i| (i as f32 * 0.7).sin().to_bits()).collect::<Vec<u32>>();
    let starts = |&t: &Tensor| (t, random(recording.info(t).shape.len()));
    let mut uploads: Vec<(Tensor, Vec<u32>)> = outputs.iter().map(starts).collect();
    // Slow enough that learning doesn't amplify what rounding leaves.
    let rate = if let crate::optim::Optimizer::Sgd { .. } = optimizer { 1e-5f32 } else { 1e-3 };
    uploads.extend([(x, random(5 * 6 * 7 * 3)), (dials, vec![rate.to_bits(); 8]), (clock, vec![0; LANES])]);
    super::check::Scene {
        name: format!("update by {optimizer:?}, average: {average}, {channels} channels"),
        recording: recording.into(),
        uploads,
        outputs,
        times: 3,
        tolerance: 1e-4,
    }
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use crate::optim::Optimizer::{Adam, Sgd};
    vec![
        scene(Sgd { momentum: 0.9 }, true, [1, 1]),
        scene(Sgd { momentum: 0.0 }, false, [8, 18]),
        scene(Adam { beta1: 0.5, beta2: 0.9 }, true, [5, 3]),
        scene(Adam { beta1: 0.0, beta2: 0.99 }, false, [16, 33]),
    ]
}
