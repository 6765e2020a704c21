//! Receipts: what is taken out of the logbook is written down before the first row goes.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};

use super::holdings::Holding;
use super::ranges::Ranges;
use super::store::{integer, local};

/// Why rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Kept as long as the site file asks.
    Age,
    /// The logbook is larger than the site file allows.
    Size,
    /// The disk is full.
    DiskFull,
    /// Personal data, on request.
    Erased,
    /// Lost: the file was damaged.
    Damaged,
}

impl Act {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Size => "size",
            Self::DiskFull => "disk full",
            Self::Erased => "erased",
            Self::Damaged => "damaged",
        }
    }
}

/// What is going, and why.
#[derive(Clone, Debug)]
pub(super) struct Receipt<'a> {
    pub(super) act: Act,
    /// Table, or `picture`.
    pub(super) kind: &'a str,
    pub(super) ids: &'a Ranges,
    /// For people.
    pub(super) why: &'a str,
}

/// A receipt whose rows may still be there.
#[derive(Clone, Debug)]
pub(super) struct OpenReceipt {
    pub(super) id: i64,
    pub(super) holding: Holding,
    pub(super) ids: Ranges,
}

/// Writes a receipt; its number. The one place in which receipts come to be. The caller links it
/// ([`Store::note`](super::store::Store::note)), and commits it before the first of the rows goes or together with them.
pub(super) fn write(
    connection: &Connection,
    zone: &TimeZone,
    start: i64,
    at: Timestamp,
    receipt: &Receipt<'_>,
) -> rusqlite::Result<i64> {
    let (at, offset) = local(zone, at);
    connection
        .prepare_cached(
            "INSERT INTO receipt (start, at, utc_offset, act, kind, ids, rows, why)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .insert(params![
            start,
            at,
            offset,
            receipt.act.as_str(),
            receipt.kind,
            receipt.ids.to_string(),
            integer(receipt.ids.count()),
            receipt.why
        ])
}

/// Notes that all rows of a receipt are gone.
pub(super) fn set_done(connection: &Connection, id: i64, at: Timestamp) -> rusqlite::Result<()> {
    let at = at.as_millisecond();
    connection
        .prepare_cached("UPDATE receipt SET done = ?2 WHERE id = ?1 AND done IS NULL")?
        .execute(params![id, at])?;
    Ok(())
}

/// The oldest receipt whose rows may still be there.
pub(super) fn first_open(connection: &Connection) -> rusqlite::Result<Option<OpenReceipt>> {
    let mut statement =
        connection.prepare_cached("SELECT id, kind, ids FROM receipt WHERE done IS NULL ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, ids) = (row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        if let Some((holding, ids)) = Holding::named(&kind).zip(ids.parse::<Ranges>().ok()) {
            return Ok(Some(OpenReceipt { id: row.get(0)?, holding, ids }));
        }
    }
    Ok(None)
}

/// Whether this row is on its way out.
pub(super) fn is_going(connection: &Connection, kind: &str, id: i64) -> rusqlite::Result<bool> {
    let mut statement =
        connection.prepare_cached("SELECT ids FROM receipt WHERE done IS NULL AND kind = ?1")?;
    let mut rows = statement.query([kind])?;
    while let Some(row) = rows.next()? {
        let ids: String = row.get(0)?;
        if ids.parse::<Ranges>().ok().is_some_and(|ids| ids.contains(id)) {
            return Ok(true);
        }
    }
    Ok(false)
}
