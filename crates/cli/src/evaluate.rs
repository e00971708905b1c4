//! `digit-forge evaluate`: how good a saved model's digits are, or any images of digits, beside real ones read by the same
//! judge. Which images are read here, what is said of them in `evaluation`, and how it is written in `text`.

mod cas;
mod evaluation;
mod subject;
mod text;

use crate::args::{Examination, Form};
use crate::data::DataSet;
use crate::failure::Result;
use crate::progress::note;
use crate::reading::Reader;
use crate::table;
use evaluation::Evaluation;
use subject::Subject;

pub fn evaluate(order: &Examination) -> Result<()> {
    let (training, test) = (DataSet::mnist(&order.data)?, DataSet::mnist_test(&order.data)?);
    let (training, test) = (training.first(training.count)?, test.first(test.count)?);
    let mut subject = Subject::of(order)?;
    if order.cas {
        subject.can_teach()?;
    }
    let mut reader = Reader::new()?;
    let mut evaluation = Evaluation::of(&mut subject, &mut reader, training, test)?;
    if order.cas {
        note("teaching two classifiers for the classification accuracy score");
        evaluation.cas = Some(cas::score(&mut subject, training, test, order.cas_steps)?);
    }
    table::write(&match order.report {
        Form::Text => evaluation.text(),
        Form::Json => evaluation.json(),
    })
}
