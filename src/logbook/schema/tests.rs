//! Tests of opening logbooks of this version and of earlier ones.

use std::path::Path;

use rusqlite::Connection;

use super::*;
use crate::logbook::testing::{SOON, at, column, open, signal_step};
use crate::logbook::{LogbookError, Outbox, Reader, TrustAnchors, Verification, check_integrity};
use crate::rules::Phase;

/// Logbooks of earlier versions, as a daemon that was cut off left them. Each holds a row in every table, apart from those
/// that are named here.
const EARLIER: [(&str, &[&str]); 3] = [
    (include_str!("../../../tests/data/logbook/version-1.sql"), &["track"]),
    (include_str!("../../../tests/data/logbook/version-2.sql"), &["track"]),
    (include_str!("../../../tests/data/logbook/version-3.sql"), &[]),
];

fn of_version(version: usize, path: &Path) {
    Connection::open(path).unwrap().execute_batch(EARLIER[version - 1].0).unwrap();
}

fn verify(path: &Path) -> Verification {
    Reader::open(path).unwrap().verify(&TrustAnchors::default(), |_| ()).unwrap()
}

/// Every row of a table, in its first columns.
fn rows(connection: &Connection, table: &str, columns: usize) -> Vec<Vec<rusqlite::types::Value>> {
    let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|n| row.get(n)).collect::<Result<_, _>>();
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The stored columns of a table. Migrations only rename them, or add more at the end.
fn columns(connection: &Connection, table: &str) -> usize {
    let count = format!("SELECT count(*) FROM pragma_table_info('{table}')");
    connection.query_row(&count, [], |row| row.get::<_, i64>(0)).unwrap() as usize
}

#[test]
fn migration_keeps_every_row_and_gives_the_new_schema() {
    assert_eq!(EARLIER.len() + 1, VERSION, "every earlier version has its fixture");
    for (version, (_, empty)) in (1..).zip(EARLIER) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        of_version(version, &path);
        let mut connection = Connection::open(&path).unwrap();
        let before: Vec<_> = tables_of(version)
            .unwrap()
            .into_iter()
            .map(|table| (table, columns(&connection, table)))
            .map(|(table, count)| (table, count, rows(&connection, table, count)))
            .collect();
        for (table, _, rows) in &before {
            assert_eq!(rows.is_empty(), empty.contains(table), "{table} of version {version}");
        }
        migrate(&mut connection).unwrap();
        let fresh = definitions(&fresh().unwrap()).unwrap();
        assert_eq!(definitions(&connection).unwrap(), fresh, "from version {version}");
        for (table, count, rows_before) in before {
            let name = current_name(table);
            // Migration 2 adds a column in the middle; migration 4 renames reasons.
            if (version == 1 && table == "signal_step") || table == "suppressed" {
                assert_eq!(
                    rows(&connection, name, 1),
                    rows_before.iter().map(|row| row[..1].to_vec()).collect::<Vec<_>>()
                );
                continue;
            }
            assert_eq!(rows(&connection, name, count), rows_before, "{table} of version {version}");
        }
        drop(connection);
        assert_eq!(check_integrity(&path, |_| ()).unwrap().faults, [""; 0], "from version {version}");
        assert_eq!(verify(&path).faults, [], "from version {version}");
    }
}

