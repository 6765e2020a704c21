//! The integrity check: pages, references, schema, receipts and chain, also while the daemon writes.

use std::path::Path;

use rusqlite::Connection;

use super::verification::TrustAnchors;
use crate::logbook::error::{LogbookError, is_unreadable, sql};
use crate::logbook::files::{beside, wal_bytes};
use crate::logbook::maintain::maintenance::WAL_HELD;
use crate::logbook::maintain::row_kinds::RowKind;
use crate::logbook::ranges::Ranges;
use crate::logbook::read::reader::Reader;
use crate::logbook::{open, schema};

/// Faults of one kind that are reported, at most.
const REPORTED: usize = 20;

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntegrityReport {
    /// Rows of each table.
    pub counts: Vec<(String, u64)>,
    /// Faults, in words.
    pub faults: Vec<String>,
    /// Facts that are not faults.
    pub notes: Vec<String>,
}

impl IntegrityReport {
    /// There is no fault.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A part of the check: its name and its function.
type CheckPart = (&'static str, fn(&Connection, &mut IntegrityReport) -> rusqlite::Result<()>);

/// In this order, because later parts rely on earlier ones.
const PARTS: &[CheckPart] = &[
    ("pages", pages),
    ("references", references),
    ("schema", definitions),
    ("rows", counts),
    ("receipts", receipts),
];

/// Checks the logbook at `path`, and changes nothing. `progress` gets the name of each part before it begins.
///
/// Errors: the file cannot be opened as a logbook of this version ([`LogbookError::Foreign`], `Newer`, `Older`, `Damaged`),
/// or cannot be read at all. Faults of an opened logbook are in the report.
pub fn check_integrity(path: &Path, mut progress: impl FnMut(&str)) -> Result<IntegrityReport, LogbookError> {
    let mut report = check_without_chain(path, &mut progress)?;
    progress("chain");
    // Without trust anchors, which only `logbook verify` takes.
    let verified = Reader::open(path)?.verify(&TrustAnchors::default(), |_step| ())?;
    let faults = verified.faults.into_iter().take(REPORTED);
    report.faults.extend(faults.map(|fault| format!("chain: {}", fault.what)));
    Ok(report)
}

/// All of [`check_integrity`] but the chain.
pub(in crate::logbook) fn check_without_chain(
    path: &Path,
    mut progress: impl FnMut(&str),
) -> Result<IntegrityReport, LogbookError> {
    let connection = open::for_reading(path)?;
    let mut report = IntegrityReport::default();
    for (name, part) in PARTS {
        progress(name);
        if let Err(cause) = part(&connection, &mut report) {
            if !is_unreadable(&cause) {
                return Err(sql("check the logbook")(cause));
            }
            report.faults.push(format!("{name}: {cause}"));
        }
    }
    files(path, &mut report);
    Ok(report)
}

/// The trees of all tables and indices, and whether they agree.
fn pages(connection: &Connection, report: &mut IntegrityReport) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({REPORTED})"))?;
    for line in statement.query_map([], |row| row.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            report.faults.push(line);
        }
    }
    Ok(())
}

/// Rows that refer to missing rows.
fn references(connection: &Connection, report: &mut IntegrityReport) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let broken = statement.query_map([], |row| {
        Ok(format!(
            "{} {} refers to a missing row of {}",
            row.get::<_, String>(0)?,
            row.get::<_, Option<i64>>(1)?.unwrap_or_default(),
            row.get::<_, String>(2)?
        ))
    })?;
    for line in broken.take(REPORTED) {
        report.faults.push(line?);
    }
    Ok(())
}

/// Tables, indices and views are those of a new logbook.
fn definitions(connection: &Connection, report: &mut IntegrityReport) -> rusqlite::Result<()> {
    let (found, wanted) = (schema::definitions(connection)?, schema::definitions(&schema::fresh()?)?);
    for (name, definition) in &wanted {
        match found.get(name) {
            None => report.faults.push(format!("{name} is missing")),
            Some(other) if other != definition => {
                report.faults.push(format!("{name} differs from that of this version"));
            }
            Some(_) => {}
        }
    }
    let unknown = found.keys().filter(|name| !wanted.contains_key(*name));
    report.faults.extend(unknown.map(|name| format!("{name} does not belong to a logbook")));
    Ok(())
}

fn counts(connection: &Connection, report: &mut IntegrityReport) -> rusqlite::Result<()> {
    for table in schema::tables()? {
        let rows = connection
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))?
            .unsigned_abs();
        report.counts.push((table.to_owned(), rows));
    }
    let waiting: i64 = connection.query_row(
        "SELECT count(*) FROM alert WHERE delivered IS NULL AND expired IS NULL",
        [],
        |row| row.get(0),
    )?;
    if waiting > 0 {
        report.notes.push(format!("alerts that wait for the broker: {waiting}"));
    }
    Ok(())
}

/// Rows that a receipt lists are deleted, and their number is right.
fn receipts(connection: &Connection, report: &mut IntegrityReport) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare("SELECT id, act, kind, ids, rows, done IS NULL FROM receipt ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut pending = 0;
    while let Some(row) = rows.next()? {
        let (id, act, kind) = (row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        let (ids, count) = (row.get::<_, String>(3)?, row.get::<_, i64>(4)?.unsigned_abs());
        let Some(ids) = ids.parse::<Ranges>().ok() else {
            report.faults.push(format!("receipt {id} ({act}, {kind}): `{ids}` is not a list of row numbers"));
            continue;
        };
        if ids.count() != count {
            report
                .faults
                .push(format!("receipt {id} ({act}, {kind}): {count} rows, but {} numbers", ids.count()));
        }
        let Some(row_kind) = RowKind::named(&kind) else { continue };
        if row.get(5)? {
            pending += 1;
        } else if act != "damaged" {
            // Numbers that could not be read may never have existed, and may be used by later rows.
            let present = row_kind.present(connection, &ids)?;
            if present > 0 {
                report.faults.push(format!("receipt {id} ({act}): {present} rows of {kind} are not deleted"));
            }
        }
    }
    if pending > 0 {
        report.notes.push(format!("removals that the daemon will continue: {pending}"));
    }
    Ok(())
}

/// Files beside the logbook.
fn files(path: &Path, report: &mut IntegrityReport) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut damaged: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|file| {
            file.starts_with(&format!("{name}.damaged-"))
                && !file.ends_with("-wal")
                && !file.ends_with("-shm")
        })
        .collect();
    damaged.sort_unstable();
    report
        .notes
        .extend(damaged.iter().map(|file| format!("{file} is in quarantine; `logbook recover` reads it")));
    if beside(path, ".damaged").exists() {
        report
            .faults
            .push("damage was found while it was written; the next start puts it in quarantine".to_owned());
    }
    let wal = wal_bytes(path);
    if wal > WAL_HELD {
        report.notes.push(format!(
            "its write-ahead log is {} MB long: a program holds the logbook open for reading",
            wal / 1_000_000
        ));
    }
}
