//! A broker that goes away, falls silent, forgets, confirms out of order, and comes back; an alert that no broker takes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use havenwacht::alerts::Listener;
use havenwacht::cli::demo::stage::{self, Program};
use havenwacht::logbook::{Entry, MAX_PAYLOAD_BYTES, MAX_PICTURE_BYTES};
use nix::sys::signal::Signal;
use test_support::{now, wait_for, wait_until};

use crate::desk::{self, Desk};
use crate::peer::{Manner, Peer};
use crate::process::{Memory, is_alone};
use crate::system::TestSystem;
use crate::{Row, is_long, rounds};

/// Alerts on their way at once, as `alerts` promises: a broken session repeats no more.
const WINDOW: usize = 8;

/// The daemon's own deadline for a confirmation, and a turn of its loop.
const SILENCE_NOTICED: Duration = Duration::from_secs(7);

/// Takes in what is heard for as long as `going` says; gives the ids in the order in which they came.
fn hear(listener: &mut Listener, into: &mut Vec<String>, mut going: impl FnMut(&[String]) -> bool) {
    while going(into) {
        if let Some(alert) = listener.next(Duration::from_millis(50)).and_then(|heard| heard.alert()) {
            into.push(alert["alert_id"].as_str().expect("an alert has an id").to_owned());
        }
    }
}

/// A real broker that keeps its sessions on disk, so that what staff missed while it was away reaches them after.
fn keeping_broker(work: &Path, port: u16) -> Program {
    let config = work.join("keeping.conf");
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\nuser root\n\
         max_queued_messages 0\n",
        work.display()
    );
    std::fs::write(&config, text).unwrap();
    let args = ["-c".to_owned(), config.display().to_string()];
    let broker =
        Program::start("broker", &stage::mosquitto().unwrap(), &args, &work.join("broker.log")).unwrap();
    wait_for(Duration::from_secs(10), "the broker answers", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    broker
}

#[test]
fn every_alert_arrives_in_order_after_the_broker_was_away() {
    let away = if is_long() { Duration::from_secs(600) } else { Duration::from_secs(6) };
    let every = Duration::from_millis(if is_long() { 200 } else { 15 });
    let port = stage::free_port().unwrap();
    let mut desk = Desk::new(port);
    let mut broker = keeping_broker(desk.folder.path(), port);
    let mut listener = Listener::new("127.0.0.1", port, "test-harbour", "harbour-staff");
    assert!(listener.subscribe(Duration::from_secs(5)), "the broker takes the subscription");
    let stats = desk.start_relay();
    desk.raise_many(20);
    let mut heard = Vec::new();
    hear(&mut listener, &mut heard, |heard| heard.len() < 20);

    assert!(broker.stop(Duration::from_secs(5)), "the broker stops in order");
    let gone = now();
    let mut noticed = None;
    while gone.elapsed() < away {
        desk.raise(None);
        std::thread::sleep(every);
        noticed = noticed.or_else(|| (!stats.connected.load(Relaxed)).then(|| gone.elapsed()));
    }
    desk.raise_many(0);
    let all = desk.ids();
    let waiting = all.len() - heard.len();

    let _broker = keeping_broker(desk.folder.path(), port);
    let back = now();
    wait_until(Duration::from_secs(20), "the first alert", || stats.delivered.load(Relaxed) > 20);
    let first = back.elapsed();
    wait_until(Duration::from_secs(60), "the backlog is delivered", || desk.count("delivered is null") == 0);
    let a_second = waiting as f64 / (back.elapsed() - first).as_secs_f64();
    hear(&mut listener, &mut heard, |heard| {
        heard.len() < all.len() && back.elapsed() < Duration::from_secs(60)
    });

    let as_heard: BTreeSet<_> = heard.iter().collect();
    let lost = all.iter().filter(|id| !as_heard.contains(id)).count();
    // In the order of the outbox, which is that of each camera.
    let places: Vec<_> = heard.iter().map(|id| all.iter().position(|other| other == id).unwrap()).collect();
    let out_of_order = places.windows(2).filter(|pair| pair[0] > pair[1]).count();
    Row::new(12, "broker stopped and started again", waiting)
        .lost(lost)
        .repeated(listener.repeats(), WINDOW)
        .detected(noticed.unwrap(), Duration::from_secs(1))
        .recovered(first, Duration::from_secs(5))
        .at_most("out of order", out_of_order as f64, "", 0.0)
        .at_least("drained", a_second, "a second", 50.0)
        .record();
}

