//! From the logbook to a real broker and on to a subscriber, and acknowledgements back.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use havenwacht::alerts::{self, MqttMessage, MqttSettings, Relay, StaffClient, Topic, TopicKind};
use havenwacht::cli::demo::programs::{free_port, start_broker};
use havenwacht::clock::{Clock, Stamp, SystemClock};
use havenwacht::config::{Broker, ModelConfig, Retention, Severity, Site};
use havenwacht::geometry::BBox;
use havenwacht::ids::{CameraId, PlaceId, RuleId, SiteId};
use havenwacht::logbook::{
    Acknowledgement, Entry, Filter, Listing, LogbookSender, Outbox, Reader, SignalEntry, StaffVerdict,
    StartEntry, Writer, WriterOptions,
};
use havenwacht::rules::{Facts, Phase, SignalEvent, SignalId};
use havenwacht::track::VesselId;
use jiff::tz::TimeZone;
use test_support::wait_until;
use tokio::runtime::Runtime;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn site(port: u16) -> Site {
    Site {
        id: SiteId::new("sample-harbour").unwrap(),
        name: "Sample harbour".into(),
        position: None,
        holidays: Default::default(),
        time_zone: TimeZone::get("Europe/Amsterdam").unwrap(),
        model: ModelConfig { manifest: "unused".into(), runtime: "unused".into(), threads: 1 },
        broker: Broker { host: "127.0.0.1".into(), port, login: None, tls: None },
        logbook: "unused".into(),
        signing_key: None,
        retention: Retention {
            detections: Duration::from_secs(1),
            tracks: Duration::from_secs(1),
            pictures: Duration::from_secs(1),
            events: Duration::from_secs(1),
            max_size: None,
        },
        health: ([127, 0, 0, 1], 0).into(),
        cameras: Vec::new(),
        rules: Vec::new(),
        hash: "c0".into(),
    }
}

fn open(path: &Path, at: Stamp, clock: &Arc<dyn Clock>) -> (Writer, LogbookSender) {
    let start = StartEntry {
        at,
        version: "0.1.0".into(),
        config_hash: "c0".into(),
        model_hash: "f0".into(),
        mode: "run",
        time_zone: "Europe/Amsterdam".into(),
    };
    Writer::open(path, &start, WriterOptions::new(clock.clone())).unwrap()
}

/// Signal `number`, opened at `at`, with its alert.
pub(crate) fn alert_entry(site: &Site, number: u128, at: Stamp) -> Entry {
    let event = SignalEvent {
        signal: SignalId(uuid::Uuid::from_u128(number)),
        phase: Phase::Opened,
        at,
        since: at,
        camera: CameraId::new("quay-east").unwrap(),
        rule: RuleId::new("night-passage").unwrap(),
        rule_name: "Night passage".into(),
        kind: "presence",
        place: PlaceId::new("inner-basin").unwrap(),
        place_name: "Inner basin".into(),
        severity: Severity::Alert,
        vessel: Some(VesselId(number as u64)),
        bbox: BBox::new(0.1, 0.2, 0.3, 0.4),
        facts: Facts {
            condition: "a vessel is in Inner basin for 1s".into(),
            measured: 1.0,
            threshold: 1.0,
            margin: 0.0,
            unit: "s",
            schedule: "always".into(),
        },
        text: format!("vessel {number} entered Inner basin"),
        alert: true,
    };
    let alert = havenwacht::alerts::payload::alert(&event, site, "Quay east", Some(vec![0xFF; 50_000]));
    Entry::Signal(SignalEntry { event, alert: Some(alert) })
}

