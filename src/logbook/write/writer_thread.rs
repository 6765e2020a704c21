//! The thread that writes: batches, commits, retries.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::options::WriterOptions;
use super::stats::{WriterStats, add};
use super::store::Store;
use crate::backoff::{Backoff, Delays};
use crate::logbook::context::{Failure, Written};
use crate::logbook::entry::Entry;
use crate::logbook::error::{LogbookError, sql};
use crate::logbook::files::write_damage_note;
use crate::logbook::integrity::chain::ChainHead;
use crate::logbook::maintain::maintenance::Maintenance;

/// Entries of one transaction, at most.
const BATCH: usize = 512;

/// How long a pass may wait for other entries, so that they share the sync of one commit. An alert does not wait.
const GATHER: Duration = Duration::from_millis(250);

/// The longest time between two turns of the thread.
const TURN: Duration = Duration::from_millis(500);

/// What is sent to the thread.
pub(super) enum Message {
    Entry(Box<Entry>),
    /// Reply when everything before is committed.
    Flush(SyncSender<()>),
    /// Mark the start as ended in order, reply, end.
    Close(Timestamp, SyncSender<()>),
}

/// The state of the thread.
pub(super) struct WriterThread {
    pub(super) path: PathBuf,
    pub(super) store: Store,
    pub(super) entries: Receiver<Message>,
    pub(super) stats: Arc<WriterStats>,
    pub(super) outbox: watch::Sender<i64>,
    pub(super) head: watch::Sender<ChainHead>,
    pub(super) retry: Delays,
    pub(super) maintenance: Maintenance,
    pub(super) options: WriterOptions,
}

/// What one turn takes from the channel.
#[derive(Default)]
struct Batch {
    entries: Vec<Entry>,
    flushes: Vec<SyncSender<()>>,
    close: Option<(Timestamp, SyncSender<()>)>,
    urgent: bool,
}

impl WriterThread {
    pub(super) fn run(mut self) -> Result<(), LogbookError> {
        loop {
            (self.options.heartbeat)();
            let Some(batch) = self.gather() else {
                // Every sender is gone without a close: the next opening finds a start that was cut off.
                return Ok(());
            };
            match self.turn(&batch) {
                Ok(ControlFlow::Continue(())) => (),
                Ok(ControlFlow::Break(())) => return Ok(()),
                Err(why) => {
                    tracing::error!(path = %self.path.display(), %why, "the logbook's writer stops");
                    // Before the batch is dropped: a caller whose flush fails then reads why.
                    self.stats.set_error(why.to_string());
                    return Err(why);
                }
            }
        }
    }

    fn turn(&mut self, batch: &Batch) -> Result<ControlFlow<()>, LogbookError> {
        self.commit(&batch.entries)?;
        for flush in &batch.flushes {
            // The caller may have stopped waiting.
            let _received = flush.send(());
        }
        if let Some((at, done)) = &batch.close {
            self.store.end(*at).map_err(sql("close the logbook"))?;
            let _received = done.send(());
            return Ok(ControlFlow::Break(()));
        }
        self.maintenance.between_commits(&mut self.store, batch.entries.is_empty());
        Ok(ControlFlow::Continue(()))
    }

