//! What a session sends, and when: alerts first, in order, then alerts that were held back, then presence.

use std::time::Duration;

use bytes::Bytes;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::in_flight::{InFlight, InFlightEntry, Part};
use super::{EXPIRES_AFTER, HISTORICAL_AFTER, Probe, RelaySession, RelayTask, WINDOW};
use crate::alerts::payload::StoredPayload;
use crate::alerts::refusal::Refusal;
use crate::alerts::transport::{BrokerLimits, MqttError, MqttMessage, Transport};
use crate::logbook::{DeliveryOutcome, OutboxRow};

impl<T: Transport> RelayTask<T> {
    /// Sends while the window has room.
    pub(super) async fn fill_window(
        &mut self,
        session: &mut RelaySession,
        limits: BrokerLimits,
    ) -> Result<(), MqttError> {
        if session.probe == Probe::Due {
            session.probe = Probe::Sent;
            if let Some(status) = self.retained.next(&mut session.retained) {
                self.send_presence(session, limits, status)?;
            }
        }
        if session.probe == Probe::Sent {
            if !session.window.is_empty() {
                return Ok(());
            }
            session.probe = Probe::None;
        }
        loop {
            if session.queue.is_empty() && session.more {
                self.read_outbox(session).await;
            } else if let Some((row, _)) = session.queue.front() {
                let alone = row.seq <= self.history.alone_to || self.history.held_back.suspects(row.seq);
                if !session.window.has_room(WINDOW, alone) {
                    return Ok(());
                }
                if let Some((row, age)) = session.queue.pop_front() {
                    self.send_alert(session, limits, row, age, alone)?;
                }
            } else if session.window.is_empty()
                && let Some(seq) = self.history.held_back.due(Instant::now())
            {
                self.read_held_back(session, seq).await;
            } else if session.window.has_room(WINDOW, false)
                && let Some(message) = self.retained.next(&mut session.retained)
            {
                self.send_presence(session, limits, message)?;
            } else {
                return Ok(());
            }
        }
    }

    fn send_presence(
        &mut self,
        session: &mut RelaySession,
        limits: BrokerLimits,
        message: MqttMessage,
    ) -> Result<(), MqttError> {
        if message.payload.is_empty() && !limits.retain {
            return Ok(());
        }
        let message = limits.fit_retain(message);
        if !limits.fits(&message) {
            self.refused("presence", Refusal::PacketTooLarge, &format!("on {}", message.topic));
            return Ok(());
        }
        let topic = message.topic.clone();
        self.transport.publish(message)?;
        let (payload, since) = (InFlight::Presence, Instant::now());
        session.window.sent(InFlightEntry { payload, topic, alone: false, since }, &[Part::Message]);
        Ok(())
    }

    fn send_alert(
        &mut self,
        session: &mut RelaySession,
        limits: BrokerLimits,
        row: OutboxRow,
        age: Option<SignedDuration>,
        alone: bool,
    ) -> Result<(), MqttError> {
        if age.is_some_and(|age| age > EXPIRES_AFTER) {
            tracing::warn!("alert {} of {} was not sent: it is older than 24 hours", row.seq, row.at);
            self.stats.add(|s| &s.expired, 1);
            self.settle(row.seq, DeliveryOutcome::Expired, 0);
            return Ok(());
        }
        let Some(stored) = StoredPayload::parse(&row.payload) else {
            tracing::error!("alert {} cannot be sent: its row in the outbox is not a JSON object", row.seq);
            self.stats.add(|s| &s.unsendable, 1);
            self.forget(row.seq);
            return Ok(());
        };
        let attempt = self.outbox.next_attempt(&row);
        let left = EXPIRES_AFTER - age.unwrap_or_default();
        let expires_after = Some(Duration::try_from(left).unwrap_or_default());
        let message = |topic, payload: Bytes| MqttMessage { topic, payload, retain: false, expires_after };
        let picture = row.picture.zip(stored.picture_topic());
        let picture = picture.map(|(jpeg, topic)| message(topic.to_owned(), jpeg.into()));
        let (picture, omitted) = self.picture_to_send(row.seq, limits, picture);
        let historical = age.is_none_or(|age| age > HISTORICAL_AFTER) || row.start < self.retained.start.0;
        let body = stored.sent(row.seq, self.clock.now().wall, attempt, historical, omitted);
        let alert = message(row.topic, body.into());
        if !limits.fits(&alert) {
            self.refuse_alert(row.seq, &alert.topic, Refusal::PacketTooLarge);
            return Ok(());
        }
        let parts: &[Part] =
            if picture.is_some() { &[Part::Picture, Part::Message] } else { &[Part::Message] };
        let topic = alert.topic.clone();
        picture.into_iter().chain([alert]).try_for_each(|message| self.transport.publish(message))?;
        let (payload, since) = (InFlight::Alert(row.seq), Instant::now());
        session.window.sent(InFlightEntry { payload, topic, alone, since }, parts);
        self.stats.add(|s| &s.attempts, 1);
        Ok(())
    }

    /// The picture, or why the alert goes without it.
    fn picture_to_send(
        &mut self,
        seq: i64,
        limits: BrokerLimits,
        picture: Option<MqttMessage>,
    ) -> (Option<MqttMessage>, Option<&'static str>) {
        let why = match &picture {
            Some(picture) if !limits.fits(picture) => "it is larger than the broker accepts",
            Some(_) if self.history.held_back.omits_picture(seq) => {
                "sessions with the broker ended while it was sent"
            }
            _ => return (picture, None),
        };
        let now = self.clock.now().mono;
        self.history.omitted.warn(now, &format!("alert {seq} is sent without its picture: {why}"));
        (None, Some(why))
    }

    async fn read_outbox(&mut self, session: &mut RelaySession) {
        let (start, now) = (self.retained.start.0, self.clock.now());
        match self.outbox.read(session.read_to, WINDOW, start, now).await {
            Ok(page) => {
                let held_back = &self.history.held_back;
                session.queue.extend(page.rows.into_iter().filter(|(row, _)| !held_back.holds(row.seq)));
                (session.read_to, session.more) = (page.read_to, page.more);
            }
            Err(cause) => {
                tracing::warn!("the outbox cannot be read: {cause}");
                session.more = false;
            }
        }
    }

    /// Reads one alert that was held back.
    async fn read_held_back(&mut self, session: &mut RelaySession, seq: i64) {
        let (start, now) = (self.retained.start.0, self.clock.now());
        match self.outbox.read(seq - 1, 1, start, now).await {
            Ok(page) => match page.rows.into_iter().next().filter(|(row, _)| row.seq == seq) {
                Some(row) => session.queue.push_back(row),
                None => self.forget(seq),
            },
            Err(cause) => {
                tracing::warn!("the outbox cannot be read: {cause}");
                self.history.held_back.postpone(seq, self.timing.retry, Instant::now());
            }
        }
    }
}
