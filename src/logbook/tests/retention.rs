//! Tests of retention: receipts, and rows that are never removed.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;

use super::fresh;
use super::removal_delay::SlowClock;
use crate::camera_state::{CameraChange, CameraState};
use crate::clock::{Clock, MonoTime, SimulatedClock, Stamp};
use crate::config::Retention;
use crate::logbook::integrity::deletion_receipts::{self, Receipt, RemovalCause};
use crate::logbook::maintain::retention::{LONGEST_DELAY, Removal, Removed};
use crate::logbook::testing::*;
use crate::logbook::write::store::Store;
use crate::logbook::*;
use crate::rules::{Phase, SuppressionReason, VisitEnd, VisitStep};
use crate::track::TrackState;

const DAY: Duration = Duration::from_secs(86_400);

/// A logbook with `passes` passes of two detections each, and two of everything else, of which the first has ended.
pub(super) fn sample_logbook(path: &Path, passes: u32) {
    let (writer, sender) = open(path);
    for number in 0..passes {
        let seen = vec![vessel_at(1.0, Some(7)), vessel_at(500.0, None)];
        sender.send(pass(f64::from(number) * 0.25, seen, vec![])).unwrap();
    }
    for vessel in [7, 8, 9] {
        let state = if vessel == 8 { TrackState::Confirmed } else { TrackState::Ended };
        sender
            .send(pass(1000.0, vec![vessel_at(1.0, Some(vessel))], vec![track(vessel, state, 1000.0)]))
            .unwrap();
    }
    for number in 1..=2u32 {
        let Entry::Signal(mut raised) = notified_signal(number.into(), f64::from(number)) else {
            unreachable!()
        };
        raised.alert.as_mut().unwrap().picture = Some(vec![7; 30_000]);
        sender.send(Entry::Signal(raised)).unwrap();
        let acknowledged = Acknowledgement {
            signal: event(number.into(), Phase::Opened, 0.0).signal,
            at: at(20.0).wall,
            by: "desk 2".into(),
            verdict: StaffVerdict::Acknowledged,
            note: String::new(),
        };
        sender.send(Entry::Acknowledgement(acknowledged)).unwrap();
        sender.send(Entry::Visit(visit(number.into(), VisitStep::Began, 10.0))).unwrap();
        let state = [CameraState::Stalled, CameraState::Streaming][number as usize - 1];
        let change = CameraChange {
            camera: camera(),
            at: at(f64::from(number)),
            state,
            reason: String::new(),
            retries: 0,
        };
        sender.send(Entry::CameraState(change)).unwrap();
    }
    sender.send(signal_step(1, Phase::Closed, 30.0)).unwrap();
    let note = DeliveryNote { seq: 1, at: at(3.0).wall, attempts: 1, outcome: DeliveryOutcome::Delivered };
    sender.send(Entry::Delivery(note)).unwrap();
    sender.send(Entry::Suppressed(suppression(SuppressionReason::Cooldown, 5.0, 3))).unwrap();
    let mut left = visit(1, VisitStep::Ended, 50.0);
    left.visit.ended = Some((at(50.0).wall, VisitEnd::Departed));
    sender.send(Entry::Visit(left)).unwrap();
    writer.flush(SOON).unwrap();
    write_outages_and_clock(path);
    // Cut off: signal 2, track 8, visit 2 and the second outage are open.
    drop((writer, sender));
    let lock = std::fs::File::open(path.with_extension("sqlite.lock")).unwrap();
    lock.lock().unwrap();
}

/// Two outages, of which the first has ended, and a reading of the clocks.
fn write_outages_and_clock(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let chain = integrity::chain::Chain::resume(&connection, None).unwrap();
    connection
        .execute_batch(&format!(
            "INSERT INTO camera_outage (id, start, camera, cause, began, began_offset, unit, text, ended, ended_offset, ended_by)
             VALUES ('a', 1, 1, 'low contrast', {0}, 8, '', '', NULL, NULL, NULL), ('b', 1, 1, 'low contrast', {0}, 8, '', '', NULL, NULL, NULL);
             UPDATE camera_outage SET ended = {0}, ended_offset = 8, ended_by = 'recovered', end_seq = 1 WHERE seq = 1;
             INSERT INTO clock_reading (start, at, utc_offset, boot, boot_ms, stepped_ms, reason)
             VALUES (1, {0}, 8, '', 0, 0, 'start');",
            at(1.0).wall.as_millisecond()
        ))
        .unwrap();
    chain.extend(&connection).unwrap();
}

/// Removal from a logbook, `days` after its rows.
struct RemovalRun {
    store: Store,
    removal: Removal,
    clock: SimulatedClock,
}

impl RemovalRun {
    fn on(path: &Path, retention: Retention, days: u32) -> Self {
        let now = at(0.0).wall + jiff::SignedDuration::from_hours(24 * i64::from(days));
        let clock = SimulatedClock::new(now);
        let store = Store::open(path, &StartEntry { at: clock.now(), ..start() }, None).unwrap();
        let removal = Removal::new(retention, clock.mono());
        clock.advance(Duration::from_secs(2));
        Self { store, removal, clock }
    }

