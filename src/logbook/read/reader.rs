//! The reader: lists, single records and exports.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use uuid::Uuid;

use super::listing::{Listing, View};
use crate::logbook::error::{LogbookError, sql};
use crate::logbook::open;
use crate::logbook::values::{integer, utc_text};
use crate::rules::SignalId;

/// Rows of an export that are read in one transaction.
const EXPORT_PAGE: usize = 1000;

/// Which rows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Of this camera.
    pub camera: Option<String>,
    /// Of this rule; rows that have no rule are not filtered.
    pub rule: Option<String>,
    /// The newest rows, at most this many.
    pub limit: Option<u32>,
}

/// Rows as text, for terminals and CSV.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextTable {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Oldest first; a text for each column. NULL is an empty text.
    pub rows: Vec<Vec<String>>,
}

/// All about a signal.
#[derive(Clone, Debug)]
pub struct SignalRecord {
    /// Its row of `v_signals`.
    pub signal: TextTable,
    /// Its steps.
    pub steps: TextTable,
    /// Its messages to staff.
    pub alerts: TextTable,
    /// How staff acknowledged it.
    pub acknowledgements: TextTable,
}

/// All about a vessel.
#[derive(Clone, Debug)]
pub struct VesselRecord {
    /// Its row of `v_tracks`.
    pub track: TextTable,
    /// Its signals.
    pub signals: TextTable,
    /// Suppressed signals about it.
    pub suppressed: TextTable,
    /// Its stays at berths.
    pub visits: TextTable,
}

/// A reader beside the writer, in this process or another.
pub struct Reader {
    pub(in crate::logbook) connection: Connection,
}

impl Reader {
    /// Opens the logbook at `path` for reading.
    pub fn open(path: &Path) -> Result<Self, LogbookError> {
        Ok(Self { connection: open::for_reading(path)? })
    }

    /// The columns for a terminal, oldest row first.
    pub fn list(&self, listing: Listing, filter: &Filter) -> Result<TextTable, LogbookError> {
        let View { name, key, time, rule, listed, .. } = listing.view();
        let mut table = self.table(
            &format!(
                "SELECT {listed} FROM {name} WHERE {} ORDER BY {key} DESC LIMIT ?4",
                matching(time, rule)
            ),
            params![since(filter), filter.camera, filter.rule, filter.limit.map_or(-1, i64::from)],
        )?;
        table.rows.reverse();
        Ok(table)
    }

    /// Every column, row by row in the order of writing, after a header. The same recording and site file give the same
    /// rows.
    pub fn export(
        &self,
        listing: Listing,
        filter: &Filter,
        mut row: impl FnMut(&[String]) -> std::io::Result<()>,
    ) -> Result<std::io::Result<()>, LogbookError> {
        let View { name, key, time, rule, exported, .. } = listing.view();
        let query = format!(
            "SELECT {exported}, {key} FROM {name} WHERE {} AND {key} > ?4 ORDER BY {key} LIMIT ?5",
            matching(time, rule)
        );
        let mut read = || {
            let mut statement = self.connection.prepare(&query)?;
            let columns = statement.column_count() - 1;
            let names: Vec<String> = statement.column_names().take(columns).map(str::to_owned).collect();
            let (mut written, mut last) = (row(&names), i64::MIN);
            // One transaction for each page: a slow caller does not prevent checkpoints.
            loop {
                let page = params![since(filter), filter.camera, filter.rule, last, EXPORT_PAGE as i64];
                let rows = statement
                    .query_map(page, |found| Ok((texts(found, columns)?, found.get::<_, i64>(columns)?)))?
                    .collect::<Result<Vec<_>, _>>()?;
                for (texts, key) in &rows {
                    last = *key;
                    if written.is_ok() {
                        written = row(texts);
                    }
                }
                if written.is_err() || rows.len() < EXPORT_PAGE {
                    return Ok(written);
                }
            }
        };
        read().map_err(sql("export from the logbook"))
    }

