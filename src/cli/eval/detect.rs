//! Scores a detector model on annotated pictures, with the code that the daemon uses.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::coco::{self, AnnotatedPicture, Annotations, ResultRow};
use super::detect_report::{ClassReport, DetectReport, ModelEntry, TilingReport};
use super::matching::{FoundBox, PictureBoxes, XyWh};
use crate::clock::Clock;
use crate::detect::merge::{RegionDetection, merge};
use crate::detect::{Class, Detection, OnnxDetector, RegionDetections, Thresholds};
use crate::evidence::still_image;
use crate::frame::Picture;
use crate::geometry::{BBox, Norm};
use crate::regions::tiles::{SMALLEST_SIDE_PX, whole_and_tiles};

/// The default model.
const DEFAULT_MODEL: &str = "models/havenwacht.toml";
/// Average precision includes boxes of low confidence. Below this score, hits hardly add to it.
const SCORED_FROM: f32 = 0.01;

/// Arguments of `havenwacht eval detect`.
#[derive(Debug, Args)]
pub struct DetectArgs {
    /// Folder of the pictures (JPEG or PNG).
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// Annotations in COCO's format. The categories vessel, boat, ship, and person, people, pedestrian are scored.
    #[arg(long, value_name = "COCO_JSON")]
    truth: PathBuf,
    /// Inspect the whole picture (none), or also square tiles with sides of this many pixels. Several, separated by commas, are
    /// scored separately.
    #[arg(long, value_name = "SIDE_PX", value_delimiter = ',', default_value = "none")]
    tiles: Vec<Tiling>,
    /// Model manifest.
    #[arg(long, value_name = "MANIFEST", default_value = DEFAULT_MODEL)]
    model: PathBuf,
    /// ONNX Runtime's library.
    #[arg(long, value_name = "PATH", default_value = "models/runtime/libonnxruntime.so")]
    runtime: PathBuf,
    /// Threads per inference.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Print everything as JSON.
    #[arg(long)]
    pub json: bool,
    /// Write the boxes of the last tiling as COCO results, for other tools.
    #[arg(long, value_name = "FILE")]
    detections: Option<PathBuf>,
}

/// The regions of a picture: the whole, and tiles with sides of this many pixels, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling(pub Option<u32>);

impl FromStr for Tiling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("none", _) => Ok(Self(None)),
            (_, Ok(side_px @ SMALLEST_SIDE_PX..)) => Ok(Self(Some(side_px))),
            _ => Err(format!(
                "expected `none`, or a side of {SMALLEST_SIDE_PX} pixels or more, for example 640"
            )),
        }
    }
}

impl Tiling {
    fn regions(self, picture: &Picture) -> Vec<BBox<Norm>> {
        match self.0 {
            None => vec![BBox::new(0.0, 0.0, 1.0, 1.0)],
            Some(side_px) => whole_and_tiles(picture.size, side_px),
        }
    }
}

