//! Kinds of rows that can be removed: which rows, how large they are, and how they are deleted.

use rusqlite::{Connection, params};

use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

use crate::clock::SET_SINCE;
use crate::logbook::ranges::Ranges;
use crate::logbook::schema;

/// A kind of rows that can be removed. Receipts name it by its table, or `picture`.
#[derive(Clone, Copy, Debug, EnumIter, IntoStaticStr, PartialEq, Eq)]
#[strum(serialize_all = "snake_case")]
pub(in crate::logbook) enum RowKind {
    /// Detection passes with their detections.
    Pass,
    /// Pictures of alerts; the alerts stay.
    Picture,
    Track,
    Alert,
    /// Signals; their steps and acknowledgements are removed before them.
    Signal,
    SignalStep,
    Acknowledgement,
    Suppressed,
    /// Visits that have ended; their steps are removed before them.
    Visit,
    VisitStep,
    CameraState,
    CameraOutage,
    ClockReading,
}

/// Which duration of the site file applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetentionClass {
    Detections,
    Tracks,
    Pictures,
    Events,
}

impl RowKind {
    /// In the order in which they are planned: detections take most space, and an alert is removed before its signal.
    pub(super) const PLANNED: [Self; 10] = [
        Self::Pass,
        Self::Picture,
        Self::Track,
        Self::Alert,
        Self::Signal,
        Self::Suppressed,
        Self::Visit,
        Self::CameraState,
        Self::CameraOutage,
        Self::ClockReading,
    ];

