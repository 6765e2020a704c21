//! Tests of opening logbooks of this version and of earlier ones.

use super::*;
use crate::logbook::testing::{SOON, at, column, open, step};
use crate::logbook::{Evidence, Outbox, Reader};
use crate::rules::Phase;

/// Logbooks of earlier versions as a watch that was cut off left them behind: a signal that was told and closed, one
/// that is open, one within the cooldown. Those of version 2 hold visits, an answer and a silence, too.
const EARLIER: [&str; 2] = [
    include_str!("../../../tests/data/logbook/version-1.sql"),
    include_str!("../../../tests/data/logbook/version-2.sql"),
];

fn of_version_1(path: &Path) {
    Connection::open(path).unwrap().execute_batch(EARLIER[0]).unwrap();
}

/// Every row of a table, in the columns that are named.
fn rows(connection: &Connection, table: &str, columns: &str) -> Vec<Vec<rusqlite::types::Value>> {
    let mut statement = connection.prepare(&format!("SELECT {columns} FROM {table} ORDER BY 1")).unwrap();
    let count = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..count).map(|n| row.get(n)).collect::<Result<_, _>>();
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn each_earlier_version_becomes_what_a_fresh_logbook_is_and_keeps_every_row() {
    assert_eq!(EARLIER.len() + 1, STEPS.len(), "every earlier version has its frozen copy");
    for (version, dump) in (1..).zip(EARLIER) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let mut connection = Connection::open(&path).unwrap();
        connection.execute_batch(dump).unwrap();
        let tables = tables_of(version).unwrap();
        let all = |connection: &Connection, columns: &[String]| {
            tables.iter().zip(columns).map(|(table, c)| rows(connection, table, c)).collect::<Vec<_>>()
        };
        let columns: Vec<String> = tables
            .iter()
            .map(|table| {
                let names = format!("SELECT group_concat(name) FROM pragma_table_info('{table}')");
                connection.query_row(&names, [], |row| row.get(0)).unwrap()
            })
            .collect();
        let before = all(&connection, &columns);
        let held = before.iter().filter(|rows| !rows.is_empty()).count();
        assert_eq!(held, tables.len() - 1, "every table but that of tracks holds something");
        migrate(&mut connection).unwrap();
        assert_eq!(
            schema(&connection).unwrap(),
            schema(&fresh().unwrap()).unwrap(),
            "from version {version}"
        );
        assert_eq!(all(&connection, &columns), before, "from version {version}");
        drop(connection);
        let checkup = crate::logbook::check(&path, |_| ()).unwrap();
        assert_eq!(checkup.faults, [""; 0]);
    }
}

#[test]
fn a_logbook_of_version_1_keeps_every_row_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    of_version_1(&path);
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
    // The rebuilt table takes the new phase, and a signal that goes takes its steps along.
    sender.send(step(5, Phase::Opened, 1.0)).unwrap();
    sender.send(step(5, Phase::Escalated, 2.0)).unwrap();
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
fn what_a_logbook_of_an_earlier_version_holds_is_chained_from_its_first_row_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    of_version_1(&path);
    open(&path).0.close(at(0.0).wall, SOON).unwrap();
    let verify = || Reader::open(&path).unwrap().verify(&Evidence::default(), |_| ()).unwrap();
    let verified = verify();
    assert_eq!(verified.faults, []);
    assert_eq!((verified.looks, verified.detections), (1, 1));
    let altered = "UPDATE signal_step SET measured = 9 WHERE id = 1";
    Connection::open(&path).unwrap().execute_batch(altered).unwrap();
    assert_eq!(verify().faults.len(), 1);
}

#[test]
fn a_reader_says_what_to_do_about_an_older_logbook() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    of_version_1(&path);
    let refused = Reader::open(&path).err().unwrap();
    assert!(matches!(refused, LogbookError::Older { found: 1, known: 3, .. }), "{refused}");
    assert!(refused.to_string().contains("havenwacht run"), "{refused}");
    open(&path).0.close(at(0.0).wall, SOON).unwrap();
    assert!(Reader::open(&path).is_ok() && Outbox::open(&path).is_ok());
}
