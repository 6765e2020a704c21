//! `havenwacht logbook coco` on a recording, with the logbook of its replay.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use havenwacht::clock::{MonoTime, Stamp, SystemClock};
use havenwacht::detect::{Class, Detection, FairScheduler};
use havenwacht::evidence::still_image;
use havenwacht::frame::{Frame, Picture};
use havenwacht::geometry::BBox;
use havenwacht::ids::CameraId;
use havenwacht::ingest::{ClipReader, EndReason, Next};
use havenwacht::logbook::{Entry, PassEntry, StartEntry, Writer, WriterOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clips::h264_clip;
use crate::paths::{havenwacht, root};

/// Masked columns of the 320.
const MASKED: usize = 80;

fn start() -> Stamp {
    Stamp { mono: MonoTime::from_boot(Duration::ZERO), wall: "2026-06-01T22:00:00Z".parse().unwrap() }
}

fn id() -> CameraId {
    CameraId::new("quay-east").unwrap()
}

/// Two cameras with five passes a second and a privacy mask over the left quarter of the picture.
fn site(folder: &Path) -> PathBuf {
    let root = root().display();
    let camera = |id: &str| {
        format!(
            "[[camera]]\nid = \"{id}\"\nurl = \"rtsp://127.0.0.1:9/{id}\"\ncodec = \"h264\"\ndetect_fps = 5.0\n\
             privacy_masks = [[[0.0, 0.0], [0.25, 0.0], [0.25, 1.0], [0.0, 1.0]]]\n"
        )
    };
    let text = format!(
        "[site]\nid = \"quiet-quay\"\ntime_zone = \"Europe/Amsterdam\"\n\
         [model]\nmanifest = \"{root}/models/havenwacht.toml\"\nruntime = \"{root}/models/runtime/libonnxruntime.so\"\n\
         [broker]\nhost = \"127.0.0.1\"\nport = 9\n[logbook]\npath = \"{}/logbook.sqlite\"\n\
         [health]\nlisten = \"127.0.0.1:9464\"\n{}{}",
        folder.display(),
        camera("quay-east"),
        camera("quay-west"),
    );
    let path = folder.join("site.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// The frames of the passes of a replay.
fn pass_frames() -> Vec<Frame> {
    let mut source = ClipReader::open(&id(), h264_clip(), start(), Arc::default()).unwrap();
    let mut scheduler = FairScheduler::new(&[5.0]);
    let mut frames = Vec::new();
    loop {
        match source.next(Duration::from_secs(20)) {
            Next::Frame(frame) => frames.extend(scheduler.pick(frame.stamp.mono, &[true]).map(|_| frame)),
            Next::Ended(EndReason::EndOfStream) => return frames,
            other => panic!("{other:?}"),
        }
    }
}

/// Left, top, width and height of the bright ball in the test picture, from column `from` on.
fn ball(picture: &Picture, from: usize) -> Option<[usize; 4]> {
    let bright = |y: usize| {
        let row = picture.row(0, y).iter().enumerate().skip(from);
        row.filter(|(_, luma)| **luma > 128).map(move |(x, _)| (x, y))
    };
    let at: Vec<_> = (0..picture.size.height as usize).flat_map(bright).collect();
    let (x0, x1) = (at.iter().map(|p| p.0).min()?, at.iter().map(|p| p.0).max()? + 1);
    let (y0, y1) = (at.iter().map(|p| p.1).min()?, at.iter().map(|p| p.1).max()? + 1);
    Some([x0, y0, x1 - x0, y1 - y0])
}

/// The logbook of a replay of `frames`. Every second frame has a detection of the ball. Frame numbers are wrong by `shift`.
fn logbook(folder: &Path, site: &Path, frames: &[Frame], shift: u64) -> PathBuf {
    let path = folder.join(format!("replay-{shift}.sqlite"));
    let (site, _) = havenwacht::config::load(site).unwrap();
    let entry = StartEntry {
        at: start(),
        version: "0".into(),
        config_hash: site.hash,
        model_hash: "0".into(),
        mode: "replay",
        time_zone: "Europe/Amsterdam".into(),
    };
    let options = WriterOptions::new(Arc::new(SystemClock::default()));
    let (writer, sender) = Writer::open(&path, &entry, options).unwrap();
    for (i, frame) in frames.iter().enumerate() {
        let [x, y, width, height] = ball(&frame.picture, 0).unwrap().map(|v| v as f32);
        let bbox = BBox::from_xywh(x, y, width, height);
        let seen = (Detection { class: Class::Vessel, confidence: 0.625, bbox }, None);
        let pass = PassEntry {
            camera: id(),
            at: frame.stamp,
            frame_seq: frame.seq + shift,
            frame_size: frame.picture.size,
            detections: if i % 2 == 0 { vec![seen] } else { Vec::new() },
            tracks: Vec::new(),
        };
        sender.send(Entry::Pass(pass)).unwrap();
    }
    writer.close(frames.last().unwrap().stamp.wall, Duration::from_secs(60)).unwrap();
    path
}

fn export(site: &Path, logbook: &Path, camera: &str, recording: &Path, out: &Path) -> Output {
    let mut command = Command::new(havenwacht());
    command.args(["logbook", "coco", "--frames", "20", "--camera", camera, "--config"]).arg(site);
    command.arg("--logbook").arg(logbook).arg("--recording").arg(recording).arg("--out").arg(out);
    command.output().unwrap()
}

fn replayed() -> (TempDir, PathBuf, Vec<Frame>) {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path());
    (folder, site, pass_frames())
}

#[test]
fn pictures_have_their_boxes_and_privacy_masks() {
    let (folder, site, frames) = replayed();
    let logbook = logbook(folder.path(), &site, &frames, 0);
    let out = folder.path().join("set");
    let output = export(&site, &logbook, "quay-east", h264_clip(), &out);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("20 pictures (4 without detections) and 16 boxes"), "{said}");
    assert!(said.contains("Correct them"), "{said}");

    let set: Value = serde_json::from_slice(&std::fs::read(out.join("instances.json")).unwrap()).unwrap();
    assert_eq!(set["categories"], json!([{"id": 1, "name": "vessel"}, {"id": 2, "name": "person"}]));
    let name = |frame: &Frame| {
        let utc = frame.stamp.wall.strftime("%Y%m%dT%H%M%S.%3fZ");
        format!("quay-east-{utc}.jpg")
    };
    let by_name: BTreeMap<String, (usize, &Frame)> =
        frames.iter().enumerate().map(|(i, frame)| (name(frame), (i, frame))).collect();
    let (images, annotations) = (set["images"].as_array().unwrap(), set["annotations"].as_array().unwrap());
    assert_eq!((images.len(), annotations.len()), (20, 16));
    let (mut compared, mut hidden) = (0, 0);
    for image in images {
        assert_eq!(
            (&image["width"], &image["height"], &image["camera"]),
            (&json!(320), &json!(240), &json!("quay-east"))
        );
        let file_name = image["file_name"].as_str().unwrap();
        let (i, frame) = by_name[file_name];
        let boxes: Vec<_> = annotations.iter().filter(|a| a["image_id"] == image["id"]).collect();
        assert_eq!(boxes.len(), usize::from(i % 2 == 0), "{file_name}");
        let truth = ball(&frame.picture, 0).unwrap();
        for annotation in boxes {
            assert_eq!(annotation["bbox"], json!(truth.map(|v| v as f64)), "{file_name}");
            assert_eq!(annotation["area"], json!((truth[2] * truth[3]) as f64));
            let rest = (&annotation["category_id"], &annotation["iscrowd"], &annotation["score"]);
            assert_eq!(rest, (&json!(1), &json!(0), &json!(0.625)));
        }
        let picture = still_image::read(&out.join("images").join(file_name)).unwrap();
        assert_eq!(picture.size, frame.picture.size);
        let under_mask = (0..240).flat_map(|y| &picture.row(0, y)[..MASKED - 8]).max().unwrap();
        assert!(*under_mask < 16, "{file_name}: {under_mask}");
        hidden += usize::from(truth[0] + 10 < MASKED);
        if truth[0] > MASKED {
            let shown = ball(&picture, 0).unwrap();
            assert!(shown.iter().zip(&truth).all(|(a, b)| a.abs_diff(*b) <= 3), "{shown:?}, not {truth:?}");
            compared += 1;
        }
    }
    assert!(compared > 5 && hidden > 0, "{compared} compared, {hidden} hidden");
    let times: Vec<_> = images.iter().map(|image| by_name[image["file_name"].as_str().unwrap()].0).collect();
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (1..=20).contains(gap)), "spread over 300 passes: {times:?}");
}

