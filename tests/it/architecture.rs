//! The structure of the source code, held by tests: modules keep to themselves, names are used once, files and functions
//! stay short.
//!
//! `src/lib.rs` describes the modules. A crate that only one module may name is listed in [`CRATE_HOMES`], what a module may
//! use in [`MAY_USE`].

mod cycles;
mod exceptions;
mod lexer;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use exceptions::{CYCLES, LONG_FILES, LONG_FUNCTIONS, SHARED_NAMES};
use lexer::Token;
use source::{Source, closing, read_sources, walk};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A crate, and where in `src/` it may be named.
const CRATE_HOMES: &[(&str, &[&str])] = &[
    ("gstreamer", &["ingest"]),
    ("gstreamer_app", &["ingest"]),
    ("gstreamer_video", &["ingest"]),
    ("ort", &["detect"]),
    ("pathfinding", &["track"]),
    ("image", &["evidence"]),
    ("rusqlite", &["logbook"]),
    ("rumqttc", &["alerts"]),
    ("rustls", &["alerts"]),
    ("axum", &["web"]),
    ("sd_notify", &["daemon"]),
    ("metrics", &["telemetry"]),
    ("metrics_exporter_prometheus", &["telemetry"]),
    ("tracing_subscriber", &["telemetry"]),
    ("tracing_journald", &["telemetry"]),
    ("clap", &["cli", "main"]),
    ("indicatif", &["cli"]),
    ("toml_edit", &["cli", "config"]),
    ("miette", &["config"]),
    ("geo", &["geometry"]),
];

/// A module, and the modules that it may use. `cli`, `daemon` and `main` may use everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("backoff", &[]),
    ("codec", &[]),
    ("camera_state", &["clock", "ids"]),
    ("clock", &[]),
    ("ids", &[]),
    ("geometry", &[]),
    ("telemetry", &[]),
    ("frame", &["clock", "geometry", "ids"]),
    ("regions", &["clock", "geometry"]),
    ("config", &["codec", "geometry", "ids", "regions", "rules"]),
    ("ingest", &["backoff", "camera_state", "clock", "codec", "config", "frame", "geometry", "ids"]),
    ("detect", &["regions", "clock", "frame", "geometry"]),
    ("track", &["clock", "detect", "geometry"]),
    ("camera_health", &["clock", "frame", "geometry"]),
    ("rules", &["clock", "geometry", "ids", "track"]),
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

/// Modules without input, output and clock: the same input gives the same result.
const PURE: [&str; 5] = ["camera_health", "geometry", "regions", "rules", "track"];

fn sources() -> Vec<Source> {
    read_sources(&Path::new(ROOT).join("src"))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(ROOT).unwrap().display().to_string()
}

/// Fails when something was found that is not an exception, or when an exception is not needed any more.
fn assert_listed(found: BTreeMap<String, String>, exceptions: &[&str]) {
    let new: Vec<_> = found.iter().filter(|(name, _)| !exceptions.contains(&name.as_str())).collect();
    let unneeded: Vec<_> = exceptions.iter().filter(|name| !found.contains_key(**name)).collect();
    assert!(new.is_empty(), "{new:#?}");
    assert!(unneeded.is_empty(), "remove from exceptions.rs: {unneeded:#?}");
}

