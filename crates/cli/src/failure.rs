//! What can go wrong here, beside what the core reports.

use digit_forge_core::Error;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Arguments that don't go together.
    #[error("{0}\n\nFor more information, try '--help'.")]
    Usage(String),
    #[error(transparent)]
    Core(#[from] Error),
    #[error("{path}: {why}")]
    File { path: PathBuf, why: String },
    #[error("{0}; `--engine cpu` trains without a GPU")]
    NoGpu(Error),
    #[error("grid.png: {0}")]
    Picture(#[from] png::EncodingError),
}

pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// What the core, which doesn't know of files, says about this one.
    pub fn of_file(path: &Path, error: Error) -> Self {
        let why = match error {
            Error::Checkpoint { why, .. } | Error::Data { why, .. } => why,
            other => other.to_string(),
        };
        Failure::File { path: path.into(), why }
    }

    pub fn io(path: &Path, doing: &str, error: &io::Error) -> Self {
        Failure::File { path: path.into(), why: format!("can't be {doing}: {error}") }
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            _ => 1,
        }
    }
}
