//! Tests of what retention promises: nothing goes without a receipt, what lasts stays, nobody waits long.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use super::retention::{Removal, Removed, STRETCH};
use super::store::Store;
use super::testing::*;
use super::*;
use crate::camera_state::{CameraChange, CameraState};
use crate::clock::{Clock, MonoTime, SimulatedClock, Stamp};
use crate::config::Retention;
use crate::rules::{Phase, SuppressionReason, VisitEnd, VisitStep};
use crate::track::TrackState;

const DAY: Duration = Duration::from_secs(86_400);

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    (folder, path)
}

/// A night: `looks` looks with two detections each, and everything else twice, the first of each over and done with.
pub(super) fn night(path: &Path, looks: u32) {
    let (writer, sender) = open(path);
    for number in 0..looks {
        let seen = vec![vessel_at(1.0, Some(7)), vessel_at(500.0, None)];
        sender.send(look(f64::from(number) * 0.25, seen, vec![])).unwrap();
    }
    for vessel in [7, 8, 9] {
        let state = if vessel == 8 { TrackState::Confirmed } else { TrackState::Ended };
        sender
            .send(look(1000.0, vec![vessel_at(1.0, Some(vessel))], vec![track(vessel, state, 1000.0)]))
            .unwrap();
    }
    for number in 1..=2u32 {
        let Entry::Signal(mut raised) = told(number.into(), f64::from(number)) else { unreachable!() };
        raised.alert.as_mut().unwrap().picture = Some(vec![7; 30_000]);
        sender.send(Entry::Signal(raised)).unwrap();
        let answered = Acknowledgement {
            signal: event(number.into(), Phase::Opened, 0.0).signal,
            at: at(20.0).wall,
            by: "desk 2".into(),
            verdict: StaffVerdict::Acknowledged,
            note: String::new(),
        };
        sender.send(Entry::Acknowledged(answered)).unwrap();
        sender.send(Entry::Visit(visit(number.into(), VisitStep::Began, 10.0))).unwrap();
        let state = [CameraState::Stalled, CameraState::Streaming][number as usize - 1];
        let change = CameraChange {
            camera: camera(),
            at: at(f64::from(number)),
            state,
            reason: String::new(),
            retries: 0,
        };
        sender.send(Entry::Camera(change)).unwrap();
    }
    sender.send(step(1, Phase::Closed, 30.0)).unwrap();
    let note = DeliveryNote { seq: 1, at: at(3.0).wall, attempts: 1, outcome: Outcome::Delivered };
    sender.send(Entry::Delivery(note)).unwrap();
    sender.send(Entry::Suppressed(silence(SuppressionReason::Cooldown, 5.0, 3))).unwrap();
    let mut left = visit(1, VisitStep::Ended, 50.0);
    left.visit.ended = Some((at(50.0).wall, VisitEnd::Departed));
    sender.send(Entry::Visit(left)).unwrap();
    writer.flush(SOON).unwrap();
    let connection = Connection::open(path).unwrap();
    let chain = super::chain::Chain::resume(&connection, None).unwrap();
    connection
        .execute_batch(&format!(
            "INSERT INTO blind_spell (id, start, camera, cause, began, began_offset, unit, text, ended, ended_offset, ended_by)
             VALUES ('a', 1, 1, 'fog', {0}, 8, '', '', NULL, NULL, NULL), ('b', 1, 1, 'fog', {0}, 8, '', '', NULL, NULL, NULL);
             UPDATE camera_outage SET ended = {0}, ended_offset = 8, ended_by = 'seen', end_seq = 1 WHERE seq = 1;
             INSERT INTO clock_reading (start, at, utc_offset, boot, boot_ms, stepped_ms, reason)
             VALUES (1, {0}, 8, '', 0, 0, 'start');",
            at(1.0).wall.as_millisecond()
        ))
        .unwrap();
    chain.extend(&connection).unwrap();
    // Left open, as after a crash: signal 2, track 8, visit 2 and the second blind spell last.
    drop((writer, sender));
    let lock = std::fs::File::open(path.with_extension("sqlite.lock")).unwrap();
    lock.lock().unwrap();
}

/// A removal at work on a logbook, `days` after the night.
struct Work {
    store: Store,
    removal: Removal,
    clock: SimulatedClock,
}

