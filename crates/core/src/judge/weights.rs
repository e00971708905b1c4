//! A judge's weights as a file: safetensors, in half precision, with how they were learnt in the header.

use crate::error::{CheckpointFault as Fault, Error, Result};
use crate::program::TensorInfo;
use crate::train::checkpoint::{bad, open};
use crate::train::safetensors::{self, Part, Type};

/// The header's key for how the weights were learnt; it also says what wrote the file, and in which form.
const LESSON: &str = "digit-forge 1 judge";

/// The file of these parameters, named as they are, with their words.
pub(super) fn write(lesson: &str, tensors: &[(&TensorInfo, Vec<u32>)]) -> Vec<u8> {
    let parts: Vec<Part> = tensors
        .iter()
        .map(|(info, words)| Part { name: &info.name, kind: Type::F16, shape: &info.shape.0, words })
        .collect();
    safetensors::write(LESSON, lesson, &parts)
}

/// How the weights were learnt, and the words of these parameters, in their order.
pub(super) fn read(file: &[u8], expected: &[&TensorInfo]) -> Result<(String, Vec<Vec<u32>>)> {
    let file = open(file)?;
    let foreign = || bad(Fault::Foreign, "the file says nothing of a judge in its header");
    let lesson = file.metadata(LESSON).ok_or_else(foreign)?.to_owned();
    let words = |info: &&TensorInfo| -> Result<Vec<u32>, Error> {
        let name = &info.name;
        let tensor = file.tensor(name).ok_or_else(|| bad(Fault::Tensors, format!("`{name}` is missing")))?;
        let fits = tensor.shape == info.shape.0;
        fits.then(|| tensor.words(info.dtype)).flatten().ok_or_else(|| {
            let why = format!("`{name}` is {} {:?} in the file, and {} here", tensor.dtype, tensor.shape, info.shape);
            bad(Fault::Tensors, why)
        })
    };
    Ok((lesson, expected.iter().map(words).collect::<Result<_>>()?))
}
