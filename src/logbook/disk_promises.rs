//! Tests of what is promised when the disk is full, or when somebody reads and does not let go.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;
use test_support::{now, wait_until};

use super::chores::WAL_LONG;
use super::reserve::Reserve;
use super::testing::*;
use super::*;

const DAY: Duration = Duration::from_secs(86_400);

/// How soon the logbook is written again once there is room.
const RECOVERED: Duration = Duration::from_secs(5);

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    (folder, path)
}

fn numbers(path: &Path) -> Vec<u32> {
    let query = "SELECT payload ->> 'number' FROM alert ORDER BY seq";
    column(path, query).iter().map(|number| number.parse().unwrap()).collect()
}

#[test]
fn a_full_disk_with_detections_to_drop_recovers_without_anybody_freeing_space() {
    let (_folder, path) = fresh();
    let mut options = options();
    options.retention = Some(kept(DAY, DAY));
    let page_limit = options.page_limit.clone();
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    for number in 0..12_000u32 {
        sender.send(look(f64::from(number) * 0.25, vec![vessel_at(1.0, Some(7)); 8], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    page_limit.store(column(&path, "PRAGMA page_count")[0].parse().unwrap(), Ordering::Relaxed);
    let begun = now();
    // More than the freed looks of one round are worth.
    for number in 1..=1000u32 {
        sender.send(told(number.into(), f64::from(number))).unwrap();
    }
    writer.flush(SOON).unwrap();
    assert!(begun.elapsed() < RECOVERED, "{:?}", begun.elapsed());
    assert_eq!(numbers(&path), (1..=1000).collect::<Vec<_>>(), "no event was lost");
    let looks: u32 = column(&path, "SELECT count(*) FROM look")[0].parse().unwrap();
    assert!((1000..11_000).contains(&looks), "{looks}");
    assert_eq!(column(&path, "SELECT DISTINCT act || kind FROM receipt"), ["disk fulllook"]);
    let oldest: u32 = column(&path, "SELECT min(id) FROM look")[0].parse().unwrap();
    assert_eq!(oldest, 12_001 - looks, "the oldest went");
    assert!(!writer.stats().degraded.load(Ordering::Relaxed));
    assert_eq!(check(&path, |_| ()).unwrap().faults, [""; 0]);
}

#[test]
fn while_nothing_can_be_written_detections_make_way_for_events_and_whoever_waits_turns() {
    let (_folder, path) = fresh();
    let options = options();
    let page_limit = options.page_limit.clone();
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    writer.flush(SOON).unwrap();
    let full = || page_limit.store(column(&path, "PRAGMA page_count")[0].parse().unwrap(), Ordering::Relaxed);
    let stats = writer.stats();
    let waited = std::sync::atomic::AtomicU32::new(0);
    let turn = || {
        waited.fetch_add(1, Ordering::Relaxed);
    };
    full();
    let mut sent = 0u32;
    let mut see = || {
        sent += 1;
        let seen = vec![vessel_at(1.0, Some(7)), vessel_at(9.0, None)];
        sender.send_turning(look(f64::from(sent) * 0.25, seen, vec![]), turn).unwrap();
    };
    wait_until(SOON, "degraded", || {
        see();
        stats.degraded.load(Ordering::Relaxed)
    });
    (0..3000).for_each(|_| see());
    let given_up = stats.unwritten_detections.load(Ordering::Relaxed);
    assert!(given_up > 0 && waited.load(Ordering::Relaxed) == 0, "{given_up}, nobody waits for detections");
    for number in 1..=500u32 {
        sender.send_turning(told(number.into(), 2000.0), turn).unwrap();
    }
    let waited_by_then = waited.load(Ordering::Relaxed);
    // More than there is room for: the sender waits, turns, and nothing is dropped.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 501..=2500u32 {
                sender.send_turning(told(number.into(), 2000.0), turn).unwrap();
            }
        });
        // Nothing may fail before there is room, or the sender waits for ever.
        for _ in 0..1000 {
            std::thread::sleep(Duration::from_millis(5));
            if waited.load(Ordering::Relaxed) > 3 {
                break;
            }
        }
        page_limit.store(0, Ordering::Relaxed);
    });
    assert!(waited_by_then == 0, "there is room for events");
    assert!(waited.load(Ordering::Relaxed) > 3, "the sender turns");
    writer.flush(SOON).unwrap();
    assert_eq!(numbers(&path), (1..=2500).collect::<Vec<_>>());
    assert_eq!(stats.unwritten_detections.load(Ordering::Relaxed), given_up, "counted once");
    let there: u64 = column(&path, "SELECT count(*) FROM detection")[0].parse().unwrap();
    assert_eq!(there + given_up, 2 * u64::from(sent), "each is there or counted");
    assert_eq!(check(&path, |_| ()).unwrap().faults, [""; 0]);
}

