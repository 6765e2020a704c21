//! The relay: one task, the only owner of its MQTT session.

mod held_back;
mod in_flight;
mod outbox;
pub(super) mod retained;
mod send;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::payload;
use super::refusal::Refusal;
use super::stats::RelayStats;
use super::topic::{Topic, TopicKind};
use super::transport::{BrokerLimits, MqttError, MqttEvent, MqttMessage, Transport};
use super::warn_limit::WarnLimit;
use crate::backoff::Delays;
use crate::clock::Clock;
use crate::logbook::{DeliveryOutcome, OutboxDepth, OutboxRow};
use held_back::HeldBack;
use in_flight::{Answer, InFlight, InFlightWindow};
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
    /// Before an alert that was held back is tried again, the first time.
    pub(super) retry: Duration,
}

pub(super) const TIMING: RelayTiming = RelayTiming {
    acknowledge: Duration::from_secs(5),
    disconnect: Duration::from_millis(2500),
    retry: Duration::from_secs(5),
};

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
    pub(super) history: RelayHistory,
}

/// What the relay remembers from session to session.
#[derive(Default)]
pub(super) struct RelayHistory {
    held_back: HeldBack,
    /// Several messages were in flight when a session broke. Until it is known which of them cannot pass, alerts up to this
    /// number are sent one at a time.
    alone_to: i64,
    /// A session broke with alerts in flight: the next one begins with the status.
    probe_next: bool,
    /// So many states of removed cameras were cleared.
    cleared: usize,
    /// For each kind of message and reason.
    refusals: BTreeMap<(&'static str, Refusal), WarnLimit>,
    /// Alerts sent without their picture.
    omitted: WarnLimit,
    told_no_retain: bool,
}

/// Whether a session begins with the status, and with nothing else until the broker has answered it. A broker that answers
/// nothing is at fault itself; only one that answers the status and breaks at an alert puts that alert under suspicion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Probe {
    #[default]
    None,
    Due,
    Sent,
}

