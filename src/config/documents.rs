//! What the rules reference and the example site promise their readers.

use super::tests::{check, lines};
use super::{Diagnostic, Level};

const RULES: &str = include_str!("../../config/rules.md");
const SCHEVENINGEN: &str = include_str!("../../config/scheveningen.toml");

/// The harbour whose places the examples watch, with its schedules and without its rules.
fn harbour() -> &'static str {
    SCHEVENINGEN.split_once("[[rule]]").expect("rules stand at the end").0
}

/// Every example of a stretch of the reference.
fn examples(text: &str) -> impl Iterator<Item = &str> {
    text.split("```toml\n").skip(1).map(|rest| rest.split_once("```").expect("an example ends").0)
}

/// The kinds that a site file may name, as the message about a mistyped one tells them.
fn kinds() -> Vec<String> {
    let text = format!("{}[[rule]]\nid = \"a\"\nkind = \"?\"", harbour());
    let found = check(&text).unwrap_err();
    let told = found.iter().find(|d| d.key.ends_with(".kind")).expect("a message").to_string();
    let list = told.split_once("known are ").expect("a list").1;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn scheveningen_is_a_good_site_file() {
    let (site, warnings) = check(SCHEVENINGEN).unwrap_or_else(|found| panic!("{}", lines(&found)));
    assert_eq!(warnings, [], "{}", lines(&warnings));
    for camera in &site.cameras {
        let calibration = camera.calibration.as_ref().expect("surveyed points");
        let worst = calibration.residuals().iter().map(|r| r.px).fold(0.0, f32::max);
        assert!(worst < 2.0, "{}: a point is off by {worst} px", camera.id);
    }
    for kind in ["speeding", "presence", "crossing", "stop", "absent", "inactivity"] {
        assert!(site.rules.iter().any(|rule| rule.condition.kind() == kind), "no {kind} rule");
    }
}

#[test]
fn every_example_of_the_rules_reference_is_accepted() {
    let mut all = 0;
    for example in examples(RULES) {
        let (_, warnings) = check(&format!("{}{example}", harbour()))
            .unwrap_or_else(|found| panic!("{}in\n{example}", lines(&found)));
        // With one example for all rules, a camera or the schedule may well be left without one.
        let idle = |w: &Diagnostic| w.key.starts_with("camera[") || w.key.starts_with("schedule[");
        let told: Vec<_> = warnings.into_iter().filter(|w| !idle(w)).collect();
        assert!(told.is_empty(), "{}in\n{example}", lines(&told));
        all += 1;
    }
    assert!(all >= kinds().len(), "{all} examples");
}

#[test]
fn every_kind_of_rule_has_an_example_a_sketch_and_its_limits() {
    let kinds = kinds();
    assert!(kinds.len() >= 19, "{kinds:?}");
    for kind in kinds {
        let heading = format!("# `{kind}`");
        let after =
            RULES.split_once(&heading).unwrap_or_else(|| panic!("rules.md has no section on {kind}")).1;
        let section = after.split("\n## ").next().and_then(|text| text.split("\n### ").next()).unwrap();
        let example = examples(section).next().unwrap_or_else(|| panic!("{kind} has no example"));
        let (site, _) = check(&format!("{}{example}", harbour())).unwrap_or_else(|e| panic!("{}", lines(&e)));
        assert!(site.rules.iter().any(|rule| rule.condition.kind() == kind), "another kind in\n{example}");
        let sketch = format!("config/sketches/{kind}.svg");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(&sketch);
        assert!(path.is_file() && section.contains(&format!("(sketches/{kind}.svg)")), "no {sketch}");
        for part in ["**How it decides.**", "**What it does not do.**"] {
            assert!(section.contains(part), "{kind} does not tell {part}");
        }
        assert!(RULES.contains(&format!("| [`{kind}`](#")), "{kind} is not in the table of all kinds");
    }
}

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
fn every_site_file_example_of_the_documents_has_known_keys_and_good_values() {
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