    /// The id of a signal that is named by its number in the logbook or by its id; `None` when there is none.
    pub fn signal_id(&self, name: &str) -> Result<Option<SignalId>, LogbookError> {
        let query =
            "SELECT id FROM signal WHERE id = ?1 OR seq = iif(?1 GLOB '*[^0-9]*', NULL, CAST(?1 AS INTEGER))";
        let found = self.connection.query_row(query, [name], |row| row.get::<_, String>(0)).optional();
        let id = found.map_err(sql("read the logbook"))?;
        Ok(id.and_then(|id| Uuid::parse_str(&id).ok()).map(SignalId))
    }

    /// All about a signal that is named by its number or its id; `None` when there is none.
    pub fn signal(&self, name: &str) -> Result<Option<SignalRecord>, LogbookError> {
        let signal = self.table("SELECT * FROM v_signals WHERE id = ?1 OR CAST(seq AS TEXT) = ?1", [name])?;
        let Some(seq) = signal.rows.first().and_then(|row| row.first()).cloned() else { return Ok(None) };
        let steps = self.table(
            "SELECT local_time, phase, measured, unit, text, x0, y0, x1, y1 FROM v_signal_steps
             WHERE signal = CAST(?1 AS INTEGER) ORDER BY id",
            [&seq],
        )?;
        let alerts = self.table(
            "SELECT seq, local_time, phase, delivery, delivered, attempts, picture_bytes, id FROM v_alerts
             WHERE signal = CAST(?1 AS INTEGER) ORDER BY seq",
            [&seq],
        )?;
        let acknowledgements = self.table(
            "SELECT local_time, by, verdict, note, seconds_after_opening FROM v_acknowledgements
             WHERE signal = CAST(?1 AS INTEGER) ORDER BY id",
            [&seq],
        )?;
        Ok(Some(SignalRecord { signal, steps, alerts, acknowledgements }))
    }

    /// All about a vessel; `None` when the logbook does not know its number.
    pub fn vessel(&self, number: u64) -> Result<Option<VesselRecord>, LogbookError> {
        let number = integer(number);
        let track = self.table("SELECT * FROM v_tracks WHERE vessel = ?1", [number])?;
        let signals = self.table(
            "SELECT seq, opened, closed, severity, rule, place, notified, text FROM v_signals
             WHERE vessel = ?1 ORDER BY seq",
            [number],
        )?;
        let suppressed = self.table(
            "SELECT first, last, times, rule, reason, text FROM v_suppressed WHERE vessel = ?1 ORDER BY id",
            [number],
        )?;
        let visits = self.table(
            "SELECT berth, arrival, began, last_seen, ended, how, hours, length_m FROM v_visits
             WHERE vessel = ?1 OR seq IN (SELECT visit FROM visit_step WHERE vessel = ?1) ORDER BY seq",
            [number],
        )?;
        let is_known = [&track, &signals, &suppressed, &visits].iter().any(|table| !table.rows.is_empty());
        Ok(is_known.then_some(VesselRecord { track, signals, suppressed, visits }))
    }

    fn table(&self, query: &str, params: impl Params) -> Result<TextTable, LogbookError> {
        let read = || {
            let mut statement = self.connection.prepare(query)?;
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let rows =
                statement.query_map(params, |row| texts(row, columns.len()))?.collect::<Result<_, _>>()?;
            Ok(TextTable { columns, rows })
        };
        read().map_err(sql("read the logbook"))
    }
}

/// The filter as SQL. The names are constants, the values are parameters.
fn matching(time: &str, rule: &str) -> String {
    format!(
        "(?1 IS NULL OR {time} >= ?1) AND (?2 IS NULL OR camera = ?2) AND (?3 IS NULL OR {rule} IS NULL OR {rule} = ?3)"
    )
}

fn since(filter: &Filter) -> Option<String> {
    filter.since.map(utc_text)
}

fn texts(row: &Row<'_>, columns: usize) -> rusqlite::Result<Vec<String>> {
    (0..columns)
        .map(|column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
            })
        })
        .collect()
}
