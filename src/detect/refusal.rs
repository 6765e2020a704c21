//! Why a model is not taken into service.

use std::path::PathBuf;

/// Why a detector could not be loaded. Every message names the file, what was found, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file that cannot be read.
    #[error("{}: {error}; {fix}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system said.
        error: std::io::Error,
        /// What to do.
        fix: String,
    },
    /// A file beyond the limit for its kind.
    #[error("{}: larger than {} KiB, the most that is read; is this the right file?", file.display(), limit >> 10)]
    TooLarge {
        /// Which.
        file: PathBuf,
        /// In bytes.
        limit: u64,
    },
    /// A manifest that is not the TOML it should be.
    #[error("{}: {message}", file.display())]
    Syntax {
        /// Which.
        file: PathBuf,
        /// Line, column and complaint.
        message: String,
    },
    /// A key whose value does not fit, with itself or with the model.
    #[error("{}: `{key}` is {found}, expected {expected}; {fix}", file.display())]
    Refused {
        /// The manifest.
        file: PathBuf,
        /// The key, with its table.
        key: String,
        /// What stands there, or what the model has in its place.
        found: String,
        /// What would be right.
        expected: String,
        /// What to do.
        fix: String,
    },
    /// The ONNX Runtime library is missing or is not one.
    #[error("{}: {message}; {fix}", file.display())]
    Runtime {
        /// The library.
        file: PathBuf,
        /// What is wrong with it.
        message: String,
        /// What to do.
        fix: &'static str,
    },
    /// ONNX Runtime refused the model.
    #[error("{}: ONNX Runtime refuses it: {message}", file.display())]
    Model {
        /// The model file.
        file: PathBuf,
        /// Its words.
        message: String,
    },
}