    /// A whole round.
    fn round(&mut self) -> Removed {
        self.removal.step(&mut self.store, &self.clock).unwrap()
    }
}

fn receipts(path: &Path) -> Vec<String> {
    column(
        path,
        "SELECT act || ' ' || kind || ' ' || ids || ' ' || rows || ' ' || state FROM v_receipts ORDER BY id",
    )
}

fn assert_sound(path: &Path) {
    let report = integrity::integrity_check::check_without_chain(path, |_| ()).unwrap();
    assert_eq!(report.faults, [""; 0]);
}

#[test]
fn old_rows_are_removed_with_receipts() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 300);
    // A start closes open signals and tracks: open them again.
    let mut run = RemovalRun::on(&path, retention(DAY, 10 * DAY), 11);
    run.store
        .connection
        .execute_batch(
            "UPDATE signal SET closed = NULL, closed_offset = NULL, closed_by = NULL WHERE seq = 2;
             UPDATE track SET state = 'open' WHERE vessel = 8;",
        )
        .unwrap();
    let undelivered = "SELECT count(*) FROM alert WHERE delivered IS NULL";
    assert_eq!(run.round(), Removed { passes: 303, events: 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 });
    assert_eq!(
        receipts(&path),
        [
            "age pass 1-303 303 gone",
            "age picture 1 1 gone",
            "age track 7 1 gone",
            "age alert 1 1 gone",
            "age signal_step 1,3 2 gone",
            "age acknowledgement 1 1 gone",
            "age signal 1 1 gone",
            "age suppressed 1 1 gone",
            "age visit_step 1,3 2 gone",
            "age visit 1 1 gone",
            "age camera_state 1 1 gone",
            "age camera_outage 1 1 gone",
            "age clock_reading 1 1 gone",
        ]
    );
    assert_eq!(
        column(&path, "SELECT why FROM receipt WHERE kind = 'pass'"),
        ["older than 1d; 603 detections with them"]
    );
    assert_eq!(column(&path, undelivered), ["1"]);
    for (kept, ids) in [
        ("SELECT id FROM pass", vec![]),
        ("SELECT vessel FROM track ORDER BY 1", vec!["8", "9"]),
        ("SELECT seq FROM signal", vec!["2"]),
        ("SELECT seq FROM visit", vec!["2"]),
        ("SELECT seq FROM camera_outage", vec!["2"]),
        ("SELECT state FROM camera_state", vec!["streaming"]),
    ] {
        assert_eq!(column(&path, kept), ids, "{kept}");
    }
    assert_sound(&path);
    // There is nothing more to remove, and no further receipt.
    let before = receipts(&path);
    for _ in 0..3 {
        run.clock.advance(Duration::from_secs(4000));
        assert_eq!(run.round(), Removed::default());
    }
    assert_eq!(receipts(&path), before);
}

#[test]
fn pictures_and_tracks_have_their_own_retention() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 3);
    let kept = Retention { tracks: 100 * DAY, pictures: 2 * DAY, ..retention(DAY, 10 * DAY) };
    Connection::open(&path).unwrap().execute("UPDATE alert SET picture_digest = x'ab'", []).unwrap();
    let mut run = RemovalRun::on(&path, kept, 3);
    run.round();
    assert_eq!(receipts(&path), ["age pass 1-6 6 gone", "age picture 1 1 gone"]);
    assert_eq!(
        column(
            &path,
            "SELECT seq || ifnull(length(picture), ' gone, ') || hex(picture_digest) FROM alert ORDER BY seq"
        ),
        ["1 gone, AB", "230000AB"]
    );
}

#[test]
fn a_receipt_precedes_the_deletion_and_survives_a_crash() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 3000);
    let all = column(&path, "SELECT count(*) FROM pass")[0].clone();
    // With this clock each call does one step: the process is killed between any two.
    let slow = SlowClock::new(LONGEST_DELAY);
    let mut begun = None;
    for crashes in 0.. {
        let mut store = Store::open(&path, &StartEntry { at: slow.now(), ..start() }, None).unwrap();
        // A receipt is carried out even if retention now keeps everything.
        let age = if begun.is_none() { DAY } else { 1000 * DAY };
        let mut removal = Removal::new(retention(age, 1000 * DAY), MonoTime::from_boot(Duration::ZERO));
        for _step in 0..10_000 {
            removal.step(&mut store, &slow).unwrap();
            if begun.is_some() || column(&path, "SELECT count(*) FROM receipt") == ["1"] {
                break;
            }
        }
        let open = column(&path, "SELECT count(*) FROM receipt WHERE done IS NULL");
        let passes = column(&path, "SELECT count(*) FROM pass");
        if begun.is_none() && open == ["1"] {
            begun = Some(crashes);
            assert_eq!(passes[0], all, "the receipt precedes the deletion");
            assert_eq!(column(&path, "SELECT ids || ' ' || rows FROM receipt"), ["1-3003 3003"]);
        }
        assert_sound(&path);
        if let Some(begun) = begun
            && open == ["0"]
        {
            assert!(crashes > begun + 3, "it took several starts");
            break;
        }
        assert!(crashes < 200, "{open:?} {passes:?} {:?}", receipts(&path));
    }
    assert_eq!(column(&path, "SELECT count(*) FROM pass"), ["0"]);
    assert_eq!(column(&path, "SELECT count(*) FROM detection"), ["0"]);
    assert_eq!(column(&path, "SELECT count(*) FROM receipt"), ["1"]);
}

