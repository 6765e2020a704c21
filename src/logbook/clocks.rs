//! What the clocks said, and what that means for rows whose times they gave.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, params};

use super::store::{Failure, Written, local};
use crate::clock::{ClockReading, ReadingReason, SET_SINCE, is_set};

/// A step of the wall clock within one boot is at least this long; less is the time between two readings.
const STEP_MS: i64 = 500;

/// A clock that was put forward by more than this may have been put wrong: nothing is thrown away on its word yet.
const JUMP_MS: i64 = 86_400_000;

/// Nor on the word of a clock that was this far on when the machine was switched on again.
const GAP_MS: i64 = 30 * JUMP_MS;

/// Time for somebody to notice that the clock is wrong.
const NOTICED_AFTER_MS: i64 = 7 * JUMP_MS;

/// Writes a reading. That of a start tells of steps since the last reading of the same boot, when no watch was on.
pub(super) fn write(
    connection: &Connection,
    zone: &TimeZone,
    start: i64,
    reading: &ClockReading,
) -> Result<Written, Failure> {
    let (at, offset) = local(zone, reading.at.wall);
    let boot_ms = i64::try_from(reading.at.mono.since_boot().as_millis()).unwrap_or(i64::MAX);
    let mut stepped = i64::try_from(reading.stepped.as_millis()).unwrap_or(i64::MAX);
    if reading.reason == ReadingReason::Start {
        let ahead: Option<i64> = connection
            .prepare_cached("SELECT at - boot_ms FROM clock_reading WHERE boot = ?1 AND boot <> '' ORDER BY id DESC LIMIT 1")?
            .query_row([&reading.boot], |row| row.get(0))
            .optional()?;
        let by = ahead.map_or(0, |ahead| at - boot_ms - ahead);
        stepped = if by.abs() < STEP_MS { 0 } else { by };
    }
    connection
        .prepare_cached(
            "INSERT INTO clock_reading (start, at, utc_offset, boot, boot_ms, synchronised, stepped_ms, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            start,
            at,
            offset,
            reading.boot,
            boot_ms,
            reading.synchronised,
            stepped,
            reading.reason.as_str()
        ])?;
    Ok(Written::default())
}

/// Whether the age of a row may be told by a wall clock that reads `now_ms` when the time since boot is `now_boot_ms`: somebody has
/// set it, and if it was put far forward, or the machine was off for long, a week has passed in which that would have been
/// noticed. This moment counts as a reading of its own: the watch may not have found the step yet.
pub(super) fn tells_age(connection: &Connection, now_ms: i64, now_boot_ms: i64) -> rusqlite::Result<bool> {
    if now_ms < SET_SINCE.as_millisecond() {
        return Ok(false);
    }
    // Readings of a clock that nobody had set say nothing of how far it was put forward.
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

/// The newest start whose rows without a time (the clock was not set) are from before `before` all the same: the clock
/// of this start, or a later one, read an earlier moment once it was set. 0: there is none.
pub(super) fn last_start_before(connection: &Connection, before: i64) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT ifnull(max(start), 0) FROM clock_reading WHERE at >= ?1 AND at < ?2")?
        .query_row([SET_SINCE.as_millisecond(), before], |row| row.get(0))
}

/// What the row's `at` and `start` tell of its age, in milliseconds, when the clocks say `now_ms` and `now_boot_ms` in start
/// `this`; `None` where nobody can tell. Within a start the time since boot counts.
pub(super) fn age_ms(
    connection: &Connection,
    (start, at): (i64, i64),
    (this, now_ms, now_boot_ms): (i64, i64, i64),
) -> rusqlite::Result<Option<i64>> {
    if start == this {
        // The latest moment since boot at which the wall clock of this start could read that.
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
    let told = is_set(stamp(at)) && tells_age(connection, now_ms, now_boot_ms)?;
    Ok(told.then(|| now_ms - at))
}
