//! Camera outages in video: each cause has a scene in which it must be found in time and be over in time; in other scenes
//! nothing must be found. `sample-scenes --camera-faults` draws them; `make test` does that before the tests run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use havenwacht::camera_health::{OutageChange, OutageEnd};
use havenwacht::clock::{MonoTime, Stamp};
use havenwacht::config;
use havenwacht::daemon::Pipelines;
use havenwacht::detect::{DetectError, DetectionPass, Detector, Thresholds};
use havenwacht::frame::Frame;
use havenwacht::geometry::{BBox, Norm};
use havenwacht::ids::CameraId;
use havenwacht::ingest::{ClipReader, EndReason, Next};
use havenwacht::logbook::Entry;
use havenwacht::rules::{ResumeState, SuppressionReason};
use serde_json::Value;

use crate::paths::{havenwacht, root};

/// Detection passes a second; the scenes have four pictures a second.
const DETECT_FPS: f32 = 2.0;
/// Cause; seconds after its first picture within which it must be found, and after its last within which it must be over.
const WITHIN: [(&str, [f64; 2]); 8] = [
    ("black", [6.0, 4.0]),
    ("overexposed", [11.0, 6.0]),
    ("low contrast", [16.0, 11.0]),
    ("frozen", [16.0, 4.0]),
    ("scene change", [12.0, 11.0]),
    ("defocused", [16.0, 11.0]),
    ("low frame rate", [12.0, 16.0]),
    ("signal loss", [10.5, 0.5]),
];

/// Detects nothing, or fails in every pass: camera health needs no detector.
#[derive(Clone, Copy)]
enum NoDetector {
    FindsNothing,
    Fails,
}

impl Detector for NoDetector {
    fn input_px(&self) -> u32 {
        320
    }

    fn detect(&mut self, _frame: &Frame, _regions: &[BBox<Norm>]) -> Result<DetectionPass, DetectError> {
        match self {
            Self::FindsNothing => Ok(DetectionPass::default()),
            Self::Fails => Err(DetectError("broken".into())),
        }
    }
}

fn site(folder: &Path) -> config::Site {
    let path = folder.join("site.toml");
    let text = format!(
        "[site]\nid = 'outage'\ntime_zone = 'Europe/Amsterdam'\n[model]\nmanifest = '{}'\nruntime = '{}'\n\
         [broker]\nhost = '127.0.0.1'\n[logbook]\npath = 'l.sqlite'\n\
         [[camera]]\nid = 'quay'\nurl = 'rtsp://127.0.0.1:8554/quay'\ncodec = 'h264'\ndetect_fps = {DETECT_FPS:.1}\n\
         [[zone]]\nid = 'basin'\ncamera = 'quay'\npolygon = [[0.1, 0.5], [0.9, 0.5], [0.9, 0.9], [0.1, 0.9]]\n\
         [[rule]]\nid = 'basin'\nkind = 'presence'\nzone = 'basin'\nseverity = 'warning'\nconfirm = '1s'\n",
        root().join("models/havenwacht.toml").display(),
        root().join("models/runtime/libonnxruntime.so").display(),
    );
    std::fs::write(&path, text).unwrap();
    config::load(&path).unwrap().0
}

/// An outage as the pipeline reported it; times in seconds of the recording.
#[derive(Debug)]
struct FoundOutage {
    cause: &'static str,
    began_s: f64,
    reported_s: f64,
    ended: Option<(f64, OutageEnd)>,
    text: String,
}

/// The outages found in a scene, and in how many passes rules were suspended for them.
fn play(scene: &str, detector: NoDetector) -> (Vec<FoundOutage>, u32) {
    let clip = folder().join(format!("{scene}.mp4"));
    let start =
        Stamp { mono: MonoTime::from_boot(Duration::ZERO), wall: "2026-06-01T12:00:00Z".parse().unwrap() };
    let camera = CameraId::new("quay").unwrap();
    let mut source = ClipReader::open(&camera, &clip, start, Arc::default()).unwrap();
    let thresholds = Thresholds { high: 0.5, low: 0.1, iou: 0.5, confidence: None };
    let at = tempfile::tempdir().unwrap();
    let mut pipelines =
        Pipelines::new(Arc::new(site(at.path())), Box::new(detector), thresholds, 1, &ResumeState::default());
    let (mut outages, mut suspended): (Vec<FoundOutage>, u32) = Default::default();
    let second = |at: Stamp| at.mono.since(start.mono).as_secs_f64();
    let mut take = |entries: Vec<Entry>, now: Stamp| {
        for entry in entries {
            match entry {
                Entry::Outage(step) => match step.change {
                    OutageChange::Began(outage) => outages.push(FoundOutage {
                        cause: outage.cause.as_str(),
                        began_s: second(outage.began),
                        reported_s: second(now),
                        ended: None,
                        text: outage.text,
                    }),
                    OutageChange::Ended(_, at, how) => {
                        outages.last_mut().unwrap().ended = Some((second(at), how))
                    }
                },
                Entry::Suppressed(suppression) if suppression.reason == SuppressionReason::CameraOutage => {
                    suspended += suppression.times
                }
                _ => {}
            }
        }
    };
    let (mut processed, mut last) = (None::<Stamp>, start);
    loop {
        match source.next(Duration::from_secs(20)) {
            Next::Frame(frame) => {
                last = frame.stamp;
                if processed
                    .is_none_or(|at| frame.stamp.mono.since(at.mono).as_secs_f32() >= 0.9 / DETECT_FPS)
                {
                    processed = Some(frame.stamp);
                    // As the daemon does between two passes.
                    let entries = pipelines.process(0, &frame);
                    let failed = |_: DetectError| pipelines.tick(frame.stamp, |_| Some(frame.stamp));
                    take(entries.unwrap_or_else(failed), frame.stamp);
                }
            }
            Next::Ended(EndReason::EndOfStream) => break,
            other => panic!("{scene}: {other:?}"),
        }
    }
    take(pipelines.finish(last), last);
    (outages, suspended)
}

