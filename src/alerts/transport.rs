//! The seam between the relay and MQTT: one session at a time, and nothing that outlives it.

use std::future::Future;

use bytes::Bytes;

/// A message to send with quality of service 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// MQTT topic.
    pub topic: String,
    /// Content.
    pub payload: Bytes,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
}

/// What a session reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// The broker accepted the session.
    Connected,
    /// The next message in the order of publishing got this packet id.
    Sent(u16),
    /// The broker confirmed the message with this packet id.
    Acked(u16),
    /// The farewell is out.
    Disconnected,
    /// Something of no concern here.
    Other,
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LinkError(pub String);

/// One MQTT session.
pub trait Transport: Send + 'static {
    /// Forgets the session and everything in it; begins another.
    fn connect(&mut self) -> Result<(), LinkError>;

    /// Queues a message in this session.
    fn publish(&mut self, message: Message) -> Result<(), LinkError>;

    /// Queues the farewell, after which the broker does not publish the last will.
    fn disconnect(&mut self) -> Result<(), LinkError>;

    /// The next event. After an error the session is gone. May be dropped and called again without losing anything.
    fn next(&mut self) -> impl Future<Output = Result<LinkEvent, LinkError>> + Send;
}
