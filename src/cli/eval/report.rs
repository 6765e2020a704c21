//! What a detector scored, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::average_precision::{Counts, PictureBoxes, Size, average_precision, counts};
use crate::detect::{Class, Thresholds};

/// Scores of one model on one set of pictures.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Which model.
    pub model: ModelEntry,
    /// As in its manifest.
    pub thresholds: ThresholdsEntry,
    /// Average precision is over boxes from this confidence up.
    pub scored_from: f32,
    /// Threads a run.
    pub threads: u16,
    /// Pictures looked at.
    pub pictures: usize,
    /// Categories of the truth that are no class of ours, and their boxes: not scored.
    pub left_out: BTreeMap<String, usize>,
    /// Classes that are annotated, but that the model does not report: not scored.
    pub unreported: Vec<&'static str>,
    /// By tiling, in the order asked for.
    pub tilings: Vec<TilingReport>,
}

/// Which model was scored.
#[derive(Debug, Serialize)]
pub struct ModelEntry {
    /// What it is called.
    pub name: String,
    /// SHA-256 of the model file, lower-case hex.
    pub sha256: String,
    /// Its manifest.
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
    fn from(Thresholds { high, low, iou }: Thresholds) -> Self {
        Self { high, low, iou }
    }
}

/// Scores of one tiling.
#[derive(Debug, Serialize)]
pub struct TilingReport {
    /// `None` for the whole picture alone.
    pub tile_side_px: Option<u32>,
    /// The mean; pictures of different sizes take different numbers.
    pub runs_per_picture: f64,
    /// The model's own time for a run, median, in milliseconds.
    pub run_ms: f64,
    /// All of a look at a picture in memory, from pixels to detections, median, in milliseconds.
    pub picture_ms: f64,
    /// Boxes that were not finite or had no area, or were too many.
    pub rejected: u64,
    /// By class.
    pub classes: Vec<ClassReport>,
}

/// Scores of one class.
#[derive(Debug, Serialize)]
pub struct ClassReport {
    class: &'static str,
    all: Figures,
    small: Figures,
    medium: Figures,
    large: Figures,
}

/// Scores of one class and size, 0 to 1; `None` where there is nothing to divide by.
#[derive(Debug, Serialize)]
struct Figures {
    /// Boxes that should be found.
    truth: usize,
    ap50: Option<f64>,
    ap50_95: Option<f64>,
    /// Of the truth, the part that is found at the manifest's threshold, at an overlap of 0.5.
    recall: Option<f64>,
    /// Of what is found there, the part that is true.
    precision: Option<f64>,
    hits: usize,
    #[serde(rename = "false")]
    false_boxes: usize,
    false_per_100_pictures: f64,
}

impl ClassReport {
    /// Scores `all` boxes for average precision, and the `sure` ones for what the daemon would report.
    pub fn new(class: Class, all: &[PictureBoxes], sure: &[PictureBoxes]) -> Self {
        let [whole, small, medium, large] = Size::EACH.map(|size| Figures::new(all, sure, size));
        Self { class: class.as_str(), all: whole, small, medium, large }
    }

    fn rows(&self) -> [(Size, &Figures); 4] {
        let figures = [&self.all, &self.small, &self.medium, &self.large];
        std::array::from_fn(|i| (Size::EACH[i], figures[i]))
    }
}

impl Figures {
    fn new(all: &[PictureBoxes], sure: &[PictureBoxes], size: Size) -> Self {
        let ap = average_precision(all, size);
        let Counts { truth, hits, false_boxes } = counts(sure, size);
        let share = |part: usize, of: usize| (of > 0).then(|| part as f64 / of as f64);
        Self {
            truth,
            ap50: ap.map(|ap| ap.at_50),
            ap50_95: ap.map(|ap| ap.at_50_to_95),
            recall: share(hits, truth),
            precision: share(hits, hits + false_boxes),
            hits,
            false_boxes,
            false_per_100_pictures: 100.0 * false_boxes as f64 / sure.len() as f64,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ThresholdsEntry { high, low, iou } = self.thresholds;
        writeln!(f, "{} ({})", self.model.name, self.model.manifest.display())?;
        writeln!(f, "sha256 {}", self.model.sha256)?;
        writeln!(
            f,
            "pictures: {}, threads a run: {}; high threshold {high}, low threshold {low}, duplicates above IoU {iou}",
            self.pictures, self.threads
        )?;
        if !self.left_out.is_empty() {
            let each: Vec<_> =
                self.left_out.iter().map(|(name, boxes)| format!("{name} ({boxes})")).collect();
            writeln!(f, "left out, with so many boxes: {}", each.join(", "))?;
        }
        if !self.unreported.is_empty() {
            writeln!(f, "left out, since the model does not report it: {}", self.unreported.join(", "))?;
        }
        writeln!(
            f,
            "AP over boxes from {} up; recall to false/100 (false boxes a hundred pictures) at {high}, iou 0.5\n",
            self.scored_from
        )?;
        writeln!(
            f,
            "{:<6}  {:>5}  {:<6}  {:>5}  {:>5}  {:>7}  {:>6}  {:>9}  {:>5}  {:>5}  {:>9}  {:>5}  {:>6}  {:>10}",
            "class",
            "tiles",
            "size",
            "truth",
            "AP50",
            "AP50:95",
            "recall",
            "precision",
            "hits",
            "false",
            "false/100",
            "runs",
            "ms/run",
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
            writeln!(
                f,
                "\n{rejected} boxes were rejected: not finite, without area, or too many in one run"
            )?;
        }
        Ok(())
    }
}

impl TilingReport {
    fn write_class(&self, f: &mut fmt::Formatter<'_>, report: &ClassReport) -> fmt::Result {
        let share = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        for (size, figures) in report.rows() {
            // What is said once for a tiling stands in its first row.
            let (class, tiles) = match (size, self.tile_side_px) {
                (Size::All, None) => (report.class, "none".to_owned()),
                (Size::All, Some(side_px)) => (report.class, side_px.to_string()),
                _ => ("", String::new()),
            };
            write!(
                f,
                "{class:<6}  {tiles:>5}  {:<6}  {:>5}  {:>5}  {:>7}  {:>6}  {:>9}  {:>5}  {:>5}  {:>9.1}",
                size.as_str(),
                figures.truth,
                share(figures.ap50),
                share(figures.ap50_95),
                share(figures.recall),
                share(figures.precision),
                figures.hits,
                figures.false_boxes,
                figures.false_per_100_pictures,
            )?;
            if size == Size::All {
                let Self { runs_per_picture, run_ms, picture_ms, .. } = self;
                write!(f, "  {runs_per_picture:>5.1}  {run_ms:>6.1}  {picture_ms:>10.1}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
