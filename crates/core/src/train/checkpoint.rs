//! Checkpoints as safetensors files: every lasting tensor by its name, and the settings as text in the header.

use super::safetensors::{self, File, Part, Type, View};
use super::settings::{self, Resolved};
use crate::data::MNIST_IMAGES;
use crate::error::{CheckpointFault as Fault, Error, Result};
use crate::models::gan::Gan;
use crate::program::{DType, TensorInfo};

/// The header's key for the settings; it also says what wrote the file, and in which form. The only one, since a header
/// of several would come in any order, and equal runs make equal files.
const SETTINGS: &str = "digit-forge 1 settings";

pub(crate) fn bad(fault: Fault, why: impl std::fmt::Display) -> Error {
    Error::Checkpoint { fault, why: why.to_string() }
}

/// The file's tensors, or what is wrong with it.
pub(crate) fn open(file: &[u8]) -> Result<File<'_>> {
    File::read(file).map_err(|fault| match fault {
        safetensors::Fault::Truncated(why) => bad(Fault::Truncated, format!("not a whole safetensors file: {why}")),
        safetensors::Fault::Format(why) => bad(Fault::Format, format!("not a readable safetensors file: {why}")),
    })
}

/// The file of these tensors with their words.
pub(super) fn write(settings: &str, tensors: &[(&TensorInfo, Vec<u32>)]) -> Vec<u8> {
    let parts: Vec<Part> = tensors
        .iter()
        .map(|(info, words)| Part { name: &info.name, kind: Type::of(info.dtype), shape: &info.shape.0, words })
        .collect();
    safetensors::write(SETTINGS, settings, &parts)
}

/// These tensors as they lie in the file, in their order.
fn views<'a, 'f>(file: &'a File<'f>, expected: &[&TensorInfo]) -> Result<Vec<&'a View<'f>>> {
    let view = |info: &&TensorInfo| {
        let name = &info.name;
        let missing = || bad(Fault::Tensors, format!("`{name}` is missing; the settings must be another model's"));
        let view = file.tensor(name).ok_or_else(missing)?;
        let dtype = Type::of(info.dtype).name();
        if view.shape != info.shape.0 || view.dtype != dtype {
            let (found, shape) = (&view.dtype, &view.shape);
            let why = format!("`{name}` is {found} {shape:?} in the file, and {dtype} {} here", info.shape);
            return Err(bad(Fault::Tensors, why));
        }
        Ok(view)
    };
    expected.iter().map(view).collect()
}

/// The words of these tensors, in their order.
pub(super) fn read(file: &[u8], expected: &[&TensorInfo]) -> Result<Vec<Vec<u32>>> {
    let file = open(file)?;
    let views = views(&file, expected)?;
    // None is of another type: `views` has looked.
    Ok(views.iter().zip(expected).filter_map(|(view, info)| view.words(info.dtype)).collect())
}

/// The settings that a checkpoint was written with.
///
/// # Errors
/// [`Error::Checkpoint`] where the file isn't one of ours, or its settings aren't valid here.
pub fn settings_of(file: &[u8]) -> Result<Resolved> {
    settings_in(&open(file)?)
}

fn settings_in(file: &File) -> Result<Resolved> {
    let foreign = || bad(Fault::Foreign, "the file has no settings of this program in its header");
    let resolved = settings::resolve(file.metadata(SETTINGS).ok_or_else(foreign)?)?;
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
    let file = open(file)?;
    let resolved = settings_in(&file)?;
    // Whatever the data set was, it isn't in the file.
    let recording = Gan::record(&resolved.settings, MNIST_IMAGES, true)?.recording;
    let expected: Vec<&TensorInfo> = recording.lasting().map(|t| recording.info(t)).collect();
    views(&file, &expected)?;
    Ok(resolved)
}

/// The first tensor of a network in a checkpoint that isn't all finite numbers: weights, moments or averages, the
/// discriminator's before the generator's, which are updated after them.
///
/// # Errors
/// [`Error::Checkpoint`] where the file can't be read.
pub fn not_finite(file: &[u8]) -> Result<Option<String>> {
    let file = open(file)?;
    let broken = |view: &&View| {
        view.words(DType::F32).is_some_and(|words| words.iter().any(|&w| !f32::from_bits(w).is_finite()))
    };
    let of = |network: &str| file.tensors.iter().filter(|view| view.name.starts_with(network)).find(broken);
    Ok(of("discriminator.").or_else(|| of("generator.")).map(|view| view.name.clone()))
}
