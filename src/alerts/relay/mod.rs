//! The relay: one task, the only owner of its MQTT session.

mod in_flight;
mod outbox;
pub(super) mod retained;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::payload;
use super::stats::RelayStats;
use super::topic::{Topic, TopicKind};
use super::transport::{MqttError, MqttEvent, MqttMessage, Transport};
use crate::backoff::Delays;
use crate::clock::Clock;
use crate::logbook::{DeliveryOutcome, OutboxDepth, OutboxRow};
use in_flight::{InFlight, InFlightWindow};
use retained::SentRetained;

pub(super) use outbox::OutboxQueue;
pub(super) use retained::{CameraStates, RetainedSources};

/// Entries in flight at once; a broken session repeats at most this many alerts.
pub(super) const WINDOW: usize = 8;

/// An older alert is not sent: it is too late to act on it. It stays in the logbook, marked as expired. An alert of unknown
/// age, because the clock was not set or has jumped, is sent.
const EXPIRES_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// An alert that is sent later than this after the event is marked as historical.
const HISTORICAL_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The time between two housekeeping steps.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(1);

/// Deadlines; tests use shorter ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct RelayTiming {
    /// The broker must acknowledge a message within this, or the session ends.
    pub(super) acknowledge: Duration,
    /// The last status must be sent within this.
    pub(super) disconnect: Duration,
}

pub(super) const TIMING: RelayTiming =
    RelayTiming { acknowledge: Duration::from_secs(5), disconnect: Duration::from_millis(2500) };

/// The task's state.
pub(super) struct RelayTask<T> {
    pub(super) transport: T,
    /// Number of the last committed alert.
    pub(super) committed: watch::Receiver<i64>,
    pub(super) retained: RetainedSources,
    pub(super) outbox: OutboxQueue,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) beat: Box<dyn Fn() + Send + Sync>,
    pub(super) stats: Arc<RelayStats>,
    pub(super) delays: Delays,
    pub(super) timing: RelayTiming,
    pub(super) stop: CancellationToken,
}

/// What belongs to one session and ends with it.
#[derive(Default)]
struct RelaySession {
    connected: bool,
    window: InFlightWindow,
    retained: SentRetained,
    /// Alerts that were read and not sent yet.
    queue: VecDeque<(OutboxRow, Option<SignedDuration>)>,
    /// The outbox was read up to this number.
    read_to: i64,
    /// The outbox may contain more.
    more: bool,
}

impl<T: Transport> RelayTask<T> {
    /// Runs until stopped. True when the `offline` status was sent.
    pub(super) async fn run(mut self) -> bool {
        loop {
            let mut session = RelaySession { more: true, ..RelaySession::default() };
            let ended = self.session(&mut session).await;
            self.stats.connected.store(false, Ordering::Relaxed);
            let now = self.clock.now().wall;
            for seq in session.window.clear() {
                self.outbox.note(seq, DeliveryOutcome::Unconfirmed, 1, now);
            }
            match ended {
                Ok(()) => return true,
                Err(_) if self.stop.is_cancelled() => return false,
                Err(cause) => self.pause(&cause).await,
            }
        }
    }

