//! From the logbook to a real broker and on to a subscriber.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use havenwacht::alerts::{self, Listener, Relay};
use havenwacht::cli::demo::stage::free_port;
use havenwacht::clock::{Clock, Stamp, SystemClock};
use havenwacht::config::{Broker, Model, Retention, Severity, Site};
use havenwacht::geometry::BBox;
use havenwacht::ids::{CameraId, PlaceId, RuleId, SiteId};
use havenwacht::logbook::{
    Acknowledgement, Entry, Filter, Kind, LogbookSender, Outbox, Reader, SignalEntry, StaffVerdict,
    StartEntry, Writer, WriterOptions,
};
use havenwacht::rules::{Facts, Phase, SignalEvent, SignalId};
use havenwacht::track::VesselId;
use jiff::tz::TimeZone;
use rumqttc::{Client, Event, Incoming, MqttOptions, QoS};
use test_support::wait_until;
use tokio::runtime::Runtime;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A private mosquitto on loopback; ended with the test.
struct Mosquitto(Child);

impl Mosquitto {
    fn start(port: u16, folder: &Path) -> Self {
        let config = folder.join("mosquitto.conf");
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n");
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("/usr/sbin/mosquitto");
        command.arg("-c").arg(config).stdout(Stdio::null()).stderr(Stdio::null());
        let broker = Self(command.spawn().expect("Debian package mosquitto"));
        wait_until(LIMIT, "mosquitto listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        broker
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

fn site(port: u16) -> Site {
    Site {
        id: SiteId::new("sample-harbour").unwrap(),
        name: "Sample harbour".into(),
        position: None,
        holidays: Default::default(),
        time_zone: TimeZone::get("Europe/Amsterdam").unwrap(),
        model: Model { manifest: "unused".into(), runtime: "unused".into(), threads: 1 },
        broker: Broker { host: "127.0.0.1".into(), port, login: None },
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

/// The `number`th signal, opened at `at`, with its alert.
fn told(site: &Site, number: u128, at: Stamp) -> Entry {
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

/// The way from the relay to the broker, which can be cut while the broker and its subscribers stay.
struct Way {
    cut: Arc<AtomicBool>,
    keeper: Option<JoinHandle<()>>,
}

impl Way {
    fn open(from: u16, to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", from)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let ends = cut.clone();
        let keeper = std::thread::spawn(move || {
            let mut streams = Vec::new();
            while !ends.load(Ordering::Relaxed) {
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
        Self { cut, keeper: Some(keeper) }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.cut.store(true, Ordering::Relaxed);
        self.keeper.take().unwrap().join().unwrap();
    }
}

/// A subscriber whose subscription is in force: it has heard a message that the broker kept for it.
fn subscribed(port: u16, site: &Site) -> Listener {
    let topic = format!("havenwacht/{}/probe", site.id);
    let (client, mut connection) = Client::new(MqttOptions::new("probe", "127.0.0.1", port), 4);
    client.publish(&topic, QoS::AtLeastOnce, true, "probe").unwrap();
    assert!(connection.iter().any(|event| matches!(event, Ok(Event::Incoming(Incoming::PubAck(_))))));
    let mut staff = Listener::new("127.0.0.1", port, site.id.as_str(), "staff");
    wait_until(LIMIT, "subscribed", || {
        staff.next(Duration::from_millis(50)).is_some_and(|heard| heard.topic == topic)
    });
    staff
}

fn waiting(path: &Path) -> u64 {
    Outbox::open(path).unwrap().depth().unwrap().alerts
}

#[test]
fn alerts_raised_while_the_broker_is_away_arrive_in_order_and_say_that_they_waited() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (free_port().unwrap(), free_port().unwrap());
    let site = site(near);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let path = folder.path().join("logbook.sqlite");
    let (writer, logbook) = open(&path, clock.now(), &clock);
    let broker = Mosquitto::start(far, folder.path());
    let mut staff = subscribed(far, &site);

    let runtime = Runtime::new().unwrap();
    let relay = Relay::start(&runtime, &site, &writer, clock.clone(), sync_channel(8).0, || ());
    let earlier = clock.now();
    let earlier = Stamp { wall: earlier.wall - Duration::from_secs(120), ..earlier };
    for number in 1..=30 {
        logbook.send(told(&site, number, earlier)).unwrap();
    }
    wait_until(LIMIT, "the relay has tried", || relay.stats().last_error().is_some());
    writer.flush(Duration::from_secs(10)).unwrap();
    assert_eq!(waiting(&path), 30);

    let mut heard: Vec<serde_json::Map<String, serde_json::Value>> = Vec::new();
    let mut pictures = 0;
    let mut hear_to = |heard: &mut Vec<_>, last: u64| {
        wait_until(LIMIT, "alerts arrive", || {
            let message = staff.next(Duration::from_millis(50));
            pictures += usize::from(message.as_ref().is_some_and(|m| m.topic.contains("/picture/")));
            heard.extend(message.and_then(|m| m.alert()));
            heard.last().is_some_and(|alert: &serde_json::Map<_, _>| alert["seq"] == last)
        });
    };
    let way = Way::open(near, far);
    hear_to(&mut heard, 30);
    assert!(heard.iter().all(|alert| alert["historical"] == true), "{heard:?}");
    wait_until(LIMIT, "all delivered", || waiting(&path) == 0);

    // The way is cut while alerts are under way, and comes back.
    for number in 31..=60 {
        logbook.send(told(&site, number, clock.now())).unwrap();
    }
    hear_to(&mut heard, 35);
    drop(way);
    let way = Way::open(near, far);
    hear_to(&mut heard, 60);
    let order: Vec<_> = heard.iter().map(|alert| alert["seq"].as_u64().unwrap()).collect();
    assert_eq!(order, (1..=60).collect::<Vec<_>>());
    assert!(pictures >= 60);
    assert_eq!(heard[59]["historical"], false);

    wait_until(LIMIT, "all delivered", || waiting(&path) == 0);
    // The last of them may have left before the way was cut: then the relay is still on its way back.
    wait_until(LIMIT, "connected again", || relay.stats().connected.load(Ordering::Relaxed));
    assert!(runtime.block_on(relay.stop(Duration::from_secs(5))), "the goodbye is out");
    writer.close(clock.now().wall, Duration::from_secs(10)).unwrap();
    drop((way, broker));
}

#[test]
fn a_broker_that_is_killed_and_comes_back_without_memory_is_told_everything() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().unwrap();
    let site = site(port);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let path = folder.path().join("logbook.sqlite");
    let (writer, logbook) = open(&path, clock.now(), &clock);
    let broker = Mosquitto::start(port, folder.path());
    let runtime = Runtime::new().unwrap();
    let relay = Relay::start(&runtime, &site, &writer, clock.clone(), sync_channel(8).0, || ());
    wait_until(LIMIT, "connected", || relay.stats().connected.load(Ordering::Relaxed));
    drop(broker);
    for number in 1..=20 {
        logbook.send(told(&site, number, clock.now())).unwrap();
    }
    writer.flush(Duration::from_secs(10)).unwrap();
    wait_until(LIMIT, "the loss is noticed", || relay.stats().last_error().is_some());
    assert_eq!(waiting(&path), 20);
    let broker = Mosquitto::start(port, folder.path());
    wait_until(LIMIT, "all delivered", || waiting(&path) == 0);
    assert_eq!(relay.stats().delivered.load(Ordering::Relaxed), 20);
    assert!(runtime.block_on(relay.stop(Duration::from_secs(5))), "the goodbye is out");
    drop(broker);
}

/// Sends these to the site's `ack` topic and waits until the broker has them all.
fn say(port: u16, site: &Site, messages: &[Vec<u8>]) {
    let mut options = MqttOptions::new("desk", "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut connection) = Client::new(options, 16);
    for message in messages {
        let topic = format!("havenwacht/{}/ack", site.id);
        client.publish(topic, QoS::AtLeastOnce, false, message.clone()).unwrap();
    }
    let confirmed =
        connection.iter().filter(|event| matches!(event, Ok(Event::Incoming(Incoming::PubAck(_)))));
    assert_eq!(confirmed.take(messages.len()).count(), messages.len());
}

#[test]
fn an_answer_reaches_logbook_and_watch_and_nonsense_reaches_neither() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().unwrap();
    let site = site(port);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let path = folder.path().join("logbook.sqlite");
    let (writer, logbook) = open(&path, clock.now(), &clock);
    let broker = Mosquitto::start(port, folder.path());
    for number in 1..=3 {
        logbook.send(told(&site, number, clock.now())).unwrap();
    }
    writer.flush(Duration::from_secs(10)).unwrap();
    let answer = |number: u128, answer| Acknowledgement {
        signal: SignalId(uuid::Uuid::from_u128(number)),
        at: clock.now().wall,
        by: "desk 2".into(),
        answer,
        note: String::new(),
    };
    let patience = Duration::from_secs(5);
    let runtime = Runtime::new().unwrap();
    let (acknowledge, acknowledged) = sync_channel(8);
    let relay = Relay::start(&runtime, &site, &writer, clock.clone(), acknowledge, || ());
    // The first is sent until the subscription is in force; the logbook keeps it once.
    wait_until(LIMIT, "the first answer arrives", || {
        alerts::answer(&site.broker, &site.id, &answer(1, StaffVerdict::Acknowledged), patience).unwrap();
        acknowledged.recv_timeout(Duration::from_millis(200)).is_ok_and(|signal| signal.0.as_u128() == 1)
    });
    while acknowledged.recv_timeout(Duration::from_millis(500)) != Err(RecvTimeoutError::Timeout) {}

    // Nonsense, among it a message beyond what a session reads: it may cost that session, and no alert.
    let unknown =
        br#"{"signal_id": "00000000-0000-0000-0000-000000000099", "by": "x", "answer": "acknowledged"}"#;
    say(port, &site, &[b"OK".to_vec(), unknown.to_vec(), vec![b'x'; 100_000]]);
    wait_until(LIMIT, "the next answer arrives", || {
        alerts::answer(&site.broker, &site.id, &answer(2, StaffVerdict::FalseAlarm), patience).unwrap();
        let heard = acknowledged.recv_timeout(Duration::from_millis(200));
        assert!(
            heard.is_err() || heard == Ok(answer(2, StaffVerdict::FalseAlarm).signal),
            "{heard:?} was no answer"
        );
        heard.is_ok()
    });
    assert_eq!(relay.stats().failures.load(Ordering::Relaxed), 0, "the alerts' own session went on");

    // Given while the watch is away: the broker keeps it.
    assert!(runtime.block_on(relay.stop(patience)), "the goodbye is out");
    alerts::answer(&site.broker, &site.id, &answer(3, StaffVerdict::Acknowledged), patience).unwrap();
    assert_eq!(acknowledged.try_recv().ok(), None);
    let (acknowledge, acknowledged) = sync_channel(8);
    let relay = Relay::start(&runtime, &site, &writer, clock.clone(), acknowledge, || ());
    assert_eq!(acknowledged.recv_timeout(Duration::from_secs(20)).unwrap().0.as_u128(), 3);

    writer.flush(Duration::from_secs(10)).unwrap();
    let mut answers = Vec::new();
    let answer_of = |row: &[String]| {
        answers.push(row[16].clone());
        Ok(())
    };
    Reader::open(&path).unwrap().export(Kind::Signals, &Filter::default(), answer_of).unwrap().unwrap();
    assert_eq!(
        answers,
        ["answer", "acknowledged by desk 2", "false alarm by desk 2", "acknowledged by desk 2"]
    );
    assert_eq!(writer.stats().refused.load(Ordering::Relaxed), 0);
    // Answers come in a session of their own: that of the alerts, in which the goodbye goes out, may be the later one.
    wait_until(LIMIT, "connected", || relay.stats().connected.load(Ordering::Relaxed));
    assert!(runtime.block_on(relay.stop(patience)), "the goodbye is out");
    drop(broker);
    let away = alerts::answer(&site.broker, &site.id, &answer(1, StaffVerdict::Acknowledged), patience);
    assert!(away.unwrap_err().to_string().contains(&format!("127.0.0.1:{port}")));
}
