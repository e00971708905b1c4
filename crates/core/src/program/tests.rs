//! The rules of recording, of the tape and of the fusion.

use super::*;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, block_on};
use crate::ops::activation::Activation;
use crate::ops::parts;
use crate::ops::product::Orientation;
use crate::ops::tick::{LANES, Lane};
use crate::optim::{Optimizer, Pace};

fn values(engine: &mut CpuEngine, tensor: Tensor) -> Vec<f32> {
    block_on(engine.download(tensor)).unwrap().into_iter().map(f32::from_bits).collect()
}

fn words(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// A clock and dials, as an optimiser needs them.
fn pace(r: &mut Recorder) -> Pace {
    let clock = r.state("clock", [LANES], DType::U32, Init::Fill(1.0));
    let dials = r.input("dials", [8], DType::F32);
    Pace { clock, lane: Lane::Generator, dials, rate: 0, longest: 0.0 }
}

#[test]
fn shapes_are_checked_while_recording() {
    let mut r = Recorder::new();
    r.begin("p");
    let a = r.input("a", [2, 3], DType::F32);
    let b = r.input("b", [4, 5], DType::F32);
    let error = r.product(a, b, Orientation::Plain).unwrap_err();
    assert_eq!(error.to_string(), "product: shapes [2, 3] and [4, 5] don't fit: the inner extents must be equal");
    assert!(matches!(r.reshape(a, [7]), Err(Error::Shapes { .. })));
    assert!(matches!(r.concat(a, b, 0), Err(Error::Shapes { .. })));
    assert!(matches!(r.slice(a, 1, 2, 2), Err(Error::Shape { .. })));
}

#[test]
fn gradients_are_of_single_numbers() {
    let mut r = Recorder::new();
    r.begin("p");
    let a = r.input("a", [2, 3], DType::F32);
    let y = r.square(a).unwrap();
    assert!(matches!(r.gradients(y, &[a]), Err(Error::NotScalar { .. })));
}

#[test]
fn what_does_not_matter_has_a_gradient_of_zero() {
    let mut r = Recorder::new();
    r.begin("p");
    let (a, b) = (r.input("a", [3], DType::F32), r.input("b", [2], DType::F32));
    let y = r.square(a).unwrap();
    let y = r.sum_to(y, [1]).unwrap();
    let gradient = r.gradients(y, &[b]).unwrap()[0];
    let recording = Rc::new(r.finish(true, &[gradient]));
    assert_eq!(values(&mut CpuEngine::new(&recording, 0), gradient), [0.0, 0.0]);
}

#[test]
fn a_tensor_used_twice_sums_its_gradients() {
    let mut r = Recorder::new();
    let p = r.begin("p");
    let a = r.input("a", [3], DType::F32);
    let square = r.square(a).unwrap();
    let cube = r.mul(square, a).unwrap();
    let y = r.sum_to(cube, [1]).unwrap();
    let gradient = r.gradients(y, &[a]).unwrap()[0];
    let mut engine = CpuEngine::new(&Rc::new(r.finish(true, &[gradient])), 0);
    engine.upload(a, 0, &words(&[1.0, 2.0, -3.0])).unwrap();
    engine.run(&[p], 1).unwrap();
    assert_eq!(values(&mut engine, gradient), [3.0, 12.0, 27.0]);
}

#[test]
fn a_gradient_through_an_updated_weight_is_refused() {
    let mut r = Recorder::new();
    r.begin("p");
    let pace = pace(&mut r);
    let w = r.parameter("w", [3], Init::Fill(1.0));
    let y = r.square(w).unwrap();
    let loss = r.sum_to(y, [1]).unwrap();
    let gradient = r.gradients(loss, &[w]).unwrap();
    Optimizer::Sgd { momentum: 0.0 }.update(&mut r, &[w], &gradient, pace).unwrap();
    let error = r.gradients(loss, &[w]).unwrap_err();
    assert!(matches!(&error, Error::Stale { tensor, .. } if tensor == "w"), "{error}");
}

#[test]
fn one_update_serves_all_parameters_and_changes_no_value() {
    let train = |shared: bool| {
        let mut r = Recorder::new();
        let p = r.begin("p");
        let pace = pace(&mut r);
        let parameters = [
            r.parameter("a", [3, 7], Init::Normal(1.0)),
            r.parameter("b", [70], Init::Normal(1.0)),
            r.parameter("c", [7, 70], Init::Normal(1.0)),
        ];
        let [a, b, c] = parameters;
        let y = r.product(a, c, Orientation::Plain).unwrap();
        let y = r.add(y, b).unwrap();
        let y = r.square(y).unwrap();
        let loss = r.sum_to(y, [1]).unwrap();
        let gradients = r.gradients(loss, &parameters).unwrap();
        let adam = Optimizer::Adam(crate::ops::adam::Adam::new(0.5, 0.9));
        if shared {
            adam.update(&mut r, &parameters, &gradients, pace).unwrap();
        } else {
            parameters.iter().zip(gradients).for_each(|(&p, g)| adam.update(&mut r, &[p], &[g], pace).unwrap());
        }
        let recording = Rc::new(r.finish(true, &[]));
        let updates = recording.programs[0].ops.iter().flat_map(parts).filter(|op| op.name() == "adam").count();
        let mut engine = CpuEngine::new(&recording, 5);
        engine.upload(pace.dials, 0, &words(&[0.1])).unwrap();
        engine.run(&[p], 3).unwrap();
        let lasting: Vec<Tensor> = recording.lasting().collect();
        (updates, lasting.iter().map(|&t| (recording.info(t).name.clone(), values(&mut engine, t))).collect::<Vec<_>>())
    };
    let ((one, together), (three, apart)) = (train(true), train(false));
    assert_eq!((one, three), (1, 3));
    let named = |all: &[(String, Vec<f32>)], name: &str| all.iter().find(|(n, _)| n == name).unwrap().1.clone();
    for (name, values) in &together {
        assert_eq!(*values, named(&apart, name), "{name}");
    }
}

#[test]
fn long_gradients_are_shortened_all_by_the_same_factor() {
    // Gradients (3, 0) and (4): together 5 long.
    let after = |longest: f32, shared: bool| {
        let mut r = Recorder::new();
        let p = r.begin("p");
        let pace = Pace { longest, ..pace(&mut r) };
        let weights = [r.parameter("a", [2], Init::Fill(1.0)), r.parameter("b", [1], Init::Fill(1.0))];
        let halves = [r.input("ga", [2], DType::F32), r.input("gb", [1], DType::F32)];
        // The host's tensors can't share memory, results can.
        let gradients = halves.map(|half| if shared { r.affine(half, 2.0, 0.0).unwrap() } else { half });
        Optimizer::Sgd { momentum: 0.0 }.update(&mut r, &weights, &gradients, pace).unwrap();
        let recording = Rc::new(r.finish(true, &[]));
        let updates = recording.programs[0].ops.iter().flat_map(parts).filter(|op| op.name() == "sgd").count();
        assert_eq!(updates, if shared { 1 } else { 2 });
        let mut engine = CpuEngine::new(&recording, 0);
        engine.upload(pace.dials, 0, &words(&[1.0])).unwrap();
        let scale = if shared { 0.5 } else { 1.0 };
        engine.upload(halves[0], 0, &words(&[3.0 * scale, 0.0])).unwrap();
        engine.upload(halves[1], 0, &words(&[4.0 * scale])).unwrap();
        engine.run(&[p], 1).unwrap();
        weights.map(|w| values(&mut engine, w)).concat()
    };
    for shared in [true, false] {
        for (longest, expected) in [(0.0, [-2.0, 1.0, -3.0]), (10.0, [-2.0, 1.0, -3.0]), (1.0, [0.4, 1.0, 0.2])] {
            let got = after(longest, shared);
            assert!(got.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6), "{longest}: {got:?}");
        }
    }
}

