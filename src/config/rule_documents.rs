//! `config/rules.md`, `config/reference.md` and the example sites agree with the code.

use super::Diagnostic;
use super::tests::{check, lines};
use crate::rules::{DefaultValue, KINDS, KeySpec, KindEntry, ValueSpec, all_keys, format_duration};

const RULES: &str = include_str!("../../config/rules.md");
const REFERENCE: &str = include_str!("../../config/reference.md");
const SCHEVENINGEN: &str = include_str!("../../config/scheveningen.toml");

/// The site whose places the examples use, without its rules.
fn site_without_rules() -> &'static str {
    SCHEVENINGEN.split_once("[[rule]]").expect("rules are at the end").0
}

/// Every example of a text.
fn examples(text: &str) -> impl Iterator<Item = &str> {
    text.split("```toml\n").skip(1).map(|rest| rest.split_once("```").expect("the example ends").0)
}

/// The section of `config/rules.md` about a kind.
fn section(kind: &KindEntry) -> &'static str {
    let heading = format!("# `{}`", kind.info.word);
    let (_, after) = RULES.split_once(&heading).unwrap_or_else(|| panic!("rules.md has no {heading}"));
    after.split("\n## ").next().and_then(|text| text.split("\n### ").next()).unwrap()
}

/// A text with its lines joined, so that a sentence is found wherever its lines break.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The cells of the row that begins with `first`.
fn row<'t>(text: &'t str, first: &str) -> Vec<&'t str> {
    let line = text.lines().find(|line| line.starts_with(&format!("| {first}")));
    let line = line.unwrap_or_else(|| panic!("no row about {first}"));
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    cells[1..cells.len() - 1].to_vec()
}

#[test]
fn scheveningen_is_a_valid_site_file() {
    let (site, warnings) = check(SCHEVENINGEN).unwrap_or_else(|found| panic!("{}", lines(&found)));
    assert_eq!(warnings, [], "{}", lines(&warnings));
    for camera in &site.cameras {
        let calibration = camera.calibration.as_ref().expect("surveyed points");
        let worst = calibration.residuals().iter().map(|r| r.px).fold(0.0, f32::max);
        assert!(worst < 2.0, "{}: a point is off by {worst} px", camera.id);
    }
}

#[test]
fn every_example_of_the_rules_page_is_valid() {
    for example in examples(RULES) {
        let (_, warnings) = check(&format!("{}{example}", site_without_rules()))
            .unwrap_or_else(|found| panic!("{}in\n{example}", lines(&found)));
        // With one example in place of all rules, a camera or the schedule can be unused.
        let unused = |w: &Diagnostic| w.key.starts_with("camera[") || w.key.starts_with("schedule[");
        let warnings: Vec<_> = warnings.into_iter().filter(|w| !unused(w)).collect();
        assert!(warnings.is_empty(), "{}in\n{example}", lines(&warnings));
    }
}

#[test]
fn every_kind_is_documented() {
    for kind in KINDS {
        let (word, section) = (kind.info.word, section(kind));
        assert!(examples(section).any(|example| example == kind.info.example), "another example of {word}");
        let (site, _) = check(&format!("{}{}", site_without_rules(), kind.info.example)).unwrap();
        assert!(site.rules.iter().any(|rule| rule.condition.info().word == word), "no {word} in its example");
        let sketch = format!("config/sketches/{word}.svg");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(&sketch);
        assert!(path.is_file() && section.contains(&format!("(sketches/{word}.svg)")), "no {sketch}");
        for part in ["**How it decides.**", "**Staff read:**", "**What it does not do.**"] {
            assert!(section.contains(part), "{word} lacks {part}");
        }
        assert_eq!(row(RULES, &format!("[`{word}`](#"))[1], kind.info.summary, "in the table of rules.md");
    }
}

