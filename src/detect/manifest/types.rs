//! A checked manifest.

use std::path::PathBuf;

use serde::Deserialize;

use crate::detect::class::Class;
use crate::detect::confidence_scale::ConfidenceScale;
use crate::detect::heads::HeadFormat;
use crate::detect::load_error::{LoadError, ManifestError};

/// Order of the input's axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TensorLayout {
    /// Channels last.
    Nhwc,
    /// Channels first.
    Nchw,
}

/// Order of the input's channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// How a region is fitted into an input with another aspect ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resize {
    /// Each axis has its own scale.
    Stretch,
    /// The aspect ratio is kept; the region is centred on grey (114).
    Letterbox,
}

/// The model's input.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The tensor's name in the model.
    pub name: String,
    /// Order of the axes; the batch size is always 1.
    pub layout: TensorLayout,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Order of the channels.
    pub colour: ChannelOrder,
    /// How regions are fitted.
    pub resize: Resize,
    /// Subtracted from each channel (0 to 255), in the order of `colour`.
    pub mean: [f32; 3],
    /// Divisor of the difference, in the order of `colour`.
    pub std: [f32; 3],
}

impl Input {
    /// The tensor's shape.
    pub fn shape(&self) -> [i64; 4] {
        let (w, h) = (self.width as i64, self.height as i64);
        match self.layout {
            TensorLayout::Nhwc => [1, h, w, 3],
            TensorLayout::Nchw => [1, 3, h, w],
        }
    }
}

/// Which boxes are trusted; each between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Boxes at or above this score are matched with the tracks first, and inspected again at once.
    pub high: f32,
    /// Boxes below this score are dropped. Equal to `high` unless the manifest gives it.
    pub low: f32,
    /// Boxes of one class are duplicates when their intersection over union is larger.
    pub iou: f32,
    /// What a confidence says; `None` if the manifest does not give it.
    pub confidence: Option<ConfidenceScale>,
}

impl Thresholds {
    /// What a confidence says.
    pub fn scale(&self) -> ConfidenceScale {
        self.confidence.unwrap_or_else(|| ConfidenceScale::from_high(self.high))
    }
}

/// A checked manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The manifest's own path, for messages.
    pub path: PathBuf,
    /// Name of the model.
    pub name: String,
    /// The model file.
    pub model_file: PathBuf,
    /// SHA-256 of the model file, lower-case hex.
    pub sha256: String,
    /// Licence of the weights.
    pub licence: String,
    /// Origin of the model.
    pub source: String,
    /// How the outputs are decoded.
    pub head: &'static dyn HeadFormat,
    /// The input.
    pub input: Input,
    /// Names of the outputs, in the head's order.
    pub outputs: Vec<String>,
    /// The model's score indices of each wanted class.
    pub classes: Vec<(Class, Vec<usize>)>,
    /// Which boxes are trusted.
    pub thresholds: Thresholds,
}

impl Manifest {
    /// An error about one of this manifest's keys.
    pub(in crate::detect) fn key_error(
        &self,
        key: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
        fix: impl Into<String>,
    ) -> LoadError {
        ManifestError::new(key, found, expected, fix).in_file(&self.path)
    }
}
