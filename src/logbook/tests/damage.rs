//! Tests with damaged files: the file is kept, the problem is reported, and a new logbook gets what must not wait.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::recovery::rows_of;
use super::retention::sample_logbook;
use super::{fresh, hash};
use crate::logbook::testing::*;
use crate::logbook::*;

pub(super) const PAGE: usize = 4096;

/// Changes the bytes of the file, after a checkpoint.
pub(super) fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    Connection::open(path).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// The first page of this type (`leaf`, `overflow`) of a table.
pub(super) fn page_of(path: &Path, table: &str, which: &str) -> usize {
    column(
        path,
        &format!("SELECT pageno FROM dbstat WHERE name = '{table}' AND pagetype = '{which}' ORDER BY pageno"),
    )
    .first()
    .unwrap_or_else(|| panic!("{table} has no {which} page"))
    .parse()
    .unwrap()
}

pub(super) fn break_page(bytes: &mut [u8], page: usize) {
    bytes[(page - 1) * PAGE..page * PAGE].fill(0xA5);
}

pub(super) fn replacing() -> WriterOptions {
    WriterOptions { replace_damaged: true, ..options() }
}

fn quarantined(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| file.to_string_lossy().contains(".damaged-2"))
        .filter(|file| !["-wal", "-shm"].iter().any(|end| file.to_string_lossy().ends_with(end)))
        .collect();
    found.sort();
    found
}

#[test]
fn a_damaged_logbook_is_quarantined_and_replaced() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 2000);
    let page = page_of(&path, "detection", "leaf");
    damage(&path, |bytes| break_page(bytes, page));
    let before = hash(&path);
    let waiting = Outbox::open(&path).unwrap().undelivered(0, 10).unwrap();
    let (writer, sender) = Writer::open(&path, &start(), replacing()).unwrap();
    // The file is kept unchanged.
    let [kept] = quarantined(&path).try_into().unwrap();
    assert!(kept.to_string_lossy().ends_with("logbook.sqlite.damaged-20260601T201300Z"), "{kept:?}");
    assert_eq!(hash(&kept), before);
    // The problem is reported until the next start.
    let [problem] = writer.stats().problems().try_into().unwrap();
    assert!(
        problem.contains("was damaged") && problem.contains("1 undelivered alerts, 1 open visits"),
        "{problem}"
    );
    assert!(!problem.contains("may have been more"), "{problem}");
    assert_eq!(
        column(&path, "SELECT act || ' ' || kind || ' ' || why FROM v_receipts"),
        [format!("damaged logbook {problem}")]
    );
    // What must not wait is there, and numbers continue.
    assert_eq!(Outbox::open(&path).unwrap().undelivered(0, 10).unwrap(), waiting);
    assert_eq!(waiting.len(), 1);
    let lasting = Reader::open(&path).unwrap().open_visits().unwrap();
    assert_eq!(lasting.iter().map(|v| v.vessel.0).collect::<Vec<_>>(), [2]);
    assert_eq!((writer.start(), writer.next_vessel()), (2, 10));
    assert_eq!(column(&path, "SELECT phase FROM signal_step WHERE signal = 2"), ["opened", "closed"]);
    sender.send(notified_signal(9, 100.0)).unwrap();
    writer.flush(SOON).unwrap();
    assert_eq!(column(&path, "SELECT max(seq) FROM alert"), ["3"], "an alert's number is not given again");
    writer.close(at(200.0).wall, SOON).unwrap();
    let report = check_integrity(&path, |_| ()).unwrap();
    assert_eq!(report.faults, [""; 0]);
    assert!(report.notes.iter().any(|note| note.contains("is in quarantine")), "{:?}", report.notes);
    // The next start has no problem.
    let (writer, _sender) = Writer::open(&path, &start(), replacing()).unwrap();
    assert_eq!(writer.stats().problems(), [""; 0]);
    assert_eq!(quarantined(&path).len(), 1);
}

