//! From entries to rows. Knows the schema; knows nothing of threads and retries.

mod looks;

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};

use super::aside::{self, Aside, Carried};
use super::chain::{Chain, Head, Seals, SigningKey};
use super::entry::{DeliveryNote, Entry, Outcome, StartEntry};
use super::erase::Erased;
use super::error::{LogbookError, sql};
use super::ranges::Ranges;
use super::receipts::{self, Act, Receipt};
use super::reserve::Reserve;
use super::{acknowledgements, clocks, open, outage, signals, suppressed, visits};
use crate::camera_state::CameraChange;
use crate::clock::MonoTime;
use crate::ids::CameraId;
use crate::track::VesselId;

pub(super) use looks::class_of;

/// The one connection that writes.
pub(super) struct Store {
    pub(super) connection: Connection,
    pub(super) start: i64,
    pub(super) next_vessel: u64,
    zone: TimeZone,
    /// What was wrong with the logbook that was there, and where it is now.
    pub(super) moved_aside: Option<String>,
    /// Row ids and freshness; emptied when a transaction is taken back.
    cameras: HashMap<CameraId, i64>,
    tracks: HashMap<VesselId, MonoTime>,
    chain: Chain,
    seals: Seals,
    _lock: File,
}

/// Why an entry made no row.
#[derive(Debug)]
pub(super) enum Failure {
    /// This entry can never be written; the others can.
    Refused(String),
    /// Nothing can be written now.
    Later(rusqlite::Error),
    /// Nothing can be written ever again: the file is damaged.
    Never(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match open::code(&error) {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Never(error),
            Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
                Self::Refused(error.to_string())
            }
            Some(_) => Self::Later(error),
            // Not SQLite's word but that of the code around it: the entry does not fit the schema.
            None => Self::Refused(error.to_string()),
        }
    }
}

/// What an entry came to.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Written {
    pub(super) detections: u64,
    /// The alert's number in the outbox.
    pub(super) alert: Option<i64>,
    /// The signal is there; its alert could never leave and is not.
    pub(super) unsendable: bool,
}

impl Store {
    /// Opens the logbook, ends what an earlier start left open, and begins a new start: one transaction.
    pub(super) fn open(
        path: &Path,
        start: &StartEntry,
        key: Option<SigningKey>,
    ) -> Result<Self, LogbookError> {
        let zone = TimeZone::get(&start.time_zone)
            .map_err(|_unknown| LogbookError::TimeZone(start.time_zone.clone()))?;
        let open::Opened { mut connection, lock, unclean } = open::for_writing(path)?;
        if unclean {
            tracing::warn!(path = %path.display(), "the logbook was not closed last time; its pages are whole");
        }
        let failed = |doing| move |cause| open::damage_or(doing, path, cause);
        let mut chain = Chain::resume(&connection, key).map_err(failed("read the logbook's chain"))?;
        let mut seals = Seals::resume(&connection).map_err(failed("read the logbook's seals"))?;
        let begun = begin(&mut connection, &zone, start, &mut chain, &mut seals);
        let (start, next_vessel) = begun.map_err(failed("begin a start in the logbook"))?;
        let (cameras, tracks) = Default::default();
        let moved_aside = None;
        Ok(Self {
            connection,
            start,
            next_vessel,
            zone,
            moved_aside,
            cameras,
            tracks,
            chain,
            seals,
            _lock: lock,
        })
    }

    /// As [`Store::open`], but a damaged logbook is moved aside and a new one is begun, with what must not wait.
    pub(super) fn open_whatever_happened(
        path: &Path,
        start: &StartEntry,
        key: Option<SigningKey>,
    ) -> Result<Self, LogbookError> {
        let report = match Self::open(path, start, key.clone()) {
            Err(LogbookError::Damaged { report, .. }) => report,
            Err(LogbookError::Sql { cause, .. }) if open::is_full(&cause) => {
                // Even a start is a row.
                Reserve::of(path).give_up();
                return Self::open(path, start, key);
            }
            opened => return opened,
        };
        let aside = aside::keep(path, &report, start.at.wall)?;
        let carried = aside::replace(path, &aside)?;
        let mut store = Self::open(path, start, key)?;
        store
            .note_damage(&aside, carried, start.at.wall)
            .map_err(sql("note what happened to the logbook"))?;
        Ok(store)
    }

