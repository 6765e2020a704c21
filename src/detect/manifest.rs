//! The model manifest: what a model file is, what it wants and what it says, checked before anything runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Class;
use super::refusal::LoadError;

/// Larger files are refused unread: the memory of the box is shared with everything else.
const LARGEST_MODEL: u64 = 512 << 20;
/// Manifests are a page of text.
pub(super) const LARGEST_MANIFEST: u64 = 64 << 10;

/// How a model's outputs are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// Scores per anchor and boxes already decoded: the TensorFlow Object Detection API's SSD without its NMS.
    Ssd,
    /// Scores and distributions of distances per grid cell: NanoDet's generalised focal loss head.
    NanoDet,
    /// One map of raw centre, logarithmic extent, objectness and scores per grid cell: YOLOX.
    YoloX,
    /// One map of centre, extent and scores, channels first: the layout that YOLOv8 made common.
    YoloV8,
}

impl HeadKind {
    const NAMES: [(&'static str, Self); 4] =
        [("ssd", Self::Ssd), ("nanodet", Self::NanoDet), ("yolox", Self::YoloX), ("yolov8", Self::YoloV8)];

    /// Heads that lay grids of up to 32 pixels over the input.
    fn needs_multiple_of_32(self) -> bool {
        self != Self::Ssd
    }
}

/// The order of the input's axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Channels last.
    Nhwc,
    /// Channels first.
    Nchw,
}

/// The order of the input's channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// What happens to a region whose sides stand in another proportion than the input's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resize {
    /// Each axis is scaled by itself.
    Stretch,
    /// Proportions are kept; the region stands in the middle of grey (114).
    Letterbox,
}

/// What the model wants to be shown.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The tensor's name in the model.
    pub name: String,
    /// Order of the axes; the batch is always 1.
    pub layout: Layout,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Order of the channels.
    pub colour: Colour,
    /// How regions are fitted.
    pub resize: Resize,
    /// Taken from each channel (0 to 255), in the order of `colour`.
    pub mean: [f32; 3],
    /// What the rest is divided by, in the order of `colour`.
    pub std: [f32; 3],
}

impl Input {
    /// The tensor's shape.
    pub fn shape(&self) -> [i64; 4] {
        let (w, h) = (self.width as i64, self.height as i64);
        match self.layout {
            Layout::Nhwc => [1, h, w, 3],
            Layout::Nchw => [1, 3, h, w],
        }
    }
}

/// Which boxes are believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// From this score on a box is sure.
    pub confidence: f32,
    /// Boxes from this score on are reported, so that a tracker can carry on a vessel that the model sees faintly;
    /// equal to `confidence` unless the manifest says less.
    pub floor: f32,
    /// Two boxes of a class that overlap more (shared over joint area) are one.
    pub iou: f32,
}

