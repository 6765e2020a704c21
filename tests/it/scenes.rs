//! The sample scenes through the whole pipeline: they raise exactly the signals of their ground truth, and a second replay
//! gives the same logbook.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde::Deserialize;

use crate::paths::{clip, havenwacht, root};

/// The start of the recording: 22:13 in Amsterdam, as in the demo.
const START: &str = "2026-06-01T20:13:00Z";

#[derive(Debug, Deserialize)]
struct ExpectedSignal {
    rule: String,
    place: String,
    opens_s: f64,
}

#[derive(Debug)]
struct RaisedSignal {
    rule: String,
    place: String,
    opened_s: f64,
    #[expect(dead_code, reason = "read by Debug, when a test fails")]
    text: String,
}

/// Replays the clip of one camera of a site into a new logbook. Gives the number of frames that were inspected.
fn replay(site: &Path, camera: &str, clip: &Path, logbook: &Path) -> u64 {
    let output = Command::new(havenwacht())
        .args(["replay", "--start", START, "--json", "--config"])
        .arg(site)
        .arg("--camera")
        .arg(format!("{camera}={}", clip.display()))
        .arg("--logbook")
        .arg(logbook)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    summary["cameras"][0]["passes"].as_u64().unwrap()
}

fn raised(logbook: &Path) -> Vec<RaisedSignal> {
    let logbook = Connection::open(logbook).unwrap();
    let mut rows = logbook
        .prepare("select rule_id, place_id, (julianday(opened_utc) - julianday(?1)) * 86400, text from v_signals order by seq")
        .unwrap();
    let raised = rows.query_map([START], |row| {
        Ok(RaisedSignal { rule: row.get(0)?, place: row.get(1)?, opened_s: row.get(2)?, text: row.get(3)? })
    });
    raised.unwrap().map(Result::unwrap).collect()
}

/// Each expected signal is raised once, near its time, and no other signal.
fn raises_exactly_the_expected_signals(camera: &str) {
    let folder = tempfile::tempdir().unwrap();
    let logbook = folder.path().join("logbook.sqlite");
    let inspected = replay(&root().join("config/demo.toml"), camera, &clip(camera), &logbook);
    assert!(inspected > 200, "{inspected} frames were inspected");
    let truth = clip(camera).with_extension("signals.json");
    let mut expected: Vec<ExpectedSignal> =
        serde_json::from_str(&std::fs::read_to_string(truth).unwrap()).unwrap();
    assert!(!expected.is_empty());
    let mut extra = Vec::new();
    for signal in raised(&logbook) {
        let near = |l: &ExpectedSignal| {
            l.rule == signal.rule && l.place == signal.place && (signal.opened_s - l.opens_s).abs() < 3.0
        };
        match expected.iter().position(near) {
            Some(at) => drop(expected.remove(at)),
            None => extra.push(signal),
        }
    }
    assert!(expected.is_empty() && extra.is_empty(), "missed: {expected:#?}\nnot expected: {extra:#?}");
}

#[test]
fn inner_harbour_raises_exactly_its_signals() {
    raises_exactly_the_expected_signals("inner-harbour");
}

#[test]
fn quay_east_raises_exactly_its_signals() {
    raises_exactly_the_expected_signals("quay-east");
}

#[test]
fn roads_raises_exactly_its_signals() {
    raises_exactly_the_expected_signals("roads");
}

#[test]
fn the_same_recording_gives_the_same_logbook() {
    // Sixteen seconds are enough: any difference shows in the first rows.
    let variant = root().join("sample-streams/out/variants/day-00");
    let folder = tempfile::tempdir().unwrap();
    let tables =
        ["start", "camera", "pass", "detection", "track", "signal", "signal_step", "alert", "camera_state"];
    let dump = |name: &str| {
        let path = folder.path().join(name);
        replay(&variant.join("site.toml"), "quay", &variant.join("clip.mp4"), &path);
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
    let (first, second) = (dump("first.sqlite"), dump("second.sqlite"));
    assert!(first.len() > 150, "{} rows", first.len());
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(a, b);
    }
    assert_eq!(first.len(), second.len());
}
