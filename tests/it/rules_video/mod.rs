//! Kinds of rules on video: decoded clips, the shipped detector, the tracker, the rules, the logbook. Each kind has a rule
//! that must raise one signal, about the vessel of the truth, and variants that must raise none, with the reason.

mod inner_harbour;
mod quay_east;
mod roads;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;

use crate::paths::{clip, havenwacht, root};

/// The largest difference between a signal and its expected time, in seconds.
const NEAR_S: f64 = 3.0;

/// A camera's clip, and the places and rules to test on it.
struct VideoScene {
    camera: &'static str,
    codec: &'static str,
    /// 22:13 in Amsterdam, or a little later.
    start: &'static str,
    /// Keys of the camera, its zones and lines, and the parts of combined rules.
    places: &'static str,
    cases: &'static [VideoCase],
}

/// A rule that must raise one signal, and variants that must raise none.
struct VideoCase {
    /// Its id.
    id: &'static str,
    kind: &'static str,
    keys: &'static str,
    /// When it opens, in seconds from the start of the clip.
    opens_s: f64,
    /// The vessel's number in the truth; `None` for a rule about a place.
    vessel: Option<u32>,
    /// Its condition, threshold and unit, as the logbook has them.
    condition: &'static str,
    threshold: (f64, &'static str),
    variants: &'static [Variant],
}

/// A rule of the same kind that raises no signal.
struct Variant {
    keys: &'static str,
    /// The reason the logbook gives; `None` where the condition is never met.
    suppressed: Option<&'static str>,
}

const fn not_met(keys: &'static str) -> Variant {
    Variant { keys, suppressed: None }
}

const fn suppressed(keys: &'static str, reason: &'static str) -> Variant {
    Variant { keys, suppressed: Some(reason) }
}

impl VideoCase {
    /// The variants with their ids.
    fn variants(&self) -> impl Iterator<Item = (String, &Variant)> {
        let id = |index| format!("{}-variant-{index}", self.id);
        self.variants.iter().enumerate().map(move |(index, variant)| (id(index), variant))
    }
}

/// The site file of a scene.
fn site_file(scene: &VideoScene) -> String {
    let VideoScene { camera, codec, places, .. } = scene;
    let models = root().join("models");
    let mut text = format!(
        r#"
[site]
id = "sample-harbour"
time_zone = "Europe/Amsterdam"
[model]
manifest = "{manifest}"
runtime = "{runtime}"
[broker]
host = "127.0.0.1"
[logbook]
path = "logbook.sqlite"
[[camera]]
id = "{camera}"
url = "rtsp://127.0.0.1:8554/{camera}"
codec = "{codec}"
detect_fps = 4.0
{places}"#,
        manifest = models.join("havenwacht.toml").display(),
        runtime = models.join("runtime/libonnxruntime.so").display(),
    );
    let mut rule = |id: &str, kind: &str, keys: &str| {
        write!(text, "\n[[rule]]\nid = \"{id}\"\nkind = \"{kind}\"\nseverity = \"warning\"\n{keys}\n")
            .unwrap();
        for (key, value) in [("confirm", "1s"), ("clear", "4s"), ("cooldown", "0s")] {
            if !keys.contains(&format!("{key} =")) {
                writeln!(text, "{key} = \"{value}\"").unwrap();
            }
        }
    };
    for case in scene.cases {
        rule(case.id, case.kind, case.keys);
        for (id, variant) in case.variants() {
            rule(&id, case.kind, variant.keys);
        }
    }
    text
}

/// Runs the program in `folder`; its output.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(havenwacht()).current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A signal of the logbook.
#[derive(Debug)]
struct LoggedSignal {
    rule: String,
    opened_s: f64,
    condition: String,
    measured: f64,
    threshold: f64,
    unit: String,
    schedule: String,
    config_hash: String,
    /// The box at its opening, from 0 to 1.
    bbox: [f64; 4],
    #[expect(dead_code, reason = "read by Debug, when a test fails")]
    text: String,
}

fn signals(logbook: &Connection, start: &str) -> Vec<LoggedSignal> {
    let mut rows = logbook
        .prepare(
            "SELECT v_signals.rule_id, (julianday(opened_utc) - julianday(?1)) * 86400, condition, v_signals.measured, threshold,
               v_signals.unit, schedule, config_hash, v_signals.text, x0, y0, x1, y1
             FROM v_signals JOIN v_signal_steps ON signal = seq AND phase = 'opened' ORDER BY seq",
        )
        .unwrap();
    let signal = |row: &rusqlite::Row<'_>| {
        Ok(LoggedSignal {
            rule: row.get(0)?,
            opened_s: row.get(1)?,
            condition: row.get(2)?,
            measured: row.get(3)?,
            threshold: row.get(4)?,
            unit: row.get(5)?,
            schedule: row.get(6)?,
            config_hash: row.get(7)?,
            text: row.get(8)?,
            bbox: [row.get(9)?, row.get(10)?, row.get(11)?, row.get(12)?],
        })
    };
    rows.query_map([start], signal).unwrap().map(Result::unwrap).collect()
}

