//! Convolutions and their gradients against the numbers of an implementation that isn't ours: `numbers.txt`, which
//! scripts/conv-numbers.py has JAX compute. They are whole, so ours must equal them.

use crate::ops::check::{Scene, floats};
use crate::program::{DType, Recorder, Shape};
use std::rc::Rc;

/// A tensor of the file.
struct Given {
    shape: Shape,
    values: Vec<f64>,
}

/// One convolution of the file: x, w, y, dy, dx, dw.
struct Case {
    transposed: bool,
    stride: usize,
    pad: usize,
    tensors: [Given; 6],
}

fn cases() -> Vec<Case> {
    let mut blocks = include_str!("numbers.txt").split("\n\n");
    assert!(blocks.next().unwrap().starts_with("JAX"));
    blocks.map(case).collect()
}

fn case(block: &str) -> Case {
    let (title, tensors) = block.split_once('\n').unwrap();
    let [name, stride, pad] = title.split(", ").collect::<Vec<_>>()[..] else { panic!("{title}") };
    let number = |text: &str| text.split_once(' ').unwrap().1.parse().unwrap();
    let mut lines = tensors.lines();
    let tensors = ["x", "w", "y", "dy", "dx", "dw"].map(|key| given(key, lines.next().unwrap()));
    assert!(lines.next().is_none() && ["conv", "transposed"].contains(&name));
    Case { transposed: name == "transposed", stride: number(stride), pad: number(pad), tensors }
}

/// `key [extents] values`
fn given(key: &str, line: &str) -> Given {
    let (shape, values) = line.strip_prefix(&format!("{key} [")).unwrap().split_once("] ").unwrap();
    Given {
        shape: Shape(shape.split(',').map(|n| n.parse().unwrap()).collect()),
        values: values.split(' ').map(|n| n.parse().unwrap()).collect(),
    }
}

#[test]
fn values_and_gradients_are_those_of_jax() {
    let cases = cases();
    assert_eq!(cases.len(), 12);
    for Case { transposed, stride, pad, tensors: [x, w, y, dy, dx, dw] } in cases {
        for fused in [false, true] {
            let mut r = Recorder::new();
            r.begin("case");
            let mut uploads = Vec::new();
            let inputs = [&x, &w, &dy].map(|given| {
                let tensor = r.input("given", given.shape.clone(), DType::F32);
                uploads.push((tensor, given.values.iter().map(|&v| (v as f32).to_bits()).collect()));
                tensor
            });
            let [x, w, weights] = inputs;
            let result = if transposed { r.conv_transpose(x, w, stride, pad) } else { r.conv(x, w, stride, pad) };
            let result = result.unwrap();
            // The gradient of Σ y · dy is what dy gives pulled back.
            let weighted = r.mul(result, weights).unwrap();
            let sum = r.sum_to(weighted, [1]).unwrap();
            let gradients = r.gradients(sum, &[x, w]).unwrap();
            let outputs = vec![result, gradients[0], gradients[1]];
            let name = format!("transposed: {transposed}, {:?}, stride {stride}, fused: {fused}", r.shape(w));
            assert_eq!(r.shape(result), &y.shape, "{name}");
            let recording = Rc::new(r.finish(fused, &outputs));
            let scene = Scene { name, recording, uploads, outputs, times: 1, tolerance: 0.0 };
            for ((got, expected), what) in scene.on_cpu().iter().zip([&y, &dx, &dw]).zip(["y", "dx", "dw"]) {
                assert_eq!(floats(got), expected.values, "{what} of {}", scene.name);
            }
        }
    }
}
