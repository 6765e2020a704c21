//! Tests of what a salvage brings out of a damaged logbook, and how it says what it could not read.

use rusqlite::Connection;

use super::{break_page, damage, fresh, hash, night, page_of};
use crate::logbook::testing::*;
use crate::logbook::*;

pub(super) fn rows_of(salvaged: &Salvaged, table: &str) -> SalvagedKind {
    salvaged.kinds.iter().find(|kind| kind.table == table).unwrap().clone()
}

#[test]
fn a_salvage_of_a_whole_logbook_is_the_whole_logbook() {
    let (folder, path) = fresh();
    night(&path, 500);
    damage(&path, |_| ());
    let before = hash(&path);
    let to = folder.path().join("new.sqlite");
    let salvaged = salvage(&path, &to, at(900.0).wall, |_| ()).unwrap();
    assert!(salvaged.is_whole() && salvaged.checkup.is_sound(), "{salvaged:?}");
    assert_eq!(hash(&path), before);
    for (table, _) in check(&path, |_| ()).unwrap().counts {
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
    assert!(matches!(salvage(&path, &to, at(0.0).wall, |_| ()), Err(LogbookError::Exists { .. })));
}

#[test]
fn a_salvage_brings_everything_but_what_stood_on_the_damaged_page() {
    let (folder, path) = fresh();
    night(&path, 5000);
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
    let salvaged = salvage(&path, &to, at(900.0).wall, |_| ()).unwrap();
    let detections = rows_of(&salvaged, "detection");
    assert_eq!(detections.rows as usize, 10_003 - lost, "{detections:?}");
    assert_eq!(detections.unread.split(',').count(), 3, "{detections:?}");
    assert!(salvaged.kinds.iter().filter(|kind| !kind.is_whole()).all(|kind| kind.table == "detection"));
    assert!(salvaged.checkup.is_sound(), "{:?}", salvaged.checkup);
    assert_eq!(
        column(&to, "SELECT act || kind || ids FROM receipt"),
        [format!("damageddetection{}", detections.unread)]
    );
}

/// Half a page may be left, whose rows then read as zeros: that is not the end of a table.
#[test]
fn a_table_is_called_whole_only_when_every_row_came_wherever_the_file_was_cut() {
    let (_folder, path) = fresh();
    night(&path, 100);
    damage(&path, |_| ());
    let counts = check(&path, |_| ()).unwrap().counts;
    let whole = std::fs::read(&path).unwrap();
    for cut in (1..whole.len()).step_by(2039) {
        let (folder, path) = fresh();
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let Ok(salvaged) = salvage(&path, &folder.path().join("new.sqlite"), at(900.0).wall, |_| ()) else {
            continue;
        };
        for kind in salvaged.kinds.iter().filter(|kind| kind.is_whole()) {
            let (_, rows) = counts.iter().find(|(table, _)| table == kind.table).unwrap();
            assert_eq!(kind.rows, *rows, "{}, without its last {cut} bytes", kind.table);
        }
    }
}

#[test]
fn a_salvage_keeps_rows_whose_start_and_camera_are_lost() {
    let (folder, path) = fresh();
    night(&path, 50);
    let roots = ["start", "camera"].map(|table| page_of(&path, table, "leaf"));
    damage(&path, |bytes| roots.iter().for_each(|&page| break_page(bytes, page)));
    let to = folder.path().join("new.sqlite");
    let salvaged = salvage(&path, &to, at(900.0).wall, |_| ()).unwrap();
    let looks = rows_of(&salvaged, "look");
    assert_eq!((looks.rows, looks.stand_ins), (53, vec!["camera 1".to_owned(), "start 1".to_owned()]));
    assert!(salvaged.checkup.is_sound(), "{:?}", salvaged.checkup);
    assert_eq!(column(&to, "SELECT DISTINCT camera FROM v_detections"), ["lost-1"]);
}

#[test]
fn a_logbook_of_an_earlier_version_is_salvaged_and_brought_up_to_date() {
    let (folder, path) = fresh();
    let dump = include_str!("../../../tests/data/logbook/version-2.sql");
    Connection::open(&path).unwrap().execute_batch(dump).unwrap();
    let to = folder.path().join("new.sqlite");
    let salvaged = salvage(&path, &to, at(900.0).wall, |_| ()).unwrap();
    assert!(salvaged.is_whole() && salvaged.checkup.is_sound(), "{salvaged:?}");
    assert_eq!(column(&to, "SELECT count(*) FROM visit"), column(&path, "SELECT count(*) FROM visit"));
}
