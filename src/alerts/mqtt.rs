//! The MQTT client of this crate: MQTT 5 through rumqttc, over TLS where the site file says so.
//!
//! The relay, the acknowledgement receiver, the acknowledgement sender and the staff client all use [`MqttClient`].

use std::pin::Pin;

use rumqttc::{
    AsyncClient, BrokerSessionResumePolicy, ConnAck, ConnectReturnCode, ConnectionError, Event, EventLoop,
    Incoming, LastWill, MqttOptions, Outgoing, PublishOptions, PublishProperties, QoS, RetainForwardRule,
    SessionMode, SubscribeFilter,
};
use secrecy::ExposeSecret;

use super::causes::{self, Stage};
use super::dial::Dialer;
use super::transport::{BrokerLimits, MqttError, MqttEvent, MqttMessage, Transport};
use crate::config::Broker;
use crate::logbook::{MAX_PAYLOAD_BYTES, MAX_PICTURE_BYTES};

/// Seconds. rumqttc reports a broker that does not reply at the second ping without an answer.
const KEEP_ALIVE: u16 = 5;

/// Most messages that are queued or in flight: more than the relay's window with pictures and retained states.
const IN_FLIGHT: u16 = 64;

/// Bytes of the largest packet sent, where the broker announces no lower limit.
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
    /// Bytes of the largest packet received. The broker is told and keeps larger ones to itself.
    pub max_incoming: u32,
    /// Published by the broker when the connection breaks.
    pub last_will: Option<MqttMessage>,
}

impl MqttSettings {
    /// A client without a last will, whose session the broker forgets, and that receives packets of up to 64 KiB.
    pub fn new(broker: &Broker, client_id: impl Into<String>) -> Self {
        let (broker, client_id) = (broker.clone(), client_id.into());
        Self { broker, client_id, keep_session: false, max_incoming: 64 << 10, last_will: None }
    }

    fn options(&self, without_retain: bool) -> Result<MqttOptions, MqttError> {
        let address = (self.broker.host.clone(), self.broker.port);
        let mut options = MqttOptions::new(&self.client_id, address);
        let dialer = Dialer::new(&self.broker)?;
        options.set_socket_connector(move |_address, _options| dialer.clone().connect());
        options.set_keep_alive(KEEP_ALIVE);
        options.set_max_packet_size(Some(self.max_incoming));
        options.set_outgoing_inflight_upper_limit(IN_FLIGHT);
        // One packet a read: acknowledgements that arrive together with the end of the connection are not lost.
        options.set_read_batch_size(1);
        if self.keep_session {
            options.set_session_mode(SessionMode::Persistent);
            // Every session is a new client here, without messages of its own from the last one.
            options.set_broker_session_resume_policy(BrokerSessionResumePolicy::AllowBrokerOnly);
        }
        if let Some(login) = &self.broker.login {
            // Read for every session, so that a changed password needs no restart.
            let password = login.password.read().map_err(MqttError::failed)?;
            options.set_credentials(&login.username, password.expose_secret().to_owned());
        }
        if let Some(MqttMessage { topic, payload, retain, .. }) = self.last_will.clone() {
            options.set_last_will(LastWill::new(
                topic,
                payload,
                QoS::AtLeastOnce,
                retain && !without_retain,
                None,
            ));
        }
        Ok(options)
    }
}

/// A client that has at most one session at a time. It connects when [`Transport::connect`] is called, and only then.
pub struct MqttClient {
    settings: MqttSettings,
    session: Option<MqttSession>,
    /// The broker rejected a session because of its retained last will.
    without_retain: bool,
}

struct MqttSession {
    client: AsyncClient,
    stage: Stage,
    /// A poll in progress. Kept between calls of `next`, so that a cancelled call loses no half-written packet.
    poll: PollFuture,
}

type PollFuture = Pin<Box<dyn Future<Output = (EventLoop, Result<Event, ConnectionError>)> + Send>>;

impl MqttClient {
    /// A client without a session.
    pub fn new(settings: MqttSettings) -> Self {
        Self { settings, session: None, without_retain: false }
    }

