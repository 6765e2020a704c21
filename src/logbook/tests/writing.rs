//! Tests of writing, and of what readers find.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use test_support::wait_until;

use super::{fresh, hash};
use crate::camera_state::{CameraChange, CameraState};
use crate::logbook::testing::*;
use crate::logbook::*;
use crate::rules::Phase;
use crate::track::TrackState;

pub(super) fn now() -> jiff::Timestamp {
    BEGIN.parse().unwrap()
}

#[test]
fn flushed_entries_survive_a_cut_off() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    assert_eq!((writer.start(), writer.next_vessel()), (1, 1));
    sender
        .send(pass(1.0, vec![vessel_at(100.0, Some(7))], vec![track(7, TrackState::Confirmed, 1.0)]))
        .unwrap();
    sender.send(notified_signal(1, 1.5)).unwrap();
    writer.flush(SOON).unwrap();
    drop((writer, sender));
    wait_for_writer(&path);

    let (writer, _sender) = open(&path);
    assert_eq!((writer.start(), writer.next_vessel()), (2, 8), "vessel numbers continue");
    assert_eq!(
        column(&path, "SELECT ending FROM v_starts ORDER BY start"),
        ["cut off", "running or cut off"]
    );
    assert_eq!(column(&path, "SELECT vessel FROM v_detections"), ["7"]);
    assert_eq!(column(&path, "SELECT state FROM v_tracks"), ["cut"]);
    assert_eq!(column(&path, "SELECT closed_by FROM v_signals"), ["restart"]);
    assert_eq!(column(&path, "SELECT phase FROM signal_step ORDER BY id"), ["opened", "closed"]);
    assert_eq!(column(&path, "SELECT delivery FROM v_alerts"), ["waiting"]);
}

#[test]
fn a_closed_logbook_is_marked_as_stopped() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    sender.send(notified_signal(1, 1.0)).unwrap();
    sender.send(signal_step(1, Phase::Closed, 9.0)).unwrap();
    writer.close(at(10.0).wall, SOON).unwrap();
    assert!(sender.send(notified_signal(2, 2.0)).is_err(), "a closed logbook takes no entry");
    let (writer, _sender) = open(&path);
    assert_eq!(column(&path, "SELECT ending FROM v_starts WHERE start = 1"), ["stopped"]);
    assert_eq!(column(&path, "SELECT closed_by FROM v_signals"), ["rule"]);
    assert_eq!(writer.next_vessel(), 8, "the number of a vessel that only a signal names is not reused");
}

#[test]
fn a_logbook_has_one_writer() {
    let (_folder, path) = fresh();
    let (_writer, _sender) = open(&path);
    let second = Writer::open(&path, &start(), options());
    assert!(matches!(second.err().unwrap(), LogbookError::InUse { .. }));
}

#[test]
fn a_newer_logbook_is_rejected_unchanged() {
    let (_folder, path) = fresh();
    open(&path).0.close(now(), SOON).unwrap();
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = hash(&path);
    let error = Writer::open(&path, &start(), options()).err().unwrap();
    assert!(matches!(error, LogbookError::Newer { found: 99, .. }), "{error}");
    assert!(Outbox::open(&path).is_err());
    assert_eq!(hash(&path), before);
}

#[test]
fn a_foreign_file_is_rejected_unchanged() {
    let (folder, path) = fresh();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE shopping (item TEXT)").unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "buy milk\n".repeat(200)).unwrap();
    for file in [path, text] {
        let before = hash(&file);
        let error = Writer::open(&file, &start(), options()).err().unwrap();
        assert!(matches!(error, LogbookError::Foreign { .. }), "{error}");
        assert_eq!(hash(&file), before);
    }
}

