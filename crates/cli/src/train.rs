//! `digit-forge train`: everything that can be wrong is found before the first step, everything is written after the
//! last one.

use crate::args::Order;
use crate::care::{Care, Course};
use crate::data::DataSet;
use crate::failure::{Failure, Result};
use crate::grid;
use crate::metrics::{self, History, Record, Stretch};
use crate::output::Folder;
use crate::pace::Pace;
use crate::progress::{Progress, note};
use crate::start::{MODEL, Start};
use digit_forge_core::Error;
use digit_forge_core::data::idx;
use digit_forge_core::engine::block_on;
use digit_forge_core::train::settings::Condition;
use digit_forge_core::train::{MOST_STEPS, Trainer};
use std::time::Instant;

pub fn train(order: &Order) -> Result<()> {
    let start = Start::of(order)?;
    if order.samples.is_some() && start.settings.condition == Condition::None {
        let why =
            "without labels nothing says which digit a sample is, so there is nothing for --samples to write".into();
        return Err(Error::BadSetting { key: "condition".into(), value: "none".into(), why }.into());
    }
    let earlier = start.newest()?;
    let set = match order.idx.as_slice() {
        [one, other] => DataSet::pair([one, other], order.transpose)?,
        [] => DataSet::mnist(&order.data)?,
        more => return Err(Failure::Usage(format!("--idx takes two files, once, and {} are given", more.len()))),
    };
    let content = set.content();
    if let Some(earlier) = earlier.filter(|run| !run.content.is_empty() && run.content != content) {
        let was = format!("until now the run was trained on other data ({})", earlier.data);
        // Who forgot to name it would ruin a run.
        if order.idx.is_empty() {
            let how = "name that again, with --idx or --data, or what follows with --idx";
            return Err(Failure::Usage(format!("{was}: {how}")));
        }
        note(&format!("Note: {was}."));
    }
    let mut trainer = start.trainer(order.engine, set.count)?;
    set.give(&mut trainer)?;
    let after = trainer.steps();
    let total = after.checked_add(order.steps).filter(|&total| total <= MOST_STEPS).ok_or_else(|| {
        Failure::Usage(format!("--steps {}: {after} are made already, and a run ends at {MOST_STEPS}", order.steps))
    })?;
    let mut record = start.record(after)?;
    // The arguments hold that one of both is given.
    let folder = order.out.as_ref().or(order.resume.as_ref());
    let folder = Folder::create(folder.ok_or_else(|| Failure::Usage("--out DIR is missing".into()))?)?;

    let (engine, adapter, settings) = (trainer.engine_name(), trainer.adapter(), trainer.settings_text()?);
    note(&format!("{settings} on {engine}: {adapter}"));
    let data = set.words(trainer.images_wanted());
    note(&data);
    // Own data comes without images to compare with.
    let test = if order.doctor && order.idx.is_empty() { DataSet::read_test(&order.data)? } else { None };
    let mut care = order.doctor.then(|| Care::new(&mut trainer, &set, test.as_ref())).transpose()?;
    let seconds = steps(&mut trainer, total, &mut record.history, care.as_mut())?;
    let made = trainer.steps().saturating_sub(after);
    let ms_per_step = (made > 0).then(|| seconds * 1e3 / f64::from(made));
    let (engine, steps) = (engine.into(), made);
    record.runs.push(Stretch { settings, data, content, engine, adapter, after, steps, seconds, ms_per_step });
    let each = ms_per_step.map(|ms| format!(", {ms:.2} ms a step")).unwrap_or_default();
    note(&format!("{steps} steps in {seconds:.1} s{each}"));
    if let Some(step) = record.history.broke_at() {
        note(&format!("From step {step} on, losses were no finite numbers: try smaller learning rates."));
    }
    results(order, &start, &mut trainer, &record, &folder)
}

/// Trains until `total` steps are made, and returns the seconds that it took.
fn steps(trainer: &mut Trainer, total: u32, history: &mut History, mut care: Option<&mut Care>) -> Result<f64> {
    let began = Instant::now();
    let mut progress = Progress::new("step", trainer.steps().into(), total.into());
    let mut pace = Pace::new();
    while trainer.steps() < total {
        let upto = care.as_ref().map_or(total, |care| care.next(trainer).min(total));
        let mut measured = Vec::new();
        pace.run(trainer, upto, |trainer| {
            let newest = block_on(trainer.metrics())?;
            newest.iter().for_each(|m| history.push(m));
            let losses = newest.last().map(|m| format!(" · loss D {:.3} G {:.3}", m.d_loss, m.g_loss));
            progress.tell(trainer.steps().into(), &losses.unwrap_or_default());
            if care.is_some() {
                measured.extend(newest);
            }
            Ok(())
        })?;
        let Some(care) = &mut care else { break };
        match care.examine(trainer, &measured)? {
            Course::On => {}
            Course::Back(step) => history.cut(step),
            Course::Rest(step) => {
                history.cut(step);
                break;
            }
        }
    }
    progress.finish();
    Ok(began.elapsed().as_secs_f64())
}

/// Writes all files: the checkpoint after the metrics, so that what was measured is never behind it, and samples, which can be
/// many, when the run is safe.
fn results(order: &Order, start: &Start, trainer: &mut Trainer, record: &Record, folder: &Folder) -> Result<()> {
    let mut written = vec!["grid.png", metrics::FILE, MODEL];
    let images = block_on(trainer.images()?)?;
    folder.write("grid.png", &grid::png(&images, trainer.image())?)?;
    folder.write(metrics::FILE, &metrics::report(start.preset, trainer, record)?)?;
    let checkpoint = block_on(trainer.save()?)?;
    folder.write(MODEL, &checkpoint)?;
    if let Some(count) = order.samples {
        let mut progress = Progress::new("sample", 0, count as u64);
        let (images, labels) = block_on(trainer.samples(count, |done| progress.tell(done as u64, "")))?;
        progress.finish();
        let (images_file, labels_file) = ("samples-images-idx3-ubyte", "samples-labels-idx1-ubyte");
        folder.write(images_file, &idx::write_images(trainer.image(), &images))?;
        folder.write(labels_file, &idx::write_labels(&labels))?;
        written.extend([images_file, labels_file]);
    }
    note(&format!("{}: {}", folder.path().display(), written.join(", ")));
    Ok(())
}