impl Work {
    fn on(path: &Path, kept: Retention, days: u32) -> Self {
        let now = at(0.0).wall + jiff::SignedDuration::from_hours(24 * i64::from(days));
        let clock = SimulatedClock::new(now);
        let store = Store::open(path, &StartEntry { at: clock.now(), ..start() }, None).unwrap();
        let removal = Removal::new(kept, clock.mono());
        clock.advance(Duration::from_secs(2));
        Self { store, removal, clock }
    }

    /// A pass, to its end.
    fn pass(&mut self) -> Removed {
        self.removal.step(&mut self.store, &self.clock).unwrap()
    }
}

fn receipts(path: &Path) -> Vec<String> {
    column(
        path,
        "SELECT act || ' ' || kind || ' ' || ids || ' ' || rows || ' ' || state FROM v_receipts ORDER BY id",
    )
}

fn sound(path: &Path) {
    let checkup = super::checkup::check_rows(path, |_| ()).unwrap();
    assert_eq!(checkup.faults, [""; 0]);
}

#[test]
fn every_kind_goes_with_its_age_and_leaves_a_receipt_and_what_lasts_stays() {
    let (_folder, path) = fresh();
    night(&path, 300);
    // A start closes signals and tracks that were open; these were opened by that start, so they last.
    let mut work = Work::on(&path, kept(DAY, 10 * DAY), 11);
    work.store
        .connection
        .execute_batch(
            "UPDATE signal SET closed = NULL, closed_offset = NULL, closed_by = NULL WHERE seq = 2;
             UPDATE track SET state = 'open' WHERE vessel = 8;",
        )
        .unwrap();
    let undelivered = "SELECT count(*) FROM alert WHERE delivered IS NULL";
    assert_eq!(work.pass(), Removed { looks: 303, events: 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 });
    assert_eq!(
        receipts(&path),
        [
            "age look 1-303 303 gone",
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
            "age blind_spell 1 1 gone",
            "age clock_reading 1 1 gone",
        ]
    );
    assert_eq!(
        column(&path, "SELECT why FROM receipt WHERE kind = 'look'"),
        ["older than 1d; 603 detections with them"]
    );
    assert_eq!(column(&path, undelivered), ["1"]);
    for (lasts, ids) in [
        ("SELECT id FROM look", vec![]),
        ("SELECT vessel FROM track ORDER BY 1", vec!["8", "9"]),
        ("SELECT seq FROM signal", vec!["2"]),
        ("SELECT seq FROM visit", vec!["2"]),
        ("SELECT seq FROM blind_spell", vec!["2"]),
        ("SELECT state FROM camera_state", vec!["streaming"]),
    ] {
        assert_eq!(column(&path, lasts), ids, "{lasts}");
    }
    sound(&path);
    // Nothing more to do: not another receipt, however often it is asked.
    let before = receipts(&path);
    for _ in 0..3 {
        work.clock.advance(Duration::from_secs(4000));
        assert_eq!(work.pass(), Removed::default());
    }
    assert_eq!(receipts(&path), before);
}

#[test]
fn pictures_and_tracks_are_kept_as_long_as_is_asked_for_them() {
    let (_folder, path) = fresh();
    night(&path, 3);
    let kept = Retention { tracks: 100 * DAY, pictures: 2 * DAY, ..kept(DAY, 10 * DAY) };
    Connection::open(&path).unwrap().execute("UPDATE alert SET picture_digest = x'ab'", []).unwrap();
    let mut work = Work::on(&path, kept, 3);
    work.pass();
    assert_eq!(receipts(&path), ["age look 1-6 6 gone", "age picture 1 1 gone"]);
    assert_eq!(
        column(
            &path,
            "SELECT seq || ifnull(length(picture), ' gone, ') || hex(picture_digest) FROM alert ORDER BY seq"
        ),
        ["1 gone, AB", "230000AB"]
    );
}

