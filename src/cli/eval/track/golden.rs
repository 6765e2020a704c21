//! Compares scores with those of TrackEval (tests/data/mot, see golden.py there).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::mot::MotFile;
use super::scores::{TrackScores, TrackTally};

/// Compares every score of the golden file with the one of the same name.
fn compare(name: &str, scores: &TrackScores, golden: &BTreeMap<String, BTreeMap<String, f64>>) {
    let found = serde_json::to_value(scores).unwrap();
    for (score, expected) in &golden[name] {
        let off = found.get(score).and_then(Value::as_f64).map(|is| (is - expected).abs());
        assert!(off.is_some_and(|off| off < 1e-9), "{name}, {score}: {expected} in TrackEval, {found}");
    }
}

#[test]
fn scores_match_those_of_trackeval() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mot");
    let text = std::fs::read_to_string(folder.join("golden.json")).unwrap();
    let golden: BTreeMap<String, BTreeMap<String, f64>> = serde_json::from_str(&text).unwrap();
    let mut combined = TrackTally::default();
    for name in golden.keys().filter(|name| *name != "combined") {
        let read = |file| MotFile::Truth.read(&folder.join(name).join(file)).unwrap();
        let tally = TrackTally::new(&read("gt.txt"), &read("tracks.txt"));
        compare(name, &tally.scores(), &golden);
        combined += &tally;
    }
    compare("combined", &combined.scores(), &golden);
}
