//! The detector with real models on a photograph of a harbour.

use std::path::{Path, PathBuf};

use havenwacht::clock::{MonoTime, Stamp};
use havenwacht::detect::{Class, DetectionPass, Detector, LoadError, OnnxDetector};
use havenwacht::evidence::still_image;
use havenwacht::frame::Frame;
use havenwacht::geometry::{BBox, Norm, Px};
use havenwacht::ids::CameraId;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn runtime() -> PathBuf {
    project().join("models/runtime/libonnxruntime.so")
}

fn load(manifest: &Path) -> Result<OnnxDetector, LoadError> {
    OnnxDetector::load(manifest, &runtime(), 1)
}

fn model(name: &str) -> OnnxDetector {
    load(&project().join("models").join(name)).unwrap_or_else(|e| panic!("{e}"))
}

/// The photograph as a decoded frame.
fn photograph() -> Frame {
    let path = project().join("sample-streams/material/nagasaki.jpg");
    let picture =
        still_image::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run `make setup`", path.display()));
    let stamp = Stamp { mono: MonoTime::default(), wall: "2026-06-01T20:00:00Z".parse().unwrap() };
    Frame { camera: CameraId::new("quay-east").unwrap(), seq: 1, stamp, picture }
}

const WHOLE: BBox<Norm> = BBox::new(0.0, 0.0, 1.0, 1.0);

/// Hand-drawn boxes of vessels in the photograph.
const BEACHED: [f32; 4] = [340.0, 508.0, 476.0, 569.0];
const JUNK: [f32; 4] = [440.0, 125.0, 755.0, 580.0];

/// The best overlap of a confident box with the vessel.
fn overlap(pass: &DetectionPass, [x0, y0, x1, y1]: [f32; 4]) -> f32 {
    let vessel = BBox::<Px>::new(x0, y0, x1, y1);
    let vessels = pass.detections.iter().filter(|d| d.class == Class::Vessel && d.confidence >= 0.35);
    vessels.map(|d| d.bbox.iou(&vessel)).fold(0.0, f32::max)
}

#[test]
fn the_model_finds_the_vessels() {
    let frame = photograph();
    let pass = model("havenwacht.toml").detect(&frame, &[WHOLE]).unwrap();
    assert!(overlap(&pass, BEACHED) > 0.6, "{pass:?}");
    assert!(overlap(&pass, JUNK) > 0.6, "{pass:?}");
    assert_eq!((pass.inferences, pass.rejected), (1, 0));
}

#[test]
fn a_vessel_in_two_regions_is_one_box() {
    let frame = photograph();
    let region = BBox::new(0.06, 0.35, 0.74, 0.96);
    let mut detector = model("havenwacht.toml");
    let vessel = BBox::<Px>::new(BEACHED[0], BEACHED[1], BEACHED[2], BEACHED[3]);
    let found = |pass: &DetectionPass| pass.detections.iter().filter(|d| d.bbox.iou(&vessel) > 0.5).count();
    for alone in [WHOLE, region] {
        let pass = detector.detect(&frame, &[alone]).unwrap();
        assert_eq!(found(&pass), 1, "{pass:?}");
    }
    let both = detector.detect(&frame, &[WHOLE, region]).unwrap();
    assert_eq!(both.inferences, 2);
    assert_eq!(found(&both), 1, "{both:?}");
    for (i, a) in both.detections.iter().enumerate() {
        assert!(both.detections[..i].iter().all(|b| a.bbox.iou(&b.bbox) <= 0.5), "{both:?}");
    }
}

#[test]
fn the_same_frame_gives_the_same_boxes() {
    let frame = photograph();
    let regions = [WHOLE, BBox::new(0.0, 0.5, 0.6, 1.0)];
    let mut detector = model("havenwacht.toml");
    let first = detector.detect(&frame, &regions).unwrap();
    // A pass over another region in between changes nothing.
    detector.detect(&frame, &[BBox::new(0.5, 0.0, 1.0, 0.5)]).unwrap();
    assert_eq!(detector.detect(&frame, &regions).unwrap().detections, first.detections);
    assert_eq!(model("havenwacht.toml").detect(&frame, &regions).unwrap().detections, first.detections);
}

/// The error message of havenwacht.toml with `good` replaced by `bad`.
fn load_error(good: &str, bad: &str) -> String {
    let models = project().join("models");
    let text = std::fs::read_to_string(models.join("havenwacht.toml")).unwrap();
    let absolute = format!("file = {:?}", models.join("havenwacht.onnx"));
    let text = text.replace("file = \"havenwacht.onnx\"", &absolute);
    assert!(text.contains(good), "the manifest contains {good:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("havenwacht.toml");
    std::fs::write(&path, text.replace(good, bad)).unwrap();
    load(&path).expect_err("an error").to_string()
}

#[test]
fn a_manifest_that_does_not_fit_its_model_is_an_error() {
    let cases: [(&str, &str, &[&str]); 5] = [
        ("\"picture\"", "\"image\"", &["`input.name`", "\"image\"", "\"picture\""]),
        ("width = 416", "width = 320", &["`input` is [1, 3, 416, 320]", "[1, 3, 416, 416]"]),
        ("\"nchw\"", "\"nhwc\"", &["`input` is [1, 416, 416, 3]", "[1, 3, 416, 416]"]),
        ("[\"predictions\"]", "[\"scores\"]", &["`outputs`", "\"scores\"", "predictions"]),
        ("person = [1]", "person = [2]", &["`classes.person` is index 2", "below 2"]),
    ];
    for (good, bad, parts) in cases {
        let message = load_error(good, bad);
        assert!(message.contains("havenwacht.toml: "), "{message}");
        for part in parts {
            assert!(message.contains(part), "{bad:?} should give {part:?}: {message}");
        }
    }
}

#[test]
fn a_missing_or_wrong_runtime_is_an_error() {
    let manifest = project().join("models/havenwacht.toml");
    let missing = Path::new("/nowhere/libonnxruntime.so");
    let message = OnnxDetector::load(&manifest, missing, 1).unwrap_err().to_string();
    assert!(
        message.contains("/nowhere/libonnxruntime.so: No such file") && message.contains("model.runtime"),
        "{message}"
    );
    let folder = tempfile::tempdir().unwrap();
    let message = OnnxDetector::load(&manifest, folder.path(), 1).unwrap_err().to_string();
    assert!(message.contains("not a file"), "{message}");
    let text = folder.path().join("libonnxruntime.so");
    std::fs::write(&text, "no library").unwrap();
    assert!(OnnxDetector::load(&manifest, &text, 1).is_err());
}
