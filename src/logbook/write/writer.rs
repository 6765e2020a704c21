//! The writer: handing entries over, waiting for them, and closing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::options::WriterOptions;
use super::stats::{WriterStats, add};
use super::store::Store;
use super::writer_thread::{Message, WriterThread, retry};
use crate::logbook::entry::{Entry, StartEntry};
use crate::logbook::error::{LogbookError, sql};
use crate::logbook::integrity::chain::ChainHead;
use crate::logbook::maintain::maintenance::Maintenance;
use crate::logbook::maintain::quarantine;
use crate::logbook::open;
use crate::track::TrackState;

/// Entries that may wait for the writer; the next one makes its sender wait too.
const CHANNEL: usize = 1024;

/// While the logbook cannot be written, passes may fill the channel up to here. Later ones are dropped and counted, so that
/// the rest of the channel is for events.
const PASSES_WAITING: u64 = 512;

/// How soon a sender tries a full channel again.
const CHANNEL_RETRY: Duration = Duration::from_millis(10);

/// Hands entries to the writer. Cheap to clone.
#[derive(Clone)]
pub struct LogbookSender {
    channel: SyncSender<Message>,
    stats: Arc<WriterStats>,
}

/// The writer's thread has ended; the entry was not taken.
#[derive(Debug, thiserror::Error)]
#[error("the logbook's writer has stopped")]
pub struct WriterGone;

impl LogbookSender {
    /// Hands an entry over. Waits while the channel is full: events may be late, but none is dropped.
    pub fn send(&self, entry: Entry) -> Result<(), WriterGone> {
        add(&self.stats.waiting, 1);
        self.channel.send(Message::Entry(Box::new(entry))).map_err(|_stopped| {
            self.stats.waiting.fetch_sub(1, Ordering::Relaxed);
            WriterGone
        })
    }

    /// As [`LogbookSender::send`], for a thread that is supervised: `heartbeat` is called while the channel is full. When
    /// the logbook cannot be written and many entries wait, detection passes are dropped and counted; events never are.
    pub fn send_with_heartbeat(&self, mut entry: Entry, heartbeat: impl Fn()) -> Result<(), WriterGone> {
        if let Entry::Pass(pass) = &entry
            // A pass that ends a track is kept: no later one ends it.
            && pass.tracks.iter().all(|track| track.state != TrackState::Ended)
            && self.stats.degraded.load(Ordering::Relaxed)
            && self.stats.waiting.load(Ordering::Relaxed) >= PASSES_WAITING
        {
            add(&self.stats.unwritten_detections, pass.detections.len() as u64);
            return Ok(());
        }
        while let Some(back) = self.try_send(entry)? {
            entry = back;
            heartbeat();
            std::thread::sleep(CHANNEL_RETRY);
        }
        Ok(())
    }

    /// Hands an entry over, or returns it when the channel is full. For tasks that must not wait.
    pub fn try_send(&self, entry: Entry) -> Result<Option<Entry>, WriterGone> {
        add(&self.stats.waiting, 1);
        let back = match self.channel.try_send(Message::Entry(Box::new(entry))) {
            Ok(()) => return Ok(None),
            Err(TrySendError::Full(Message::Entry(entry))) => Ok(Some(*entry)),
            Err(_) => Err(WriterGone),
        };
        self.stats.waiting.fetch_sub(1, Ordering::Relaxed);
        back
    }
}

/// The writer: owner of its thread.
///
/// When it is dropped without [`Writer::close`], the entries that were handed over are committed, but the start counts as
/// cut off.
pub struct Writer {
    path: PathBuf,
    channel: SyncSender<Message>,
    thread: Option<JoinHandle<Result<(), LogbookError>>>,
    stats: Arc<WriterStats>,
    outbox: watch::Receiver<i64>,
    heads: watch::Receiver<ChainHead>,
    start: i64,
    next_vessel: u64,
}

