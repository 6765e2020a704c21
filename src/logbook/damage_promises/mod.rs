//! Tests of what is promised when the file is damaged: it is kept, told, and the watch goes on with what must not wait.

mod salvage;

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use test_support::Rng;

use super::retention_promises::night;
use super::testing::*;
use super::*;
use salvage::rows_of;

const PAGE: usize = 4096;

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    (folder, path)
}

fn hash(path: &Path) -> Vec<u8> {
    Sha256::digest(std::fs::read(path).unwrap()).to_vec()
}

/// The logbook's files, changed by `change`; the write-ahead log is folded in first.
fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    Connection::open(path).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// The page in which the rows of a table begin, or another of its pages.
fn page_of(path: &Path, table: &str, which: &str) -> usize {
    column(
        path,
        &format!("SELECT pageno FROM dbstat WHERE name = '{table}' AND pagetype = '{which}' ORDER BY pageno"),
    )
    .first()
    .unwrap_or_else(|| panic!("{table} has no {which} page"))
    .parse()
    .unwrap()
}

fn break_page(bytes: &mut [u8], page: usize) {
    bytes[(page - 1) * PAGE..page * PAGE].fill(0xA5);
}

fn replacing() -> WriterOptions {
    WriterOptions { replace_damaged: true, ..options() }
}