#[test]
fn a_logbook_of_version_1_continues() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    of_version(1, &path);
    let kept = [
        "SELECT id || phase || at || measured || text || y1 FROM signal_step WHERE id <= 7 ORDER BY id",
        "SELECT id || rule || opened || measured || threshold || vessel FROM signal ORDER BY seq",
        "SELECT id || payload FROM alert ORDER BY seq",
        "SELECT vessel || confidence FROM v_detections",
        "SELECT local_time || state FROM v_camera_state",
    ];
    let before = kept.map(|query| column(&path, query));
    let (writer, sender) = open(&path);
    assert_eq!(kept.map(|query| column(&path, query)), before);
    assert_eq!(before[0].len(), 6);
    assert_eq!((writer.start(), writer.next_vessel()), (2, 9));
    assert_eq!(
        column(&path, "SELECT signal || phase || severity FROM v_signal_steps WHERE id > 7"),
        ["2closedwarning"],
        "what was open is closed by the restart"
    );
    assert_eq!(column(&path, "SELECT condition || schedule || margin FROM v_signals"), ["0.0"; 3]);
    assert_eq!(column(&path, "SELECT config_hash FROM v_signals"), ["c0"; 3]);
    // The new phase is accepted, and a signal that is deleted takes its steps with it.
    sender.send(signal_step(5, Phase::Opened, 1.0)).unwrap();
    sender.send(signal_step(5, Phase::Escalated, 2.0)).unwrap();
    writer.close(at(3.0).wall, SOON).unwrap();
    assert_eq!(column(&path, "SELECT phase FROM signal_step WHERE id > 8"), ["opened", "escalated"]);
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    connection.execute("DELETE FROM signal WHERE seq = 3", []).unwrap();
    assert_eq!(column(&path, "SELECT count(*) FROM signal_step WHERE signal = 3"), ["0"]);
    assert_eq!(column(&path, "PRAGMA foreign_key_check"), [""; 0]);
    assert_eq!(column(&path, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn a_logbook_of_version_1_gets_a_chain_from_its_first_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    of_version(1, &path);
    open(&path).0.close(at(0.0).wall, SOON).unwrap();
    let verified = verify(&path);
    assert_eq!(verified.faults, []);
    assert_eq!((verified.passes, verified.detections), (1, 1));
    let altered = "UPDATE signal_step SET measured = 9 WHERE id = 1";
    Connection::open(&path).unwrap().execute_batch(altered).unwrap();
    assert_eq!(verify(&path).faults.len(), 1);
}

#[test]
fn the_chain_of_version_3_verifies_and_continues() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    of_version(3, &path);
    open(&path).0.close(at(0.0).wall, SOON).unwrap();
    let verified = verify(&path);
    assert_eq!(verified.faults, []);
    // Rows of two tables were removed with receipts that name them by their old words.
    assert_eq!((verified.removed, verified.removed_seals), (2, 1));
    assert_eq!(
        column(
            &path,
            "SELECT kind FROM link WHERE kind LIKE '%blind%' OR kind LIKE '%outage%' GROUP BY kind"
        ),
        ["blind_spell", "blind_spell_end", "camera_outage_end"],
        "the new start ended the last outage"
    );
    let altered = "UPDATE camera_outage SET cause = 'black' WHERE seq = 2";
    Connection::open(&path).unwrap().execute_batch(altered).unwrap();
    let faults = verify(&path).faults;
    assert_eq!(faults.len(), 1);
    assert!(faults[0].what.starts_with("the row of camera_outage 2 was altered"), "{faults:?}");
}

#[test]
fn old_words_are_shown_as_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    of_version(3, &path);
    migrate(&mut Connection::open(&path).unwrap()).unwrap();
    assert_eq!(
        column(&path, "SELECT cause FROM v_camera_outages ORDER BY seq"),
        ["frozen", "black", "overexposed", "low contrast", "defocused", "scene change", "low frame rate"]
    );
    assert_eq!(
        column(&path, "SELECT DISTINCT ifnull(ended_by, '-') FROM v_camera_outages ORDER BY 1"),
        ["-", "another cause", "recovered", "restart", "stop"]
    );
    assert_eq!(column(&path, "SELECT kind FROM v_receipts ORDER BY id"), ["pass", "camera_outage"]);
    let reasons = "SELECT reason FROM v_suppressed WHERE vessel = 9 ORDER BY id";
    let reasons = column(&path, reasons).join(", ");
    assert!(reasons.contains("low confidence, camera outage, at berth, exception"), "{reasons}");
    assert_eq!(column(&path, "SELECT kind FROM v_signals WHERE rule = 'Ferry'"), ["inactivity"]);
}

#[test]
fn opening_replaces_the_views_of_another_build() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    open(&path).0.close(at(0.0).wall, SOON).unwrap();
    let altered = "DROP VIEW v_paths; DROP VIEW v_starts; CREATE VIEW v_starts AS SELECT 1 AS start;
                   CREATE VIEW v_old AS SELECT 1";
    Connection::open(&path).unwrap().execute_batch(altered).unwrap();
    // A reader has the right ones at once, and changes nothing.
    assert!(Reader::open(&path).unwrap().news(&mut Default::default()).is_ok());
    assert_eq!(column(&path, "SELECT count(*) FROM v_old"), ["1"]);
    open(&path).0.close(at(1.0).wall, SOON).unwrap();
    assert_eq!(
        definitions(&Connection::open(&path).unwrap()).unwrap(),
        definitions(&fresh().unwrap()).unwrap()
    );
}

#[test]
fn a_reader_names_the_remedy_for_an_older_logbook() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    of_version(1, &path);
    let error = Reader::open(&path).err().unwrap();
    assert!(matches!(error, LogbookError::Older { found: 1, known: VERSION, .. }), "{error}");
    assert!(error.to_string().contains("havenwacht run"), "{error}");
    open(&path).0.close(at(0.0).wall, SOON).unwrap();
    assert!(Reader::open(&path).is_ok() && Outbox::open(&path).is_ok());
}