#[test]
fn a_damaged_logbook_is_rejected_unchanged() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    for second in 0..200 {
        sender.send(pass(f64::from(second), vec![vessel_at(100.0, Some(7)); 20], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    drop((writer, sender));
    wait_for_writer(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() > 20 * 4096, "{}", bytes.len());
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xA5);
    std::fs::write(&path, bytes).unwrap();
    let before = hash(&path);
    let error = Writer::open(&path, &start(), options()).err().unwrap();
    assert!(matches!(error, LogbookError::Damaged { .. }), "{error}");
    assert_eq!(hash(&path), before);
}

/// The writer's thread ends soon after its last sender. Then its lock is free.
pub(super) fn wait_for_writer(path: &Path) {
    let lock = std::fs::File::open(path.with_extension("sqlite.lock")).unwrap();
    lock.lock().unwrap();
}

#[test]
fn the_file_has_its_settings() {
    let (_folder, path) = fresh();
    let (_writer, _sender) = open(&path);
    assert_eq!(column(&path, "PRAGMA journal_mode"), ["wal"]);
    assert_eq!(column(&path, "PRAGMA auto_vacuum"), ["2"]);
    assert_eq!(column(&path, "PRAGMA application_id"), [schema::APPLICATION_ID.to_string()]);
    assert_eq!(column(&path, "PRAGMA user_version"), ["4"]);
    assert_eq!(
        column(
            &path,
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite%'"
        ),
        [""; 0]
    );
}

#[test]
fn entries_keep_their_order() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    for number in 1..=1500u32 {
        let entry = match number % 5 {
            0 => notified_signal(u128::from(number), f64::from(number)),
            _ => pass(f64::from(number), vec![vessel_at(number as f32, None)], vec![]),
        };
        sender.send(entry).unwrap();
    }
    writer.flush(SOON).unwrap();
    let seconds = "SELECT (at - (SELECT at FROM start)) / 1000 AS second FROM";
    let alerts = column(&path, &format!("{seconds} alert ORDER BY seq"));
    assert_eq!(alerts, (1..=300).map(|n| (n * 5).to_string()).collect::<Vec<_>>());
    let passes: Vec<u32> =
        column(&path, &format!("{seconds} pass ORDER BY id")).iter().map(|s| s.parse().unwrap()).collect();
    assert_eq!(passes.len(), 1200);
    assert!(passes.is_sorted());
    assert_eq!(*writer.outbox().borrow(), 300);
    let stats = writer.stats();
    assert_eq!(stats.entries.load(Ordering::Relaxed), 1500);
    assert_eq!(stats.waiting.load(Ordering::Relaxed), 0);
    assert!(stats.commits.load(Ordering::Relaxed) < 700, "commits are shared");
}

#[test]
fn a_wake_up_finds_the_alert_committed() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    let outbox = Outbox::open(&path).unwrap();
    let mut woken = writer.outbox();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for number in 1..=20u32 {
        sender.send(notified_signal(u128::from(number), f64::from(number))).unwrap();
        runtime.block_on(async { tokio::time::timeout(SOON, woken.changed()).await.unwrap().unwrap() });
        let rows = outbox.undelivered(i64::from(number) - 1, 10).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].seq, i64::from(number));
    }
    assert_eq!(outbox.depth().unwrap(), OutboxDepth { alerts: 20, oldest: Some(at(1.0).wall) });
}

#[test]
fn alert_and_signal_are_written_together() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    sender.send(notified_signal(1, 1.0)).unwrap();
    // The same signal again, with another alert: neither can be written.
    let Entry::Signal(mut again) = notified_signal(2, 2.0) else { unreachable!() };
    again.event.signal = event(1, Phase::Opened, 2.0).signal;
    sender.send(Entry::Signal(again)).unwrap();
    // The same alert with another signal.
    let Entry::Signal(mut twice) = notified_signal(3, 3.0) else { unreachable!() };
    twice.alert.as_mut().unwrap().id = uuid::Uuid::from_u128(1 << 64);
    sender.send(Entry::Signal(twice)).unwrap();
    sender.send(notified_signal(4, 4.0)).unwrap();
    sender.send(signal_step(5, Phase::Closed, 5.0)).unwrap();
    writer.flush(SOON).unwrap();
    assert_eq!(column(&path, "SELECT id FROM signal").len(), 2);
    assert_eq!(column(&path, "SELECT count(*) FROM alert JOIN signal ON signal.seq = alert.signal"), ["2"]);
    assert_eq!(column(&path, "SELECT count(*) FROM signal_step"), ["2"]);
    assert_eq!(writer.stats().rejected.load(Ordering::Relaxed), 3);
}

#[test]
fn an_unsendable_alert_does_not_block_others() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    let Entry::Signal(mut large) = notified_signal(1, 1.0) else { unreachable!() };
    large.alert.as_mut().unwrap().picture = Some(vec![0; MAX_PICTURE_BYTES + 1]);
    sender.send(Entry::Signal(large)).unwrap();
    sender.send(notified_signal(2, 2.0)).unwrap();
    writer.flush(SOON).unwrap();
    assert_eq!(column(&path, "SELECT notified FROM signal ORDER BY seq"), ["0", "1"]);
    assert_eq!(column(&path, "SELECT count(*) FROM alert"), ["1"]);
    assert_eq!(writer.stats().rejected.load(Ordering::Relaxed), 1);
}

