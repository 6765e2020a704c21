//! Starts: the end of what an earlier start left open, and the row of the new start.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, TransactionBehavior, params};

use super::camera_outages;
use crate::logbook::context::WriteContext;
use crate::logbook::entry::StartEntry;
use crate::logbook::integrity::chain::Chain;
use crate::logbook::integrity::seals::Seals;
use crate::logbook::values::local;

/// Closes and seals what an earlier start left open, because its rules engine and tracker are gone, and writes the new
/// start. Visits stay open: a vessel does not leave its berth when the daemon is restarted.
///
/// Returns the number of the start, and the first vessel number that it may use.
pub(super) fn begin(
    connection: &mut Connection,
    zone: &TimeZone,
    start: &StartEntry,
    chain: &mut Chain,
    seals: &mut Seals,
) -> rusqlite::Result<(i64, u64)> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (at, offset) = local(zone, start.at.wall);
    transaction.execute(
        "INSERT INTO signal_step (signal, phase, severity, at, utc_offset, measured, text, x0, y0, x1, y1)
         SELECT signal.seq, 'closed', signal.severity, ?1, ?2, signal.measured, 'closed: Havenwacht was restarted',
           x0, y0, x1, y1
         FROM signal JOIN signal_step ON signal_step.id =
           (SELECT max(id) FROM signal_step AS step WHERE step.signal = signal.seq)
         WHERE closed IS NULL ORDER BY signal.seq",
        params![at, offset],
    )?;
    transaction.execute(
        "UPDATE signal SET closed = ?1, closed_offset = ?2, closed_by = 'restart' WHERE closed IS NULL",
        params![at, offset],
    )?;
    transaction.execute("UPDATE track SET state = 'cut' WHERE state = 'open'", [])?;
    camera_outages::end_all(&transaction, at, offset)?;
    let next_vessel: i64 = transaction.query_row(
        "SELECT 1 + max((SELECT ifnull(max(vessel), 0) FROM track), (SELECT ifnull(max(vessel), 0) FROM signal),
           (SELECT ifnull(max(vessel), 0) FROM suppressed), (SELECT ifnull(max(vessel), 0) FROM visit),
           (SELECT ifnull(max(first_vessel), 1) - 1 FROM start))",
        [],
        |row| row.get(0),
    )?;
    transaction.execute(
        "INSERT INTO start (at, utc_offset, mode, version, config_hash, model_hash, time_zone, first_vessel)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            at,
            offset,
            start.mode,
            start.version,
            start.config_hash,
            start.model_hash,
            start.time_zone,
            next_vessel
        ],
    )?;
    let number = transaction.last_insert_rowid();
    let context = WriteContext { connection: &transaction, zone, start: number };
    seals.seal_rest(context, start.at.wall)?;
    let head = chain.extend(&transaction)?;
    transaction.commit()?;
    chain.committed(head);
    Ok((number, u64::try_from(next_vessel).unwrap_or(1)))
}

/// Marks a start as ended in order.
pub(super) fn end(context: WriteContext<'_>, at: Timestamp) -> rusqlite::Result<()> {
    let ended = params![context.start, at.as_millisecond()];
    context.connection.execute("UPDATE start SET ended = ?2 WHERE id = ?1", ended).map(|_rows| ())
}