    /// The name in receipts.
    pub(in crate::logbook) fn name(self) -> &'static str {
        self.into()
    }

    /// The kind that a receipt names; `None` for other tables.
    pub(in crate::logbook) fn named(name: &str) -> Option<Self> {
        let name = schema::current_name(name);
        Self::iter().find(|kind| kind.name() == name)
    }

    pub(super) fn retention(self) -> RetentionClass {
        match self {
            Self::Pass => RetentionClass::Detections,
            Self::Track => RetentionClass::Tracks,
            Self::Picture => RetentionClass::Pictures,
            _ => RetentionClass::Events,
        }
    }

    /// Rows of other tables that are removed with such a row, and their column that refers to it.
    pub(super) fn children(self) -> &'static [(Self, &'static str)] {
        match self {
            Self::Signal => &[(Self::SignalStep, "signal"), (Self::Acknowledgement, "signal")],
            Self::Visit => &[(Self::VisitStep, "visit")],
            _ => &[],
        }
    }

    /// The table, and the column that numbers its rows in the order of writing.
    pub(super) fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Picture => ("alert", "seq"),
            Self::Track => ("track", "vessel"),
            Self::Alert | Self::Signal | Self::Visit | Self::CameraOutage => (self.name(), "seq"),
            _ => (self.name(), "id"),
        }
    }

    /// A query for the next `?3` rows above number `?2`: number, whether the row may be removed when rows before `?1` may,
    /// about how many bytes that frees without its detections, and how many detections are removed with it. `?4`: the
    /// newest start whose rows are older than `?1` even if its clock was not set.
    ///
    /// Never removed: an undelivered alert; an open signal, visit, track or camera outage; a camera's present state; the
    /// newest track, whose number would be used again. (The number of a pass is not: its seal stays.)
    /// The time of a clock that was not set says nothing: such a row is removed with the starts up to ?4.
    pub(super) fn window(self) -> String {
        let set = SET_SINCE.as_millisecond();
        let old = |column: &str| format!("{column} < ?1 AND ({column} >= {set} OR start <= ?4)");
        match self {
            Self::Pass => format!(
                "SELECT id, {}, 24,
                   (SELECT count(*) FROM detection WHERE detection.id >= pass.id << 8
                      AND detection.id < (pass.id + 1) << 8)
                 FROM pass WHERE id > ?2 ORDER BY id LIMIT ?3",
                old("at")
            ),
            Self::Picture => format!(
                "SELECT seq, {} AND seq NOT IN (SELECT seq FROM alert WHERE delivered IS NULL AND expired IS NULL),
                   length(picture), 0
                 FROM alert INDEXED BY alert_picture WHERE picture IS NOT NULL AND seq > ?2 ORDER BY seq LIMIT ?3",
                old("at")
            ),
            Self::Track => format!(
                "SELECT vessel, {} AND state <> 'open' AND vessel < (SELECT max(vessel) FROM track), 100, 0
                 FROM track WHERE vessel > ?2 ORDER BY vessel LIMIT ?3",
                old("last_seen")
            ),
            Self::Alert => format!(
                "SELECT seq, {} AND seq NOT IN (SELECT seq FROM alert WHERE delivered IS NULL AND expired IS NULL),
                   1500 + ifnull(length(picture), 0), 0
                 FROM alert WHERE seq > ?2 ORDER BY seq LIMIT ?3",
                old("at")
            ),
            Self::Signal => format!(
                "SELECT seq, ifnull({}, 0) AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.signal = signal.seq),
                   900, 0
                 FROM signal WHERE seq > ?2 ORDER BY seq LIMIT ?3",
                old("closed")
            ),
            Self::Suppressed => format!(
                "SELECT id, {}, 400, 0 FROM suppressed WHERE id > ?2 ORDER BY id LIMIT ?3",
                old("last")
            ),
            Self::Visit => format!(
                "SELECT seq, ifnull({}, 0), 400, 0 FROM visit WHERE seq > ?2 ORDER BY seq LIMIT ?3",
                old("ended")
            ),
            Self::CameraState => format!(
                "SELECT id, {} AND id < (SELECT max(id) FROM camera_state WHERE camera = old.camera), 80, 0
                 FROM camera_state AS old WHERE id > ?2 ORDER BY id LIMIT ?3",
                old("at")
            ),
            Self::CameraOutage => format!(
                "SELECT seq, ifnull({}, 0), 250, 0 FROM camera_outage WHERE seq > ?2 ORDER BY seq LIMIT ?3",
                old("ended")
            ),
            Self::ClockReading => format!(
                "SELECT id, {}, 120, 0 FROM clock_reading WHERE id > ?2 ORDER BY id LIMIT ?3",
                old("at")
            ),
            // Planned with the rows that they belong to.
            Self::SignalStep | Self::Acknowledgement | Self::VisitStep => "SELECT 0, 0, 0, 0 WHERE ?1 + ?2 + ?3 + ?4 IS NULL".to_owned(),
        }
    }

    /// Deletes the rows with these numbers, in the caller's transaction; returns how many there were.
    pub(super) fn remove(self, connection: &Connection, ids: &Ranges) -> rusqlite::Result<u64> {
        let mut removed = 0;
        for (first, last) in ids.iter() {
            if self == Self::Pass {
                connection
                    .prepare_cached("DELETE FROM detection WHERE id >= ?1 << 8 AND id < (?2 + 1) << 8")?
                    .execute(params![first, last])?;
            }
            let (table, key) = self.table();
            let statement = match self {
                Self::Picture => {
                    "UPDATE alert SET picture = NULL WHERE seq BETWEEN ?1 AND ?2 AND picture IS NOT NULL"
                        .to_owned()
                }
                _ => format!("DELETE FROM {table} WHERE {key} BETWEEN ?1 AND ?2"),
            };
            removed += connection.prepare_cached(&statement)?.execute(params![first, last])? as u64;
        }
        Ok(removed)
    }

    /// The lowest of these numbers that has a row.
    pub(super) fn first_present(
        self,
        connection: &Connection,
        ids: &Ranges,
    ) -> rusqlite::Result<Option<i64>> {
        let (table, key) = self.table();
        let held = if self == Self::Picture { "AND picture IS NOT NULL" } else { "" };
        let mut statement = connection.prepare_cached(&format!(
            "SELECT min({key}) FROM {table} WHERE {key} BETWEEN ?1 AND ?2 {held}"
        ))?;
        for range in ids.iter() {
            if let Some(first) = statement.query_row(range, |row| row.get(0))? {
                return Ok(Some(first));
            }
        }
        Ok(None)
    }

    /// How many of these numbers have a row.
    pub(in crate::logbook) fn present(self, connection: &Connection, ids: &Ranges) -> rusqlite::Result<u64> {
        let (table, key) = self.table();
        let held = if self == Self::Picture { "AND picture IS NOT NULL" } else { "" };
        let mut statement = connection
            .prepare_cached(&format!("SELECT count(*) FROM {table} WHERE {key} BETWEEN ?1 AND ?2 {held}"))?;
        let mut found = 0;
        for range in ids.iter() {
            found += statement.query_row(range, |row| row.get::<_, i64>(0))?.unsigned_abs();
        }
        Ok(found)
    }
}

/// The pass with which a removal up to `last` must end: passes are removed by whole seals. For age (`before`) the end is not
/// after `last`, otherwise not before it, as far as passes are sealed. Passes older than the first seal may be removed up
/// to any number. 0: none may be removed.
pub(super) fn end_of_seal(connection: &Connection, last: i64, before: bool) -> rusqlite::Result<i64> {
    let number = |query: &str| -> rusqlite::Result<Option<i64>> {
        connection.prepare_cached(query)?.query_row([last], |row| row.get(0))
    };
    let first_sealed = number("SELECT min(first_pass) FROM seal WHERE ?1 IS NOT NULL")?;
    if first_sealed.is_none_or(|first| last < first) {
        return Ok(last);
    }
    if !before && let Some(end) = number("SELECT min(last_pass) FROM seal WHERE last_pass >= ?1")? {
        return Ok(end);
    }
    let end = number("SELECT max(last_pass) FROM seal WHERE last_pass <= ?1")?;
    Ok(end.or(first_sealed.map(|first| first - 1)).unwrap_or(0))
}
