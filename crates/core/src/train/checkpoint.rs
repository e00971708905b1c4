//! Checkpoints as safetensors files: every lasting tensor by its name, and the settings as text in the header.

use super::safetensors::{self, File, Part, Type, View};
use super::settings::{self, Resolved, Settings};
use super::trainer::MOST_STEPS;
use crate::data::MNIST_IMAGES;
use crate::error::{CheckpointFault as Fault, Error, Result};
use crate::models::gan::Gan;
use crate::ops::tick::Lane;
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

/// These tensors of a run with these settings as they lie in the file, in their order.
fn views<'a, 'f>(file: &'a File<'f>, expected: &[&TensorInfo], s: &Settings) -> Result<Vec<&'a View<'f>>> {
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
        if name == "clock" {
            check_clock(&view.words(DType::U32).unwrap_or_default(), s)?;
        }
        Ok(view)
    };
    expected.iter().map(view).collect()
}

/// Whether a run with these settings can be where a clock says: its counters are of the same step, and not beyond the last.
fn check_clock(clock: &[u32], s: &Settings) -> Result<()> {
    let step = Lane::Generator.of(clock);
    let updates = step.wrapping_mul(s.d_steps);
    if step > MOST_STEPS || Lane::Draws.of(clock) != updates || Lane::Discriminator.of(clock) != updates {
        return Err(bad(Fault::Values, "its clock stands where no such run can be"));
    }
    Ok(())
}

/// The words of these tensors of a run with these settings, in their order.
pub(super) fn read(file: &[u8], expected: &[&TensorInfo], s: &Settings) -> Result<Vec<Vec<u32>>> {
    let file = open(file)?;
    let views = views(&file, expected, s)?;
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
/// What [`Trainer::load`](super::Trainer::load) would find, without an engine, and so without ending a run to find out; and
/// that its networks are finite numbers, without which no step does anything.
///
/// # Errors
/// [`Error::Checkpoint`] as of [`settings_of`], or naming the tensor that doesn't fit.
pub fn check(file: &[u8]) -> Result<Resolved> {
    let opened = open(file)?;
    let resolved = settings_in(&opened)?;
    // Whatever the data set was, it isn't in the file.
    let recording = Gan::record(&resolved.settings, MNIST_IMAGES, true)?.recording;
    let expected: Vec<&TensorInfo> = recording.lasting().map(|t| recording.info(t)).collect();
    views(&opened, &expected, &resolved.settings)?;
    match not_finite(file)? {
        Some(name) => Err(bad(Fault::Values, format!("`{name}` isn't all finite numbers"))),
        None => Ok(resolved),
    }
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
