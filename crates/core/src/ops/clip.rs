//! Clips a weight to `[-bound, bound]`, in place (the constraint of Arjovsky et al. 2017, "Wasserstein GAN").

use super::{Adapter, Kernel, Op, groups, params, shader};
use crate::error::Result;
use crate::program::{Recorder, Tensor};

#[derive(Clone, Copy, Debug)]
struct Clip {
    weight: Tensor,
    n: usize,
    bound: f32,
}

params! { n: u32, bound: f32 }

impl Recorder {
    /// Moves each value of `weight` that is further than `bound` from 0 back to it.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn clip(&mut self, weight: Tensor, bound: f32) -> Result<()> {
        let n = self.shape(weight).len();
        self.push(Clip { weight, n, bound }).map(|_| ())
    }
}

impl Op for Clip {
    fn name(&self) -> &'static str {
        "clip"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.weight]
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, _x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        let bound = self.bound;
        for w in y[0].iter_mut() {
            // Not `clamp`, which brings the printing of floats into what the page fetches; nor `max`, which hides NaN.
            *w = if *w > bound { bound } else { *w };
            *w = if *w < -bound { -bound } else { *w };
        }
    }

    fn kernel(&self, _adapter: Adapter) -> Kernel {
        let params = Params { n: self.n as u32, bound: self.bound }.bytes();
        let workgroups = groups(self.n);
        Kernel { shader: shader!("clip"), entry: "update", constants: vec![], params, workgroups }
    }
}

#[cfg(test)]
pub(super) fn layout() -> (&'static str, super::check::Layout) {
    ("clip", Params::layout())
}

#[cfg(test)]
pub(super) fn scenes() -> Vec<super::check::Scene> {
    use crate::program::{DType, Init};
    let scene = |n: u32, bound: f32| {
        let mut r = Recorder::new();
        r.begin("scene");
        let weight = r.state("weight", [n as usize], DType::F32, Init::Fill(0.0));
        r.clip(weight, bound).unwrap();
        super::check::Scene {
            name: format!("clip {n} to {bound}"),
            recording: r.finish(true, &[weight]).into(),
            uploads: vec![(weight, (0..n).map(|i| (i as f32 * 0.7).sin().to_bits()).collect())],
            outputs: vec![weight],
            times: 2,
            tolerance: 0.0,
        }
    };
    vec![scene(1003, 0.3), scene(5, 2.0)]
}

#[cfg(test)]
mod tests {
    use super::super::check::floats;

    #[test]
    fn nothing_is_left_outside_and_nothing_inside_moves() {
        for (scene, bound) in super::scenes().iter().zip([0.3, 2.0]) {
            let clipped = floats(&scene.on_cpu()[0]);
            for (i, got) in clipped.iter().enumerate() {
                let expected = (i as f32 * 0.7).sin().max(-bound).min(bound);
                assert_eq!(*got, f64::from(expected), "value {i}");
            }
        }
    }
}
