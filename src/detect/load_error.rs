//! Why a model cannot be loaded.

use std::path::{Path, PathBuf};

/// Why a detector could not be loaded. Every message names the file, what was found, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file that cannot be read.
    #[error("{}: {error}; {fix}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        error: std::io::Error,
        /// What to do.
        fix: String,
    },
    /// A file above the size limit of its kind.
    #[error("{}: larger than {} KiB, the limit for this kind of file; is this the right file?", file.display(), limit >> 10)]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// In bytes.
        limit: u64,
    },
    /// A manifest that is not valid TOML, or has unknown or missing keys.
    #[error("{}: {message}", file.display())]
    Syntax {
        /// The manifest.
        file: PathBuf,
        /// Line, column and error.
        message: String,
    },
    /// A key with a wrong value, or with a value that does not fit the model.
    #[error("{}: {error}", file.display())]
    Key {
        /// The manifest.
        file: PathBuf,
        /// What is wrong with the key.
        error: ManifestError,
    },
    /// ONNX Runtime's library is missing or cannot be loaded.
    #[error("{}: {message}; {fix}", file.display())]
    Runtime {
        /// The library.
        file: PathBuf,
        /// What is wrong with it.
        message: String,
        /// What to do.
        fix: &'static str,
    },
    /// ONNX Runtime cannot load or run the model.
    #[error("{}: ONNX Runtime cannot run this model: {message}", file.display())]
    Model {
        /// The model file.
        file: PathBuf,
        /// ONNX Runtime's error.
        message: String,
    },
}

/// What is wrong with a key of a manifest, and what would be right.
#[derive(Debug, thiserror::Error)]
#[error("`{key}` is {found}, expected {expected}; {fix}")]
pub struct ManifestError {
    /// The key, with its table.
    pub key: String,
    /// Its value, or what the model has in its place.
    pub found: String,
    /// What would be right.
    pub expected: String,
    /// What to do.
    pub fix: String,
}

impl ManifestError {
    pub(super) fn new(
        key: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { key: key.to_owned(), found: found.into(), expected: expected.into(), fix: fix.into() }
    }

    pub(super) fn in_file(self, file: &Path) -> LoadError {
        LoadError::Key { file: file.to_owned(), error: self }
    }
}
