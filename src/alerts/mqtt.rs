//! The MQTT client of this crate: MQTT 3.1.1 through rumqttc, without TLS. The broker runs on the same box or in the same
//! cabinet, and bridges onward over TLS where the harbour wants that.
//!
//! The relay, the acknowledgement receiver, the acknowledgement sender and the staff client all use [`MqttClient`].

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, LastWill, MqttOptions,
    Outgoing, QoS, StateError, SubscribeReasonCode,
};
use secrecy::ExposeSecret;

use super::transport::{MqttError, MqttEvent, MqttMessage, Transport};
use crate::config::Broker;
use crate::logbook::{MAX_PAYLOAD_BYTES, MAX_PICTURE_BYTES};

/// rumqttc reports a broker that does not reply at the second ping without an answer.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Most messages in flight. Larger than the relay's window (with pictures and retained states), so that a packet id is
/// never used again before its first use was acknowledged: rumqttc 0.25.1 stops forever after such a collision.
const IN_FLIGHT: u16 = 64;

/// Bytes of the largest packet sent. rumqttc's own limit, 10 KiB, would turn every picture into an endless reconnect.
const MAX_OUTGOING: usize = MAX_PICTURE_BYTES + MAX_PAYLOAD_BYTES + (64 << 10);

/// What distinguishes one client from another.
#[derive(Clone, Debug)]
pub struct MqttSettings {
    /// Address and login.
    pub broker: Broker,
    /// Unique at the broker: a second client with the same id ends the first one's session.
    pub client_id: String,
    /// True: the broker keeps subscriptions, and messages for them, while this client is not connected.
    pub keep_session: bool,
    /// Bytes of the largest packet received; a larger one ends the session.
    pub max_incoming: usize,
    /// Published by the broker when the connection breaks.
    pub last_will: Option<MqttMessage>,
}

impl MqttSettings {
    /// A client without a last will, whose session the broker forgets, and that receives packets of up to 64 KiB.
    pub fn new(broker: &Broker, client_id: impl Into<String>) -> Self {
        let (broker, client_id) = (broker.clone(), client_id.into());
        Self { broker, client_id, keep_session: false, max_incoming: 64 << 10, last_will: None }
    }

    fn options(&self) -> Result<MqttOptions, MqttError> {
        let mut options = MqttOptions::new(&self.client_id, &self.broker.host, self.broker.port);
        options.set_keep_alive(KEEP_ALIVE);
        options.set_clean_session(!self.keep_session);
        options.set_inflight(IN_FLIGHT);
        options.set_max_packet_size(self.max_incoming, MAX_OUTGOING);
        if let Some(login) = &self.broker.login {
            // Read for every session, so that a changed password needs no restart.
            let password = login.password.read().map_err(MqttError::failed)?;
            options.set_credentials(&login.username, password.expose_secret());
        }
        if let Some(MqttMessage { topic, payload, retain }) = self.last_will.clone() {
            options.set_last_will(LastWill { topic, message: payload, qos: QoS::AtLeastOnce, retain });
        }
        Ok(options)
    }
}

/// A client that has at most one session at a time. It connects when [`Transport::connect`] is called, and only then.
pub struct MqttClient {
    settings: MqttSettings,
    session: Option<MqttSession>,
}

struct MqttSession {
    client: AsyncClient,
    /// A poll in progress. Kept between calls of `next`, so that a cancelled call loses no half-written packet.
    poll: PollFuture,
    /// Set when the connection broke: the events that arrived before, then the cause.
    ended: Option<(VecDeque<MqttEvent>, MqttError)>,
}

type PollFuture = Pin<Box<dyn Future<Output = (EventLoop, Result<Event, ConnectionError>)> + Send>>;

impl MqttClient {
    /// A client without a session.
    pub fn new(settings: MqttSettings) -> Self {
        Self { settings, session: None }
    }

    /// Queues a subscription; [`MqttEvent::Subscribed`] says that the broker accepted it.
    pub fn subscribe(&mut self, filter: &str) -> Result<(), MqttError> {
        self.session()?.client.try_subscribe(filter, QoS::AtLeastOnce).map_err(MqttError::failed)
    }

    fn session(&mut self) -> Result<&mut MqttSession, MqttError> {
        self.session.as_mut().ok_or_else(|| MqttError::failed("no session"))
    }
}

