//! A network's update in one dispatch: the gradients of all its weights and biases, the optimiser and the moving average.
//! A group of `conv_weights`, `product` and `sum`, of `adam` or `sgd`, and of `average`.
//!
//! The inner index of a weight's gradient is the batch (or its pixels), so a workgroup owns whole tiles of it: the sum is
//! complete, without atomics, where the optimiser needs it, and no gradient is stored.
//!
//! Where somebody must see all gradients before a weight may follow, as those who shorten them do, it is two: one that only
//! stores them, and one whose gradient is what was stored, times a factor.

mod job;
mod shader;

use super::adam::AdamUpdate;
use super::average::Average;
use super::sgd::Sgd;
use super::tick::Lane;
use super::{Adapter, Kernel, Op, Shader, file, params, shader};
use crate::program::{Recorder, Tensor, distinct};
use job::{Job, threads};
use std::any::Any;
use std::rc::Rc;

/// What WebGPU promises a shader in storage buffers.
const MOST_BINDINGS: usize = 8;

#[derive(Clone, Copy, Debug)]
enum Rule {
    Adam(AdamUpdate),
    Sgd(Sgd),
    /// Gradients are stored in this stretch.
    Store(Tensor),
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
    weight_decay: f32, weight: u32, first: u32, second: u32, average: u32, average_lane: u32, average_decay: f32,
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
            Rule::Store(gradients) => *gradients,
        }
    }

    /// The tensors side by side that it takes a gradient from each, or the one that it takes.
    fn gradients(&self, r: &Recorder) -> Vec<Tensor> {
        match r.members(self.gradient()) {
            [] => vec![self.gradient()],
            members => members.to_vec(),
        }
    }

    fn clock_and_dials(&self) -> (Option<Tensor>, Option<Tensor>) {
        match self {
            Rule::Adam(adam) => (Some(adam.clock), Some(adam.dials)),
            Rule::Sgd(sgd) => (None, Some(sgd.dials)),
            Rule::Store(_) => (None, None),
        }
    }

    /// The weights and what is kept beside them; or where gradients are stored.
    fn state(&self) -> Vec<Tensor> {
        match self {
            Rule::Adam(adam) => vec![adam.weight, adam.m, adam.v],
            Rule::Sgd(sgd) => vec![sgd.weight, sgd.velocity],
            Rule::Store(gradients) => vec![*gradients],
        }
    }
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
        // Of each gradient, the operation that computes it.
        let written = |rule: &Rule, before: usize| {
            let job = |gradient: &Tensor| {
                let at = ops[..before].iter().rposition(|op| op.writes().contains(gradient))?;
                Some((at, Job::of(&ops[at])?))
            };
            let written: Option<Vec<_>> = rule.gradients(r).iter().map(job).collect();
            written.map(|written| written.into_iter().unzip::<_, _, Vec<usize>, Vec<Job>>())
        };
        let group = |at: Vec<usize>, jobs, rule, follow| {
            let parts = at.iter().map(|&i| Rc::clone(&ops[i])).collect();
            movable(&at).then_some((Update { parts, jobs, rule, follow, places: None }, at))
        };
        let learns = ops.iter().enumerate().find_map(|(at_rule, op)| {
            let rule = Rule::of(op)?;
            let state = rule.state();
            let together = state.iter().all(|&t| r.storage(t) == r.storage(state[0]));
            if !together || !rule.gradients(r).iter().all(|&gradient| alone(gradient, op)) {
                return None;
            }
            let (mut at, jobs) = written(&rule, at_rule)?;
            at.push(at_rule);
            let follow = ops.iter().enumerate().skip(at_rule).find_map(|(i, op)| {
                let average: Average = cast(op)?;
                (average.weight == state[0]).then_some((i, average))
            });
            // Both find the clock in one place; gradient descent has none of its own.
            let clock = rule.clock_and_dials().0;
            let follow = follow.filter(|(_, average)| clock.is_none_or(|clock| clock == average.clock));
            at.extend(follow.map(|(i, _)| i));
            group(at, jobs, rule, follow.map(|(_, f)| f))
        });
        let stores = || {
            r.stretches().filter(|&stretch| r.members(stretch).len() > 1).find_map(|stretch| {
                let rule = Rule::Store(stretch);
                let (at, jobs) = written(&rule, ops.len())?;
                group(at, jobs, rule, None)
            })
        };
        learns.or_else(stores)
    }

    /// The activations and gradients that it sums over.
    pub fn operands(&self) -> Vec<Tensor> {
        self.jobs.iter().flat_map(|job| job.x.into_iter().chain([job.dy])).collect()
    }

    /// With the places of its tensors, if few enough memories hold them.
    pub fn placed(&self, r: &Recorder) -> Option<Self> {
        let memories = distinct(self.operands().into_iter().map(|t| r.storage(t)));
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
        let start = r.info(self.rule.gradient()).offset;
        let jobs = self
            .jobs
            .iter()
            .zip(self.rule.gradients(r))
            .map(|(job, member)| ([job.x.unwrap_or(job.dy), job.dy].map(place), r.info(member).offset - start));
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
}

