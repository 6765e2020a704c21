//! Tests with a full disk, and with a reader that holds the write-ahead log.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;
use test_support::{now, wait_until};

use super::fresh;
use crate::logbook::maintain::maintenance::WAL_HELD;
use crate::logbook::maintain::reserve::Reserve;
use crate::logbook::testing::*;
use crate::logbook::*;

const DAY: Duration = Duration::from_secs(86_400);

/// How soon the logbook is written again after there is room.
const RECOVERED: Duration = Duration::from_secs(5);

fn numbers(path: &Path) -> Vec<u32> {
    let query = "SELECT payload ->> 'number' FROM alert ORDER BY seq";
    column(path, query).iter().map(|number| number.parse().unwrap()).collect()
}

#[test]
fn a_full_disk_recovers_by_removing_detections() {
    let (_folder, path) = fresh();
    let mut options = options();
    options.retention = Some(retention(DAY, DAY));
    let page_limit = options.page_limit.clone();
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    for number in 0..12_000u32 {
        sender.send(pass(f64::from(number) * 0.25, vec![vessel_at(1.0, Some(7)); 8], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    page_limit.store(column(&path, "PRAGMA page_count")[0].parse().unwrap(), Ordering::Relaxed);
    let begun = now();
    // More than one round of removal frees.
    for number in 1..=1000u32 {
        sender.send(notified_signal(number.into(), f64::from(number))).unwrap();
    }
    writer.flush(SOON).unwrap();
    assert!(begun.elapsed() < RECOVERED, "{:?}", begun.elapsed());
    assert_eq!(numbers(&path), (1..=1000).collect::<Vec<_>>(), "no event was lost");
    let passes: u32 = column(&path, "SELECT count(*) FROM pass")[0].parse().unwrap();
    assert!((1000..11_000).contains(&passes), "{passes}");
    assert_eq!(column(&path, "SELECT DISTINCT act || kind FROM receipt"), ["disk fullpass"]);
    let oldest: u32 = column(&path, "SELECT min(id) FROM pass")[0].parse().unwrap();
    assert_eq!(oldest, 12_001 - passes, "the oldest were removed");
    assert!(!writer.stats().degraded.load(Ordering::Relaxed));
    assert_eq!(check_integrity(&path, |_| ()).unwrap().faults, [""; 0]);
}

#[test]
fn detections_are_dropped_before_events_on_a_full_disk() {
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
        sender.send_with_heartbeat(pass(f64::from(sent) * 0.25, seen, vec![]), turn).unwrap();
    };
    wait_until(SOON, "degraded", || {
        see();
        stats.degraded.load(Ordering::Relaxed)
    });
    (0..3000).for_each(|_| see());
    let given_up = stats.unwritten_detections.load(Ordering::Relaxed);
    assert!(given_up > 0 && waited.load(Ordering::Relaxed) == 0, "{given_up}");
    for number in 1..=500u32 {
        sender.send_with_heartbeat(notified_signal(number.into(), 2000.0), turn).unwrap();
    }
    let waited_by_then = waited.load(Ordering::Relaxed);
    // More than the channel holds: the sender waits, and nothing is dropped.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 501..=2500u32 {
                sender.send_with_heartbeat(notified_signal(number.into(), 2000.0), turn).unwrap();
            }
        });
        // No assertion before there is room, or the sender waits without end.
        for _ in 0..1000 {
            std::thread::sleep(Duration::from_millis(5));
            if waited.load(Ordering::Relaxed) > 3 {
                break;
            }
        }
        page_limit.store(0, Ordering::Relaxed);
    });
    assert!(waited_by_then == 0, "the channel has room for events");
    assert!(waited.load(Ordering::Relaxed) > 3, "the heartbeat is called");
    writer.flush(SOON).unwrap();
    assert_eq!(numbers(&path), (1..=2500).collect::<Vec<_>>());
    assert_eq!(stats.unwritten_detections.load(Ordering::Relaxed), given_up, "counted once");
    let there: u64 = column(&path, "SELECT count(*) FROM detection")[0].parse().unwrap();
    assert_eq!(there + given_up, 2 * u64::from(sent), "each is written or counted");
    assert_eq!(check_integrity(&path, |_| ()).unwrap().faults, [""; 0]);
}

/// A small file system in a mount namespace of its own, in which the test of this name runs again.
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