impl Transport for MqttClient {
    fn connect(&mut self) -> Result<(), MqttError> {
        self.session = None;
        let (client, event_loop) = AsyncClient::new(self.settings.options()?, usize::from(IN_FLIGHT));
        self.session = Some(MqttSession { client, poll: poll(event_loop), ended: None });
        Ok(())
    }

    fn publish(&mut self, message: MqttMessage) -> Result<(), MqttError> {
        let MqttMessage { topic, payload, retain } = message;
        let client = &self.session()?.client;
        client.try_publish(topic, QoS::AtLeastOnce, retain, payload).map_err(MqttError::failed)
    }

    fn disconnect(&mut self) -> Result<(), MqttError> {
        self.session()?.client.try_disconnect().map_err(MqttError::failed)
    }

    async fn next(&mut self) -> Result<MqttEvent, MqttError> {
        let session = self.session()?;
        if session.ended.is_none() {
            let (mut event_loop, outcome) = (&mut session.poll).await;
            match outcome {
                Ok(event) => {
                    session.poll = poll(event_loop);
                    return to_event(event);
                }
                // Acknowledgements that arrived together with the end of the connection are queued behind the error.
                Err(cause) => {
                    let late = event_loop.state.events.drain(..).filter_map(|event| to_event(event).ok());
                    session.ended = Some((late.collect(), to_error(&cause)));
                    session.poll = poll(event_loop);
                }
            }
        }
        match session.ended.as_mut().and_then(|(late, _)| late.pop_front()) {
            Some(event) => Ok(event),
            None => {
                let cause = self.session.take().and_then(|session| session.ended).map(|(_, cause)| cause);
                Err(cause.unwrap_or_else(|| MqttError::failed("no session")))
            }
        }
    }
}

fn poll(mut event_loop: EventLoop) -> PollFuture {
    Box::pin(async move {
        let outcome = event_loop.poll().await;
        (event_loop, outcome)
    })
}

fn to_event(event: Event) -> Result<MqttEvent, MqttError> {
    Ok(match event {
        Event::Incoming(Incoming::ConnAck(_)) => MqttEvent::Connected,
        Event::Incoming(Incoming::PubAck(packet)) => MqttEvent::Acknowledged(packet.pkid),
        Event::Incoming(Incoming::SubAck(packet)) => {
            if packet.return_codes.contains(&SubscribeReasonCode::Failure) {
                return Err(MqttError::failed("the broker rejected the subscription"));
            }
            MqttEvent::Subscribed
        }
        Event::Incoming(Incoming::Publish(publish)) => MqttEvent::Received(MqttMessage {
            topic: publish.topic,
            payload: publish.payload,
            retain: publish.retain,
        }),
        Event::Outgoing(Outgoing::Publish(packet_id)) => MqttEvent::Sent(packet_id),
        Event::Outgoing(Outgoing::Disconnect) => MqttEvent::Disconnected,
        Event::Outgoing(Outgoing::AwaitAck(packet_id)) => {
            return Err(MqttError::failed(format!(
                "packet id {packet_id} was used again before it was acknowledged"
            )));
        }
        _ => MqttEvent::Other,
    })
}

/// The cause in words that a technician can act on.
fn to_error(cause: &ConnectionError) -> MqttError {
    use ConnectReturnCode::{BadUserNamePassword, NotAuthorized};
    use std::io::ErrorKind;
    let text = match cause {
        ConnectionError::MqttState(StateError::Deserialization(why)) => {
            return MqttError::UnreadablePacket(why.to_string());
        }
        ConnectionError::Io(why) | ConnectionError::MqttState(StateError::Io(why)) => match why.kind() {
            ErrorKind::ConnectionRefused => "connection refused: nothing listens at that address".into(),
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
                CLOSED.into()
            }
            ErrorKind::TimedOut => "no answer".into(),
            _ => why.to_string(),
        },
        ConnectionError::MqttState(StateError::ConnectionAborted) => CLOSED.into(),
        ConnectionError::MqttState(StateError::AwaitPingResp) => "the broker answers no ping".into(),
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => "no answer from the broker".into(),
        ConnectionError::ConnectionRefused(code @ (BadUserNamePassword | NotAuthorized)) => {
            format!(
                "the broker rejected the login ({code:?}): check `username` and the password under [broker]"
            )
        }
        ConnectionError::ConnectionRefused(code) => format!("the broker rejected the session ({code:?})"),
        other => other.to_string(),
    };
    MqttError::Failed(text)
}

const CLOSED: &str = "the broker closed the connection";
