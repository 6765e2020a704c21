//! The Markdown documents: links resolve, commands and quotes fit the code, the README stays short, and the words are those of
//! `docs/design.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const README_LINES: usize = 150;

/// Folders with files that are not of this repository.
const FOREIGN: [&str; 8] = ["target", "cache", "venv", "runtime", "demo-run", "out", "material", "runs"];

/// Words that the vocabulary replaced; matched as whole words, in lower case.
const REPLACED: &[&str] = &[
    "the watch",
    "on watch",
    "off watch",
    "looks_per_second",
    "looks a second",
    "runs a look",
    "blind spell",
    "blind spells",
    "v_blind_spells",
    "blind.md",
    "washed out",
    "kept silent",
    "kept back",
    "moved aside",
    "folded in",
    "troubles",
    "promise",
    "promises",
    "havenwacht ack",
    "heard",
];

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !FOREIGN.contains(&name.as_str()) {
                documents(&path, found);
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// Every document: its path below the root, and its text.
fn all() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    documents(Path::new(ROOT), &mut found);
    assert!(found.len() >= 15, "{found:?}");
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The text without fenced code blocks.
fn prose(text: &str) -> String {
    let mut in_code = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !fence && !in_code
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Targets of links and pictures in `text`.
fn links(text: &str) -> Vec<String> {
    let ends = text.split("](").skip(1);
    ends.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

/// The anchor of a heading: lower case, hyphens for spaces, other punctuation left out.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn relative_links_lead_to_files_and_headings_that_exist() {
    for (path, text) in all() {
        for link in links(&prose(&text)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = link.split_once('#').map_or((link.as_str(), None), |(f, h)| (f, Some(h)));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", path.display());
            if let Some(heading) = heading {
                let known = anchors(&prose(&fs::read_to_string(&target).unwrap()));
                assert!(known.contains(heading), "{}: {link} names no heading: {known:?}", path.display());
            }
        }
    }
}

#[test]
fn the_readme_is_short() {
    let lines = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap().lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines: move details to docs/");
}

#[test]
fn documents_use_no_replaced_words() {
    let mut found = Vec::new();
    for (path, text) in all() {
        for (index, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            let is_word = |at: usize, word: &str| {
                let part = |c: char| c.is_alphanumeric() || c == '_';
                !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part)
            };
            for word in REPLACED {
                if line.match_indices(word).any(|(at, word)| is_word(at, word)) {
                    found.push(format!("{}:{}: {word}", path.display(), index + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "replaced words, see docs/design.md:\n{}", found.join("\n"));
}

/// All code of `src/`, with string literals that go over several lines joined.
fn code(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let text = |path: PathBuf| {
        if path.is_dir() {
            return code(&path);
        }
        if path.extension().is_none_or(|e| e != "rs") {
            return String::new();
        }
        let text = fs::read_to_string(path).unwrap();
        text.split("\\\n").map(str::trim_start).collect::<String>()
    };
    entries.map(text).collect()
}

#[test]
fn quoted_messages_are_in_the_code() {
    const SHORTEST: usize = 8;
    let code = code(&Path::new(ROOT).join("src"));
    let guide = fs::read_to_string(Path::new(ROOT).join("docs/troubleshooting.md")).unwrap();
    let (mut all, mut missing) = (0, Vec::new());
    for row in guide.lines().filter(|line| line.starts_with("| `") || line.starts_with("| ``")) {
        let cell = row.trim_start_matches("| ").split(" | ").next().unwrap().trim_matches('`');
        for part in cell.split("...").map(|part| part.trim_matches(|c: char| !c.is_alphanumeric())) {
            all += 1;
            let quoted = part.replace('"', "\\\"");
            let found = part.len() < SHORTEST || code.contains(part) || code.contains(&quoted);
            if !found {
                missing.push(part);
            }
        }
    }
    assert!(missing.is_empty(), "docs/troubleshooting.md quotes what no code says: {missing:?}");
    assert!(all > 20, "{all} messages");
}

/// Shell commands of fenced blocks, continued lines joined, without comments; and code spans, which may be cut short.
fn commands(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut in_shell = false;
    let joined = text.replace("\\\n", " ");
    for line in joined.lines() {
        let line = line.trim();
        if line.starts_with("```") {
            in_shell = line == "```sh";
        } else if in_shell {
            found.push((line.split(" #").next().unwrap_or_default().to_owned(), true));
        } else if let Some(command) = line.strip_prefix("havenwacht ") {
            found.push((format!("havenwacht {}", command.split(" #").next().unwrap_or_default()), false));
        } else {
            let spans = line.split('`').skip(1).step_by(2);
            found.extend(spans.map(|span| (span.to_owned(), false)));
        }
    }
    found
}

/// Words of a command; quotes keep spaces together.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn documented_commands_are_accepted() {
    use clap::Parser as _;
    use clap::error::ErrorKind as Kind;

    let (mut checked, mut rejected) = (0, Vec::new());
    for (path, text) in all() {
        for (command, is_whole) in commands(&text) {
            let command = command.split([';', '|', '>']).next().unwrap_or_default();
            let command = command.strip_prefix("sudo -u havenwacht ").unwrap_or(command);
            let words = words(command);
            let is_ours = words.first().is_some_and(|word| word.rsplit('/').next() == Some("havenwacht"));
            if !is_ours || words.len() == 1 {
                continue;
            }
            checked += 1;
            let words = words.iter().filter(|word| *word != "...");
            let Err(error) = havenwacht::cli::Arguments::try_parse_from(words) else { continue };
            let missing = [Kind::MissingRequiredArgument, Kind::DisplayHelpOnMissingArgumentOrSubcommand];
            let cut_short = !is_whole && missing.contains(&error.kind());
            let shown = error.kind() == Kind::DisplayVersion;
            if !(cut_short || shown) {
                rejected.push(format!("{}: `{command}`: {error}", path.display()));
            }
        }
    }
    assert!(rejected.is_empty(), "{}", rejected.join("\n"));
    assert!(checked > 40, "{checked} commands");
}
