//! The examples in documents are valid.

use super::Level;
use super::tests::{check, lines};

/// TOML examples of a document, part by part (parts are set apart by empty lines), without the indent of a list.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut indent = None;
    for line in text.lines() {
        match indent {
            None if line.trim() == "```toml" => {
                indent = Some(line.len() - line.trim_start().len());
                parts.push(String::new());
            }
            None => {}
            Some(_) if line.trim() == "```" => indent = None,
            Some(_) if line.trim().is_empty() => parts.push(String::new()),
            Some(spaces) => {
                if let Some(part) = parts.last_mut() {
                    part.push_str(line.get(spaces..).unwrap_or_default());
                    part.push('\n');
                }
            }
        }
    }
    parts.retain(|part| part.lines().any(|line| !line.starts_with('#')));
    parts
}

/// For examples about the sun and holidays.
const SITE: &str = "[site]\nlatitude = 52.1\nlongitude = 4.26\nholidays = \"holidays.txt\"\n";

/// The part as a site file of its own: keys without a section get the header of the section that has them.
fn in_a_section(part: &str) -> String {
    let first = part.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    let key = first.split([' ', '=']).next().unwrap_or_default();
    let header = match key {
        "schedule" | "never" => "[[rule]]",
        _ if first.starts_with("[camera.") || !first.starts_with('[') => "[[camera]]",
        _ => "",
    };
    let site = if part.contains("[site]") { "" } else { SITE };
    format!("{site}{header}\n{part}")
}

/// A part may leave out what a whole site file needs, and name files and places that are elsewhere.
#[test]
fn the_site_file_examples_of_the_documents_are_valid() {
    const ELSEWHERE: [&str; 4] = ["is missing", "there is no", "no such file", "only for"];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let guides = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let documents = ["README.md", "config/reference.md"].map(|name| root.join(name));
    let mut all = 0;
    for path in guides.chain(documents).filter(|path| path.extension().is_some_and(|e| e == "md")) {
        for part in parts(&std::fs::read_to_string(&path).unwrap()) {
            all += 1;
            let mut found = check(&in_a_section(&part)).map_or_else(|found| found, |(_, found)| found);
            found.retain(|d| d.level == Level::Error && !ELSEWHERE.iter().any(|w| d.to_string().contains(w)));
            assert!(found.is_empty(), "{}: {}in\n{part}", path.display(), lines(&found));
        }
    }
    assert!(all >= 10, "{all} examples");
}
