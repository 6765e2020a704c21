//! Tests of recovery: what is copied from a damaged logbook, and how the rest is reported.

use std::path::Path;

use rusqlite::Connection;

use super::damage::{break_page, damage, page_of};
use super::retention::sample_logbook;
use super::{fresh, hash};
use crate::logbook::testing::*;
use crate::logbook::*;

pub(super) fn rows_of(recovery: &Recovery, table: &str) -> RecoveredTable {
    recovery.tables.iter().find(|kind| kind.table == table).unwrap().clone()
}

#[test]
fn recovery_of_a_sound_logbook_copies_every_row() {
    let (folder, path) = fresh();
    sample_logbook(&path, 500);
    damage(&path, |_| ());
    let before = hash(&path);
    let to = folder.path().join("new.sqlite");
    let recovery = recover(&path, &to, at(900.0).wall, |_| ()).unwrap();
    assert!(recovery.is_whole() && recovery.report.is_sound(), "{recovery:?}");
    assert_eq!(hash(&path), before);
    for (table, _) in check_integrity(&path, |_| ()).unwrap().counts {
        let all = format!("SELECT * FROM {table}");
        let dump = |file: &Path| {
            let connection = Connection::open(file).unwrap();
            let mut statement = connection.prepare(&all).unwrap();
            let columns = statement.column_count();
            let row = |row: &rusqlite::Row<'_>| {
                (0..columns).map(|n| row.get::<_, rusqlite::types::Value>(n)).collect::<Result<Vec<_>, _>>()
            };
            statement.query_map([], row).unwrap().collect::<Result<Vec<_>, _>>().unwrap()
        };
        assert_eq!(dump(&path), dump(&to), "{table}");
    }
    assert!(matches!(recover(&path, &to, at(0.0).wall, |_| ()), Err(LogbookError::Exists { .. })));
}

#[test]
fn recovery_loses_only_rows_on_damaged_pages() {
    let (folder, path) = fresh();
    sample_logbook(&path, 5000);
    let pages: Vec<usize> = column(
        &path,
        "SELECT pageno FROM dbstat WHERE name = 'detection' AND pagetype = 'leaf' ORDER BY path",
    )
    .iter()
    .map(|page| page.parse().unwrap())
    .collect();
    // The first, the last, and two in the middle.
    let broken = [pages[0], pages[20], pages[21], pages[pages.len() - 1]];
    let lost: usize = broken
        .iter()
        .map(|page| {
            column(&path, &format!("SELECT ncell FROM dbstat WHERE pageno = {page}"))[0]
                .parse::<usize>()
                .unwrap()
        })
        .sum();
    damage(&path, |bytes| broken.iter().for_each(|&page| break_page(bytes, page)));
    let to = folder.path().join("new.sqlite");
    let recovery = recover(&path, &to, at(900.0).wall, |_| ()).unwrap();
    let detections = rows_of(&recovery, "detection");
    assert_eq!(detections.rows as usize, 10_003 - lost, "{detections:?}");
    assert_eq!(detections.unread.split(',').count(), 3, "{detections:?}");
    assert!(recovery.tables.iter().filter(|kind| !kind.is_whole()).all(|kind| kind.table == "detection"));
    assert!(recovery.report.is_sound(), "{:?}", recovery.report);
    assert_eq!(
        column(&to, "SELECT act || kind || ids FROM receipt"),
        [format!("damageddetection{}", detections.unread)]
    );
}

/// Half a page may be left, and its rows read as zeros: that is not the end of a table.
#[test]
fn a_table_is_whole_only_with_every_row() {
    let (_folder, path) = fresh();
    sample_logbook(&path, 100);
    damage(&path, |_| ());
    let counts = check_integrity(&path, |_| ()).unwrap().counts;
    let whole = std::fs::read(&path).unwrap();
    for cut in (1..whole.len()).step_by(2039) {
        let (folder, path) = fresh();
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let Ok(recovery) = recover(&path, &folder.path().join("new.sqlite"), at(900.0).wall, |_| ()) else {
            continue;
        };
        for kind in recovery.tables.iter().filter(|kind| kind.is_whole()) {
            let (_, rows) = counts.iter().find(|(table, _)| table == kind.table).unwrap();
            assert_eq!(kind.rows, *rows, "{}, without its last {cut} bytes", kind.table);
        }
    }
}

#[test]
fn recovery_keeps_rows_of_a_lost_start_and_camera() {
    let (folder, path) = fresh();
    sample_logbook(&path, 50);
    let roots = ["start", "camera"].map(|table| page_of(&path, table, "leaf"));
    damage(&path, |bytes| roots.iter().for_each(|&page| break_page(bytes, page)));
    let to = folder.path().join("new.sqlite");
    let recovery = recover(&path, &to, at(900.0).wall, |_| ()).unwrap();
    let passes = rows_of(&recovery, "pass");
    assert_eq!((passes.rows, passes.stand_ins), (53, vec!["camera 1".to_owned(), "start 1".to_owned()]));
    assert!(recovery.report.is_sound(), "{:?}", recovery.report);
    assert_eq!(column(&to, "SELECT DISTINCT camera FROM v_detections"), ["lost-1"]);
}

#[test]
fn recovery_updates_an_earlier_version() {
    let (folder, path) = fresh();
    let dump = include_str!("../../../tests/data/logbook/version-2.sql");
    Connection::open(&path).unwrap().execute_batch(dump).unwrap();
    let to = folder.path().join("new.sqlite");
    let recovery = recover(&path, &to, at(900.0).wall, |_| ()).unwrap();
    assert!(recovery.is_whole() && recovery.report.is_sound(), "{recovery:?}");
    assert_eq!(column(&to, "SELECT count(*) FROM visit"), column(&path, "SELECT count(*) FROM visit"));
}
