//! What every function that writes rows needs, and what it returns.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, ErrorCode};

use super::error::code;
use super::values::local;

/// Where rows are written: the connection with its open transaction, the site's time zone, the number of this start.
#[derive(Clone, Copy)]
pub(super) struct WriteContext<'a> {
    pub(super) connection: &'a Connection,
    pub(super) zone: &'a TimeZone,
    pub(super) start: i64,
}

impl WriteContext<'_> {
    /// A time as it is stored: milliseconds and offset.
    pub(super) fn local(&self, at: Timestamp) -> (i64, i64) {
        local(self.zone, at)
    }
}

/// Why an entry made no row.
#[derive(Debug)]
pub(super) enum Failure {
    /// This entry can never be written; others can.
    Rejected(String),
    /// Nothing can be written now. The same entries are tried again.
    Retryable(rusqlite::Error),
    /// Nothing can be written to this file ever again: it is damaged.
    Fatal(rusqlite::Error),
}

impl Failure {
    /// The failure of a statement that is not about one entry, such as `COMMIT`: no entry is rejected for it.
    pub(super) fn of_transaction(error: rusqlite::Error) -> Self {
        match Self::from(error) {
            Self::Rejected(why) => Self::Retryable(rusqlite::Error::ToSqlConversionFailure(why.into())),
            other => other,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match code(&error) {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Fatal(error),
            Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
                Self::Rejected(error.to_string())
            }
            Some(_) => Self::Retryable(error),
            // An error of the code around SQLite: the entry does not fit the schema.
            None => Self::Rejected(error.to_string()),
        }
    }
}

/// What an entry became.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Written {
    pub(super) detections: u64,
    /// The alert's number in the outbox.
    pub(super) alert: Option<i64>,
    /// The signal was written without its alert, which no broker would accept.
    pub(super) unsendable: bool,
}
