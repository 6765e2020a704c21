//! MQTT 3.1.1 through rumqttc, without TLS: the broker stands on the same box or in the same cabinet, and bridges
//! onward over TLS if the harbour wants that. A clean session each time, because the outbox is the only queue.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, Incoming, LastWill, MqttOptions, Outgoing, QoS,
};
use secrecy::ExposeSecret;

use super::transport::{LinkError, LinkEvent, Message, Transport};
use crate::config::Broker;
use crate::logbook::{MAX_PAYLOAD_BYTES, MAX_PICTURE_BYTES};

/// A silent broker is noticed at the second ping that it does not answer.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Messages on the way at most. Above the relay's window (pictures and presence included), so that a packet id is
/// never used again while its first use is unconfirmed: rumqttc 0.25.1 stops for ever after such a collision.
const IN_FLIGHT: u16 = 64;

/// The largest packet. rumqttc's own limit, 10 KiB, would turn every picture into an endless reconnect.
const MAX_OUTGOING: usize = MAX_PICTURE_BYTES + MAX_PAYLOAD_BYTES + (64 << 10);
const MAX_INCOMING: usize = 64 << 10;

/// The real transport.
pub(super) struct Mqtt {
    broker: Broker,
    client_id: String,
    will: Message,
    session: Option<Session>,
}

struct Session {
    client: AsyncClient,
    /// A poll under way: kept between calls of `next`, so that dropping such a call drops no half-written packet.
    polling: Polling,
    /// Set when the connection broke: what had arrived before is still to be told, then why.
    ended: Option<(VecDeque<LinkEvent>, LinkError)>,
}

type Polling = Pin<Box<dyn Future<Output = (EventLoop, Result<Event, ConnectionError>)> + Send>>;

impl Mqtt {
    pub(super) fn new(broker: Broker, client_id: String, will: Message) -> Self {
        Self { broker, client_id, will, session: None }
    }

    fn options(&self) -> Result<MqttOptions, LinkError> {
        let mut options = options(&self.broker, &self.client_id)?;
        options.set_inflight(IN_FLIGHT);
        let Message { topic, payload, retain } = self.will.clone();
        options.set_last_will(LastWill { topic, message: payload, qos: QoS::AtLeastOnce, retain });
        Ok(options)
    }

    fn session(&mut self) -> Result<&mut Session, LinkError> {
        self.session.as_mut().ok_or_else(|| LinkError("no session".into()))
    }
}

impl Transport for Mqtt {
    fn connect(&mut self) -> Result<(), LinkError> {
        self.session = None;
        let (client, events) = AsyncClient::new(self.options()?, usize::from(IN_FLIGHT));
        self.session = Some(Session { client, polling: poll(events), ended: None });
        Ok(())
    }

    fn publish(&mut self, message: Message) -> Result<(), LinkError> {
        let Message { topic, payload, retain } = message;
        let client = &self.session()?.client;
        client.try_publish(topic, QoS::AtLeastOnce, retain, payload).map_err(|why| LinkError(why.to_string()))
    }

    fn disconnect(&mut self) -> Result<(), LinkError> {
        self.session()?.client.try_disconnect().map_err(|why| LinkError(why.to_string()))
    }

    async fn next(&mut self) -> Result<LinkEvent, LinkError> {
        let session = self.session()?;
        if session.ended.is_none() {
            let (mut events, outcome) = (&mut session.polling).await;
            match outcome.map(read) {
                Ok(event) => {
                    session.polling = poll(events);
                    return event;
                }
                // Confirmations that came in one piece with the end stand behind the error; they are worth having.
                Err(why) => {
                    let late = events.state.events.drain(..).filter_map(|event| read(event).ok());
                    session.ended = Some((late.collect(), LinkError(why.to_string())));
                    session.polling = poll(events);
                }
            }
        }
        let ended = session.ended.as_mut();
        match ended.and_then(|(late, _)| late.pop_front()) {
            Some(event) => Ok(event),
            None => {
                let why = self.session.take().and_then(|session| session.ended).map(|(_, why)| why);
                Err(why.unwrap_or_else(|| LinkError("no session".into())))
            }
        }
    }
}

/// What every session with the site's broker has in common; the broker forgets it when it ends.
pub(super) fn options(broker: &Broker, client_id: &str) -> Result<MqttOptions, LinkError> {
    let mut options = MqttOptions::new(client_id, &broker.host, broker.port);
    options.set_keep_alive(KEEP_ALIVE);
    options.set_clean_session(true);
    options.set_max_packet_size(MAX_INCOMING, MAX_OUTGOING);
    if let Some(login) = &broker.login {
        // Read anew each time, so that a changed password needs no restart.
        let password = login.password.read().map_err(|why| LinkError(why.to_string()))?;
        options.set_credentials(&login.username, password.expose_secret());
    }
    Ok(options)
}

fn read(event: Event) -> Result<LinkEvent, LinkError> {
    Ok(match event {
        Event::Incoming(Incoming::ConnAck(_)) => LinkEvent::Connected,
        Event::Incoming(Incoming::PubAck(ack)) => LinkEvent::Acked(ack.pkid),
        Event::Outgoing(Outgoing::Publish(id)) => LinkEvent::Sent(id),
        Event::Outgoing(Outgoing::Disconnect) => LinkEvent::Disconnected,
        Event::Outgoing(Outgoing::AwaitAck(id)) => {
            return Err(LinkError(format!("packet id {id} came round before its first use was confirmed")));
        }
        _ => LinkEvent::Other,
    })
}

fn poll(mut events: EventLoop) -> Polling {
    Box::pin(async move {
        let outcome = events.poll().await;
        (events, outcome)
    })
}
