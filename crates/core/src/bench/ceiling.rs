//! Multiplications and additions in registers alone, `v = v · a + a` over and over: the rate that a product on the same
//! processor or adapter can't exceed.
//!
//! On the CPU with AVX2 and FMA where the processor has them, like the engine's products; never with AVX-512.

use crate::error::Result;
use crate::ops::{Adapter, Kernel, Op, shader};
use crate::program::{DType, ProgramId, Recorder, Tensor};

/// Values of a group: 12 registers of 8 on the CPU, so that the processor never waits for the one before.
const REGISTERS: usize = 12;
const LANES: usize = 8;
/// Both the GPU's and the CPU's way take whole groups.
const GROUP: usize = 32 * REGISTERS;

#[derive(Clone, Copy, Debug)]
struct Ceiling {
    a: Tensor,
    y: Tensor,
    values: usize,
    rounds: u32,
    fused: bool,
}

/// Records it for at least so many values, each with so many rounds of one multiplication and one addition. `fused`
/// asks a GPU for its `fma`.
pub(super) fn record(r: &mut Recorder, values: usize, rounds: u32, fused: bool) -> Result<(ProgramId, Tensor)> {
    let values = values.max(1).next_multiple_of(GROUP);
    let a = r.constant([1], 0.5);
    let program = r.begin("ceiling");
    let y = r.result("ceiling", [values], DType::F32);
    r.push(Ceiling { a, y, values, rounds, fused }).map(|y| (program, y))
}

impl Op for Ceiling {
    fn name(&self) -> &'static str {
        "ceiling"
    }

    fn reads(&self) -> Vec<Tensor> {
        vec![self.a]
    }

    fn writes(&self) -> Vec<Tensor> {
        vec![self.y]
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn run(&self, x: &[&[f32]], y: &mut [&mut [f32]], _scratch: &mut [f32]) {
        for (i, group) in y[0].chunks_exact_mut(REGISTERS * LANES).enumerate() {
            let mut values = [[0.0; LANES]; REGISTERS];
            for (j, value) in values.as_flattened_mut().iter_mut().enumerate() {
                *value = (i * REGISTERS * LANES + j) as f32;
            }
            group.copy_from_slice(iterate(values, x[0][0], self.rounds).as_flattened());
        }
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        let (entry, per_thread) = match adapter {
            Adapter::Hardware => ("many", 32),
            Adapter::Software => ("few", 8),
        };
        Kernel {
            shader: shader!("ceiling"),
            entry,
            constants: vec![("ROUNDS", f64::from(self.rounds)), ("FUSED", f64::from(u8::from(self.fused)))],
            params: Vec::new(),
            workgroups: [self.values.div_ceil(64 * per_thread) as u32, 1, 1],
        }
    }

    fn flops(&self) -> u64 {
        2 * self.values as u64 * u64::from(self.rounds)
    }
}

type Values = [[f32; LANES]; REGISTERS];

fn iterate(values: Values, a: f32, rounds: u32) -> Values {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has both features.
        return unsafe { iterate_avx2(values, a, rounds) };
    }
    loops(values, a, rounds)
}

/// With registers named one by one: of an array, the compiler may leave some in memory.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn iterate_avx2(values: Values, a: f32, rounds: u32) -> Values {
    use std::arch::x86_64::{__m256, _mm256_fmadd_ps, _mm256_set1_ps};
    // SAFETY: both are as many f32s in a row.
    let registers = unsafe { std::mem::transmute::<Values, [__m256; REGISTERS]>(values) };
    let [mut a0, mut a1, mut a2, mut a3, mut a4, mut a5, mut a6, mut a7, mut a8, mut a9, mut a10, mut a11] = registers;
    let a = _mm256_set1_ps(a);
    for _ in 0..rounds {
        a0 = _mm256_fmadd_ps(a0, a, a);
        a1 = _mm256_fmadd_ps(a1, a, a);
        a2 = _mm256_fmadd_ps(a2, a, a);
        a3 = _mm256_fmadd_ps(a3, a, a);
        a4 = _mm256_fmadd_ps(a4, a, a);
        a5 = _mm256_fmadd_ps(a5, a, a);
        a6 = _mm256_fmadd_ps(a6, a, a);
        a7 = _mm256_fmadd_ps(a7, a, a);
        a8 = _mm256_fmadd_ps(a8, a, a);
        a9 = _mm256_fmadd_ps(a9, a, a);
        a10 = _mm256_fmadd_ps(a10, a, a);
        a11 = _mm256_fmadd_ps(a11, a, a);
    }
    let registers = [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11];
    // SAFETY: as above.
    unsafe { std::mem::transmute::<[__m256; REGISTERS], Values>(registers) }
}

fn loops(mut values: Values, a: f32, rounds: u32) -> Values {
    for _ in 0..rounds {
        for value in values.as_flattened_mut() {
            *value = *value * a + a;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::super::Workload;
    use super::GROUP;
    use crate::engine::cpu::CpuEngine;
    use crate::engine::gpu::{GpuEngine, test_context};
    use crate::engine::{Engine, block_on};
    use crate::ops::Adapter;

    /// What three rounds leave of each index.
    fn holds(work: &Workload, engine: &mut dyn Engine) {
        engine.run(&work.programs, 1).unwrap();
        let y = work.recording.programs[0].ops[0].writes()[0];
        let got = block_on(engine.download(y)).unwrap();
        assert_eq!(got.len(), GROUP);
        for (i, word) in got.into_iter().enumerate() {
            assert_eq!(f32::from_bits(word), i as f32 / 8.0 + 0.875, "value {i}");
        }
    }

    #[test]
    fn each_value_takes_every_round() {
        let work = Workload::ceiling(1, 3, true).unwrap();
        assert_eq!(work.flops(), 2 * 3 * GROUP as u64);
        holds(&work, &mut CpuEngine::new(&work.recording, 1));
        let Some(context) = test_context() else { return };
        for kind in [Adapter::Hardware, Adapter::Software] {
            for fused in [false, true] {
                let work = Workload::ceiling(1, 3, fused).unwrap();
                let context = context.clone().assume(kind);
                holds(&work, &mut block_on(GpuEngine::new(context, &work.recording, 1)).unwrap());
            }
        }
    }
}
