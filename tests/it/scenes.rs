//! The sample scenes through the real rooms: the signals their ground truth lists, no others, each with its row; and
//! the same again the second time.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde::Deserialize;

use crate::paths::{clip, havenwacht, root};

/// The recording's clock: 22:13 in Amsterdam, as in the demo.
const START: &str = "2026-06-01T20:13:00Z";

#[derive(Debug, Deserialize)]
struct Listed {
    rule: String,
    place: String,
    opens_s: f64,
}

#[derive(Debug)]
struct Raised {
    rule: String,
    place: String,
    opened_s: f64,
    #[expect(dead_code, reason = "read by Debug, when a test fails")]
    text: String,
}

fn replay(camera: &str, logbook: &Path) {
    let output = Command::new(havenwacht())
        .args(["replay", "--start", START, "--json", "--config"])
        .arg(root().join("config/demo.toml"))
        .arg("--camera")
        .arg(format!("{camera}={}", clip(camera).display()))
        .arg("--logbook")
        .arg(logbook)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(summary["cameras"][0]["looked_at"].as_u64().unwrap() > 200, "{summary:#}");
}

fn raised(logbook: &Path) -> Vec<Raised> {
    let logbook = Connection::open(logbook).unwrap();
    let mut rows = logbook
        .prepare("select rule_id, place_id, (julianday(opened_utc) - julianday(?1)) * 86400, text from v_signals order by seq")
        .unwrap();
    let raised = rows.query_map([START], |row| {
        Ok(Raised { rule: row.get(0)?, place: row.get(1)?, opened_s: row.get(2)?, text: row.get(3)? })
    });
    raised.unwrap().map(Result::unwrap).collect()
}

/// Each listed signal is raised once, near its time, and nothing else is.
fn raises_exactly_what_is_listed(camera: &str) {
    let folder = tempfile::tempdir().unwrap();
    let logbook = folder.path().join("logbook.sqlite");
    replay(camera, &logbook);
    let truth = clip(camera).with_extension("signals.json");
    let mut listed: Vec<Listed> = serde_json::from_str(&std::fs::read_to_string(truth).unwrap()).unwrap();
    assert!(!listed.is_empty());
    let mut extra = Vec::new();
    for signal in raised(&logbook) {
        let near = |l: &Listed| {
            l.rule == signal.rule && l.place == signal.place && (signal.opened_s - l.opens_s).abs() < 3.0
        };
        match listed.iter().position(near) {
            Some(at) => drop(listed.remove(at)),
            None => extra.push(signal),
        }
    }
    assert!(listed.is_empty() && extra.is_empty(), "missed: {listed:#?}\nnot listed: {extra:#?}");
}

#[test]
fn the_inner_harbour_raises_exactly_its_signals() {
    raises_exactly_what_is_listed("inner-harbour");
}

#[test]
fn the_quay_at_night_raises_exactly_its_signals() {
    raises_exactly_what_is_listed("quay-east");
}

#[test]
fn the_roads_raise_exactly_their_signals() {
    raises_exactly_what_is_listed("roads");
}

#[test]
fn the_same_recording_gives_the_same_logbook_row_for_row() {
    let folder = tempfile::tempdir().unwrap();
    let tables =
        ["start", "camera", "look", "detection", "track", "signal", "signal_step", "alert", "camera_state"];
    let dump = |name: &str| {
        let path = folder.path().join(name);
        replay("quay-east", &path);
        let logbook = Connection::open(path).unwrap();
        let mut rows = Vec::new();
        for table in tables {
            let mut statement = logbook.prepare(&format!("select * from {table} order by 1")).unwrap();
            let columns = statement.column_count();
            let mut found = statement.query([]).unwrap();
            while let Some(row) = found.next().unwrap() {
                let values: Vec<_> = (0..columns)
                    .map(|i| row.get_ref(i).unwrap().to_owned())
                    .map(rusqlite::types::Value::try_from)
                    .collect();
                rows.push(format!("{table}: {values:?}"));
            }
        }
        rows
    };
    let (once, again) = (dump("once.sqlite"), dump("again.sqlite"));
    assert!(once.len() > 500, "{} rows", once.len());
    for (a, b) in once.iter().zip(&again) {
        assert_eq!(a, b);
    }
    assert_eq!(once.len(), again.len());
}