    /// The new logbook says why it is new.
    fn note_damage(&mut self, aside: &Aside, carried: Carried, at: Timestamp) -> rusqlite::Result<()> {
        let Carried { alerts, visits, incomplete } = carried;
        let text = format!(
            "the logbook was damaged ({}) and is kept as {}; carried over: {alerts} undelivered alerts, {visits} visits{}",
            aside.report,
            aside.path.display(),
            if incomplete { ", and there may have been more" } else { "" }
        );
        tracing::error!("{text}; `havenwacht logbook salvage` reads the rest");
        let ids = Ranges::default();
        let receipt = Receipt { act: Act::Damaged, kind: "logbook", ids: &ids, why: &text };
        self.note(|transaction, zone, start| {
            let id = receipts::write(transaction, zone, start, at, &receipt)?;
            receipts::set_done(transaction, id, at)
        })?;
        self.moved_aside = Some(text);
        Ok(())
    }

    /// Where the chain of events ends.
    pub(super) fn head(&self) -> &Head {
        self.chain.head()
    }

    /// Commits entries in their order, in one transaction. Entries that can never be written are left out.
    pub(super) fn commit(
        &mut self,
        batch: &[Entry],
        mut refused: impl FnMut(&Entry, String),
    ) -> Result<Vec<Written>, Failure> {
        let seals = self.seals.clone();
        let outcome = self.try_commit(batch, &mut refused);
        if outcome.is_err() {
            self.cameras.clear();
            self.tracks.clear();
            self.seals = seals;
            if !self.connection.is_autocommit() {
                // Whatever this says, the next BEGIN tells whether the transaction is gone.
                let _taken_back = self.connection.execute_batch("ROLLBACK");
            }
        }
        outcome
    }

    fn try_commit(
        &mut self,
        batch: &[Entry],
        refused: &mut impl FnMut(&Entry, String),
    ) -> Result<Vec<Written>, Failure> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(never_refused)?;
        let mut written = Vec::with_capacity(batch.len());
        let mut turned_away = Vec::new();
        for entry in batch {
            match self.apply_whole(entry) {
                Ok(rows) => written.push(rows),
                Err(Failure::Refused(why)) => turned_away.push((entry, why)),
                Err(other) => return Err(other),
            }
        }
        let head = self.chain.extend(&self.connection).map_err(never_refused)?;
        self.connection.execute_batch("COMMIT").map_err(never_refused)?;
        self.chain.committed(head);
        // Told only now, so that a batch that is tried again does not count twice.
        turned_away.into_iter().for_each(|(entry, why)| refused(entry, why));
        Ok(written)
    }

    /// Writes an entry, or nothing of it. A look alone is not worth a savepoint: its rows are never refused.
    fn apply_whole(&mut self, entry: &Entry) -> Result<Written, Failure> {
        if let Entry::Look(look) = entry
            && !look.tracks.iter().any(|track| self.is_due(track))
        {
            return self.look(look);
        }
        self.connection
            .prepare_cached("SAVEPOINT entry")
            .and_then(|mut s| s.execute([]))
            .map_err(never_refused)?;
        let seals = self.seals.clone();
        let applied = self.apply(entry);
        match &applied {
            Ok(_) => {}
            Err(Failure::Refused(_)) => {
                self.connection.execute_batch("ROLLBACK TO entry").map_err(never_refused)?;
                self.cameras.clear();
                self.tracks.clear();
                self.seals = seals;
            }
            // The transaction is taken back whole, and may be gone already.
            Err(_) => return applied,
        }
        self.connection
            .prepare_cached("RELEASE entry")
            .and_then(|mut s| s.execute([]))
            .map_err(never_refused)?;
        applied
    }

    fn apply(&mut self, entry: &Entry) -> Result<Written, Failure> {
        match entry {
            Entry::Look(look) => self.look(look),
            Entry::Signal(signal) => {
                let camera = self.camera(&signal.event.camera)?;
                signals::write(&self.connection, &self.zone, self.start, camera, signal)
            }
            Entry::Camera(change) => self.camera_state(change),
            Entry::Delivery(note) => self.delivery(note),
            Entry::Suppressed(silence) => {
                let camera = self.camera(&silence.camera)?;
                suppressed::write(&self.connection, &self.zone, self.start, camera, silence)
            }
            Entry::Visit(event) => {
                let camera = self.camera(&event.visit.camera)?;
                visits::write(&self.connection, &self.zone, self.start, camera, event)
            }
            Entry::Outage(step) => {
                let camera = self.camera(&step.camera)?;
                outage::write(&self.connection, &self.zone, self.start, camera, step)
            }
            Entry::Acknowledged(answered) => acknowledgements::write(&self.connection, &self.zone, answered),
            Entry::Clock(reading) => clocks::write(&self.connection, &self.zone, self.start, reading),
        }
    }

    fn camera_state(&mut self, change: &CameraChange) -> Result<Written, Failure> {
        let camera = self.camera(&change.camera)?;
        let (at, offset) = local(&self.zone, change.at.wall);
        self.connection
            .prepare_cached(
                "INSERT INTO camera_state (start, camera, at, utc_offset, state, reason, retries)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                self.start,
                camera,
                at,
                offset,
                change.state.as_str(),
                change.reason,
                change.retries
            ])?;
        Ok(Written::default())
    }

    fn delivery(&mut self, note: &DeliveryNote) -> Result<Written, Failure> {
        let (at, offset) = local(&self.zone, note.at);
        let delivered = (note.outcome == Outcome::Delivered).then_some(at);
        let expired = (note.outcome == Outcome::Expired).then_some(at);
        self.connection
            .prepare_cached(
                "UPDATE alert SET attempts = attempts + ?2, delivered = ?3, delivered_offset = ?4, expired = ?5
                 WHERE seq = ?1 AND delivered IS NULL AND expired IS NULL",
            )?
            .execute(params![note.seq, note.attempts, delivered, delivered.map(|_| offset), expired])?;
        Ok(Written::default())
    }

    fn camera(&mut self, name: &CameraId) -> Result<i64, Failure> {
        if let Some(&id) = self.cameras.get(name) {
            return Ok(id);
        }
        let known = self
            .connection
            .prepare_cached("SELECT id FROM camera WHERE name = ?1")?
            .query_row([name.as_str()], |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => self
                .connection
                .prepare_cached("INSERT INTO camera (name) VALUES (?1)")?
                .insert([name.as_str()])?,
        };
        self.cameras.insert(name.clone(), id);
        Ok(id)
    }

    /// Writes events of the logbook's own, receipts that is, in a transaction of their own, and links them.
    pub(super) fn note<T>(
        &mut self,
        write: impl FnOnce(&Connection, &TimeZone, i64) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let transaction = self.connection.unchecked_transaction()?;
        let written = write(&transaction, &self.zone, self.start)?;
        let head = self.chain.extend(&transaction)?;
        transaction.commit()?;
        self.chain.committed(head);
        Ok(written)
    }

    /// Takes rows out on request in one transaction, with a receipt and new seals for the stretches they lay in. Gives the
    /// number of rows.
    pub(super) fn erase(
        &mut self,
        at: Timestamp,
        carry_out: impl FnOnce(&Connection) -> rusqlite::Result<Erased>,
    ) -> rusqlite::Result<u64> {
        let transaction = self.connection.unchecked_transaction()?;
        let Erased { kind, ids, rows, why } = carry_out(&transaction)?;
        if rows == 0 {
            return Ok(0);
        }
        let receipt = Receipt { act: Act::Erased, kind, ids: &ids, why: &why };
        let id = receipts::write(&transaction, &self.zone, self.start, at, &receipt)?;
        receipts::set_done(&transaction, id, at)?;
        if kind == "detection" {
            self.seals.renew(&transaction, &self.zone, self.start, at, &ids)?;
        }
        let head = self.chain.extend(&transaction)?;
        transaction.commit()?;
        self.chain.committed(head);
        Ok(rows as u64)
    }

    /// Seals what is written and marks the start as cleanly ended.
    pub(super) fn end(&mut self, at: Timestamp) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        self.seals.seal(&transaction, &self.zone, self.start, at)?;
        transaction
            .execute("UPDATE start SET ended = ?2 WHERE id = ?1", params![self.start, at.as_millisecond()])?;
        let head = self.chain.extend(&transaction)?;
        transaction.commit()?;
        self.chain.committed(head);
        self.connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))
    }
}

