//! Mistakes in site files and models, by people and by disks.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use havenwacht::config::{ConfigError, Level, check_text};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::paths::{havenwacht, root};
use crate::supervisor::{Ending, Supervised, unit};
use crate::{Row, onnx, rounds};

const EXAMPLE: &str = include_str!("../../config/example.toml");

/// Wrong values: of every type, and at every limit.
const WRONG_VALUES: [&str; 24] = [
    "0",
    "-1",
    "1e308",
    "nan",
    "-inf",
    "9223372036854775807",
    "true",
    "\"\"",
    "\"#/+\"",
    "\"\u{1f6a2}\"",
    "[]",
    "[[]]",
    "[[0.0, 0.0]]",
    "[[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]",
    "[[nan, 0.5], [0.5, inf], [0.1, 0.1]]",
    "{}",
    "{ days = [\"someday\"] }",
    "1979-05-27T07:32:00Z",
    "\"2026-02-30\"",
    "\"25:61\"",
    "\"-5s\"",
    "\"1e99d\"",
    "\"rtsp://a:b@c\"",
    "\"/dev/zero\"",
];

/// A change of a file: its kind, the line, and the other line or the value.
type Mistake = (u8, usize, usize);

/// The text with these mistakes.
fn with_mistakes(text: &str, mistakes: &[Mistake]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for &(how, at, other) in mistakes {
        let (at, value) = (at % lines.len(), WRONG_VALUES[other % WRONG_VALUES.len()]);
        let other = other % lines.len();
        match how % 6 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(other, lines[at].clone()),
            2 => lines.swap(at, other),
            3 => {
                if let Some((key, _)) = lines[at].split_once(" = ") {
                    lines[at] = format!("{key} = {value}");
                }
            }
            4 => {
                if let Some((_, value)) = lines[at].split_once(" = ") {
                    lines[at] = format!("misspelt = {value}");
                }
            }
            _ => {
                let cut = lines[at].char_indices().map(|(place, _)| place).nth(other % 40).unwrap_or(0);
                lines[at].truncate(cut);
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    lines.join("\n")
}

#[test]
fn no_mistake_in_a_site_file_makes_the_check_panic() {
    let cases = rounds(1_000, 10_000) as u32;
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let mistakes = prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>()), 1..8);
    runner
        .run(&mistakes, |mistakes| {
            let text = with_mistakes(EXAMPLE, &mistakes);
            let found = match check_text("site.toml", &text, &root().join("config")) {
                Ok((_, warnings)) => warnings,
                Err(ConfigError::Invalid(found)) => {
                    prop_assert!(found.iter().any(|d| d.level == Level::Error), "rejected without a reason");
                    found
                }
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            };
            for diagnostic in &found {
                prop_assert!((1..=text.lines().count().max(1)).contains(&diagnostic.line), "{}", diagnostic);
                prop_assert!(!diagnostic.what.is_empty(), "{}", diagnostic);
            }
            Ok(())
        })
        .unwrap();
    Row::new(18, "mutated site files", cases as usize)
        .at_most("panics, or findings without a line", 0.0, "", 0.0)
        .record();
}

/// Text of a valid site file, the same text with a mistake, the key that the error must name, and a word of the help.
const REAL_MISTAKES: [(&str, &str, &str, &str); 16] = [
    ("id = \"quay-east\"", "id = \"quay east\"", "camera[0].id", "quay-east"),
    ("codec = \"h264\"", "codec = \"h.264\"", "codec", "h264"),
    ("codec = \"h264\"", "codek = \"h264\"", "codek", "codec"),
    ("rtsp://127.0.0.1:CAMERA/", "http://127.0.0.1:CAMERA/", "url", "rtsp"),
    ("rtsp://127.0.0.1:CAMERA/", "rtsp://viewer:secret@127.0.0.1:CAMERA/", "url", "password"),
    ("detect_fps = 3.0", "detect_fps = 0", "detect_fps", "0.1"),
    ("detect_fps = 3.0", "detect_fps = \"3\"", "detect_fps", "number"),
    ("port = BROKER", "port = 70000", "broker.port", "65535"),
    (
        "[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]",
        "[[0, 0], [1920, 0], [1920, 1080]]",
        "polygon",
        "0 to 1",
    ),
    (
        "[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]",
        "[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]",
        "polygon",
        "cross",
    ),
    ("camera = \"quay-east\"", "camera = \"quay-west\"", "camera", "quay-east"),
    ("zone = \"all\"", "zone = \"al\"", "zone", "all"),
    ("kind = \"presence\"", "kind = \"presense\"", "kind", "presence"),
    ("cooldown = \"5s\"", "cooldown = 5", "cooldown", "5s"),
    ("Europe/Amsterdam", "Europe/Scheveningen", "time_zone", "Amsterdam"),
    ("manifest = \"MANIFEST\"", "manifest = \"/nowhere/model.toml\"", "model.manifest", "no file"),
];