#[test]
fn no_alert_of_the_daemon_is_lost_while_the_broker_is_away() {
    let mut system = TestSystem::new(&["inner-harbour"]);
    let mut listener = system.listener();
    system.start_daemon();
    let mut heard = Vec::new();
    let began = now();
    hear(&mut listener, &mut heard, |heard| heard.is_empty() && began.elapsed() < Duration::from_secs(30));
    assert!(!heard.is_empty(), "alerts flow before the fault: {heard:?}");

    system.broker.take().unwrap().kill();
    let (_, noticed) = wait_for(Duration::from_secs(10), "the watch notices", || {
        system.health().filter(|health| !health.alerts.connected)
    });
    // Something must happen while the broker is away.
    wait_for(Duration::from_secs(60), "alerts wait", || {
        system.health().map(|health| health.alerts.undelivered).filter(|&waiting| waiting >= 1)
    });

    system.restart_broker();
    let (_, drained) = wait_for(Duration::from_secs(20), "the backlog is delivered", || {
        system.health().filter(|health| health.alerts.undelivered == 0 && health.alerts.connected)
    });
    system.daemon.as_mut().unwrap().stop(Duration::from_secs(10));

    // The broker forgot the listener's session, so what was sent before it subscribed anew it may not have heard; the
    // logbook tells what the broker confirmed, and that must be all.
    let alerts = system.alerts();
    let lost = alerts.values().filter(|delivered| !**delivered).count();
    assert!(heard.iter().all(|id| alerts.contains_key(id)), "an alert without its row");
    Row::new(12, "broker killed under the whole daemon", 1)
        .lost(lost)
        .detected(noticed, Duration::from_secs(1))
        .recovered(drained, Duration::from_secs(8))
        .record();
}

/// One logbook of twenty alerts against a script; gives lost, repeats beyond the first hearing, sessions, longest gap.
fn against(script: &[Manner]) -> (usize, usize, usize, Duration) {
    let peer = Peer::new(script);
    let mut desk = Desk::new(peer.port);
    desk.raise_many(20);
    desk.start_relay();
    wait_until(Duration::from_secs(60), "every alert is confirmed", || {
        desk.count("delivered is not null") == 20
    });
    let log = peer.log.lock().unwrap();
    let ids = desk.ids();
    let lost = ids.iter().filter(|id| !log.confirmed.contains(id)).count();
    let repeats = log.heard.values().map(|times| times - 1).sum();
    (lost, repeats, log.sessions, log.longest_gap)
}

#[test]
fn a_broker_that_forgets_confirms_out_of_order_or_breaks_off_costs_no_alert() {
    use Manner::{AllButFirst, Backwards, Confirms, Forgets};
    let scripts: [&[Manner]; 4] = [
        &[Forgets(10), Confirms],
        &[Backwards(6), Confirms],
        &[AllButFirst, Confirms],
        &[Forgets(3), Backwards(8), Forgets(1), Confirms],
    ];
    let rounds = rounds(1, 25);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = scripts
            .iter()
            .map(|script| scope.spawn(move || (0..rounds).map(|_| against(script)).collect::<Vec<_>>()))
            .collect();
        all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let lost = outcomes.iter().map(|(lost, ..)| lost).sum();
    // Of one broken session.
    let repeats =
        outcomes.iter().map(|(_, repeats, sessions, _)| repeats.div_ceil(sessions - 1)).max().unwrap();
    let longest = outcomes.iter().map(|(.., gap)| *gap).max().unwrap();
    Row::new(13, "broker forgets, confirms out of order, breaks off", outcomes.len())
        .lost(lost)
        .repeated(repeats, WINDOW)
        .recovered(longest, Duration::from_secs(10))
        .record();
}

