//! Digit Forge on the command line. It only reads arguments, drives the core's trainer and writes files; what can be
//! set, and what is wrong with a value, the core knows.

mod args;
mod bench;
mod care;
mod compare;
mod data;
mod diagnose;
mod distances;
mod evaluate;
mod examine;
mod failure;
mod fool;
mod grid;
mod judge;
mod metrics;
mod output;
mod pace;
mod progress;
mod reading;
mod start;
mod subject;
mod table;
mod train;

use args::{Args, Command};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Train(order) => train::train(&order),
        Command::Bench(trial) => bench::bench(&trial),
        Command::Compare(comparison) => compare::compare(&comparison),
        Command::Diagnose(order) => diagnose::diagnose(&order),
        Command::TrainJudge(teaching) => judge::teach(&teaching),
        Command::Evaluate(examination) => evaluate::evaluate(&examination),
        Command::Fool(trickery) => fool::fool(&trickery),
        Command::Settings { json } => table::print(json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where even this can't be written, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "digit-forge: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
