//! Opening: is it ours, is it whole, is it of our time?
//!
//! Everything that can refuse the file looks at it read-only, before the first byte may change.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, ffi};

use super::chain;
use super::error::{LogbookError, sql};

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
    match refuse_strangers(&connection, path)? {
        Some(found) if found < STEPS.len() => {
            Err(LogbookError::Older { path: path.into(), found, known: STEPS.len() })
        }
        _ => Ok(connection),
    }
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

/// The schema of a file that is ours and not of a later time. `None` for an empty database.
fn refuse_strangers(connection: &Connection, path: &Path) -> Result<Option<usize>, LogbookError> {
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

/// Refuses what is not ours; says whether the last writer was cut off, and then checks every page.
fn inspect(path: &Path) -> Result<bool, LogbookError> {
    let connection = open_read_only(path)?;
    if refuse_strangers(&connection, path)?.is_none() {
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
    // SQLite answers "wal" before the change is on disk, and keeps the old mode without a word when the disk refuses it then.
    // Nothing here is promised in that mode.
    let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if journal != "wal" {
        let why = format!("the disk refused the write-ahead log (journal mode `{journal}`)");
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), Some(why)));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // What a full disk must not be asked for.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
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
        if index + 1 == CHAIN_BEGINS {
            chain::adopt(&transaction)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", i32::try_from(index + 1).unwrap_or(i32::MAX))?;
        transaction.commit()?;
    }
    Ok(())
}

