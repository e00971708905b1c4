//! Spectral normalisation: a weight `W [K, N]` (of a convolution: window and inputs by outputs) divided by its largest
//! singular value, in place, after each step of an optimiser.
//!
//! Miyato et al. 2018 ("Spectral normalization for generative adversarial networks") divide in the forward pass; dividing
//! the weight itself gives the same networks, and a step along the direction that the division takes back is taken back
//! here too (Gouk et al. 2018, "Regularisation of neural networks by enforcing Lipschitz continuity"). The weights can be
//! read as they are. One turn of the power method a step keeps up with weights that move slowly.
//!
//! The weights of a network lie in one memory, and so do their vectors: all are divided by one dispatch, a workgroup each.

use super::marks::cut;
use super::{Adapter, Kernel, Op, Shader, params, shader};
use crate::error::{Error, Result};
use crate::program::{Recorder, Tensor};

/// A weight that stretches no more than this is left as it is.
const TINY: f32 = 1e-12;

#[derive(Clone, Copy, Debug)]
struct Matrix {
    /// Where weight, `u` and `v` start in their memories.
    at: [usize; 3],
    rows: usize,
    columns: usize,
}

#[derive(Clone, Debug)]
struct Spectral {
    /// Those of the weights, of all `u` and of all `v`.
    memories: [Tensor; 3],
    matrices: Vec<Matrix>,
}

params! { matrices: u32 }

impl Recorder {
    /// Divides each weight `[.., N]` by its largest singular value as `u [N]`, a state that starts at random, knows it so far;
    /// `v [K]` is where it keeps the other side's vector. They come as weight, `u` and `v`.
    ///
    /// # Errors
    /// [`crate::Error`] where shapes don't fit.
    pub fn spectral(&mut self, weights: &[[Tensor; 3]]) -> Result<()> {
        let mut all: Vec<Spectral> = Vec::new();
        for tensors in weights {
            let [shape, u, v] = tensors.map(|t| self.shape(t).clone());
            let (rows, columns) = (v.len(), u.len());
            if shape.0.last() != Some(&columns) || rows * columns != shape.len() {
                let why = "the vectors must have a value for each column and each row";
                return Err(Error::Shapes { op: "spectral", left: shape, right: u, why });
            }
            let memories = tensors.map(|t| self.storage(t));
            let matrix = Matrix { at: tensors.map(|t| self.info(t).offset), rows, columns };
            match all.iter_mut().find(|op| op.memories == memories) {
                Some(op) => op.matrices.push(matrix),
                None => all.push(Spectral { memories, matrices: vec![matrix] }),
            }
        }
        all.into_iter().try_for_each(|op| self.push(op).map(|_| ()))
    }
}

fn length(x: &[f32]) -> f32 {
    x.iter().map(|x| x * x).sum::<f32>().sqrt()
}

impl Op for Spectral {
    fn name(&self) -> &'static str {
        "spectral"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![]
    }

    fn writes(&self) -> Vec<Tensor> {
        self.memories.to_vec()
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, _x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let [weights, us, vs] = y else { unreachable!("it writes weights and their vectors") };
        for &Matrix { at, rows, columns } in &self.matrices {
            let w = &mut weights[at[0]..][..rows * columns];
            let (u, v) = (&mut us[at[1]..][..columns], &mut vs[at[2]..][..rows]);
            for (v, w) in v.iter_mut().zip(w.chunks_exact(columns)) {
                *v = w.iter().zip(u.iter()).map(|(w, u)| w * u).sum();
            }
            let v_length = length(v);
            if v_length <= TINY {
                continue;
            }
            u.fill(0.0);
            for (v, w) in v.iter().zip(w.chunks_exact(columns)) {
                u.iter_mut().zip(w).for_each(|(u, w)| *u += w * v);
            }
            u.iter_mut().for_each(|u| *u /= v_length);
            let sigma = length(u);
            u.iter_mut().for_each(|u| *u /= sigma);
            w.iter_mut().for_each(|w| *w /= sigma);
        }
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        let Shader { name, source } = shader!("spectral");
        let (head, _, tail) = cut(&source, "matrices");
        let matrix = |(i, Matrix { at: [w, u, v], rows, columns }): (usize, &Matrix)| {
            format!("if (id.x == {i}u) {{\n    m = Matrix({w}u, {u}u, {v}u, {rows}u, {columns}u);\n    }}\n")
        };
        let matrices: String = self.matrices.iter().enumerate().map(matrix).collect();
        let n = self.matrices.len() as u32;
        Kernel {
            shader: Shader { name, source: [head, &matrices, tail].concat().into() },
            entry: "update",
            constants: vec![("THREADS", if adapter.is_software() { 16.0 } else { 256.0 })],
            params: Params { matrices: n }.bytes(),
            workgroups: [n, 1, 1],
        }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("spectral", Params::layout())
}