#[test]
fn documented_texts_are_those_of_the_code() {
    // Numbers differ from signal to signal; the words do not.
    let words = |text: &str| {
        text.split(|c: char| c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .fold(String::new(), |text, part| text + "#" + part)
    };
    for kind in KINDS {
        let (site, _) = check(&format!("{}{}", site_without_rules(), kind.info.example)).unwrap();
        let rule = site.rules.iter().find(|rule| rule.condition.info().word == kind.info.word).unwrap();
        let (_, rest) = section(kind).split_once("**Staff read:** `").unwrap();
        let documented = rest.split('`').next().unwrap();
        // Minutes and hours are written in different ways.
        let has_schedule = !rule.schedule.only.is_empty();
        let text = |seconds| crate::rules::sample_text(&rule.condition, seconds, has_schedule);
        let texts = [60.0, 7200.0].map(text);
        assert!(
            texts.iter().any(|text| words(text) == words(documented)),
            "{}: {documented:?} is not like {texts:?}",
            kind.info.word
        );
    }
}

#[test]
fn documented_numbers_are_those_of_the_code() {
    for kind in KINDS {
        for sentence in (kind.quoted)() {
            let found = unwrapped(section(kind)).contains(&sentence);
            assert!(found, "rules.md does not say \"{sentence}\" about {}", kind.info.word);
        }
    }
    for sentence in crate::rules::quoted_about_berths() {
        assert!(unwrapped(RULES).contains(&sentence), "rules.md does not say \"{sentence}\"");
    }
}

#[test]
fn the_reference_has_the_keys_of_every_kind() {
    let table = REFERENCE.split_once("\nBy kind:\n").expect("a table of kinds").1;
    // Keys are in backticks, as in "`zone` (a berth with `expected_length_m`), `longer_than`".
    let names = |cell: &str| -> Vec<String> {
        let without_notes = cell.split('(').map(|part| part.split_once(')').map_or(part, |(_, after)| after));
        without_notes.collect::<String>().split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    for kind in KINDS {
        let cells = row(table, &format!("`{}` |", kind.info.word));
        let keys = |required: bool| kind.keys.iter().filter(move |key| key.default.is_none() == required);
        assert_eq!(names(cells[1]), keys(true).map(|key| key.name).collect::<Vec<_>>(), "{}", kind.info.word);
        let optional: Vec<_> = keys(false).map(|key| key.name).collect();
        assert_eq!(names(cells[2]), optional, "{}", kind.info.word);
        assert_eq!(cells[3], kind.info.summary, "{}", kind.info.word);
    }
    let calibrated = KINDS.iter().filter(|kind| kind.info.needs_calibration);
    let sentence = table.lines().find(|line| line.contains("need a calibrated camera")).expect("a sentence");
    for kind in calibrated {
        assert!(sentence.contains(&format!("`{}`", kind.info.word)), "{} needs calibration", kind.info.word);
    }
}

#[test]
fn the_reference_has_the_limits_and_defaults_of_every_key() {
    let table = REFERENCE.split_once("need a calibrated camera").expect("a table of keys").1;
    for key in all_keys() {
        let cells = row(table, &format!("`{}` |", key.name));
        let (value, default) = (cells[1], cells[2]);
        assert!(value.contains(&limits(&key)), "{}: {} is not in {value}", key.name, limits(&key));
        let expected = match key.default {
            None => String::new(),
            Some(DefaultValue::NoRules) => "none".to_owned(),
            Some(DefaultValue::Number(number)) => format!("`{number}`"),
            Some(DefaultValue::Count(count)) => format!("`{count}`"),
            Some(DefaultValue::Word(word)) => format!("`\"{word}\"`"),
        };
        assert_eq!(default, expected, "{}", key.name);
    }
}

/// The limits of a key's value as the reference writes them.
fn limits(key: &KeySpec) -> String {
    match key.value {
        ValueSpec::Zone => "id of a zone".to_owned(),
        ValueSpec::Line => "id of a line".to_owned(),
        ValueSpec::Rule => "rule id".to_owned(),
        ValueSpec::Rules => "list of rule ids".to_owned(),
        ValueSpec::Point => "[x, y]".to_owned(),
        ValueSpec::Duration(least, most) => {
            format!("{} to {}", format_duration(least), format_duration(most))
        }
        ValueSpec::Number(least, most, _) => format!("{least} to {most}"),
        ValueSpec::Count(least, most, _) => format!("{least} to {most}"),
        ValueSpec::Word(words) => {
            words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
        }
    }
}