#[test]
fn tensors_that_cannot_share_memory_are_left_alone() {
    let mut r = Recorder::new();
    r.begin("p");
    let (a, b) = (r.parameter("a", [3], Init::Fill(1.0)), r.parameter("b", [3], Init::Fill(1.0)));
    let host = r.input("host", [3], DType::F32);
    let y = r.square(a).unwrap();
    let view = r.reshape(b, [1, 3]).unwrap();
    assert_eq!(r.arena("with the host's", &[a, host]), None);
    assert_eq!(r.arena("read and written by one operation", &[a, y]), None);
    assert_eq!(r.arena("twice the same", &[a, a]), None);
    assert_eq!(r.arena("a view", &[a, view]), None);
    let arena = r.arena("good", &[a, b]).unwrap();
    assert_eq!(r.arena("asked again", &[a, b]), Some(arena));
    assert_eq!(r.arena("in another order", &[b, a]), None);
    assert_eq!((r.info(view).storage, r.info(view).offset), (r.info(arena).storage, 64));
    assert_eq!(r.shape(arena).len(), 128);
}

#[test]
fn nothing_reads_what_it_writes_and_inputs_are_the_hosts() {
    let mut r = Recorder::new();
    r.begin("p");
    let pace = pace(&mut r);
    let w = r.parameter("w", [3], Init::Fill(1.0));
    let itself = Optimizer::Sgd { momentum: 0.0 }.update(&mut r, &[w], &[w], pace);
    assert!(matches!(itself, Err(Error::Overwrite { .. })));
    let input = r.input("x", [3], DType::F32);
    let update = Optimizer::Sgd { momentum: 0.0 }.update(&mut r, &[input], &[w], pace);
    assert!(matches!(update, Err(Error::Overwrite { .. })));
}

