//! The rooms keep to themselves: third-party crates stay in their room, and rooms use only what the architecture page
//! (`src/lib.rs`) says they may.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Crate, and where in `src/` it may be named.
const AT_HOME: &[(&str, &[&str])] = &[
    ("gstreamer", &["ingest"]),
    ("gstreamer_app", &["ingest"]),
    ("gstreamer_video", &["ingest"]),
    ("ort", &["detect"]),
    ("ndarray", &["detect"]),
    ("pathfinding", &["track"]),
    ("image", &["evidence"]),
    ("rusqlite", &["logbook"]),
    ("rumqttc", &["alerts"]),
    ("axum", &["web"]),
    ("sd_notify", &["daemon"]),
    ("metrics", &["telemetry"]),
    ("metrics_exporter_prometheus", &["telemetry"]),
    ("tracing_subscriber", &["telemetry"]),
    ("tracing_journald", &["telemetry"]),
    ("clap", &["cli", "main.rs"]),
    ("indicatif", &["cli"]),
    ("toml_edit", &["cli", "config"]),
    ("miette", &["config"]),
    ("geo", &["geometry"]),
];

/// Room, and the rooms it may use. `daemon` and `cli` wire everything.
const ARROWS: &[(&str, &[&str])] = &[
    ("backoff.rs", &[]),
    ("codec.rs", &[]),
    ("camera_state.rs", &["clock", "ids"]),
    ("clock", &[]),
    ("ids.rs", &[]),
    ("geometry", &[]),
    ("telemetry", &[]),
    ("frame.rs", &["clock", "geometry", "ids"]),
    ("regions", &["clock", "geometry"]),
    ("config", &["regions", "codec", "geometry", "ids"]),
    ("ingest", &["backoff", "camera_state", "clock", "codec", "config", "frame", "geometry", "ids"]),
    ("detect", &["regions", "clock", "frame", "geometry"]),
    ("track", &["clock", "detect", "geometry"]),
    ("camera_health", &["clock", "frame", "geometry"]),
    ("rules", &["clock", "config", "geometry", "ids", "track"]),
    ("evidence", &["frame", "geometry"]),
    (
        "logbook",
        &[
            "backoff",
            "camera_health",
            "camera_state",
            "clock",
            "config",
            "detect",
            "geometry",
            "ids",
            "rules",
            "track",
        ],
    ),
    (
        "alerts",
        &[
            "backoff",
            "camera_health",
            "camera_state",
            "clock",
            "config",
            "geometry",
            "ids",
            "logbook",
            "rules",
        ],
    ),
    ("web", &["camera_state", "telemetry"]),
];

/// Rust files under `folder`, with their room (the first part of the path under `src/`).
fn files(folder: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let below = path.strip_prefix(Path::new(ROOT).join("src")).unwrap();
            let room = below.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
            found.push((room, path));
        }
    }
}

fn sources() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    files(&Path::new(ROOT).join("src"), &mut found);
    assert!(found.len() > 30, "the sources were not found");
    found.retain(|(_, path)| !is_test_alone(path));
    found.into_iter().map(|(room, path)| (room, path.clone(), without_tests(&path))).collect()
}

/// Whether the file is a module for tests alone, which may use what it likes.
fn is_test_alone(path: &Path) -> bool {
    let folder = path.parent().unwrap();
    let name = path.file_stem().unwrap().to_str().unwrap();
    let head = ["mod.rs", "lib.rs"].map(|head| folder.join(head)).into_iter().find(|head| head.exists());
    let text = head.map(|head| fs::read_to_string(head).unwrap()).unwrap_or_default();
    ["", "pub(crate) "].iter().any(|seen| text.contains(&format!("#[cfg(test)]\n{seen}mod {name};")))
}

/// A file's code without comments and its unit tests, which may use what they like.
fn without_tests(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// True when `code` names `path` (as `path::`), and not as the tail of another word.
fn names(code: &str, path: &str) -> bool {
    let needle = format!("{path}::");
    code.match_indices(&needle).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'))
    })
}

#[test]
fn third_party_crates_stay_in_their_room() {
    for (room, path, code) in sources() {
        for (krate, homes) in AT_HOME {
            let at_home = homes.contains(&room.as_str());
            assert!(
                at_home || !names(&code, krate),
                "{} names {krate}, which lives in {homes:?}",
                path.display()
            );
        }
    }
}

#[test]
fn rooms_use_only_what_lies_before_them() {
    for (room, path, code) in sources() {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            assert!(["cli", "daemon", "lib.rs", "main.rs"].contains(&room.as_str()), "{room} has no arrows");
            continue;
        };
        let own = room.trim_end_matches(".rs");
        for used in ARROWS.iter().map(|(name, _)| name.trim_end_matches(".rs")).chain(["cli", "daemon"]) {
            let fits = used == own || allowed.contains(&used);
            assert!(fits || !code.contains(&format!("crate::{used}::")), "{} uses {used}", path.display());
        }
    }
}

#[test]
fn pure_rooms_read_no_clock_and_do_no_input_or_output() {
    for (room, path, code) in sources() {
        if !["regions", "geometry", "camera_health", "track", "rules"].contains(&room.as_str()) {
            continue;
        }
        for impure in
            ["std::fs", "std::net", "std::thread", "std::env", "SystemClock", "dyn Clock", "tokio", "println"]
        {
            assert!(!code.contains(impure), "{} has {impure}", path.display());
        }
    }
}
