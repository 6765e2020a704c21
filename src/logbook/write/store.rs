//! From entries to rows, in transactions. Knows the schema; knows nothing of threads and retries.

use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Connection;

use super::cameras::{self, CameraNumbers};
use super::passes::PassWriter;
use super::{acknowledgements, camera_outages, clock_readings, signals, starts, suppressions, visits};
use crate::logbook::context::{Failure, WriteContext, Written};
use crate::logbook::entry::{DeliveryNote, DeliveryOutcome, Entry, StartEntry};
use crate::logbook::error::{LogbookError, damage_or_sql};
use crate::logbook::integrity::chain::{Chain, ChainHead};
use crate::logbook::integrity::key::SigningKey;
use crate::logbook::integrity::seals::Seals;
use crate::logbook::open;

/// The one connection that writes, and the state that belongs to it.
pub(in crate::logbook) struct Store {
    pub(in crate::logbook) connection: Connection,
    pub(in crate::logbook) start: i64,
    pub(in crate::logbook) next_vessel: u64,
    zone: TimeZone,
    cameras: CameraNumbers,
    passes: PassWriter,
    chain: Chain,
    _lock: File,
}

impl Store {
    /// Opens the logbook, ends what an earlier start left open, and writes the new start, in one transaction.
    pub(in crate::logbook) fn open(
        path: &Path,
        start: &StartEntry,
        key: Option<SigningKey>,
    ) -> Result<Self, LogbookError> {
        let zone = TimeZone::get(&start.time_zone)
            .map_err(|_unknown| LogbookError::TimeZone(start.time_zone.clone()))?;
        let open::Opened { mut connection, lock, unclean } = open::for_writing(path)?;
        if unclean {
            tracing::warn!(path = %path.display(), "the logbook was not closed last time; all its pages are sound");
        }
        let failed = |doing| move |cause| damage_or_sql(doing, path, cause);
        let mut chain = Chain::resume(&connection, key).map_err(failed("read the logbook's chain"))?;
        let mut seals = Seals::resume(&connection).map_err(failed("read the logbook's seals"))?;
        let begun = starts::begin(&mut connection, &zone, start, &mut chain, &mut seals);
        let (start, next_vessel) = begun.map_err(failed("write a new start into the logbook"))?;
        let (cameras, passes) = (CameraNumbers::default(), PassWriter::new(seals));
        Ok(Self { connection, start, next_vessel, zone, cameras, passes, chain, _lock: lock })
    }

    /// Where the chain of events ends.
    pub(in crate::logbook) fn head(&self) -> &ChainHead {
        self.chain.head()
    }

    /// Commits entries in their order, in one transaction. Entries that can never be written are left out, and reported
    /// to `rejected`.
    pub(in crate::logbook) fn commit(
        &mut self,
        batch: &[Entry],
        mut rejected: impl FnMut(&Entry, String),
    ) -> Result<Vec<Written>, Failure> {
        let seals = self.passes.seals.clone();
        let outcome = self.try_commit(batch, &mut rejected);
        if outcome.is_err() {
            self.cameras.clear();
            self.passes.roll_back(seals);
            if !self.connection.is_autocommit() {
                // If this fails, the next BEGIN fails too and reports it.
                let _rolled_back = self.connection.execute_batch("ROLLBACK");
            }
        }
        outcome
    }

