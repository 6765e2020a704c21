//! The one thread that writes.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::chain::{Head, SigningKey};
use super::entry::{Entry, StartEntry};
use super::error::LogbookError;
use super::reserve::Reserve;
use super::retention::Removal;
use super::stats::{WriterStats, add};
use super::store::{Failure, Store, Written};
use super::{aside, open};
use crate::backoff::{Backoff, Delays};
use crate::clock::{Clock, MonoTime};
use crate::config::Retention;
use crate::track::TrackState;

/// Entries that may wait for the writer; the next one makes its sender wait too.
const CHANNEL: usize = 1024;

/// While the logbook cannot be written, detections may wait up to here; what comes then is given up and counted, so that
/// events have the rest of the channel to themselves.
const DETECTIONS_WAIT: u64 = 512;

/// Whoever waits for room in the channel looks again so soon.
const ROOM_SOON: Duration = Duration::from_millis(10);

/// Entries in one transaction.
const BATCH: usize = 512;

/// A look may wait this long for company, so that a commit's sync is shared. An alert waits for nobody.
const GATHER: Duration = Duration::from_millis(250);

/// The thread turns at least this often.
const TURN: Duration = Duration::from_millis(500);

/// What the writer needs beside the file.
pub struct WriterOptions {
    /// For commit times and for the age of rows.
    pub clock: Arc<dyn Clock>,
    /// How long rows are kept; `None` keeps them, also on a full disk, and keeps no reserve (replay).
    pub retention: Option<Retention>,
    /// A damaged logbook is moved aside and a new one begun; without this it is refused (replay).
    pub replace_damaged: bool,
    /// Signs the links of the chain.
    pub signing_key: Option<SigningKey>,
    /// Called on every turn of the thread.
    pub beat: Box<dyn Fn() + Send>,
    /// The logbook may not grow beyond so many pages: a full disk for tests. 0 is no limit.
    #[cfg(test)]
    pub(super) page_limit: Arc<std::sync::atomic::AtomicU32>,
}

impl WriterOptions {
    /// Keeps all rows, tells nobody that it turns.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            retention: None,
            replace_damaged: false,
            signing_key: None,
            beat: Box::new(|| ()),
            #[cfg(test)]
            page_limit: Arc::default(),
        }
    }
}

/// Hands entries to the writer. Cheap to clone.
#[derive(Clone)]
pub struct LogbookSender {
    channel: SyncSender<Message>,
    stats: Arc<WriterStats>,
}

enum Message {
    Entry(Box<Entry>),
    /// Answer when everything before it is committed.
    Flush(SyncSender<()>),
    /// Mark the start as ended, answer, stop.
    Close(Timestamp, SyncSender<()>),
}

/// The writer's thread has stopped; the entry was not taken.
#[derive(Debug, thiserror::Error)]
#[error("the logbook's writer has stopped")]
pub struct WriterGone;

impl LogbookSender {
    /// Hands an entry over. Waits while the channel is full: events may be late, never dropped.
    pub fn send(&self, entry: Entry) -> Result<(), WriterGone> {
        add(&self.stats.waiting, 1);
        self.channel.send(Message::Entry(Box::new(entry))).map_err(|_stopped| {
            self.stats.waiting.fetch_sub(1, Ordering::Relaxed);
            WriterGone
        })
    }

    /// As [`LogbookSender::send`], for a loop that must be seen to turn: `turn` is called while there is no room. Detections
    /// are given up, and counted, when the logbook cannot be written and many wait already; events never are.
    pub fn send_turning(&self, mut entry: Entry, turn: impl Fn()) -> Result<(), WriterGone> {
        if let Entry::Look(look) = &entry
            // One that ends a track is kept: no later one tells of it.
            && look.tracks.iter().all(|track| track.state != TrackState::Ended)
            && self.stats.degraded.load(Ordering::Relaxed)
            && self.stats.waiting.load(Ordering::Relaxed) >= DETECTIONS_WAIT
        {
            add(&self.stats.unwritten_detections, look.detections.len() as u64);
            return Ok(());
        }
        while let Some(full) = self.try_send(entry)? {
            entry = full;
            turn();
            std::thread::sleep(ROOM_SOON);
        }
        Ok(())
    }

