//! The relay: one task, the only owner of the MQTT session.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::stats::RelayStats;
use super::transport::{LinkError, LinkEvent, Message, Transport};
use super::window::{Cargo, Window};
use super::{payload, topics};
use crate::backoff::Delays;
use crate::camera_health::Outage;
use crate::camera_state::CameraChange;
use crate::clock::{Clock, Stamp};
use crate::ids::{CameraId, SiteId};
use crate::logbook::{
    DeliveryNote, Depth, Entry, Head, LogbookError, LogbookSender, Outbox, OutboxRow, Outcome, WriterStats,
};

/// Things on their way at once; a broken session repeats at most so many alerts.
pub(super) const WINDOW: usize = 8;

/// An alert older than this tells nobody what to do now. It stays in the logbook, marked as expired. One whose age nobody can
/// tell, because of a clock that was not set or has jumped, is sent.
pub(super) const EXPIRES_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// An alert that reaches the broker later than this after the event is marked as historical.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// The end of the chain of events is told at most this often.
const HEAD_EVERY: Duration = Duration::from_secs(10);

/// The task turns at least this often.
const TURN: Duration = Duration::from_secs(1);

/// Deadlines that tests shorten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// A message must be confirmed within this, or the session is given up.
    pub(super) confirm: Duration,
    /// The goodbye must be out within this.
    pub(super) goodbye: Duration,
}

pub(super) const TIMING: Timing =
    Timing { confirm: Duration::from_secs(5), goodbye: Duration::from_millis(2500) };

/// Every camera's present state.
pub(super) type Presence = BTreeMap<CameraId, Present>;

/// What is told of one camera.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Present {
    /// Its last change of state; nothing is told before the first.
    pub(super) change: Option<CameraChange>,
    /// The blind spell that lasts.
    pub(super) outage: Option<Outage>,
}

/// The task's state.
pub(super) struct Task<T> {
    pub(super) transport: T,
    pub(super) site: SiteId,
    /// This start, and when it began.
    pub(super) start: (i64, Stamp),
    pub(super) committed: watch::Receiver<i64>,
    pub(super) presence: watch::Receiver<Presence>,
    pub(super) heads: watch::Receiver<Head>,
    pub(super) logbook: LogbookSender,
    /// What is wrong with the logbook is told beside the status.
    pub(super) writer: Arc<WriterStats>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) beat: Box<dyn Fn() + Send + Sync>,
    pub(super) stats: Arc<RelayStats>,
    pub(super) delays: Delays,
    pub(super) timing: Timing,
    pub(super) stop: CancellationToken,
    pub(super) memory: Memory,
}

/// What the task knows beyond a session.
pub(super) struct Memory {
    path: PathBuf,
    outbox: Arc<Mutex<Option<Outbox>>>,
    /// Settled, but the logbook may still show them as undelivered.
    settled: BTreeSet<i64>,
    /// How often each open alert was sent.
    attempts: BTreeMap<i64, u32>,
    /// Notes that the logbook has not taken yet.
    notes: VecDeque<DeliveryNote>,
}

impl Memory {
    pub(super) fn new(path: PathBuf) -> Self {
        let (outbox, settled, attempts, notes) = Default::default();
        Self { path, outbox, settled, attempts, notes }
    }

    /// Asks the outbox, on a thread that may wait for the disk.
    async fn ask<A: Send + 'static>(
        &self,
        question: impl FnOnce(&Outbox) -> Result<A, LogbookError> + Send + 'static,
    ) -> Result<A, LogbookError> {
        let (outbox, path) = (self.outbox.clone(), self.path.clone());
        let asked = tokio::task::spawn_blocking(move || {
            let mut outbox = outbox.lock().unwrap_or_else(PoisonError::into_inner);
            let open = match outbox.take() {
                Some(open) => open,
                None => Outbox::open(&path)?,
            };
            let answer = question(&open);
            // After an error it is opened anew.
            *outbox = answer.is_ok().then_some(open);
            answer
        });
        asked.await.unwrap_or_else(|why| Err(LogbookError::Stopped(why.to_string())))
    }
}

/// What the task knows within a session; gone with it.
#[derive(Default)]
struct Session {
    connected: bool,
    window: Window,
    /// The problems that were told with the status; `None` before it was told.
    status_told: Option<Vec<String>>,
    told: Presence,
    /// The newest link that was told, and when.
    head_told: Option<(i64, Instant)>,
    /// Alerts that were read and not yet sent, and how old each is, as far as that can be told.
    queue: VecDeque<(OutboxRow, Option<SignedDuration>)>,
    /// The newest alert that was read.
    read_to: i64,
    /// The outbox may hold more.
    more: bool,
}

impl<T: Transport> Task<T> {
    /// Runs until stopped. True when the broker heard the goodbye.
    pub(super) async fn run(mut self) -> bool {
        loop {
            let mut session = Session { more: true, ..Session::default() };
            let ended = self.session(&mut session).await;
            self.stats.connected.store(false, Ordering::Relaxed);
            for seq in session.window.forget() {
                self.note(seq, Outcome::Unconfirmed, 1);
            }
            self.flush_notes();
            match ended {
                Ok(()) => return true,
                Err(_) if self.stop.is_cancelled() => return false,
                Err(why) => self.pause(&why).await,
            }
        }
    }