impl Writer {
    /// Opens or creates the logbook, ends what an earlier start left open, writes `start`, and starts the thread.
    pub fn open(
        path: &Path,
        start: &StartEntry,
        mut options: WriterOptions,
    ) -> Result<(Self, LogbookSender), LogbookError> {
        let key = options.signing_key.take();
        let stats = Arc::new(WriterStats::default());
        let store = match options.replace_damaged {
            true => quarantine::open_or_replace(path, start, key, &stats)?,
            false => Store::open(path, start, key)?,
        };
        let maintenance = Maintenance::new(path, &options, stats.clone());
        open::limit_wal(&store.connection, maintenance.reserve_bytes() / 2)
            .map_err(sql("configure the logbook"))?;
        // The log may be long from before. On a full disk this fails, and is tried again later.
        if let Err(cause) = open::checkpoint(&store.connection) {
            tracing::debug!(%cause, "no checkpoint at the start");
        }
        let (channel, entries) = mpsc::sync_channel(CHANNEL);
        let (committed, outbox) = watch::channel(0);
        let (head, heads) = watch::channel(store.head().clone());
        let (number, next_vessel) = (store.start, store.next_vessel);
        let thread = WriterThread {
            path: path.into(),
            store,
            entries,
            stats: stats.clone(),
            outbox: committed,
            head,
            retry: retry(),
            maintenance,
            options,
        };
        let thread = std::thread::Builder::new()
            .name("logbook".into())
            .spawn(move || thread.run())
            .map_err(|cause| LogbookError::Io { doing: "start the thread for", path: path.into(), cause })?;
        let sender = LogbookSender { channel: channel.clone(), stats: stats.clone() };
        let thread = Some(thread);
        let path = path.to_owned();
        Ok((Self { path, channel, thread, stats, outbox, heads, start: number, next_vessel }, sender))
    }

    /// The logbook's file, for readers.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Another sender.
    pub fn sender(&self) -> LogbookSender {
        LogbookSender { channel: self.channel.clone(), stats: self.stats.clone() }
    }

    /// The first vessel number that this start may use.
    pub fn next_vessel(&self) -> u64 {
        self.next_vessel
    }

    /// The number of this start.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// Whether the thread ended without being asked: the logbook is damaged.
    pub fn has_stopped(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Counters.
    pub fn stats(&self) -> Arc<WriterStats> {
        self.stats.clone()
    }

    /// The number of the newest alert; changes whenever alerts have been committed.
    pub fn outbox(&self) -> watch::Receiver<i64> {
        self.outbox.clone()
    }

    /// Where the chain of events ends; changes whenever events have been committed.
    pub fn heads(&self) -> watch::Receiver<ChainHead> {
        self.heads.clone()
    }

    /// Waits until everything that was handed over before is on disk, at most `deadline`.
    pub fn flush(&self, deadline: Duration) -> Result<(), LogbookError> {
        self.ask(deadline, Message::Flush)
    }

    /// Commits what was handed over, marks the start as ended in order, and ends the thread.
    pub fn close(mut self, at: Timestamp, deadline: Duration) -> Result<(), LogbookError> {
        let asked = self.ask(deadline, |done| Message::Close(at, done));
        match (self.thread.take(), &asked) {
            // A thread that is late may wait for disk space without end.
            (None, _) | (_, Err(LogbookError::Late { .. })) => asked,
            // Any other thread is about to end, and says why.
            (Some(thread), _) => thread
                .join()
                .unwrap_or_else(|_panic| Err(LogbookError::Stopped("it panicked".into())))
                .and(asked),
        }
    }

    fn ask(
        &self,
        deadline: Duration,
        message: impl FnOnce(SyncSender<()>) -> Message,
    ) -> Result<(), LogbookError> {
        let (done, is_done) = mpsc::sync_channel(1);
        let stopped =
            || LogbookError::Stopped(self.stats.last_error().unwrap_or_else(|| "it panicked".into()));
        let late = || LogbookError::Late { waiting: self.stats.waiting.load(Ordering::Relaxed) };
        let mut message = message(done);
        let mut left = deadline;
        while let Err(not_sent) = self.channel.try_send(message) {
            let TrySendError::Full(back) = not_sent else { return Err(stopped()) };
            if left.is_zero() {
                return Err(late());
            }
            message = back;
            let pause = left.min(CHANNEL_RETRY);
            std::thread::sleep(pause);
            left -= pause;
        }
        is_done.recv_timeout(left).map_err(|why| match why {
            RecvTimeoutError::Timeout => late(),
            RecvTimeoutError::Disconnected => stopped(),
        })
    }
}
