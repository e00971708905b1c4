//! What the benches time beside whole steps: bare matrix products, the products of a step without the rest, and the
//! ceiling of all products.

mod ceiling;

use crate::data::MNIST_IMAGES;
use crate::error::Result;
use crate::models::gan::Gan;
use crate::ops::Op;
use crate::ops::product::Orientation;
use crate::program::{DType, Program, ProgramId, Recorder, Recording};
use crate::train::settings::Settings;
use std::rc::Rc;

/// A recording and the programs of it that are replayed and timed.
pub struct Workload {
    /// For an engine.
    pub recording: Rc<Recording>,
    /// To be replayed in this order.
    pub programs: Vec<ProgramId>,
}

impl Workload {
    /// One product of extents `[m, k, n]`, whose operands the host may fill.
    ///
    /// # Errors
    /// [`crate::Error`] where the extents make no product.
    pub fn product([m, k, n]: [usize; 3], how: Orientation) -> Result<Self> {
        let mut r = Recorder::new();
        let a = if how == Orientation::TransposedA { [k, m] } else { [m, k] };
        let b = if how == Orientation::TransposedB { [n, k] } else { [k, n] };
        let (a, b) = (r.input("a", a, DType::F32), r.input("b", b, DType::F32));
        let program = r.begin("product");
        let y = r.product(a, b, how)?;
        Ok(Workload { recording: Rc::new(r.finish(true, &[y])), programs: vec![program] })
    }

    /// The products and convolutions of one training step with these settings, and nothing else of it.
    ///
    /// # Errors
    /// [`crate::Error`] where the settings give shapes that don't fit.
    pub fn bare_products(settings: &Settings) -> Result<Self> {
        let gan = Gan::record(settings, MNIST_IMAGES, false)?;
        let recording = gan.recording.keep(|op| op.flops() > 0);
        Ok(Workload { recording: Rc::new(recording), programs: gan.schedule(settings.d_steps as usize) })
    }

    /// Each operation of one training step with these settings, as an engine runs it, alone: its program's name, its own
    /// with the shape of what it writes last, and what repeats it. In order; programs that a step runs more than once are there once.
    ///
    /// # Errors
    /// [`crate::Error`] where the settings give shapes that don't fit.
    pub fn operations(settings: &Settings) -> Result<Vec<([String; 2], Self)>> {
        let gan = Gan::record(settings, MNIST_IMAGES, true)?;
        let alone = |program: ProgramId| {
            let Program { name, ops } = &gan.recording.programs[program.0];
            let alone = |op: &Rc<dyn Op>| {
                let recording = gan.recording.keep(|other| std::ptr::addr_eq(other, Rc::as_ptr(op)));
                let work = Workload { recording: Rc::new(recording), programs: vec![program] };
                let last = op.parts().and_then(<[_]>::last).unwrap_or(op);
                let shape = &gan.recording.info(last.writes()[0]).shape;
                ([name.clone(), format!("{} {shape}", op.name())], work)
            };
            ops.iter().map(alone).collect::<Vec<_>>()
        };
        Ok(gan.schedule(1).into_iter().flat_map(alone).collect())
    }

    /// Multiplications and additions in registers alone, which no product can outrun: `rounds` of each on at least so
    /// many values at a time. With `fused` a GPU is asked for its `fma`; which is faster depends on the driver.
    ///
    /// # Errors
    /// [`crate::Error`] where the rules of [`crate::program`] are broken.
    pub fn ceiling(values: usize, rounds: u32, fused: bool) -> Result<Self> {
        let mut r = Recorder::new();
        let (program, y) = ceiling::record(&mut r, values, rounds, fused)?;
        Ok(Workload { recording: Rc::new(r.finish(true, &[y])), programs: vec![program] })
    }

    /// Floating-point operations of one replay.
    pub fn flops(&self) -> u64 {
        let ops = self.programs.iter().flat_map(|p| &self.recording.programs[p.0].ops);
        ops.map(|op| op.flops()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::CpuEngine;
    use crate::engine::{Engine, block_on};
    use crate::train::settings::resolve;

    #[test]
    fn a_product_has_its_flops_and_its_value() {
        for how in [Orientation::Plain, Orientation::TransposedA, Orientation::TransposedB] {
            let work = Workload::product([2, 3, 4], how).unwrap();
            assert_eq!(work.flops(), 48);
            let mut engine = CpuEngine::new(&work.recording, 1);
            let op = &work.recording.programs[0].ops[0];
            let (reads, y) = (op.reads(), op.writes()[0]);
            engine.upload(reads[0], 0, &[2f32.to_bits(); 6]).unwrap();
            engine.upload(reads[1], 0, &[5f32.to_bits(); 12]).unwrap();
            engine.run(&work.programs, 2).unwrap();
            assert_eq!(block_on(engine.download(y)).unwrap(), [30f32.to_bits(); 8]);
        }
    }

    #[test]
    fn each_operation_of_a_step_is_there_alone() {
        for (text, count) in [("network=mlp&condition=none&average=0", 17), ("", 9), ("dSteps=3", 9)] {
            let works = Workload::operations(&resolve(text).unwrap().settings).unwrap();
            assert_eq!(works.len(), count, "{text}");
            for ([program, name], work) in works {
                let ops = &work.recording.programs[work.programs[0].0].ops;
                assert!(ops.len() == 1 && name.starts_with(ops[0].name()), "{text}: {program}, {name}");
            }
        }
    }

    #[test]
    fn the_bare_products_of_a_step_are_what_performance_is_measured_by() {
        let flops = |text: &str| Workload::bare_products(&resolve(text).unwrap().settings).unwrap().flops();
        let mlp = "network=mlp&gWidths=256,512&dWidths=512,256&noise=100&batch=64&condition=none";
        // G forward, D forward on both, its weights' gradients and one inner gradient; D forward on fakes, inner
        // gradients through D and G, G's weights' gradients.
        let (g, d) = ([100 * 256, 256 * 512, 512 * 784], [784 * 512, 512 * 256, 256]);
        let sum = |parts: &[usize]| parts.iter().sum::<usize>();
        let forward_g = 64 * sum(&g);
        let train_d = 128 * (2 * sum(&d) + sum(&d[1..]));
        let train_g = 64 * (2 * sum(&d) + sum(&g) + sum(&g[1..]));
        assert_eq!(flops(mlp), 2 * (forward_g + train_d + train_g) as u64);
        // `quick`: G's dense layer and two transposed convolutions; D's two convolutions and its head; each once for 16
        // images forward, for inner gradients and for weights, as above.
        let g = [74 * 784, 7 * 7 * 16 * 4 * 4 * 8, 14 * 14 * 8 * 4 * 4];
        let d = [14 * 14 * 8 * 4 * 4, 7 * 7 * 16 * 4 * 4 * 8, 784 * 11];
        let train_d = 32 * (2 * sum(&d) + sum(&d[1..]));
        let train_g = 16 * (2 * sum(&d) + sum(&g) + sum(&g[1..]));
        assert_eq!(flops(""), 2 * (16 * sum(&g) + train_d + train_g) as u64);
    }
}
