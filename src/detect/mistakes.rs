//! Manifests as people get them wrong, and what they are told.

use sha2::{Digest, Sha256};

use super::manifest::{LARGEST_MANIFEST, Manifest, Thresholds, hex};
use super::refusal::LoadError;

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
confidence = 0.35
iou = 0.5
"#;

/// Writes a manifest and a model of four bytes beside it, then loads them.
fn load(text: &str) -> Result<Manifest, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("toy.onnx"), b"toy!").unwrap();
    let path = folder.path().join("toy.toml");
    std::fs::write(&path, text.replace("HASH", &hex(&Sha256::digest(b"toy!")))).unwrap();
    Manifest::load(&path).map(|(manifest, _)| manifest)
}

#[test]
fn a_manifest_with_its_model_is_taken() {
    let manifest = load(GOOD).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(manifest.model_hash(), hex(&Sha256::digest(b"toy!")));
    assert_eq!(manifest.input.shape(), [1, 300, 300, 3]);
    assert_eq!(manifest.thresholds, Thresholds { confidence: 0.35, floor: 0.35, iou: 0.5 });
}

#[test]
fn each_mistake_is_refused_by_its_key_with_what_would_be_right() {
    // What stands in a good manifest, what stands there by mistake, and what the refusal must say.
    let mistakes: [(&str, &str, &[&str]); 18] = [
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
        ("vessel = [8]", "boat = [8]", &["`classes.boat` is unknown", "vessel or person"]),
        ("vessel = [8]", "person = [0]", &["`classes.vessel` is missing"]),
        ("iou = 0.5", "iou = 50", &["`thresholds.iou` is 50", "between 0 and 1"]),
        (
            "iou = 0.5",
            "iou = 0.5\nfloor = 0.6",
            &["`thresholds.floor` is 0.6", "at most `thresholds.confidence`"],
        ),
        ("iou = 0.5", "iou = 0.5\nnms = true", &["line 25", "`nms`"]),
    ];
    for (good, bad, says) in mistakes {
        let refusal = load(&GOOD.replacen(good, bad, 1)).unwrap_err().to_string();
        for word in says {
            assert!(refusal.contains(word), "{bad:?} should say {word:?}: {refusal}");
        }
    }
}

#[test]
fn a_file_beyond_the_limit_is_refused_unread() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.as_file_mut().set_len(LARGEST_MANIFEST + 1).unwrap();
    let refusal = Manifest::load(file.path()).unwrap_err();
    assert!(matches!(refusal, LoadError::TooLarge { .. }), "{refusal}");
}
