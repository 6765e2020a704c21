//! Scores against those of COCO's own evaluation (tests/data/coco, see golden.py there).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::average_precision::{Counts, FoundBox, PictureBoxes, Size, average_precision, counts};
use super::coco::{self, ResultRow, Truth};
use crate::detect::Class;

#[derive(Deserialize)]
struct Golden {
    threshold: f64,
    classes: BTreeMap<String, BTreeMap<String, Figures>>,
}

#[derive(Deserialize)]
struct Figures {
    ap50: f64,
    ap50_95: f64,
    truth: usize,
    hits: usize,
    #[serde(rename = "false")]
    false_boxes: usize,
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/coco").join(name)
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = file(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The boxes of `class`, of the found ones those of at least `floor`.
fn pictures(truth: &Truth, rows: &[ResultRow], class: Class, floor: f64) -> Vec<PictureBoxes> {
    let of = |image: &coco::Image| PictureBoxes {
        truth: image.boxes.iter().filter(|(c, _)| *c == class).map(|(_, drawn)| drawn.clone()).collect(),
        found: rows
            .iter()
            .filter(|row| {
                row.image_id == image.id && row.category_id == truth.categories[&class] && row.score >= floor
            })
            .map(|row| FoundBox { bbox: row.bbox, score: row.score })
            .collect(),
    };
    truth.images.iter().map(of).collect()
}

#[test]
fn scores_are_those_of_cocos_own_evaluation() {
    let truth = coco::read(&file("truth.json")).unwrap();
    let (rows, golden): (Vec<ResultRow>, Golden) = (read("detections.json"), read("golden.json"));
    for class in [Class::Vessel, Class::Person] {
        let (all, sure) =
            (pictures(&truth, &rows, class, 0.0), pictures(&truth, &rows, class, golden.threshold));
        for size in Size::EACH {
            let expected = &golden.classes[class.as_str()][size.as_str()];
            let ap = average_precision(&all, size).unwrap();
            let off = [ap.at_50 - expected.ap50, ap.at_50_to_95 - expected.ap50_95];
            assert!(off.iter().all(|d| d.abs() < 1e-6), "{class:?} {size:?}: {ap:?}, off by {off:?}");
            let Figures { truth, hits, false_boxes, .. } = *expected;
            assert_eq!(counts(&sure, size), Counts { truth, hits, false_boxes }, "{class:?} {size:?}");
        }
    }
}
