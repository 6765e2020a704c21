//! Scores against those of TrackEval (tests/data/mot, see golden.py there).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::mot::Boxes;
use super::scores::{Scores, Tally};

#[derive(Debug, Deserialize)]
struct Figures {
    hota: f64,
    det_a: f64,
    ass_a: f64,
    mota: f64,
    idf1: f64,
    id_switches: u64,
    hits: u64,
    missed: u64,
    #[serde(rename = "false")]
    false_boxes: u64,
}

fn compare(name: &str, scores: &Scores, golden: &BTreeMap<String, Figures>) {
    let Figures { hota, det_a, ass_a, mota, idf1, .. } = golden[name];
    let off = [
        scores.hota - hota,
        scores.det_a - det_a,
        scores.ass_a - ass_a,
        scores.mota - mota,
        scores.idf1 - idf1,
    ];
    assert!(off.iter().all(|d| d.abs() < 1e-9), "{name}: {scores:?}, off by {off:?}");
    let Figures { id_switches, hits, missed, false_boxes, .. } = golden[name];
    assert_eq!(
        [scores.id_switches, scores.hits, scores.missed, scores.false_boxes],
        [id_switches, hits, missed, false_boxes],
        "{name}"
    );
}

#[test]
fn scores_are_those_of_trackeval_for_each_sequence_and_combined() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mot");
    let text = std::fs::read_to_string(folder.join("golden.json")).unwrap();
    let golden: BTreeMap<String, Figures> = serde_json::from_str(&text).unwrap();
    let mut combined = Tally::default();
    for name in golden.keys().filter(|name| *name != "combined") {
        let read = |file| Boxes::Truth.read(&folder.join(name).join(file)).unwrap();
        let tally = Tally::new(&read("gt.txt"), &read("tracks.txt"));
        compare(name, &tally.scores(), &golden);
        combined += &tally;
    }
    compare("combined", &combined.scores(), &golden);
}
