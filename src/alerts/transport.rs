//! The seam between the relay and MQTT: one session at a time, and nothing that outlives it.

use std::fmt;
use std::future::Future;

use bytes::Bytes;

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
}

impl MqttMessage {
    /// A message on `topic`, retained where the topic says so.
    pub fn new(topic: &Topic, payload: impl Into<Bytes>) -> Self {
        Self { topic: topic.to_string(), payload: payload.into(), retain: topic.kind.is_retained() }
    }
}

/// What a session reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MqttEvent {
    /// The broker accepted the session.
    Connected,
    /// The broker accepted a subscription.
    Subscribed,
    /// The next message in the order of publishing was sent with this packet id.
    Sent(u16),
    /// The broker acknowledged the message with this packet id.
    Acknowledged(u16),
    /// A message arrived on a subscription.
    Received(MqttMessage),
    /// The disconnect packet was sent.
    Disconnected,
    /// An event without meaning for this crate.
    Other,
}

/// Why a session ended or did not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MqttError {
    /// Anything but the next variant, in words for people.
    #[error("{0}")]
    Failed(String),
    /// The broker sent a packet that cannot be read, or that is larger than the client receives.
    #[error("the broker sent an unreadable packet: {0}")]
    UnreadablePacket(String),
}

impl MqttError {
    pub(super) fn failed(cause: impl fmt::Display) -> Self {
        Self::Failed(cause.to_string())
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
