//! A broker that follows a script: a TCP server that speaks just enough MQTT. The relay's unit tests and the fault tests use
//! it.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rumqttc::mqttbytes;
use rumqttc::{
    ConnAck, ConnAckProperties, Connect, ConnectReturnCode, LastWill, Packet, PubAck, PubAckReason, Publish,
    SubAck, SubscribeReasonCode,
};
use serde_json::Value;
use test_support::now;

/// How the broker treats one session of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Acknowledges every message at once.
    Acknowledge,
    /// Rejects the login.
    Reject,
    /// Acknowledges nothing and answers no ping.
    Silent,
    /// Receives this many messages, acknowledges none, closes the connection, remembers nothing.
    CloseAfter(usize),
    /// Receives this many messages, acknowledges the last few of them in reverse order, closes the connection.
    Reverse { after: usize, last: usize },
    /// Acknowledges every second message.
    EverySecond,
    /// Acknowledges every message but the first.
    AllButFirst,
    /// Refuses alerts for this reason, and accepts the rest.
    RefuseAlerts(PubAckReason),
    /// Closes the connection at a message with a payload of more bytes, and acknowledges the rest.
    CloseAtPayload(usize),
    /// Announces these limits, closes the connection at a message beyond them, acknowledges the rest.
    Announce { max_packet: u32, retain: bool },
}

/// A message that the broker received.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedMessage {
    /// Number of the relay's session, from 0.
    pub(crate) session: usize,
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) retain: bool,
    /// Seconds after which the broker drops it.
    pub(crate) expires_after: Option<u32>,
    pub(crate) acknowledged: bool,
}

impl ReceivedMessage {
    /// The payload; null for a picture.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or_default()
    }

    /// The alert, when the message is one: no other message counts its attempts.
    pub(crate) fn alert(&self) -> Option<Value> {
        Some(self.json()).filter(|payload| payload.get("attempt").is_some())
    }
}

/// What the broker received and did.
#[derive(Debug, Default)]
pub(crate) struct BrokerLog {
    /// The connect packet of each session of the relay.
    pub(crate) connects: Vec<(Connect, LastWill)>,
    pub(crate) received: Vec<ReceivedMessage>,
    /// Orderly disconnects.
    pub(crate) disconnects: usize,
    /// Most messages that one session left unacknowledged.
    pub(crate) most_unacknowledged: usize,
    /// When the broker last closed a connection or, while it acknowledges nothing, last received a message.
    faulted: Option<Instant>,
    /// The longest time from such a moment to the next acknowledged alert.
    pub(crate) longest_gap: Duration,
}

impl BrokerLog {
    /// The alerts, in the order of arrival.
    pub(crate) fn alerts(&self) -> impl Iterator<Item = (&ReceivedMessage, Value)> {
        self.received.iter().filter_map(|message| Some((message, message.alert()?)))
    }

