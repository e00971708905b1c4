//! `digit-forge fool`: how many images the pinned judge still reads right, over how far each pixel was moved against it.

use crate::args::Trickery;
use crate::data::DataSet;
use crate::failure::{Failure, Result};
use crate::table::{section, write};
use digit_forge_core::engine::block_on;
use digit_forge_core::judge::{Judge, PINNED};

pub fn fool(trickery: &Trickery) -> Result<()> {
    let data = match trickery.idx.as_slice() {
        [] => DataSet::mnist_test(&trickery.data)?,
        [one, other] => DataSet::pair([one, other], trickery.transpose)?,
        more => return Err(Failure::Usage(format!("--idx takes two files, once, and {} are given", more.len()))),
    };
    let (images, labels) = data.first(trickery.images as usize)?;
    let mut judge = Judge::cpu(PINNED)?;
    let rows = trickery.strengths.iter().map(|&strength| {
        let moved = block_on(judge.attack(images, labels, strength))?;
        let readings = block_on(judge.read_ink(&moved))?;
        let right = readings.digits().iter().zip(labels).filter(|(digit, label)| digit == label).count();
        Ok([strength.to_string(), right.to_string(), format!("{:.2} %", 100.0 * readings.agreement(labels))])
    });
    let rows = rows.collect::<Result<Vec<_>>>()?;
    let mut text = String::new();
    let title = format!("{}, read by the judge {}", data.words(labels.len()), judge.lesson());
    section(&mut text, &title, ["strength", "right", "accuracy"], &rows);
    write(&text)
}