    /// Queues a subscription; [`MqttEvent::Subscribed`] says that the broker accepted it. `with_retained`: the broker also
    /// sends what it keeps.
    pub fn subscribe(&mut self, filter: &str, with_retained: bool) -> Result<(), MqttError> {
        let mut filter = SubscribeFilter::new(filter, QoS::AtLeastOnce);
        if !with_retained {
            filter.retain_forward_rule = RetainForwardRule::Never;
        }
        self.session()?.client.try_subscribe_many([filter]).map_err(MqttError::failed)
    }

    fn session(&mut self) -> Result<&mut MqttSession, MqttError> {
        self.session.as_mut().ok_or_else(|| MqttError::failed("no session"))
    }
}

impl Transport for MqttClient {
    fn connect(&mut self) -> Result<(), MqttError> {
        self.session = None;
        let options = self.settings.options(self.without_retain)?;
        let (client, event_loop) = AsyncClient::builder(options).capacity(IN_FLIGHT.into()).build();
        let stage = if self.settings.broker.tls.is_some() { Stage::Encrypted } else { Stage::Plain };
        self.session = Some(MqttSession { client, stage, poll: poll(event_loop) });
        Ok(())
    }

    fn publish(&mut self, message: MqttMessage) -> Result<(), MqttError> {
        let MqttMessage { topic, payload, retain, expires_after } = message;
        let mut options = PublishOptions::at_least_once().retain(retain);
        if let Some(time) = expires_after {
            let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
            let message_expiry_interval = Some(seconds);
            options = options.properties(PublishProperties { message_expiry_interval, ..Default::default() });
        }
        self.session()?.client.try_publish(topic, payload, options).map_err(MqttError::failed)
    }

    fn disconnect(&mut self) -> Result<(), MqttError> {
        self.session()?.client.try_disconnect().map_err(MqttError::failed)
    }

    async fn next(&mut self) -> Result<MqttEvent, MqttError> {
        let session = self.session.as_mut().ok_or_else(|| MqttError::failed("no session"))?;
        let (event_loop, outcome) = (&mut session.poll).await;
        let stage = session.stage;
        let no_retain = ConnectReturnCode::RetainNotSupported;
        self.without_retain |=
            matches!(&outcome, Err(ConnectionError::ConnectionRefused(code)) if *code == no_retain);
        let event = outcome.map_err(|cause| causes::to_error(&cause, stage)).and_then(to_event);
        match &event {
            Ok(event) => {
                if let MqttEvent::Connected(_) = event {
                    session.stage = Stage::Accepted;
                }
                session.poll = poll(event_loop);
            }
            Err(_) => self.session = None,
        }
        event
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
        Event::Incoming(Incoming::ConnAck(packet)) => MqttEvent::Connected(limits(&packet)),
        Event::Incoming(Incoming::PubAck(packet)) => {
            MqttEvent::Acknowledged(packet.pkid, causes::of_publish(packet.reason))
        }
        Event::Incoming(Incoming::SubAck(packet)) => {
            packet.return_codes.into_iter().try_for_each(causes::of_subscription).map_err(|refusal| {
                MqttError::failed(format!("the broker refused the subscription: {refusal}"))
            })?;
            MqttEvent::Subscribed
        }
        Event::Incoming(Incoming::Publish(publish)) => MqttEvent::Received(MqttMessage {
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            payload: publish.payload,
            retain: publish.retain,
            expires_after: None,
        }),
        Event::Outgoing(Outgoing::Publish(packet_id)) => MqttEvent::Sent(packet_id),
        Event::Outgoing(Outgoing::Disconnect) => MqttEvent::Disconnected,
        _ => MqttEvent::Other,
    })
}

fn limits(packet: &ConnAck) -> BrokerLimits {
    let properties = packet.properties.as_ref();
    let max_packet = properties.and_then(|p| p.max_packet_size).and_then(|bytes| bytes.try_into().ok());
    BrokerLimits {
        max_packet: max_packet.unwrap_or(MAX_OUTGOING).min(MAX_OUTGOING),
        retain: properties.and_then(|p| p.retain_available) != Some(0),
    }
}
