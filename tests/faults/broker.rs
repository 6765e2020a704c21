//! Brokers that stop, freeze, forget, or acknowledge out of order; and alerts that no broker accepts.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use havenwacht::alerts::StaffClient;
use havenwacht::cli::demo::programs::{self, Program};
use havenwacht::logbook::{Entry, MAX_PAYLOAD_BYTES, MAX_PICTURE_BYTES};
use nix::sys::signal::Signal;
use test_support::{now, wait_for, wait_until};

use crate::alert_source::{self, AlertSource};
use crate::process::{Memory, is_alone};
use crate::scripted_broker::{Behaviour, ScriptedBroker};
use crate::system::TestSystem;
use crate::{Row, is_long, rounds};

/// Alerts in flight at once: a broken session repeats no more.
const WINDOW: usize = 8;

/// The relay's deadline for an acknowledgement and one housekeeping step.
const NO_REPLY_NOTICED: Duration = Duration::from_secs(7);

/// Receives alerts while `wanted` holds of the ids that arrived, in their order.
fn receive(staff: &mut StaffClient, ids: &mut Vec<String>, mut wanted: impl FnMut(&[String]) -> bool) {
    while wanted(ids) {
        if let Some(alert) = staff.next(Duration::from_millis(50)).and_then(|message| message.alert()) {
            ids.push(alert["alert_id"].as_str().expect("an alert has an id").to_owned());
        }
    }
}

/// A real broker that keeps its sessions on disk: after a restart it still delivers what staff missed.
fn persistent_broker(work: &Path, port: u16) -> Program {
    let folder = work.display();
    let settings = format!(
        "persistence true\npersistence_location {folder}/\nuser root\nmax_queued_messages 0\nallow_anonymous true\n"
    );
    mosquitto_with(work, port, &settings)
}

