//! A broker that misbehaves as told: a TCP peer that speaks just enough MQTT.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rumqttc::mqttbytes;
use rumqttc::{ConnAck, ConnectReturnCode, Packet, PubAck, SubAck, SubscribeReasonCode};
use test_support::now;

/// How the peer treats one session of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Confirms every message at once.
    Confirms,
    /// Confirms nothing, answers no ping.
    Silent,
    /// Takes so many messages, confirms none, breaks the connection, remembers nothing.
    Forgets(usize),
    /// Takes so many messages, confirms the later half of them, last first, breaks the connection.
    Backwards(usize),
    /// Confirms every message but the first.
    AllButFirst,
}

/// What the peer has heard and done.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Sessions of the relay so far.
    pub(crate) sessions: usize,
    /// Alerts, by id: how often each was heard.
    pub(crate) heard: BTreeMap<String, usize>,
    /// Ids of alerts that were confirmed.
    pub(crate) confirmed: Vec<String>,
    /// Most packets that one session left unconfirmed.
    pub(crate) unconfirmed: usize,
    /// When the peer last broke a connection, or (silent) last took a message that it will not confirm.
    pub(crate) faulted: Option<Instant>,
    /// From such a moment to the next confirmed alert, the longest.
    pub(crate) longest_gap: Duration,
}

/// The running peer. Its threads end with the connections.
pub(crate) struct Peer {
    pub(crate) port: u16,
    pub(crate) log: Arc<Mutex<Log>>,
}

impl Peer {
    /// Treats the relay's first session by the first of `script`, and so on; the last manner stays.
    pub(crate) fn new(script: &[Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Log::default()));
        let (script, shared) = (script.to_vec(), log.clone());
        // Detached: it waits in `accept` until the test's process ends.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, log) = (script.clone(), shared.clone());
                // How a connection ends is the relay's business.
                std::thread::spawn(move || serve(stream.unwrap(), &script, &log).ok());
            }
        });
        Self { port, log }
    }
}

fn serve(mut stream: TcpStream, script: &[Manner], log: &Mutex<Log>) -> std::io::Result<()> {
    let mut bytes = BytesMut::new();
    // The ear that listens for the staff's answers is another client, and always treated well.
    let mut manner = Manner::Confirms;
    let mut waiting: Vec<(u16, Option<String>)> = Vec::new();
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
            Err(why) => panic!("the relay sent what is no MQTT: {why}"),
        };
        let mut answers = Vec::new();
        let mut leaves = false;
        match packet {
            Packet::Connect(connect) => {
                // The relay has a last will, the ear has none.
                if connect.last_will.is_some() {
                    let mut log = log.lock().unwrap();
                    manner = *script.get(log.sessions).or(script.last()).unwrap();
                    log.sessions += 1;
                }
                answers.push(Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false)));
            }
            Packet::Subscribe(subscribe) => {
                let granted = SubscribeReasonCode::Success(rumqttc::QoS::AtLeastOnce);
                let all = vec![granted; subscribe.filters.len()];
                answers.push(Packet::SubAck(SubAck::new(subscribe.pkid, all)));
            }
            Packet::Publish(publish) => {
                let mut log = log.lock().unwrap();
                let alert = publish.topic.contains("/alert/").then(|| {
                    let alert: serde_json::Value = serde_json::from_slice(&publish.payload).unwrap();
                    alert["alert_id"].as_str().unwrap().to_owned()
                });
                if let Some(id) = &alert {
                    *log.heard.entry(id.clone()).or_default() += 1;
                }
                waiting.push((publish.pkid, alert));
                let confirmed = confirm(manner, &mut waiting);
                leaves = matches!(manner, Manner::Forgets(all) if waiting.len() == all)
                    || matches!(manner, Manner::Backwards(_)) && !confirmed.is_empty();
                if leaves || manner == Manner::Silent {
                    log.faulted = Some(now());
                }
                for (packet, alert) in confirmed {
                    answers.push(Packet::PubAck(PubAck::new(packet)));
                    let Some(alert) = alert else { continue };
                    log.confirmed.push(alert);
                    if manner == Manner::Confirms
                        && let Some(since) = log.faulted.take()
                    {
                        log.longest_gap = log.longest_gap.max(since.elapsed());
                    }
                }
                log.unconfirmed = log.unconfirmed.max(waiting.len());
            }
            Packet::PingReq if manner != Manner::Silent => answers.push(Packet::PingResp),
            Packet::Disconnect => return Ok(()),
            _ => {}
        }
        let mut out = BytesMut::new();
        for answer in answers {
            answer.write(&mut out, 1 << 20).unwrap();
        }
        stream.write_all(&out)?;
        if leaves {
            return Ok(());
        }
    }
}

/// Takes what is confirmed now out of what waits.
fn confirm(manner: Manner, waiting: &mut Vec<(u16, Option<String>)>) -> Vec<(u16, Option<String>)> {
    match manner {
        Manner::Confirms => std::mem::take(waiting),
        Manner::Backwards(all) if waiting.len() == all => {
            let mut later = waiting.split_off(all / 2);
            later.reverse();
            later
        }
        Manner::AllButFirst if waiting.len() > 1 => waiting.pop().into_iter().collect(),
        _ => Vec::new(),
    }
}
