//! What the logbook holds, by kind: which rows may go, what they weigh, and how they go.

use rusqlite::{Connection, params};

use super::ranges::Ranges;
use crate::clock::SET_SINCE;

/// A kind of rows that can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holding {
    /// Looks with their detections.
    Look,
    /// Pictures of alerts; the alerts stay.
    Picture,
    Track,
    Alert,
    /// Signals; their steps and answers go before them.
    Signal,
    SignalStep,
    Acknowledgement,
    Suppressed,
    /// Visits that have ended; their steps go before them.
    Visit,
    VisitStep,
    CameraState,
    CameraOutage,
    ClockReading,
}

/// For how long the site file keeps a holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    Detections,
    Tracks,
    Pictures,
    Events,
}

impl Holding {
    /// In the order in which they are planned: detections weigh most, and an alert goes before its signal.
    pub(super) const PLANNED: [Self; 10] = [
        Self::Look,
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

    const ALL: [Self; 13] = [
        Self::Look,
        Self::Picture,
        Self::Track,
        Self::Alert,
        Self::Signal,
        Self::SignalStep,
        Self::Acknowledgement,
        Self::Suppressed,
        Self::Visit,
        Self::VisitStep,
        Self::CameraState,
        Self::CameraOutage,
        Self::ClockReading,
    ];

    /// As receipts name it: the table, or `picture`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Picture => "picture",
            Self::Track => "track",
            Self::Alert => "alert",
            Self::Signal => "signal",
            Self::SignalStep => "signal_step",
            Self::Acknowledgement => "acknowledgement",
            Self::Suppressed => "suppressed",
            Self::Visit => "visit",
            Self::VisitStep => "visit_step",
            Self::CameraState => "camera_state",
            Self::CameraOutage => "blind_spell",
            Self::ClockReading => "clock_reading",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|holding| holding.name() == name)
    }

    pub(super) fn keeping(self) -> Keeping {
        match self {
            Self::Look => Keeping::Detections,
            Self::Track => Keeping::Tracks,
            Self::Picture => Keeping::Pictures,
            _ => Keeping::Events,
        }
    }

    /// Rows of other tables that go with such a row, and the column in which they name it.
    pub(super) fn children(self) -> &'static [(Self, &'static str)] {
        match self {
            Self::Signal => &[(Self::SignalStep, "signal"), (Self::Acknowledgement, "signal")],
            Self::Visit => &[(Self::VisitStep, "visit")],
            _ => &[],
        }
    }

    /// The table, and the column that numbers its rows in the order in which they were written.
    pub(super) fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Picture => ("alert", "seq"),
            Self::Track => ("track", "vessel"),
            Self::Alert | Self::Signal | Self::Visit | Self::CameraOutage => (self.name(), "seq"),
            _ => (self.name(), "id"),
        }
    }

    /// The next `?3` rows above number `?2`: number, whether it may go when rows before `?1` may, about how many bytes that
    /// gives back without its detections, and how many detections go with it. `?4`: the newest start whose rows are from
    /// before `?1` also where they have no time.
    pub(super) fn window(self) -> String {
        // What lasts never goes: an undelivered alert, an open signal, visit, track or blind spell, a camera's present
        // state. Nor does the newest track: its number would be given again. (A look's would not, its seal stays.)
        // A time of a clock that nobody had set says nothing: such a row goes with the starts up to ?4.
        let set = SET_SINCE.as_millisecond();
        let old = |column: &str| format!("{column} < ?1 AND ({column} >= {set} OR start <= ?4)");
        match self {
            Self::Look => format!(
                "SELECT id, {}, 24,
                   (SELECT count(*) FROM detection WHERE detection.id >= look.id << 8
                      AND detection.id < (look.id + 1) << 8)
                 FROM look WHERE id > ?2 ORDER BY id LIMIT ?3",
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
                "SELECT seq, ifnull({}, 0), 250, 0 FROM blind_spell WHERE seq > ?2 ORDER BY seq LIMIT ?3",
                old("ended")
            ),
            Self::ClockReading => format!(
                "SELECT id, {}, 120, 0 FROM clock_reading WHERE id > ?2 ORDER BY id LIMIT ?3",
                old("at")
            ),
            // Planned with what they belong to.
            Self::SignalStep | Self::Acknowledgement | Self::VisitStep => "SELECT 0, 0, 0, 0 WHERE ?1 + ?2 + ?3 + ?4 IS NULL".to_owned(),
        }
    }

    /// Lets the rows with these numbers go; how many there still were. The caller's transaction.
    pub(super) fn remove(self, connection: &Connection, ids: &Ranges) -> rusqlite::Result<u64> {
        let mut gone = 0;
        for (first, last) in ids.iter() {
            if self == Self::Look {
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
            gone += connection.prepare_cached(&statement)?.execute(params![first, last])? as u64;
        }
        Ok(gone)
    }

    /// The lowest of these numbers whose row is there.
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

    /// How many rows with these numbers are there.
    pub(super) fn present(self, connection: &Connection, ids: &Ranges) -> rusqlite::Result<u64> {
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

/// The look with which a removal ends that wants to go as far as `last`: detections are sealed by the stretch, and go by
/// whole seals. By age (`before`) the end is before that look, otherwise after it, as far as it is sealed. Looks from before
/// the first seal may go at any point. 0: none may go.
pub(super) fn end_of_stretch(connection: &Connection, last: i64, before: bool) -> rusqlite::Result<i64> {
    let number = |query: &str| -> rusqlite::Result<Option<i64>> {
        connection.prepare_cached(query)?.query_row([last], |row| row.get(0))
    };
    let first_sealed = number("SELECT min(first_look) FROM seal WHERE ?1 IS NOT NULL")?;
    if first_sealed.is_none_or(|first| last < first) {
        return Ok(last);
    }
    if !before && let Some(end) = number("SELECT min(last_look) FROM seal WHERE last_look >= ?1")? {
        return Ok(end);
    }
    let end = number("SELECT max(last_look) FROM seal WHERE last_look <= ?1")?;
    Ok(end.or(first_sealed.map(|first| first - 1)).unwrap_or(0))
}