    /// The entries that wait, in order: up to the first urgent one, or all that come within [`GATHER`].
    fn gather(&self) -> Option<Batch> {
        let mut batch = Batch::default();
        match self.entries.recv_timeout(TURN) {
            Ok(message) => batch.take(message),
            Err(RecvTimeoutError::Timeout) => return Some(batch),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        let begun = self.options.clock.mono();
        loop {
            // Entries that wait already share the sync, whatever the clock says.
            while batch.close.is_none() && batch.entries.len() < BATCH {
                let Ok(message) = self.entries.try_recv() else { break };
                batch.take(message);
            }
            if batch.urgent || batch.entries.len() >= BATCH {
                break;
            }
            // In a replay the clock does not advance meanwhile: a full batch or an empty channel ends the wait there.
            let Some(left) = GATHER.checked_sub(self.options.clock.mono().since(begun)) else { break };
            let Ok(message) = self.entries.recv_timeout(left) else { break };
            batch.take(message);
        }
        Some(batch)
    }

    /// Commits, with as many tries as it takes: entries are never dropped because the disk is full.
    fn commit(&mut self, entries: &[Entry]) -> Result<(), LogbookError> {
        if entries.is_empty() {
            return Ok(());
        }
        loop {
            #[cfg(test)]
            self.limit_pages();
            let begun = self.options.clock.mono();
            let stats = &self.stats;
            let rejected = |entry: &Entry, why: String| {
                add(&stats.rejected, 1);
                tracing::error!(%why, ?entry, "an entry cannot be written");
                stats.set_error(why);
            };
            match self.store.commit(entries, rejected) {
                Ok(written) => {
                    self.committed(entries.len(), &written, self.options.clock.mono().since(begun));
                    return Ok(());
                }
                Err(Failure::Fatal(cause)) => {
                    write_damage_note(&self.path, &cause.to_string());
                    return Err(LogbookError::Damaged { path: self.path.clone(), report: cause.to_string() });
                }
                Err(Failure::Rejected(why)) => return Err(LogbookError::Stopped(why)),
                Err(Failure::Retryable(cause)) => {
                    let made_room = self.maintenance.is_full(&cause)
                        && self.maintenance.make_room(&mut self.store, &*self.options.heartbeat);
                    if !made_room {
                        self.degraded(&cause);
                    }
                }
            }
        }
    }

    fn committed(&mut self, entries: usize, written: &[Written], took: Duration) {
        let entries = entries as u64;
        if self.stats.degraded.load(Ordering::Relaxed) {
            let dropped = self.stats.unwritten_detections.load(Ordering::Relaxed);
            tracing::info!(
                entries,
                dropped_detections = dropped,
                "the logbook can be written again; no event was lost"
            );
        }
        self.retry.reset();
        self.stats.committed(entries, took);
        self.stats.waiting.fetch_sub(entries, Ordering::Relaxed);
        add(&self.stats.detections, written.iter().map(|w| w.detections).sum());
        add(&self.stats.rejected, written.iter().filter(|w| w.unsendable).count() as u64);
        let newest = written.iter().filter_map(|w| w.alert).max();
        add(&self.stats.alerts, written.iter().filter(|w| w.alert.is_some()).count() as u64);
        self.maintenance.measure_wal();
        self.head.send_if_modified(|head| {
            let is_longer = head.seq != self.store.head().seq;
            head.clone_from(self.store.head());
            is_longer
        });
        // Last: a task that this wakes finds the rows committed.
        if let Some(seq) = newest {
            self.outbox.send_replace(seq);
        }
    }

    fn degraded(&mut self, cause: &rusqlite::Error) {
        add(&self.stats.failed_commits, 1);
        self.stats.set_error(cause.to_string());
        let delay = self.retry.next_delay();
        if !self.stats.degraded.swap(true, Ordering::Relaxed) {
            tracing::error!(%cause, "the logbook cannot be written; entries wait and are tried again");
        }
        // The thread works, the disk does not: a restart would only lose the entries that wait.
        (self.options.heartbeat)();
        std::thread::sleep(delay);
    }

    #[cfg(test)]
    fn limit_pages(&self) {
        let pages = self.options.page_limit.load(Ordering::Relaxed);
        let pages = if pages == 0 { 1 << 30 } else { pages };
        self.store.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }
}

impl Batch {
    fn take(&mut self, message: Message) {
        match message {
            Message::Entry(entry) => {
                self.urgent |= match &*entry {
                    Entry::Signal(signal) => signal.alert.is_some(),
                    // The age of later rows is computed with it.
                    Entry::Clock(_) => true,
                    _ => false,
                };
                self.entries.push(*entry);
            }
            Message::Flush(done) => {
                self.urgent = true;
                self.flushes.push(done);
            }
            Message::Close(at, done) => {
                self.urgent = true;
                self.close = Some((at, done));
            }
        }
    }
}

/// 50 ms to 2 s: free space is found soon, and a full disk is not tried too often.
pub(super) fn retry() -> Delays {
    const RETRY: Backoff = match Backoff::new(Duration::from_millis(50), Duration::from_secs(2), 0) {
        Ok(policy) => policy,
        Err(_) => panic!("a constant back-off is valid"),
    };
    RETRY.delays(0)
}
