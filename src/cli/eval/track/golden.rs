//! Scores against those of TrackEval (tests/data/mot, see golden.py there).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::mot::Boxes;
use super::scores::{Scores, Tally};

/// Every figure of the golden file, against that of the same name in the report.
fn compare(name: &str, scores: &Scores, golden: &BTreeMap<String, BTreeMap<String, f64>>) {
    let told = serde_json::to_value(scores).unwrap();
    for (figure, wanted) in &golden[name] {
        let off = told.get(figure).and_then(Value::as_f64).map(|is| (is - wanted).abs());
        assert!(off.is_some_and(|off| off < 1e-9), "{name}, {figure}: {wanted} in TrackEval, {told}");
    }
}

#[test]
fn scores_are_those_of_trackeval_for_each_sequence_and_combined() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mot");
    let text = std::fs::read_to_string(folder.join("golden.json")).unwrap();
    let golden: BTreeMap<String, BTreeMap<String, f64>> = serde_json::from_str(&text).unwrap();
    let mut combined = Tally::default();
    for name in golden.keys().filter(|name| *name != "combined") {
        let read = |file| Boxes::Truth.read(&folder.join(name).join(file)).unwrap();
        let tally = Tally::new(&read("gt.txt"), &read("tracks.txt"));
        compare(name, &tally.scores(), &golden);
        combined += &tally;
    }
    compare("combined", &combined.scores(), &golden);
}
