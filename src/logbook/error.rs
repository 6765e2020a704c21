//! Errors of the logbook, and what SQLite's own errors mean for it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a logbook cannot be used. The file is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum LogbookError {
    /// Another process writes it.
    #[error("another havenwacht is writing {path}; a logbook has one writer")]
    InUse {
        /// The logbook.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error(
        "{path} was written by a later version (schema {found}; this version knows schema {known}): \
         install that version or name another logbook"
    )]
    Newer {
        /// The logbook.
        path: PathBuf,
        /// Its schema.
        found: usize,
        /// The latest schema that this version knows.
        known: usize,
    },
    /// An earlier version wrote it, and it is opened for reading only.
    #[error(
        "{path} was written by an earlier version (schema {found}; this version reads schema {known}): \
         `havenwacht run` of this version updates it; plain sqlite3 reads it as it is"
    )]
    Older {
        /// The logbook.
        path: PathBuf,
        /// Its schema.
        found: usize,
        /// The schema that this version reads.
        known: usize,
    },
    /// Not written by Havenwacht.
    #[error("{path} is not a Havenwacht logbook ({found}): name another file")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// There is no such file.
    #[error("there is no logbook at {path}")]
    Missing {
        /// The file that was named.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "{path} is damaged: {report}; keep the file; `havenwacht run` puts it in quarantine by itself, \
         `havenwacht logbook recover` reads what can be read"
    )]
    Damaged {
        /// The logbook.
        path: PathBuf,
        /// What was found.
        report: String,
    },
    /// A new file was to be written, and the name is taken.
    #[error("{path} exists already: name a file that does not exist")]
    Exists {
        /// The file that was named.
        path: PathBuf,
    },
    /// Not an IANA time zone.
    #[error("`{0}` is not a time zone")]
    TimeZone(String),
    /// The file system failed.
    #[error("cannot {doing} {path}: {cause}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// SQLite failed.
    #[error("cannot {doing}: {cause}")]
    Sql {
        /// What was tried.
        doing: &'static str,
        /// Why.
        cause: rusqlite::Error,
    },
    /// The writer thread has ended.
    #[error("the logbook's writer has stopped: {0}")]
    Stopped(String),
    /// The deadline passed.
    #[error("the logbook did not write all entries in time; {waiting} entries wait")]
    Late {
        /// Entries not yet committed.
        waiting: u64,
    },
}

/// Makes a [`LogbookError`] of an SQLite error; `doing` is what was tried.
pub(super) fn sql(doing: &'static str) -> impl Fn(rusqlite::Error) -> LogbookError {
    move |cause| LogbookError::Sql { doing, cause }
}

/// As [`sql`], but [`LogbookError::Damaged`] where SQLite reports damage.
pub(super) fn damage_or_sql(doing: &'static str, path: &Path, cause: rusqlite::Error) -> LogbookError {
    match is_damage(&cause) {
        true => LogbookError::Damaged { path: path.into(), report: cause.to_string() },
        false => LogbookError::Sql { doing, cause },
    }
}

/// The file is damaged.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(code(error), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// The file is damaged, or holds values of another type than their columns allow.
pub(super) fn is_unreadable(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    let wrong_type = matches!(
        error,
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..)
    );
    wrong_type || is_damage(error)
}

/// The disk is full.
pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    code(error) == Some(ErrorCode::DiskFull)
}

pub(super) fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}