/// Whether there was no namespace.
fn starved(ran: &std::process::Output) -> bool {
    ran.status.code() == Some(1) && String::from_utf8_lossy(&ran.stderr).starts_with("unshare:")
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures are for the reader of the test run")]
fn a_full_file_system_loses_no_event() {
    let name = "a_full_file_system_loses_no_event";
    let Some(disk) = on_a_disk_of(4, name) else { return };
    let path = disk.join("logbook.sqlite");
    let mut options = options();
    options.retention = Some(retention(DAY, DAY));
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    let stats = writer.stats();
    sender.send(notified_signal(1, 1.0)).unwrap();
    writer.flush(SOON).unwrap();
    // Nothing may be removed: there are no detections, and all alerts are undelivered.
    // The file exists before its space is allocated: wait for both.
    let built = || std::fs::metadata(files::beside(&path, ".reserve")).is_ok_and(|file| file.len() > 0);
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
                let Entry::Signal(mut raised) = notified_signal(number.into(), f64::from(number)) else {
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
    // The disk is too small for all entries: make it larger, so that the rest fits.
    let wider =
        std::process::Command::new("mount").args(["-o", "remount,size=32m"]).arg(&disk).status().unwrap();
    assert!(wider.success());
    feeder.join().unwrap();
    writer.flush(SOON).unwrap();
    assert_eq!(numbers(&path), (1..=1500).collect::<Vec<_>>());
    wait_until(Duration::from_secs(20), "the reserve is built again", || Reserve::of(&path).is_there());
    assert_eq!(check_integrity(&path, |_| ()).unwrap().faults, [""; 0]);
    eprintln!(
        "full disk: 0 of 1500 events lost, written again {:.1} s after there was room",
        recovered.as_secs_f64()
    );
    writer.close(at(9000.0).wall, SOON).unwrap();
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures are for the reader of the test run")]
fn a_full_file_system_recovers_and_keeps_its_reserve() {
    let name = "a_full_file_system_recovers_and_keeps_its_reserve";
    let Some(disk) = on_a_disk_of(4, name) else { return };
    let path = disk.join("logbook.sqlite");
    let mut options = options();
    options.retention = Some(retention(DAY, DAY));
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    let stats = writer.stats();
    // Detections for three times the disk, and an alert after every thousandth pass.
    let (mut longest, mut sent) = (Duration::ZERO, 0u32);
    for number in 0..60_000u32 {
        let begun = now();
        sender.send(pass(f64::from(number) * 0.25, vec![vessel_at(1.0, Some(7)); 8], vec![])).unwrap();
        if number.is_multiple_of(1000) {
            sent += 1;
            sender.send(notified_signal(sent.into(), f64::from(number) * 0.25)).unwrap();
        }
        longest = longest.max(begun.elapsed());
    }
    writer.flush(SOON).unwrap();
    assert_eq!(numbers(&path), (1..=sent).collect::<Vec<_>>());
    assert_eq!(stats.entries.load(Ordering::Relaxed), 60_000 + u64::from(sent));
    assert!(longest < RECOVERED, "the sender waited {longest:?}");
    let gone = stats.removed_passes.load(Ordering::Relaxed);
    let there: u64 = column(&path, "SELECT count(*) FROM pass")[0].parse().unwrap();
    assert_eq!(gone + there, 60_000, "every pass was written, and removed only with a receipt");
    let receipted: u64 =
        column(&path, "SELECT sum(rows) FROM receipt WHERE act = 'disk full'")[0].parse().unwrap();
    assert!(receipted >= gone && gone > 10_000, "{gone} removed, {receipted} in receipts");
    wait_until(Duration::from_secs(30), "a reserve again", || Reserve::of(&path).is_there());
    assert_eq!(check_integrity(&path, |_| ()).unwrap().faults, [""; 0]);
    eprintln!(
        "full disk: {gone} of 60000 passes removed, 0 of {sent} events lost, the sender waited {:.2} s at most",
        longest.as_secs_f64()
    );
    writer.close(at(90_000.0).wall, SOON).unwrap();
}

#[test]
fn a_reader_that_holds_the_log_stops_removal() {
    let (_folder, path) = fresh();
    let (mut options, clock) = options_at(BEGIN);
    options.retention = Some(retention(DAY, 1000 * DAY));
    let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
    for number in 0..100u32 {
        sender.send(pass(f64::from(number) * 10.0, vec![vessel_at(1.0, None)], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    let stats = writer.stats();
    // Another program that leaves a transaction open.
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM start;").unwrap();
    let held = reader.query_row("SELECT count(*) FROM pass", [], |row| row.get::<_, i64>(0)).unwrap();
    let mut number = 0u32;
    while stats.wal_bytes.load(Ordering::Relaxed) <= WAL_HELD {
        number += 1;
        let Entry::Signal(mut raised) = notified_signal(number.into(), f64::from(number)) else {
            unreachable!()
        };
        raised.alert.as_mut().unwrap().picture = Some(vec![7; MAX_PICTURE_BYTES]);
        sender.send(Entry::Signal(raised)).unwrap();
        writer.flush(SOON).unwrap();
        assert!(number < 200);
    }
    wait_until(SOON, "the log is held", || stats.wal_held.load(Ordering::Relaxed));
    assert!(stats.problems()[0].contains("holds the logbook open"), "{:?}", stats.problems());
    clock.advance(3 * DAY);
    // Long enough for removal to begin.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(stats.removed_passes.load(Ordering::Relaxed), 0);
    assert_eq!(reader.query_row("SELECT count(*) FROM pass", [], |row| row.get::<_, i64>(0)).unwrap(), held);
    drop(reader);
    clock.advance(Duration::from_secs(60));
    wait_until(SOON, "a checkpoint", || !stats.wal_held.load(Ordering::Relaxed));
    assert!(stats.wal_bytes.load(Ordering::Relaxed) < 16 << 20);
    assert_eq!(stats.problems(), [""; 0]);
    // The sealed ones, of ten minutes.
    wait_until(SOON, "removed", || stats.removed_passes.load(Ordering::Relaxed) == 61);
}

#[test]
fn exports_do_not_hold_the_log() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    for number in 0..3000u32 {
        sender.send(pass(f64::from(number), vec![vessel_at(1.0, None)], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    let reader = Reader::open(&path).unwrap();
    let mut rows = 0;
    // A slow export holds the logbook for one page at most.
    let mut longest_log = 0;
    let stats = writer.stats();
    reader
        .export(Listing::Detections, &Filter::default(), |_row| {
            rows += 1;
            if rows % 500 == 0 {
                for number in 0..4u32 {
                    let Entry::Signal(mut raised) =
                        notified_signal((rows + number).into(), f64::from(number))
                    else {
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
