//! Opening: is it ours, is it whole, is it of our time?
//!
//! Everything that can refuse the file looks at it read-only, before the first byte may change.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, ffi};

use super::chain;
use super::error::{LogbookError, sql};
use super::reserve::Reserve;
use super::{aside, beside};

/// Where the header of a database file says in which format it may be written, and the last one that there is: with a
/// write-ahead log ("Database File Format", section 1.3.3).
const WRITE_VERSION: usize = 18;
const LAST_WRITE_VERSION: u8 = 2;

/// "HAVW" in the SQLite header.
pub(super) const APPLICATION_ID: i32 = 0x4841_5657;

/// One file a step; step n makes `user_version` n. Never changed once released.
const STEPS: &[&str] = &[
    include_str!("migrations/001_logbook.sql"),
    include_str!("migrations/002_reasons.sql"),
    include_str!("migrations/003_guarantees.sql"),
];

/// The schema in which events began to be linked.
const CHAIN_BEGINS: usize = 3;

/// Every table, those that others refer to first.
pub(super) const TABLES: &[&str] = &[
    "start",
    "camera",
    "look",
    "detection",
    "track",
    "signal",
    "signal_step",
    "alert",
    "acknowledgement",
    "suppressed",
    "visit",
    "visit_step",
    "camera_state",
    "blind_spell",
    "clock_reading",
    "seal",
    "receipt",
    "link",
];

/// A writer waits so long for whoever else has the file.
pub(super) const BUSY: Duration = Duration::from_millis(500);

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
    let unclean = if is_absent(path)? {
        aside::unmark(path);
        false
    } else {
        inspect(path)?
    };
    let mut connection = Connection::open(path).map_err(sql("open the logbook"))?;
    let failed = |doing| move |cause| damage_or(doing, path, cause);
    configure(&connection).map_err(failed("configure the logbook"))?;
    migrate(&mut connection).map_err(failed("bring the logbook's schema up to date"))?;
    Ok(Opened { connection, lock, unclean })
}

/// What SQLite said while `doing`, or that the file is damaged when that is what it said.
pub(super) fn damage_or(doing: &'static str, path: &Path, cause: rusqlite::Error) -> LogbookError {
    match is_damage(&cause) {
        true => LogbookError::Damaged { path: path.into(), report: cause.to_string() },
        false => LogbookError::Sql { doing, cause },
    }
}

/// Opens a file for reading in which anything may be wrong.
pub(super) fn damaged(path: &Path) -> Result<Connection, LogbookError> {
    if is_absent(path)? {
        return Err(LogbookError::Missing { path: path.into() });
    }
    let connection = open_read_only(path)?;
    // A file that lost its end is read up to there.
    connection.pragma_update(None, "writable_schema", true).map_err(sql("configure the logbook"))?;
    // A page is looked at before it is believed.
    connection.pragma_update(None, "cell_size_check", true).map_err(sql("configure the logbook"))?;
    Ok(connection)
}

/// The schema version of an opened file that is ours.
pub(super) fn version_of(connection: &Connection, path: &Path) -> Result<usize, LogbookError> {
    refuse_strangers(connection, path)?
        .ok_or_else(|| LogbookError::Foreign { path: path.into(), found: "an empty database".into() })
}

/// A new logbook at `path` of an earlier schema, or this one. What is copied into it is not linked by itself.
pub(super) fn of_version(path: &Path, version: usize) -> Result<Connection, LogbookError> {
    let mut connection = Connection::open(path).map_err(sql("make a new logbook"))?;
    configure(&connection).map_err(sql("configure the new logbook"))?;
    migrate_to(&mut connection, version).map_err(sql("make a new logbook"))?;
    drop(connection);
    plain(path)
}

/// A connection to a new logbook that notes no events, as one does that has brought it up to date.
fn plain(path: &Path) -> Result<Connection, LogbookError> {
    let connection = Connection::open(path).map_err(sql("open the new logbook"))?;
    configure(&connection).map_err(sql("configure the new logbook"))?;
    Ok(connection)
}

