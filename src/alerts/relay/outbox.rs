//! The relay's view of the outbox, kept from session to session: it reads rows, and reports what became of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::Stamp;
use crate::logbook::{
    DeliveryNote, DeliveryOutcome, Entry, LogbookError, LogbookSender, Outbox, OutboxDepth, OutboxRow,
};

/// Undelivered alerts, each with its age as far as that is known.
#[derive(Debug, Default)]
pub(super) struct OutboxPage {
    pub(super) rows: VecDeque<(OutboxRow, Option<SignedDuration>)>,
    /// The outbox was read up to this number.
    pub(super) read_to: i64,
    /// Rows with higher numbers may follow.
    pub(super) more: bool,
}

/// Reads the outbox and notes deliveries. Neither makes the relay wait for the disk.
pub(in crate::alerts) struct OutboxQueue {
    path: PathBuf,
    logbook: LogbookSender,
    /// Closed after an error and opened again by the next query.
    reader: Arc<Mutex<Option<Outbox>>>,
    /// Delivered or expired, but perhaps not yet in the logbook.
    settled: BTreeSet<i64>,
    /// How often each open alert was sent.
    attempts: BTreeMap<i64, u32>,
    /// Notes that the logbook has not accepted yet.
    notes: VecDeque<DeliveryNote>,
}

impl OutboxQueue {
    pub(in crate::alerts) fn new(path: PathBuf, logbook: LogbookSender) -> Self {
        let (reader, settled, attempts, notes) = Default::default();
        Self { path, logbook, reader, settled, attempts, notes }
    }

    /// The next undelivered alerts above number `after`, at most `limit`. `start` and `now` date them.
    pub(super) async fn read(
        &mut self,
        after: i64,
        limit: usize,
        start: i64,
        now: Stamp,
    ) -> Result<OutboxPage, LogbookError> {
        let query = move |outbox: &Outbox| {
            let rows = outbox.undelivered(after, limit)?.into_iter();
            let with_age = |row: OutboxRow| row.age(outbox, start, now).map(|age| (row, age));
            rows.map(with_age).collect::<Result<VecDeque<_>, _>>()
        };
        let mut rows = self.query(query).await?;
        let more = rows.len() == limit;
        let read_to = rows.back().map_or(after, |(row, _)| row.seq);
        // A settled alert that is missing among the rows is settled in the logbook, too.
        let last = if more { read_to } else { i64::MAX };
        let open: BTreeSet<i64> = rows.iter().map(|(row, _)| row.seq).collect();
        self.settled.retain(|seq| *seq <= after || *seq > last || open.contains(seq));
        rows.retain(|(row, _)| !self.settled.contains(&row.seq));
        Ok(OutboxPage { rows, read_to, more })
    }

    /// How many alerts wait.
    pub(super) async fn depth(&self) -> Result<OutboxDepth, LogbookError> {
        self.query(Outbox::depth).await
    }

    /// Queries the outbox on a thread that may wait for the disk.
    async fn query<A: Send + 'static>(
        &self,
        query: impl FnOnce(&Outbox) -> Result<A, LogbookError> + Send + 'static,
    ) -> Result<A, LogbookError> {
        let (reader, path) = (self.reader.clone(), self.path.clone());
        let result = tokio::task::spawn_blocking(move || {
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let open = match reader.take() {
                Some(open) => open,
                None => Outbox::open(&path)?,
            };
            let result = query(&open);
            *reader = result.is_ok().then_some(open);
            result
        });
        result.await.unwrap_or_else(|cause| Err(LogbookError::Stopped(cause.to_string())))
    }

    /// Counts an attempt to send `row`; returns its number, from 1.
    pub(super) fn next_attempt(&mut self, row: &OutboxRow) -> u32 {
        let attempts = self.attempts.entry(row.seq).or_default();
        *attempts = row.attempts.max(*attempts) + 1;
        *attempts
    }

    /// An alert is done: delivered or expired.
    pub(super) fn settle(&mut self, seq: i64, outcome: DeliveryOutcome, attempts: u32, at: Timestamp) {
        self.settled.insert(seq);
        self.attempts.remove(&seq);
        self.note(seq, outcome, attempts, at);
    }

    /// Notes an outcome for the logbook.
    pub(super) fn note(&mut self, seq: i64, outcome: DeliveryOutcome, attempts: u32, at: Timestamp) {
        self.notes.push_back(DeliveryNote { seq, at, attempts, outcome });
        self.flush_notes();
    }

    /// Hands notes to the writer as far as its queue has room.
    pub(super) fn flush_notes(&mut self) {
        while let Some(note) = self.notes.pop_front() {
            match self.logbook.try_send(Entry::Delivery(note)) {
                Ok(None) => {}
                Ok(Some(_full)) => {
                    self.notes.push_front(note);
                    return;
                }
                // The writer ends before the relay: the alert is sent again after the next start, under the same id.
                Err(ended) => tracing::debug!("the delivery of alert {} was not noted: {ended}", note.seq),
            }
        }
    }
}
