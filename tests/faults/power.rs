//! The daemon, and the writer alone, killed at random times, as by a power cut.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use havenwacht::logbook::Entry;
use rusqlite::Connection;
use test_support::{Rng, now};

use crate::system::TestSystem;
use crate::{Row, alert_source, rounds};

#[test]
fn a_killed_daemon_loses_no_alert() {
    let mut system = TestSystem::new(&["inner-harbour"]);
    let mut listener = system.listener();
    let mut received = BTreeSet::new();
    let mut rng = Rng::new(41);
    let kills = rounds(2, 200);
    let mut slowest_start = Duration::ZERO;
    for kill in 0..=kills {
        let began = now();
        system.start_daemon();
        slowest_start = slowest_start.max(began.elapsed());
        let run_for = Duration::from_millis(1500 + rng.below(5000));
        let last = kill == kills;
        let until = if last { Duration::from_secs(15) } else { run_for };
        while began.elapsed() < until {
            if let Some(alert) = listener.next(Duration::from_millis(50)).and_then(|message| message.alert())
            {
                received.insert(alert["alert_id"].as_str().unwrap().to_owned());
            }
            // The last run may end when no alert waits.
            if last && began.elapsed() > run_for && system.health().is_some_and(|h| h.alerts.undelivered == 0)
            {
                break;
            }
        }
        let mut daemon = system.daemon.take().unwrap();
        if last {
            assert!(daemon.stop(Duration::from_secs(15)), "the last run ends in order");
        } else {
            daemon.kill();
            check(&system.ports.logbook);
        }
    }
    while let Some(message) = listener.next(Duration::from_millis(500)) {
        if let Some(alert) = message.alert() {
            received.insert(alert["alert_id"].as_str().unwrap().to_owned());
        }
    }

    let rows = system.alerts();
    let lost = rows.keys().filter(|id| !received.contains(*id)).count();
    let without_row = received.iter().filter(|id| !rows.contains_key(*id)).count();
    assert!(rows.len() > kills, "too few alerts in these runs: {}", rows.len());
    let undelivered: Vec<_> = rows.iter().filter(|(id, _)| !received.contains(*id)).collect();
    println!("alerts that did not arrive, and whether the broker acknowledged them: {undelivered:?}");
    Row::new(8, "daemon killed at random", kills)
        .lost(lost)
        .recovered(slowest_start, Duration::from_secs(20))
        .at_most("alerts without row", without_row as f64, "", 0.0)
        .record();
}

/// Not a test: the process that the next test kills. It writes passes and alerts as fast as the disk permits, and prints each
/// alert that is committed.
#[test]
#[ignore = "a process for the test that kills it"]
fn a_writer_under_load() {
    let folder = std::env::var("HAVENWACHT_VICTIM").expect("the test that kills says where to write");
    let folder = Path::new(&folder);
    let site = alert_source::site(folder, 9);
    let (writer, logbook) = alert_source::open(&folder.join("logbook.sqlite"));
    for number in 0.. {
        (0..20).for_each(|pass| logbook.send(alert_source::pass_entry(number * 20 + pass)).unwrap());
        let entry = alert_source::signal_entry(&site, number, Some(vec![0xA5; 8000]));
        let id = entry.alert.as_ref().unwrap().id;
        logbook.send(Entry::Signal(entry)).unwrap();
        writer.flush(Duration::from_secs(20)).unwrap();
        println!("committed {id}");
    }
}

#[test]
fn a_killed_writer_keeps_what_was_committed() {
    let kills = rounds(12, 200);
    let mut rng = Rng::new(7);
    let mut folder = tempfile::tempdir().unwrap();
    let mut reported = BTreeSet::new();
    let (mut lost, mut committed, mut opened) = (0, 0, Duration::ZERO);
    for kill in 0..kills {
        if kill % 25 == 0 {
            // To check a long logbook takes long.
            folder = tempfile::tempdir().unwrap();
            reported = BTreeSet::new();
        }
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "power::a_writer_under_load", "--ignored", "--nocapture"])
            .env("HAVENWACHT_VICTIM", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pipe = process.stdout.take().unwrap();
        let begun = now();
        let reading = std::thread::spawn(move || {
            let lines = BufReader::new(pipe).lines().map_while(Result::ok);
            let mut first = None;
            let ids: Vec<_> = lines
                .filter_map(|line| {
                    let id = line.strip_prefix("committed ")?.to_owned();
                    first.get_or_insert_with(|| begun.elapsed());
                    // The kill may cut the last line.
                    (id.len() == 36).then_some(id)
                })
                .collect();
            (ids, first)
        });
        // Sometimes before or during the opening.
        std::thread::sleep(Duration::from_millis(20 + rng.below(400)));
        process.kill().unwrap();
        process.wait().unwrap();
        let (ids, first) = reading.join().unwrap();
        opened = opened.max(first.unwrap_or_default());
        committed += ids.len();
        reported.extend(ids);

        let path = folder.path().join("logbook.sqlite");
        if !path.exists() {
            continue;
        }
        check(&path);
        let there: BTreeSet<_> =
            if has_schema(&path) { alert_source::ids(&path).into_iter().collect() } else { BTreeSet::new() };
        lost += reported.difference(&there).count();
    }
    assert!(committed > kills, "too few alerts for a test under load: {committed} in {kills} runs");
    Row::new(8, "writer killed at random under load", kills)
        .lost(lost)
        .recovered(opened, Duration::from_secs(5))
        .at_least("alerts committed", committed as f64, "", kills as f64)
        .record();
}

/// A logbook whose first opening was killed has no tables yet.
fn has_schema(path: &Path) -> bool {
    let logbook = Connection::open(path).unwrap();
    logbook
        .query_row("select count(*) from sqlite_schema where name = 'alert'", [], |row| row.get::<_, i64>(0))
        == Ok(1)
}

/// Checks the file, and that alerts and signals belong together.
fn check(path: &Path) {
    let logbook = Connection::open(path).unwrap();
    let found: String = logbook.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
    if !has_schema(path) {
        return;
    }
    let count = |query: &str| logbook.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    let notified_without_alert = count(
        "select count(*) from signal where notified = 1 and seq not in (select signal from alert where phase = 'opened')",
    );
    assert_eq!(notified_without_alert, 0, "a notified signal without its alert");
    let without_signal = count("select count(*) from alert where signal not in (select seq from signal)");
    assert_eq!(without_signal, 0, "an alert without its signal");
}
