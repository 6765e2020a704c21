//! Compares scores with those of COCO's own evaluation (tests/data/coco, see golden.py there).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use strum::VariantArray as _;

use super::average_precision::{CocoSize, HitCounts, average_precision, counts};
use super::coco::{self, Annotations, ResultRow};
use super::matching::{FoundBox, PictureBoxes};
use crate::detect::Class;

#[derive(Deserialize)]
struct Golden {
    threshold: f64,
    classes: BTreeMap<String, BTreeMap<String, GoldenScores>>,
}

#[derive(Deserialize)]
struct GoldenScores {
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

/// The boxes of `class`; the detected ones from score `threshold` up.
fn pictures(truth: &Annotations, rows: &[ResultRow], class: Class, threshold: f64) -> Vec<PictureBoxes> {
    let of = |image: &coco::AnnotatedPicture| PictureBoxes {
        truth: image.boxes.iter().filter(|(c, _)| *c == class).map(|(_, drawn)| drawn.clone()).collect(),
        found: rows
            .iter()
            .filter(|row| {
                row.image_id == image.id
                    && row.category_id == truth.categories[&class]
                    && row.score >= threshold
            })
            .map(|row| FoundBox { bbox: row.bbox, score: row.score })
            .collect(),
    };
    truth.images.iter().map(of).collect()
}

#[test]
fn scores_match_those_of_coco() {
    let truth = coco::read(&file("truth.json")).unwrap();
    let (rows, golden): (Vec<ResultRow>, Golden) = (read("detections.json"), read("golden.json"));
    for class in [Class::Vessel, Class::Person] {
        let (all, confident) =
            (pictures(&truth, &rows, class, 0.0), pictures(&truth, &rows, class, golden.threshold));
        for &size in CocoSize::VARIANTS {
            let expected = &golden.classes[class.as_str()][size.as_str()];
            let ap = average_precision(&all, size).unwrap();
            let off = [ap.at_50 - expected.ap50, ap.at_50_to_95 - expected.ap50_95];
            assert!(off.iter().all(|d| d.abs() < 1e-6), "{class:?} {size:?}: {ap:?}, off by {off:?}");
            let GoldenScores { truth, hits, false_boxes, .. } = *expected;
            assert_eq!(
                counts(&confident, size),
                HitCounts { truth, hits, false_boxes },
                "{class:?} {size:?}"
            );
        }
    }
}
