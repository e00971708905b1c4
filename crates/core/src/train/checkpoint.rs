//! Checkpoints as safetensors files: every lasting tensor by its name, and the settings as text in the header.

use super::settings::{self, Resolved};
use crate::error::{CheckpointFault as Fault, Error, Result};
use crate::models::gan::Gan;
use crate::program::{DType, TensorInfo};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
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

fn bad(fault: Fault, why: impl std::fmt::Display) -> Error {
    Error::Checkpoint { fault, why: why.to_string() }
}

fn unreadable(error: SafeTensorError) -> Error {
    use SafeTensorError::{HeaderTooSmall, InvalidHeaderLength, MetadataIncompleteBuffer};
    match error {
        HeaderTooSmall | InvalidHeaderLength | MetadataIncompleteBuffer => {
            bad(Fault::Truncated, format!("not a whole safetensors file: {error}"))
        }
        _ => bad(Fault::Format, format!("not a readable safetensors file: {error}")),
    }
}

/// The file of these tensors with their words.
pub(super) fn write(settings: &str, tensors: &[(&TensorInfo, Vec<u32>)]) -> Result<Vec<u8>> {
    let bad = |error| bad(Fault::Tensors, error);
    let views = tensors.iter().map(|(info, words)| {
        let view = TensorView::new(dtype(info.dtype), info.shape.0.clone(), bytemuck::cast_slice(words));
        view.map(|view| (info.name.as_str(), view)).map_err(bad)
    });
    let header = HashMap::from([(SETTINGS.to_owned(), settings.to_owned())]);
    safetensors::serialize(views.collect::<Result<Vec<_>>>()?, Some(header)).map_err(bad)
}

/// These tensors as they lie in the file, in their order.
fn views<'f>(file: &'f [u8], expected: &[&TensorInfo]) -> Result<Vec<TensorView<'f>>> {
    let file = SafeTensors::deserialize(file).map_err(unreadable)?;
    let view = |info: &&TensorInfo| {
        let name = &info.name;
        let missing = |_| bad(Fault::Tensors, format!("`{name}` is missing; the settings must be another model's"));
        let view = file.tensor(name).map_err(missing)?;
        if view.shape() != info.shape.0 || view.dtype() != dtype(info.dtype) {
            let (found, shape) = (view.dtype(), view.shape());
            let why = format!("`{name}` is {found:?} {shape:?} in the file, and {:?} {} here", info.dtype, info.shape);
            return Err(bad(Fault::Tensors, why));
        }
        Ok(view)
    };
    expected.iter().map(view).collect()
}

/// The words of these tensors, in their order.
pub(super) fn read(file: &[u8], expected: &[&TensorInfo]) -> Result<Vec<Vec<u32>>> {
    let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let views = views(file, expected)?;
    Ok(views.iter().map(|view| view.data().chunks_exact(4).map(word).collect()).collect())
}

/// The settings that a checkpoint was written with.
///
/// # Errors
/// [`Error::Checkpoint`] where the file isn't one of ours, or its settings aren't valid here.
pub fn settings_of(file: &[u8]) -> Result<Resolved> {
    let (_, metadata) = SafeTensors::read_metadata(file).map_err(unreadable)?;
    let header = metadata.metadata().clone().unwrap_or_default();
    let foreign = || bad(Fault::Foreign, "the file has no settings of this program in its header");
    let resolved = settings::resolve(header.get(SETTINGS).ok_or_else(foreign)?)?;
    match resolved.errors.first() {
        Some((_, _, error)) => Err(bad(Fault::Settings, error)),
        None => Ok(resolved),
    }
}

/// The settings of a checkpoint that can be gone on from: its tensors are those of the model that they describe.
/// What [`Trainer::load`](super::Trainer::load) would find, without an engine, and so without ending a run to find out.
///
/// # Errors
/// [`Error::Checkpoint`] as of [`settings_of`], or naming the tensor that doesn't fit.
pub fn check(file: &[u8]) -> Result<Resolved> {
    let resolved = settings_of(file)?;
    let recording = Gan::record(&resolved.settings, true)?.recording;
    let expected: Vec<&TensorInfo> = recording.lasting().map(|t| recording.info(t)).collect();
    views(file, &expected)?;
    Ok(resolved)
}