fn beside_it(path: &Path) -> Vec<PathBuf> {
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
fn a_damaged_logbook_is_moved_aside_whole_and_the_watch_goes_on_with_what_must_not_wait() {
    let (_folder, path) = fresh();
    night(&path, 2000);
    let look = page_of(&path, "detection", "leaf");
    damage(&path, |bytes| break_page(bytes, look));
    let before = hash(&path);
    let waiting = Outbox::open(&path).unwrap().undelivered(0, 10).unwrap();
    let (writer, sender) = Writer::open(&path, &start(), replacing()).unwrap();
    // Kept as it was.
    let [aside] = beside_it(&path).try_into().unwrap();
    assert!(aside.to_string_lossy().ends_with("logbook.sqlite.damaged-20260601T201300Z"), "{aside:?}");
    assert_eq!(hash(&aside), before);
    // Told, for the whole run.
    let [problem] = writer.stats().problems().try_into().unwrap();
    assert!(
        problem.contains("was damaged") && problem.contains("1 undelivered alerts, 1 visits"),
        "{problem}"
    );
    assert!(!problem.contains("may have been more"), "{problem}");
    assert_eq!(
        column(&path, "SELECT act || ' ' || kind || ' ' || why FROM v_receipts"),
        [format!("damaged logbook {problem}")]
    );
    // What must not wait is there, and numbers go on.
    assert_eq!(Outbox::open(&path).unwrap().undelivered(0, 10).unwrap(), waiting);
    assert_eq!(waiting.len(), 1);
    let lasting = Reader::open(&path).unwrap().open_visits().unwrap();
    assert_eq!(lasting.iter().map(|v| v.vessel.0).collect::<Vec<_>>(), [2]);
    assert_eq!((writer.start(), writer.next_vessel()), (2, 10));
    assert_eq!(column(&path, "SELECT phase FROM signal_step WHERE signal = 2"), ["opened", "closed"]);
    sender.send(told(9, 100.0)).unwrap();
    writer.flush(SOON).unwrap();
    assert_eq!(column(&path, "SELECT max(seq) FROM alert"), ["3"], "an alert's number is not given again");
    writer.close(at(200.0).wall, SOON).unwrap();
    let checkup = check(&path, |_| ()).unwrap();
    assert_eq!(checkup.faults, [""; 0]);
    assert!(checkup.notes.iter().any(|note| note.contains("was moved aside")), "{:?}", checkup.notes);
    // The next start has nothing to tell.
    let (writer, _sender) = Writer::open(&path, &start(), replacing()).unwrap();
    assert_eq!(writer.stats().problems(), [""; 0]);
    assert_eq!(beside_it(&path).len(), 1);
}

#[test]
fn a_write_ahead_log_is_moved_aside_with_its_logbook_and_its_rows_are_carried_over() {
    let (_folder, path) = fresh();
    night(&path, 2000);
    let page = page_of(&path, "detection", "leaf");
    damage(&path, |bytes| break_page(bytes, page));
    // An alert that stands in the log alone, as after a power cut.
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    connection
        .execute_batch("UPDATE alert SET delivered = NULL, delivered_offset = NULL WHERE seq = 1")
        .unwrap();
    let copy = tempfile::tempdir().unwrap();
    let there = copy.path().join("logbook.sqlite");
    for end in ["", "-wal", "-shm"] {
        std::fs::copy(beside(&path, end), beside(&there, end)).unwrap();
    }
    assert!(std::fs::metadata(beside(&there, "-wal")).unwrap().len() > 0);
    let (writer, _sender) = Writer::open(&there, &start(), replacing()).unwrap();
    assert!(writer.stats().problems()[0].contains("2 undelivered alerts"), "{:?}", writer.stats().problems());
    let [aside] = beside_it(&there).try_into().unwrap();
    assert!(std::fs::metadata(beside(&aside, "-wal")).unwrap().len() > 0);
}

#[test]
fn a_file_that_lost_its_end_is_read_up_to_there() {
    let (folder, path) = fresh();
    let (writer, sender) = open(&path);
    sender.send(told(1, 1.0)).unwrap();
    for number in 0..3000u32 {
        sender.send(look(f64::from(number), vec![vessel_at(1.0, None); 3], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    drop((writer, sender));
    damage(&path, |bytes| bytes.truncate(bytes.len() - 5 * PAGE - 100));
    let to = folder.path().join("saved.sqlite");
    let saved = salvage(&path, &to, at(900.0).wall, |_| ()).unwrap();
    let rows = |table: &str| rows_of(&saved, table).rows;
    assert!((6000..9000).contains(&rows("detection")) && rows("alert") == 1, "{saved:?}");
    let (writer, _sender) = Writer::open(&path, &start(), replacing()).unwrap();
    assert!(writer.stats().problems()[0].contains("1 undelivered alerts"), "{:?}", writer.stats().problems());
    assert_eq!(beside_it(&path).len(), 1);
}

#[test]
fn a_picture_that_was_damaged_is_not_carried_over_and_its_alert_is() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    let Entry::Signal(mut raised) = told(1, 1.0) else { unreachable!() };
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
    assert_eq!(check(&path, |_| ()).unwrap().faults, [""; 0]);
}

#[test]
fn a_check_calls_a_value_of_another_kind_damage() {
    let (_folder, path) = fresh();
    let (writer, sender) = open(&path);
    sender.send(look(1.0, vec![vessel_at(1.0, None)], vec![])).unwrap();
    // Sealed by its end.
    writer.close(at(2.0).wall, SOON).unwrap();
    // As a flipped bit leaves it: the table's own rules do not allow it.
    let connection = Connection::open(&path).unwrap();
    let lax = "PRAGMA writable_schema = ON;
               UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'detection';
               PRAGMA writable_schema = RESET";
    connection.execute_batch(lax).unwrap();
    connection
        .execute("UPDATE detection SET height = 'tall' WHERE id = (SELECT max(id) FROM detection)", [])
        .unwrap();
    drop(connection);
    let said = check(&path, |_| ()).unwrap().faults.join("; ");
    assert!(said.contains("cannot be read (seal"), "{said}");
}

#[test]
fn a_first_page_that_is_no_database_is_damage_when_the_file_was_a_logbook_and_foreign_when_it_was_not() {
    let (_folder, path) = fresh();
    night(&path, 10);
    damage(&path, |bytes| bytes[..16].fill(0));
    let (writer, _sender) = Writer::open(&path, &start(), replacing()).unwrap();
    assert!(writer.stats().problems()[0].contains("may have been more"), "{:?}", writer.stats().problems());
    drop(writer);
    let (_folder, path) = fresh();
    std::fs::write(&path, "buy milk\n".repeat(2000)).unwrap();
    for _ in 0..2 {
        let before = hash(&path);
        let refused = Writer::open(&path, &start(), replacing()).err().unwrap();
        assert!(matches!(refused, LogbookError::Foreign { .. }), "{refused}");
        assert_eq!(hash(&path), before);
    }
    assert_eq!(beside_it(&path).len(), 0);
}

#[test]
fn a_table_whose_definition_lost_a_bit_is_damage_at_the_start() {
    let (_folder, path) = fresh();
    night(&path, 10);
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
    assert!(problem.contains("is not as it was made"), "{problem}");
    sender.send(told(9, 100.0)).unwrap();
    writer.flush(SOON).unwrap();
}

#[test]
fn a_header_that_lets_nobody_write_is_damage() {
    const WRITE_VERSION: usize = 18;
    let (_folder, path) = fresh();
    night(&path, 10);
    damage(&path, |bytes| bytes[WRITE_VERSION] ^= 0x10);
    let (writer, sender) = Writer::open(&path, &start(), replacing()).unwrap();
    assert_eq!(beside_it(&path).len(), 1);
    sender.send(told(9, 100.0)).unwrap();
    writer.flush(SOON).unwrap();
}

#[test]
fn a_newer_logbook_is_not_taken_for_a_damaged_one() {
    let (_folder, path) = fresh();
    night(&path, 10);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = hash(&path);
    let refused = Writer::open(&path, &start(), replacing()).err().unwrap();
    assert!(matches!(refused, LogbookError::Newer { found: 99, .. }), "{refused}");
    assert_eq!(hash(&path), before);
    assert_eq!(beside_it(&path).len(), 0);
}

#[test]
fn damage_that_is_met_while_running_ends_the_writer_and_the_next_start_moves_it_aside() {
    let (_folder, path) = fresh();
    night(&path, 2000);
    let (writer, sender) = Writer::open(&path, &start(), replacing()).unwrap();
    sender.send(told(5, 40.0)).unwrap();
    writer.flush(SOON).unwrap();
    // The page in which the next alert would go breaks under the running watch.
    Connection::open(&path).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let index = page_of(&path, "alert", "leaf");
    {
        use std::os::unix::fs::FileExt;
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[0xA5; PAGE], ((index - 1) * PAGE) as u64).unwrap();
    }
    // Another connection's change makes the writer read its pages anew.
    Connection::open(&path).unwrap().execute("UPDATE start SET version = 'x'", []).unwrap();
    let mut gone = false;
    for number in 100..2000u32 {
        gone = sender.send(told(number.into(), 50.0)).is_err();
        if gone {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(gone, "the writer goes on with a damaged file");
    assert!(writer.has_stopped());
    let told = writer.flush(SOON).unwrap_err();
    assert!(told.to_string().contains("damaged"), "{told}");
    drop((writer, sender));
    assert!(check(&path, |_| ()).map_or(true, |checkup| !checkup.is_sound()));
    let (writer, _sender) = Writer::open(&path, &start(), replacing()).unwrap();
    assert_eq!(beside_it(&path).len(), 1);
    assert!(writer.stats().problems()[0].contains("was damaged"));
}

#[test]
fn a_check_names_what_is_wrong() {
    let (_folder, path) = fresh();
    night(&path, 2000);
    assert_eq!(check(&path, |_| ()).unwrap().faults, [""; 0]);
    let counts = check(&path, |_| ()).unwrap().counts;
    assert!(counts.contains(&("look".into(), 2003)) && counts.contains(&("alert".into(), 2)), "{counts:?}");
    let found = |change: &str| {
        let (_folder, copy) = fresh();
        std::fs::copy(&path, &copy).unwrap();
        let connection = Connection::open(&copy).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute_batch(change).unwrap();
        drop(connection);
        super::checkup::check_rows(&copy, |_| ()).unwrap().faults.join("; ")
    };
    damage(&path, |_| ());
    let receipt = "INSERT INTO receipt (start, at, utc_offset, act, kind, ids, rows, why, done) VALUES (1, 0, 0, 'age',";
    for (change, word) in [
        ("DELETE FROM start".to_owned(), "refers to a row of start"),
        ("DROP VIEW v_alerts".to_owned(), "view v_alerts is missing"),
        ("DROP INDEX alert_signal".to_owned(), "index alert_signal is missing"),
        ("CREATE TABLE shopping (item TEXT)".to_owned(), "table shopping is not part"),
        (format!("{receipt} 'look', '1-3', 3, '', 1)"), "3 rows of look are there"),
        (format!("{receipt} 'picture', '1', 1, '', 1)"), "1 rows of picture are there"),
        (format!("{receipt} 'look', '9001-9003', 4, '', 1)"), "4 rows, but 3 numbers"),
        (format!("{receipt} 'look', '3-1', 3, '', 1)"), "no row numbers"),
    ] {
        let said = found(&change);
        assert!(said.contains(word), "{change}: {said}");
    }
    assert_eq!(found(&format!("{receipt} 'look', '1-3', 3, '', NULL)")), "", "on its way");
    let page = page_of(&path, "detection", "leaf");
    damage(&path, |bytes| break_page(bytes, page));
    let said = check(&path, |_| ()).unwrap().faults.join("; ");
    assert!(said.contains(&format!("page {page}")), "{said}");
}

#[test]
fn a_backup_is_one_moment_of_a_logbook_that_is_being_written() {
    let (folder, path) = fresh();
    night(&path, 5000);
    let (writer, sender) = open(&path);
    let feeder = std::thread::spawn(move || {
        for number in 100..400u32 {
            sender.send(told(number.into(), f64::from(number))).unwrap();
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let to = folder.path().join("backup.sqlite");
    let mut heard = Vec::new();
    let checkup = backup(&path, &to, |done, all| heard.push((done, all))).unwrap();
    feeder.join().unwrap();
    assert_eq!(checkup.faults, [""; 0]);
    assert!(heard.is_sorted() && heard.last().is_some_and(|(done, all)| done == all), "{heard:?}");
    let pairs = "SELECT (SELECT count(*) FROM signal WHERE told) - (SELECT count(*) FROM alert)";
    assert_eq!(column(&to, pairs), ["0"], "a signal has its alert in any moment");
    assert_eq!(column(&to, "SELECT count(*) FROM look"), ["5003"]);
    writer.close(at(500.0).wall, SOON).unwrap();
    assert!(matches!(backup(&path, &to, |_, _| ()), Err(LogbookError::Exists { .. })), "never over a file");
    // A backup can be watched with.
    let (writer, _sender) = open(&to);
    writer.close(at(600.0).wall, SOON).unwrap();
    // No part stays behind when the logbook cannot be copied.
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

/// What may happen to a file.
#[derive(Clone, Debug)]
enum Blow {
    Flip { at: usize, bit: u8 },
    Zero { page: usize, pages: usize },
    Garbage { page: usize, seed: u64 },
    Truncate { at: usize },
}

fn blows() -> impl Strategy<Value = Vec<Blow>> {
    let blow = prop_oneof![
        4 => (any::<usize>(), 0u8..8).prop_map(|(at, bit)| Blow::Flip { at, bit }),
        2 => (any::<usize>(), 1usize..4).prop_map(|(page, pages)| Blow::Zero { page, pages }),
        2 => (any::<usize>(), any::<u64>()).prop_map(|(page, seed)| Blow::Garbage { page, seed }),
        1 => any::<usize>().prop_map(|at| Blow::Truncate { at }),
    ];
    prop::collection::vec(blow, 1..6)
}

fn strike(bytes: &mut Vec<u8>, blow: &Blow) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match *blow {
        Blow::Flip { at, bit } => bytes[at % length] ^= 1 << bit,
        Blow::Zero { page, pages } => {
            let from = (page % length.div_ceil(PAGE)) * PAGE;
            bytes[from..(from + pages * PAGE).min(length)].fill(0);
        }
        Blow::Garbage { page, seed } => {
            let mut rng = Rng::new(seed);
            let from = (page % length.div_ceil(PAGE)) * PAGE;
            for byte in &mut bytes[from..(from + PAGE).min(length)] {
                *byte = rng.next_u64() as u8;
            }
        }
        Blow::Truncate { at } => bytes.truncate(at % length),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Whatever happened to the file: a check never says that all is well of rows that are not there, a salvage ends, says
    /// what came, and makes a sound logbook; and the watch starts.
    #[test]
    fn whatever_happened_to_the_file_the_watch_starts_and_a_salvage_makes_a_sound_logbook(blows in blows()) {
        static WHOLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let whole = WHOLE.get_or_init(|| {
            let (_folder, path) = fresh();
            night(&path, 800);
            damage(&path, |_| ());
            std::fs::read(&path).unwrap()
        });
        let (folder, path) = fresh();
        let mut bytes = whole.clone();
        blows.iter().for_each(|blow| strike(&mut bytes, blow));
        std::fs::write(&path, &bytes).unwrap();
        let to = folder.path().join("new.sqlite");
        // Nothing of it can be read when its first page is lost; that is said, and nothing is left behind.
        if let Ok(salvaged) = salvage(&path, &to, at(900.0).wall, |_| ()) {
            prop_assert!(salvaged.checkup.is_sound(), "{:?}", salvaged.checkup.faults);
            for kind in &salvaged.kinds {
                let there = column(&to, &format!("SELECT count(*) FROM {}", kind.table));
                let made_up = salvaged.kinds.iter().flat_map(|k| &k.stand_ins).filter(|s| s.starts_with(kind.table)).count();
                // What is missing is written down in receipts, which are links.
                let notes = if ["receipt", "link"].contains(&kind.table) { u64::MAX } else { 0 };
                let counted = there[0].parse::<u64>().unwrap();
                prop_assert!(notes > 0 || counted <= kind.rows + made_up as u64 && counted >= kind.rows, "{kind:?} {there:?}");
                if kind.is_whole() && kind.table == "detection" && !blows.iter().any(|b| matches!(b, Blow::Flip { .. })) {
                    prop_assert_eq!(kind.rows, 1603);
                }
            }
        } else {
            prop_assert!(!to.exists());
        }
        prop_assert_eq!(&std::fs::read(&path).unwrap(), &bytes, "the damaged file stays as it is");
        match Writer::open(&path, &start(), replacing()) {
            Ok((writer, sender)) => {
                sender.send(told(77, 100.0)).unwrap();
                // Damage that a quick look does not find is met later, and ends the writer.
                if writer.flush(SOON).is_err() {
                    drop((writer, sender));
                    let (writer, sender) = Writer::open(&path, &start(), replacing()).unwrap();
                    sender.send(told(77, 100.0)).unwrap();
                    writer.flush(SOON).unwrap();
                }
            }
            // Its marks say that it is not ours, or of a later version: then nobody touches it.
            Err(LogbookError::Foreign { .. } | LogbookError::Newer { .. }) => {
                prop_assert_eq!(&std::fs::read(&path).unwrap(), &bytes);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn the_tables_that_are_checked_and_salvaged_are_all_tables() {
    let fresh = super::open::fresh().unwrap();
    let mut tables: Vec<_> = super::open::schema(&fresh)
        .unwrap()
        .into_keys()
        .filter_map(|name| name.strip_prefix("table ").map(str::to_owned))
        .collect();
    let mut known: Vec<_> = super::open::TABLES.iter().map(|&name| name.to_owned()).collect();
    tables.sort();
    known.sort();
    assert_eq!(tables, known);
}
