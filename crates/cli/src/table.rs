//! `digit-forge settings`: what the core describes, as a table or as JSON.

use crate::failure::{Failure, Result};
use digit_forge_core::train::describe::describe;
use digit_forge_core::train::presets::PRESETS;
use digit_forge_core::train::settings::{GROUPS, ROWS, Row};
use digit_forge_core::train::values::Kind;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _, stdout};

pub fn print(json: bool) -> Result<()> {
    write(&if json { describe() + "\n" } else { tables() })
}

/// Writes to stdout.
pub fn write(text: &str) -> Result<()> {
    match stdout().write_all(text.as_bytes()) {
        // `| head` has seen enough.
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::io("stdout".as_ref(), "written", &e)),
        _ => Ok(()),
    }
}

fn tables() -> String {
    let mut text = String::new();
    for group in GROUPS {
        let rows = ROWS.iter().filter(|row| row.group == group.key);
        let cells = rows.map(|row| [row.key.into(), range(&row.kind), row.default.into(), help(row)]);
        section(&mut text, group.label, ["key", "range", "default", ""], &cells.collect::<Vec<_>>());
    }
    let cells = PRESETS.iter().flat_map(|preset| {
        let differing: Vec<String> = preset.values.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let line = (!differing.is_empty()).then(|| [String::new(), differing.join(" ")]);
        std::iter::once([preset.name.into(), preset.help.into()]).chain(line)
    });
    section(&mut text, "Presets", ["name", "what differs from the defaults"], &cells.collect::<Vec<_>>());
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// Appends a title and a table whose columns are as wide as they need.
pub fn section<const N: usize>(text: &mut String, title: &str, heads: [&str; N], rows: &[[String; N]]) {
    let heads = heads.map(String::from);
    let lines = || std::iter::once(&heads).chain(rows);
    let width = |i: usize| lines().map(|line| line[i].chars().count()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    let _ = writeln!(text, "{title}");
    for line in lines() {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let _ = writeln!(text, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text.push('\n');
}

/// Three digits that count.
pub fn digits(value: f64) -> String {
    // Rounded first, for 0.9999 is 1.00.
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    let places = if rounded == 0.0 { 0 } else { 2 - rounded.abs().log10().floor() as i32 };
    format!("{value:.*}", places.clamp(0, 6) as usize)
}

fn range(kind: &Kind) -> String {
    match kind {
        Kind::Integer { min, max } => format!("{min} to {max}"),
        Kind::Number { min, max, .. } => format!("{min} to {max}, real"),
        Kind::Choice { choices } => choices.iter().map(|c| c.value).collect::<Vec<_>>().join(" | "),
        Kind::Widths { most, max } => format!("up to {most} of 1 to {max}, comma between"),
    }
}

fn help(row: &Row) -> String {
    let cases: Vec<String> = row.when.iter().map(|w| format!("{}={}", w.key, w.values.join("|"))).collect();
    let when = if cases.is_empty() { String::new() } else { format!(" Only with {}.", cases.join(" or ")) };
    let live = if row.restart { "" } else { " Can change with --resume." };
    format!("{}{when}{live}", row.help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        for (value, text) in [(0.0, "0"), (0.012345, "0.0123"), (0.9996, "1.00"), (1.0, "1.00"), (-45.678, "-45.7")] {
            assert_eq!(digits(value), text);
        }
        assert_eq!((digits(12345.6).as_str(), digits(f64::NAN).as_str()), ("12346", "NaN"));
    }

    #[test]
    fn every_setting_and_preset_has_its_line() {
        let text = tables();
        let first_words: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert!(ROWS.iter().all(|row| first_words.contains(&row.key)));
        assert!(PRESETS.iter().all(|preset| first_words.contains(&preset.name)));
    }
}