#[test]
fn the_write_ahead_log_is_quarantined_with_its_logbook() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 2000);
    let page = page_of(&path, "detection", "leaf");
    damage(&path, |bytes| break_page(bytes, page));
    // An alert that is only in the log, as after a power cut.
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    connection
        .execute_batch("UPDATE alert SET delivered = NULL, delivered_offset = NULL WHERE seq = 1")
        .unwrap();
    let copy = tempfile::tempdir().unwrap();
    let there = copy.path().join("logbook.sqlite");
    for end in ["", "-wal", "-shm"] {
        std::fs::copy(files::beside(&path, end), files::beside(&there, end)).unwrap();
    }
    assert!(std::fs::metadata(files::beside(&there, "-wal")).unwrap().len() > 0);
    let (writer, _sender) = Writer::open(&there, &start(), replacing()).unwrap();
    assert!(writer.stats().problems()[0].contains("2 undelivered alerts"), "{:?}", writer.stats().problems());
    let [kept] = quarantined(&there).try_into().unwrap();
    assert!(std::fs::metadata(files::beside(&kept, "-wal")).unwrap().len() > 0);
}

#[test]
fn a_truncated_file_is_read_up_to_its_end() {
    let (folder, path) = fresh();
    let (writer, sender) = open(&path);
    sender.send(notified_signal(1, 1.0)).unwrap();
    for number in 0..3000u32 {
        sender.send(pass(f64::from(number), vec![vessel_at(1.0, None); 3], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    drop((writer, sender));
    damage(&path, |bytes| bytes.truncate(bytes.len() - 5 * PAGE - 100));
    let to = folder.path().join("saved.sqlite");
    let recovery = recover(&path, &to, at(900.0).wall, |_| ()).unwrap();
    let rows = |table: &str| rows_of(&recovery, table).rows;
    assert!((6000..9000).contains(&rows("detection")) && rows("alert") == 1, "{recovery:?}");
    let (writer, _sender) = Writer::open(&path, &start(), replacing()).unwrap();
    assert!(writer.stats().problems()[0].contains("1 undelivered alerts"), "{:?}", writer.stats().problems());
    assert_eq!(quarantined(&path).len(), 1);
}

#[test]
fn a_damaged_picture_is_dropped_and_its_alert_is_kept() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    let Entry::Signal(mut raised) = notified_signal(1, 1.0) else { unreachable!() };
    raised.alert.as_mut().unwrap().picture = Some(vec![7; 3 * PAGE]);
    sender.send(Entry::Signal(raised)).unwrap();
    writer.flush(SOON).unwrap();
    drop((writer, sender));
    let [picture, links] =
        [("alert", "overflow"), ("link", "leaf")].map(|(table, which)| page_of(&path, table, which));
    damage(&path, |bytes| {
        bytes[(picture - 1) * PAGE + 9] ^= 1;
        break_page(bytes, links);
    });
    let (writer, _sender) = Writer::open(&path, &start(), replacing()).unwrap();
    let [problem] = writer.stats().problems().try_into().unwrap();
    assert!(problem.contains("1 undelivered alerts") && problem.contains("may have been more"), "{problem}");
    assert_eq!(column(&path, "SELECT picture IS NULL FROM alert"), ["1"]);
    assert_eq!(check_integrity(&path, |_| ()).unwrap().faults, [""; 0]);
}

#[test]
fn a_value_of_the_wrong_type_is_damage() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    sender.send(pass(1.0, vec![vessel_at(1.0, None)], vec![])).unwrap();
    // The close seals it.
    writer.close(at(2.0).wall, SOON).unwrap();
    // A flipped bit may leave a type that the table does not allow.
    let connection = Connection::open(&path).unwrap();
    let lax = "PRAGMA writable_schema = ON;
               UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'detection';
               PRAGMA writable_schema = RESET";
    connection.execute_batch(lax).unwrap();
    connection
        .execute("UPDATE detection SET height = 'tall' WHERE id = (SELECT max(id) FROM detection)", [])
        .unwrap();
    drop(connection);
    let said = check_integrity(&path, |_| ()).unwrap().faults.join("; ");
    assert!(said.contains("cannot be read (seal"), "{said}");
}

#[test]
fn a_lost_first_page_is_damage_only_of_a_logbook() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 10);
    damage(&path, |bytes| bytes[..16].fill(0));
    let (writer, _sender) = Writer::open(&path, &start(), replacing()).unwrap();
    assert!(writer.stats().problems()[0].contains("may have been more"), "{:?}", writer.stats().problems());
    drop(writer);
    let (_folder, path) = fresh();
    std::fs::write(&path, "buy milk\n".repeat(2000)).unwrap();
    for _ in 0..2 {
        let before = hash(&path);
        let error = Writer::open(&path, &start(), replacing()).err().unwrap();
        assert!(matches!(error, LogbookError::Foreign { .. }), "{error}");
        assert_eq!(hash(&path), before);
    }
    assert_eq!(quarantined(&path).len(), 0);
}