/// A valid site file, with ports for broker and camera at which the test sees every connection.
fn valid_site(folder: &Path, manifest: &Path, broker: u16, camera: u16) -> String {
    format!(
        "[site]\nid = \"test-harbour\"\ntime_zone = \"Europe/Amsterdam\"\n[model]\nmanifest = \"MANIFEST\"\n\
         runtime = \"{root}/models/runtime/libonnxruntime.so\"\n[broker]\nhost = \"127.0.0.1\"\nport = BROKER\n\
         [logbook]\npath = \"{}/logbook.sqlite\"\n[health]\nlisten = \"127.0.0.1:{health}\"\n\
         [[camera]]\nid = \"quay-east\"\nurl = \"rtsp://127.0.0.1:CAMERA/quay-east\"\ncodec = \"h264\"\ndetect_fps = 3.0\n\
         [[zone]]\nid = \"all\"\nname = \"All\"\ncamera = \"quay-east\"\n\
         polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]\n\
         [[rule]]\nid = \"seen\"\nname = \"Vessel seen\"\nkind = \"presence\"\nzone = \"all\"\n\
         severity = \"info\"\nconfirm = \"0s\"\nclear = \"2s\"\ncooldown = \"5s\"\n",
        folder.display(),
        root = root().display(),
        health = havenwacht::cli::demo::programs::free_port().unwrap(),
    )
    .replace("MANIFEST", &manifest.display().to_string())
    .replace("BROKER", &broker.to_string())
    .replace("CAMERA", &camera.to_string())
}

/// A port to which nothing should connect.
fn listening_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn run(site: &Path) -> (ExitStatus, String) {
    let output = Command::new(havenwacht()).args(["run", "--config"]).arg(site).output().unwrap();
    (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_error_for_a_mistake_names_key_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let ((broker, broker_port), (camera, camera_port)) = (listening_port(), listening_port());
    let manifest = root().join("models/havenwacht.toml");
    let valid = valid_site(folder.path(), &manifest, broker_port, camera_port);
    let filled = |text: &str| {
        text.replace("CAMERA", &camera_port.to_string())
            .replace("BROKER", &broker_port.to_string())
            .replace("MANIFEST", &manifest.display().to_string())
    };
    let site = folder.path().join("site.toml");
    let mut unnamed = Vec::new();
    for (right, wrong, key, help) in REAL_MISTAKES {
        let (right, wrong) = (filled(right), filled(wrong));
        assert!(valid.contains(&right), "{right} is not in the valid file");
        let text = valid.replacen(&right, &wrong, 1);
        let line = 1 + text[..text.find(&wrong).unwrap()].matches('\n').count();
        std::fs::write(&site, text).unwrap();
        let (status, output) = run(&site);
        let place = format!("site.toml:{line}:");
        let named = output.lines().any(|l| l.contains(&place) && l.contains(key)) && output.contains(help);
        if status.code() != Some(78) || !named {
            unnamed.push(format!("{wrong}: {status}, wanted {place} {key} {help}\n{output}"));
        }
    }
    println!("{}", unnamed.join("\n"));
    let connections = broker.accept().is_ok() as usize + camera.accept().is_ok() as usize;
    let touched = usize::from(folder.path().join("logbook.sqlite").exists());
    Row::new(18, "real mistakes in a site file", REAL_MISTAKES.len())
        .at_most("without exit 78, key, line and help", unnamed.len() as f64, "", 0.0)
        .at_most("logbook or network touched", (connections + touched) as f64, "", 0.0)
        .record();
}

#[test]
fn a_bad_model_ends_the_start_with_exit_78_and_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (_broker, port) = listening_port();
    let site = folder.path().join("site.toml");
    let not_again: i32 = unit("RestartPreventExitStatus").parse().unwrap();
    let toy = onnx::toy();
    // The mistake, the model, the size in the manifest, and a word that the error must have.
    let cases: [(&str, &[u8], [u32; 2], &str); 6] = [
        ("missing", &toy, [64, 64], "toy.onnx"),
        ("another file than the manifest says", &toy, [64, 64], "sha256"),
        ("truncated, and the manifest with it", &toy[..toy.len() / 2], [64, 64], "toy.onnx"),
        ("not a model", b"Dear harbour master", [64, 64], "toy.onnx"),
        ("empty", b"", [64, 64], "toy.onnx"),
        ("of another shape than the manifest says", &toy, [128, 64], "shape"),
    ];
    let (mut unexplained, mut most_starts) = (Vec::new(), 0);
    for (what, model, size, word) in cases {
        let manifest = onnx::write(folder.path(), model, size);
        match what {
            "missing" => std::fs::remove_file(folder.path().join("toy.onnx")).unwrap(),
            "another file than the manifest says" => {
                std::fs::write(folder.path().join("toy.onnx"), [&toy[..], &[0]].concat()).unwrap();
            }
            _ => {}
        }
        std::fs::write(&site, valid_site(folder.path(), &manifest, port, port)).unwrap();
        let log = folder.path().join("daemon.log");
        std::fs::write(&log, "").unwrap();
        // Like systemd: start again until an exit status forbids it.
        let mut starts = 0;
        let status = loop {
            starts += 1;
            let mut daemon = Supervised::start(&site, Duration::from_secs(5));
            assert_eq!(daemon.ready(), None, "{what}: it must not become ready");
            let Ending::Ended(status) = daemon.supervise() else { panic!("{what}: hangs") };
            if status.code() == Some(not_again) || starts == 3 {
                break status;
            }
        };
        most_starts = most_starts.max(starts);
        let output = std::fs::read_to_string(&log).unwrap();
        if status.code() != Some(78) || !output.contains(word) || output.contains("panicked") {
            unexplained.push(format!("{what}: {status}, wanted {word}\n{output}"));
        }
    }
    println!("{}", unexplained.join("\n"));
    assert!(!folder.path().join("logbook.sqlite").exists(), "the logbook does not exist");
    Row::new(19, "bad model", cases.len())
        .at_most("without exit 78 and reason", unexplained.len() as f64, "", 0.0)
        .at_most("starts", most_starts as f64, "", 1.0)
        .record();
}
