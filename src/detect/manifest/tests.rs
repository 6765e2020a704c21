//! Errors in manifests, and the messages about them.

use sha2::{Digest, Sha256};

use super::load::{MAX_MANIFEST_BYTES, hex};
use super::{Manifest, Thresholds};
use crate::detect::LoadError;

const GOOD: &str = r#"
name = "toy"
file = "toy.onnx"
sha256 = "HASH"
licence = "MIT"
source = "a test"
head = "ssd"
[input]
name = "image"
layout = "nhwc"
width = 300
height = 300
colour = "rgb"
resize = "stretch"
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
[outputs]
scores = ["scores"]
boxes = ["boxes"]
[classes]
vessel = [8]
[thresholds]
high = 0.35
iou = 0.5
"#;

/// Writes a manifest and a model of four bytes to a folder, then loads them.
fn load(text: &str) -> Result<Manifest, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("toy.onnx"), b"toy!").unwrap();
    let path = folder.path().join("toy.toml");
    std::fs::write(&path, text.replace("HASH", &hex(&Sha256::digest(b"toy!")))).unwrap();
    Manifest::load(&path).map(|(manifest, _)| manifest)
}

#[test]
fn a_correct_manifest_loads() {
    let manifest = load(GOOD).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(manifest.sha256, hex(&Sha256::digest(b"toy!")));
    assert_eq!(manifest.input.shape(), [1, 300, 300, 3]);
    assert_eq!(manifest.thresholds, Thresholds { high: 0.35, low: 0.35, iou: 0.5, confidence: None });
}

#[test]
fn each_error_names_the_key_and_what_would_be_right() {
    // A part of the correct manifest, what replaces it, and what the message must contain.
    let cases: [(&str, &str, &[&str]); 20] = [
        ("HASH", "abc", &["`sha256` is \"abc\"", "64 hex digits", "sha256sum"]),
        ("HASH", &"0".repeat(64), &["`sha256` is 0000", "toy.onnx has", "fetch the model again"]),
        ("toy.onnx", "gone.onnx", &["gone.onnx: No such file", "named by `file` in", "toy.toml"]),
        ("\"ssd\"", "\"ssd2\"", &["`head` is \"ssd2\"", "ssd, nanodet, yolox, yolov8"]),
        ("\"ssd\"", "\"nanodet\"", &["`input.width` is 300", "multiple of 32"]),
        ("width = 300", "width = 0", &["`input.width` is 0", "64 to 2048"]),
        ("width = 300", "width = -1", &["line 11", "-1"]),
        ("\"nhwc\"", "\"hwc\"", &["line 10", "`hwc`", "`nhwc`"]),
        ("\"rgb\"", "\"grey\"", &["line 13", "`grey`", "`rgb`"]),
        ("std = [1.0, 1.0, 1.0]", "std = [1.0, 0.0, 1.0]", &["`input.std` is [1.0, 0.0, 1.0]", "above 0"]),
        ("std = [1.0, 1.0, 1.0]", "std = [1.0, nan, 1.0]", &["`input.std`", "finite"]),
        ("scores = [\"scores\"]", "scores = []", &["`outputs.scores` is 0 names", "1 for this head"]),
        ("scores = [\"scores\"]", "scores = [\"a\", \"b\"]", &["`outputs.scores` is 2 names"]),
        (
            "scores = [\"scores\"]",
            "score = [\"scores\"]",
            &["`outputs.scores` is 0 names", "1 for this head"],
        ),
        (
            "scores = [\"scores\"]",
            "scores = [\"scores\"]\npredictions = [\"p\"]",
            &["`outputs.predictions` is 1 names", "0 for this head"],
        ),
        ("vessel = [8]", "boat = [8]", &["`classes.boat` is unknown", "vessel or person"]),
        ("vessel = [8]", "person = [0]", &["`classes.vessel` is missing"]),
        ("iou = 0.5", "iou = 50", &["`thresholds.iou` is 50", "between 0 and 1"]),
        ("iou = 0.5", "iou = 0.5\nlow = 0.6", &["`thresholds.low` is 0.6", "at most `thresholds.high`"]),
        ("iou = 0.5", "iou = 0.5\nnms = true", &["line 25", "`nms`"]),
    ];
    for (good, bad, expected) in cases {
        let message = load(&GOOD.replacen(good, bad, 1)).unwrap_err().to_string();
        for part in expected {
            assert!(message.contains(part), "{bad:?} should give {part:?}: {message}");
        }
    }
}

#[test]
fn a_file_above_the_limit_is_refused_unread() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.as_file_mut().set_len(MAX_MANIFEST_BYTES + 1).unwrap();
    let error = Manifest::load(file.path()).unwrap_err();
    assert!(matches!(error, LoadError::TooLarge { .. }), "{error}");
}