#[test]
fn an_altered_table_definition_is_damage() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 10);
    damage(&path, |bytes| {
        let words = b"REFERENCES signal";
        for at in 0..bytes.len() - words.len() {
            if bytes[at..].starts_with(words) {
                bytes[at + words.len() - 1] ^= 1;
            }
        }
    });
    let (writer, sender) = Writer::open(&path, &start(), replacing()).unwrap();
    let [problem] = writer.stats().problems().try_into().unwrap();
    assert!(problem.contains("the definition of table"), "{problem}");
    sender.send(notified_signal(9, 100.0)).unwrap();
    writer.flush(SOON).unwrap();
}

#[test]
fn a_read_only_header_is_damage() {
    const WRITE_VERSION: usize = 18;
    let (_folder, path) = fresh();
    sample_logbook(&path, 10);
    damage(&path, |bytes| bytes[WRITE_VERSION] ^= 0x10);
    let (writer, sender) = Writer::open(&path, &start(), replacing()).unwrap();
    assert_eq!(quarantined(&path).len(), 1);
    sender.send(notified_signal(9, 100.0)).unwrap();
    writer.flush(SOON).unwrap();
}

#[test]
fn a_newer_logbook_is_not_quarantined() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 10);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = hash(&path);
    let error = Writer::open(&path, &start(), replacing()).err().unwrap();
    assert!(matches!(error, LogbookError::Newer { found: 99, .. }), "{error}");
    assert_eq!(hash(&path), before);
    assert_eq!(quarantined(&path).len(), 0);
}

