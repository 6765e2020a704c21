//! Rules that combine rules: their parts are above them in the file and use the same camera.

use super::collector::{Collector, Located};
use super::drafts::{Drafts, unknown};

/// Notes what is wrong with the parts of rule `index`.
pub(super) fn check(collector: &Collector<'_>, drafts: &Drafts, index: usize) {
    let rule = &drafts.rules[index];
    let own = drafts.camera_of(rule);
    for part in rule.parts() {
        let above = &drafts.rules[..index];
        let Some(named) = above.iter().find(|above| above.is(&part.value)) else {
            if drafts.rules[index..].iter().any(|below| below.is(&part.value)) {
                let what = format!("\"{}\" is below this rule", part.value);
                collector.error(
                    &part.place,
                    what,
                    "move it up in the file: a rule can only combine rules above it",
                );
            } else {
                let known = above.iter().filter_map(|rule| rule.id.as_ref()).map(|id| id.value.as_str());
                unknown(collector, part, "rule", known);
            }
            continue;
        };
        if let Some((kind, help)) = named.kind.and_then(|kind| Some((kind, kind.info.instead_as_part?))) {
            let what =
                format!("\"{}\" is a {} rule, which cannot be a part of others", part.value, kind.info.word);
            collector.error(&part.place, what, help);
        }
        let camera = drafts.camera_of(named);
        let differ = |(a, b): (&Located<String>, &Located<String>)| a.value != b.value;
        if own.zip(camera).is_some_and(differ) {
            let what = format!("\"{}\" belongs to another camera", part.value);
            collector.error(
                &part.place,
                what,
                "vessels have other numbers there: combine rules of one camera",
            );
        }
    }
}
