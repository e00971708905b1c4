//! How parameters and state start, computed on the host so that both engines start alike.

use crate::ops::noise;
use crate::program::{DType, Init, Recording, Role, Tensor};

/// The starting words of every lasting tensor for this seed. A parameter's numbers depend on the seed and its name
/// only, so adding a layer doesn't change how the others start.
pub(super) fn starts(recording: &Recording, seed: u32) -> impl Iterator<Item = (Tensor, Vec<u32>)> + '_ {
    recording.lasting().map(move |t| (t, start(recording, t, seed)))
}

fn start(recording: &Recording, tensor: Tensor, seed: u32) -> Vec<u32> {
    let info = recording.info(tensor);
    let (Role::Parameter(init) | Role::State(init)) = info.role else { return Vec::new() };
    match init {
        Init::Same(other) => start(recording, other, seed),
        Init::Fill(value) if info.dtype == DType::U32 => vec![value as u32; info.shape.len()],
        Init::Fill(value) => vec![value.to_bits(); info.shape.len()],
        Init::Normal(deviation) => noise::normal(seed, stream(&info.name), info.shape.len())
            .iter()
            .map(|v| (v * deviation).to_bits())
            .collect(),
    }
}

/// A stream of random numbers for each name (FNV-1a), apart from the small constants that noise operations use.
fn stream(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) | 0x8000_0000
}
