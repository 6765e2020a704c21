//! Scores of a detector, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::average_precision::{CocoSize, HitCounts, average_precision, counts};
use super::matching::PictureBoxes;
use crate::detect::{Class, Thresholds};

/// Scores of one model on one set of pictures.
#[derive(Debug, Serialize)]
pub struct DetectReport {
    /// Which model.
    pub model: ModelEntry,
    /// The manifest's thresholds.
    pub thresholds: ThresholdsEntry,
    /// Average precision includes boxes from this confidence up.
    pub scored_from: f32,
    /// Threads per inference.
    pub threads: u16,
    /// Number of pictures.
    pub pictures: usize,
    /// Categories that are not scored, and their number of boxes.
    pub left_out: BTreeMap<String, usize>,
    /// Annotated classes that the model does not detect; they are not scored.
    pub unreported: Vec<&'static str>,
    /// By tiling, in the order of the arguments.
    pub tilings: Vec<TilingReport>,
}

/// Which model was scored.
#[derive(Debug, Serialize)]
pub struct ModelEntry {
    /// Its name.
    pub name: String,
    /// SHA-256 of the model file, lower-case hex.
    pub sha256: String,
    /// Path of its manifest.
    pub manifest: PathBuf,
}

/// Thresholds of the manifest, 0 to 1; see [`Thresholds`].
#[derive(Debug, Serialize)]
pub struct ThresholdsEntry {
    high: f32,
    low: f32,
    iou: f32,
}

impl From<Thresholds> for ThresholdsEntry {
    fn from(Thresholds { high, low, iou, .. }: Thresholds) -> Self {
        Self { high, low, iou }
    }
}

/// Scores of one tiling.
#[derive(Debug, Serialize)]
pub struct TilingReport {
    /// `None` for only the whole picture.
    pub tile_side_px: Option<u32>,
    /// The mean over the pictures.
    pub inferences_per_picture: f64,
    /// Median time of an inference in milliseconds, without pre- and postprocessing.
    pub inference_ms: f64,
    /// Median time of a pass over a picture in memory, from pixels to detections, in milliseconds.
    pub picture_ms: f64,
    /// Number of boxes that were not finite, had no area, or exceeded the limit per inference.
    pub rejected: u64,
    /// By class.
    pub classes: Vec<ClassReport>,
}

/// Scores of one class.
#[derive(Debug, Serialize)]
pub struct ClassReport {
    class: &'static str,
    all: SizeScores,
    small: SizeScores,
    medium: SizeScores,
    large: SizeScores,
}

/// Scores of one class and size, 0 to 1; `None` when nothing can be divided.
#[derive(Debug, Serialize)]
struct SizeScores {
    /// Boxes that must be found.
    truth: usize,
    ap50: Option<f64>,
    ap50_95: Option<f64>,
    /// At an overlap of 0.3.
    ap30: Option<f64>,
    /// At a waterline match of 0.5.
    ap_waterline: Option<f64>,
    /// The share of true boxes that are found at the manifest's high threshold, at an overlap of 0.5.
    recall: Option<f64>,
    /// The share of those detections that are true.
    precision: Option<f64>,
    hits: usize,
    #[serde(rename = "false")]
    false_boxes: usize,
    false_per_100_pictures: f64,
}

impl ClassReport {
    /// Average precision is over `all` boxes; the rest over the `confident` ones, which the daemon would report.
    pub fn new(class: Class, all: &[PictureBoxes], confident: &[PictureBoxes]) -> Self {
        let of = |size| SizeScores::new(all, confident, size);
        Self {
            class: class.as_str(),
            all: of(CocoSize::All),
            small: of(CocoSize::Small),
            medium: of(CocoSize::Medium),
            large: of(CocoSize::Large),
        }
    }

    fn rows(&self) -> [(CocoSize, &SizeScores); 4] {
        [
            (CocoSize::All, &self.all),
            (CocoSize::Small, &self.small),
            (CocoSize::Medium, &self.medium),
            (CocoSize::Large, &self.large),
        ]
    }
}