/// A TCP proxy between the relay and the broker. Dropping it cuts the relay off; the broker and its subscribers stay.
struct Proxy {
    cut: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    fn start(from: u16, to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", from)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let stop = cut.clone();
        let thread = std::thread::spawn(move || {
            let mut streams = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                if let Ok((near, _)) = listener.accept() {
                    near.set_nonblocking(false).unwrap();
                    let far = TcpStream::connect(("127.0.0.1", to)).unwrap();
                    for (from, to) in [(&near, &far), (&far, &near)] {
                        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                    }
                    streams.extend([near, far]);
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            streams.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        });
        Self { cut, thread: Some(thread) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn publish(site: &Site, client_id: &str, messages: Vec<MqttMessage>) {
    alerts::publish(MqttSettings::new(&site.broker, client_id), messages, Duration::from_secs(10)).unwrap();
}

/// A subscriber whose subscription is in force.
fn subscribed(port: u16, site: &Site) -> StaffClient {
    let mut staff = StaffClient::new(port, &site.id, "staff").unwrap();
    assert!(staff.subscribe(Duration::from_secs(10)), "the broker accepts the subscription");
    staff
}

fn waiting(path: &Path) -> u64 {
    Outbox::open(path).unwrap().depth().unwrap().alerts
}

#[test]
fn alerts_arrive_in_order_and_marked_historical_after_an_outage() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (free_port().unwrap(), free_port().unwrap());
    let site = site(near);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let path = folder.path().join("logbook.sqlite");
    let (writer, logbook) = open(&path, clock.now(), &clock);
    let broker = start_broker(folder.path(), far).unwrap();
    let mut staff = subscribed(far, &site);

    let runtime = Runtime::new().unwrap();
    let relay = Relay::start(&runtime, &site, &writer, clock.clone(), sync_channel(8).0, || ());
    let earlier = clock.now();
    let earlier = Stamp { wall: earlier.wall - Duration::from_secs(120), ..earlier };
    for number in 1..=30 {
        logbook.send(alert_entry(&site, number, earlier)).unwrap();
    }
    wait_until(LIMIT, "the relay has tried", || relay.stats().last_error().is_some());
    writer.flush(Duration::from_secs(10)).unwrap();
    assert_eq!(waiting(&path), 30);

    let mut received: Vec<serde_json::Map<String, serde_json::Value>> = Vec::new();
    let mut pictures = 0;
    let mut receive_to = |received: &mut Vec<_>, last: u64| {
        wait_until(LIMIT, "alerts arrive", || {
            let Some(message) = staff.next(Duration::from_millis(50)) else { return false };
            let topic: Topic = message.topic.parse().unwrap();
            pictures += usize::from(matches!(topic.kind, TopicKind::Picture { .. }));
            received.extend(message.alert());
            received.last().is_some_and(|alert: &serde_json::Map<_, _>| alert["seq"] == last)
        });
    };
    let proxy = Proxy::start(near, far);
    receive_to(&mut received, 30);
    assert!(received.iter().all(|alert| alert["historical"] == true), "{received:?}");
    wait_until(LIMIT, "all delivered", || waiting(&path) == 0);

    // The connection is cut while alerts are in flight, and comes back.
    for number in 31..=60 {
        logbook.send(alert_entry(&site, number, clock.now())).unwrap();
    }
    receive_to(&mut received, 35);
    drop(proxy);
    let proxy = Proxy::start(near, far);
    receive_to(&mut received, 60);
    let order: Vec<_> = received.iter().map(|alert| alert["seq"].as_u64().unwrap()).collect();
    assert_eq!(order, (1..=60).collect::<Vec<_>>());
    assert!(pictures >= 60);
    assert_eq!(received[59]["historical"], false);

    wait_until(LIMIT, "all delivered", || waiting(&path) == 0);
    // The last alert may have been sent before the cut: then the relay still has to connect.
    wait_until(LIMIT, "connected again", || relay.stats().connected.load(Ordering::Relaxed));
    assert!(runtime.block_on(relay.stop(Duration::from_secs(5))), "`offline` was sent");
    writer.close(clock.now().wall, Duration::from_secs(10)).unwrap();
    drop((proxy, broker));
}

#[test]
fn a_broker_that_was_killed_receives_every_alert() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().unwrap();
    let site = site(port);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let path = folder.path().join("logbook.sqlite");
    let (writer, logbook) = open(&path, clock.now(), &clock);
    let mut broker = start_broker(folder.path(), port).unwrap();
    let runtime = Runtime::new().unwrap();
    let relay = Relay::start(&runtime, &site, &writer, clock.clone(), sync_channel(8).0, || ());
    wait_until(LIMIT, "connected", || relay.stats().connected.load(Ordering::Relaxed));
    broker.kill();
    for number in 1..=20 {
        logbook.send(alert_entry(&site, number, clock.now())).unwrap();
    }
    writer.flush(Duration::from_secs(10)).unwrap();
    wait_until(LIMIT, "the loss is noticed", || relay.stats().last_error().is_some());
    assert_eq!(waiting(&path), 20);
    let broker = start_broker(folder.path(), port).unwrap();
    wait_until(LIMIT, "all delivered", || waiting(&path) == 0);
    assert_eq!(relay.stats().delivered.load(Ordering::Relaxed), 20);
    assert!(runtime.block_on(relay.stop(Duration::from_secs(5))), "`offline` was sent");
    drop(broker);
}

#[test]
fn only_valid_acknowledgements_reach_logbook_and_rules() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().unwrap();
    let site = site(port);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let path = folder.path().join("logbook.sqlite");
    let (writer, logbook) = open(&path, clock.now(), &clock);
    let broker = start_broker(folder.path(), port).unwrap();
    for number in 1..=3 {
        logbook.send(alert_entry(&site, number, clock.now())).unwrap();
    }
    writer.flush(Duration::from_secs(10)).unwrap();
    let deadline = Duration::from_secs(5);
    let acknowledge = |number: u128, verdict| {
        let acknowledgement = Acknowledgement {
            signal: SignalId(uuid::Uuid::from_u128(number)),
            at: clock.now().wall,
            by: "desk 2".into(),
            verdict,
            note: String::new(),
        };
        alerts::acknowledge(&site.broker, &site.id, &acknowledgement, deadline)
    };
    // A mistake that the broker keeps for every subscriber.
    let topic = Topic::new(&site.id, TopicKind::Acknowledge);
    let kept = MqttMessage { retain: true, ..MqttMessage::new(&topic, vec![b'x'; 10_000_000]) };
    publish(&site, "desk", vec![kept]);
    let runtime = Runtime::new().unwrap();
    let start_relay = || {
        let (sender, acknowledged) = sync_channel(8);
        (Relay::start(&runtime, &site, &writer, clock.clone(), sender, || ()), acknowledged)
    };
    let (relay, acknowledged) = start_relay();
    // The first one is sent until the subscription is in force; the logbook stores it once.
    wait_until(LIMIT, "the first acknowledgement arrives", || {
        acknowledge(1, StaffVerdict::Acknowledged).unwrap();
        acknowledged.recv_timeout(Duration::from_millis(200)).is_ok_and(|signal| signal.0.as_u128() == 1)
    });
    while acknowledged.recv_timeout(Duration::from_millis(500)) != Err(RecvTimeoutError::Timeout) {}

    // Nonsense, with a message larger than a session receives: it may end that session, and delays no alert.
    let unknown =
        br#"{"signal_id": "00000000-0000-0000-0000-000000000099", "by": "x", "verdict": "acknowledged"}"#;
    let nonsense = [b"OK".to_vec(), unknown.to_vec(), vec![b'x'; 100_000]];
    publish(&site, "desk", nonsense.into_iter().map(|payload| MqttMessage::new(&topic, payload)).collect());
    wait_until(LIMIT, "the next acknowledgement arrives", || {
        acknowledge(2, StaffVerdict::FalseAlarm).unwrap();
        let arrived = acknowledged.recv_timeout(Duration::from_millis(200));
        assert!(arrived.is_err() || arrived.is_ok_and(|signal| signal.0.as_u128() == 2), "{arrived:?}");
        arrived.is_ok()
    });
    assert_eq!(relay.stats().failures.load(Ordering::Relaxed), 0, "the alerts' session continues");

    // The broker keeps an acknowledgement that is sent while the relay is stopped.
    assert!(runtime.block_on(relay.stop(deadline)), "`offline` was sent");
    acknowledge(3, StaffVerdict::Acknowledged).unwrap();
    assert_eq!(acknowledged.try_recv().ok(), None);
    let (relay, acknowledged) = start_relay();
    assert_eq!(acknowledged.recv_timeout(Duration::from_secs(20)).unwrap().0.as_u128(), 3);

    writer.flush(Duration::from_secs(10)).unwrap();
    let mut verdicts = Vec::new();
    let verdict_of = |row: &[String]| {
        verdicts.push(row[16].clone());
        Ok(())
    };
    Reader::open(&path).unwrap().export(Listing::Signals, &Filter::default(), verdict_of).unwrap().unwrap();
    assert_eq!(verdicts[1..], ["acknowledged by desk 2", "false alarm by desk 2", "acknowledged by desk 2"]);
    assert_eq!(writer.stats().rejected.load(Ordering::Relaxed), 0);
    // The receiver has its own session; the alerts' session may begin later.
    wait_until(LIMIT, "connected", || relay.stats().connected.load(Ordering::Relaxed));
    assert!(runtime.block_on(relay.stop(deadline)), "`offline` was sent");
    drop(broker);
    let error = acknowledge(1, StaffVerdict::Acknowledged).unwrap_err().to_string();
    assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
}