/// What belongs to one session and ends with it.
#[derive(Default)]
struct RelaySession {
    /// Set when the broker has accepted the session.
    limits: Option<BrokerLimits>,
    window: InFlightWindow,
    probe: Probe,
    /// The broker answered at least one message.
    answered: bool,
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
            let probe = if std::mem::take(&mut self.history.probe_next) { Probe::Due } else { Probe::None };
            let retained = SentRetained::after_clearing(self.history.cleared);
            let mut session = RelaySession { more: true, probe, retained, ..RelaySession::default() };
            let ended = self.session(&mut session).await;
            self.stats.connected.store(false, Ordering::Relaxed);
            self.on_end(&mut session);
            match ended {
                Ok(()) => return true,
                Err(_) if self.stop.is_cancelled() => return false,
                Err(cause) => self.pause(&cause).await,
            }
        }
    }

    /// Finds out which alert may have broken the session.
    fn on_end(&mut self, session: &mut RelaySession) {
        let unanswered = session.window.clear();
        let now = self.clock.now().wall;
        for (seq, _) in &unanswered.alerts {
            self.outbox.note(*seq, DeliveryOutcome::Unconfirmed, 1, now);
        }
        // After a session that began with the status and broke at it, one begins with alerts: the status may be what cannot pass.
        self.history.probe_next = !unanswered.alerts.is_empty();
        if unanswered.others == 0 {
            self.history.cleared = session.retained.cleared();
        }
        match unanswered.alerts[..] {
            [(seq, with_picture)] if unanswered.others == 0 && session.answered => {
                let held_back = &mut self.history.held_back;
                held_back.broke(seq, with_picture, self.timing.retry, Instant::now());
                self.stats.set_held_back(held_back.problem());
            }
            [_] => {}
            [.., (last, _)] => self.history.alone_to = last,
            [] => {}
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
            if let Some(limits) = session.limits {
                self.fill_window(session, limits).await?;
                if stopping && session.window.is_empty() {
                    return self.disconnect(limits).await;
                }
            } else if stopping {
                return Err(MqttError::failed("stopped"));
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
            MqttEvent::Connected(limits) => {
                session.limits = Some(limits);
                self.stats.add(|s| &s.sessions, 1);
                self.stats.connected.store(true, Ordering::Relaxed);
                self.stats.set_error(None);
                tracing::info!("connected to the broker");
                if !limits.retain && !std::mem::replace(&mut self.history.told_no_retain, true) {
                    tracing::warn!(
                        "the broker keeps no messages: status and camera states reach only who listens when they change"
                    );
                }
            }
            MqttEvent::Sent(packet_id) => session.window.packet_id(packet_id),
            MqttEvent::Acknowledged(packet_id, outcome) => {
                session.answered = true;
                if let Some(answer) = session.window.answered(packet_id, outcome) {
                    self.on_answer(session, answer);
                }
            }
            MqttEvent::Subscribed | MqttEvent::Received(_) | MqttEvent::Disconnected | MqttEvent::Other => {}
        }
    }

    fn on_answer(&mut self, session: &RelaySession, answer: Answer) {
        let Answer { payload, topic, outcome, picture_refused } = answer;
        if let Some(reason) = picture_refused {
            self.refused("picture", reason, &format!("of the alert on {topic}"));
        }
        match (payload, outcome) {
            (InFlight::Alert(seq), Ok(())) => {
                // Not earlier: a broker that accepts sessions and breaks them must not be contacted faster and faster.
                self.delays.reset();
                self.stats.add(|s| &s.delivered, 1);
                self.history.held_back.accepted(seq, Instant::now());
                self.settle(seq, DeliveryOutcome::Delivered, 1);
            }
            (InFlight::Alert(seq), Err(reason)) => {
                self.outbox.note(seq, DeliveryOutcome::Unconfirmed, 1, self.clock.now().wall);
                self.refuse_alert(seq, &topic, reason);
            }
            (InFlight::Presence, Ok(())) if session.queue.is_empty() && !session.window.holds_alerts() => {
                self.delays.reset();
            }
            (InFlight::Presence, Ok(())) => {}
            (InFlight::Presence, Err(reason)) => self.refused("presence", reason, &format!("on {topic}")),
        }
    }

    /// The alert stays in the outbox and is tried again later, behind the others.
    fn refuse_alert(&mut self, seq: i64, topic: &str, reason: Refusal) {
        self.refused("alert", reason, &format!("{seq} on {topic}; it is tried again later"));
        let history = &mut self.history;
        history.held_back.refused(seq, topic, reason, self.timing.retry, Instant::now());
        self.stats.set_held_back(history.held_back.problem());
    }

    /// Counts and logs a refused message: an `alert`, a `picture` or a `presence`.
    fn refused(&mut self, what: &'static str, reason: Refusal, which: &str) {
        self.stats.add_refusal(what, reason);
        let limit = self.history.refusals.entry((what, reason)).or_default();
        limit.warn(self.clock.now().mono, &format!("the broker refused the {what} {which}: {reason}"));
    }

    /// The alert is done: delivered or expired.
    fn settle(&mut self, seq: i64, outcome: DeliveryOutcome, attempts: u32) {
        self.outbox.settle(seq, outcome, attempts, self.clock.now().wall);
        self.forget(seq);
    }

    /// The alert is not held back any more.
    fn forget(&mut self, seq: i64) {
        self.history.held_back.settled(seq);
        self.stats.set_held_back(self.history.held_back.problem());
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
    async fn disconnect(&mut self, limits: BrokerLimits) -> Result<(), MqttError> {
        let site = &self.retained.site;
        let status = Topic::new(site, TopicKind::Status);
        let message = MqttMessage::new(&status, payload::offline(site));
        self.transport.publish(limits.fit_retain(message))?;
        self.transport.disconnect()?;
        let sent = async {
            while self.transport.next().await? != MqttEvent::Disconnected {}
            Ok(())
        };
        let late = |_| MqttError::failed("the `offline` status was not sent in time");
        tokio::time::timeout(self.timing.disconnect, sent).await.map_err(late)?
    }
}
