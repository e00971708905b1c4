//! Multiplications and additions in registers alone, `v = v · a + a` over and over: the rate that a product on the same
//! processor or adapter can't exceed.
//!
//! On the CPU with AVX-512 or AVX2 where the processor has them, like the engine's products.

use crate::error::Result;
use crate::ops::{Adapter, Kernel, Op, shader};
use crate::program::{DType, ProgramId, Recorder, Tensor};

/// On the CPU: so many that the processor never waits for the one before.
const REGISTERS: usize = 12;
/// Values of as many of the largest registers.
const VALUES: usize = 16 * REGISTERS;
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
        for (i, group) in y[0].as_chunks_mut::<VALUES>().0.iter_mut().enumerate() {
            *group = std::array::from_fn(|j| (i * VALUES + j) as f32);
            iterate(group, x[0][0], self.rounds);
        }
    }

    fn kernel(&self, adapter: Adapter) -> Kernel {
        let (entry, per_thread) = match adapter {
            Adapter::Hardware => ("many", 32),
            Adapter::Software | Adapter::SoftwareQuads => ("few", 8),
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

fn iterate(values: &mut [f32; VALUES], a: f32, rounds: u32) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has the feature.
            return values.as_chunks_mut().0.iter_mut().for_each(|v| unsafe { iterate_avx512(v, a, rounds) });
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has both features.
            return values.as_chunks_mut().0.iter_mut().for_each(|v| unsafe { iterate_avx2(v, a, rounds) });
        }
    }
    for _ in 0..rounds {
        for value in values.iter_mut() {
            *value = *value * a + a;
        }
    }
}

/// With registers named one by one: of an array, the compiler may leave some in memory.
#[cfg(target_arch = "x86_64")]
macro_rules! iterate_in_registers {
    ($name:ident, $features:literal, $register:ty, $set:ident, $multiply_add:ident) => {
        #[target_feature(enable = $features)]
        fn $name(values: &mut [f32; size_of::<$register>() / 4 * REGISTERS], a: f32, rounds: u32) {
            use std::arch::x86_64::{$multiply_add, $set};
            // SAFETY: both are as many f32s in a row.
            let registers: [$register; REGISTERS] = unsafe { std::mem::transmute_copy(values) };
            let [mut a0, mut a1, mut a2, mut a3, mut a4, mut a5, mut a6, mut a7, mut a8, mut a9, mut a10, mut a11] =
                registers;
            let a = $set(a);
            for _ in 0..rounds {
                a0 = $multiply_add(a0, a, a);
                a1 = $multiply_add(a1, a, a);
                a2 = $multiply_add(a2, a, a);
                a3 = $multiply_add(a3, a, a);
                a4 = $multiply_add(a4, a, a);
                a5 = $multiply_add(a5, a, a);
                a6 = $multiply_add(a6, a, a);
                a7 = $multiply_add(a7, a, a);
                a8 = $multiply_add(a8, a, a);
                a9 = $multiply_add(a9, a, a);
                a10 = $multiply_add(a10, a, a);
                a11 = $multiply_add(a11, a, a);
            }
            let registers: [$register; REGISTERS] = [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11];
            // SAFETY: as above.
            *values = unsafe { std::mem::transmute_copy(&registers) };
        }
    };
}

#[cfg(target_arch = "x86_64")]
iterate_in_registers!(iterate_avx2, "avx2,fma", std::arch::x86_64::__m256, _mm256_set1_ps, _mm256_fmadd_ps);
#[cfg(target_arch = "x86_64")]
iterate_in_registers!(iterate_avx512, "avx512f", std::arch::x86_64::__m512, _mm512_set1_ps, _mm512_fmadd_ps);

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
