//! Readings of the machine's clocks.

use rusqlite::{OptionalExtension, params};

use crate::clock::{ClockReading, ReadingReason};
use crate::logbook::context::{Failure, WriteContext, Written};

/// A shorter step of the wall clock within one boot is only the time between two readings.
const SHORTEST_STEP_MS: i64 = 500;

/// Writes a reading. The reading of a start also says by how much the wall clock stepped since the last reading of the
/// same boot, when no daemon ran.
pub(super) fn write(context: WriteContext<'_>, reading: &ClockReading) -> Result<Written, Failure> {
    let connection = context.connection;
    let (at, offset) = context.local(reading.at.wall);
    let boot_ms = i64::try_from(reading.at.mono.since_boot().as_millis()).unwrap_or(i64::MAX);
    let mut stepped = i64::try_from(reading.stepped.as_millis()).unwrap_or(i64::MAX);
    if reading.reason == ReadingReason::Start {
        let boot_at: Option<i64> = connection
            .prepare_cached(
                "SELECT at - boot_ms FROM clock_reading WHERE boot = ?1 AND boot <> '' ORDER BY id DESC LIMIT 1",
            )?
            .query_row([&reading.boot], |row| row.get(0))
            .optional()?;
        let by = boot_at.map_or(0, |boot_at| at - boot_ms - boot_at);
        stepped = if by.abs() < SHORTEST_STEP_MS { 0 } else { by };
    }
    connection
        .prepare_cached(
            "INSERT INTO clock_reading (start, at, utc_offset, boot, boot_ms, synchronised, stepped_ms, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            context.start,
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