fn names(exceptions: &[(&'static str, &str)]) -> Vec<&'static str> {
    exceptions.iter().map(|(name, _reason)| *name).collect()
}

#[test]
fn third_party_crates_stay_in_their_module() {
    let mut strays = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test) {
        for reference in &source.references {
            let home = CRATE_HOMES.iter().find(|(name, _)| *name == reference.path[0]);
            let Some((name, homes)) = home.filter(|(_, homes)| !homes.contains(&source.top())) else {
                continue;
            };
            strays.push(format!("{} names {name}, which belongs to {homes:?}", shown(&source.path)));
        }
    }
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn modules_use_only_those_they_may_use() {
    let mut strays = BTreeSet::new();
    for source in sources().iter().filter(|source| !source.is_test) {
        let (own, path) = (source.top(), shown(&source.path));
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == own) else {
            assert!(["", "cli", "daemon", "main"].contains(&own), "{own} is not in MAY_USE");
            continue;
        };
        let used = source.references.iter().filter(|r| r.path[0] == "crate").filter_map(|r| r.path.get(1));
        let strange = used.filter(|used| *used != own && !allowed.contains(&used.as_str()));
        strays.extend(strange.map(|used| format!("{path} uses {used}")));
    }
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn pure_modules_read_no_clock_and_do_no_io() {
    let mut strays = BTreeSet::new();
    for source in sources().iter().filter(|source| !source.is_test && PURE.contains(&source.top())) {
        let path = shown(&source.path);
        for reference in &source.references {
            let names: Vec<_> = reference.path.iter().map(String::as_str).collect();
            if matches!(names[..], ["std", "fs" | "net" | "thread" | "env" | "io", ..] | ["tokio", ..]) {
                strays.insert(format!("{path} uses {}", names.join("::")));
            }
        }
        for pair in source.code.windows(2) {
            let is_clock = pair[1].is("SystemClock") || pair[0].is("dyn") && pair[1].is("Clock");
            if is_clock || pair[0].is("println") || pair[0].is("eprintln") {
                strays.insert(format!("{path} names {}", pair[1].text));
            }
        }
    }
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn no_type_name_is_defined_twice() {
    let mut homes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in &sources() {
        for name in types(&source.tokens) {
            homes.entry(name).or_default().push(shown(&source.path));
        }
    }
    homes.retain(|_, homes| homes.len() > 1);
    let found = homes.iter().map(|(name, homes)| (name.clone(), homes.join(", ")));
    assert_listed(found.collect(), SHARED_NAMES);
}

/// The types that a file defines; associated types are not among them.
fn types(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    // Where the `impl` or `trait` round the place ends.
    let mut body_end = 0;
    while at + 1 < tokens.len() {
        let starts_item = at == 0 || !["::", ".", "$"].iter().any(|text| tokens[at - 1].is(text));
        match tokens[at].text.as_str() {
            "impl" | "trait" if starts_item => {
                if tokens[at].is("trait") {
                    found.push(tokens[at + 1].text.clone());
                }
                let after =
                    tokens[at..].iter().position(|token| ["{", ";", ")", ","].iter().any(|t| token.is(t)));
                let brace = at + after.unwrap_or(0);
                if tokens[brace].is("{") {
                    body_end = body_end.max(closing(tokens, brace));
                }
            }
            "struct" | "enum" | "union" if starts_item && tokens[at + 1].is_name() => {
                found.push(tokens[at + 1].text.clone());
            }
            "type" if starts_item && at > body_end => found.push(tokens[at + 1].text.clone()),
            _ => {}
        }
        at += 1;
    }
    found.retain(|name| name.starts_with(char::is_uppercase));
    found
}

#[test]
fn types_are_found_without_associated_types() {
    let source = "struct A; trait B { type X; } impl B for A { type X = u8; } type C = u8; fn f() -> impl B { A } enum D {}";
    assert_eq!(types(&lexer::tokens(source)), ["A", "B", "C", "D"]);
}

#[test]
fn files_of_a_module_have_no_cycles() {
    let mut cycles = cycles::cycles(&sources(), |a, b| a.top() == b.top());
    let tool = read_sources(&Path::new(ROOT).join("sample-streams/src"));
    cycles.extend(cycles::cycles(&tool, |_, _| true));
    let texts = cycles.iter().map(|files| files.iter().map(|file| shown(file)).collect::<Vec<_>>().join(" "));
    assert_listed(texts.map(|text| (text, "a cycle".to_owned())).collect(), CYCLES);
}

/// Lines that a file may have.
const FILE_LINES: usize = 400;
/// Lines that a function may have.
const FUNCTION_LINES: usize = 60;

/// Every Rust file of the project, tests and tools included.
fn all_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["src", "tests", "sample-streams"] {
        walk(&Path::new(ROOT).join(folder), &mut |path| files.push(path.to_owned()));
    }
    files.retain(|path| !path.components().any(|part| part.as_os_str() == "target"));
    files
}

#[test]
fn files_are_short() {
    let lines = |path: &Path| std::fs::read_to_string(path).unwrap().lines().count();
    let files = all_files().into_iter().map(|path| (shown(&path), lines(&path)));
    let long = files.filter(|(_, lines)| *lines > FILE_LINES);
    assert_listed(long.map(|(name, lines)| (name, format!("{lines} lines"))).collect(), &names(LONG_FILES));
}

#[test]
#[expect(clippy::print_stdout, reason = "the longest functions, for `--nocapture`")]
fn functions_are_short() {
    let mut all = Vec::new();
    for path in all_files() {
        let tokens = lexer::tokens(&std::fs::read_to_string(&path).unwrap());
        let named = |(name, lines)| (lines, format!("{} {name}", shown(&path)));
        all.extend(functions(&tokens).into_iter().map(named));
    }
    all.sort_unstable_by(|a, b| b.cmp(a));
    for (lines, name) in all.iter().take(10) {
        println!("{lines} lines: {name}");
    }
    let long = all.into_iter().filter(|(lines, _)| *lines > FUNCTION_LINES);
    assert_listed(
        long.map(|(lines, name)| (name, format!("{lines} lines"))).collect(),
        &names(LONG_FUNCTIONS),
    );
}

/// The functions of a file with the number of lines of each.
fn functions(tokens: &[Token]) -> Vec<(String, usize)> {
    let starts =
        (0..tokens.len().saturating_sub(1)).filter(|&at| tokens[at].is("fn") && tokens[at + 1].is_name());
    let found = starts.map(|start| {
        let end = source::end_of_item(tokens, start).min(tokens.len()) - 1;
        (tokens[start + 1].text.clone(), tokens[end].line - tokens[start].line + 1)
    });
    found.collect()
}
