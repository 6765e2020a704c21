//! Opening: is it ours, is it whole, is it of our time?
//!
//! Everything that can refuse the file looks at it read-only, before the first byte may change.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::error::{LogbookError, sql};

/// "HAVW" in the SQLite header.
pub(super) const APPLICATION_ID: i32 = 0x4841_5657;

/// One file a step; step n makes `user_version` n. Never changed once released.
const STEPS: &[&str] = &[include_str!("migrations/001_logbook.sql")];

/// The write-ahead log is cut back to this after a checkpoint.
const JOURNAL_LIMIT: i64 = 8 << 20;

/// A connection that may write, and the lock that makes it the only one.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) lock: File,
    /// The last writer did not close the logbook.
    pub(super) unclean: bool,
}

/// Opens or creates the logbook for writing.
pub(super) fn for_writing(path: &Path) -> Result<Opened, LogbookError> {
    let lock = lock(path)?;
    let unclean = if is_absent(path)? { false } else { inspect(path)? };
    let mut connection = Connection::open(path).map_err(sql("open the logbook"))?;
    configure(&connection).map_err(sql("configure the logbook"))?;
    migrate(&mut connection).map_err(sql("bring the logbook's schema up to date"))?;
    Ok(Opened { connection, lock, unclean })
}

/// Opens an existing logbook for reading.
pub(super) fn for_reading(path: &Path) -> Result<Connection, LogbookError> {
    if is_absent(path)? {
        return Err(LogbookError::Missing { path: path.into() });
    }
    let connection = open_read_only(path)?;
    refuse_strangers(&connection, path)?;
    Ok(connection)
}

/// One writer a logbook. A file of its own, because SQLite's own locks would be lost if somebody here closed the logbook.
fn lock(path: &Path) -> Result<File, LogbookError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let file = File::create(&lock_path).map_err(|cause| LogbookError::Io {
        doing: "create",
        path: lock_path.clone(),
        cause,
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(LogbookError::InUse { path: path.into() }),
        Err(std::fs::TryLockError::Error(cause)) => {
            Err(LogbookError::Io { doing: "lock", path: lock_path, cause })
        }
    }
}

fn is_absent(path: &Path) -> Result<bool, LogbookError> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(found.len() == 0),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(cause) => Err(LogbookError::Io { doing: "read", path: path.into(), cause }),
    }
}

fn open_read_only(path: &Path) -> Result<Connection, LogbookError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sql("open the logbook for reading"))?;
    connection.busy_timeout(Duration::from_secs(2)).map_err(sql("configure the logbook"))?;
    Ok(connection)
}

/// Whether the file is ours and of our time. `Ok(false)` for an empty database.
fn refuse_strangers(connection: &Connection, path: &Path) -> Result<bool, LogbookError> {
    let read = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let header = || Ok((read("application_id")?, read("schema_version")?, read("user_version")?));
    let (application, schema, version) = header().map_err(|cause| match code(&cause) {
        Some(ErrorCode::NotADatabase) => {
            LogbookError::Foreign { path: path.into(), found: "not an SQLite database".into() }
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            LogbookError::Damaged { path: path.into(), report: cause.to_string() }
        }
        _ => LogbookError::Sql { doing: "read the logbook's header", cause },
    })?;
    if application == 0 && schema == 0 {
        return Ok(false);
    }
    if application != APPLICATION_ID {
        let found = format!("an SQLite database with application id {application:#010x}");
        return Err(LogbookError::Foreign { path: path.into(), found });
    }
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > STEPS.len() {
        return Err(LogbookError::Newer { path: path.into(), found: version, known: STEPS.len() });
    }
    Ok(true)
}

/// Refuses what is not ours; says whether the last writer was cut off, and then checks every page.
fn inspect(path: &Path) -> Result<bool, LogbookError> {
    let connection = open_read_only(path)?;
    if !refuse_strangers(&connection, path)? {
        return Ok(false);
    }
    let damaged = |report: String| LogbookError::Damaged { path: path.into(), report };
    let unclean = connection
        .query_row(
            "SELECT count(*) FROM start WHERE ended IS NULL AND id = (SELECT max(id) FROM start)",
            [],
            |row| row.get::<_, i64>(0),
        )
        .map_err(|cause| damaged(cause.to_string()))?
        > 0;
    if unclean {
        let check = || {
            let mut statement = connection.prepare("PRAGMA quick_check(5)")?;
            statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
        };
        let report = check().map_err(|cause| damaged(cause.to_string()))?;
        if report != ["ok"] {
            return Err(damaged(report.join("; ")));
        }
    }
    Ok(unclean)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(500))?;
    // Takes effect only before the first page is written, so it stands first.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update_and_check(None, "journal_size_limit", JOURNAL_LIMIT, |_| Ok(()))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Walks the steps from the file's `user_version`, each in a transaction of its own.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let done: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (index, step) in STEPS.iter().enumerate().skip(usize::try_from(done).unwrap_or(0)) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", i32::try_from(index + 1).unwrap_or(i32::MAX))?;
        transaction.commit()?;
    }
    Ok(())
}

pub(super) fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}