/// A real broker with these settings, when it answers.
pub(crate) fn mosquitto_with(work: &Path, port: u16, settings: &str) -> Program {
    let config = work.join("settings.conf");
    std::fs::write(&config, format!("listener {port} 127.0.0.1\n{settings}")).unwrap();
    let args = ["-c".to_owned(), config.display().to_string()];
    let broker =
        Program::start("broker", &programs::mosquitto().unwrap(), &args, &work.join("broker.log")).unwrap();
    wait_for(Duration::from_secs(10), "the broker answers", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    broker
}

#[test]
fn alerts_arrive_in_order_after_a_broker_outage() {
    let outage = if is_long() { Duration::from_secs(600) } else { Duration::from_secs(6) };
    let every = Duration::from_millis(if is_long() { 200 } else { 15 });
    let port = programs::free_port().unwrap();
    let mut source = AlertSource::new(port);
    let mut broker = persistent_broker(source.folder.path(), port);
    let mut staff = StaffClient::new(port, &source.site.id, "harbour-staff").unwrap();
    assert!(staff.subscribe(Duration::from_secs(5)), "the broker accepts the subscription");
    let stats = source.start_relay();
    source.raise_many(20);
    let mut received = Vec::new();
    receive(&mut staff, &mut received, |received| received.len() < 20);

    assert!(broker.stop(Duration::from_secs(5)), "the broker stops in order");
    let gone = now();
    let mut noticed = None;
    while gone.elapsed() < outage {
        source.raise(None);
        std::thread::sleep(every);
        noticed = noticed.or_else(|| (!stats.connected.load(Relaxed)).then(|| gone.elapsed()));
    }
    source.raise_many(0);
    let all = source.ids();
    let waiting = all.len() - received.len();

    let _broker = persistent_broker(source.folder.path(), port);
    let back = now();
    wait_until(Duration::from_secs(20), "the first alert", || stats.delivered.load(Relaxed) > 20);
    let first = back.elapsed();
    wait_until(Duration::from_secs(60), "the backlog is delivered", || {
        source.count("delivered is null") == 0
    });
    let a_second = waiting as f64 / (back.elapsed() - first).as_secs_f64();
    receive(&mut staff, &mut received, |received| {
        received.len() < all.len() && back.elapsed() < Duration::from_secs(60)
    });

    let distinct: BTreeSet<_> = received.iter().collect();
    let lost = all.iter().filter(|id| !distinct.contains(id)).count();
    let places: Vec<_> =
        received.iter().map(|id| all.iter().position(|other| other == id).unwrap()).collect();
    let out_of_order = places.windows(2).filter(|pair| pair[0] > pair[1]).count();
    Row::new(12, "broker stopped and started again", waiting)
        .lost(lost)
        .repeated(staff.repeats(), WINDOW)
        .detected(noticed.unwrap(), Duration::from_secs(1))
        .recovered(first, Duration::from_secs(5))
        .at_most("out of order", out_of_order as f64, "", 0.0)
        .at_least("drained", a_second, "a second", 50.0)
        .record();
}

#[test]
fn the_daemon_loses_no_alert_in_a_broker_outage() {
    let mut system = TestSystem::new(&["inner-harbour"]);
    let mut staff = system.listener();
    system.start_daemon();
    let mut received = Vec::new();
    let began = now();
    receive(&mut staff, &mut received, |received| {
        received.is_empty() && began.elapsed() < Duration::from_secs(30)
    });
    assert!(!received.is_empty(), "alerts arrive before the fault");

    system.broker.take().unwrap().kill();
    let (_, noticed) = wait_for(Duration::from_secs(10), "the daemon notices", || {
        system.health().filter(|health| !health.alerts.connected)
    });
    // The test needs alerts that are raised while the broker is stopped.
    wait_for(Duration::from_secs(60), "alerts wait", || {
        system.health().map(|health| health.alerts.undelivered).filter(|&waiting| waiting >= 1)
    });

    system.restart_broker();
    let (_, drained) = wait_for(Duration::from_secs(20), "the backlog is delivered", || {
        system.health().filter(|health| health.alerts.undelivered == 0 && health.alerts.connected)
    });
    system.daemon.as_mut().unwrap().stop(Duration::from_secs(10));

    // The broker forgot the staff client's session, so that client may have missed alerts sent before it subscribed again.
    // The logbook says what the broker acknowledged, and that must be all.
    let alerts = system.alerts();
    let lost = alerts.values().filter(|delivered| !**delivered).count();
    assert!(received.iter().all(|id| alerts.contains_key(id)), "every alert has a row");
    Row::new(12, "broker killed under the whole daemon", 1)
        .lost(lost)
        .detected(noticed, Duration::from_secs(1))
        .recovered(drained, Duration::from_secs(8))
        .record();
}

/// Relays twenty alerts to a broker that follows `script`. Returns lost alerts, repeats, sessions, longest gap.
fn relay_to(script: &[Behaviour]) -> (usize, usize, usize, Duration) {
    let broker = ScriptedBroker::start(script);
    let mut source = AlertSource::new(broker.port);
    source.raise_many(20);
    source.start_relay();
    wait_until(Duration::from_secs(60), "every alert is acknowledged", || {
        source.count("delivered is not null") == 20
    });
    let log = broker.log();
    let acknowledged = log.acknowledged_ids();
    let ids = source.ids();
    let lost = ids.iter().filter(|id| !acknowledged.contains(*id)).count();
    let repeats = log.alerts().count() - ids.len();
    (lost, repeats, log.connects.len(), log.longest_gap)
}

#[test]
fn a_forgetful_or_disorderly_broker_costs_no_alert() {
    use Behaviour::{Acknowledge, AllButFirst, CloseAfter, Reverse};
    let scripts: [&[Behaviour]; 4] = [
        &[CloseAfter(10), Acknowledge],
        &[Reverse { after: 6, last: 3 }, Acknowledge],
        &[AllButFirst, Acknowledge],
        &[CloseAfter(3), Reverse { after: 8, last: 4 }, CloseAfter(1), Acknowledge],
    ];
    let rounds = rounds(1, 25);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = scripts
            .iter()
            .map(|script| scope.spawn(move || (0..rounds).map(|_| relay_to(script)).collect::<Vec<_>>()))
            .collect();
        all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let lost = outcomes.iter().map(|(lost, ..)| lost).sum();
    let repeats =
        outcomes.iter().map(|(_, repeats, sessions, _)| repeats.div_ceil(sessions - 1)).max().unwrap();
    let longest = outcomes.iter().map(|(.., gap)| *gap).max().unwrap();
    Row::new(13, "broker forgets, acknowledges out of order, disconnects", outcomes.len())
        .lost(lost)
        .repeated(repeats, WINDOW)
        .recovered(longest, Duration::from_secs(10))
        .record();
}

#[test]
fn a_frozen_broker_is_noticed_and_delivers_nothing() {
    if !is_alone("broker::a_frozen_broker_is_noticed_and_delivers_nothing") {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let port = programs::free_port().unwrap();
    let broker = programs::start_broker(work.path(), port).unwrap();
    let mut source = AlertSource::new(port);
    let stats = source.start_relay();
    source.raise_many(5);
    wait_until(Duration::from_secs(10), "alerts are delivered", || stats.delivered.load(Relaxed) == 5);

    broker.signal(Signal::SIGSTOP).unwrap();
    source.raise_many(200);
    let noticed = wait_until(Duration::from_secs(20), "the relay notices", || !stats.connected.load(Relaxed));
    // The relay tries more sessions: the kernel accepts their connections although the broker is frozen.
    let mut memory = Memory::new();
    let frozen = now();
    while frozen.elapsed() < Duration::from_secs(if is_long() { 300 } else { 2 }) {
        memory.sample();
        std::thread::sleep(Duration::from_millis(100));
    }
    let without_confirmation = source.count("delivered is not null") - 5;
    broker.signal(Signal::SIGCONT).unwrap();
    let back = wait_until(Duration::from_secs(30), "the backlog is delivered", || {
        source.count("delivered is null") == 0
    });
    let row = Row::new(14, "broker freezes, socket open", 1)
        .lost(205 - source.count("delivered is not null") as usize)
        .detected(noticed, NO_REPLY_NOTICED)
        .recovered(back, Duration::from_secs(12))
        .at_most("delivered without acknowledgement", without_confirmation as f64, "", 0.0);
    memory.into_row(row).record();
}

#[test]
fn a_silent_broker_holds_at_most_one_window() {
    let sessions = rounds(2, 40);
    let broker =
        ScriptedBroker::start(&[vec![Behaviour::Silent; sessions], vec![Behaviour::Acknowledge]].concat());
    let mut source = AlertSource::new(broker.port);
    let stats = source.start_relay();
    source.raise_many(500);
    let noticed =
        wait_until(Duration::from_secs(20), "the relay notices", || stats.failures.load(Relaxed) == 1);
    let delivered_early = source.count("delivered is not null");
    let patience = Duration::from_secs(30 + 12 * sessions as u64);
    wait_until(patience, "every alert is acknowledged", || source.count("delivered is null") == 0);
    let log = broker.log();
    let acknowledged = log.acknowledged_ids();
    Row::new(14, "broker never acknowledges", sessions)
        .lost(source.ids().iter().filter(|id| !acknowledged.contains(*id)).count())
        .detected(noticed, NO_REPLY_NOTICED)
        .recovered(log.longest_gap, Duration::from_secs(12))
        .at_most("delivered without acknowledgement", delivered_early as f64, "", 0.0)
        .at_most("packets not acknowledged at once", log.most_unacknowledged as f64, "", WINDOW as f64)
        .record();
}

#[test]
fn an_oversize_alert_is_rejected_and_delays_no_other() {
    let broker = ScriptedBroker::start(&[Behaviour::Acknowledge]);
    let mut source = AlertSource::new(broker.port);
    let stats = source.start_relay();
    let rounds = rounds(3, 200);
    for _ in 0..rounds {
        // A picture that is too large, a payload that is too large, the largest picture, a text that is hard to encode.
        source.raise(Some(vec![0xFF; MAX_PICTURE_BYTES + 1]));
        let mut long = alert_source::signal_entry(&source.site, 1000, None);
        long.alert.as_mut().unwrap().payload = format!("{{\"text\":\"{}\"}}", "x".repeat(MAX_PAYLOAD_BYTES));
        source.logbook.send(Entry::Signal(long)).unwrap();
        source.raise(Some(vec![0xFF; MAX_PICTURE_BYTES]));
        let mut odd = alert_source::signal_entry(&source.site, 1001, None);
        odd.event.text = "\u{0}\u{1b}[31m\"\\ \u{202e}\u{fffd} Scheveningen\u{301} \u{1f6a2}\n".repeat(40);
        odd.alert = Some(havenwacht::alerts::payload::alert(&odd.event, &source.site, "inner-harbour", None));
        source.logbook.send(Entry::Signal(odd)).unwrap();
        source.raise(None);
    }
    source.raise_many(0);
    let refused = source.writer.stats().rejected.load(Relaxed);
    let patience = Duration::from_secs(20 + rounds as u64);
    wait_until(patience, "all others are delivered", || source.count("delivered is null") == 0);
    let log = broker.log();
    let acknowledged = log.acknowledged_ids();
    let ids = source.ids();
    // An alert with an oversize picture is sent without it. One with an oversize payload is not sent, and is counted.
    assert_eq!((refused, ids.len()), (rounds as u64, 4 * rounds));
    Row::new(15, "oversize or unencodable alert", 5 * rounds)
        .lost(ids.iter().filter(|id| !acknowledged.contains(*id)).count())
        .repeated(log.alerts().count() - ids.len(), 0)
        .at_most("sessions broken", (stats.sessions.load(Relaxed) - 1) as f64, "", 0.0)
        .record();
}
