//! Reading the logbook: lists, single records, exports, and what is new. Every question is one short transaction.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use uuid::Uuid;

use super::error::{LogbookError, sql};
use super::open;
use crate::rules::SignalId;

/// Rows of an export that are read in one transaction.
const EXPORT_PAGE: usize = 1000;

/// What can be listed and exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Every box in every look.
    Detections,
    /// Every followed vessel.
    Tracks,
    /// Every signal.
    Signals,
    /// Everything staff were told.
    Alerts,
    /// Every change of a camera's state.
    CameraStates,
    /// Every rule's silence: it held and was not told.
    Suppressed,
    /// Every stay at a berth.
    Visits,
    /// What the machine's clocks said, at each start and change.
    Clock,
    /// Every stretch of time in which a camera gave no usable picture.
    Outage,
}

/// Which rows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Of this camera.
    pub camera: Option<String>,
    /// Of this rule; says nothing about rows that have none.
    pub rule: Option<String>,
    /// The newest so many.
    pub limit: Option<u32>,
}

/// Rows as text, as people and CSV show them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Names.
    pub columns: Vec<String>,
    /// Oldest first; as many texts as there are columns. An absent value is an empty text.
    pub rows: Vec<Vec<String>>,
}

/// Where a follower of the logbook has got to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    start: i64,
    step: i64,
    camera_state: i64,
    visit_step: i64,
    acknowledgement: i64,
    clock: i64,
    outage_began: i64,
    outage_ended: i64,
}

/// Something new in the logbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Local time with offset.
    pub local_time: String,
    /// In plain words.
    pub text: String,
}

/// How a kind is read. Order by `key` is the order of writing.
struct View {
    name: &'static str,
    key: &'static str,
    time: &'static str,
    /// The expression for [`Filter::rule`].
    rule: &'static str,
    listed: &'static str,
    exported: &'static str,
}

impl Kind {
    fn view(self) -> View {
        match self {
            Self::Detections => View {
                name: "v_detections",
                key: "detection",
                time: "utc",
                rule: "NULL",
                listed: "local_time, camera, vessel, class, confidence, x, y, width, height",
                exported: "utc, local_time, camera, vessel, class, confidence, x, y, width, height, frame, frame_width, \
                           frame_height",
            },
            Self::Tracks => View {
                name: "v_tracks",
                key: "vessel",
                time: "last_seen_utc",
                rule: "NULL",
                listed: "vessel, camera, first_seen, last_seen, seconds, detections, state",
                exported: "vessel, camera, first_seen_utc, last_seen_utc, first_seen, last_seen, seconds, detections, \
                           state, x, y, width, height",
            },
            Self::Signals => View {
                name: "v_signals",
                key: "seq",
                time: "opened_utc",
                rule: "rule_id",
                listed: "seq, opened, closed, severity, rule_id AS rule, camera, vessel, told, text",
                exported: "id, opened_utc, closed_utc, since_utc, opened, closed, closed_by, severity, rule_id, rule, \
                           kind, camera, place_id, place, vessel, told, answer, condition, measured, threshold, margin, \
                           unit, schedule, config_hash, text",
            },
            Self::Alerts => View {
                name: "v_alerts",
                key: "seq",
                time: "utc",
                rule: "rule_id",
                listed: "seq, local_time, phase, severity, rule_id AS rule, camera, vessel, delivery, attempts, text",
                exported: "id, utc, local_time, phase, severity, rule_id, rule, camera, vessel, topic, picture_bytes, \
                           delivery, delivered, attempts, text",
            },
            Self::CameraStates => View {
                name: "v_camera_state",
                key: "id",
                time: "utc",
                rule: "NULL",
                listed: "local_time, camera, state, reason, retries",
                exported: "utc, local_time, camera, state, reason, retries",
            },
            Self::Suppressed => View {
                name: "v_suppressed",
                key: "id",
                time: "last_utc",
                rule: "rule",
                listed: "first, last, times, rule, camera, vessel, reason, text",
                exported: "first_utc, last_utc, first, last, times, rule, camera, vessel, reason, condition, measured, \
                           threshold, margin, unit, schedule, config_hash, text",
            },
            Self::Visits => View {
                name: "v_visits",
                key: "seq",
                time: "last_seen_utc",
                rule: "NULL",
                listed: "began, last_seen, ended, how, camera, berth, vessel, arrival, hours, length_m",
                exported: "id, began_utc, last_seen_utc, ended_utc, began, last_seen, ended, how, camera, berth, vessel, \
                           arrival, hours, length_m, x0, y0, x1, y1",
            },
            Self::Clock => View {
                name: "(SELECT *, NULL AS camera FROM v_clock)",
                key: "id",
                time: "utc",
                rule: "NULL",
                listed: "local_time, reason, clock_set, synchronised, stepped_s, later_steps_s, true_utc, start",
                exported: "utc, local_time, reason, clock_set, synchronised, stepped_s, later_steps_s, true_utc, \
                           seconds_since_boot, boot, start",
            },
            Self::Outage => View {
                name: "v_blind_spells",
                key: "seq",
                time: "ifnull(ended_utc, '9')",
                rule: "NULL",
                listed: "began, ended, seconds, camera, cause, ended_by, text",
                exported: "id, began_utc, ended_utc, began, ended, seconds, camera, cause, ended_by, measured, threshold, \
                           unit, text",
            },
        }
    }
}

