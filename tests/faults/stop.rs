//! Stop requests under load: one, and a second.

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;
use test_support::{now, wait_for, wait_until};

use crate::system::TestSystem;
use crate::{Row, rounds};

/// Waits for a signal, so that there is something to lose.
fn busy(system: &TestSystem, patience: Duration) {
    wait_for(patience, "a signal", || {
        system.health().filter(|health| health.cameras.iter().any(|camera| camera.signals > 0))
    });
}

#[test]
fn a_stop_loses_nothing_and_is_prompt() {
    let mut system = TestSystem::new(&["inner-harbour"]);
    let mut listener = system.listener();
    let runs = rounds(1, 20);
    let (mut slowest, mut unclean, mut offline_messages) = (Duration::ZERO, 0, 0);
    let mut received = BTreeSet::new();
    for _ in 0..runs {
        system.start_daemon();
        busy(&system, Duration::from_secs(30));
        let mut daemon = system.daemon.take().unwrap();
        let asked = now();
        unclean += usize::from(!daemon.stop(Duration::from_secs(20)));
        slowest = slowest.max(asked.elapsed());
        // The last status of this start comes after all its alerts.
        let mut offline = false;
        while let Some(message) = listener.next(Duration::from_millis(300)) {
            received.extend(message.alert().map(|alert| alert["alert_id"].as_str().unwrap().to_owned()));
            let online = String::from_utf8_lossy(&message.payload).contains("\"online\"");
            offline = if message.topic.ends_with("/status") { !online } else { offline };
        }
        offline_messages += usize::from(offline);
    }
    let rows = system.alerts();
    let lost = rows.keys().filter(|id| !received.contains(*id)).count()
        + received.iter().filter(|id| !rows.contains_key(*id)).count();
    let logbook = system.open_logbook();
    let count = |query: &str| logbook.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    let open = count("select count(*) from v_signals where closed is null");
    let ended = count("select count(*) from v_starts where ending = 'stopped'");
    assert!(rows.len() >= runs, "there was something to lose: {}", rows.len());
    assert_eq!(
        (unclean, offline_messages, ended),
        (0, runs, runs as i64),
        "exit codes, offline messages, ends in the logbook"
    );
    Row::new(17, "stop under load (SIGTERM)", runs)
        .lost(lost)
        .recovered(slowest, Duration::from_secs(5))
        .at_most("signals left open", open as f64, "", 0.0)
        .record();
}

#[test]
fn a_second_request_stops_at_once() {
    let mut system = TestSystem::small(&["quay-east"], "");
    let runs = rounds(1, 20);
    let mut slowest = Duration::ZERO;
    for _ in 0..runs {
        system.start_daemon();
        system.wait_until_streaming();
        // A frozen broker delays the offline message.
        system.broker.as_ref().unwrap().signal(Signal::SIGSTOP).unwrap();
        let mut daemon = system.daemon.take().unwrap();
        daemon.signal(Signal::SIGTERM).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        let again = now();
        // Fails when it has ended already.
        daemon.signal(Signal::SIGTERM).ok();
        wait_until(Duration::from_secs(20), "the end", || !daemon.is_running());
        slowest = slowest.max(again.elapsed());
        system.broker.as_ref().unwrap().signal(Signal::SIGCONT).unwrap();
    }
    Row::new(17, "second stop request, broker frozen", runs)
        .recovered(slowest, Duration::from_secs(1))
        .record();
}