    /// Waits before the next session, with housekeeping meanwhile.
    async fn pause(&mut self, cause: &MqttError) {
        self.stats.add(|s| &s.failures, 1);
        if self.stats.set_error(Some(cause.to_string())) {
            tracing::warn!("no connection to the broker: {cause}; alerts wait in the outbox");
        }
        let until = Instant::now() + self.delays.next_delay();
        while Instant::now() < until && !self.stop.is_cancelled() {
            self.housekeeping().await;
            tokio::select! {
                () = tokio::time::sleep_until(until.min(Instant::now() + HOUSEKEEPING_EVERY)) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// One session, from connecting to its end. `Ok` after an orderly disconnect.
    async fn session(&mut self, session: &mut RelaySession) -> Result<(), MqttError> {
        self.transport.connect()?;
        let mut next_housekeeping = Instant::now();
        let mut stopping = false;
        loop {
            if session.connected {
                self.fill_window(session).await?;
            }
            if stopping && !session.connected {
                return Err(MqttError::failed("stopped"));
            }
            if stopping && session.window.len() == 0 {
                return self.disconnect().await;
            }
            let overdue = session.window.oldest_since().map(|since| since + self.timing.acknowledge);
            tokio::select! {
                event = self.transport.next() => self.on_event(session, event?),
                // An error means that the writer has ended: the daemon stops, and no more rows are committed.
                Ok(()) = self.committed.changed() => session.more = true,
                Ok(()) = self.retained.cameras.changed() => {}
                () = tokio::time::sleep_until(next_housekeeping) => {
                    next_housekeeping = Instant::now() + HOUSEKEEPING_EVERY;
                    session.more = true;
                    self.housekeeping().await;
                }
                () = tokio::time::sleep_until(overdue.unwrap_or_else(Instant::now)), if overdue.is_some() => {
                    let limit = self.timing.acknowledge;
                    return Err(MqttError::failed(format!("the broker did not acknowledge a message within {limit:?}")));
                }
                () = self.stop.cancelled(), if !stopping => {
                    stopping = true;
                    session.more = true;
                }
            }
        }
    }

    fn on_event(&mut self, session: &mut RelaySession, event: MqttEvent) {
        match event {
            MqttEvent::Connected => {
                session.connected = true;
                self.stats.add(|s| &s.sessions, 1);
                self.stats.connected.store(true, Ordering::Relaxed);
                self.stats.set_error(None);
                tracing::info!("connected to the broker");
            }
            MqttEvent::Sent(packet_id) => session.window.packet_id(packet_id),
            MqttEvent::Acknowledged(packet_id) => {
                // Not earlier: a broker that accepts sessions and breaks them must not be contacted faster and faster.
                self.delays.reset();
                if let Some(InFlight::Alert(seq)) = session.window.acknowledged(packet_id) {
                    self.stats.add(|s| &s.delivered, 1);
                    self.outbox.settle(seq, DeliveryOutcome::Delivered, 1, self.clock.now().wall);
                }
            }
            MqttEvent::Subscribed | MqttEvent::Received(_) | MqttEvent::Disconnected | MqttEvent::Other => {}
        }
    }

    /// Sends while the window has room: states first, then alerts in order, then the head of the chain.
    async fn fill_window(&mut self, session: &mut RelaySession) -> Result<(), MqttError> {
        while session.window.len() < WINDOW {
            if let Some(message) = self.retained.next_state(&mut session.retained) {
                self.send_retained(session, message)?;
            } else if let Some((row, age)) = session.queue.pop_front() {
                self.send_alert(session, row, age)?;
            } else if session.more {
                self.read_outbox(session).await;
            } else if let Some(message) = self.retained.next_head(&mut session.retained) {
                self.send_retained(session, message)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn send_retained(&mut self, session: &mut RelaySession, message: MqttMessage) -> Result<(), MqttError> {
        self.transport.publish(message)?;
        session.window.sent(InFlight::Retained, 1, Instant::now());
        Ok(())
    }

    fn send_alert(
        &mut self,
        session: &mut RelaySession,
        row: OutboxRow,
        age: Option<SignedDuration>,
    ) -> Result<(), MqttError> {
        let now = self.clock.now().wall;
        if age.is_some_and(|age| age > EXPIRES_AFTER) {
            tracing::warn!("alert {} of {} was not sent: it is older than 24 hours", row.seq, row.at);
            self.stats.add(|s| &s.expired, 1);
            self.outbox.settle(row.seq, DeliveryOutcome::Expired, 0, now);
            return Ok(());
        }
        let attempt = self.outbox.next_attempt(&row);
        let historical = age.is_none_or(|age| age > HISTORICAL_AFTER) || row.start < self.retained.start.0;
        let Some((body, picture_topic)) = payload::sent(&row.payload, row.seq, now, attempt, historical)
        else {
            tracing::error!("alert {} cannot be sent: its row in the outbox is not a JSON object", row.seq);
            self.stats.add(|s| &s.unsendable, 1);
            return Ok(());
        };
        let picture = row.picture.zip(picture_topic);
        let messages = 1 + u8::from(picture.is_some());
        if let Some((jpeg, topic)) = picture {
            self.transport.publish(MqttMessage { topic, payload: jpeg.into(), retain: false })?;
        }
        let payload = Bytes::from(body);
        self.transport.publish(MqttMessage { topic: row.topic, payload, retain: false })?;
        session.window.sent(InFlight::Alert(row.seq), messages, Instant::now());
        self.stats.add(|s| &s.attempts, 1);
        Ok(())
    }

    async fn read_outbox(&mut self, session: &mut RelaySession) {
        let (start, now) = (self.retained.start.0, self.clock.now());
        match self.outbox.read(session.read_to, WINDOW, start, now).await {
            Ok(page) => {
                session.queue.extend(page.rows);
                (session.read_to, session.more) = (page.read_to, page.more);
            }
            Err(cause) => {
                tracing::warn!("the outbox cannot be read: {cause}");
                session.more = false;
            }
        }
    }

    /// What is done about once a second, with or without a session.
    async fn housekeeping(&mut self) {
        (self.beat)();
        self.outbox.flush_notes();
        if let Ok(OutboxDepth { alerts, oldest }) = self.outbox.depth().await {
            let age = oldest.map_or(0, |at| self.clock.now().wall.duration_since(at).as_secs().max(0));
            self.stats.undelivered.store(alerts, Ordering::Relaxed);
            self.stats.oldest_seconds.store(age.unsigned_abs(), Ordering::Relaxed);
        }
    }

    /// Publishes `offline` and disconnects, so that the broker does not publish the last will.
    async fn disconnect(&mut self) -> Result<(), MqttError> {
        let site = &self.retained.site;
        let status = Topic::new(site, TopicKind::Status);
        self.transport.publish(MqttMessage::new(&status, payload::offline(site)))?;
        self.transport.disconnect()?;
        let sent = async {
            while self.transport.next().await? != MqttEvent::Disconnected {}
            Ok(())
        };
        let late = |_| MqttError::failed("the `offline` status was not sent in time");
        tokio::time::timeout(self.timing.disconnect, sent).await.map_err(late)?
    }
}
