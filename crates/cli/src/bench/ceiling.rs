//! The workload that shows what the processor or adapter can do at best.

use super::rounds::Turn;
use super::subjects::Bed;
use crate::failure::Result;
use digit_forge_core::bench::Workload;
use digit_forge_core::ops::Adapter;
use std::time::Duration;

/// One replay takes at least this, so that what a dispatch costs doesn't count.
const REPLAY: Duration = Duration::from_millis(4);
/// One replay has at most so many multiplications of each value.
const MOST_ROUNDS: u32 = 1 << 24;

/// The faster of the ways to write it.
pub fn best(bed: &Bed) -> Result<Workload> {
    // Enough for all threads of the largest GPU; for a processor, all registers.
    let values = match bed.gpu() {
        Some(Adapter::Hardware) => 1 << 23,
        Some(Adapter::Software | Adapter::SoftwareQuads) => 1 << 15,
        None => 1,
    };
    let plain = long_enough(bed, values, false)?;
    if bed.gpu().is_none() {
        return Ok(plain.0);
    }
    let fused = long_enough(bed, values, true)?;
    Ok(if fused.1 > plain.1 { fused.0 } else { plain.0 })
}

/// With as many rounds as one replay needs, and its floating-point operations a second.
fn long_enough(bed: &Bed, values: usize, fused: bool) -> Result<(Workload, f64)> {
    let mut rounds = 64;
    loop {
        let work = Workload::ceiling(values, rounds, fused)?;
        let seconds = Turn::new(bed.replays(&work)?, REPLAY)?.seconds();
        if seconds >= REPLAY.as_secs_f64() || rounds >= MOST_ROUNDS {
            let rate = work.flops() as f64 / seconds;
            return Ok((work, rate));
        }
        rounds *= 4;
    }
}