/// Product, bias and activation, with its loss; `peek` also reads the sum before the activation.
fn layer(peek: bool) -> (Recorder, Tensor, Vec<Tensor>) {
    let mut r = Recorder::new();
    r.begin("p");
    let x = r.parameter("x", [4, 3], Init::Normal(1.0));
    let w = r.parameter("w", [3, 5], Init::Normal(1.0));
    let b = r.parameter("b", [5], Init::Normal(1.0));
    let product = r.product(x, w, Orientation::Plain).unwrap();
    let sum = r.add(product, b).unwrap();
    let y = r.activation(sum, Activation::LeakyRelu(0.2)).unwrap();
    let mut loss = r.square(y).unwrap();
    if peek {
        loss = r.mul(loss, sum).unwrap();
    }
    let loss = r.sum_to(loss, [1]).unwrap();
    let gradients = r.gradients(loss, &[x, w, b]).unwrap();
    (r, loss, gradients)
}

#[test]
fn fusion_takes_bias_and_activation_into_the_product_and_changes_no_value() {
    let mut results = Vec::new();
    let mut counts = Vec::new();
    for fused in [false, true] {
        let (r, loss, gradients) = layer(false);
        let keep: Vec<Tensor> = [loss].into_iter().chain(gradients).collect();
        let recording = Rc::new(r.finish(fused, &keep));
        counts.push(recording.programs[0].ops.iter().flat_map(parts).count());
        let mut engine = CpuEngine::new(&recording, 7);
        engine.run(&[ProgramId(0)], 1).unwrap();
        results.push(keep.iter().map(|&t| values(&mut engine, t)).collect::<Vec<_>>());
    }
    assert_eq!(counts[0] - counts[1], 2);
    assert_eq!(results[0], results[1]);
}

