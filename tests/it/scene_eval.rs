//! `havenwacht eval scene` on a short sample scene, with the real model.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::paths::{havenwacht, root};

/// A variant, drawn by `make test` before the tests run.
fn variant() -> PathBuf {
    let folder = root().join("sample-streams/out/variants/day-00");
    assert!(folder.join("clip.mp4").exists(), "{} is missing: `make test` draws it", folder.display());
    folder
}

fn eval(scene: &Path, arguments: &[&str]) -> Output {
    Command::new(havenwacht())
        .current_dir(root())
        .args(["eval", "scene"])
        .arg(scene)
        .args(arguments)
        .output()
        .unwrap()
}

fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A copy of the scene to change.
fn copy(to: &Path) -> PathBuf {
    let folder = to.join("mine");
    fs::create_dir(&folder).unwrap();
    for name in ["clip.mp4", "truth.txt", "site.toml", "signals.json", "scene.json"] {
        fs::copy(variant().join(name), folder.join(name)).unwrap();
    }
    folder
}

#[test]
fn scores_are_repeatable_and_the_page_is_self_contained() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    let mut once = report(&eval(&variant(), &["--json", "--html", page.to_str().unwrap()]));
    let listed: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(variant().join("signals.json")).unwrap()).unwrap();
    let total = &once["total"];
    assert_eq!(total["signals"]["expected"], json!(listed.len()), "{total:#}");
    assert_eq!(
        (&total["signals"]["recall"], &total["signals"]["precision"]),
        (&json!(1.0), &json!(1.0)),
        "{once:#}"
    );
    let delay_s = total["signals"]["delay_median_s"].as_f64().unwrap();
    assert!((-0.5..2.0).contains(&delay_s), "{delay_s}");
    let above = |figures: &Value, key: &str, least: f64| {
        assert!(figures[key].as_f64().unwrap() > least, "{key}: {figures:#}");
    };
    above(&total["detections"], "recall", 0.6);
    above(&total["detections"], "precision", 0.6);
    above(&total["tracks"], "idf1", 0.6);
    above(&total["cost"], "inferences_per_pass", 0.9);
    above(&total["cost"], "pipeline_cpu_s_per_camera_s", 0.0);
    assert_eq!(once["conditions"][0]["name"], "day");

    let html = fs::read_to_string(page).unwrap();
    assert!(html.contains("id=\"day-00\"") && html.contains("<polyline"));
    for outside in ["http://", "https://", "<script", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }

    let mut again = report(&eval(&variant(), &["--json"]));
    for report in [&mut once, &mut again] {
        // Only times may differ.
        report["total"]["cost"] = Value::Null;
        report["scenes"][0]["scores"]["cost"] = Value::Null;
        report["conditions"][0]["scores"]["cost"] = Value::Null;
    }
    assert_eq!(once, again);
}

#[test]
fn missed_and_false_signals_have_a_cause() {
    let folder = tempfile::tempdir().unwrap();
    let mine = copy(folder.path());
    let mut listed: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(mine.join("signals.json")).unwrap()).unwrap();
    // The first signal is now expected 7 s earlier or later.
    let opens_s = listed[0]["opens_s"].as_f64().unwrap();
    listed[0]["opens_s"] = json!(if opens_s > 8.0 { opens_s - 7.0 } else { opens_s + 7.0 });
    fs::write(mine.join("signals.json"), json!(listed).to_string()).unwrap();
    let report = report(&eval(&mine, &["--json"]));
    let signals = &report["total"]["signals"];
    assert_eq!((&signals["missed"], &signals["false"]), (&json!(1), &json!(1)), "{signals:#}");
    let failures = report["scenes"][0]["failures"].as_array().unwrap();
    let kinds: Vec<_> = failures.iter().take(2).map(|f| f["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["missed-signal", "false-signal"]);
    let rule = listed[0]["rule"].as_str().unwrap();
    assert!(failures[0]["what_happened"].as_str().unwrap().contains(rule), "{failures:#?}");
    assert!(failures[1]["likely_cause"].as_str().unwrap().contains("expected at"), "{failures:#?}");
}

#[test]
fn errors_name_the_missing_file_or_value() {
    let folder = tempfile::tempdir().unwrap();
    let mine = copy(folder.path());
    let refusal = |change: &dyn Fn(&Path)| {
        change(&mine);
        let output = eval(&mine, &[]);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refusal(&|mine| {
        let text = fs::read_to_string(mine.join("signals.json")).unwrap();
        let mut listed: Vec<Value> = serde_json::from_str(&text).unwrap();
        listed[0]["rule"] = json!("curfew");
        fs::write(mine.join("signals.json"), json!(listed).to_string()).unwrap();
    });
    assert!(said.contains("signals.json: the site file has no rule `curfew`"), "{said}");
    let said = refusal(&|mine| {
        let text = fs::read_to_string(mine.join("scene.json")).unwrap();
        fs::write(mine.join("scene.json"), text.replace("\"quay\"", "\"key\"")).unwrap();
    });
    assert!(said.contains("no camera `key`") && said.contains("quay"), "{said}");
    let said = refusal(&|mine| fs::remove_file(mine.join("truth.txt")).unwrap());
    assert!(said.contains("truth.txt is missing") && said.contains("MOTChallenge"), "{said}");
}