    /// Between sessions: waits a while, and keeps turning.
    async fn pause(&mut self, why: &LinkError) {
        self.stats.add(|s| &s.failures, 1);
        let delay = self.delays.next_delay();
        if self.stats.set_error(Some(why.to_string())) {
            tracing::warn!(%why, ?delay, "no session with the broker ({why}); alerts wait in the outbox");
        }
        let until = Instant::now() + delay;
        while Instant::now() < until && !self.stop.is_cancelled() {
            self.turn().await;
            tokio::select! {
                () = tokio::time::sleep_until(until.min(Instant::now() + TURN)) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// One session, from its first packet to its last. `Ok` after a goodbye.
    async fn session(&mut self, session: &mut Session) -> Result<(), LinkError> {
        self.transport.connect()?;
        let mut next_turn = Instant::now();
        let mut stopping = false;
        loop {
            if session.connected {
                self.fill(session).await?;
            }
            if stopping && (!session.connected || session.window.len() == 0) {
                return if session.connected {
                    self.goodbye().await
                } else {
                    Err(LinkError("stopped".into()))
                };
            }
            let overdue = session.window.waiting_since().map(|since| since + self.timing.confirm);
            tokio::select! {
                event = self.transport.next() => self.heard(session, event?),
                // The writer is gone only on the way down, and then nothing changes any more.
                Ok(()) = self.committed.changed() => session.more = true,
                Ok(()) = self.presence.changed() => {}
                () = tokio::time::sleep_until(next_turn) => {
                    next_turn = Instant::now() + TURN;
                    session.more = true;
                    self.turn().await;
                }
                () = tokio::time::sleep_until(overdue.unwrap_or_else(Instant::now)), if overdue.is_some() => {
                    return Err(LinkError(format!("the broker did not confirm within {:?}", self.timing.confirm)));
                }
                () = self.stop.cancelled(), if !stopping => {
                    stopping = true;
                    session.more = true;
                }
            }
        }
    }

    fn heard(&mut self, session: &mut Session, event: LinkEvent) {
        match event {
            LinkEvent::Connected => {
                session.connected = true;
                self.stats.add(|s| &s.sessions, 1);
                self.stats.connected.store(true, Ordering::Relaxed);
                self.stats.set_error(None);
                tracing::info!(after_failures = self.delays.failures(), "connected to the broker");
            }
            LinkEvent::Sent(packet) => session.window.name(packet),
            LinkEvent::Acked(packet) => {
                // Only now: a broker that accepts sessions and breaks them is not to be asked faster and faster.
                self.delays.reset();
                if let Some(Cargo::Alert(seq)) = session.window.confirm(packet) {
                    self.stats.add(|s| &s.delivered, 1);
                    self.settle(seq, Outcome::Delivered, 1);
                }
            }
            LinkEvent::Disconnected | LinkEvent::Other => {}
        }
    }

    /// Sends while the window has room: presence first, then alerts in order.
    async fn fill(&mut self, session: &mut Session) -> Result<(), LinkError> {
        while session.window.len() < WINDOW {
            if let Some(message) = self.presence_due(session) {
                self.transport.publish(message)?;
                session.window.launch(Cargo::Presence, 1, Instant::now());
            } else if let Some((row, age)) = session.queue.pop_front() {
                self.send(session, row, age)?;
            } else if session.more {
                self.read(session).await;
            } else if let Some(message) = self.head_due(session) {
                self.transport.publish(message)?;
                session.window.launch(Cargo::Presence, 1, Instant::now());
            } else {
                break;
            }
        }
        Ok(())
    }

    /// A retained state that this session has not been told.
    fn presence_due(&self, session: &mut Session) -> Option<Message> {
        let problems = self.writer.problems();
        if session.status_told.as_ref() != Some(&problems) {
            let (start, since) = self.start;
            let online = payload::online(&self.site, start, since.wall, &problems);
            session.status_told = Some(problems);
            return Some(retained(topics::status(&self.site), online));
        }
        let presence = self.presence.borrow();
        let (camera, due) = presence.iter().find(|(camera, present)| {
            present.change.is_some() && session.told.get(camera) != Some(present)
        })?;
        session.told.insert(camera.clone(), due.clone());
        let topic = topics::camera_state(&self.site, camera);
        Some(retained(topic, payload::camera_state(&self.site, due.change.as_ref()?, due.outage.as_ref())))
    }

    /// The end of the chain, when it has grown since it was told. What is published cannot be rewritten unseen.
    fn head_due(&self, session: &mut Session) -> Option<Message> {
        let (head, now) = (self.heads.borrow(), Instant::now());
        let due = head.seq > 0
            && session.head_told.is_none_or(|(seq, at)| seq != head.seq && now - at >= HEAD_EVERY);
        due.then(|| {
            session.head_told = Some((head.seq, now));
            retained(
                topics::head(&self.site),
                payload::head(&self.site, self.start.0, self.clock.now().wall, &head),
            )
        })
    }

    fn send(
        &mut self,
        session: &mut Session,
        row: OutboxRow,
        age: Option<SignedDuration>,
    ) -> Result<(), LinkError> {
        let now = self.clock.now().wall;
        if age.is_some_and(|age| age > EXPIRES_AFTER) {
            tracing::warn!(seq = row.seq, at = %row.at, topic = row.topic, "an alert is too old to be sent");
            self.stats.add(|s| &s.expired, 1);
            self.settle(row.seq, Outcome::Expired, 0);
            return Ok(());
        }
        let attempts = self.memory.attempts.entry(row.seq).or_default();
        *attempts = row.attempts.max(*attempts) + 1;
        let historical = age.is_none_or(|age| age > FRESH) || row.start < self.start.0;
        let Some((body, picture_topic)) = payload::sent(&row.payload, row.seq, now, *attempts, historical)
        else {
            tracing::error!(seq = row.seq, "an alert in the outbox is not a JSON object");
            self.stats.add(|s| &s.unsendable, 1);
            return Ok(());
        };
        let picture = row.picture.zip(picture_topic);
        let messages = 1 + u8::from(picture.is_some());
        if let Some((jpeg, topic)) = picture {
            self.transport.publish(Message { topic, payload: jpeg.into(), retain: false })?;
        }
        self.transport.publish(Message { topic: row.topic, payload: Bytes::from(body), retain: false })?;
        session.window.launch(Cargo::Alert(row.seq), messages, Instant::now());
        self.stats.add(|s| &s.attempts, 1);
        Ok(())
    }

    /// Reads on in the outbox.
    async fn read(&mut self, session: &mut Session) {
        let (after, this, now) = (session.read_to, self.start.0, self.clock.now());
        let question = move |outbox: &Outbox| {
            let rows = outbox.undelivered(after, WINDOW)?.into_iter();
            let aged = |row: OutboxRow| row.age(outbox, this, now).map(|age| (row, age));
            rows.map(aged).collect::<Result<Vec<_>, _>>()
        };
        let rows = match self.memory.ask(question).await {
            Ok(rows) => rows,
            Err(cause) => {
                tracing::warn!("the outbox cannot be read now: {cause}");
                session.more = false;
                return;
            }
        };
        session.more = rows.len() == WINDOW;
        let last = rows.last().map_or(after, |(row, _)| row.seq);
        session.read_to = last;
        // What lies in the stretch that was read and is not there any more is settled in the logbook, too.
        let to = if session.more { last } else { i64::MAX };
        let open: BTreeSet<i64> = rows.iter().map(|(row, _)| row.seq).collect();
        self.memory.settled.retain(|seq| *seq <= after || *seq > to || open.contains(seq));
        session.queue.extend(rows.into_iter().filter(|(row, _)| !self.memory.settled.contains(&row.seq)));
    }

    /// What is done about once a second, session or not.
    async fn turn(&mut self) {
        (self.beat)();
        self.flush_notes();
        if let Ok(Depth { alerts, oldest }) = self.memory.ask(Outbox::depth).await {
            let age = oldest.map_or(0, |at| self.clock.now().wall.duration_since(at).as_secs().max(0));
            self.stats.undelivered.store(alerts, Ordering::Relaxed);
            self.stats.oldest_seconds.store(age.unsigned_abs(), Ordering::Relaxed);
        }
    }

    fn settle(&mut self, seq: i64, outcome: Outcome, attempts: u32) {
        self.memory.settled.insert(seq);
        self.memory.attempts.remove(&seq);
        self.note(seq, outcome, attempts);
        self.flush_notes();
    }

    fn note(&mut self, seq: i64, outcome: Outcome, attempts: u32) {
        let at = self.clock.now().wall;
        self.memory.notes.push_back(DeliveryNote { seq, at, attempts, outcome });
    }

    /// Hands notes to the writer as far as it has room: the relay never waits for the disk.
    fn flush_notes(&mut self) {
        while let Some(note) = self.memory.notes.pop_front() {
            match self.logbook.try_send(Entry::Delivery(note)) {
                Ok(None) => {}
                Ok(Some(_full)) => {
                    self.memory.notes.push_front(note);
                    return;
                }
                // On the way down: the alert is sent again after the next start, under the same id.
                Err(gone) => tracing::debug!(%gone, seq = note.seq, "a delivery was not noted"),
            }
        }
    }

    /// Says goodbye, so that the broker does not tell the last will.
    async fn goodbye(&mut self) -> Result<(), LinkError> {
        self.transport.publish(retained(topics::status(&self.site), payload::offline(&self.site)))?;
        self.transport.disconnect()?;
        let said = async {
            while self.transport.next().await? != LinkEvent::Disconnected {}
            Ok(())
        };
        let late = |_| LinkError("the goodbye was not sent in time".into());
        tokio::time::timeout(self.timing.goodbye, said).await.map_err(late)?
    }
}

pub(super) fn retained(topic: String, payload: String) -> Message {
    Message { topic, payload: payload.into(), retain: true }
}
