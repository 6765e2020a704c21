//! Checks the keys of a manifest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::types::{Input, Manifest, Thresholds};
use crate::detect::class::Class;
use crate::detect::confidence_scale::ConfidenceScale;
use crate::detect::heads::{HEADS, HeadFormat, OutputNames};
use crate::detect::load_error::ManifestError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawManifest {
    name: String,
    file: PathBuf,
    sha256: String,
    licence: String,
    source: String,
    head: String,
    input: Input,
    outputs: OutputNames,
    classes: BTreeMap<String, Vec<usize>>,
    thresholds: RawThresholds,
    confidence: Option<ConfidenceScale>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawThresholds {
    high: f32,
    low: Option<f32>,
    iou: f32,
}

pub(super) fn checked(path: &Path, raw: RawManifest) -> Result<Manifest, ManifestError> {
    let head = head(&raw.head)?;
    if raw.sha256.len() != 64 || !raw.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(ManifestError::new(
            "sha256",
            format!("{:?}", raw.sha256),
            "64 hex digits",
            "write what `sha256sum` prints for the model file",
        ));
    }
    check_input(&raw.input, head)?;
    let outputs = outputs(raw.outputs, head)?;
    let classes = classes(raw.classes)?;
    let mut thresholds = thresholds(&raw.thresholds)?;
    thresholds.confidence = raw.confidence.map(confidence).transpose()?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(Manifest {
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

fn head(name: &str) -> Result<&'static dyn HeadFormat, ManifestError> {
    HEADS.iter().copied().find(|head| head.name() == name).ok_or_else(|| {
        let known: Vec<_> = HEADS.iter().map(|head| head.name()).collect();
        ManifestError::new(
            "head",
            format!("{name:?}"),
            format!("one of {}", known.join(", ")),
            "choose the head by the shape of the model's outputs",
        )
    })
}

fn check_input(input: &Input, head: &dyn HeadFormat) -> Result<(), ManifestError> {
    for (key, value) in [("input.width", input.width), ("input.height", input.height)] {
        let wrong = |expected: String| {
            ManifestError::new(key, value.to_string(), expected, "write the size the model was exported with")
        };
        if !(64..=2048).contains(&value) {
            return Err(wrong("64 to 2048 pixels".to_owned()));
        }
        if value % head.input_multiple() != 0 {
            return Err(wrong(format!("a multiple of {} for this head", head.input_multiple())));
        }
    }
    for (key, values) in [("input.mean", input.mean), ("input.std", input.std)] {
        if values.iter().any(|v| !v.is_finite()) {
            return Err(ManifestError::new(
                key,
                format!("{values:?}"),
                "three finite numbers",
                "write those of the model's training, for values of 0 to 255",
            ));
        }
    }
    if input.std.iter().any(|&v| v <= 0.0) {
        return Err(ManifestError::new(
            "input.std",
            format!("{:?}", input.std),
            "three numbers above 0",
            "write [1.0, 1.0, 1.0] for none",
        ));
    }
    Ok(())
}

/// The output names in the head's order.
fn outputs(mut names: OutputNames, head: &dyn HeadFormat) -> Result<Vec<String>, ManifestError> {
    let mut ordered = Vec::new();
    let wrong = |key: &str, found: usize, wanted: usize| {
        ManifestError::new(
            &format!("outputs.{key}"),
            format!("{found} names"),
            format!("{wanted} for this head"),
            "list the model's output names in the head's order",
        )
    };
    for (key, wanted) in head.outputs(&names) {
        let listed = names.remove(key).unwrap_or_default();
        if listed.len() != wanted {
            return Err(wrong(key, listed.len(), wanted));
        }
        ordered.extend(listed);
    }
    match names.iter().find(|(_, listed)| !listed.is_empty()) {
        Some((key, listed)) => Err(wrong(key, listed.len(), 0)),
        None => Ok(ordered),
    }
}

fn classes(raw: BTreeMap<String, Vec<usize>>) -> Result<Vec<(Class, Vec<usize>)>, ManifestError> {
    let mut classes = Vec::new();
    for (name, indices) in raw {
        let key = format!("classes.{name}");
        let Ok(class) = name.parse::<Class>() else {
            return Err(ManifestError::new(
                &key,
                "unknown",
                "vessel or person",
                "remove it, or list its indices under one of these",
            ));
        };
        if indices.is_empty() {
            return Err(ManifestError::new(
                &key,
                "empty",
                "at least one index",
                "list the model's score indices of this class",
            ));
        }
        classes.push((class, indices));
    }
    if !classes.iter().any(|(class, _)| *class == Class::Vessel) {
        return Err(ManifestError::new(
            "classes.vessel",
            "missing",
            "the model's score indices that mean a vessel",
            "in COCO's list of 80 classes, which starts at 0, a boat is 8",
        ));
    }
    Ok(classes)
}

fn thresholds(raw: &RawThresholds) -> Result<Thresholds, ManifestError> {
    let thresholds =
        Thresholds { high: raw.high, low: raw.low.unwrap_or(raw.high), iou: raw.iou, confidence: None };
    for (key, value) in [
        ("thresholds.high", thresholds.high),
        ("thresholds.low", thresholds.low),
        ("thresholds.iou", thresholds.iou),
    ] {
        if !(value > 0.0 && value < 1.0) {
            return Err(ManifestError::new(
                key,
                value.to_string(),
                "between 0 and 1, both excluded",
                "usual values are 0.35 for high, 0.2 for low, 0.5 for iou",
            ));
        }
    }
    if thresholds.low > thresholds.high {
        return Err(ManifestError::new(
            "thresholds.low",
            thresholds.low.to_string(),
            format!("at most `thresholds.high`, {}", thresholds.high),
            "lower it, or leave it out",
        ));
    }
    Ok(thresholds)
}

fn confidence(scale: ConfidenceScale) -> Result<ConfidenceScale, ManifestError> {
    let wrong = |key: &str, found: String, expected: &str| {
        ManifestError::new(
            &format!("confidence.{key}"),
            found,
            expected,
            "write values as in models/havenwacht.toml, or leave [confidence] out",
        )
    };
    let [small, large] = scale.sides_px;
    if !(small >= 1.0 && large > small && large.is_finite()) {
        return Err(wrong(
            "sides_px",
            format!("{:?}", scale.sides_px),
            "two rising numbers of pixels, from 1",
        ));
    }
    if scale.neutral.iter().any(|n| !(*n > 0.0 && *n < 1.0)) {
        return Err(wrong(
            "neutral",
            format!("{:?}", scale.neutral),
            "two numbers between 0 and 1, both excluded",
        ));
    }
    if !(scale.weight > 0.0 && scale.weight <= 10.0) {
        return Err(wrong("weight", scale.weight.to_string(), "above 0, at most 10"));
    }
    Ok(scale)
}
