//! Opening: is the file a logbook, is it whole, and does this version know its schema?
//!
//! Every check that can refuse the file reads it only; nothing is written before all have passed.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::error::{LogbookError, code, damage_or_sql, sql};
use super::files::{beside, read_damage_note, remove_damage_note};
use super::maintain::reserve::Reserve;
use super::schema::{self, APPLICATION_ID};

/// The byte of the header that says which format version may write the file, and the highest value that SQLite writes
/// ("Database File Format", section 1.3.3).
const WRITE_VERSION: usize = 18;
const LAST_WRITE_VERSION: u8 = 2;

/// How long a writer waits for another connection that holds the file.
pub(super) const BUSY: Duration = Duration::from_millis(500);

/// A connection that may write, and the lock that makes it the only one.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) lock: File,
    /// The last writer did not close the logbook.
    pub(super) unclean: bool,
}

/// Opens or creates a logbook for writing, and updates its schema.
pub(super) fn for_writing(path: &Path) -> Result<Opened, LogbookError> {
    let lock = lock(path)?;
    let unclean = if is_absent(path)? {
        remove_damage_note(path);
        false
    } else {
        inspect(path)?
    };
    let mut connection = Connection::open(path).map_err(sql("open the logbook"))?;
    let failed = |doing| move |cause| damage_or_sql(doing, path, cause);
    configure(&connection).map_err(failed("configure the logbook"))?;
    schema::migrate(&mut connection).map_err(failed("update the logbook's schema"))?;
    Ok(Opened { connection, lock, unclean })
}

/// Opens an existing logbook for reading.
pub(super) fn for_reading(path: &Path) -> Result<Connection, LogbookError> {
    if is_absent(path)? {
        return Err(LogbookError::Missing { path: path.into() });
    }
    let connection = open_read_only(path)?;
    match checked_version(&connection, path)? {
        Some(found) if found < schema::VERSION => {
            return Err(LogbookError::Older { path: path.into(), found, known: schema::VERSION });
        }
        Some(_) => {}
        None => return Ok(connection),
    }
    let failed = |cause| damage_or_sql("read the logbook's views", path, cause);
    if !schema::views_are_current(&connection).map_err(failed)? {
        schema::create_temporary_views(&connection).map_err(failed)?;
    }
    Ok(connection)
}

/// Opens a file for reading in which anything may be wrong.
pub(super) fn damaged(path: &Path) -> Result<Connection, LogbookError> {
    if is_absent(path)? {
        return Err(LogbookError::Missing { path: path.into() });
    }
    let connection = open_read_only(path)?;
    // Otherwise SQLite refuses a file that lost its end.
    connection.pragma_update(None, "writable_schema", true).map_err(sql("configure the logbook"))?;
    // Pages are checked before their cells are read.
    connection.pragma_update(None, "cell_size_check", true).map_err(sql("configure the logbook"))?;
    Ok(connection)
}

/// The schema version of an opened logbook.
pub(super) fn version_of(connection: &Connection, path: &Path) -> Result<usize, LogbookError> {
    checked_version(connection, path)?
        .ok_or_else(|| LogbookError::Foreign { path: path.into(), found: "an empty database".into() })
}

/// As [`version_of`]. In a damaged file the tables say more reliably than the header which version it is.
pub(super) fn version_of_damaged(connection: &Connection, path: &Path) -> Result<usize, LogbookError> {
    let is_current = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'pass'";
    match connection.query_row(is_current, [], |row| row.get::<_, i64>(0)) {
        Ok(1..) => Ok(schema::VERSION),
        _ => version_of(connection, path).map(|version| version.max(1)),
    }
}

/// A new logbook with the schema of a version. Rows that are written through this connection get no links.
pub(super) fn new_of_version(path: &Path, version: usize) -> Result<Connection, LogbookError> {
    let mut connection = without_links(path)?;
    schema::migrate_to(&mut connection, version).map_err(sql("make a new logbook"))?;
    drop(connection);
    without_links(path)
}

/// Updates the schema of a new logbook.
pub(super) fn update_new(path: &Path) -> Result<Connection, LogbookError> {
    let mut connection = without_links(path)?;
    schema::migrate(&mut connection).map_err(sql("update the new logbook's schema"))?;
    drop(connection);
    without_links(path)
}