    /// Hands an entry over if there is room; gives it back if there is none. For tasks that must not wait.
    pub fn try_send(&self, entry: Entry) -> Result<Option<Entry>, WriterGone> {
        add(&self.stats.waiting, 1);
        let refused = match self.channel.try_send(Message::Entry(Box::new(entry))) {
            Ok(()) => return Ok(None),
            Err(TrySendError::Full(Message::Entry(entry))) => Ok(Some(*entry)),
            Err(_) => Err(WriterGone),
        };
        self.stats.waiting.fetch_sub(1, Ordering::Relaxed);
        refused
    }
}

/// The writer: its thread, what it has done, and the way to end it.
///
/// Dropping it without [`Writer::close`] commits what was handed over, but leaves the start marked as cut off.
pub struct Writer {
    path: PathBuf,
    channel: SyncSender<Message>,
    thread: Option<JoinHandle<Result<(), LogbookError>>>,
    stats: Arc<WriterStats>,
    outbox: watch::Receiver<i64>,
    heads: watch::Receiver<Head>,
    start: i64,
    next_vessel: u64,
}

impl Writer {
    /// Opens or creates the logbook, ends what an earlier start left open, writes `start` and begins to take entries.
    pub fn open(
        path: &Path,
        start: &StartEntry,
        mut options: WriterOptions,
    ) -> Result<(Self, LogbookSender), LogbookError> {
        let mut store = match options.replace_damaged {
            true => Store::open_whatever_happened(path, start, options.signing_key.take())?,
            false => Store::open(path, start, options.signing_key.take())?,
        };
        let reserve = Reserve::of(path);
        open::keep_log_short(&store.connection, reserve.bytes() / 2)
            .map_err(super::error::sql("configure the logbook"))?;
        // A log that was long before may not stay so; on a full disk it cannot be helped now.
        if let Err(cause) = open::fold(&store.connection) {
            tracing::debug!(%cause, "the write-ahead log could not be folded in at the start");
        }
        let (channel, entries) = mpsc::sync_channel(CHANNEL);
        let (committed, outbox) = watch::channel(0);
        let (head, heads) = watch::channel(store.head().clone());
        let stats = Arc::new(WriterStats::default());
        if let Some(text) = store.moved_aside.take() {
            stats.set_damage(text);
        }
        let (start, next_vessel) = (store.start, store.next_vessel);
        let removal = options.retention.map(|kept| Removal::new(kept, options.clock.mono()));
        let turns = Turns {
            path: path.into(),
            store,
            entries,
            stats: stats.clone(),
            outbox: committed,
            head,
            retry: retry(),
            removal,
            reserve,
            reserve_due: options.clock.mono(),
            tidied: options.clock.mono(),
            options,
        };
        let thread = std::thread::Builder::new()
            .name("logbook".into())
            .spawn(move || turns.run())
            .map_err(|cause| LogbookError::Io { doing: "start the thread for", path: path.into(), cause })?;
        let sender = LogbookSender { channel: channel.clone(), stats: stats.clone() };
        let thread = Some(thread);
        Ok((Self { path: path.into(), channel, thread, stats, outbox, heads, start, next_vessel }, sender))
    }

    /// The logbook's file, for readers.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Another way to hand entries over.
    pub fn sender(&self) -> LogbookSender {
        LogbookSender { channel: self.channel.clone(), stats: self.stats.clone() }
    }

    /// The first vessel number that this start may give.
    pub fn next_vessel(&self) -> u64 {
        self.next_vessel
    }