impl Op for Update {
    fn name(&self) -> &'static str {
        "update"
    }

    fn reads(&self) -> Vec<Tensor> {
        let (clock, dials) = self.rule.clock_and_dials();
        // Gradient descent without an average needs no clock: any tensor stands in its place, unread.
        let clock = clock.or(self.follow.map(|f| f.clock)).or(dials);
        self.places().memories.iter().copied().chain(clock).chain(dials).collect()
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

    fn parts(&self) -> Option<&[Rc<dyn Op>]> {
        Some(&self.parts)
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        let Places { stretches: [weight, first, second], averages, .. } = self.places().clone();
        let (lane, dial, [decay1, decay2], [ln_decay1, ln_decay2], [epsilon, weight_decay]) = match &self.rule {
            Rule::Adam(op) => {
                (op.lane, op.dial, [op.adam.beta1, op.adam.beta2], op.ln_betas(), [op.adam.epsilon, op.adam.decay])
            }
            Rule::Sgd(op) => (Lane::Draws, op.dial, [op.momentum, 0.0], [0.0; 2], [0.0; 2]),
            Rule::Store(_) => (Lane::Draws, 0, [0.0; 2], [0.0; 2], [0.0; 2]),
        };
        let params = Params {
            optimizer_lane: lane as u32,
            dial: dial as u32,
            decay1,
            decay2,
            ln_decay1,
            ln_decay2,
            epsilon,
            weight_decay,
            weight: weight as u32,
            first: first as u32,
            second: second as u32,
            average: averages.map_or(0, |(_, start)| start as u32),
            average_lane: self.follow.map_or(0, |f| f.lane as u32),
            average_decay: self.follow.map_or(0.0, |f| f.decay),
        };
        let Shader { name, source } = shader!("update", "optimizers");
        let (source, groups) = shader::write(self, adapter, &source, [file!("subgroups"), file!("update_quads")]);
        let optimizer = if let Rule::Adam(_) = self.rule { 0.0 } else { 1.0 };
        // Two axes, since one dimension is limited to 65,535 workgroups.
        let x = groups.min(32_768);
        Kernel {
            shader: Shader { name, source: source.into() },
            entry: "update",
            constants: vec![("OPTIMIZER", optimizer), ("THREADS", threads(&self.jobs, adapter) as f64)],
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
fn scene(
    optimizer: crate::optim::Optimizer,
    average: bool,
    longest: f32,
    [batch, channels, outputs]: [usize; 3],
) -> super::check::Scene {
    use super::tick::LANES;
    use crate::optim::{Pace, follow};
    use crate::program::{DType, Init};
    let mut r = Recorder::new();
    r.begin("scene");
    let clock = r.state("clock", [LANES], DType::U32, Init::Fill(0.0));
    let dials = r.input("dials", [8], DType::F32);
    let pace = Pace { clock, lane: Lane::Generator, dials, rate: 1, longest };
    let x = r.input("x", [batch, 6, 7, 3], DType::F32);
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
    let y = r.reshape(y, [batch, height * width * channels]).unwrap();
    let y = r.product(y, dense, super::product::Orientation::Plain).unwrap();
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
    let expected = if longest == 0.0 { 1 } else { 2 };
    assert_eq!(updates, expected, "gradients, optimiser and averages are one dispatch, unless gradients are shortened");
    assert!(
        !recording.programs[0].ops.iter().any(|op| ["sum", "conv_weights", "adam", "average"].contains(&op.name()))
    );
    let random = |n: usize| (0..n as u32).map(|i| (i as f32 * 0.7).sin().to_bits()).collect::<Vec<u32>>();
    let starts = |&t: &Tensor| (t, random(recording.info(t).shape.len()));
    let mut uploads: Vec<(Tensor, Vec<u32>)> = outputs.iter().map(starts).collect();
    // Slow enough that learning doesn't amplify what rounding leaves.
    let rate = if let crate::optim::Optimizer::Sgd { .. } = optimizer { 1e-5f32 } else { 1e-3 };
    uploads.extend([(x, random(batch * 6 * 7 * 3)), (dials, vec![rate.to_bits(); 8]), (clock, vec![0; LANES])]);
    super::check::Scene {
        name: format!(
            "update by {optimizer:?}, average: {average}, at most {longest}, {batch} images, {channels} channels"
        ),
        recording: recording.into(),
        uploads,
        outputs,
        times: 3,
        tolerance: 1e-4,
    }
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use crate::ops::adam::Adam;
    use crate::optim::Optimizer::{self, Sgd};
    vec![
        scene(Sgd { momentum: 0.9 }, true, 0.0, [5, 1, 1]),
        scene(Sgd { momentum: 0.0 }, false, 0.0, [5, 8, 18]),
        scene(Optimizer::Adam(Adam::new(0.5, 0.9)), true, 0.0, [5, 5, 3]),
        scene(Optimizer::Adam(Adam { decay: 0.5, ..Adam::new(0.0, 0.99) }), false, 0.0, [5, 16, 33]),
        // Long sums, which a GPU's threads share.
        scene(Optimizer::Adam(Adam::new(0.5, 0.9)), false, 0.0, [230, 8, 4]),
        scene(Sgd { momentum: 0.9 }, false, 0.5, [5, 5, 3]),
        scene(Optimizer::Adam(Adam::new(0.5, 0.9)), true, 0.5, [460, 8, 5]),
        // Dense layers large enough for quads, with small and with large tiles that don't fit.
        scene(Optimizer::Adam(Adam::new(0.5, 0.9)), true, 0.0, [12, 16, 68]),
        scene(Sgd { momentum: 0.9 }, false, 0.0, [128, 16, 260]),
    ]
}
