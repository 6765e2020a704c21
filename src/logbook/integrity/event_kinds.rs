//! Kinds of events, and those columns of their rows that never change once they are written.

use std::fmt::Write as _;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use sha2::{Digest as _, Sha256};

use crate::logbook::values::Digest;

/// A kind of event.
pub(super) struct EventKind {
    /// As it is stored in `link.kind`.
    pub(super) name: &'static str,
    /// What links of schema 3 call it, if that is another name.
    pub(super) former: Option<&'static str>,
    /// The table whose rows it is about, and the table's key.
    pub(super) table: &'static str,
    pub(super) key: &'static str,
    /// For events that are not the beginning of a row but its end: the column that is filled then.
    pub(super) ends: Option<&'static str>,
    /// Those contents of the row that never change, by key. No row as long as the event has not happened.
    contents: &'static str,
}

/// In the order in which [`note_all`] notes them.
pub(super) const EVENT_KINDS: &[EventKind] = &[
    EventKind {
        name: "start",
        former: None,
        table: "start",
        key: "id",
        ends: None,
        contents: "SELECT id, at, utc_offset, mode, version, config_hash, model_hash, time_zone, first_vessel
                   FROM start WHERE id = ?1",
    },
    EventKind {
        name: "stop",
        former: None,
        table: "start",
        key: "id",
        ends: Some("ended"),
        contents: "SELECT id, ended FROM start WHERE id = ?1 AND ended IS NOT NULL",
    },
    EventKind {
        name: "clock_reading",
        former: None,
        table: "clock_reading",
        key: "id",
        ends: None,
        contents: "SELECT id, start, at, utc_offset, boot, boot_ms, synchronised, stepped_ms, reason
                   FROM clock_reading WHERE id = ?1",
    },
    // A signal is covered with its first step, and how it ended with its last.
    EventKind {
        name: "signal_step",
        former: None,
        table: "signal_step",
        key: "id",
        ends: None,
        contents: "SELECT step.id, step.phase, step.severity, step.at, step.utc_offset, step.measured, step.text,
                     x0, y0, x1, y1, signal.seq, signal.id, start, camera.name, rule, rule_name, kind, place, place_name,
                     vessel, notified, since, since_offset, opened, opened_offset, condition, threshold, margin, unit,
                     schedule, signal.text, iif(phase = 'closed', signal.severity, NULL),
                     iif(phase = 'closed', signal.measured, NULL), iif(phase = 'closed', closed, NULL),
                     iif(phase = 'closed', closed_offset, NULL), iif(phase = 'closed', closed_by, NULL)
                   FROM signal_step AS step JOIN signal ON signal.seq = step.signal
                     JOIN camera ON camera.id = signal.camera
                   WHERE step.id = ?1",
    },
    EventKind {
        name: "alert",
        former: None,
        table: "alert",
        key: "seq",
        ends: None,
        contents: "SELECT seq, id, start, signal, phase, at, utc_offset, topic, payload, picture_digest
                   FROM alert WHERE seq = ?1",
    },
    EventKind {
        name: "acknowledgement",
        former: None,
        table: "acknowledgement",
        key: "id",
        ends: None,
        contents: "SELECT acknowledgement.id, signal.id, at, acknowledgement.utc_offset, by, verdict, note
                   FROM acknowledgement JOIN signal ON signal.seq = acknowledgement.signal
                   WHERE acknowledgement.id = ?1",
    },
    EventKind {
        name: "visit_step",
        former: None,
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
    EventKind {
        name: "camera_outage",
        former: Some("blind_spell"),
        table: "camera_outage",
        key: "seq",
        ends: None,
        contents: "SELECT seq, camera_outage.id, start, camera.name, cause, began, began_offset, measured, threshold, unit, text
                   FROM camera_outage JOIN camera ON camera.id = camera_outage.camera WHERE seq = ?1",
    },
    EventKind {
        name: "camera_outage_end",
        former: Some("blind_spell_end"),
        table: "camera_outage",
        key: "seq",
        ends: Some("ended"),
        contents: "SELECT seq, id, ended, ended_offset, ended_by, end_seq
                   FROM camera_outage WHERE seq = ?1 AND ended IS NOT NULL",
    },
    EventKind {
        name: "seal",
        former: None,
        table: "seal",
        key: "id",
        ends: None,
        contents: "SELECT id, start, at, utc_offset, first_pass, last_pass, passes, detections, digest FROM seal WHERE id = ?1",
    },
    EventKind {
        name: "receipt",
        former: None,
        table: "receipt",
        key: "id",
        ends: None,
        contents: "SELECT id, start, at, utc_offset, act, kind, ids, rows, why FROM receipt WHERE id = ?1",
    },
];

/// The kind of that name.
pub(super) fn named(name: &str) -> Option<&'static EventKind> {
    EVENT_KINDS.iter().find(|kind| kind.names().any(|known| known == name))
}

impl EventKind {
    /// All names under which links know it.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        [Some(self.name), self.former].into_iter().flatten()
    }

    /// SHA-256 of the name and of those contents of the row that never change; `None` where there is no such event.
    /// `name`: that of the link.
    pub(super) fn digest(
        &self,
        connection: &Connection,
        name: &str,
        subject: i64,
    ) -> rusqlite::Result<Option<Digest>> {
        connection
            .prepare_cached(self.contents)?
            .query_row([subject], |row| {
                let mut hash = Sha256::new_with_prefix(name);
                hash_row(&mut hash, row)?;
                Ok(hash.finalize().into())
            })
            .optional()
    }
}

/// Hashes every value of a row: type, length, bytes. Different rows give different bytes.
fn hash_row(hash: &mut Sha256, row: &Row<'_>) -> rusqlite::Result<()> {
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
            ValueRef::Text(text) => hash_sized(hash, 3, text),
            ValueRef::Blob(bytes) => hash_sized(hash, 4, bytes),
        }
    }
    Ok(())
}

fn hash_sized(hash: &mut Sha256, tag: u8, bytes: &[u8]) {
    hash.update([tag]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// Triggers, of this connection only, that note each event when it is written. A rollback also removes the note.
pub(super) fn triggers() -> String {
    let mut sql = "CREATE TEMP TABLE IF NOT EXISTS fresh (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject INTEGER NOT NULL);"
        .to_owned();
    for EventKind { name, table, key, ends, .. } in EVENT_KINDS {
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

/// Notes every event of the logbook.
pub(super) fn note_all() -> String {
    EVENT_KINDS.iter().fold(String::new(), |mut sql, EventKind { name, table, key, ends, .. }| {
        let when = ends.map_or_else(String::new, |column| format!("WHERE {column} IS NOT NULL"));
        let _infallible = write!(
            sql,
            "INSERT INTO fresh (kind, subject) SELECT '{name}', {key} FROM {table} {when} ORDER BY {key};"
        );
        sql
    })
}