/// A fresh connection has no triggers that note events, unlike one that ran a migration.
fn without_links(path: &Path) -> Result<Connection, LogbookError> {
    let connection = Connection::open(path).map_err(sql("open the new logbook"))?;
    configure(&connection).map_err(sql("configure the new logbook"))?;
    Ok(connection)
}

/// Limits the length of the write-ahead log: a full disk must have room for a checkpoint of all of it. SQLite's own limit
/// stays the maximum.
pub(super) fn limit_wal(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let pages = i64::try_from(bytes / 4096).unwrap_or(i64::MAX).clamp(16, 1000);
    connection.pragma_update_and_check(None, "wal_autocheckpoint", pages, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", pages * 4096, |_| Ok(()))
}

/// Runs a checkpoint, and empties the write-ahead log.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()))
}

/// One writer for a logbook. A file of its own: SQLite's locks are lost when any connection of this process is closed.
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

/// The schema version of a file that is a logbook and not newer than this version. `None` for an empty database.
fn checked_version(connection: &Connection, path: &Path) -> Result<Option<usize>, LogbookError> {
    let read = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let header = || Ok((read("application_id")?, read("schema_version")?, read("user_version")?));
    let (application, schema, version) = header().map_err(|cause| match code(&cause) {
        Some(ErrorCode::NotADatabase) if was_logbook(path) => LogbookError::Damaged {
            path: path.into(),
            report: "the first page is not a database header".into(),
        },
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
    if version > schema::VERSION {
        return Err(LogbookError::Newer { path: path.into(), found: version, known: schema::VERSION });
    }
    Ok(Some(version))
}

/// Whether a file that SQLite cannot read was a logbook: our application id in the header, or a reserve beside it.
fn was_logbook(path: &Path) -> bool {
    let marked = header(path).is_ok_and(|header| header[68..] == APPLICATION_ID.to_be_bytes());
    marked || Reserve::of(path).is_there()
}

/// The beginning of a database file, up to and with the application id.
fn header(path: &Path) -> std::io::Result<[u8; 72]> {
    let mut header = [0; 72];
    File::open(path)?.read_exact(&mut header)?;
    Ok(header)
}

/// Refuses a file that is no logbook or is damaged. Returns whether the last writer was cut off; every page is checked
/// then.
fn inspect(path: &Path) -> Result<bool, LogbookError> {
    let connection = open_read_only(path)?;
    let Some(version) = checked_version(&connection, path)? else { return Ok(false) };
    let damaged = |report: String| LogbookError::Damaged { path: path.into(), report };
    if let Some(report) = read_damage_note(path) {
        return Err(damaged(report));
    }
    // SQLite opens a file of a later format for reading only. There is no such format: the byte is damaged.
    if header(path).is_ok_and(|header| header[WRITE_VERSION] > LAST_WRITE_VERSION) {
        return Err(damaged("the first page says that the file is read-only".into()));
    }
    // SQLite trusts a definition, even one that refers to a missing table; then no row can ever be written.
    let altered = schema::altered_table(&connection, version).map_err(|cause| damaged(cause.to_string()))?;
    if let Some(table) = altered {
        return Err(damaged(format!("the definition of {table} was altered")));
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

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    // First, because it has an effect only before the first page is written.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    if !is_in_wal_mode(connection)? {
        let why = Some("the disk refused the write-ahead log".to_owned());
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), why));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // A full disk has no room for temporary files.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Whether a second connection finds the file in write-ahead mode. The connection that asked for the mode reports "wal"
/// before the change is on disk; when the disk refuses the change, it continues in the old mode without an error.
fn is_in_wal_mode(connection: &Connection) -> rusqlite::Result<bool> {
    let Some(path) = connection.path().filter(|path| !path.is_empty()) else { return Ok(false) };
    let other = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // A connection knows the mode after it has read the first page.
    match other.pragma_query_value(None, "schema_version", |_| Ok(())) {
        // A broken change left a journal, which a read-only connection cannot roll back.
        Err(cause) if code(&cause) == Some(ErrorCode::ReadOnly) => return Ok(false),
        read => read?,
    }
    other.pragma_query_value(None, "journal_mode", |row| Ok(row.get::<_, String>(0)? == "wal"))
}