    fn try_commit(
        &mut self,
        batch: &[Entry],
        rejected: &mut impl FnMut(&Entry, String),
    ) -> Result<Vec<Written>, Failure> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(Failure::of_transaction)?;
        let mut written = Vec::with_capacity(batch.len());
        let mut left_out = Vec::new();
        for entry in batch {
            match self.apply_whole(entry) {
                Ok(rows) => written.push(rows),
                Err(Failure::Rejected(why)) => left_out.push((entry, why)),
                Err(other) => return Err(other),
            }
        }
        let head = self.chain.extend(&self.connection).map_err(Failure::of_transaction)?;
        self.connection.execute_batch("COMMIT").map_err(Failure::of_transaction)?;
        self.chain.committed(head);
        // Only now, so that a batch that is tried again does not report them twice.
        left_out.into_iter().for_each(|(entry, why)| rejected(entry, why));
        Ok(written)
    }

    /// Writes an entry, or nothing of it. A pass that updates no track needs no savepoint: its rows are never rejected.
    fn apply_whole(&mut self, entry: &Entry) -> Result<Written, Failure> {
        if matches!(entry, Entry::Pass(pass) if !self.passes.has_due_track(pass)) {
            return self.apply(entry);
        }
        self.savepoint("SAVEPOINT entry")?;
        let seals = self.passes.seals.clone();
        let applied = self.apply(entry);
        match &applied {
            Ok(_) => {}
            Err(Failure::Rejected(_)) => {
                self.connection.execute_batch("ROLLBACK TO entry").map_err(Failure::of_transaction)?;
                self.cameras.clear();
                self.passes.roll_back(seals);
            }
            // The whole transaction is rolled back, perhaps already.
            Err(_) => return applied,
        }
        self.savepoint("RELEASE entry")?;
        applied
    }

    fn savepoint(&self, statement: &str) -> Result<(), Failure> {
        let mut statement = self.connection.prepare_cached(statement).map_err(Failure::of_transaction)?;
        statement.execute([]).map(|_rows| ()).map_err(Failure::of_transaction)
    }

    fn apply(&mut self, entry: &Entry) -> Result<Written, Failure> {
        let context = WriteContext { connection: &self.connection, zone: &self.zone, start: self.start };
        let mut camera = |name| self.cameras.number(&self.connection, name);
        match entry {
            Entry::Pass(pass) => self.passes.write(context, &mut self.cameras, pass),
            Entry::Signal(signal) => signals::write(context, camera(&signal.event.camera)?, signal),
            Entry::CameraState(change) => cameras::write_state(context, camera(&change.camera)?, change),
            Entry::Delivery(note) => write_delivery(context, note),
            Entry::Suppressed(suppressed) => {
                suppressions::write(context, camera(&suppressed.camera)?, suppressed)
            }
            Entry::Visit(event) => visits::write(context, camera(&event.visit.camera)?, event),
            Entry::Outage(step) => camera_outages::write(context, camera(&step.camera)?, step),
            Entry::Acknowledgement(given) => acknowledgements::write(context, given),
            Entry::Clock(reading) => clock_readings::write(context, reading),
        }
    }

    /// Writes events in a transaction of their own: receipts, and what they are about.
    pub(in crate::logbook) fn write_events<T>(
        &mut self,
        write: impl FnOnce(WriteContext<'_>, &Seals) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let transaction = self.connection.unchecked_transaction()?;
        let context = WriteContext { connection: &transaction, zone: &self.zone, start: self.start };
        let written = write(context, &self.passes.seals)?;
        let head = self.chain.extend(&transaction)?;
        transaction.commit()?;
        self.chain.committed(head);
        Ok(written)
    }

    /// Seals what is written, and marks the start as ended in order.
    pub(in crate::logbook) fn end(&mut self, at: Timestamp) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        let context = WriteContext { connection: &transaction, zone: &self.zone, start: self.start };
        self.passes.seals.seal(context, at)?;
        starts::end(context, at)?;
        let head = self.chain.extend(&transaction)?;
        transaction.commit()?;
        self.chain.committed(head);
        self.connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))
    }
}

/// Notes what happened to an alert; delivered and expired are final.
fn write_delivery(context: WriteContext<'_>, note: &DeliveryNote) -> Result<Written, Failure> {
    let (at, offset) = context.local(note.at);
    let delivered = (note.outcome == DeliveryOutcome::Delivered).then_some(at);
    let expired = (note.outcome == DeliveryOutcome::Expired).then_some(at);
    context
        .connection
        .prepare_cached(
            "UPDATE alert SET attempts = attempts + ?2, delivered = ?3, delivered_offset = ?4, expired = ?5
             WHERE seq = ?1 AND delivered IS NULL AND expired IS NULL",
        )?
        .execute(rusqlite::params![note.seq, note.attempts, delivered, delivered.map(|_| offset), expired])?;
    Ok(Written::default())
}
