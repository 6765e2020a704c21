//! What the rules reference and the example site promise their readers.

use super::Diagnostic;
use super::tests::{check, lines};

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
