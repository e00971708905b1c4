//! What is said of images, as JSON.

use digit_forge_core::data::{DIGITS, IMAGE};
use digit_forge_core::doctor::symptoms::Reference;
use digit_forge_core::error::{Error, Result};
use digit_forge_core::judge::{Readings, halved};
use digit_forge_core::metrics::report::{Confusion, Histogram, Scores};
use digit_forge_core::train::json::Json;
use std::borrow::Cow;

/// As the judge wants them: of images of 56 × 56 pixels, each four are one.
pub fn sized(images: &[u8], side: usize) -> Result<Cow<'_, [u8]>> {
    match side {
        28 => Ok(images.into()),
        56 => Ok(halved(images)?.into()),
        _ => {
            let why = format!("{side} × {side} pixels, and the judge reads 28 × 28 or 56 × 56");
            Err(Error::Data { what: "images".into(), why })
        }
    }
}

/// A number; what is none in JSON is null.
pub fn number(value: f64) -> Json {
    Json::float(value as f32)
}

fn optional(value: Option<f32>) -> Json {
    value.map_or(Json::Null, Json::float)
}

/// `{digits, shares, entropy, agreement, agreements, certainty, diversity, within}` of images that were to be these digits, if
/// anything was asked for: what is read of each, each digit's share and own agreement, and what the doctor wants to know.
/// Diversity is null as long as nothing real is there to compare with.
pub fn told(readings: &Readings, labels: Option<&[u8]>, reference: Option<&Reference>) -> Result<String> {
    let digits = readings.digits();
    let Histogram { shares, entropy } = Histogram::of(&digits)?;
    let confusion = labels.map(|labels| Confusion::of(labels, &digits)).transpose()?;
    let agreements = confusion.map_or(Json::Null, |confusion| {
        Json::Array(confusion.report().digits.iter().map(|digit| number(digit.recall)).collect())
    });
    let samples = reference.map(|reference| reference.judge(readings, labels));
    let sure = readings.probabilities();
    let sure: f32 = sure.chunks_exact(DIGITS).map(|row| row.iter().copied().fold(0.0, f32::max)).sum();
    Ok(Json::object(vec![
        ("digits", Json::Array(digits.iter().map(|&digit| Json::number(digit.into())).collect())),
        ("shares", Json::Array(shares.iter().map(|&share| number(share)).collect())),
        ("entropy", number(entropy)),
        ("agreement", labels.map_or(Json::Null, |labels| number(readings.agreement(labels)))),
        ("agreements", agreements),
        ("certainty", Json::float(sure / readings.count() as f32)),
        ("diversity", optional(samples.as_ref().map(|samples| samples.diversity))),
        ("within", optional(samples.and_then(|samples| samples.within))),
    ])
    .write())
}

fn scores(scores: &Scores) -> Json {
    Json::object(vec![
        ("precision", number(scores.precision)),
        ("recall", number(scores.recall)),
        ("f1", number(scores.f1)),
        ("support", Json::number(scores.support as usize)),
    ])
}

/// `{confusion: [asked for][read], digits: scores of each, accuracy, macro, weighted}`
pub fn report(confusion: &Confusion) -> Json {
    let report = confusion.report();
    let row = |row: &[u32; DIGITS]| Json::Array(row.iter().map(|&count| Json::number(count as usize)).collect());
    Json::object(vec![
        ("confusion", Json::Array(confusion.counts.iter().map(row).collect())),
        ("digits", Json::Array(report.digits.iter().map(scores).collect())),
        ("accuracy", number(report.accuracy)),
        ("macro", scores(&report.macro_average)),
        ("weighted", scores(&report.weighted_average)),
    ])
}

/// Pixels of an image as the judge reads it.
pub const PIXELS: usize = IMAGE.rows * IMAGE.columns;
