//! `digit-forge train-judge`: teaches a judge on MNIST's training images, writes its weights, and reads the test images
//! with what was written.

use crate::args::{EngineKind, Teaching};
use crate::data::DataSet;
use crate::failure::{Failure, Result};
use crate::output::Folder;
use crate::pace::Pace;
use crate::progress::{Progress, note};
use digit_forge_core::Error;
use digit_forge_core::engine::block_on;
use digit_forge_core::engine::gpu::GpuContext;
use digit_forge_core::judge::{Judge, Lesson, Readings, Teacher};
use std::path::Path;
use std::time::Instant;

/// Images of the batches whose loss and accuracy are told as one.
const REMEMBERED: usize = 100;

pub fn teach(teaching: &Teaching) -> Result<()> {
    let (training, test) = (DataSet::mnist(&teaching.data)?, DataSet::mnist_test(&teaching.data)?);
    let (images, labels) = training.first(training.count)?;
    let test = test.first(test.count)?;
    let (folder, name) = place(&teaching.out)?;
    let lesson = Lesson { seed: teaching.seed, steps: teaching.steps, ..Lesson::PINNED };
    let mut teacher = match teaching.engine {
        EngineKind::Cpu => Teacher::cpu(lesson, labels.len()),
        EngineKind::Gpu => block_on(async { Teacher::gpu(lesson, GpuContext::new().await?, labels.len()).await }),
    }
    .map_err(no_gpu)?;
    teacher.add_data(images, labels)?;
    note(&format!("{} on {}: {}", training.words(labels.len()), teacher.engine_name(), teacher.adapter()));

    let began = Instant::now();
    steps(&mut teacher, lesson.steps)?;
    note(&format!("{} steps in {:.1} s", lesson.steps, began.elapsed().as_secs_f64()));
    let file = block_on(teacher.save())?;
    folder.write(&name, &file)?;
    let mut judge = Judge::cpu(&file)?;
    let readings = block_on(judge.read(test.0))?;
    note(&format!("{}: {} bytes, {}", teaching.out.display(), file.len(), words(&readings, test.1)));
    Ok(())
}

fn steps(teacher: &mut Teacher, total: u32) -> Result<()> {
    let mut progress = Progress::new("step", 0, total.into());
    let mut recent = Vec::new();
    Pace::new().run(teacher, total, |teacher| {
        recent.extend(block_on(teacher.progress())?);
        recent.drain(..recent.len().saturating_sub(REMEMBERED));
        let mean = |of: fn(&digit_forge_core::judge::Progress) -> f32| {
            recent.iter().map(of).sum::<f32>() / recent.len().max(1) as f32
        };
        let remark = format!(" · loss {:.3} · {:.1} % right", mean(|p| p.loss), 100.0 * mean(|p| p.accuracy));
        progress.tell(teacher.steps().into(), &remark);
        Ok(())
    })?;
    progress.finish();
    Ok(())
}

/// How many images were read right.
fn words(readings: &Readings, labels: &[u8]) -> String {
    let wrong = readings.digits().iter().zip(labels).filter(|(digit, label)| digit != label).count();
    let share = 100.0 * readings.agreement(labels);
    format!("{share:.2} % of {} test images right, {wrong} wrong", labels.len())
}

/// The folder that a file goes into, made if need be, and its name.
fn place(file: &Path) -> Result<(Folder, String)> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::Usage(format!("--out {}: this names no file", file.display())))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((Folder::create(folder)?, name.to_owned()))
}

fn no_gpu(error: Error) -> Failure {
    match error {
        Error::Gpu(_) => Failure::NoGpu(error),
        other => other.into(),
    }
}