impl SizeScores {
    fn new(all: &[PictureBoxes], confident: &[PictureBoxes], size: CocoSize) -> Self {
        let ap = average_precision(all, size);
        let HitCounts { truth, hits, false_boxes } = counts(confident, size);
        let share = |part: usize, of: usize| (of > 0).then(|| part as f64 / of as f64);
        Self {
            truth,
            ap50: ap.map(|ap| ap.at_50),
            ap50_95: ap.map(|ap| ap.at_50_to_95),
            ap30: ap.map(|ap| ap.at_30),
            ap_waterline: ap.map(|ap| ap.waterline),
            recall: share(hits, truth),
            precision: share(hits, hits + false_boxes),
            hits,
            false_boxes,
            false_per_100_pictures: 100.0 * false_boxes as f64 / confident.len() as f64,
        }
    }
}

impl fmt::Display for DetectReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ThresholdsEntry { high, low, iou } = self.thresholds;
        writeln!(f, "{} ({})", self.model.name, self.model.manifest.display())?;
        writeln!(f, "sha256 {}", self.model.sha256)?;
        writeln!(
            f,
            "{} pictures, {} threads per inference; high threshold {high}, low threshold {low}, duplicates above IoU {iou}",
            self.pictures, self.threads
        )?;
        if !self.left_out.is_empty() {
            let each: Vec<_> =
                self.left_out.iter().map(|(name, boxes)| format!("{name} ({boxes})")).collect();
            writeln!(f, "not scored (number of boxes): {}", each.join(", "))?;
        }
        if !self.unreported.is_empty() {
            writeln!(f, "not scored, because the model does not detect it: {}", self.unreported.join(", "))?;
        }
        writeln!(
            f,
            "AP: boxes from confidence {} up. Recall to false/100 (false boxes per 100 pictures): from {high} up, IoU 0.5.\n\
             APwl: a box matches when its ends and its lower edge do; how tall it is does not count.\n",
            self.scored_from
        )?;
        writeln!(
            f,
            "{:<6}  {:>5}  {:<6}  {:>5}  {:>5}  {:>7}  {:>5}  {:>5}  {:>6}  {:>9}  {:>9}  {:>5}  {:>6}  {:>10}",
            "class",
            "tiles",
            "size",
            "truth",
            "AP50",
            "AP50:95",
            "AP30",
            "APwl",
            "recall",
            "precision",
            "false/100",
            "infer",
            "ms/inf",
            "ms/picture"
        )?;
        let classes = self.tilings.first().map_or(0, |tiling| tiling.classes.len());
        for class in 0..classes {
            for tiling in &self.tilings {
                tiling.write_class(f, &tiling.classes[class])?;
            }
        }
        let rejected: u64 = self.tilings.iter().map(|tiling| tiling.rejected).sum();
        if rejected > 0 {
            writeln!(f, "\n{rejected} boxes rejected: not finite, no area, or too many in one inference")?;
        }
        Ok(())
    }
}

impl TilingReport {
    fn write_class(&self, f: &mut fmt::Formatter<'_>, report: &ClassReport) -> fmt::Result {
        let share = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        for (size, scores) in report.rows() {
            // Values of the whole tiling are only in its first row.
            let (class, tiles) = match (size, self.tile_side_px) {
                (CocoSize::All, None) => (report.class, "none".to_owned()),
                (CocoSize::All, Some(side_px)) => (report.class, side_px.to_string()),
                _ => ("", String::new()),
            };
            write!(
                f,
                "{class:<6}  {tiles:>5}  {:<6}  {:>5}  {:>5}  {:>7}  {:>5}  {:>5}  {:>6}  {:>9}  {:>9.1}",
                size.as_str(),
                scores.truth,
                share(scores.ap50),
                share(scores.ap50_95),
                share(scores.ap30),
                share(scores.ap_waterline),
                share(scores.recall),
                share(scores.precision),
                scores.false_per_100_pictures,
            )?;
            if size == CocoSize::All {
                let Self { inferences_per_picture, inference_ms, picture_ms, .. } = self;
                write!(f, "  {inferences_per_picture:>5.1}  {inference_ms:>6.1}  {picture_ms:>10.1}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
