//! Is everything in order? Looks at a logbook from every side, also while the watch writes it.

use std::path::Path;

use rusqlite::Connection;

use super::chain::Evidence;
use super::error::{LogbookError, sql};
use super::holdings::Holding;
use super::ranges::Ranges;
use super::reader::Reader;
use super::{beside, open};

/// Faults of one kind that are told; so many are enough to know.
const TOLD: usize = 20;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkup {
    /// Rows of each table.
    pub counts: Vec<(String, u64)>,
    /// Faults, for people; none: all is well.
    pub faults: Vec<String>,
    /// What is no fault and worth knowing.
    pub notes: Vec<String>,
}

impl Checkup {
    /// Nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A part of the check: what it is called while it runs, and what does it.
type Part = (&'static str, fn(&Connection, &mut Checkup) -> rusqlite::Result<()>);

/// In the order in which they are done: what comes later relies on what came before.
const PARTS: &[Part] = &[
    ("pages", pages),
    ("references", references),
    ("schema", schema),
    ("rows", counts),
    ("receipts", receipts),
];

/// Checks the logbook at `path`; changes nothing. `progress` hears the name of each part before it begins.
///
/// Errors: it cannot be opened as a logbook of this version ([`LogbookError::Foreign`], `Newer`, `Older`, `Damaged`), or
/// cannot be read at all. Faults of an opened logbook are in the checkup.
pub fn check(path: &Path, mut progress: impl FnMut(&str)) -> Result<Checkup, LogbookError> {
    let mut checkup = check_rows(path, &mut progress)?;
    progress("chain");
    // Against itself alone; `logbook verify` takes what is known from elsewhere.
    let verified = Reader::open(path)?.verify(&Evidence::default(), |_step| ())?;
    let faults = verified.faults.into_iter().take(TOLD);
    checkup.faults.extend(faults.map(|fault| format!("chain: {}", fault.what)));
    Ok(checkup)
}

/// All of [`check`] but the chain.
pub(super) fn check_rows(path: &Path, mut progress: impl FnMut(&str)) -> Result<Checkup, LogbookError> {
    let connection = open::for_reading(path)?;
    let mut checkup = Checkup::default();
    for (name, part) in PARTS {
        progress(name);
        if let Err(cause) = part(&connection, &mut checkup) {
            if !open::is_broken(&cause) {
                return Err(sql("check the logbook")(cause));
            }
            checkup.faults.push(format!("{name}: {cause}"));
        }
    }
    files(path, &mut checkup);
    Ok(checkup)
}

/// The tree of every table and index, and whether both agree.
fn pages(connection: &Connection, checkup: &mut Checkup) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({TOLD})"))?;
    for line in statement.query_map([], |row| row.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            checkup.faults.push(line);
        }
    }
    Ok(())
}

/// Rows that refer to rows which are not there.
fn references(connection: &Connection, checkup: &mut Checkup) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let broken = statement.query_map([], |row| {
        Ok(format!(
            "{} {} refers to a row of {} that is not there",
            row.get::<_, String>(0)?,
            row.get::<_, Option<i64>>(1)?.unwrap_or_default(),
            row.get::<_, String>(2)?
        ))
    })?;
    for line in broken.take(TOLD) {
        checkup.faults.push(line?);
    }
    Ok(())
}

/// Tables, indices and views are those of a logbook that was begun today.
fn schema(connection: &Connection, checkup: &mut Checkup) -> rusqlite::Result<()> {
    let (found, wanted) = (open::schema(connection)?, open::schema(&open::fresh()?)?);
    for (name, definition) in &wanted {
        match found.get(name) {
            None => checkup.faults.push(format!("{name} is missing")),
            Some(other) if other != definition => {
                checkup.faults.push(format!("{name} is not as this version makes it"));
            }
            Some(_) => {}
        }
    }
    let strange = found.keys().filter(|name| !wanted.contains_key(*name));
    checkup.faults.extend(strange.map(|name| format!("{name} is not part of a logbook")));
    Ok(())
}

fn counts(connection: &Connection, checkup: &mut Checkup) -> rusqlite::Result<()> {
    for table in open::TABLES {
        let rows = connection
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))?
            .unsigned_abs();
        checkup.counts.push(((*table).to_owned(), rows));
    }
    let waiting: i64 = connection.query_row(
        "SELECT count(*) FROM alert WHERE delivered IS NULL AND expired IS NULL",
        [],
        |row| row.get(0),
    )?;
    if waiting > 0 {
        checkup.notes.push(format!("{waiting} alerts wait for the broker"));
    }
    Ok(())
}

/// What a receipt says is gone is gone, once, and not more than was promised.
fn receipts(connection: &Connection, checkup: &mut Checkup) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare("SELECT id, act, kind, ids, rows, done IS NULL FROM receipt ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut going = 0;
    while let Some(row) = rows.next()? {
        let (id, act, kind) = (row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        let (ids, count) = (row.get::<_, String>(3)?, row.get::<_, i64>(4)?.unsigned_abs());
        let Some(ids) = ids.parse::<Ranges>().ok() else {
            checkup.faults.push(format!("receipt {id} ({act}, {kind}): `{ids}` are no row numbers"));
            continue;
        };
        if ids.count() != count {
            checkup
                .faults
                .push(format!("receipt {id} ({act}, {kind}): {count} rows, but {} numbers", ids.count()));
        }
        let Some(holding) = Holding::named(&kind) else { continue };
        if row.get(5)? {
            going += 1;
        } else if act != "damaged" {
            // What could not be read may be anywhere below; later rows may have such a number.
            let present = holding.present(connection, &ids)?;
            if present > 0 {
                checkup.faults.push(format!(
                    "receipt {id} ({act}): {present} rows of {kind} are there that are said to be gone"
                ));
            }
        }
    }
    if going > 0 {
        checkup.notes.push(format!("{going} removals are under way; the watch carries them on"));
    }
    Ok(())
}

/// What lies beside the logbook.
fn files(path: &Path, checkup: &mut Checkup) {
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
    checkup
        .notes
        .extend(damaged.iter().map(|file| format!("{file} was moved aside; `logbook salvage` reads it")));
    if beside(path, ".damaged").exists() {
        checkup.faults.push("damage was met while it was written; the next start moves it aside".to_owned());
    }
    let wal = std::fs::metadata(beside(path, "-wal")).map_or(0, |file| file.len());
    if wal > super::chores::WAL_LONG {
        checkup.notes.push(format!(
            "its write-ahead log is {} MB long: some program does not let go of it",
            wal / 1_000_000
        ));
    }
}