    /// This start's number.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The thread has ended, though nobody asked it to: the logbook is damaged.
    pub fn has_stopped(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Counters.
    pub fn stats(&self) -> Arc<WriterStats> {
        self.stats.clone()
    }

    /// Changes to the number of the newest alert whenever alerts have been committed.
    pub fn outbox(&self) -> watch::Receiver<i64> {
        self.outbox.clone()
    }

    /// Where the chain of events ends; changes whenever events have been committed.
    pub fn heads(&self) -> watch::Receiver<Head> {
        self.heads.clone()
    }

    /// Waits until everything handed over before is on disk, at most `deadline`.
    pub fn flush(&self, deadline: Duration) -> Result<(), LogbookError> {
        self.ask(deadline, Message::Flush)
    }

    /// Commits what was handed over, marks the start as ended and stops the thread.
    pub fn close(mut self, at: Timestamp, deadline: Duration) -> Result<(), LogbookError> {
        let asked = self.ask(deadline, |answer| Message::Close(at, answer));
        match (self.thread.take(), &asked) {
            // A thread that is late may wait for disk space for ever.
            (None, _) | (_, Err(LogbookError::Late { .. })) => asked,
            // One that answered, or cannot answer any more, is about to end and says why.
            (Some(thread), _) => thread
                .join()
                .unwrap_or_else(|_panic| Err(LogbookError::Stopped("it panicked".into())))
                .and(asked),
        }
    }

    fn ask(
        &self,
        deadline: Duration,
        question: impl FnOnce(SyncSender<()>) -> Message,
    ) -> Result<(), LogbookError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let stopped =
            || LogbookError::Stopped(self.stats.last_error().unwrap_or_else(|| "it panicked".into()));
        let late = || LogbookError::Late { waiting: self.stats.waiting.load(Ordering::Relaxed) };
        let mut message = question(answer);
        let mut left = deadline;
        while let Err(refused) = self.channel.try_send(message) {
            let TrySendError::Full(back) = refused else { return Err(stopped()) };
            if left.is_zero() {
                return Err(late());
            }
            message = back;
            let pause = left.min(Duration::from_millis(10));
            std::thread::sleep(pause);
            left -= pause;
        }
        answered.recv_timeout(left).map_err(|why| match why {
            RecvTimeoutError::Timeout => late(),
            RecvTimeoutError::Disconnected => stopped(),
        })
    }
}

/// The thread's state.
pub(super) struct Turns {
    pub(super) path: PathBuf,
    pub(super) store: Store,
    entries: Receiver<Message>,
    pub(super) stats: Arc<WriterStats>,
    outbox: watch::Sender<i64>,
    head: watch::Sender<Head>,
    retry: Delays,
    pub(super) removal: Option<Removal>,
    pub(super) reserve: Reserve,
    pub(super) reserve_due: MonoTime,
    pub(super) tidied: MonoTime,
    pub(super) options: WriterOptions,
}

/// What one turn takes from the channel.
#[derive(Default)]
struct Batch {
    entries: Vec<Entry>,
    answers: Vec<SyncSender<()>>,
    close: Option<(Timestamp, SyncSender<()>)>,
    urgent: bool,
}

impl Turns {
    fn run(mut self) -> Result<(), LogbookError> {
        loop {
            (self.options.beat)();
            let Some(batch) = self.gather() else {
                // Every sender is gone: a stop without farewell, which the next opening will notice.
                return Ok(());
            };
            match self.turn(&batch) {
                Ok(ControlFlow::Continue(())) => (),
                Ok(ControlFlow::Break(())) => return Ok(()),
                Err(why) => {
                    tracing::error!(path = %self.path.display(), %why, "the logbook's writer stops: {why}");
                    // Before the batch goes: whoever waits for its answer then reads why there is none.
                    self.stats.set_error(why.to_string());
                    return Err(why);
                }
            }
        }
    }

    fn turn(&mut self, batch: &Batch) -> Result<ControlFlow<()>, LogbookError> {
        self.commit(&batch.entries)?;
        for answer in &batch.answers {
            // Whoever asked may have stopped waiting.
            let _heard = answer.send(());
        }
        if let Some((at, answer)) = &batch.close {
            self.store.end(*at).map_err(super::error::sql("close the logbook"))?;
            let _heard = answer.send(());
            return Ok(ControlFlow::Break(()));
        }
        self.tend(batch.entries.is_empty());
        Ok(ControlFlow::Continue(()))
    }