/// Statements around entries: what they say is about the file, never about an entry.
fn never_refused(error: rusqlite::Error) -> Failure {
    match Failure::from(error) {
        Failure::Refused(why) => Failure::Later(rusqlite::Error::ToSqlConversionFailure(why.into())),
        other => other,
    }
}

/// Seals and closes what an earlier start left open (its rules engine and tracker are gone) and writes the new start.
/// Visits stay open: a vessel does not leave its berth because the watch was restarted.
fn begin(
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
         SELECT signal.seq, 'closed', signal.severity, ?1, ?2, signal.measured, 'closed: the watch was restarted', x0, y0, x1, y1
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
    outage::end_all(&transaction, at, offset)?;
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
    let id = transaction.last_insert_rowid();
    seals.seal_rest(&transaction, zone, id, start.at.wall)?;
    let head = chain.extend(&transaction)?;
    transaction.commit()?;
    chain.committed(head);
    Ok((id, u64::try_from(next_vessel).unwrap_or(1)))
}

/// A moment as stored: milliseconds UTC, and the zone's offset then in quarters of an hour.
pub(super) fn local(zone: &TimeZone, at: Timestamp) -> (i64, i64) {
    (at.as_millisecond(), i64::from(zone.to_offset(at).seconds() / 900))
}

/// The moment that [`local`] stored.
pub(super) fn moment(milliseconds: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|cause| rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, Box::new(cause)))
}

/// A number that SQLite can hold; vessel and frame numbers never come near its end.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
