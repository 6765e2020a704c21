//! What can be wrong with a logbook.

use std::path::PathBuf;

/// Why a logbook cannot be used. The file is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum LogbookError {
    /// Another watch writes it.
    #[error("another havenwacht is writing {path}; one logbook has one writer")]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// Written by a later version.
    #[error(
        "{path} was written by a later version (schema {found}, this version knows {known}): \
         install that version or name another logbook"
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema.
        found: usize,
        /// The last schema known here.
        known: usize,
    },
    /// Written by an earlier version, and only read now.
    #[error(
        "{path} was written by an earlier version (schema {found}, this version reads {known}): \
         `havenwacht run` with this version brings it up to date; plain sqlite3 reads it as it is"
    )]
    Older {
        /// Which file.
        path: PathBuf,
        /// Its schema.
        found: usize,
        /// The schema that is read here.
        known: usize,
    },
    /// Not written by Havenwacht.
    #[error("{path} is not a Havenwacht logbook ({found}): name another file")]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// There is none.
    #[error("there is no logbook at {path}")]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// SQLite's check found damage.
    #[error(
        "{path} is damaged: {report}; keep the file; `havenwacht run` moves it aside by itself, `havenwacht logbook salvage` reads what can be read"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What the check said.
        report: String,
    },
    /// A new file was to be written, and there is one.
    #[error("{path} exists already: name a file that does not")]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// Not an IANA time zone.
    #[error("`{0}` is not a time zone")]
    TimeZone(String),
    /// The file system said no.
    #[error("cannot {doing} {path}: {cause}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// SQLite said no.
    #[error("cannot {doing}: {cause}")]
    Sql {
        /// What was tried.
        doing: &'static str,
        /// Why.
        cause: rusqlite::Error,
    },
    /// The writer has gone.
    #[error("the logbook's writer has stopped: {0}")]
    Stopped(String),
    /// Not in time.
    #[error("the logbook did not take all rows in time; {waiting} entries wait")]
    Late {
        /// Entries not yet committed.
        waiting: u64,
    },
}

/// Turns an SQLite error into ours, saying what was being done.
pub(super) fn sql(doing: &'static str) -> impl Fn(rusqlite::Error) -> LogbookError {
    move |cause| LogbookError::Sql { doing, cause }
}