    /// What waits in the channel, in order: up to the first entry that must not wait, or all that comes in `GATHER`.
    fn gather(&self) -> Option<Batch> {
        let mut batch = Batch::default();
        match self.entries.recv_timeout(TURN) {
            Ok(message) => batch.take(message),
            Err(RecvTimeoutError::Timeout) => return Some(batch),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        let begun = self.options.clock.mono();
        loop {
            // What waits already needs no clock, and shares the sync.
            while batch.close.is_none() && batch.entries.len() < BATCH {
                let Ok(message) = self.entries.try_recv() else { break };
                batch.take(message);
            }
            if batch.urgent || batch.entries.len() >= BATCH {
                break;
            }
            // In replay the clock stands still while rows come: a full batch or a quiet moment ends the wait there.
            let Some(left) = GATHER.checked_sub(self.options.clock.mono().since(begun)) else { break };
            let Ok(message) = self.entries.recv_timeout(left) else { break };
            batch.take(message);
        }
        Some(batch)
    }

    /// Commits, again and again if it must: entries are never given up because the disk is full.
    fn commit(&mut self, entries: &[Entry]) -> Result<(), LogbookError> {
        if entries.is_empty() {
            return Ok(());
        }
        loop {
            #[cfg(test)]
            self.limit_pages();
            let begun = self.options.clock.mono();
            let stats = &self.stats;
            let refused = |entry: &Entry, why: String| {
                add(&stats.refused, 1);
                tracing::error!(%why, ?entry, "an entry cannot be written: {why}");
                stats.set_error(why);
            };
            match self.store.commit(entries, refused) {
                Ok(written) => {
                    self.committed(entries.len(), &written, self.options.clock.mono().since(begun));
                    return Ok(());
                }
                Err(Failure::Never(cause)) => {
                    // Whoever starts next need not find it anew, and moves the file aside.
                    aside::mark(&self.path, &cause.to_string());
                    return Err(LogbookError::Damaged { path: self.path.clone(), report: cause.to_string() });
                }
                Err(Failure::Refused(why)) => return Err(LogbookError::Stopped(why)),
                Err(Failure::Later(cause)) => {
                    if !(self.is_full(&cause) && self.make_room()) {
                        self.degraded(&cause);
                    }
                }
            }
        }
    }

    fn committed(&mut self, entries: usize, written: &[Written], took: Duration) {
        let entries = entries as u64;
        if self.stats.degraded.load(Ordering::Relaxed) {
            let given_up = self.stats.unwritten_detections.load(Ordering::Relaxed);
            tracing::info!(
                entries,
                "the logbook can be written again; no event was lost, {given_up} detections since the start"
            );
        }
        self.retry.reset();
        self.stats.committed(entries, took);
        self.stats.waiting.fetch_sub(entries, Ordering::Relaxed);
        add(&self.stats.detections, written.iter().map(|w| w.detections).sum());
        add(&self.stats.refused, written.iter().filter(|w| w.unsendable).count() as u64);
        let newest = written.iter().filter_map(|w| w.alert).max();
        add(&self.stats.alerts, written.iter().filter(|w| w.alert.is_some()).count() as u64);
        self.measure_wal();
        self.head.send_if_modified(|head| {
            let grown = head.seq != self.store.head().seq;
            head.clone_from(self.store.head());
            grown
        });
        // Last: whoever is woken by this finds the rows committed.
        if let Some(seq) = newest {
            self.outbox.send_replace(seq);
        }
    }

    fn degraded(&mut self, cause: &rusqlite::Error) {
        add(&self.stats.failed_commits, 1);
        self.stats.set_error(cause.to_string());
        let delay = self.retry.next_delay();
        if !self.stats.degraded.swap(true, Ordering::Relaxed) {
            tracing::error!(%cause, "the logbook cannot be written ({cause}); entries wait and are tried again");
        }
        // The thread turns, it is the disk that does not: a restart would only lose what waits here.
        (self.options.beat)();
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
                    // Rows that follow are read by it.
                    Entry::Clock(_) => true,
                    _ => false,
                };
                self.entries.push(*entry);
            }
            Message::Flush(answer) => {
                self.urgent = true;
                self.answers.push(answer);
            }
            Message::Close(at, answer) => {
                self.urgent = true;
                self.close = Some((at, answer));
            }
        }
    }
}

/// 50 ms to 2 s: a freed disk is noticed soon, a full one is not hammered.
fn retry() -> Delays {
    const RETRY: Backoff = match Backoff::new(Duration::from_millis(50), Duration::from_secs(2), 0) {
        Ok(policy) => policy,
        Err(_) => panic!("a constant back-off makes sense"),
    };
    RETRY.delays(0)
}