#[test]
fn a_removal_is_written_down_before_the_first_row_goes_and_carried_on_after_a_crash() {
    let (_folder, path) = fresh();
    night(&path, 3000);
    let all = column(&path, "SELECT count(*) FROM look")[0].clone();
    // A clock that lets a stretch be one step: cut off between any two of them.
    let slow = SlowClock::new(STRETCH);
    let mut begun = None;
    for crashes in 0.. {
        let mut store = Store::open(&path, &StartEntry { at: slow.now(), ..start() }, None).unwrap();
        // Keeping everything does not take back what was promised.
        let age = if begun.is_none() { DAY } else { 1000 * DAY };
        let mut removal = Removal::new(kept(age, 1000 * DAY), MonoTime::from_boot(Duration::ZERO));
        for _step in 0..10_000 {
            removal.step(&mut store, &slow).unwrap();
            if begun.is_some() || column(&path, "SELECT count(*) FROM receipt") == ["1"] {
                break;
            }
        }
        let open = column(&path, "SELECT count(*) FROM receipt WHERE done IS NULL");
        let looks = column(&path, "SELECT count(*) FROM look");
        if begun.is_none() && open == ["1"] {
            begun = Some(crashes);
            assert_eq!(looks[0], all, "the receipt was there before the first row went");
            assert_eq!(column(&path, "SELECT ids || ' ' || rows FROM receipt"), ["1-3003 3003"]);
        }
        sound(&path);
        if let Some(begun) = begun
            && open == ["0"]
        {
            assert!(crashes > begun + 3, "it took several lives");
            break;
        }
        assert!(crashes < 200, "{open:?} {looks:?} {:?}", receipts(&path));
    }
    assert_eq!(column(&path, "SELECT count(*) FROM look"), ["0"]);
    assert_eq!(column(&path, "SELECT count(*) FROM detection"), ["0"]);
    assert_eq!(column(&path, "SELECT count(*) FROM receipt"), ["1"]);
}

#[test]
fn detections_that_are_sealed_go_by_whole_seals_and_the_seal_stays() {
    let (_folder, path) = fresh();
    night(&path, 300);
    let seal = |first: u32, last: u32| {
        Connection::open(&path)
            .unwrap()
            .execute(
                "INSERT INTO seal (start, at, utc_offset, first_look, last_look, looks, detections, digest)
                 VALUES (1, 0, 0, ?1, ?2, 0, 0, x'00')",
                [first, last],
            )
            .unwrap();
    };
    Connection::open(&path).unwrap().execute("DELETE FROM seal", []).unwrap();
    // Old are the first 241 looks: those of the first minute. The third seal ends beyond.
    seal(51, 150);
    seal(151, 200);
    seal(201, 280);
    let mut work = Work::on(&path, kept(DAY, 1000 * DAY), 1);
    work.clock.set(Stamp { mono: work.clock.mono(), wall: at(60.0).wall + DAY });
    work.pass();
    assert_eq!(receipts(&path), ["age look 1-200 200 gone"]);
    assert_eq!(column(&path, "SELECT why FROM receipt"), ["older than 1d; 400 detections with them"]);
    assert_eq!(column(&path, "SELECT count(*) FROM seal"), ["4"]);
    work.clock.advance(2 * DAY);
    work.pass();
    assert_eq!(
        receipts(&path)[1],
        "age look 201-303 103 gone",
        "a start seals what the one before left unsealed"
    );
    sound(&path);
}

#[test]
fn a_logbook_that_is_too_large_gives_up_detections_then_pictures_then_events_of_more_than_30_days() {
    let (_folder, path) = fresh();
    night(&path, 4000);
    let used = || {
        column(&path, "PRAGMA page_count")[0].parse::<u64>().unwrap() * 4096
            - column(&path, "PRAGMA freelist_count")[0].parse::<u64>().unwrap() * 4096
    };
    let whole = used();
    let kept = |bytes| Retention { max_size: Some(bytes), ..kept(1000 * DAY, 1000 * DAY) };
    // A little too large: the oldest looks are enough.
    let mut work = Work::on(&path, kept(whole - 100_000), 20);
    work.pass();
    assert_eq!(column(&path, "SELECT act || kind FROM receipt"), ["sizelook"]);
    let left: u32 = column(&path, "SELECT count(*) FROM look")[0].parse().unwrap();
    assert!((500..3500).contains(&left), "{left}");
    assert!(used() <= whole - 60_000, "{} of {whole}", used());
    drop(work);
    // Nothing is small enough: all looks, the delivered picture; of events nothing, they are of this month.
    let mut work = Work::on(&path, kept(1), 20);
    work.pass();
    assert_eq!(column(&path, "SELECT kind FROM receipt"), ["look", "look", "picture"]);
    assert_eq!(column(&path, "SELECT count(*) FROM look"), ["0"]);
    drop(work);
    let mut work = Work::on(&path, kept(1), 31);
    work.pass();
    assert_eq!(
        column(&path, "SELECT count(*) FROM signal UNION ALL SELECT count(*) FROM visit"),
        ["1", "1"],
        "the one that lasts, each"
    );
    assert_eq!(column(&path, "SELECT count(*) FROM alert"), ["1"], "the undelivered one");
    sound(&path);
}

