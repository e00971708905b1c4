//! `digit-forge diagnose`: trains each of several settings from several seeds under the doctor's eyes, and tells what it finds
//! and when.

use crate::args::Diagnosis;
use crate::bench::machine::Machine;
use crate::compare::subjects;
use crate::data::DataSet;
use crate::examine::Examiner;
use crate::failure::Result;
use crate::pace::Pace;
use crate::progress::note;
use crate::start::on;
use crate::subject::Subject;
use crate::table;
use digit_forge_core::doctor::{Alarm, Doctor};
use digit_forge_core::engine::block_on;
use digit_forge_core::train::settings::Settings;
use std::fmt::Write as _;

/// What breaks in each preset that breaks, by the rule's name.
const EXPECTED: [(&str, &str); 7] = [
    ("break-weak-d", "weak"),
    ("break-alike", "alike"),
    ("break-strong-d", "saturated"),
    ("break-rate", "saturated"),
    ("break-critic", "runaway"),
    ("break-minimax", "saturated"),
    ("break-small-data", "memorising"),
];

pub fn diagnose(order: &Diagnosis) -> Result<()> {
    let subjects = subjects(&order.rows)?;
    let training = DataSet::mnist(&order.data)?;
    let test = DataSet::read_test(&order.data)?;
    let mut examiner = Examiner::new(&training, test.as_ref())?;
    let mut text = String::new();
    let seeds: Vec<String> = (1..=order.seeds).map(|seed| format!("seed {seed}")).collect();
    let Diagnosis { steps, every, .. } = order;
    let _ = writeln!(text, "{}; {steps} steps, examined every {every}.\n", Machine::here().line());
    let _ = writeln!(text, "| | expected | {} | as expected |", seeds.join(" | "));
    let _ = writeln!(text, "| --- | --- |{} --: |", " --- |".repeat(seeds.len()));
    for subject in &subjects {
        let preset = subject.what.preset;
        let as_it_is = Settings::of(preset)? == subject.what.settings;
        let expected = EXPECTED.iter().find(|(name, _)| *name == preset.name && as_it_is).map(|(_, rule)| *rule);
        let (mut right, mut cells) = (0, Vec::new());
        for seed in 1..=order.seeds {
            let alarms = run(order, subject, seed, &training, &mut examiner)?;
            // The gravest names the failure. Where nothing is expected, nothing may be found.
            let main = alarms.iter().min_by_key(|alarm| place(alarm));
            right += u32::from(main.map(|alarm| alarm.rule.id) == expected);
            let found: Vec<String> = alarms.iter().map(|a| format!("{} ({})", a.rule.id, a.spoke)).collect();
            cells.push(if found.is_empty() { "–".into() } else { found.join(", ") });
        }
        let (expected, seeds) = (expected.unwrap_or("–"), order.seeds);
        let _ = writeln!(text, "| {} | {expected} | {} | {right} of {seeds} |", subject.name, cells.join(" | "));
    }
    let _ = writeln!(
        text,
        "\nIn brackets: the step at which the rule spoke. A preset that breaks is named as expected where the gravest of what was found is that; any other, where nothing was."
    );
    table::write(&text)
}

/// Where a rule stands among all, the gravest first.
fn place(alarm: &Alarm) -> usize {
    digit_forge_core::doctor::rules::RULES.iter().position(|rule| rule.id == alarm.rule.id).unwrap_or(usize::MAX)
}

/// All alarms of a run, in the order in which they came.
fn run(
    order: &Diagnosis,
    subject: &Subject,
    seed: u32,
    training: &DataSet,
    examiner: &mut Examiner,
) -> Result<Vec<Alarm>> {
    let subject = subject.with(&[("seed", seed.to_string())])?;
    let what = &subject.what;
    let mut trainer = on(order.engine, what.preset, what.settings.clone(), training.count)?;
    training.give(&mut trainer)?;
    let mut doctor = Doctor::new(what.settings.clone());
    let mut alarms = Vec::new();
    let mut pace = Pace::new();
    while trainer.steps() < order.steps {
        let upto = order.steps.min(trainer.steps().saturating_add(order.every));
        pace.run(&mut trainer, upto, |_| Ok(()))?;
        let metrics = block_on(trainer.metrics())?;
        let symptoms = examiner.examine(&mut trainer, &metrics)?;
        if order.readings {
            note(&format!("{}, seed {seed}, {}", subject.name, in_numbers(&symptoms)));
        }
        for alarm in doctor.observe(symptoms) {
            note(&format!("{}, seed {seed}, step {}: {}", subject.name, alarm.spoke, alarm.rule.label));
            alarms.push(alarm);
        }
    }
    Ok(alarms)
}

/// All that was read, on one line.
fn in_numbers(s: &digit_forge_core::doctor::symptoms::Symptoms) -> String {
    let mut line = format!("step {}:", s.step);
    let mut add = |name: &str, value: Option<f32>| {
        if let Some(value) = value {
            let _ = write!(line, " {name} {}", table::digits(value.into()));
        }
    };
    if let Some(v) = &s.vitals {
        add("accuracy", Some(v.accuracy()));
        add("furthest", Some(v.furthest()));
        add("dGradient", Some(v.d_gradient));
        add("gGradient", Some(v.g_gradient));
        add("noiseEffect", Some(v.noise_effect));
    }
    if let Some(x) = &s.samples {
        add("agreement", x.agreement);
        add("certainty", x.certainty);
        add("rarest", Some(x.rarest()));
        add("evenness", Some(x.evenness()));
        add("diversity", Some(x.diversity));
        add("within", x.within);
    }
    add("preference", s.memory.map(|m| m.preference));
    add("copies", s.memory.and_then(|m| m.copies));
    line
}
