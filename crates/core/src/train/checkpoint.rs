//! Checkpoints as safetensors files: every lasting tensor by its name, and the settings as text in the header.

use super::settings::{self, Resolved};
use crate::error::{Error, Result};
use crate::program::{DType, TensorInfo};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// The header's key for the settings; it also says what wrote the file, and in which form. The only one, since a header
/// of several would come in any order, and equal runs make equal files.
const SETTINGS: &str = "digit-forge 1 settings";

fn dtype(dtype: DType) -> Dtype {
    match dtype {
        DType::F32 => Dtype::F32,
        DType::U32 => Dtype::U32,
    }
}

fn bad(why: impl std::fmt::Display) -> Error {
    Error::Checkpoint(why.to_string())
}

/// The file of these tensors with their words.
pub(super) fn write(settings: &str, tensors: &[(&TensorInfo, Vec<u32>)]) -> Result<Vec<u8>> {
    let views = tensors.iter().map(|(info, words)| {
        let view = TensorView::new(dtype(info.dtype), info.shape.0.clone(), bytemuck::cast_slice(words));
        view.map(|view| (info.name.as_str(), view)).map_err(bad)
    });
    let header = HashMap::from([(SETTINGS.to_owned(), settings.to_owned())]);
    safetensors::serialize(views.collect::<Result<Vec<_>>>()?, Some(header)).map_err(bad)
}

/// The words of these tensors, in their order.
pub(super) fn read(file: &[u8], expected: &[&TensorInfo]) -> Result<Vec<Vec<u32>>> {
    let file = SafeTensors::deserialize(file).map_err(|e| bad(format!("not a readable safetensors file: {e}")))?;
    let words = |info: &&TensorInfo| {
        let name = &info.name;
        let view =
            file.tensor(name).map_err(|_| bad(format!("`{name}` is missing; the settings must be another model's")))?;
        if view.shape() != info.shape.0 || view.dtype() != dtype(info.dtype) {
            return Err(bad(format!(
                "`{name}` is {:?} {:?} in the file, and {:?} {} here",
                view.dtype(),
                view.shape(),
                info.dtype,
                info.shape
            )));
        }
        Ok(view.data().chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    };
    expected.iter().map(words).collect()
}

/// The settings that a checkpoint was written with.
///
/// # Errors
/// [`Error::Checkpoint`] where the file isn't one of ours, or its settings aren't valid here.
pub fn settings_of(file: &[u8]) -> Result<Resolved> {
    let (_, metadata) =
        SafeTensors::read_metadata(file).map_err(|e| bad(format!("not a readable safetensors file: {e}")))?;
    let header = metadata.metadata().clone().unwrap_or_default();
    let text = header.get(SETTINGS).ok_or_else(|| bad("the file has no settings of this program in its header"))?;
    let resolved = settings::resolve(text)?;
    match resolved.errors.first() {
        Some((_, _, error)) => Err(bad(error)),
        None => Ok(resolved),
    }
}