/// Weights that are divided so many times.
#[cfg(test)]
fn scene<const N: usize>(shapes: [crate::program::Shape; N], times: u32) -> super::check::Scene {
    use crate::program::{DType, Init};
    let mut r = Recorder::new();
    r.begin("scene");
    let mut state = |name: &str, n: usize| r.state(name, [n], DType::F32, Init::Fill(0.0));
    let columns = shapes.clone().map(|shape| shape.0[shape.rank() - 1]);
    let u = columns.map(|n| state("u", n));
    let v = std::array::from_fn::<_, N, _>(|i| state("v", shapes[i].len() / columns[i]));
    let weights = shapes.clone().map(|shape| r.state("weight", shape, DType::F32, Init::Fill(0.0)));
    for tensors in [weights, u, v] {
        r.arena("side by side", &tensors).unwrap();
    }
    r.spectral(&std::array::from_fn::<_, N, _>(|i| [weights[i], u[i], v[i]])).unwrap();
    let waves = |n: usize, by: f32| (0..n).map(|i| (i as f32 * by).cos().to_bits()).collect::<Vec<u32>>();
    let outputs: Vec<Tensor> = weights.into_iter().chain(u).collect();
    let recording = r.finish(true, &outputs);
    assert_eq!(recording.programs[0].ops.len(), 1, "all in one dispatch");
    let lengths = shapes.iter().map(|shape| (shape.len(), 0.7)).chain(columns.map(|n| (n, 1.3)));
    super::check::Scene {
        name: format!("spectral {shapes:?}, {times} times"),
        uploads: outputs.iter().zip(lengths).map(|(&t, (n, by))| (t, waves(n, by))).collect(),
        recording: recording.into(),
        outputs,
        times,
        tolerance: 1e-5,
    }
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    vec![
        scene([[37, 11].into()], 3),
        scene([[3, 3, 2, 5].into()], 2),
        scene([[300, 1].into(), [4, 4, 1, 8].into(), [5, 7].into()], 3),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::check::floats;
    use super::*;

    /// The most that `w [.., n]` stretches a vector: the power method until it rests.
    fn stretch(w: &[f64], n: usize) -> f64 {
        let mut u = vec![1.0; n];
        let mut sigma = 0.0;
        for _ in 0..2000 {
            let v: Vec<f64> = w.chunks(n).map(|row| row.iter().zip(&u).map(|(w, u)| w * u).sum()).collect();
            let t: Vec<f64> = (0..n).map(|j| w.chunks(n).zip(&v).map(|(row, v)| row[j] * v).sum()).collect();
            let length = t.iter().map(|t| t * t).sum::<f64>().sqrt();
            sigma = length.sqrt();
            u = t.iter().map(|t| t / length).collect();
        }
        sigma
    }

    #[test]
    fn the_largest_stretch_becomes_one() {
        for shape in [[37, 11], [300, 1], [8, 40]] {
            let scene = scene([shape.into()], 60);
            let before = floats(&scene.uploads[0].1);
            let after = floats(&scene.on_cpu()[0]);
            let sigma = stretch(&before, shape[1]);
            assert!((stretch(&after, shape[1]) - 1.0).abs() < 1e-3, "{shape:?}");
            // It stays the same matrix but for the factor.
            assert!(before.iter().zip(&after).all(|(b, a)| (b / sigma - a).abs() < 1e-3), "{shape:?}");
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        let mut scene = scene([[4, 3].into()], 2);
        scene.uploads[0].1.fill(0);
        let [weight, u] = &scene.on_cpu()[..] else { panic!("two outputs") };
        assert!(weight.iter().all(|&word| word == 0));
        assert_eq!(*u, scene.uploads[1].1, "it is still known where to look");
    }

    #[test]
    fn refuses_vectors_of_another_length() {
        use crate::program::{DType, Init};
        let mut r = Recorder::new();
        r.begin("test");
        let mut state = |shape: Vec<usize>| r.state("s", crate::program::Shape(shape), DType::F32, Init::Fill(0.0));
        let (w, u, v, short) = (state(vec![4, 3]), state(vec![3]), state(vec![4]), state(vec![2]));
        assert!(r.spectral(&[[w, u, v]]).is_ok());
        assert!(matches!(r.spectral(&[[w, short, v]]), Err(Error::Shapes { op: "spectral", .. })));
        assert!(matches!(r.spectral(&[[w, u, short]]), Err(Error::Shapes { op: "spectral", .. })));
    }
}