#[test]
fn damage_found_while_running_ends_the_writer() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 2000);
    let (writer, sender) = Writer::open(&path, &start(), replacing()).unwrap();
    sender.send(notified_signal(5, 40.0)).unwrap();
    writer.flush(SOON).unwrap();
    // The page for the next alert is damaged while the writer runs.
    Connection::open(&path).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let index = page_of(&path, "alert", "leaf");
    {
        use std::os::unix::fs::FileExt;
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[0xA5; PAGE], ((index - 1) * PAGE) as u64).unwrap();
    }
    // A change by another connection makes the writer read its pages again.
    Connection::open(&path).unwrap().execute("UPDATE start SET version = 'x'", []).unwrap();
    let mut stopped = false;
    for number in 100..2000u32 {
        stopped = sender.send(notified_signal(number.into(), 50.0)).is_err();
        if stopped {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(stopped, "the writer continues with a damaged file");
    assert!(writer.has_stopped());
    let error = writer.flush(SOON).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    drop((writer, sender));
    assert!(check_integrity(&path, |_| ()).map_or(true, |report| !report.is_sound()));
    let (writer, _sender) = Writer::open(&path, &start(), replacing()).unwrap();
    assert_eq!(quarantined(&path).len(), 1);
    assert!(writer.stats().problems()[0].contains("was damaged"));
}

#[test]
fn a_check_names_faults() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 2000);
    assert_eq!(check_integrity(&path, |_| ()).unwrap().faults, [""; 0]);
    let counts = check_integrity(&path, |_| ()).unwrap().counts;
    assert!(counts.contains(&("pass".into(), 2003)) && counts.contains(&("alert".into(), 2)), "{counts:?}");
    let found = |change: &str| {
        let (_folder, copy) = fresh();
        std::fs::copy(&path, &copy).unwrap();
        let connection = Connection::open(&copy).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute_batch(change).unwrap();
        drop(connection);
        integrity::integrity_check::check_without_chain(&copy, |_| ()).unwrap().faults.join("; ")
    };
    damage(&path, |_| ());
    let receipt = "INSERT INTO receipt (start, at, utc_offset, act, kind, ids, rows, why, done) VALUES (1, 0, 0, 'age',";
    for (change, word) in [
        ("DELETE FROM start".to_owned(), "refers to a missing row of start"),
        ("DROP VIEW v_alerts".to_owned(), "view v_alerts is missing"),
        ("DROP INDEX alert_signal".to_owned(), "index alert_signal is missing"),
        ("CREATE TABLE shopping (item TEXT)".to_owned(), "table shopping does not belong"),
        (format!("{receipt} 'pass', '1-3', 3, '', 1)"), "3 rows of pass are not deleted"),
        (format!("{receipt} 'picture', '1', 1, '', 1)"), "1 rows of picture are not deleted"),
        (format!("{receipt} 'pass', '9001-9003', 4, '', 1)"), "4 rows, but 3 numbers"),
        (format!("{receipt} 'pass', '3-1', 3, '', 1)"), "not a list of row numbers"),
    ] {
        let said = found(&change);
        assert!(said.contains(word), "{change}: {said}");
    }
    assert_eq!(found(&format!("{receipt} 'pass', '1-3', 3, '', NULL)")), "", "a pending receipt");
    let page = page_of(&path, "detection", "leaf");
    damage(&path, |bytes| break_page(bytes, page));
    let said = check_integrity(&path, |_| ()).unwrap().faults.join("; ");
    assert!(said.contains(&format!("page {page}")), "{said}");
}

#[test]
fn a_backup_is_consistent_while_the_logbook_is_written() {
    let (folder, path) = fresh();
    sample_logbook(&path, 5000);
    let (writer, sender) = open(&path);
    let feeder = std::thread::spawn(move || {
        for number in 100..400u32 {
            sender.send(notified_signal(number.into(), f64::from(number))).unwrap();
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let to = folder.path().join("backup.sqlite");
    let mut progress = Vec::new();
    let report = backup(&path, &to, |done, all| progress.push((done, all))).unwrap();
    feeder.join().unwrap();
    assert_eq!(report.faults, [""; 0]);
    assert!(progress.is_sorted() && progress.last().is_some_and(|(done, all)| done == all), "{progress:?}");
    let pairs = "SELECT (SELECT count(*) FROM signal WHERE notified) - (SELECT count(*) FROM alert)";
    assert_eq!(column(&to, pairs), ["0"], "a signal has its alert at any time");
    assert_eq!(column(&to, "SELECT count(*) FROM pass"), ["5003"]);
    writer.close(at(500.0).wall, SOON).unwrap();
    assert!(
        matches!(backup(&path, &to, |_, _| ()), Err(LogbookError::Exists { .. })),
        "a backup replaces no file"
    );
    // A backup can be written to.
    let (writer, _sender) = open(&to);
    writer.close(at(600.0).wall, SOON).unwrap();
    // A failed backup leaves no file behind.
    let none = folder.path().join("none.sqlite");
    assert!(backup(&folder.path().join("nowhere.sqlite"), &none, |_, _| ()).is_err());
    assert!(
        std::fs::read_dir(folder.path()).unwrap().all(|e| !e
            .unwrap()
            .path()
            .to_string_lossy()
            .contains("part"))
    );
}

#[test]
fn all_tables_are_checked_and_recovered() {
    let fresh = schema::fresh().unwrap();
    let mut tables: Vec<_> = schema::definitions(&fresh)
        .unwrap()
        .into_keys()
        .filter_map(|name| name.strip_prefix("table ").map(str::to_owned))
        .collect();
    let mut known: Vec<_> = schema::tables().unwrap().into_iter().map(str::to_owned).collect();
    tables.sort();
    known.sort();
    assert_eq!(tables, known);
}