#[test]
fn entries_wait_for_room_on_a_full_disk() {
    let (_folder, path) = fresh();
    let options = options();
    let page_limit = options.page_limit.clone();
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    sender.send(notified_signal(1, 1.0)).unwrap();
    writer.flush(SOON).unwrap();
    page_limit.store(column(&path, "PRAGMA page_count")[0].parse().unwrap(), Ordering::Relaxed);
    let stats = writer.stats();
    let feeder = std::thread::spawn(move || {
        // More than batch and channel hold: the sender must wait too.
        for number in 2..=2500u32 {
            sender.send(notified_signal(u128::from(number), f64::from(number))).unwrap();
        }
    });
    let until = std::time::Duration::from_millis(5);
    while stats.failed_commits.load(Ordering::Relaxed) < 3 || !stats.degraded.load(Ordering::Relaxed) {
        std::thread::sleep(until);
    }
    assert!(!feeder.is_finished());
    assert!(stats.last_error().unwrap().contains("full"), "{:?}", stats.last_error());
    assert!(matches!(writer.flush(Duration::from_millis(50)), Err(LogbookError::Late { .. })));
    page_limit.store(0, Ordering::Relaxed);
    feeder.join().unwrap();
    writer.flush(SOON).unwrap();
    assert!(!stats.degraded.load(Ordering::Relaxed));
    let numbers: Vec<u32> = column(&path, "SELECT payload ->> 'number' FROM alert ORDER BY seq")
        .iter()
        .map(|n| n.parse().unwrap())
        .collect();
    assert_eq!(numbers, (1..=2500).collect::<Vec<_>>());
    assert_eq!(column(&path, "SELECT count(*) FROM signal"), ["2500"]);
}

#[test]
fn local_time_is_right_when_clocks_change() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    let moments =
        ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"];
    for (number, wall) in (1..).zip(moments) {
        let Entry::Signal(mut signal) = notified_signal(number, 0.0) else { unreachable!() };
        signal.event.at.wall = wall.parse().unwrap();
        let Entry::Pass(mut seen) = pass(0.0, vec![vessel_at(1.0, None)], vec![]) else { unreachable!() };
        seen.at.wall = signal.event.at.wall;
        let change = CameraChange {
            camera: camera(),
            at: signal.event.at,
            state: CameraState::Stalled,
            reason: "no picture for 5 s".into(),
            retries: 0,
        };
        sender.send(Entry::Pass(seen)).unwrap();
        sender.send(Entry::Signal(signal)).unwrap();
        sender.send(Entry::CameraState(change)).unwrap();
    }
    writer.flush(SOON).unwrap();
    let local = [
        "2026-03-29 01:59:59 +01:00",
        "2026-03-29 03:00:00 +02:00",
        "2026-10-25 02:30:00 +02:00",
        "2026-10-25 02:30:00 +01:00",
    ];
    assert_eq!(column(&path, "SELECT local_time FROM v_detections ORDER BY detection"), local);
    assert_eq!(column(&path, "SELECT opened FROM v_signals ORDER BY seq"), local);
    assert_eq!(column(&path, "SELECT local_time FROM v_alerts ORDER BY seq"), local);
    assert_eq!(column(&path, "SELECT local_time FROM v_camera_state ORDER BY id"), local);
    assert_eq!(
        column(&path, "SELECT utc FROM v_camera_state ORDER BY id LIMIT 1"),
        ["2026-03-29T00:59:59.000Z"]
    );
}

#[test]
fn common_questions_use_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    drop(Writer::open(&path, &start(), options()).unwrap());
    for question in [
        "SELECT * FROM v_signals WHERE opened_utc >= '2026-06-01' ORDER BY opened_utc",
        "SELECT * FROM v_paths WHERE vessel = 7",
    ] {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {question}")).unwrap();
        let steps = plan.query_map([], |row| row.get::<_, String>("detail")).unwrap();
        let steps: Vec<_> = steps.map(Result::unwrap).collect();
        assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{question}: {steps:#?}");
    }
}