#[test]
fn passes_are_removed_by_whole_seals() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 300);
    let seal = |first: u32, last: u32| {
        Connection::open(&path)
            .unwrap()
            .execute(
                "INSERT INTO seal (start, at, utc_offset, first_pass, last_pass, passes, detections, digest)
                 VALUES (1, 0, 0, ?1, ?2, 0, 0, x'00')",
                [first, last],
            )
            .unwrap();
    };
    Connection::open(&path).unwrap().execute("DELETE FROM seal", []).unwrap();
    // The first 241 passes, of the first minute, are old. The third seal ends later.
    seal(51, 150);
    seal(151, 200);
    seal(201, 280);
    let mut run = RemovalRun::on(&path, retention(DAY, 1000 * DAY), 1);
    run.clock.set(Stamp { mono: run.clock.mono(), wall: at(60.0).wall + DAY });
    run.round();
    assert_eq!(receipts(&path), ["age pass 1-200 200 gone"]);
    assert_eq!(column(&path, "SELECT why FROM receipt"), ["older than 1d; 400 detections with them"]);
    assert_eq!(column(&path, "SELECT count(*) FROM seal"), ["4"]);
    run.clock.advance(2 * DAY);
    run.round();
    assert_eq!(receipts(&path)[1], "age pass 201-303 103 gone", "the next start sealed the rest");
    assert_sound(&path);
}

#[test]
fn a_large_logbook_loses_detections_pictures_old_events() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 4000);
    let used = || {
        column(&path, "PRAGMA page_count")[0].parse::<u64>().unwrap() * 4096
            - column(&path, "PRAGMA freelist_count")[0].parse::<u64>().unwrap() * 4096
    };
    let whole = used();
    let limited = |bytes| Retention { max_size: Some(bytes), ..retention(1000 * DAY, 1000 * DAY) };
    // A little too large: the oldest passes are enough.
    let mut run = RemovalRun::on(&path, limited(whole - 100_000), 20);
    run.round();
    assert_eq!(column(&path, "SELECT act || kind FROM receipt"), ["sizepass"]);
    let left: u32 = column(&path, "SELECT count(*) FROM pass")[0].parse().unwrap();
    assert!((500..3500).contains(&left), "{left}");
    assert!(used() <= whole - 60_000, "{} of {whole}", used());
    drop(run);
    // Far too large: all passes and the delivered picture are removed, but no event of this month.
    let mut run = RemovalRun::on(&path, limited(1), 20);
    run.round();
    assert_eq!(column(&path, "SELECT kind FROM receipt"), ["pass", "pass", "picture"]);
    assert_eq!(column(&path, "SELECT count(*) FROM pass"), ["0"]);
    drop(run);
    let mut run = RemovalRun::on(&path, limited(1), 31);
    run.round();
    assert_eq!(
        column(&path, "SELECT count(*) FROM signal UNION ALL SELECT count(*) FROM visit"),
        ["1", "1"],
        "the open ones"
    );
    assert_eq!(column(&path, "SELECT count(*) FROM alert"), ["1"], "the undelivered one");
    assert_sound(&path);
}

#[test]
fn a_signal_being_removed_takes_no_acknowledgement() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 3);
    let ids = ranges::Ranges::from_iter([1]);
    let mut store = Store::open(&path, &start(), None).unwrap();
    let receipt = Receipt { cause: RemovalCause::Age, kind: "signal", ids: &ids, why: "a test" };
    store.write_events(|context, _seals| deletion_receipts::write(context, at(0.0).wall, &receipt)).unwrap();
    drop(store);
    let (writer, sender) = open(&path);
    for number in 1..=2 {
        let signal = event(number, Phase::Opened, 0.0).signal;
        let (by, note) = ("desk 3".into(), "late".into());
        let verdict = StaffVerdict::FalseAlarm;
        sender
            .send(Entry::Acknowledgement(Acknowledgement { signal, at: at(90.0).wall, by, verdict, note }))
            .unwrap();
    }
    writer.flush(SOON).unwrap();
    assert_eq!(writer.stats().rejected.load(Ordering::Relaxed), 1);
    assert_eq!(column(&path, "SELECT signal FROM acknowledgement WHERE by = 'desk 3'"), ["2"]);
}
