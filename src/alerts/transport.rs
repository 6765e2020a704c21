//! The seam between the relay and MQTT: one session at a time, and nothing that outlives it.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;

use super::refusal::Refusal;
use super::topic::Topic;

/// A message with quality of service 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttMessage {
    /// MQTT topic.
    pub topic: String,
    /// Content.
    pub payload: Bytes,
    /// True when the broker keeps it for later subscribers.
    pub retain: bool,
    /// The broker drops it when a subscriber has not received it within this time.
    pub expires_after: Option<Duration>,
}

impl MqttMessage {
    /// A message on `topic`, retained where the topic says so.
    pub fn new(topic: &Topic, payload: impl Into<Bytes>) -> Self {
        let retain = topic.kind.is_retained();
        Self { topic: topic.to_string(), payload: payload.into(), retain, expires_after: None }
    }

    /// Bytes of its packet, at most: fixed header 5, length of the topic 2, packet id 2, properties 6.
    pub(super) fn packet_bytes(&self) -> usize {
        15 + self.topic.len() + self.payload.len()
    }
}

/// What the broker announced when it accepted the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokerLimits {
    /// Bytes of the largest packet that it accepts.
    pub max_packet: usize,
    /// False: it keeps no messages for later subscribers.
    pub retain: bool,
}

impl BrokerLimits {
    pub(super) fn fits(&self, message: &MqttMessage) -> bool {
        message.packet_bytes() <= self.max_packet
    }

    /// The message, retained only if the broker keeps messages.
    pub(super) fn fit_retain(&self, mut message: MqttMessage) -> MqttMessage {
        message.retain &= self.retain;
        message
    }
}

/// What a session reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MqttEvent {
    /// The broker accepted the session.
    Connected(BrokerLimits),
    /// The broker accepted a subscription.
    Subscribed,
    /// The next message in the order of publishing was sent with this packet id.
    Sent(u16),
    /// The broker answered the message with this packet id: it accepted or refused it.
    Acknowledged(u16, Result<(), Refusal>),
    /// A message arrived on a subscription.
    Received(MqttMessage),
    /// The disconnect packet was sent.
    Disconnected,
    /// An event without meaning for this crate.
    Other,
}

/// Why a session ended or did not begin, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MqttError(String);

impl MqttError {
    pub(super) fn failed(cause: impl fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// One MQTT session.
pub trait Transport: Send + 'static {
    /// Drops the current session with everything in it, and begins another.
    fn connect(&mut self) -> Result<(), MqttError>;

    /// Queues a message in this session.
    fn publish(&mut self, message: MqttMessage) -> Result<(), MqttError>;

    /// Queues the disconnect packet, after which the broker does not publish the last will.
    fn disconnect(&mut self) -> Result<(), MqttError>;

    /// The next event. After an error the session is gone. Cancel-safe: a dropped call loses nothing.
    fn next(&mut self) -> impl Future<Output = Result<MqttEvent, MqttError>> + Send;
}
