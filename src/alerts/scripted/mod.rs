//! A broker that behaves as told, and the relay's promises against it.

mod outbox_model;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use proptest::prelude::*;
use rumqttc::mqttbytes;
use rumqttc::{ConnAck, Connect, ConnectReturnCode, Packet, PubAck};
use serde_json::Value;
use test_support::wait_until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::relay::{Memory, Presence, Present, Task, Timing, WINDOW, retained};
use super::{RelayStats, mqtt, payload, topics};
use crate::backoff::Backoff;
use crate::camera_health::{Cause, Outage};
use crate::camera_state::{CameraChange, CameraState};
use crate::clock::SimulatedClock;
use crate::config::Broker;
use crate::ids::SiteId;
use crate::logbook::testing::{at, camera, column, open, told};
use crate::logbook::{Entry, Head, LogbookSender, Writer};

/// How the broker treats one session.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Confirms every message.
    Confirms,
    /// Does not let the client in.
    Refuses,
    /// Confirms nothing, says nothing.
    Silent,
    /// Takes so many messages, confirms none, leaves.
    LeavesAfter(usize),
    /// Takes so many messages, confirms the last few in reverse order, leaves.
    Backwards(usize, usize),
    /// Confirms every second message.
    EverySecond,
}

/// A message as the broker heard it.
#[derive(Clone, Debug)]
struct Heard {
    session: usize,
    topic: String,
    payload: Vec<u8>,
    retain: bool,
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }

    /// The alert's number, when it is one.
    fn seq(&self) -> Option<i64> {
        self.topic.contains("/alert/").then(|| self.json()["seq"].as_i64().unwrap())
    }
}

#[derive(Default)]
struct Log {
    connects: Vec<Connect>,
    heard: Vec<Heard>,
    confirmed: Vec<i64>,
    farewells: usize,
}

type Shared = Arc<Mutex<Log>>;

async fn broker(listener: TcpListener, script: Vec<Manner>, log: Shared) {
    for session in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let manner = *script.get(session).or(script.last()).unwrap();
        // How a session ends is the relay's business.
        let _ended = serve(stream, session, manner, &log).await;
    }
}

async fn serve(mut stream: TcpStream, session: usize, manner: Manner, log: &Shared) -> std::io::Result<()> {
    let mut bytes = BytesMut::new();
    let mut taken: Vec<(u16, Option<i64>)> = Vec::new();
    loop {
        let packet = match Packet::read(&mut bytes, 4 << 20) {
            Ok(packet) => packet,
            Err(mqttbytes::Error::InsufficientBytes(_)) => {
                if stream.read_buf(&mut bytes).await? == 0 {
                    return Ok(());
                }
                continue;
            }
            Err(why) => panic!("{why}"),
        };
        let mut answers = Vec::new();
        match packet {
            Packet::Connect(connect) => {
                log.lock().unwrap().connects.push(connect);
                let refused = matches!(manner, Manner::Refuses);
                let code =
                    if refused { ConnectReturnCode::NotAuthorized } else { ConnectReturnCode::Success };
                answers.push(Packet::ConnAck(ConnAck::new(code, false)));
            }
            Packet::Publish(publish) => {
                let heard = Heard {
                    session,
                    topic: publish.topic,
                    payload: publish.payload.to_vec(),
                    retain: publish.retain,
                };
                taken.push((publish.pkid, heard.seq()));
                log.lock().unwrap().heard.push(heard);
                let number = taken.len();
                let confirm: Vec<_> = match manner {
                    Manner::Confirms => vec![taken[number - 1]],
                    Manner::EverySecond if number.is_multiple_of(2) => vec![taken[number - 1]],
                    Manner::Backwards(all, last) if number == all => {
                        taken.iter().rev().take(last).copied().collect()
                    }
                    _ => Vec::new(),
                };
                log.lock().unwrap().confirmed.extend(confirm.iter().filter_map(|(_, seq)| *seq));
                answers.extend(confirm.into_iter().map(|(packet, _)| Packet::PubAck(PubAck::new(packet))));
            }
            Packet::PingReq if !matches!(manner, Manner::Silent) => answers.push(Packet::PingResp),
            Packet::Disconnect => log.lock().unwrap().farewells += 1,
            _ => {}
        }
        let mut out = BytesMut::new();
        for answer in answers {
            answer.write(&mut out, 1 << 20).unwrap();
        }
        stream.write_all(&out).await?;
        if matches!(manner, Manner::LeavesAfter(all) | Manner::Backwards(all, _) if taken.len() == all) {
            return Ok(());
        }
    }
}

