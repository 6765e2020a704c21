//! Rules that are made of rules: their parts stand above them, at the same camera.

use super::collector::{Collector, Located};
use super::links::{Drafts, stranger};
use super::rule::Kind;

/// Notes what is wrong with the parts of rule `index`.
pub(super) fn check(collector: &Collector<'_>, drafts: &Drafts, index: usize) {
    let rule = &drafts.rules[index];
    let own = drafts.camera_of(rule);
    for part in rule.parts.iter().chain(&rule.unless) {
        let above = &drafts.rules[..index];
        let Some(named) = above.iter().find(|above| above.is(&part.value)) else {
            if drafts.rules[index..].iter().any(|below| below.is(&part.value)) {
                let what = format!("\"{}\" does not stand above this rule", part.value);
                collector.error(
                    &part.place,
                    what,
                    "move it up in the file: a rule is made of those before it",
                );
            } else {
                let known = above.iter().filter_map(|rule| rule.id.as_ref()).map(|id| id.value.as_str());
                stranger(collector, part, "rule", known);
            }
            continue;
        };
        if let Some(kind @ (Kind::Departure | Kind::Rendezvous)) = named.kind {
            let what = format!("\"{}\" is a {} rule, which is no part of others", part.value, kind.word());
            let help = match kind {
                Kind::Departure => {
                    "take a crossing or stop rule for the part: a vessel that has left has no visit"
                }
                _ => "take loitering or stop rules for the part: a rendezvous is about two vessels",
            };
            collector.error(&part.place, what, help);
        }
        let camera = drafts.camera_of(named);
        let differ = |(a, b): (&Located<String>, &Located<String>)| a.value != b.value;
        if own.zip(camera).is_some_and(differ) {
            let what = format!("\"{}\" is about another camera", part.value);
            collector.error(
                &part.place,
                what,
                "vessels have other numbers there: make the rule of one camera's rules",
            );
        }
    }
    if rule.kind == Some(Kind::All) && rule.parts.len() + rule.unless.len() == 1 {
        let help = "name two rules or more under of and unless";
        collector.warning(&rule.place, "is made of one rule: it says the same as that", help);
    }
}
