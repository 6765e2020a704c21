//! Which rows are events, and which of their columns never change once written.

use std::fmt::Write as _;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use sha2::{Digest as _, Sha256};

use super::Digest;

/// A kind of event.
pub(super) struct Kind {
    /// As it stands in `link.kind`.
    pub(super) name: &'static str,
    /// The table whose rows it is about, and the table's key.
    pub(super) table: &'static str,
    pub(super) key: &'static str,
    /// Set for events that are not a row's beginning but its end: the column that is filled then.
    pub(super) ends: Option<&'static str>,
    /// The row's contents that never change, by key. No row while the event has not happened.
    contents: &'static str,
}

/// In the order in which a logbook of an earlier schema is linked.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "start",
        table: "start",
        key: "id",
        ends: None,
        contents: "SELECT id, at, utc_offset, mode, version, config_hash, model_hash, time_zone, first_vessel
                   FROM start WHERE id = ?1",
    },
    Kind {
        name: "stop",
        table: "start",
        key: "id",
        ends: Some("ended"),
        contents: "SELECT id, ended FROM start WHERE id = ?1 AND ended IS NOT NULL",
    },
    Kind {
        name: "clock_reading",
        table: "clock_reading",
        key: "id",
        ends: None,
        contents: "SELECT id, start, at, utc_offset, boot, boot_ms, synchronised, stepped_ms, reason
                   FROM clock_reading WHERE id = ?1",
    },
    // What a signal is stands in its own row; how it ended, in its last step's.
    Kind {
        name: "signal_step",
        table: "signal_step",
        key: "id",
        ends: None,
        contents: "SELECT step.id, step.phase, step.severity, step.at, step.utc_offset, step.measured, step.text,
                     x0, y0, x1, y1, signal.seq, signal.id, start, camera.name, rule, rule_name, kind, place, place_name,
                     vessel, told, since, since_offset, opened, opened_offset, condition, threshold, margin, unit,
                     schedule, signal.text, iif(phase = 'closed', signal.severity, NULL),
                     iif(phase = 'closed', signal.measured, NULL), iif(phase = 'closed', closed, NULL),
                     iif(phase = 'closed', closed_offset, NULL), iif(phase = 'closed', closed_by, NULL)
                   FROM signal_step AS step JOIN signal ON signal.seq = step.signal
                     JOIN camera ON camera.id = signal.camera
                   WHERE step.id = ?1",
    },
    Kind {
        name: "alert",
        table: "alert",
        key: "seq",
        ends: None,
        contents: "SELECT seq, id, start, signal, phase, at, utc_offset, topic, payload, picture_digest
                   FROM alert WHERE seq = ?1",
    },
    Kind {
        name: "acknowledgement",
        table: "acknowledgement",
        key: "id",
        ends: None,
        contents: "SELECT acknowledgement.id, signal.id, at, acknowledgement.utc_offset, by, answer, note
                   FROM acknowledgement JOIN signal ON signal.seq = acknowledgement.signal
                   WHERE acknowledgement.id = ?1",
    },
    Kind {
        name: "visit_step",
        table: "visit_step",
        key: "id",
        ends: None,
        contents: "SELECT visit_step.id, step, visit_step.vessel, at, utc_offset, visit.seq, visit.id, start, camera.name,
                     berth, began, began_offset, arrived, iif(step = 'ended', ended, NULL),
                     iif(step = 'ended', ended_offset, NULL), iif(step = 'ended', how, NULL),
                     iif(step = 'ended', last_seen, NULL), iif(step = 'ended', length_m, NULL)
                   FROM visit_step JOIN visit ON visit.seq = visit_step.visit JOIN camera ON camera.id = visit.camera
                   WHERE visit_step.id = ?1",
    },
    Kind {
        name: "blind_spell",
        table: "blind_spell",
        key: "seq",
        ends: None,
        contents: "SELECT seq, camera_outage.id, start, camera.name, cause, began, began_offset, measured, threshold, unit, text
                   FROM camera_outage JOIN camera ON camera.id = camera_outage.camera WHERE seq = ?1",
    },
    Kind {
        name: "blind_spell_end",
        table: "blind_spell",
        key: "seq",
        ends: Some("ended"),
        contents: "SELECT seq, id, ended, ended_offset, ended_by, end_seq
                   FROM camera_outage WHERE seq = ?1 AND ended IS NOT NULL",
    },
    Kind {
        name: "seal",
        table: "seal",
        key: "id",
        ends: None,
        contents: "SELECT id, start, at, utc_offset, first_look, last_look, looks, detections, digest FROM seal WHERE id = ?1",
    },
    Kind {
        name: "receipt",
        table: "receipt",
        key: "id",
        ends: None,
        contents: "SELECT id, start, at, utc_offset, act, kind, ids, rows, why FROM receipt WHERE id = ?1",
    },
];

/// The kind of that name.
pub(super) fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

impl Kind {
    /// SHA-256 of the row's contents that never change; `None` where there is no such event.
    pub(super) fn digest(&self, connection: &Connection, subject: i64) -> rusqlite::Result<Option<Digest>> {
        connection
            .prepare_cached(self.contents)?
            .query_row([subject], |row| {
                let mut hash = Sha256::new_with_prefix(self.name);
                absorb(&mut hash, row)?;
                Ok(hash.finalize().into())
            })
            .optional()
    }
}

/// Takes in every value of a row: its type, its length, its bytes. No two rows give the same bytes.
fn absorb(hash: &mut Sha256, row: &Row<'_>) -> rusqlite::Result<()> {
    for column in 0..row.as_ref().column_count() {
        match row.get_ref(column)? {
            ValueRef::Null => hash.update([0]),
            ValueRef::Integer(number) => {
                hash.update([1]);
                hash.update(number.to_be_bytes());
            }
            ValueRef::Real(number) => {
                hash.update([2]);
                hash.update(number.to_bits().to_be_bytes());
            }
            ValueRef::Text(text) => sized(hash, 3, text),
            ValueRef::Blob(bytes) => sized(hash, 4, bytes),
        }
    }
    Ok(())
}

fn sized(hash: &mut Sha256, tag: u8, bytes: &[u8]) {
    hash.update([tag]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// Triggers of this connection alone that note each event as it is written. What is rolled back is not noted.
pub(super) fn triggers() -> String {
    let mut sql = "CREATE TEMP TABLE IF NOT EXISTS fresh (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject INTEGER NOT NULL);"
        .to_owned();
    for Kind { name, table, key, ends, .. } in KINDS {
        let when = match ends {
            None => format!("INSERT ON main.{table}"),
            Some(column) => format!(
                "UPDATE OF {column} ON main.{table} WHEN NEW.{column} IS NOT NULL AND OLD.{column} IS NULL"
            ),
        };
        let _infallible = write!(
            sql,
            "CREATE TEMP TRIGGER IF NOT EXISTS note_{name} AFTER {when}
             BEGIN INSERT INTO fresh (kind, subject) VALUES ('{name}', NEW.{key}); END;"
        );
    }
    sql
}

/// Notes every event there is.
pub(super) fn note_all() -> String {
    KINDS.iter().fold(String::new(), |mut sql, Kind { name, table, key, ends, .. }| {
        let when = ends.map_or_else(String::new, |column| format!("WHERE {column} IS NOT NULL"));
        let _infallible = write!(
            sql,
            "INSERT INTO fresh (kind, subject) SELECT '{name}', {key} FROM {table} {when} ORDER BY {key};"
        );
        sql
    })
}
