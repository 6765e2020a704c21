//! Which rows are removed: the oldest that may be, found in windows so that no commit waits long.

use rusqlite::{Connection, params};

use super::row_kinds::{RowKind, end_of_seal};
use crate::logbook::integrity::deletion_receipts::RemovalCause;
use crate::logbook::ranges::Ranges;
use crate::logbook::read::row_age;

/// Rows that one step reads.
const WINDOW: usize = 500;

/// Rows of one receipt, at most: passes, and rows of other kinds.
const PASSES: u64 = 1_000_000;
const ROWS: u64 = 5_000;

/// Bytes of a detection on disk.
const DETECTION: u64 = 27;

/// A search through the rows of one kind, from the oldest.
///
/// It ends with the first window that has no row to remove: rows are in the order of writing, so later rows are younger. A
/// wall clock that stepped can make a row stay longer, but never go sooner.
pub(super) struct RetentionSearch {
    kind: RowKind,
    cause: RemovalCause,
    /// Rows from before this time may be removed, in milliseconds UTC.
    before: i64,
    /// The search ends when this many bytes will be freed.
    wanted: u64,
    why: String,
    cursor: i64,
    ids: Ranges,
    children: Vec<(RowKind, Vec<i64>)>,
    bytes: u64,
    detections: u64,
}

/// What is removed together.
pub(super) struct RetentionPlan {
    pub(super) kind: RowKind,
    pub(super) cause: RemovalCause,
    /// Never empty.
    pub(super) ids: Ranges,
    /// Rows of other tables that are removed with them.
    pub(super) children: Vec<(RowKind, Ranges)>,
    /// About this many bytes are freed.
    pub(super) bytes: u64,
    /// In words.
    pub(super) why: String,
}

impl RetentionSearch {
    pub(super) fn new(kind: RowKind, cause: RemovalCause, before: i64, wanted: u64, why: String) -> Self {
        let children = kind.children().iter().map(|(child, _)| (*child, Vec::new())).collect();
        Self {
            kind,
            cause,
            before,
            wanted,
            why,
            cursor: i64::MIN,
            ids: Ranges::default(),
            children,
            bytes: 0,
            detections: 0,
        }
    }

    /// Reads the next rows; returns whether the search has ended.
    pub(super) fn step(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let most = if self.kind == RowKind::Pass { PASSES } else { ROWS };
        let (mut seen, before) = (0, self.ids.last());
        let unset_to = match self.before {
            i64::MAX => i64::MAX,
            before => row_age::last_start_before(connection, before)?,
        };
        let mut window = connection.prepare_cached(&self.kind.window())?;
        let mut rows = window.query(params![self.before, self.cursor, WINDOW as i64, unset_to])?;
        while let Some(row) = rows.next()? {
            seen += 1;
            self.cursor = row.get(0)?;
            if !row.get::<_, bool>(1)? {
                continue;
            }
            self.ids.add(self.cursor, self.cursor);
            let detections = row.get::<_, i64>(3)?.unsigned_abs();
            self.detections += detections;
            self.bytes += row.get::<_, i64>(2)?.unsigned_abs() + DETECTION * detections;
            for ((_, column), (child, ids)) in self.kind.children().iter().zip(&mut self.children) {
                let (table, key) = child.table();
                let query = format!("SELECT {key} FROM {table} WHERE {column} = ?1");
                let mut found = connection.prepare_cached(&query)?;
                for id in found.query_map([self.cursor], |row| row.get::<_, i64>(0))? {
                    ids.push(id?);
                }
            }
            if self.bytes >= self.wanted || self.ids.count() >= most {
                return Ok(true);
            }
        }
        Ok(seen < WINDOW || self.ids.last() == before)
    }

    /// The plan; `None` when no row may be removed.
    pub(super) fn plan(mut self, connection: &Connection) -> rusqlite::Result<Option<RetentionPlan>> {
        if let (RowKind::Pass, Some(last)) = (self.kind, self.ids.last()) {
            let end = end_of_seal(connection, last, self.cause == RemovalCause::Age)?;
            let detections = |above: i64, to: i64| {
                let query = "SELECT count(*) FROM detection WHERE id >= (?1 + 1) << 8 AND id < (?2 + 1) << 8";
                connection.query_row(query, [above, to], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
            };
            if end < last {
                self.ids.cut_after(end);
                self.detections = self.detections.saturating_sub(detections(end, last)?);
            } else if end > last {
                self.ids.add(last + 1, end);
                self.detections += detections(last, end)?;
            }
            self.why = format!("{}; {} detections with them", self.why, self.detections);
        }
        if self.ids.is_empty() {
            return Ok(None);
        }
        let children = self
            .children
            .into_iter()
            .map(|(child, numbers)| (child, numbers.into_iter().collect::<Ranges>()));
        let (kind, cause, ids, bytes, why) = (self.kind, self.cause, self.ids, self.bytes, self.why);
        Ok(Some(RetentionPlan { kind, cause, ids, children: children.collect(), bytes, why }))
    }
}