/// A disk of so many megabytes in a mount namespace of this test's own, at which the test of this name runs again.
///
/// `None`: this is the outer run, and the inner one has passed, or this machine does not permit it.
#[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
fn on_a_disk_of(megabytes: u32, test: &str) -> Option<PathBuf> {
    const INNER: &str = "HAVENWACHT_TINY_DISK";
    if let Some(disk) = std::env::var_os(INNER) {
        return Some(disk.into());
    }
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size={megabytes}m tmpfs \"$1\" || exit 99; exec \"$2\" --exact {} --nocapture",
        format!("{}::{test}", module_path!()).trim_start_matches("havenwacht::")
    );
    let ran = std::process::Command::new("timeout")
        .args(["100", "unshare", "--mount", "sh", "-c", &script, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .env(INNER, folder.path())
        .output();
    let permitted = ran.as_ref().is_ok_and(|ran| ran.status.code() != Some(99) && !starved(ran));
    if !permitted {
        eprintln!("SKIPPED {test}: a disk of its own needs `unshare --mount` and root: {ran:?}");
        return None;
    }
    let ran = ran.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    eprintln!(
        "{}",
        said.lines().filter(|line| line.starts_with("full disk:")).collect::<Vec<_>>().join("\n")
    );
    None
}

/// No namespace was to be had.
fn starved(ran: &std::process::Output) -> bool {
    ran.status.code() == Some(1) && String::from_utf8_lossy(&ran.stderr).starts_with("unshare:")
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures are for the reader of the test run")]
fn a_really_full_disk_costs_no_event_and_the_logbook_is_written_again_soon_after_there_is_room() {
    let name = "a_really_full_disk_costs_no_event_and_the_logbook_is_written_again_soon_after_there_is_room";
    let Some(disk) = on_a_disk_of(4, name) else { return };
    let path = disk.join("logbook.sqlite");
    let mut options = options();
    options.retention = Some(kept(DAY, DAY));
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    let stats = writer.stats();
    sender.send(told(1, 1.0)).unwrap();
    writer.flush(SOON).unwrap();
    // There is nothing that may go: no detections, and alerts that nobody has got yet.
    // The file is there before its room is: what is free is counted after both.
    let built = || std::fs::metadata(beside(&path, ".reserve")).is_ok_and(|file| file.len() > 0);
    wait_until(Duration::from_secs(20), "a reserve", built);
    let ballast = disk.join("ballast");
    let fill = |leave: u64| {
        let free = Reserve::of(&path).free().unwrap();
        std::fs::write(&ballast, vec![0; usize::try_from(free - leave).unwrap()]).unwrap();
    };
    fill(8192);
    let feeder = {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for number in 2..=1500u32 {
                let Entry::Signal(mut raised) = told(number.into(), f64::from(number)) else {
                    unreachable!()
                };
                raised.alert.as_mut().unwrap().picture = Some(vec![7; 2000]);
                sender.send(Entry::Signal(raised)).unwrap();
            }
        })
    };
    wait_until(Duration::from_secs(20), "degraded", || stats.degraded.load(Ordering::Relaxed));
    assert!(stats.problems()[0].contains("full"), "{:?}", stats.problems());
    let failed = stats.failed_commits.load(Ordering::Relaxed);
    wait_until(Duration::from_secs(20), "tries", || {
        stats.failed_commits.load(Ordering::Relaxed) > failed + 2
    });
    std::fs::remove_file(&ballast).unwrap();
    let recovered = wait_until(RECOVERED, "written again", || !stats.degraded.load(Ordering::Relaxed));
    // The disk is too small for all of it: make it wider twice, so that the rest fits.
    let wider =
        std::process::Command::new("mount").args(["-o", "remount,size=32m"]).arg(&disk).status().unwrap();
    assert!(wider.success());
    feeder.join().unwrap();
    writer.flush(SOON).unwrap();
    assert_eq!(numbers(&path), (1..=1500).collect::<Vec<_>>());
    wait_until(Duration::from_secs(20), "the reserve is built again", || Reserve::of(&path).is_there());
    assert_eq!(check(&path, |_| ()).unwrap().faults, [""; 0]);
    eprintln!(
        "full disk: 0 of 1500 events lost, written again {:.1} s after there was room",
        recovered.as_secs_f64()
    );
    writer.close(at(9000.0).wall, SOON).unwrap();
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures are for the reader of the test run")]
fn a_really_full_disk_with_detections_recovers_by_itself_and_keeps_its_reserve() {
    let name = "a_really_full_disk_with_detections_recovers_by_itself_and_keeps_its_reserve";
    let Some(disk) = on_a_disk_of(4, name) else { return };
    let path = disk.join("logbook.sqlite");
    let mut options = options();
    options.retention = Some(kept(DAY, DAY));
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    let stats = writer.stats();
    // Detections for three times the disk, an alert after every thousandth look.
    let (mut longest, mut sent) = (Duration::ZERO, 0u32);
    for number in 0..60_000u32 {
        let begun = now();
        sender.send(look(f64::from(number) * 0.25, vec![vessel_at(1.0, Some(7)); 8], vec![])).unwrap();
        if number.is_multiple_of(1000) {
            sent += 1;
            sender.send(told(sent.into(), f64::from(number) * 0.25)).unwrap();
        }
        longest = longest.max(begun.elapsed());
    }
    writer.flush(SOON).unwrap();
    assert_eq!(numbers(&path), (1..=sent).collect::<Vec<_>>());
    assert_eq!(stats.entries.load(Ordering::Relaxed), 60_000 + u64::from(sent));
    assert!(longest < RECOVERED, "the watch waited {longest:?}");
    let gone = stats.removed_looks.load(Ordering::Relaxed);
    let there: u64 = column(&path, "SELECT count(*) FROM look")[0].parse().unwrap();
    assert_eq!(gone + there, 60_000, "every look was written, and went only with a receipt");
    let receipted: u64 =
        column(&path, "SELECT sum(rows) FROM receipt WHERE act = 'disk full'")[0].parse().unwrap();
    assert!(receipted >= gone && gone > 10_000, "{gone} gone, {receipted} receipted");
    wait_until(Duration::from_secs(30), "a reserve again", || Reserve::of(&path).is_there());
    assert_eq!(check(&path, |_| ()).unwrap().faults, [""; 0]);
    eprintln!(
        "full disk: {gone} of 60000 looks dropped, 0 of {sent} events lost, the watch waited {:.2} s at most",
        longest.as_secs_f64()
    );
    writer.close(at(90_000.0).wall, SOON).unwrap();
}

#[test]
fn a_reader_that_does_not_let_go_is_told_and_nothing_is_removed_until_it_does() {
    let (_folder, path) = fresh();
    let (mut options, clock) = options_at(NIGHT);
    options.retention = Some(kept(DAY, 1000 * DAY));
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    for number in 0..100u32 {
        sender.send(look(f64::from(number) * 10.0, vec![vessel_at(1.0, None)], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    let stats = writer.stats();
    // A program of another make that began a transaction and went to lunch.
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM start;").unwrap();
    let held = reader.query_row("SELECT count(*) FROM look", [], |row| row.get::<_, i64>(0)).unwrap();
    let mut number = 0u32;
    while stats.wal_bytes.load(Ordering::Relaxed) <= WAL_LONG {
        number += 1;
        let Entry::Signal(mut raised) = told(number.into(), f64::from(number)) else { unreachable!() };
        raised.alert.as_mut().unwrap().picture = Some(vec![7; MAX_PICTURE_BYTES]);
        sender.send(Entry::Signal(raised)).unwrap();
        writer.flush(SOON).unwrap();
        assert!(number < 200);
    }
    wait_until(SOON, "told", || stats.wal_held.load(Ordering::Relaxed));
    assert!(stats.problems()[0].contains("does not let go"), "{:?}", stats.problems());
    clock.advance(3 * DAY);
    // Many turns, in which removal would have begun.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(stats.removed_looks.load(Ordering::Relaxed), 0);
    assert_eq!(reader.query_row("SELECT count(*) FROM look", [], |row| row.get::<_, i64>(0)).unwrap(), held);
    drop(reader);
    clock.advance(Duration::from_secs(60));
    wait_until(SOON, "folded in", || !stats.wal_held.load(Ordering::Relaxed));
    assert!(stats.wal_bytes.load(Ordering::Relaxed) < 16 << 20);
    assert_eq!(stats.problems(), [""; 0]);
    // The sealed ones: ten minutes of them.
    wait_until(SOON, "removed", || stats.removed_looks.load(Ordering::Relaxed) == 61);
}

#[test]
fn readers_of_ours_let_go_between_rows() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    for number in 0..3000u32 {
        sender.send(look(f64::from(number), vec![vessel_at(1.0, None)], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    let reader = Reader::open(&path).unwrap();
    let mut rows = 0;
    // Whoever reads an export slowly holds the logbook for a page of it at most.
    let mut longest_log = 0;
    let stats = writer.stats();
    reader
        .export(Kind::Detections, &Filter::default(), |_row| {
            rows += 1;
            if rows % 500 == 0 {
                for number in 0..4u32 {
                    let Entry::Signal(mut raised) = told((rows + number).into(), f64::from(number)) else {
                        unreachable!()
                    };
                    raised.alert.as_mut().unwrap().picture = Some(vec![7; MAX_PICTURE_BYTES]);
                    sender.send(Entry::Signal(raised)).unwrap();
                }
                writer.flush(SOON).unwrap();
                longest_log = longest_log.max(stats.wal_bytes.load(Ordering::Relaxed));
            }
            Ok(())
        })
        .unwrap()
        .unwrap();
    assert_eq!(rows, 3001, "header and rows");
    assert!(longest_log < 20 << 20, "{longest_log}");
}
