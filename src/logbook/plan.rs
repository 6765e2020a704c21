//! Which rows go: the oldest that may, found a window at a time so that no commit waits long.

use rusqlite::{Connection, params};

use super::holdings::{Holding, end_of_stretch};
use super::ranges::Ranges;
use super::receipts::Act;

/// Rows looked at in one step.
const WINDOW: usize = 500;

/// Rows of one receipt, at most: looks, and anything else.
const LOOKS: u64 = 1_000_000;
const ROWS: u64 = 5_000;

/// What a detection takes on disk, in bytes.
const DETECTION: u64 = 27;

/// A walk through the rows of one holding, from the oldest on.
///
/// It ends where a whole window holds nothing that may go: rows stand in the order in which they were written, so what
/// follows is younger. A wall clock that stepped can make a row stay longer for this, and never go sooner.
pub(super) struct Walk {
    holding: Holding,
    act: Act,
    /// Rows from before this moment may go, in milliseconds UTC.
    before: i64,
    /// Enough when so many bytes go.
    wanted: u64,
    why: String,
    cursor: i64,
    ids: Ranges,
    children: Vec<(Holding, Vec<i64>)>,
    bytes: u64,
    detections: u64,
}

/// What goes, all of it.
pub(super) struct Plan {
    pub(super) holding: Holding,
    pub(super) act: Act,
    /// Never empty.
    pub(super) ids: Ranges,
    /// Rows of other tables that go with them.
    pub(super) children: Vec<(Holding, Ranges)>,
    /// About so many are given back.
    pub(super) bytes: u64,
    /// For people.
    pub(super) why: String,
}

impl Walk {
    pub(super) fn new(holding: Holding, act: Act, before: i64, wanted: u64, why: String) -> Self {
        let children = holding.children().iter().map(|(child, _)| (*child, Vec::new())).collect();
        Self {
            holding,
            act,
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

    /// Looks at the next rows; true when the walk is over.
    pub(super) fn step(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let most = if self.holding == Holding::Look { LOOKS } else { ROWS };
        let (mut seen, before) = (0, self.ids.last());
        let mut window = connection.prepare_cached(self.holding.window())?;
        let mut rows = window.query(params![self.before, self.cursor, WINDOW as i64])?;
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
            for ((_, column), (child, ids)) in self.holding.children().iter().zip(&mut self.children) {
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

    /// The plan; `None` when nothing may go.
    pub(super) fn plan(mut self, connection: &Connection) -> rusqlite::Result<Option<Plan>> {
        if let (Holding::Look, Some(last)) = (self.holding, self.ids.last()) {
            let end = end_of_stretch(connection, last, self.act == Act::Age)?;
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
        let (holding, act, ids, bytes, why) = (self.holding, self.act, self.ids, self.bytes, self.why);
        Ok(Some(Plan { holding, act, ids, children: children.collect(), bytes, why }))
    }
}