/// Scores the model. Times are measured with `clock`; progress is shown on standard error if that is a terminal.
pub fn detect(args: &DetectArgs, clock: &dyn Clock) -> anyhow::Result<DetectReport> {
    let truth = coco::read(&args.truth)?;
    // Checked before the first pass, so that a typing error is found at once.
    let paths = find_pictures(&args.images, &truth)?;
    let mut detector = OnnxDetector::load(&args.model, &args.runtime, args.threads)?;
    detector.lower_threshold(SCORED_FROM);
    let manifest = detector.manifest().clone();
    let is_reported = |class: &Class| manifest.classes.iter().any(|(reported, _)| reported == class);
    let (classes, unreported): (Vec<Class>, Vec<Class>) =
        truth.categories.keys().partition(|c| is_reported(c));
    ensure!(
        !classes.is_empty(),
        "{} has only persons, and {} does not detect persons",
        args.truth.display(),
        args.model.display()
    );
    let results = match &args.detections {
        Some(path) => {
            Some((path, File::create(path).with_context(|| format!("cannot write {}", path.display()))?))
        }
        None => None,
    };

    let mut tallies: Vec<TilingTally> = args.tiles.iter().map(|&tiling| TilingTally::new(tiling)).collect();
    let bar = progress(paths.len());
    for path in &paths {
        let picture = still_image::read(path).with_context(|| path.display().to_string())?;
        for tally in &mut tallies {
            tally.add(&mut detector, &picture, clock).with_context(|| path.display().to_string())?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();

    if let (Some((path, file)), Some(last)) = (results, tallies.last()) {
        write_results(file, &truth, last).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(DetectReport {
        model: ModelEntry { name: manifest.name, sha256: manifest.sha256, manifest: args.model.clone() },
        thresholds: manifest.thresholds.into(),
        scored_from: SCORED_FROM,
        threads: args.threads,
        pictures: paths.len(),
        unreported: unreported.into_iter().map(Class::as_str).collect(),
        tilings: tallies.iter().map(|tally| tally.report(&truth, &classes)).collect(),
        left_out: truth.left_out,
    })
}

/// The file of each picture. An error when a file is missing, or has another size than the one the boxes were drawn for.
fn find_pictures(folder: &Path, truth: &Annotations) -> anyhow::Result<Vec<PathBuf>> {
    let find = |image: &AnnotatedPicture| -> anyhow::Result<PathBuf> {
        let path = folder.join(&image.file_name);
        let which = || format!("image {}: {}", image.id, path.display());
        let found = still_image::size(&path).with_context(which)?;
        ensure!(
            found == image.size,
            "{} has {}x{} pixels, but the boxes were drawn for {}x{}",
            which(),
            found.width,
            found.height,
            image.size.width,
            image.size.height
        );
        Ok(path)
    };
    truth.images.iter().map(find).collect()
}

fn progress(pictures: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} pictures, {eta} to go");
    ProgressBar::new(pictures as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Results of one tiling.
#[derive(Debug)]
struct TilingTally {
    tiling: Tiling,
    inferences: u64,
    rejected: u64,
    inference_times: Vec<Duration>,
    pass_times: Vec<Duration>,
    pictures: Vec<PictureDetections>,
}

/// Detections of one picture.
#[derive(Debug)]
struct PictureDetections {
    /// As in the daemon: merged from the manifest's low threshold up, then filtered by its high threshold.
    confident: Vec<Detection>,
    /// Merged from [`SCORED_FROM`] up.
    all: Vec<Detection>,
}

impl TilingTally {
    fn new(tiling: Tiling) -> Self {
        Self {
            tiling,
            inferences: 0,
            rejected: 0,
            inference_times: vec![],
            pass_times: vec![],
            pictures: vec![],
        }
    }

    fn add(
        &mut self,
        detector: &mut OnnxDetector,
        picture: &Picture,
        clock: &dyn Clock,
    ) -> anyhow::Result<()> {
        let Thresholds { high, low, iou, .. } = detector.manifest().thresholds;
        let regions = self.tiling.regions(picture);
        let began = clock.mono();
        let RegionDetections { boxes, inferences, rejected } = detector.detect_regions(picture, &regions)?;
        // Boxes below the low threshold are left out before the merge, because the daemon has none of them.
        let reported: Vec<RegionDetection> =
            boxes.iter().filter(|s| s.detection.confidence >= low).copied().collect();
        let mut confident = merge(reported, picture.size, iou).all();
        self.pass_times.push(clock.mono().since(began));
        confident.retain(|detection| detection.confidence >= high);
        self.pictures.push(PictureDetections { confident, all: merge(boxes, picture.size, iou).all() });
        self.inferences += u64::from(inferences);
        self.rejected += u64::from(rejected);
        let began = clock.mono();
        detector.infer_only()?;
        self.inference_times.push(clock.mono().since(began));
        Ok(())
    }

    fn report(&self, truth: &Annotations, classes: &[Class]) -> TilingReport {
        let pictures = |class: Class, of: fn(&PictureDetections) -> &[Detection]| -> Vec<PictureBoxes> {
            truth
                .images
                .iter()
                .zip(&self.pictures)
                .map(|(image, found)| boxes(image, of(found), class))
                .collect()
        };
        let class_report = |&class: &Class| {
            let all = pictures(class, |found| &found.all);
            ClassReport::new(class, &all, &pictures(class, |found| &found.confident))
        };
        TilingReport {
            tile_side_px: self.tiling.0,
            inferences_per_picture: self.inferences as f64 / self.pictures.len() as f64,
            inference_ms: median_ms(&self.inference_times),
            picture_ms: median_ms(&self.pass_times),
            rejected: self.rejected,
            classes: classes.iter().map(class_report).collect(),
        }
    }
}

/// The boxes of one class in one picture.
fn boxes(image: &AnnotatedPicture, detections: &[Detection], class: Class) -> PictureBoxes {
    let truth = image.boxes.iter().filter(|(c, _)| *c == class).map(|(_, drawn)| drawn.clone()).collect();
    let found = detections.iter().filter(|d| d.class == class);
    let found = found.map(|d| FoundBox { bbox: xywh(d), score: f64::from(d.confidence) }).collect();
    PictureBoxes { truth, found }
}

fn xywh(detection: &Detection) -> XyWh {
    let b = detection.bbox;
    let [x0, y0, x1, y1] = [b.x0, b.y0, b.x1, b.y1].map(f64::from);
    [x0, y0, x1 - x0, y1 - y0]
}

/// The median, because a short load of the machine does not change it.
fn median_ms(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn write_results(file: File, truth: &Annotations, tally: &TilingTally) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for (image, found) in truth.images.iter().zip(&tally.pictures) {
        for detection in &found.all {
            // Without annotations, a class cannot be scored.
            let Some(&category_id) = truth.categories.get(&detection.class) else { continue };
            let score = f64::from(detection.confidence);
            rows.push(ResultRow { image_id: image.id, category_id, bbox: xywh(detection), score });
        }
    }
    let mut out = BufWriter::new(file);
    serde_json::to_writer(&mut out, &rows)?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tiling_is_none_or_a_side() {
        assert_eq!("none".parse(), Ok(Tiling(None)));
        assert_eq!("640".parse(), Ok(Tiling(Some(640))));
        for text in ["63", "0", "-640", "640px", ""] {
            let error = text.parse::<Tiling>().unwrap_err();
            assert!(error.contains("`none`, or a side of 64 pixels or more"), "{text}: {error}");
        }
    }
}