#[test]
fn fusion_computes_only_the_columns_that_slices_take() {
    let play = |fused: bool, also_whole: bool| {
        let mut r = Recorder::new();
        let p = r.begin("p");
        let x = r.parameter("x", [6, 10], Init::Normal(1.0));
        let labels = r.parameter("labels", [6, 5], Init::Normal(1.0));
        let w = r.parameter("w", [15, 64], Init::Normal(1.0));
        let y = r.activation(x, Activation::Tanh).unwrap();
        let both = r.concat(y, labels, 1).unwrap();
        let y = r.product(both, w, Orientation::Plain).unwrap();
        let y = r.square(y).unwrap();
        let loss = r.sum_to(y, [1]).unwrap();
        let mut keep = r.gradients(loss, &[x, labels]).unwrap();
        if also_whole {
            keep.extend(r.gradients(loss, &[both]).unwrap());
        }
        let recording = Rc::new(r.finish(fused, &keep));
        let names: Vec<_> = recording.programs[0].ops.iter().flat_map(parts).map(|op| op.name()).collect();
        let mut engine = CpuEngine::new(&recording, 7);
        engine.run(&[p], 1).unwrap();
        (names, keep.iter().map(|&t| values(&mut engine, t)).collect::<Vec<_>>())
    };
    for also_whole in [false, true] {
        let ((plain, expected), (fused, got)) = (play(false, also_whole), play(true, also_whole));
        assert!(plain.contains(&"slice"));
        assert!(!fused.contains(&"slice") && !fused.contains(&"activation_slope"), "{fused:?}");
        for (got, expected) in got.concat().iter().zip(expected.concat()) {
            assert!((got - expected).abs() <= 1e-4 * (1.0 + expected.abs()), "{got}, not {expected}");
        }
    }
}

#[test]
fn fusion_leaves_what_somebody_else_reads() {
    let ops = |fused| {
        let (r, loss, _) = layer(true);
        r.finish(fused, &[loss]).programs[0].ops.iter().flat_map(parts).count()
    };
    // The bias still goes in; the activation can't, since its input is read twice.
    assert_eq!(ops(false) - ops(true), 1);
}

#[test]
fn fusion_takes_an_activations_slope_into_the_gradient_before_it_even_through_a_view() {
    let ops = |fused| {
        let mut r = Recorder::new();
        r.begin("p");
        let x = r.parameter("x", [4, 6], Init::Normal(1.0));
        let w = r.parameter("w", [6, 5], Init::Normal(1.0));
        let y = r.activation(x, Activation::Tanh).unwrap();
        let y = r.reshape(y, [2, 12]).unwrap();
        let y = r.reshape(y, [4, 6]).unwrap();
        let y = r.product(y, w, Orientation::Plain).unwrap();
        let loss = r.sum_to(y, [1]).unwrap();
        let gradient = r.gradients(loss, &[x]).unwrap()[0];
        r.finish(fused, &[gradient]).programs[0].ops.iter().flat_map(parts).map(|op| op.name()).collect::<Vec<_>>()
    };
    assert!(ops(false).contains(&"activation_slope"));
    assert!(!ops(true).contains(&"activation_slope"));
    assert_eq!(ops(false).len() - ops(true).len(), 1);
}

#[test]
fn parameters_start_from_seed_and_name() {
    let start = |name: &str, seed| {
        let mut r = Recorder::new();
        r.begin("p");
        let w = r.parameter(name, [1000], Init::Normal(0.5));
        let twin = r.state("twin", [1000], DType::F32, Init::Same(w));
        let mut engine = CpuEngine::new(&Rc::new(r.finish(true, &[])), seed);
        assert_eq!(values(&mut engine, w), values(&mut engine, twin));
        values(&mut engine, w)
    };
    assert_eq!(start("a", 1), start("a", 1));
    assert_ne!(start("a", 1), start("a", 2));
    assert_ne!(start("a", 1), start("b", 1));
    let w = start("a", 1);
    let mean = w.iter().sum::<f32>() / 1000.0;
    let deviation = (w.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 1000.0).sqrt();
    assert!(mean.abs() < 0.05 && (deviation - 0.5).abs() < 0.05, "{mean} {deviation}");
}

