//! References and identifiers: identifiers are unique, and what is referred to exists and is suitable.

use super::collector::{Collector, Located};
use super::drafts::{Drafts, unknown};
use super::parts;
use super::place::{PlaceDraft, Shape};
use super::reader::{TableReader, ValueReader, short};
use super::rule::RuleDraft;
use super::site::Camera;
use super::suggest;
use crate::rules::KindEntry;

/// Notes identifiers that are given twice, and references to something that is not there.
pub(super) fn check(collector: &Collector<'_>, drafts: &Drafts, root: &TableReader<'_>) {
    let given = root.get("camera");
    // Errors in cameras that cannot be read have been noted.
    if drafts.cameras.is_empty() && given.as_ref().is_none_or(ValueReader::is_empty_list) {
        let place = given.map_or_else(|| root.place.child("camera", 0..0), |item| item.place);
        let help = "add [[camera]] with id, url and codec";
        collector.error(&place, "there is no camera", help);
    }
    unique(collector, "camera", drafts.cameras.iter().filter_map(|c| c.id.as_ref()));
    unique(collector, "zone, group or line", drafts.places.iter().filter_map(|p| p.id.as_ref()));
    unique(collector, "schedule", drafts.schedules.iter().filter_map(|s| s.id.as_ref()));
    unique(collector, "rule", drafts.rules.iter().filter_map(|r| r.id.as_ref()));
    for reference in drafts.rules.iter().filter_map(|rule| rule.schedule.named.as_ref()) {
        if drafts.schedule(&reference.value).is_none() {
            let known = drafts.schedules.iter().filter_map(|s| s.id.as_ref()).map(|id| id.value.as_str());
            unknown(collector, reference, "schedule", known);
        }
    }
    for reference in drafts.places.iter().filter_map(|place| place.camera.as_ref()) {
        if drafts.camera(&reference.value).is_none() {
            let known = drafts.cameras.iter().filter_map(|c| c.id.as_ref()).map(|id| id.value.as_str());
            unknown(collector, reference, "camera", known);
        }
    }
    for reference in drafts.places.iter().filter_map(|place| place.group.as_ref()) {
        let groups = drafts.places.iter().filter(|place| place.kind == "group");
        if !groups.clone().any(|group| group.is(&reference.value)) {
            let known = groups.filter_map(|group| group.id.as_ref()).map(|id| id.value.as_str());
            unknown(collector, reference, "group", known);
        }
    }
    for (index, rule) in drafts.rules.iter().enumerate() {
        check_place(collector, drafts, rule);
        parts::check(collector, drafts, index);
        check_condition(collector, drafts, rule);
    }
}

/// The rule's zone or line exists, and is what its kind needs.
fn check_place(collector: &Collector<'_>, drafts: &Drafts, rule: &RuleDraft) {
    let (Some(kind), Some((key, target))) = (rule.kind, rule.target()) else { return };
    let wanted = key.name;
    let known = drafts.places.iter().filter(|place| place.serves_as(wanted));
    let known = known.filter_map(|place| place.id.as_ref()).map(|id| id.value.as_str());
    let Some(place) = drafts.places.iter().find(|place| place.is(&target.value)) else {
        return unknown(collector, target, wanted, known);
    };
    if !place.serves_as(wanted) {
        let what = format!(
            "\"{}\" is a {}, and a {} rule needs a {wanted}",
            target.value, place.kind, kind.info.word
        );
        return collector.error(&target.place, what, suggest::did_you_mean(&target.value, known));
    }
    let zone = place.shape.as_ref().and_then(Shape::zone);
    if kind.info.needs_berth && zone.is_some_and(|zone| zone.berth.is_none()) {
        let what = format!("\"{}\" is not a berth, and {} rule needs one", target.value, with_article(kind));
        collector.error(&target.place, what, "add berth = true to the zone, if vessels are moored in it");
    }
    if let Some(camera) = camera_of(drafts, place).filter(|camera| camera.calibration.is_none()) {
        check_without_calibration(collector, rule, kind, target, camera);
    }
}

fn check_without_calibration(
    collector: &Collector<'_>,
    rule: &RuleDraft,
    kind: &KindEntry,
    target: &Located<String>,
    camera: &Camera,
) {
    let help = format!("add [camera.calibration] with four surveyed points or more to {}", camera.id);
    if kind.info.needs_calibration {
        let what =
            format!("{} is not calibrated, and {} rule measures metres", camera.id, with_article(kind));
        collector.error(&target.place, what, help);
    } else if let Some(length) = &rule.length_m {
        let what = format!("{} is not calibrated, so lengths are unknown", camera.id);
        collector.error(&length.place, what, help);
    }
}

/// What only the values of a rule's keys together show.
fn check_condition(collector: &Collector<'_>, drafts: &Drafts, rule: &RuleDraft) {
    let Some(condition) = drafts.condition(rule) else { return };
    let camera = drafts.place_of(rule).and_then(|place| camera_of(drafts, place));
    let place = rule.target().map_or(&rule.place, |(_, target)| &target.place);
    if let Some(problem) = condition.check(camera.and_then(|camera| camera.calibration.as_ref())) {
        collector.error(place, problem.what, problem.help);
    }
    if let Some(problem) = condition.doubt() {
        collector.warning(&rule.place, problem.what, problem.help);
    }
}

fn camera_of<'d>(drafts: &'d Drafts, place: &PlaceDraft) -> Option<&'d Camera> {
    drafts.camera(&place.camera.as_ref()?.value)?.camera.as_ref()
}

/// "a dwell", "an overstay".
fn with_article(kind: &KindEntry) -> String {
    let article = if kind.info.word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {}", kind.info.word)
}

fn unique<'d>(collector: &Collector<'_>, what: &str, ids: impl Iterator<Item = &'d Located<String>>) {
    let mut seen: Vec<&Located<String>> = Vec::new();
    for id in ids {
        match seen.iter().find(|first| first.value == id.value) {
            Some(first) => collector.error(
                &id.place,
                format!("\"{}\" is the id of another {what} already", short(&id.value)),
                format!("{} has it too; give one of them another id", first.place.key),
            ),
            None => seen.push(id),
        }
    }
}