/// A reader beside the writer, in this process or another.
pub struct Reader {
    pub(super) connection: Connection,
}

impl Reader {
    /// Opens the logbook at `path` for reading.
    pub fn open(path: &Path) -> Result<Self, LogbookError> {
        Ok(Self { connection: open::for_reading(path)? })
    }

    /// The columns people want, oldest row first.
    pub fn list(&self, kind: Kind, filter: &Filter) -> Result<Table, LogbookError> {
        let View { name, key, time, rule, listed, .. } = kind.view();
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

    /// Every column, in the order of writing, row by row; the header comes first. The same recording and site file give
    /// the same rows.
    pub fn export(
        &self,
        kind: Kind,
        filter: &Filter,
        mut row: impl FnMut(&[String]) -> std::io::Result<()>,
    ) -> Result<std::io::Result<()>, LogbookError> {
        let View { name, key, time, rule, exported, .. } = kind.view();
        let query = format!(
            "SELECT {exported}, {key} FROM {name} WHERE {} AND {key} > ?4 ORDER BY {key} LIMIT ?5",
            matching(time, rule)
        );
        let mut read = || {
            let mut statement = self.connection.prepare(&query)?;
            let columns = statement.column_count() - 1;
            let names: Vec<String> = statement.column_names().take(columns).map(str::to_owned).collect();
            let (mut written, mut last) = (row(&names), i64::MIN);
            // A page is a transaction of its own: whoever reads slowly does not hold the write-ahead log.
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

    /// A signal by its number in the logbook or its id, its steps, its alerts and the answers; `None` when there is none.
    pub fn signal(&self, name: &str) -> Result<Option<[Table; 4]>, LogbookError> {
        let signal = self.table("SELECT * FROM v_signals WHERE id = ?1 OR CAST(seq AS TEXT) = ?1", [name])?;
        let Some(row) = signal.rows.first() else { return Ok(None) };
        let seq = row[0].clone();
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
        let answers = self.table(
            "SELECT local_time, by, answer, note, seconds_after_opening FROM v_acknowledgements
             WHERE signal = CAST(?1 AS INTEGER) ORDER BY id",
            [&seq],
        )?;
        Ok(Some([signal, steps, alerts, answers]))
    }

    /// A vessel's track, its signals, the silences about it and its stays at berths; `None` when it was never followed.
    pub fn vessel(&self, number: u64) -> Result<Option<[Table; 4]>, LogbookError> {
        let number = super::store::integer(number);
        let track = self.table("SELECT * FROM v_tracks WHERE vessel = ?1", [number])?;
        let signals = self.table(
            "SELECT seq, opened, closed, severity, rule, place, told, text FROM v_signals WHERE vessel = ?1 ORDER BY seq",
            [number],
        )?;
        let silences = self.table(
            "SELECT first, last, times, rule, reason, text FROM v_suppressed WHERE vessel = ?1 ORDER BY id",
            [number],
        )?;
        let visits = self.table(
            "SELECT berth, arrival, began, last_seen, ended, how, hours, length_m FROM v_visits
             WHERE vessel = ?1 OR seq IN (SELECT visit FROM visit_step WHERE vessel = ?1) ORDER BY seq",
            [number],
        )?;
        let found = [track, signals, silences, visits];
        Ok(found.iter().any(|table| !table.rows.is_empty()).then_some(found))
    }

    /// The position from which the last `back` rows of each kind are new.
    pub fn position(&self, back: u32) -> Result<Position, LogbookError> {
        let newest_by = |key: &str, table: &str| {
            let query = format!("SELECT ifnull(max({key}), 0) - ?1 FROM {table}");
            self.connection.query_row(&query, [back], |row| row.get(0)).map_err(sql("read the logbook"))
        };
        let newest = |table: &str| newest_by("id", table);
        Ok(Position {
            start: newest("start")?,
            step: newest("signal_step")?,
            camera_state: newest("camera_state")?,
            visit_step: newest("visit_step")?,
            acknowledgement: newest("acknowledgement")?,
            clock: newest("clock_reading")?,
            outage_began: newest_by("seq", "blind_spell")?,
            outage_ended: newest_by("end_seq", "blind_spell")?,
        })
    }

    /// What came after `position`, in order of time; moves `position` on.
    pub fn news(&self, position: &mut Position) -> Result<Vec<News>, LogbookError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT 0, start, local_time,
                   'on watch (' || mode || ', version ' || version || ')', utc
                 FROM v_starts WHERE start > ?1
                 UNION ALL
                 SELECT 1, id, local_time, upper(severity) || '  ' || camera || '  ' || rule || ': ' ||
                   CASE phase WHEN 'updated' THEN 'still: ' WHEN 'closed' THEN 'over: ' ELSE '' END || text ||
                   CASE WHEN phase = 'opened' AND NOT told THEN ' (not told: within the cooldown)' ELSE '' END, utc
                 FROM v_signal_steps WHERE id > ?2
                 UNION ALL
                 SELECT 2, id, local_time, 'camera ' || camera || ' is ' || state ||
                   CASE reason WHEN '' THEN '' ELSE ': ' || reason END, utc
                 FROM v_camera_state WHERE id > ?3
                 UNION ALL
                 SELECT 3, id, local_time, camera || '  vessel ' || vessel || CASE event
                     WHEN 'arrived' THEN ' arrived at ' WHEN 'found' THEN ' was found lying at '
                     WHEN 'departed' THEN ' departed from '
                     WHEN 'replaced' THEN ' has left unseen, another lies in its place at '
                     ELSE ' has left unseen from ' END || berth, utc
                 FROM v_visit_steps WHERE id > ?4
                 UNION ALL
                 SELECT 4, id, local_time, by || ': ' || answer || ', ' || rule || ' (' || text || ')' ||
                   CASE note WHEN '' THEN '' ELSE ': ' || note END, utc
                 FROM v_acknowledgements WHERE id > ?5
                 UNION ALL
                 SELECT 5, seq, began, 'camera ' || camera || ' is outage: ' || text, began_utc
                 FROM v_blind_spells WHERE seq > ?6
                 UNION ALL
                 SELECT 6, end_seq, ended, 'camera ' || camera || CASE ended_by WHEN 'seen' THEN ' sees again'
                     WHEN 'another cause' THEN ' is outage for another cause' ELSE ' was outage' END ||
                   ' (' || cause || ' for ' || seconds || ' s' ||
                   CASE ended_by WHEN 'restart' THEN ', until a restart' WHEN 'stop' THEN ', until the watch stopped'
                     ELSE '' END || ')', ended_utc
                 FROM v_blind_spells WHERE end_seq > ?7
                 UNION ALL
                 SELECT 7, id, local_time, CASE
                     WHEN reason = 'synchronised' THEN 'a time server has set the clock'
                     WHEN reason = 'synchronisation lost' THEN 'no time server holds the clock any more'
                     WHEN stepped_s > 0 THEN 'the clock was put forward by ' || stepped_s || ' s'
                     WHEN stepped_s < 0 THEN 'the clock was put back by ' || -stepped_s || ' s'
                     ELSE 'the clock is not set: times mean nothing' END, utc
                 FROM v_clock WHERE id > ?8 AND (stepped_s <> 0 OR reason <> 'start' OR clock_set = 'no')
                 ORDER BY utc, 1, 2",
            )?;
            let mut rows = statement.query(params![
                position.start,
                position.step,
                position.camera_state,
                position.visit_step,
                position.acknowledgement,
                position.outage_began,
                position.outage_ended,
                position.clock
            ])?;
            let (mut to, mut news) = (*position, Vec::new());
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(1)?;
                let seen = match row.get(0)? {
                    0 => &mut to.start,
                    1 => &mut to.step,
                    2 => &mut to.camera_state,
                    3 => &mut to.visit_step,
                    4 => &mut to.acknowledgement,
                    5 => &mut to.outage_began,
                    6 => &mut to.outage_ended,
                    _ => &mut to.clock,
                };
                *seen = id.max(*seen);
                news.push(News { local_time: row.get(2)?, text: row.get(3)? });
            }
            Ok((to, news))
        };
        let (to, news) = read().map_err(sql("read what is new in the logbook"))?;
        *position = to;
        Ok(news)
    }

    fn table(&self, query: &str, params: impl Params) -> Result<Table, LogbookError> {
        let read = || {
            let mut statement = self.connection.prepare(query)?;
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let rows =
                statement.query_map(params, |row| texts(row, columns.len()))?.collect::<Result<_, _>>()?;
            Ok(Table { columns, rows })
        };
        read().map_err(sql("read the logbook"))
    }
}

/// The filter as SQL; the names are the constants above, the values are parameters.
fn matching(time: &str, rule: &str) -> String {
    format!(
        "(?1 IS NULL OR {time} >= ?1) AND (?2 IS NULL OR camera = ?2) AND (?3 IS NULL OR {rule} IS NULL OR {rule} = ?3)"
    )
}

fn since(filter: &Filter) -> Option<String> {
    filter.since.map(as_utc)
}

/// As the views write UTC, so that texts compare like times.
pub(super) fn as_utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
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