fn folder() -> PathBuf {
    root().join("sample-streams/out/camera-faults")
}

/// Each scene, with what must be found in it.
fn scenes() -> BTreeMap<String, Value> {
    let files = std::fs::read_dir(folder());
    let files = files.unwrap_or_else(|_| panic!("{} is missing: `make test` draws it", folder().display()));
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| {
            let truth = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), truth)
        })
        .collect()
}

/// Runs the program in `at`; gives its output.
fn run(at: &Path, arguments: &[&str]) -> String {
    let output = Command::new(havenwacht()).current_dir(at).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What is wrong with the outages found in a scene.
#[expect(clippy::print_stdout, reason = "how soon each cause is found, for `--nocapture`")]
fn faults(scene: &str, truth: &Value) -> Vec<String> {
    let (outages, suspended) = play(scene, NoDetector::FindsNothing);
    let mut wrong = Vec::new();
    let mut expect = |fine: bool, what: &str| {
        if !fine {
            wrong.push(format!("{scene}: {what}, not {outages:#?}"));
        }
    };
    let Some(cause) = truth["cause"].as_str() else {
        expect(outages.is_empty() && suspended == 0, "nothing is found");
        return wrong;
    };
    let [from_s, to_s] = ["from_s", "to_s"].map(|key| truth[key].as_f64().unwrap());
    let (_, [found_s, over_s]) = WITHIN.iter().find(|(one, _)| *one == cause).unwrap();
    let [outage] = outages.as_slice() else {
        expect(false, "one outage");
        return wrong;
    };
    println!(
        "{scene:>16}: {} found {:.1} s after it began, over {:.1} s after its end: {}",
        outage.cause,
        outage.reported_s - from_s,
        outage.ended.map_or(f64::NAN, |(at, _)| at) - to_s,
        outage.text
    );
    expect(outage.cause == cause, cause);
    expect(outage.reported_s - from_s <= *found_s, &format!("found within {found_s} s of second {from_s}"));
    // The frame rate is measured over ten seconds.
    let early_s = if cause == "low frame rate" { 10.0 } else { 0.6 };
    expect((-early_s..=1.0).contains(&(outage.began_s - from_s)), &format!("begins at {from_s} s"));
    let over = outage.ended.filter(|(at, how)| *how == OutageEnd::Recovered && at - to_s <= *over_s);
    expect(over.is_some(), &format!("over within {over_s} s of second {to_s}"));
    expect(suspended > 0 || cause == "signal loss", "the rule is suspended");
    wrong
}

#[test]
fn each_cause_is_found_in_time_and_only_in_its_scene() {
    let scenes = scenes();
    for (cause, _) in WITHIN {
        assert!(scenes.values().any(|truth| truth["cause"] == cause), "no scene is {cause}");
    }
    assert!(scenes.values().filter(|truth| truth["cause"].is_null()).count() >= 6);
    let wrong: Vec<String> = std::thread::scope(|threads| {
        let halves = [0, 1].map(|half| {
            let scenes = &scenes;
            threads.spawn(move || {
                let mine = scenes.iter().skip(half).step_by(2);
                mine.flat_map(|(scene, truth)| faults(scene, truth)).collect::<Vec<_>>()
            })
        });
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_logbook_commands_show_an_outage() {
    let at = tempfile::tempdir().unwrap();
    site(at.path());
    let camera = format!("quay={}", folder().join("black.mp4").display());
    let start = "2026-06-01T20:13:00Z";
    let replay =
        ["replay", "--config", "site.toml", "--start", start, "--logbook", "l.sqlite", "--camera", &camera];
    run(at.path(), &replay);
    let logbook = |arguments: &[&str]| {
        let source = ["--logbook", "l.sqlite"];
        run(at.path(), &[&["logbook"], &arguments[..1], &source, &arguments[1..]].concat())
    };
    let list = logbook(&["list", "outages"]);
    let row = list.lines().nth(1).unwrap();
    for part in ["2026-06-01 22:13:26 +02:00", "2026-06-01 22:13:41 +02:00", "quay", "black", "recovered"] {
        assert!(row.contains(part), "{part} in {list}");
    }
    let tail = logbook(&["tail", "--once"]);
    assert!(
        tail.contains(
            "22:13:26 +02:00  camera quay gives no usable picture: the picture is black: 98 % of it is under"
        ),
        "{tail}"
    );
    assert!(
        tail.contains("22:13:41 +02:00  camera quay gives a usable picture again (black for 15.0 s)"),
        "{tail}"
    );
    let why = logbook(&["why", "--rule", "basin"]);
    assert!(why.contains("basin sent nothing, because the camera gave no usable picture"), "{why}");
    assert!(
        why.contains(
            "Camera quay gave no usable picture from 2026-06-01 22:13:26 +02:00 to 2026-06-01 22:13:41"
        ),
        "{why}"
    );
}

#[test]
fn an_outage_is_reported_though_every_pass_fails() {
    let (outages, _) = play("black", NoDetector::Fails);
    let [FoundOutage { cause: "black", reported_s: 31.0, ended: Some((41.0, OutageEnd::Recovered)), .. }] =
        outages.as_slice()
    else {
        panic!("{outages:#?}")
    };
}
