//! Deletion receipts: what is removed from the logbook is recorded before the first row is deleted.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use strum::IntoStaticStr;

use crate::logbook::context::WriteContext;
use crate::logbook::maintain::row_kinds::RowKind;
use crate::logbook::ranges::Ranges;
use crate::logbook::values::integer;

/// Why rows are removed.
#[derive(Clone, Copy, Debug, IntoStaticStr, PartialEq, Eq)]
#[strum(serialize_all = "lowercase")]
pub(in crate::logbook) enum RemovalCause {
    /// Older than the site file keeps them.
    Age,
    /// The logbook is larger than the site file allows.
    Size,
    /// The disk is full.
    #[strum(serialize = "disk full")]
    DiskFull,
    /// Personal data, on request.
    Erased,
    /// Lost: the file was damaged.
    Damaged,
}

/// Which rows are removed, and why.
#[derive(Clone, Debug)]
pub(in crate::logbook) struct Receipt<'a> {
    pub(in crate::logbook) cause: RemovalCause,
    /// A table, or `picture`.
    pub(in crate::logbook) kind: &'a str,
    pub(in crate::logbook) ids: &'a Ranges,
    /// In words.
    pub(in crate::logbook) why: &'a str,
}

/// A receipt whose rows may not all be deleted yet.
#[derive(Clone, Debug)]
pub(in crate::logbook) struct PendingReceipt {
    pub(in crate::logbook) id: i64,
    pub(in crate::logbook) kind: RowKind,
    pub(in crate::logbook) ids: Ranges,
}

/// Writes a receipt, and returns its number. All receipts are made here. The caller's transaction links it, and commits it
/// before the first of the rows is deleted, or together with them.
pub(in crate::logbook) fn write(
    context: WriteContext<'_>,
    at: Timestamp,
    receipt: &Receipt<'_>,
) -> rusqlite::Result<i64> {
    let (at, offset) = context.local(at);
    context
        .connection
        .prepare_cached(
            "INSERT INTO receipt (start, at, utc_offset, act, kind, ids, rows, why)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .insert(params![
            context.start,
            at,
            offset,
            <&str>::from(receipt.cause),
            receipt.kind,
            receipt.ids.to_string(),
            integer(receipt.ids.count()),
            receipt.why
        ])
}

/// Notes that all rows of a receipt are deleted.
pub(in crate::logbook) fn set_done(connection: &Connection, id: i64, at: Timestamp) -> rusqlite::Result<()> {
    let at = at.as_millisecond();
    connection
        .prepare_cached("UPDATE receipt SET done = ?2 WHERE id = ?1 AND done IS NULL")?
        .execute(params![id, at])?;
    Ok(())
}

/// The oldest receipt whose rows may not all be deleted yet.
pub(in crate::logbook) fn first_pending(connection: &Connection) -> rusqlite::Result<Option<PendingReceipt>> {
    let mut statement =
        connection.prepare_cached("SELECT id, kind, ids FROM receipt WHERE done IS NULL ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, ids) = (row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        if let Some((kind, ids)) = RowKind::named(&kind).zip(ids.parse::<Ranges>().ok()) {
            return Ok(Some(PendingReceipt { id: row.get(0)?, kind, ids }));
        }
    }
    Ok(None)
}

/// Whether this row is listed in a receipt and may still be there.
pub(in crate::logbook) fn is_pending(connection: &Connection, kind: &str, id: i64) -> rusqlite::Result<bool> {
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