#[test]
fn an_answer_to_a_signal_that_is_going_is_refused_and_does_not_go_unreceipted() {
    let (_folder, path) = fresh();
    night(&path, 3);
    let ids = super::ranges::Ranges::from_iter([1]);
    let mut store = Store::open(&path, &start(), None).unwrap();
    let receipt =
        super::receipts::Receipt { act: super::receipts::Act::Age, kind: "signal", ids: &ids, why: "a test" };
    store
        .note(|connection, zone, start| {
            super::receipts::write(connection, zone, start, at(0.0).wall, &receipt)
        })
        .unwrap();
    drop(store);
    let (writer, sender) = open(&path);
    for number in 1..=2 {
        let signal = event(number, Phase::Opened, 0.0).signal;
        let (by, note) = ("desk 3".into(), "late".into());
        let verdict = StaffVerdict::FalseAlarm;
        sender
            .send(Entry::Acknowledged(Acknowledgement { signal, at: at(90.0).wall, by, verdict, note }))
            .unwrap();
    }
    writer.flush(SOON).unwrap();
    assert_eq!(writer.stats().refused.load(Ordering::Relaxed), 1);
    assert_eq!(column(&path, "SELECT signal FROM acknowledgement WHERE by = 'desk 3'"), ["2"]);
}

/// Every question for the time takes time: deterministic, however busy the machine is.
struct SlowClock {
    each: Duration,
    asked: AtomicU64,
}

impl SlowClock {
    fn new(each: Duration) -> Self {
        Self { each, asked: AtomicU64::new(0) }
    }
}

impl Clock for SlowClock {
    fn mono(&self) -> MonoTime {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        MonoTime::from_boot(Duration::from_secs(10) + self.each * u32::try_from(asked).unwrap())
    }

    fn now(&self) -> Stamp {
        let wall: Timestamp = at(0.0).wall + 30 * DAY;
        Stamp { mono: self.mono(), wall }
    }
}

#[test]
fn a_stretch_of_removal_ends_before_another_step_would_make_commits_wait_longer_than_stated() {
    for each_ms in [1, 2, 3, 20] {
        let (_folder, path) = fresh();
        night(&path, 3000);
        let clock = SlowClock::new(Duration::from_millis(each_ms));
        let mut store = Store::open(&path, &StartEntry { at: at(0.0), ..start() }, None).unwrap();
        let mut removal = Removal::new(kept(DAY, DAY), MonoTime::from_boot(Duration::ZERO));
        let (mut stretches, mut longest) = (0, Duration::ZERO);
        while column(&path, "SELECT count(*) FROM signal") == ["2"] {
            let begun = clock.mono();
            removal.step(&mut store, &clock).unwrap();
            longest = longest.max(clock.mono().since(begun));
            stretches += 1;
            // Over the pause.
            clock.asked.fetch_add(1 + 1500 / each_ms, Ordering::Relaxed);
            assert!(stretches < 2000);
        }
        // A step asks for the time five times at most; twice more is asked around the stretch. 20 ms: one step at a time.
        let bound = STRETCH.max(5 * clock.each) + 2 * clock.each;
        assert!(longest <= bound, "{longest:?} with {:?} a question", clock.each);
        assert!(stretches > 1);
    }
}

/// The figure that the documentation states, on this machine.
#[test]
#[expect(clippy::print_stderr, reason = "the figure is for the reader of the test run")]
fn commits_wait_for_removal_no_longer_than_stated() {
    let (_folder, path) = fresh();
    night(&path, 40_000);
    let (mut options, clock) = options_at(NIGHT);
    options.clock = std::sync::Arc::new(crate::clock::SystemClock::starting_at(clock.now().wall + 20 * DAY));
    options.retention = Some(kept(DAY, 10 * DAY));
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    let stats = writer.stats();
    for number in 0..400 {
        // A look every quarter of a second and a half of removal.
        sender.send(look(2_000_000.0 + f64::from(number), vec![vessel_at(1.0, None)], vec![])).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        if stats.removed_looks.load(Ordering::Relaxed) >= 40_000 {
            break;
        }
    }
    writer.flush(SOON).unwrap();
    let removed = stats.removed_looks.load(Ordering::Relaxed);
    let longest = Duration::from_micros(stats.longest_removal_micros.load(Ordering::Relaxed));
    eprintln!("{removed} looks removed, a commit waited {longest:?} at most");
    assert!(removed > 1000, "{removed}");
    // The machine of a test may be busy with others; the stretch itself is held to its length above.
    assert!(longest < 4 * STRETCH, "{longest:?}");
}
