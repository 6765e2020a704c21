//! A property test: any change of a value that the chain covers is found.

use proptest::prelude::*;
use rusqlite::Connection;

use super::chain_tests::{sample, verify};
use crate::logbook::TrustAnchors;

/// Every value that the chain covers.
fn covered_values(connection: &Connection) -> Vec<(String, String, i64)> {
    let mut places = Vec::new();
    for (table, skipped) in [
        ("signal_step", vec!["id"]),
        ("alert", vec!["seq", "attempts", "delivered", "delivered_offset", "expired", "picture"]),
        ("acknowledgement", vec!["id"]),
        ("start", vec!["id", "ended"]),
        ("seal", vec!["id"]),
        ("pass", vec!["id"]),
        ("detection", vec!["id", "pass"]),
        ("link", vec!["signature"]),
    ] {
        let columns: Vec<String> = connection
            .prepare("SELECT name FROM pragma_table_info(?1)")
            .unwrap()
            .query_map([table], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let rows: Vec<i64> = connection
            .prepare(&format!("SELECT rowid FROM {table}"))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for column in columns.iter().filter(|column| !skipped.contains(&column.as_str())) {
            places.extend(rows.iter().map(|&row| (table.to_owned(), column.clone(), row)));
        }
    }
    places
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_changed_value_is_found(chosen in any::<prop::sample::Index>(), by in 1i64..1000) {
        let (_folder, path) = sample();
        let changed = Connection::open(&path).unwrap();
        changed.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
        let places = covered_values(&changed);
        let (table, column, row) = &places[chosen.index(places.len())];
        let query = format!(
            "UPDATE OR IGNORE {table} SET {column} = CASE typeof({column})
               WHEN 'integer' THEN {column} + {by} WHEN 'real' THEN {column} + {by} WHEN 'blob' THEN zeroblob(length({column}))
               WHEN 'null' THEN {by} ELSE {column} || '.' END WHERE rowid = {row}"
        );
        // SQLite itself rejects some changes (a value of another type).
        if changed.execute(&query, []).is_ok_and(|rows| rows == 1) {
            drop(changed);
            let faults = verify(&path, &TrustAnchors::default()).faults;
            prop_assert!(!faults.is_empty(), "{query}");
        }
    }
}