/// Brings a new logbook up to date.
pub(super) fn bring_up_to_date(path: &Path) -> Result<Connection, LogbookError> {
    let mut connection = plain(path)?;
    migrate(&mut connection).map_err(sql("bring the new logbook's schema up to date"))?;
    drop(connection);
    plain(path)
}

/// A new logbook at `path` of this version.
pub(super) fn of_this_version(path: &Path) -> Result<Connection, LogbookError> {
    of_version(path, STEPS.len())
}

/// A logbook of this version that holds nothing, in memory.
pub(super) fn fresh() -> rusqlite::Result<Connection> {
    fresh_of(STEPS.len())
}

fn fresh_of(version: usize) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    migrate_to(&mut connection, version)?;
    Ok(connection)
}

/// The tables that a logbook of this version has, those that others refer to first.
pub(super) fn tables_of(version: usize) -> rusqlite::Result<Vec<&'static str>> {
    let schema = schema(&fresh_of(version)?)?;
    Ok(TABLES.iter().copied().filter(|table| schema.contains_key(&format!("table {table}"))).collect())
}

/// Every table, index and view (`view v_alerts`) with its definition.
pub(super) fn schema(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    connection
        .prepare("SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Keeps the write-ahead log about as short as this, and no longer than SQLite would let it become: a full disk must have
/// room for folding in what it holds.
pub(super) fn keep_log_short(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let pages = i64::try_from(bytes / 4096).unwrap_or(i64::MAX).clamp(16, 1000);
    connection.pragma_update_and_check(None, "wal_autocheckpoint", pages, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", pages * 4096, |_| Ok(()))
}

/// Folds the write-ahead log into the logbook.
pub(super) fn fold(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()))
}

/// Opens an existing logbook for reading.
pub(super) fn for_reading(path: &Path) -> Result<Connection, LogbookError> {
    if is_absent(path)? {
        return Err(LogbookError::Missing { path: path.into() });
    }
    let connection = open_read_only(path)?;
    match refuse_strangers(&connection, path)? {
        Some(found) if found < STEPS.len() => {
            Err(LogbookError::Older { path: path.into(), found, known: STEPS.len() })
        }
        _ => Ok(connection),
    }
}

/// One writer a logbook. A file of its own, because SQLite's own locks would be lost if somebody here closed the logbook.
fn lock(path: &Path) -> Result<File, LogbookError> {
    let lock_path = beside(path, ".lock");
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

/// The schema of a file that is ours and not of a later time. `None` for an empty database.
fn refuse_strangers(connection: &Connection, path: &Path) -> Result<Option<usize>, LogbookError> {
    let read = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let header = || Ok((read("application_id")?, read("schema_version")?, read("user_version")?));
    let (application, schema, version) = header().map_err(|cause| match code(&cause) {
        Some(ErrorCode::NotADatabase) if was_ours(path) => {
            LogbookError::Damaged { path: path.into(), report: "its first page is not a database's".into() }
        }
        Some(ErrorCode::NotADatabase) => {
            LogbookError::Foreign { path: path.into(), found: "not an SQLite database".into() }
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            LogbookError::Damaged { path: path.into(), report: cause.to_string() }
        }
        _ => LogbookError::Sql { doing: "read the logbook's header", cause },
    })?;
    if application == 0 && schema == 0 {
        return Ok(None);
    }
    if application != APPLICATION_ID {
        let found = format!("an SQLite database with application id {application:#010x}");
        return Err(LogbookError::Foreign { path: path.into(), found });
    }
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > STEPS.len() {
        return Err(LogbookError::Newer { path: path.into(), found: version, known: STEPS.len() });
    }
    Ok(Some(version))
}

/// Whether a file that SQLite does not know is what is left of a logbook: our mark in the header, or a reserve beside it.
fn was_ours(path: &Path) -> bool {
    let marked = header(path).is_ok_and(|header| header[68..] == APPLICATION_ID.to_be_bytes());
    marked || Reserve::of(path).is_there()
}

/// The beginning of a database file, up to our mark.
fn header(path: &Path) -> std::io::Result<[u8; 72]> {
    let mut header = [0; 72];
    File::open(path)?.read_exact(&mut header)?;
    Ok(header)
}

/// Refuses what is not ours, and tables that nobody made so; says whether the last writer was cut off, and then checks every
/// page.
fn inspect(path: &Path) -> Result<bool, LogbookError> {
    let connection = open_read_only(path)?;
    let Some(version) = refuse_strangers(&connection, path)? else { return Ok(false) };
    let damaged = |report: String| LogbookError::Damaged { path: path.into(), report };
    if let Some(report) = aside::marked(path) {
        return Err(damaged(report));
    }
    // SQLite only reads what says that a later format wrote it; there is none.
    if header(path).is_ok_and(|header| header[WRITE_VERSION] > LAST_WRITE_VERSION) {
        return Err(damaged("its first page says that nobody may write".into()));
    }
    // SQLite believes what a definition says, even of a table that is not there, and then nothing can ever be written.
    let altered = altered_table(&connection, version).map_err(|cause| damaged(cause.to_string()))?;
    if let Some(table) = altered {
        return Err(damaged(format!("{table} is not as it was made")));
    }
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

/// A table that is not as that version of the schema makes it.
fn altered_table(connection: &Connection, version: usize) -> rusqlite::Result<Option<String>> {
    let (found, made) = (schema(connection)?, schema(&fresh_of(version)?)?);
    Ok(made
        .into_iter()
        .filter(|(name, _)| name.starts_with("table "))
        .find(|(name, definition)| found.get(name) != Some(definition))
        .map(|(name, _)| name))
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    // Takes effect only before the first page is written, so it stands first.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    if !says_write_ahead(connection)? {
        let why = Some("the disk refused the write-ahead log".to_owned());
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), why));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // What a full disk must not be asked for.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Whether a new connection finds the file in write-ahead mode. The one that asked for it is told "wal" before the change is on
/// disk, goes on being told so, and writes in the old mode without a word when the disk refused it: nothing here is promised
/// in that mode.
fn says_write_ahead(connection: &Connection) -> rusqlite::Result<bool> {
    let Some(path) = connection.path().filter(|path| !path.is_empty()) else { return Ok(false) };
    let other = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // It knows the mode once it has read the first page.
    match other.pragma_query_value(None, "schema_version", |_| Ok(())) {
        // A change that was broken off left a journal, which this connection may not roll back.
        Err(cause) if code(&cause) == Some(ErrorCode::ReadOnly) => return Ok(false),
        read => read?,
    }
    other.pragma_query_value(None, "journal_mode", |row| Ok(row.get::<_, String>(0)? == "wal"))
}

/// Walks the steps from the file's `user_version`, each in a transaction of its own.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate_to(connection, STEPS.len())
}

fn migrate_to(connection: &mut Connection, version: usize) -> rusqlite::Result<()> {
    let done: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (index, step) in STEPS.iter().enumerate().take(version).skip(usize::try_from(done).unwrap_or(0)) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        if index + 1 == CHAIN_BEGINS {
            chain::adopt(&transaction)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", i32::try_from(index + 1).unwrap_or(i32::MAX))?;
        transaction.commit()?;
    }
    Ok(())
}

/// Whether this says that the file is damaged.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(code(error), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether this says that the file holds what nobody wrote: damage, or values of another kind than their columns'.
pub(super) fn is_broken(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    let of_another_kind = matches!(
        error,
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..)
    );
    of_another_kind || is_damage(error)
}

/// Whether this says that there is no room.
pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    code(error) == Some(ErrorCode::DiskFull)
}

pub(super) fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}
