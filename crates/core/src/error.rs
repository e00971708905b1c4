//! The one error type of the crate. Each variant carries the facts (which operation, both shapes, which key),
//! so that the page and the command line can say what is wrong without guessing.

use crate::program::Shape;

/// Everything that can go wrong in the core.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Two shapes that an operation can't bring together.
    #[error("{op}: shapes {left} and {right} don't fit: {why}")]
    Shapes {
        /// The operation's name.
        op: &'static str,
        /// The first operand's shape.
        left: Shape,
        /// The second operand's shape.
        right: Shape,
        /// What would have fitted.
        why: &'static str,
    },
    /// One shape that an operation can't take.
    #[error("{op}: shape {shape} doesn't fit: {why}")]
    Shape {
        /// The operation's name.
        op: &'static str,
        /// The operand's shape.
        shape: Shape,
        /// What would have fitted.
        why: &'static str,
    },
    /// What a layer can't take.
    #[error("`{layer}` can't take {input}: {why}")]
    Layer {
        /// Its name, or its place in the network.
        layer: String,
        /// The shape that came in, its first extent the batch.
        input: Shape,
        /// What went wrong in it.
        why: Box<Error>,
    },
    /// A gradient was asked through an operation that has none.
    #[error("{op} has no gradient, but one was asked through it")]
    NoGradient {
        /// The operation's name.
        op: &'static str,
    },
    /// A gradient was asked through values that have been overwritten since.
    #[error("the gradient of {op} needs `{tensor}` as it was, but it has been updated since")]
    Stale {
        /// The operation whose gradient was asked.
        op: &'static str,
        /// The tensor that changed.
        tensor: String,
    },
    /// An operation would write a tensor that it also reads, or that another one already wrote.
    #[error("{op} can't write `{tensor}`: {why}")]
    Overwrite {
        /// The operation's name.
        op: &'static str,
        /// The tensor in question.
        tensor: String,
        /// The broken rule.
        why: &'static str,
    },
    /// A loss that isn't a single number.
    #[error("gradients are taken of a single number, not of a tensor of shape {shape}")]
    NotScalar {
        /// The shape that was given.
        shape: Shape,
    },
    /// Host data whose size isn't the tensor's.
    #[error("`{tensor}` holds {expected} values, got {got}")]
    Length {
        /// The tensor's name.
        tensor: String,
        /// Values it holds.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// A setting that doesn't exist.
    #[error("unknown setting `{key}`{}", .nearest.map(|n| format!(" (did you mean `{n}`?)")).unwrap_or_default())]
    UnknownSetting {
        /// The key as given.
        key: String,
        /// The closest known key.
        nearest: Option<&'static str>,
    },
    /// A value that a setting can't take.
    #[error("`{key}={value}`: {why}")]
    BadSetting {
        /// The setting's key.
        key: String,
        /// The value as given.
        value: String,
        /// What it may be.
        why: String,
    },
    /// A data file that isn't what it should be.
    #[error("{what}: {why}")]
    Data {
        /// Which file or part.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A checkpoint that can't be used.
    #[error("checkpoint: {why}")]
    Checkpoint {
        /// Which kind of fault.
        fault: CheckpointFault,
        /// What is wrong with it.
        why: String,
    },
    /// More steps than a run can have.
    #[error("{made} steps are made, and no run has {more} more: it ends at 1000000000")]
    Steps {
        /// Made so far.
        made: u32,
        /// Asked for.
        more: u32,
    },
    /// The GPU can't be used, or failed.
    #[error("GPU: {0}")]
    Gpu(String),
}

/// Why a file can't be used as a checkpoint: a word that each language of the page spells out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointFault {
    /// It isn't a safetensors file.
    Format,
    /// It begins as one, but its end is missing or not where it should be.
    Truncated,
    /// It is one, but of another program.
    Foreign,
    /// It has settings that this version doesn't take.
    Settings,
    /// Its tensors aren't those of its settings.
    Tensors,
    /// Its tensors hold what no run can go on from.
    Values,
}

impl CheckpointFault {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            CheckpointFault::Format => "format",
            CheckpointFault::Truncated => "truncated",
            CheckpointFault::Foreign => "foreign",
            CheckpointFault::Settings => "settings",
            CheckpointFault::Tensors => "tensors",
            CheckpointFault::Values => "values",
        }
    }
}

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;