#[test]
fn the_gradient_of_a_squared_input_gradient_norm_matches_finite_differences() {
    // R1's penalty on a small discriminator: |d logits / d x|^2 as a function of the weights.
    let penalty = |shift: Option<(usize, usize, f32)>, want_gradients: bool| {
        let mut r = Recorder::new();
        let p = r.begin("p");
        let x = r.parameter("x", [3, 6, 6, 1], Init::Normal(1.0));
        let parameters = [
            r.parameter("conv", [4, 4, 1, 3], Init::Normal(0.4)),
            r.parameter("bias", [3], Init::Normal(0.4)),
            r.parameter("head", [27, 1], Init::Normal(0.4)),
        ];
        let [conv, bias, head] = parameters;
        let y = r.conv(x, conv, 2, 1).unwrap();
        let y = r.add(y, bias).unwrap();
        let y = r.activation(y, Activation::Tanh).unwrap();
        let y = r.reshape(y, [3, 27]).unwrap();
        let logits = r.product(y, head, Orientation::Plain).unwrap();
        let sum = r.sum_to(logits, [1]).unwrap();
        let slope = r.gradients(sum, &[x]).unwrap()[0];
        let square = r.square(slope).unwrap();
        let norm = r.sum_to(square, [1]).unwrap();
        let gradients = r.gradients(norm, &parameters).unwrap();
        let keep: Vec<Tensor> = [norm].into_iter().chain(gradients.clone()).collect();
        let mut engine = CpuEngine::new(&Rc::new(r.finish(true, &keep)), 3);
        if let Some((which, at, by)) = shift {
            let old = values(&mut engine, parameters[which])[at];
            engine.upload(parameters[which], at, &words(&[old + by])).unwrap();
        }
        engine.run(&[p], 1).unwrap();
        let gradients =
            if want_gradients { gradients.iter().map(|&g| values(&mut engine, g)).collect() } else { vec![] };
        (f64::from(values(&mut engine, norm)[0]), gradients)
    };
    let (norm, gradients) = penalty(None, true);
    assert!(norm > 0.1);
    let mut largest = 0.0f64;
    for (which, gradient) in gradients.iter().enumerate() {
        for (at, &gradient) in gradient.iter().enumerate() {
            let h = 2e-3;
            let difference = (penalty(Some((which, at, h)), false).0 - penalty(Some((which, at, -h)), false).0)
                / (2.0 * f64::from(h));
            assert!(
                (difference - f64::from(gradient)).abs() < 2e-3 * (1.0 + norm),
                "{which}[{at}]: {gradient} {difference}"
            );
            largest = largest.max(f64::from(gradient).abs());
        }
    }
    assert!(largest > 0.1, "the gradient is not trivially zero");
}

#[test]
fn what_goes_on_from_a_recording_reads_earlier_results_where_they_are() {
    let mut r = Recorder::new();
    let p = r.begin("p");
    let x = r.input("x", [4, 2], DType::F32);
    let y = r.affine(x, 2.0, 0.0).unwrap();
    let first = Rc::new(r.finish(true, &[y]));
    let mut engine = CpuEngine::new(&first, 1);
    engine.upload(x, 0, &words(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])).unwrap();

    let mut r = Recorder::after(&first);
    let q = r.begin("q");
    // What would be laid side by side in one program must not be moved by another.
    let z = r.affine(y, 1.0, 1.0).unwrap();
    let both = r.concat(y, z, 0).unwrap();
    let sum = r.sum_to(both, [1]).unwrap();
    let second = Rc::new(r.finish(true, &[sum]));
    engine.extend(&second);
    engine.run(&[p, q], 1).unwrap();
    assert_eq!(values(&mut engine, y), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]);
    assert_eq!(values(&mut engine, sum), [2.0 * 72.0 + 8.0]);
}