/// Intersection over union of `bbox` and the box of `vessel` in the truth at that second.
fn overlap(camera: &str, vessel: u32, second: f64, bbox: [f64; 4]) -> f64 {
    let truth = std::fs::read_to_string(clip(camera).with_extension("gt.txt")).unwrap();
    let frame = (second * 25.0).round() + 1.0;
    let rows =
        truth.lines().map(|line| line.split(',').map(|n| n.parse::<f64>().unwrap()).collect::<Vec<_>>());
    let row = rows.into_iter().find(|row| row[0] == frame && row[1] == f64::from(vessel));
    let Some(row) = row else { return 0.0 };
    let (x, y, width, height) = (row[2] / 1920.0, row[3] / 1080.0, row[4] / 1920.0, row[5] / 1080.0);
    let shared = |a: [f64; 2], b: [f64; 2]| (a[1].min(b[1]) - a[0].max(b[0])).max(0.0);
    let [x0, y0, x1, y1] = bbox;
    let both = shared([x0, x1], [x, x + width]) * shared([y0, y1], [y, y + height]);
    both / (width * height + (x1 - x0) * (y1 - y0) - both)
}

/// A number as the sentences write it.
fn figure(number: f64) -> String {
    format!("{number:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Plays a scene: every rule raises one signal, about its vessel and for its reasons, and no variant raises any.
fn check(scene: &VideoScene) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.toml"), site_file(scene)).unwrap();
    let clip: PathBuf = clip(scene.camera);
    let camera = format!("{}={}", scene.camera, clip.display());
    let replay = ["replay", "--config", "site.toml", "--start", scene.start, "--logbook", "logbook.sqlite"];
    run(folder.path(), &[&replay[..], &["--camera", &camera]].concat());
    let logbook = Connection::open(folder.path().join("logbook.sqlite")).unwrap();
    let site_hash: String =
        logbook.query_row("SELECT config_hash FROM v_starts", [], |row| row.get(0)).unwrap();
    assert_eq!(site_hash.len(), 64);

    let raised = signals(&logbook, scene.start);
    let mut by_rule: BTreeMap<&str, Vec<&LoggedSignal>> = BTreeMap::new();
    raised.iter().for_each(|signal| by_rule.entry(&signal.rule).or_default().push(signal));
    let why =
        |rule: &str| run(folder.path(), &["logbook", "why", "--logbook", "logbook.sqlite", "--rule", rule]);
    let mut wrong = Vec::new();
    for case in scene.cases {
        match by_rule.get(case.id).map(Vec::as_slice) {
            Some(&[signal]) => wrong.extend(faults(scene, case, signal, &site_hash, &why(case.id))),
            other => wrong.push(format!("{}: one signal, not {other:#?}", case.id)),
        }
        for (id, variant) in case.variants() {
            if let Some(signals) = by_rule.get(id.as_str()) {
                wrong.push(format!("{id}: no signal, but {signals:#?}"));
            }
            wrong.extend(suppression_faults(&logbook, &id, variant, &site_hash, &why(&id)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with a signal and its reasons.
fn faults(
    scene: &VideoScene,
    case: &VideoCase,
    signal: &LoggedSignal,
    site_hash: &str,
    why: &str,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |fine: bool, what: &str| {
        if !fine {
            wrong.push(format!("{}: {what}: {signal:#?}", case.id));
        }
    };
    expect((signal.opened_s - case.opens_s).abs() < NEAR_S, &format!("opens at {} s", case.opens_s));
    if let Some(vessel) = case.vessel {
        let overlap = overlap(scene.camera, vessel, signal.opened_s, signal.bbox);
        expect(overlap > 0.4, &format!("is about vessel {vessel}, with an overlap of {overlap:.2}"));
    }
    expect(signal.condition == case.condition, &format!("`{}`", case.condition));
    let (threshold, unit) = case.threshold;
    expect((signal.threshold, signal.unit.as_str()) == (threshold, unit), &format!("{threshold} {unit}"));
    expect(signal.measured >= threshold, "measures what it must");
    let words = if case.keys.contains("schedule =") {
        "every day 22:14 to 05:30 the next day"
    } else {
        "at any time"
    };
    expect(signal.schedule == words, &format!("the schedule is `{words}`"));
    expect(signal.config_hash == site_hash, "it has the site file's hash");
    for sentence in [
        format!("{} gave signal ", case.id),
        format!("Condition: {}.", signal.condition),
        format!("Measured {} {unit}, threshold {} {unit}", figure(signal.measured), figure(threshold)),
    ] {
        expect(why.contains(&sentence), &format!("`logbook why` says `{sentence}`, not {why}"));
    }
    wrong
}

/// What is wrong with the suppressed signals of a variant.
fn suppression_faults(
    logbook: &Connection,
    id: &str,
    variant: &Variant,
    site_hash: &str,
    why: &str,
) -> Vec<String> {
    let mut rows = logbook
        .prepare("SELECT DISTINCT reason FROM v_suppressed WHERE rule = ?1 AND condition != '' AND config_hash = ?2")
        .unwrap();
    let reasons = rows.query_map([id, site_hash], |row| row.get(0)).unwrap();
    let reasons: Vec<String> = reasons.map(Result::unwrap).collect();
    let expected: Vec<_> = variant.suppressed.iter().copied().collect();
    let sentence = match variant.suppressed {
        Some(_) => format!("{id} sent nothing, because "),
        None => "no signal, and no suppressed signal. The rule's condition did not hold".to_owned(),
    };
    let mut wrong = Vec::new();
    if reasons != expected {
        wrong.push(format!("{id}: suppressed for {expected:?}, not {reasons:?}"));
    }
    if !why.contains(&sentence) {
        wrong.push(format!("{id}: `logbook why` says `{sentence}`, not {why}"));
    }
    wrong
}

#[test]
fn kinds_by_day_in_the_inner_harbour() {
    check(&inner_harbour::SCENE);
}

#[test]
fn kinds_at_night_at_the_quay() {
    check(&quay_east::SCENE);
}

#[test]
fn kinds_far_out_on_the_roads() {
    check(&roads::SCENE);
}
