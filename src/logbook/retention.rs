//! Old rows go, a little at a time between commits. An alert that was not delivered never goes.

use std::time::Duration;

use rusqlite::{Connection, params};

use crate::clock::{Clock, MonoTime};
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
        let looks = looks_before(&transaction, detections)?;
        let mut gone = transaction
            .prepare_cached(
                "DELETE FROM track WHERE vessel IN
                   (SELECT vessel FROM track WHERE last_seen < ?1 AND state <> 'open' LIMIT ?2)",
            )?
            .execute(params![detections, EVENTS])?;
        gone += transaction
            .prepare_cached(
                "DELETE FROM alert WHERE seq IN
                   (SELECT seq FROM alert WHERE at < ?1 AND ifnull(delivered, expired) IS NOT NULL
                    ORDER BY seq LIMIT ?2)",
            )?
            .execute(params![events, EVENTS])?;
        gone += transaction
            .prepare_cached(
                "DELETE FROM signal WHERE seq IN
                   (SELECT seq FROM signal WHERE closed < ?1
                      AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.signal = signal.seq)
                    ORDER BY seq LIMIT ?2)",
            )?
            .execute(params![events, EVENTS])?;
        gone += transaction
            .prepare_cached(
                "DELETE FROM suppressed WHERE id IN (SELECT id FROM suppressed WHERE last < ?1 LIMIT ?2)",
            )?
            .execute(params![events, EVENTS])?;
        // A visit that lasts stays, however long it lasts.
        gone += transaction
            .prepare_cached(
                "DELETE FROM visit WHERE seq IN (SELECT seq FROM visit WHERE ended < ?1 LIMIT ?2)",
            )?
            .execute(params![events, EVENTS])?;
        // A blind spell that lasts stays, too.
        gone += transaction
            .prepare_cached(
                "DELETE FROM blind_spell WHERE seq IN (SELECT seq FROM blind_spell WHERE ended < ?1 LIMIT ?2)",
            )?
            .execute(params![events, EVENTS])?;
        // A camera's present state stays, however long it lasts.
        gone += transaction
            .prepare_cached(
                "DELETE FROM camera_state WHERE id IN
                   (SELECT id FROM camera_state AS old WHERE at < ?1
                      AND id < (SELECT max(id) FROM camera_state WHERE camera = old.camera)
                    ORDER BY id LIMIT ?2)",
            )?
            .execute(params![events, EVENTS])?;
        transaction.commit()?;
        Ok(Removed { looks, events: gone as u64 })
    }
}

/// Removes the oldest looks with their detections.
fn looks_before(connection: &Connection, before: i64) -> rusqlite::Result<u64> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(id) FROM (SELECT id, at FROM look ORDER BY id LIMIT ?2) WHERE at < ?1")?
        .query_row(params![before, LOOKS], |row| row.get(0))?;
    let Some(last) = last else { return Ok(0) };
    connection.prepare_cached("DELETE FROM detection WHERE id < (?1 + 1) << 8")?.execute([last])?;
    let gone = connection.prepare_cached("DELETE FROM look WHERE id <= ?1")?.execute([last])?;
    Ok(gone as u64)
}
