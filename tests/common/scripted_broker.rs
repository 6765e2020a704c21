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
use rumqttc::{ConnAck, Connect, ConnectReturnCode, Packet, PubAck, Publish, SubAck, SubscribeReasonCode};
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
}

/// A message that the broker received.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedMessage {
    /// Number of the relay's session, from 0.
    pub(crate) session: usize,
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) retain: bool,
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
    pub(crate) connects: Vec<Connect>,
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
            let packet = match Packet::read(&mut bytes, 4 << 20) {
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
                reply.write(&mut replies, 1 << 20).expect("a valid packet");
            }
            stream.write_all(&replies)?;
            if self.closes {
                return Ok(());
            }
        }
    }

    fn on_packet(&mut self, packet: Packet) -> Vec<Packet> {
        match packet {
            Packet::Connect(connect) => vec![Packet::ConnAck(self.on_connect(connect))],
            Packet::Subscribe(subscribe) => {
                let granted = SubscribeReasonCode::Success(rumqttc::QoS::AtLeastOnce);
                let codes = vec![granted; subscribe.filters.len()];
                vec![Packet::SubAck(SubAck::new(subscribe.pkid, codes))]
            }
            Packet::Publish(publish) => {
                self.on_publish(publish).into_iter().map(|id| Packet::PubAck(PubAck::new(id))).collect()
            }
            Packet::PingReq if self.behaviour != Behaviour::Silent => vec![Packet::PingResp],
            Packet::Disconnect => {
                self.lock().disconnects += 1;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn on_connect(&mut self, connect: Connect) -> ConnAck {
        // Of all clients only the relay has a last will.
        if connect.last_will.is_some() {
            let number = {
                let mut log = self.lock();
                log.connects.push(connect);
                log.connects.len() - 1
            };
            self.number = number;
            self.behaviour = *self.script.get(number).or(self.script.last()).expect("a script");
        }
        let code = match self.behaviour {
            Behaviour::Reject => ConnectReturnCode::NotAuthorized,
            _ => ConnectReturnCode::Success,
        };
        ConnAck::new(code, false)
    }

    /// The packet ids to acknowledge.
    fn on_publish(&mut self, publish: Publish) -> Vec<u16> {
        let shared = self.log.clone();
        let mut log = shared.lock().unwrap_or_else(PoisonError::into_inner);
        self.open.push((publish.pkid, log.received.len()));
        self.messages += 1;
        log.received.push(ReceivedMessage {
            session: self.number,
            topic: publish.topic,
            payload: publish.payload.to_vec(),
            retain: publish.retain,
            acknowledged: false,
        });
        let acknowledged = self.take_acknowledged();
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
        acknowledged.into_iter().map(|(packet_id, _)| packet_id).collect()
    }

    /// Removes the messages from `open` that the behaviour acknowledges now; notes whether the connection closes after.
    fn take_acknowledged(&mut self) -> Vec<(u16, usize)> {
        match self.behaviour {
            Behaviour::Acknowledge => std::mem::take(&mut self.open),
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
