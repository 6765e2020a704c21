//! Old rows go, a little at a time between commits. An alert that was not delivered never goes.
//!
//! Nothing goes on the word of a clock that may be wrong ([`clocks::tells_age`]); rows that were written before somebody set
//! it go with those that were written after.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::clocks;
use crate::clock::{Clock, MonoTime, SET_SINCE};
use crate::config::Retention;

/// Longest stretch for which removal keeps commits waiting.
const STRETCH: Duration = Duration::from_millis(50);

/// Pause while there is more to remove, and when there is none.
const PAUSE: Duration = Duration::from_secs(1);
const REST: Duration = Duration::from_secs(600);

/// Looks whose detections go in one transaction; a few hundred rows, a few milliseconds.
const LOOKS: i64 = 100;

/// Events that go in one transaction.
const EVENTS: i64 = 50;

/// Pages given back to the file system in one transaction.
const PAGES: i64 = 128;

/// The removal of old rows.
pub(super) struct Removal {
    kept: Retention,
    due: MonoTime,
}

/// What a step has removed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) looks: u64,
    pub(super) events: u64,
}

impl Removal {
    pub(super) fn new(kept: Retention, now: MonoTime) -> Self {
        Self { kept, due: now + PAUSE }
    }

    /// Removes for at most `STRETCH`, when it is time.
    pub(super) fn step(&mut self, connection: &Connection, clock: &dyn Clock) -> rusqlite::Result<Removed> {
        let begun = clock.mono();
        let mut removed = Removed::default();
        if begun < self.due {
            return Ok(removed);
        }
        // Also after an error: a full disk is not asked again at once.
        self.due = begun + REST;
        if !clocks::tells_age(connection, clock.now().wall)? {
            return Ok(removed);
        }
        loop {
            let some = self.remove_some(connection, clock)?;
            removed.looks += some.looks;
            removed.events += some.events;
            if some == Removed::default() {
                break;
            }
            if clock.mono().since(begun) >= STRETCH {
                self.due = clock.mono() + PAUSE;
                break;
            }
        }
        if removed != Removed::default() {
            let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
            let mut pages = vacuum.query([])?;
            while pages.next()?.is_some() {}
        }
        Ok(removed)
    }

    fn remove_some(&self, connection: &Connection, clock: &dyn Clock) -> rusqlite::Result<Removed> {
        let now = clock.now().wall.as_millisecond();
        let before = |age: Duration| now.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        let (detections, events) = (before(self.kept.detections), before(self.kept.events));
        let transaction = connection.unchecked_transaction()?;
        let (unset_detections, unset_events) = (
            clocks::last_start_before(&transaction, detections)?,
            clocks::last_start_before(&transaction, events)?,
        );
        let looks = looks_before(&transaction, detections, unset_detections)?;
        let mut gone = transaction
            .prepare_cached(&format!(
                "DELETE FROM track WHERE vessel IN
                   (SELECT vessel FROM track WHERE {} AND state <> 'open' LIMIT ?2)",
                older("last_seen")
            ))?
            .execute(params![detections, EVENTS, unset_detections])?;
        gone += transaction
            .prepare_cached(&format!(
                "DELETE FROM alert WHERE seq IN
                   (SELECT seq FROM alert WHERE {} AND ifnull(delivered, expired) IS NOT NULL
                    ORDER BY seq LIMIT ?2)",
                older("at")
            ))?
            .execute(params![events, EVENTS, unset_events])?;
        gone += transaction
            .prepare_cached(&format!(
                "DELETE FROM signal WHERE seq IN
                   (SELECT seq FROM signal WHERE {}
                      AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.signal = signal.seq)
                    ORDER BY seq LIMIT ?2)",
                older("closed")
            ))?
            .execute(params![events, EVENTS, unset_events])?;
        gone += transaction
            .prepare_cached(&format!(
                "DELETE FROM suppressed WHERE id IN (SELECT id FROM suppressed WHERE {} LIMIT ?2)",
                older("last")
            ))?
            .execute(params![events, EVENTS, unset_events])?;
        // A visit that lasts stays, however long it lasts.
        gone += transaction
            .prepare_cached(&format!(
                "DELETE FROM visit WHERE seq IN (SELECT seq FROM visit WHERE {} LIMIT ?2)",
                older("ended")
            ))?
            .execute(params![events, EVENTS, unset_events])?;
        // A camera's present state stays, however long it lasts.
        gone += transaction
            .prepare_cached(&format!(
                "DELETE FROM camera_state WHERE id IN
                   (SELECT id FROM camera_state AS old WHERE {}
                      AND id < (SELECT max(id) FROM camera_state WHERE camera = old.camera)
                    ORDER BY id LIMIT ?2)",
                older("at")
            ))?
            .execute(params![events, EVENTS, unset_events])?;
        transaction.commit()?;
        Ok(Removed { looks, events: gone as u64 })
    }
}

/// The row's time in `column` is before ?1. A time of a clock that nobody had set says nothing: the row must be of start
/// ?3 or an earlier one.
fn older(column: &str) -> String {
    let set = SET_SINCE.as_millisecond();
    format!("{column} < ?1 AND ({column} >= {set} OR start <= ?3)")
}

/// Removes the oldest looks with their detections.
fn looks_before(connection: &Connection, before: i64, unset: i64) -> rusqlite::Result<u64> {
    let last: Option<i64> = connection
        .prepare_cached(&format!(
            "SELECT max(id) FROM (SELECT id, at, start FROM look ORDER BY id LIMIT ?2) WHERE {}",
            older("at")
        ))?
        .query_row(params![before, LOOKS, unset], |row| row.get(0))?;
    let Some(last) = last else { return Ok(0) };
    connection.prepare_cached("DELETE FROM detection WHERE id < (?1 + 1) << 8")?.execute([last])?;
    let gone = connection.prepare_cached("DELETE FROM look WHERE id <= ?1")?.execute([last])?;
    Ok(gone as u64)
}