/// A checked manifest whose model file is known to be the one it describes.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The manifest's own path, for messages.
    pub path: PathBuf,
    /// What the model is called.
    pub name: String,
    /// The model file.
    pub model_file: PathBuf,
    /// SHA-256 of the model file, lower-case hex.
    pub sha256: String,
    /// Licence of the weights.
    pub licence: String,
    /// Where the model comes from.
    pub source: String,
    /// How its outputs are read.
    pub head: HeadKind,
    /// What it is shown.
    pub input: Input,
    /// Names of its outputs, in the head's order: scores, then boxes; or predictions.
    pub outputs: Vec<String>,
    /// The model's score indices of each class that is wanted.
    pub classes: Vec<(Class, Vec<usize>)>,
    /// Which boxes are believed.
    pub thresholds: Thresholds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    name: String,
    file: PathBuf,
    sha256: String,
    licence: String,
    source: String,
    head: String,
    input: Input,
    outputs: RawOutputs,
    classes: BTreeMap<String, Vec<usize>>,
    thresholds: RawThresholds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutputs {
    #[serde(default)]
    scores: Vec<String>,
    #[serde(default)]
    boxes: Vec<String>,
    #[serde(default)]
    predictions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawThresholds {
    confidence: f32,
    floor: Option<f32>,
    iou: f32,
}

impl Manifest {
    /// Reads and checks a manifest, then reads its model file and checks that it is the one described.
    /// Returns the model's bytes, so that what was checked is what runs.
    pub fn load(path: &Path) -> Result<(Self, Vec<u8>), LoadError> {
        let bytes = read_limited(
            path,
            LARGEST_MANIFEST,
            "give the path of a model manifest, such as models/ssdlite.toml",
        )?;
        let text = String::from_utf8(bytes).map_err(|e| LoadError::Syntax {
            file: path.to_owned(),
            message: format!("not UTF-8 text after byte {}", e.utf8_error().valid_up_to()),
        })?;
        let manifest = Self::parse(path, &text)?;
        let model = read_limited(
            &manifest.model_file,
            LARGEST_MODEL,
            &format!(
                "it is named by `file` in {}; `make setup` provides the models that come with Havenwacht",
                path.display()
            ),
        )?;
        let found = hex(&Sha256::digest(&model));
        if found != manifest.sha256 {
            return Err(manifest.refuse(
                "sha256",
                format!("{}, but {} has {found}", manifest.sha256, manifest.model_file.display()),
                "the hash of the model file",
                "fetch the model again; if the new file is meant and trusted, write its hash into the manifest",
            ));
        }
        Ok((manifest, model))
    }

    /// SHA-256 of the model file in hex: which model a logbook row was made with.
    pub fn model_hash(&self) -> &str {
        &self.sha256
    }

    /// Checks the text of the manifest at `path`. Its model file is not looked at.
    pub fn parse(path: &Path, text: &str) -> Result<Self, LoadError> {
        let raw: RawManifest = toml::from_str(text).map_err(|e| LoadError::Syntax {
            file: path.to_owned(),
            message: e.to_string().trim_end().to_owned(),
        })?;
        let refuse =
            |key: &str, found: String, expected: &str, fix: &str| refusal(path, key, found, expected, fix);
        let Some(head) = HeadKind::NAMES.iter().find(|(name, _)| *name == raw.head).map(|&(_, kind)| kind)
        else {
            let known: Vec<_> = HeadKind::NAMES.iter().map(|(name, _)| *name).collect();
            return Err(refuse(
                "head",
                format!("{:?}", raw.head),
                &format!("one of {}", known.join(", ")),
                "name the head by the shape of the model's outputs",
            ));
        };
        if raw.sha256.len() != 64 || !raw.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(refuse(
                "sha256",
                format!("{:?}", raw.sha256),
                "64 hex digits",
                "write what `sha256sum` prints for the model file",
            ));
        }
        check_input(&raw.input, head, &refuse)?;
        let outputs = check_outputs(raw.outputs, head, &refuse)?;
        let classes = check_classes(raw.classes, &refuse)?;
        let thresholds = Thresholds {
            confidence: raw.thresholds.confidence,
            floor: raw.thresholds.floor.unwrap_or(raw.thresholds.confidence),
            iou: raw.thresholds.iou,
        };
        for (key, value) in [
            ("thresholds.confidence", thresholds.confidence),
            ("thresholds.floor", thresholds.floor),
            ("thresholds.iou", thresholds.iou),
        ] {
            if !(value > 0.0 && value < 1.0) {
                return Err(refuse(
                    key,
                    value.to_string(),
                    "between 0 and 1, both excluded",
                    "usual are 0.35 for confidence, 0.5 for iou",
                ));
            }
        }
        if thresholds.floor > thresholds.confidence {
            return Err(refuse(
                "thresholds.floor",
                thresholds.floor.to_string(),
                &format!("at most `thresholds.confidence`, {}", thresholds.confidence),
                "lower it, or leave it out",
            ));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Self {
            path: path.to_owned(),
            name: raw.name,
            model_file: folder.join(raw.file),
            sha256: raw.sha256.to_ascii_lowercase(),
            licence: raw.licence,
            source: raw.source,
            head,
            input: raw.input,
            outputs,
            classes,
            thresholds,
        })
    }

    /// A refusal about one of this manifest's keys.
    pub(super) fn refuse(&self, key: &str, found: String, expected: &str, fix: &str) -> LoadError {
        refusal(&self.path, key, found, expected, fix)
    }
}

