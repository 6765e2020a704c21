//! A diagnostic: where in the site file, what is wrong, what would be right.

use std::fmt;
use std::ops::Range;

/// The level of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The daemon does not start.
    Error,
    /// Allowed, but probably not meant.
    Warning,
}

/// A diagnostic about a site file. It never contains a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub level: Level,
    /// The path of the site file, as given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Full key, list items from 0: `camera[2].regions[0]`. Empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub help: Option<String>,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        write!(f, "{}:{}:{}: {level}: ", self.file, self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// Why there is no [`Site`](super::Site).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read at all.
    #[error("cannot read the site file {path}: {cause}")]
    Unreadable {
        /// The path, as given.
        path: std::path::PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The errors and warnings, in the order of the file.
    #[error("{}", lines(.0))]
    Invalid(Vec<Diagnostic>),
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