#[test]
fn a_frozen_broker_is_noticed_and_nothing_is_called_delivered_meanwhile() {
    if !is_alone("broker::a_frozen_broker_is_noticed_and_nothing_is_called_delivered_meanwhile") {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let port = stage::free_port().unwrap();
    let broker = stage::start_broker(work.path(), port).unwrap();
    let mut desk = Desk::new(port);
    let stats = desk.start_relay();
    desk.raise_many(5);
    wait_until(Duration::from_secs(10), "alerts flow", || stats.delivered.load(Relaxed) == 5);

    broker.signal(Signal::SIGSTOP).unwrap();
    desk.raise_many(200);
    let noticed = wait_until(Duration::from_secs(20), "the relay notices", || !stats.connected.load(Relaxed));
    // Time for more sessions to be tried, which the kernel accepts in the broker's place.
    let mut memory = Memory::new();
    let silent = now();
    while silent.elapsed() < Duration::from_secs(if is_long() { 300 } else { 2 }) {
        memory.look();
        std::thread::sleep(Duration::from_millis(100));
    }
    let without_confirmation = desk.count("delivered is not null") - 5;
    broker.signal(Signal::SIGCONT).unwrap();
    let back = wait_until(Duration::from_secs(30), "the backlog is delivered", || {
        desk.count("delivered is null") == 0
    });
    let row = Row::new(14, "broker freezes, socket open", 1)
        .lost(205 - desk.count("delivered is not null") as usize)
        .detected(noticed, SILENCE_NOTICED)
        .recovered(back, Duration::from_secs(12))
        .at_most("delivered without confirmation", without_confirmation as f64, "", 0.0);
    memory.into_row(row).record();
}

#[test]
fn a_broker_that_never_confirms_holds_no_more_than_a_window() {
    let sessions = rounds(2, 40);
    let peer = Peer::new(&[vec![Manner::Silent; sessions], vec![Manner::Confirms]].concat());
    let mut desk = Desk::new(peer.port);
    let stats = desk.start_relay();
    desk.raise_many(500);
    let noticed =
        wait_until(Duration::from_secs(20), "the silence is noticed", || stats.failures.load(Relaxed) == 1);
    let delivered_early = desk.count("delivered is not null");
    let patience = Duration::from_secs(30 + 12 * sessions as u64);
    wait_until(patience, "every alert is confirmed", || desk.count("delivered is null") == 0);
    let log = peer.log.lock().unwrap();
    Row::new(14, "broker never confirms", sessions)
        .lost(desk.ids().iter().filter(|id| !log.confirmed.contains(id)).count())
        .detected(noticed, SILENCE_NOTICED)
        .recovered(log.longest_gap, Duration::from_secs(12))
        .at_most("delivered without confirmation", delivered_early as f64, "", 0.0)
        .at_most("packets unconfirmed at once", log.unconfirmed as f64, "", WINDOW as f64)
        .record();
}

#[test]
fn an_alert_that_cannot_be_sent_is_refused_at_the_door_and_holds_nobody_up() {
    let peer = Peer::new(&[Manner::Confirms]);
    let mut desk = Desk::new(peer.port);
    let stats = desk.start_relay();
    let rounds = rounds(3, 200);
    for _ in 0..rounds {
        // Larger than is taken: the picture; what the message says; as large as is taken; and what is hard to encode.
        desk.raise(Some(vec![0xFF; MAX_PICTURE_BYTES + 1]));
        let mut wordy = desk::told(&desk.site, 1000, None);
        wordy.alert.as_mut().unwrap().payload = format!("{{\"text\":\"{}\"}}", "x".repeat(MAX_PAYLOAD_BYTES));
        desk.logbook.send(Entry::Signal(wordy)).unwrap();
        desk.raise(Some(vec![0xFF; MAX_PICTURE_BYTES]));
        let mut odd = desk::told(&desk.site, 1001, None);
        odd.event.text = "\u{0}\u{1b}[31m\"\\ \u{202e}\u{fffd} Scheveningen\u{301} \u{1f6a2}\n".repeat(40);
        odd.alert = Some(havenwacht::alerts::payload::alert(&odd.event, &desk.site, "inner-harbour", None));
        desk.logbook.send(Entry::Signal(odd)).unwrap();
        desk.raise(None);
    }
    desk.raise_many(0);
    let refused = desk.writer.stats().refused.load(Relaxed);
    let patience = Duration::from_secs(20 + rounds as u64);
    wait_until(patience, "all others are delivered", || desk.count("delivered is null") == 0);
    let log = peer.log.lock().unwrap();
    let ids = desk.ids();
    // What is too large a picture is told without it; what is too long a text cannot be told at all, and is counted.
    assert_eq!((refused, ids.len()), (rounds as u64, 4 * rounds));
    Row::new(15, "oversize or unencodable alert", 5 * rounds)
        .lost(ids.iter().filter(|id| !log.confirmed.contains(id)).count())
        .repeated(log.heard.values().filter(|times| **times > 1).count(), 0)
        .at_most("sessions broken", (stats.sessions.load(Relaxed) - 1) as f64, "", 0.0)
        .record();
}