    /// Ids of the acknowledged alerts.
    pub(crate) fn acknowledged_ids(&self) -> BTreeSet<String> {
        let acknowledged = self.alerts().filter(|(message, _)| message.acknowledged);
        acknowledged.map(|(_, alert)| alert["alert_id"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// The running broker. Dropping it frees the port; open connections last until their client ends them.
pub(crate) struct ScriptedBroker {
    pub(crate) port: u16,
    log: Arc<Mutex<BrokerLog>>,
    stop: Arc<AtomicBool>,
}

impl ScriptedBroker {
    /// Treats the relay's first session by the first behaviour of `script`, and so on; the last one stays.
    pub(crate) fn start(script: &[Behaviour]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let port = listener.local_addr().expect("an address").port();
        let (log, stop) = (Arc::<Mutex<BrokerLog>>::default(), Arc::<AtomicBool>::default());
        let (script, shared, stopped) = (script.to_vec(), log.clone(), stop.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().take_while(|_| !stopped.load(Ordering::Relaxed)) {
                let session = BrokerSession::new(&script, &shared);
                // The relay decides what the end of a connection means.
                std::thread::spawn(move || session.serve(stream?));
            }
        });
        Self { port, log, stop }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, BrokerLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ScriptedBroker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Ends the wait for the next connection.
        let _connected = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// One connection.
struct BrokerSession {
    script: Vec<Behaviour>,
    log: Arc<Mutex<BrokerLog>>,
    /// Sessions other than the relay's are always acknowledged.
    behaviour: Behaviour,
    number: usize,
    /// Unacknowledged messages: packet id, index in the log.
    open: Vec<(u16, usize)>,
    messages: usize,
    closes: bool,
}

impl BrokerSession {
    fn new(script: &[Behaviour], log: &Arc<Mutex<BrokerLog>>) -> Self {
        let (script, log, behaviour) = (script.to_vec(), log.clone(), Behaviour::Acknowledge);
        Self { script, log, behaviour, number: 0, open: Vec::new(), messages: 0, closes: false }
    }

    fn serve(mut self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut bytes = BytesMut::new();
        loop {
            let packet = match Packet::read(&mut bytes, Some(4 << 20)) {
                Ok(packet) => packet,
                Err(mqttbytes::Error::InsufficientBytes(_)) => {
                    let mut buffer = [0; 65536];
                    let length = stream.read(&mut buffer)?;
                    if length == 0 {
                        return Ok(());
                    }
                    bytes.extend_from_slice(&buffer[..length]);
                    continue;
                }
                Err(cause) => panic!("the relay sent bytes that are not MQTT: {cause}"),
            };
            let mut replies = BytesMut::new();
            for reply in self.on_packet(packet) {
                reply.write(&mut replies, None).expect("a valid packet");
            }
            stream.write_all(&replies)?;
            if self.closes {
                return Ok(());
            }
        }
    }

    fn on_packet(&mut self, packet: Packet) -> Vec<Packet> {
        match packet {
            Packet::Connect(connect, will, _) => vec![Packet::ConnAck(self.on_connect(connect, will))],
            Packet::Subscribe(subscribe) => {
                let granted = SubscribeReasonCode::Success(rumqttc::QoS::AtLeastOnce);
                let codes = vec![granted; subscribe.filters.len()];
                vec![Packet::SubAck(SubAck { pkid: subscribe.pkid, return_codes: codes, properties: None })]
            }
            Packet::Publish(publish) => self.on_publish(publish).into_iter().map(Packet::PubAck).collect(),
            Packet::PingReq if self.behaviour != Behaviour::Silent => vec![Packet::PingResp],
            Packet::Disconnect(_) => {
                self.lock().disconnects += 1;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn on_connect(&mut self, connect: Connect, will: Option<LastWill>) -> ConnAck {
        // Of all clients only the relay has a last will.
        if let Some(will) = will {
            let number = {
                let mut log = self.lock();
                log.connects.push((connect, will));
                log.connects.len() - 1
            };
            self.number = number;
            self.behaviour = *self.script.get(number).or(self.script.last()).expect("a script");
        }
        let code = match self.behaviour {
            Behaviour::Reject => ConnectReturnCode::NotAuthorized,
            _ => ConnectReturnCode::Success,
        };
        let properties = match self.behaviour {
            Behaviour::Announce { max_packet, retain } => Some(announcement(max_packet, retain)),
            _ => None,
        };
        ConnAck { session_present: false, code, properties }
    }

    fn on_publish(&mut self, publish: Publish) -> Vec<PubAck> {
        let shared = self.log.clone();
        let mut log = shared.lock().unwrap_or_else(PoisonError::into_inner);
        self.open.push((publish.pkid, log.received.len()));
        self.messages += 1;
        log.received.push(ReceivedMessage {
            session: self.number,
            topic: String::from_utf8(publish.topic.to_vec()).expect("a topic in UTF-8"),
            payload: publish.payload.to_vec(),
            retain: publish.retain,
            expires_after: publish.properties.and_then(|properties| properties.message_expiry_interval),
            acknowledged: false,
        });
        let received = log.received.last().expect("a message");
        if let Some(reason) = self.refusal(received) {
            let packet_id = self.open.pop().map_or(0, |(packet_id, _)| packet_id);
            return vec![PubAck { pkid: packet_id, reason, properties: None }];
        }
        let acknowledged = self.take_acknowledged(received);
        if self.closes || self.behaviour == Behaviour::Silent {
            log.faulted = Some(now());
        }
        for &(_, index) in &acknowledged {
            log.received[index].acknowledged = true;
            let is_alert = log.received[index].alert().is_some();
            if is_alert
                && self.behaviour == Behaviour::Acknowledge
                && let Some(since) = log.faulted.take()
            {
                log.longest_gap = log.longest_gap.max(since.elapsed());
            }
        }
        log.most_unacknowledged = log.most_unacknowledged.max(self.open.len());
        acknowledged.into_iter().map(|(packet_id, _)| PubAck::new(packet_id, None)).collect()
    }

    fn refusal(&self, message: &ReceivedMessage) -> Option<PubAckReason> {
        match self.behaviour {
            Behaviour::RefuseAlerts(reason) => message.alert().map(|_| reason),
            _ => None,
        }
    }

    /// Removes the messages from `open` that the behaviour acknowledges now; notes whether the connection closes after.
    fn take_acknowledged(&mut self, newest: &ReceivedMessage) -> Vec<(u16, usize)> {
        match self.behaviour {
            Behaviour::Acknowledge | Behaviour::RefuseAlerts(_) => std::mem::take(&mut self.open),
            Behaviour::CloseAtPayload(limit) if newest.payload.len() > limit => {
                self.closes = true;
                Vec::new()
            }
            Behaviour::Announce { max_packet, retain }
                if newest.topic.len() + newest.payload.len() > max_packet as usize
                    || (newest.retain && !retain) =>
            {
                self.closes = true;
                Vec::new()
            }
            Behaviour::CloseAtPayload(_) | Behaviour::Announce { .. } => std::mem::take(&mut self.open),
            Behaviour::EverySecond if self.messages.is_multiple_of(2) => {
                self.open.pop().into_iter().collect()
            }
            Behaviour::AllButFirst if self.messages > 1 => self.open.pop().into_iter().collect(),
            Behaviour::CloseAfter(after) => {
                self.closes = self.messages == after;
                Vec::new()
            }
            Behaviour::Reverse { after, last } if self.messages == after => {
                self.closes = true;
                let mut acknowledged = self.open.split_off(after.saturating_sub(last));
                acknowledged.reverse();
                acknowledged
            }
            _ => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BrokerLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn announcement(max_packet: u32, retain: bool) -> ConnAckProperties {
    ConnAckProperties {
        session_expiry_interval: None,
        receive_max: None,
        max_qos: None,
        retain_available: Some(u8::from(retain)),
        max_packet_size: Some(max_packet),
        assigned_client_identifier: None,
        topic_alias_max: None,
        reason_string: None,
        user_properties: Vec::new(),
        wildcard_subscription_available: None,
        subscription_identifiers_available: None,
        shared_subscription_available: None,
        server_keep_alive: None,
        response_information: None,
        server_reference: None,
        authentication_method: None,
        authentication_data: None,
    }
}