/// A logbook, a relay and a scripted broker.
struct Rig {
    folder: tempfile::TempDir,
    writer: Writer,
    sender: LogbookSender,
    clock: Arc<SimulatedClock>,
    port: u16,
    log: Shared,
    presence: watch::Sender<Presence>,
    /// Nothing to tell unless a test says so.
    heads: watch::Sender<Head>,
    stats: Arc<RelayStats>,
    stop: CancellationToken,
    relay: JoinHandle<bool>,
}

impl Rig {
    async fn new(script: &[Manner], now: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (writer, sender) = open(&folder.path().join("logbook.sqlite"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Shared::default();
        tokio::spawn(broker(listener, script.to_vec(), log.clone()));
        let clock = Arc::new(SimulatedClock::new(at(now).wall));
        let presence = watch::channel(Presence::new()).0;
        let heads = watch::channel(Head::default()).0;
        let (stats, stop) = Default::default();
        let relay = tokio::spawn(async { false });
        Self { folder, writer, sender, clock, port, log, presence, heads, stats, stop, relay }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("logbook.sqlite")
    }

    fn start_relay(&mut self) {
        let writer = &self.writer;
        let site = SiteId::new("sample-harbour").unwrap();
        let target = Broker { host: "127.0.0.1".into(), port: self.port, login: None };
        let will = retained(topics::status(&site), payload::offline(&site));
        let policy = Backoff::new(Duration::from_millis(5), Duration::from_millis(20), 50).unwrap();
        let task = Task {
            transport: mqtt::Mqtt::new(target, "havenwacht-test".into(), will),
            site,
            start: (writer.start(), at(0.0)),
            committed: writer.outbox(),
            presence: self.presence.subscribe(),
            heads: self.heads.subscribe(),
            logbook: self.sender.clone(),
            writer: writer.stats(),
            clock: self.clock.clone(),
            beat: Box::new(|| ()),
            stats: self.stats.clone(),
            delays: policy.delays(1),
            timing: Timing { confirm: Duration::from_millis(400), goodbye: Duration::from_secs(2) },
            stop: self.stop.clone(),
            memory: Memory::new(self.path()),
        };
        self.relay = tokio::spawn(task.run());
    }

    fn raise(&self, numbers: std::ops::RangeInclusive<u32>) {
        for number in numbers {
            self.sender.send(told(number.into(), f64::from(number))).unwrap();
        }
        // A session's script is about messages that come in one go.
        self.writer.flush(Duration::from_secs(20)).unwrap();
    }

    fn delivered(&self) -> Vec<i64> {
        let query = "SELECT seq FROM alert WHERE delivered IS NOT NULL ORDER BY seq";
        column(&self.path(), query).iter().map(|seq| seq.parse().unwrap()).collect()
    }

    fn confirmed(&self) -> BTreeSet<i64> {
        self.log.lock().unwrap().confirmed.iter().copied().collect()
    }

    fn heard(&self) -> Vec<Heard> {
        self.log.lock().unwrap().heard.clone()
    }

    /// The alerts of one session, as the broker heard them.
    fn alerts_of(&self, session: usize) -> Vec<i64> {
        self.heard().iter().filter(|heard| heard.session == session).filter_map(Heard::seq).collect()
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        tokio::task::block_in_place(|| wait_until(Duration::from_secs(20), what, || holds(self)));
    }

    async fn until_all_delivered(&self, alerts: i64) {
        self.until("all delivered", |rig| rig.delivered() == (1..=alerts).collect::<Vec<_>>()).await;
        assert!(self.delivered().iter().all(|seq| self.confirmed().contains(seq)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_survives_a_broker_that_forgets() {
    let mut rig = Rig::new(&[Manner::LeavesAfter(4), Manner::LeavesAfter(3), Manner::Confirms], 30.0).await;
    rig.raise(1..=20);
    rig.start_relay();
    rig.until_all_delivered(20).await;
    assert_eq!(rig.alerts_of(2), (1..=20).collect::<Vec<_>>(), "in order");
    let first: Vec<_> =
        rig.heard().into_iter().filter(|heard| heard.seq() == Some(1)).map(|h| h.json()).collect();
    let attempts: Vec<_> = first.iter().map(|alert| alert["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [1, 2, 3]);
    let recorded = column(&rig.path(), "SELECT attempts FROM alert WHERE seq = 1");
    assert_eq!(recorded, ["3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_delivered_when_its_own_packet_is_confirmed_and_not_before() {
    // Status and a window full of alerts; the last three are confirmed, last first; then silence.
    let mut rig = Rig::new(&[Manner::Backwards(WINDOW, 3), Manner::Silent], 30.0).await;
    rig.raise(1..=20);
    rig.start_relay();
    rig.until("three silent sessions", |rig| rig.log.lock().unwrap().connects.len() >= 4).await;
    let all = WINDOW as i64 - 1;
    assert_eq!(rig.delivered(), (all - 2..=all).collect::<Vec<_>>());
    assert_eq!(rig.alerts_of(1)[..3], [1, 2, 3], "and those are not sent again");
    assert!(!rig.alerts_of(1).contains(&all));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmations_out_of_order_do_not_stop_the_relay() {
    let script = [Manner::EverySecond, Manner::Backwards(WINDOW, 5), Manner::EverySecond, Manner::Confirms];
    let mut rig = Rig::new(&script, 60.0).await;
    rig.raise(1..=40);
    rig.start_relay();
    rig.until_all_delivered(40).await;
    let sent = rig.stats.attempts.load(std::sync::atomic::Ordering::Relaxed);
    assert!(sent <= 40 + 3 * WINDOW as u64, "at most a window of repeats a session: {sent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_refuses_is_tried_again() {
    let mut rig = Rig::new(&[Manner::Refuses, Manner::Refuses, Manner::Confirms], 10.0).await;
    rig.start_relay();
    rig.until("a refusal is told", |rig| rig.stats.last_error().is_some_and(|e| e.contains("NotAuthorized")))
        .await;
    rig.raise(1..=3);
    rig.until_all_delivered(3).await;
    assert_eq!(rig.stats.last_error(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_was_killed_goes_on_where_it_was() {
    let mut rig = Rig::new(&[Manner::Backwards(WINDOW, 2), Manner::Silent, Manner::Confirms], 30.0).await;
    rig.raise(1..=12);
    rig.start_relay();
    rig.until("some are delivered", |rig| rig.delivered().len() == 2).await;
    rig.relay.abort();
    rig.start_relay();
    rig.until_all_delivered(12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_chain_ends_is_told_in_every_session_and_reads_as_it_was_written() {
    let mut rig = Rig::new(&[Manner::LeavesAfter(2), Manner::Confirms], 10.0).await;
    let head = rig.writer.heads().borrow().clone();
    assert_eq!(head.seq, 1, "the start");
    rig.heads.send_replace(head.clone());
    rig.start_relay();
    let told = |rig: &Rig| {
        let heads = rig.heard().into_iter().filter(|heard| heard.topic.ends_with("/logbook/head"));
        heads
            .map(|heard| (heard.session, heard.retain, String::from_utf8(heard.payload).unwrap()))
            .collect::<Vec<_>>()
    };
    rig.until("both sessions", |rig| told(rig).len() == 2).await;
    for (session, (heard_in, retained, text)) in told(&rig).into_iter().enumerate() {
        assert_eq!((heard_in, retained), (session, true));
        assert_eq!(Head::from_json(&text), Some(head.clone()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presence_is_told_in_every_session_and_ends_with_goodbye() {
    let mut rig = Rig::new(&[Manner::LeavesAfter(2), Manner::Confirms], 10.0).await;
    let present = |state, outage| {
        let reason = "it came".into();
        let change = CameraChange { camera: camera(), at: at(1.0), state, reason, retries: 0 };
        Present { change: Some(change), outage }
    };
    let frozen = Outage {
        cause: Cause::Frozen,
        began: at(2.0),
        measured: Some(15.0),
        threshold: Some(15.0),
        unit: "s",
        text: "the picture has been the same for 15 s".into(),
    };
    rig.presence.send_modify(|all| drop(all.insert(camera(), present(CameraState::Connecting, None))));
    rig.start_relay();
    rig.until("both sessions", |rig| rig.heard().len() >= 4).await;
    rig.presence.send_modify(|all| drop(all.insert(camera(), present(CameraState::Streaming, None))));
    rig.until("the change", |rig| rig.heard().len() >= 5).await;
    rig.presence.send_modify(|all| drop(all.insert(camera(), present(CameraState::Streaming, Some(frozen)))));
    rig.until("the cause", |rig| rig.heard().len() >= 6).await;
    rig.stop.cancel();
    assert!((&mut rig.relay).await.unwrap());
    rig.until("the goodbye", |rig| rig.log.lock().unwrap().farewells == 1).await;
    let heard: Vec<_> = rig
        .heard()
        .iter()
        .map(|h| {
            let state = h.json()["state"].as_str().unwrap().to_owned();
            let outage = h.json()["outage"]["cause"]
                .as_str()
                .map_or(state.clone(), |cause| format!("{state}, {cause}"));
            (h.session, h.topic.clone(), outage, h.retain)
        })
        .collect();
    let (status, state) =
        ("havenwacht/sample-harbour/status", "havenwacht/sample-harbour/camera/quay-east/state");
    let expected = [
        (0, status, "online"),
        (0, state, "connecting"),
        (1, status, "online"),
        (1, state, "connecting"),
        (1, state, "streaming"),
        (1, state, "streaming, frozen"),
        (1, status, "offline"),
    ];
    assert_eq!(heard, expected.map(|(session, topic, state)| (session, topic.into(), state.into(), true)));
    let log = rig.log.lock().unwrap();
    let will = log.connects[0].last_will.as_ref().unwrap();
    assert!(will.topic == status && will.retain && will.message.starts_with(br#"{"schema":1"#));
    assert!(log.connects[0].clean_session);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_retained_status_tells_what_is_wrong_with_the_logbook_and_when_it_is_right_again() {
    let mut rig = Rig::new(&[Manner::Confirms], 10.0).await;
    rig.start_relay();
    let told = |rig: &Rig| {
        let status = |h: &Heard| h.topic.ends_with("/status") && h.retain;
        rig.heard().iter().filter(|h| status(h)).map(|h| h.json()["problems"].to_string()).collect::<Vec<_>>()
    };
    rig.until("the status", |rig| told(rig) == ["[]"]).await;
    rig.writer.stats().degraded.store(true, std::sync::atomic::Ordering::Relaxed);
    rig.until("the problem", |rig| told(rig).len() == 2).await;
    assert!(told(&rig)[1].contains("cannot be written"), "{:?}", told(&rig));
    rig.writer.stats().degraded.store(false, std::sync::atomic::Ordering::Relaxed);
    rig.until("all is well", |rig| told(rig).len() == 3 && told(rig)[2] == "[]").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_alert_says_so_and_one_that_is_too_late_expires() {
    let day = 86_400.0;
    let mut rig = Rig::new(&[Manner::Confirms], day + 100.0).await;
    for (number, seconds) in [(1, 50.0), (2, day), (3, day + 90.0)] {
        rig.sender.send(told(number, seconds)).unwrap();
    }
    rig.start_relay();
    rig.until("two are delivered", |rig| rig.delivered() == [2, 3]).await;
    rig.until("one expired", |rig| {
        column(&rig.path(), "SELECT delivery FROM v_alerts WHERE seq = 1") == ["expired"]
    })
    .await;
    let told: Vec<_> = rig
        .heard()
        .iter()
        .filter_map(|h| Some((h.seq()?, h.json()["historical"].as_bool().unwrap())))
        .collect();
    assert_eq!(told, [(2, true), (3, false)]);
    assert_eq!(rig.stats.expired.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_comes_just_before_its_alert() {
    let mut rig = Rig::new(&[Manner::Confirms], 10.0).await;
    let Entry::Signal(mut signal) = told(1, 5.0) else { unreachable!() };
    let alert = signal.alert.as_mut().unwrap();
    let topic = "havenwacht/sample-harbour/picture/1";
    alert.payload = format!(r#"{{"schema":1,"picture_topic":"{topic}"}}"#);
    alert.picture = Some(vec![0xD8; 300_000]);
    rig.sender.send(Entry::Signal(signal)).unwrap();
    rig.start_relay();
    rig.until_all_delivered(1).await;
    let heard = rig.heard();
    assert_eq!((heard[1].topic.as_str(), heard[1].payload.len()), (topic, 300_000));
    assert_eq!(heard[2].seq(), Some(1));
}

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        Just(Manner::Refuses),
        Just(Manner::Silent),
        Just(Manner::EverySecond),
        (1usize..10).prop_map(Manner::LeavesAfter),
        (1usize..10, 0usize..10).prop_map(|(all, last)| Manner::Backwards(all, last)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever the broker does in its first sessions: nothing is lost, nothing is called delivered that was not.
    #[test]
    fn no_manner_of_broker_costs_an_alert(mut script in prop::collection::vec(manner(), 0..5), alerts in 1u32..25) {
        script.push(Manner::Confirms);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut rig = Rig::new(&script, 30.0).await;
            rig.start_relay();
            rig.raise(1..=alerts);
            rig.until_all_delivered(alerts.into()).await;
        });
    }
}