fn refusal(file: &Path, key: &str, found: String, expected: &str, fix: &str) -> LoadError {
    LoadError::Refused {
        file: file.to_owned(),
        key: key.to_owned(),
        found,
        expected: expected.to_owned(),
        fix: fix.to_owned(),
    }
}

type Refuse<'a> = dyn Fn(&str, String, &str, &str) -> LoadError + 'a;

fn check_input(input: &Input, head: HeadKind, refuse: &Refuse) -> Result<(), LoadError> {
    for (key, value) in [("input.width", input.width), ("input.height", input.height)] {
        if !(64..=2048).contains(&value) {
            return Err(refuse(
                key,
                value.to_string(),
                "64 to 2048 pixels",
                "write the size the model was exported with",
            ));
        }
        if head.needs_multiple_of_32() && value % 32 != 0 {
            return Err(refuse(
                key,
                value.to_string(),
                "a multiple of 32 for this head",
                "write the size the model was exported with",
            ));
        }
    }
    for (key, values) in [("input.mean", input.mean), ("input.std", input.std)] {
        if values.iter().any(|v| !v.is_finite()) {
            return Err(refuse(
                key,
                format!("{values:?}"),
                "three finite numbers",
                "write those the model was trained with, for values of 0 to 255",
            ));
        }
    }
    if input.std.iter().any(|&v| v <= 0.0) {
        return Err(refuse(
            "input.std",
            format!("{:?}", input.std),
            "three numbers above 0",
            "write [1.0, 1.0, 1.0] for none",
        ));
    }
    Ok(())
}

fn check_outputs(raw: RawOutputs, head: HeadKind, refuse: &Refuse) -> Result<Vec<String>, LoadError> {
    let (scores, boxes, predictions) = match head {
        HeadKind::Ssd => (1, 1, 0),
        // One map each a level; a model for small vessels has a fourth.
        HeadKind::NanoDet => (raw.scores.len().clamp(3, 4), raw.scores.len().clamp(3, 4), 0),
        HeadKind::YoloX | HeadKind::YoloV8 => (0, 0, 1),
    };
    for (key, names, wanted) in [
        ("outputs.scores", &raw.scores, scores),
        ("outputs.boxes", &raw.boxes, boxes),
        ("outputs.predictions", &raw.predictions, predictions),
    ] {
        if names.len() != wanted {
            return Err(refuse(
                key,
                format!("{} names", names.len()),
                &format!("{wanted} for this head"),
                "list the model's output names in the head's order",
            ));
        }
    }
    Ok([raw.scores, raw.boxes, raw.predictions].concat())
}

fn check_classes(
    raw: BTreeMap<String, Vec<usize>>,
    refuse: &Refuse,
) -> Result<Vec<(Class, Vec<usize>)>, LoadError> {
    let mut classes = Vec::new();
    for (name, indices) in raw {
        let key = format!("classes.{name}");
        let Some(class) = [Class::Vessel, Class::Person].into_iter().find(|c| c.as_str() == name) else {
            return Err(refuse(
                &key,
                "unknown".to_owned(),
                "vessel or person",
                "remove it, or list its indices under one of these",
            ));
        };
        if indices.is_empty() {
            return Err(refuse(
                &key,
                "empty".to_owned(),
                "at least one index",
                "list the model's score indices of this class",
            ));
        }
        classes.push((class, indices));
    }
    if !classes.iter().any(|(class, _)| *class == Class::Vessel) {
        return Err(refuse(
            "classes.vessel",
            "missing".to_owned(),
            "the model's score indices that mean a vessel",
            "in COCO's numbering of 80, which starts at 0, a boat is 8",
        ));
    }
    Ok(classes)
}

fn read_limited(path: &Path, limit: u64, fix: &str) -> Result<Vec<u8>, LoadError> {
    let unreadable = |error| LoadError::Unreadable { file: path.to_owned(), error, fix: fix.to_owned() };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte past the limit tells a file that is too large, even one that grows while it is read.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(LoadError::TooLarge { file: path.to_owned(), limit });
    }
    Ok(bytes)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
