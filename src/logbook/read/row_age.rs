//! How old rows are, when the wall clock may be wrong.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::clock::{SET_SINCE, is_set};

/// A clock that was put forward by more than this may be wrong.
const JUMP_MS: i64 = 86_400_000;

/// So may a clock that reads this much later when the machine is switched on again.
const GAP_MS: i64 = 30 * JUMP_MS;

/// Within this time somebody would have noticed that the clock is wrong.
const NOTICED_AFTER_MS: i64 = 7 * JUMP_MS;

/// Whether rows may be removed for their age by a wall clock that reads `now_ms` when `now_boot_ms` have passed since boot.
/// The clock must be set; if it was put far forward, or the machine was off for long, a week must have passed. The present
/// moment counts as a reading too, because a step may not have been recorded yet.
pub(in crate::logbook) fn clock_is_trusted(
    connection: &Connection,
    now_ms: i64,
    now_boot_ms: i64,
) -> rusqlite::Result<bool> {
    if now_ms < SET_SINCE.as_millisecond() {
        return Ok(false);
    }
    // Readings of a clock that was not set do not show how far it was put forward.
    let jumped: bool = connection
        .prepare_cached(
            "WITH reading AS (
               SELECT id, at, boot, boot_ms FROM clock_reading WHERE at >= ?1
               UNION ALL
               SELECT id + 1, ?2, boot, ?6 FROM clock_reading
               WHERE id = (SELECT max(id) FROM clock_reading) AND start = (SELECT max(id) FROM start) AND boot <> '')
             SELECT EXISTS (SELECT 1 FROM (
               SELECT at, boot <> '' AND boot = lag(boot) OVER before AS same,
                 at - lag(at) OVER before AS passed, boot_ms - lag(boot_ms) OVER before AS passed_since_boot
               FROM reading WINDOW before AS (ORDER BY id))
             WHERE at BETWEEN ?2 - ?3 AND ?2 AND iif(same, passed - passed_since_boot > ?4, passed > ?5))",
        )?
        .query_row(
            params![SET_SINCE.as_millisecond(), now_ms, NOTICED_AFTER_MS, JUMP_MS, GAP_MS, now_boot_ms],
            |row| row.get(0),
        )?;
    Ok(!jumped)
}

/// The newest start whose rows are older than `before` even if its clock was not set: this start's clock, or a later one's,
/// read an earlier time once it was set. 0: there is none.
pub(in crate::logbook) fn last_start_before(connection: &Connection, before: i64) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT ifnull(max(start), 0) FROM clock_reading WHERE at >= ?1 AND at < ?2")?
        .query_row([SET_SINCE.as_millisecond(), before], |row| row.get(0))
}

/// The age in milliseconds of a row with this `start` and `at`, when the clocks say `now_ms` and `now_boot_ms` in start
/// `this`; `None` when it is unknown. Within one start the time since boot counts, whatever the wall clock did.
pub(in crate::logbook) fn age_ms(
    connection: &Connection,
    (start, at): (i64, i64),
    (this, now_ms, now_boot_ms): (i64, i64, i64),
) -> rusqlite::Result<Option<i64>> {
    if start == this {
        // The latest time since boot at which the wall clock of this start could read `at`.
        let since_boot: Option<i64> = connection
            .prepare_cached(
                "SELECT max(?2 - at + boot_ms) FROM (
                   SELECT at, boot_ms, ifnull(lead(boot_ms) OVER (ORDER BY id), ?3) AS until
                   FROM clock_reading WHERE start = ?1)
                 WHERE ?2 - at + boot_ms BETWEEN boot_ms - 2000 AND until + 2000",
            )?
            .query_row([start, at, now_boot_ms], |row| row.get(0))?;
        if let Some(since_boot) = since_boot {
            return Ok(Some((now_boot_ms - since_boot).max(0)));
        }
    }
    let stamp = |ms| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let is_known = is_set(stamp(at)) && clock_is_trusted(connection, now_ms, now_boot_ms)?;
    Ok(is_known.then(|| now_ms - at))
}