pub(super) fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logbook::testing::{SOON, at, column, open, step};
    use crate::logbook::{Evidence, Outbox, Reader};
    use crate::rules::Phase;

    /// As version 1 left it behind: a signal that was told and closed, one that was cut off, one within the cooldown.
    const VERSION_1: &str = "
        INSERT INTO start VALUES (1, 1000, 8, 'run', '0.1.0', 'c0', 'f0', 'Europe/Amsterdam', 1, NULL);
        INSERT INTO camera VALUES (1, 'quay-east');
        INSERT INTO look VALUES (1, 1, 1, 1500, 8, 3, 1920, 1080);
        INSERT INTO detection VALUES (256, 7, 0, 813, 1, 2, 3, 4);
        INSERT INTO signal VALUES
          (1, '00000000-0000-0000-0000-000000000001', 1, 1, 'night-passage', 'Night passage', 'presence', 'basin', 'Basin',
           'alert', 7, 1, 1000, 8, 2000, 8, 9000, 8, 'rule', 1.5, 1.0, 's', 'vessel 7 entered'),
          (2, '00000000-0000-0000-0000-000000000002', 1, 1, 'night-passage', 'Night passage', 'presence', 'basin', 'Basin',
           'warning', 8, 1, 1000, 8, 2500, 8, NULL, NULL, NULL, 1.5, 1.0, 's', 'vessel 8 entered'),
          (3, '00000000-0000-0000-0000-000000000003', 1, 1, 'night-passage', 'Night passage', 'presence', 'basin', 'Basin',
           'info', 7, 0, 9500, 8, 9900, 8, 9950, 8, 'rule', 1.5, 1.0, 's', 'vessel 7 entered');
        INSERT INTO signal_step VALUES
          (1, 1, 'opened', 2000, 8, 1.5, 'vessel 7 entered', 0.1, 0.2, 0.3, 0.4),
          (2, 2, 'opened', 2500, 8, 1.5, 'vessel 8 entered', 0.1, 0.2, 0.3, 0.4),
          (4, 2, 'updated', 3000, 8, 2.5, 'vessel 8 entered', 0.1, 0.2, 0.3, 0.5),
          (5, 1, 'closed', 9000, 8, 2.5, 'vessel 7 entered', 0.1, 0.2, 0.3, 0.4),
          (6, 3, 'opened', 9900, 8, 1.5, 'vessel 7 entered', 0.1, 0.2, 0.3, 0.4),
          (7, 3, 'closed', 9950, 8, 1.5, 'vessel 7 entered', 0.1, 0.2, 0.3, 0.4);
        INSERT INTO alert (seq, id, start, signal, phase, at, utc_offset, topic, payload) VALUES
          (1, 'a', 1, 1, 'opened', 2000, 8, 'havenwacht/s/alert/quay-east/night-passage', '{\"severity\":\"alert\"}'),
          (2, 'b', 1, 2, 'opened', 2500, 8, 'havenwacht/s/alert/quay-east/night-passage', 'not an object');
        INSERT INTO camera_state VALUES (1, 1, 1, 1000, 8, 'streaming', '', 0);";

    fn of_version_1(path: &Path) {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection.execute_batch(VERSION_1).unwrap();
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
    }

    #[test]
    fn a_logbook_of_version_1_keeps_every_row_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        of_version_1(&path);
        let kept = [
            "SELECT id || phase || at || measured || text || y1 FROM signal_step WHERE id <= 7 ORDER BY id",
            "SELECT id || rule || opened || measured || threshold || vessel FROM signal ORDER BY seq",
            "SELECT id || payload FROM alert ORDER BY seq",
            "SELECT vessel || confidence FROM v_detections",
            "SELECT local_time || state FROM v_camera_state",
        ];
        let before = kept.map(|query| column(&path, query));
        let (writer, sender) = open(&path);
        assert_eq!(kept.map(|query| column(&path, query)), before);
        assert_eq!(before[0].len(), 6);
        assert_eq!((writer.start(), writer.next_vessel()), (2, 9));
        assert_eq!(
            column(&path, "SELECT signal || phase || severity FROM v_signal_steps WHERE id > 7"),
            ["2closedwarning"],
            "what was open is closed by the restart"
        );
        assert_eq!(column(&path, "SELECT condition || schedule || margin FROM v_signals"), ["0.0"; 3]);
        assert_eq!(column(&path, "SELECT config_hash FROM v_signals"), ["c0"; 3]);
        // The rebuilt table takes the new phase, and a signal that goes takes its steps along.
        sender.send(step(5, Phase::Opened, 1.0)).unwrap();
        sender.send(step(5, Phase::Escalated, 2.0)).unwrap();
        writer.close(at(3.0).wall, SOON).unwrap();
        assert_eq!(column(&path, "SELECT phase FROM signal_step WHERE id > 8"), ["opened", "escalated"]);
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        connection.execute("DELETE FROM signal WHERE seq = 3", []).unwrap();
        assert_eq!(column(&path, "SELECT count(*) FROM signal_step WHERE signal = 3"), ["0"]);
        assert_eq!(column(&path, "PRAGMA foreign_key_check"), [""; 0]);
        assert_eq!(column(&path, "PRAGMA integrity_check"), ["ok"]);
    }

    #[test]
    fn what_a_logbook_of_an_earlier_version_holds_is_chained_from_its_first_row_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        of_version_1(&path);
        open(&path).0.close(at(0.0).wall, SOON).unwrap();
        let verify = || Reader::open(&path).unwrap().verify(&Evidence::default(), |_| ()).unwrap();
        let verified = verify();
        assert_eq!(verified.faults, []);
        assert_eq!((verified.looks, verified.detections), (1, 1));
        let altered = "UPDATE signal_step SET measured = 9 WHERE id = 1";
        Connection::open(&path).unwrap().execute_batch(altered).unwrap();
        assert_eq!(verify().faults.len(), 1);
    }

    #[test]
    fn a_reader_says_what_to_do_about_an_older_logbook() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        of_version_1(&path);
        let refused = Reader::open(&path).err().unwrap();
        assert!(matches!(refused, LogbookError::Older { found: 1, known: 3, .. }), "{refused}");
        assert!(refused.to_string().contains("havenwacht run"), "{refused}");
        open(&path).0.close(at(0.0).wall, SOON).unwrap();
        assert!(Reader::open(&path).is_ok() && Outbox::open(&path).is_ok());
    }
}