#[test]
fn the_row_of_a_track_is_kept_up_to_date() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    for (second, state) in
        [(2.0, TrackState::Confirmed), (3.0, TrackState::Confirmed), (14.0, TrackState::Confirmed)]
    {
        sender.send(pass(second, vec![vessel_at(1.0, Some(7))], vec![track(7, state, second)])).unwrap();
    }
    writer.flush(SOON).unwrap();
    let row = "SELECT state || ' ' || last_seen || ' ' || detections FROM v_tracks";
    assert_eq!(column(&path, row), ["open 2026-06-01 22:13:14 +02:00 3"]);
    let mut ended = track(7, TrackState::Ended, 16.0);
    ended.hits = 41;
    sender.send(pass(30.0, vec![], vec![ended])).unwrap();
    writer.flush(SOON).unwrap();
    assert_eq!(column(&path, row), ["ended 2026-06-01 22:13:16 +02:00 41"]);
    assert_eq!(column(&path, "SELECT first_seen FROM v_tracks"), ["2026-06-01 22:13:00 +02:00"]);
}

#[test]
fn old_rows_are_removed_but_undelivered_alerts_stay() {
    let (_folder, path) = fresh();
    let (mut options, clock) = options_at(BEGIN);
    let day = Duration::from_secs(86_400);
    options.retention = Some(retention(day, 10 * day));
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    for second in 0..400 {
        sender.send(pass(f64::from(second), vec![vessel_at(1.0, Some(7))], vec![])).unwrap();
    }
    sender
        .send(pass(400.0, vec![vessel_at(1.0, Some(7))], vec![track(7, TrackState::Ended, 400.0)]))
        .unwrap();
    sender
        .send(pass(700.0, vec![vessel_at(1.0, Some(8))], vec![track(8, TrackState::Ended, 700.0)]))
        .unwrap();
    for number in 1..=2 {
        sender.send(notified_signal(number, 1.0)).unwrap();
        sender.send(signal_step(number, Phase::Closed, 9.0)).unwrap();
    }
    let note = DeliveryNote { seq: 1, at: at(2.0).wall, attempts: 1, outcome: DeliveryOutcome::Delivered };
    sender.send(Entry::Delivery(note)).unwrap();
    writer.flush(SOON).unwrap();
    clock.advance(2 * day);
    let stats = writer.stats();
    wait_until(SOON, "rows are removed", || stats.removed_passes.load(Ordering::Relaxed) == 402);
    assert_eq!(column(&path, "SELECT count(*) FROM detection"), ["0"]);
    wait_until(SOON, "tracks are removed", || column(&path, "SELECT vessel FROM track") == ["8"]);
    assert_eq!(column(&path, "SELECT count(*) FROM alert"), ["2"]);
    clock.advance(20 * day);
    wait_until(SOON, "signals are removed", || column(&path, "SELECT count(*) FROM signal") == ["1"]);
    assert_eq!(column(&path, "SELECT seq FROM alert"), ["2"]);
    writer.close(now(), SOON).unwrap();
    let (writer, _sender) = open(&path);
    assert_eq!(writer.next_vessel(), 9, "a number is not reused, even when its rows are removed");
    assert_eq!(check_integrity(&path, |_| ()).unwrap().faults, [""; 0], "the chain verifies too");
}

/// Four passes a second with three vessels, as at a busy quay.
#[test]
#[expect(clippy::print_stderr, reason = "the figure is for the reader of the test run")]
fn a_detection_takes_few_bytes() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    let (passes, vessels) = (4_000u32, 3u32);
    for number in 0..passes {
        let seen =
            (0..vessels).map(|v| vessel_at(100.0 + (v * 500) as f32, Some(u64::from(v) + 1200))).collect();
        sender.send(pass(f64::from(number) * 0.25, seen, vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    let spent = writer.stats().commit_micros.load(Ordering::Relaxed) / u64::from(passes);
    writer.close(now(), SOON).unwrap();
    let bytes = std::fs::metadata(&path).unwrap().len();
    let empty = {
        let (_folder, path) = fresh();
        open(&path).0.close(now(), SOON).unwrap();
        std::fs::metadata(&path).unwrap().len()
    };
    let each = (bytes - empty) as f64 / f64::from(passes * vessels);
    let day = each * 86_400.0 * 4.0 * f64::from(vessels) / 1e6;
    eprintln!(
        "{each:.1} bytes for each detection, its share of the pass included: {day:.0} MB a day and camera; {spent} us for each pass"
    );
    assert!(each < 45.0, "{each:.1} bytes for each detection");
}