#[test]
fn wrong_input_is_an_error_and_writes_nothing() {
    let (folder, site, frames) = replayed();
    let good = logbook(folder.path(), &site, &frames, 0);
    let out = folder.path().join("set");
    let error = |site: &Path, logbook: &Path, camera: &str, recording: &Path, out: &Path| {
        let output = export(site, logbook, camera, recording, out);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let full = error(&site, &good, "quay-east", h264_clip(), folder.path());
    assert!(full.contains("is not empty: give a new folder"), "{full}");
    let unknown = error(&site, &good, "attic", h264_clip(), &out);
    assert!(unknown.contains("no camera `attic`; it has quay-east, quay-west"), "{unknown}");
    let unseen = error(&site, &good, "quay-west", h264_clip(), &out);
    assert!(unseen.contains("has no detection of camera `quay-west`"), "{unseen}");
    let gone = error(&site, &good, "quay-east", &folder.path().join("gone.mp4"), &out);
    assert!(gone.contains("gone.mp4") && gone.contains("No such file"), "{gone}");
    let other = logbook(folder.path(), &site, &frames, 1);
    let other = error(&site, &other, "quay-east", h264_clip(), &out);
    assert!(other.contains("does not match") && other.contains("detections at frame 1, "), "{other}");
    std::fs::write(&site, std::fs::read_to_string(&site).unwrap() + "\n# later\n").unwrap();
    let changed = error(&site, &good, "quay-east", h264_clip(), &out);
    assert!(changed.contains("has changed since") && changed.contains("again"), "{changed}");
    assert!(!out.exists());
}
