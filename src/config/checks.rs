//! Warnings about combinations: rules that can never hold, cameras without rules, more inferences than two cores give.

use std::time::Duration;

use super::collector::Collector;
use super::drafts::Drafts;
use super::place::{PlaceDraft, Shape};
use super::rule::RuleDraft;
use super::sections::Sections;
use super::site::Camera;
use super::{schedule_checks, shapes};
use crate::geometry::Polygon;
use crate::regions::INFERENCES_PER_PASS;

/// One inference of the eight-bit model that comes with Havenwacht, on one thread of a processor without VNNI
/// (`docs/measurements.md`).
const INFERENCE: Duration = Duration::from_millis(37);

/// Part of one core that inference may take before it slows down decoding, logbook and alerts.
const BUSY: f64 = 0.75;

pub(super) fn check(collector: &Collector<'_>, drafts: &Drafts, sections: &Sections) {
    schedule_checks::check(collector, drafts, sections);
    for rule in &drafts.rules {
        if let Some(place) = drafts.place_of(rule) {
            check_visibility(collector, drafts, rule, place);
        }
    }
    check_repeated_rules(collector, drafts);
    check_cameras(collector, drafts);
    check_load(collector, drafts);
}

/// Warns of a zone that no region covers, or that privacy masks cover.
fn check_visibility(collector: &Collector<'_>, drafts: &Drafts, rule: &RuleDraft, place: &PlaceDraft) {
    let (Some(Shape::Zone(zone)), Some((_, target))) = (&place.shape, rule.target()) else { return };
    let camera = place.camera.as_ref().and_then(|camera| drafts.camera(&camera.value)?.camera.as_ref());
    let Some(camera) = camera else { return };
    let covered = |by: &[Polygon]| !by.is_empty() && zone.area.area_outside(by) < zone.area.area() * 0.001;
    if covered(&camera.privacy_masks) {
        collector.warning(
            &target.place,
            format!(
                "privacy masks of {} cover the whole zone: no picture would show why it alerts",
                camera.id
            ),
            "move the zone, or make the mask smaller",
        );
    }
    let (looked_at, missed, help) = match &camera.water {
        Some(water) => (
            vec![water.clone()],
            format!("this zone lies outside the water of {}", camera.id),
            "draw the water over the zone too, or leave it out",
        ),
        None => (
            camera.regions.iter().map(shapes::rectangle).collect(),
            format!("no region of {} covers this zone", camera.id),
            "add a region over the zone, or leave whole_frame = false out",
        ),
    };
    let seen = zone.area.area() - zone.area.area_outside(&looked_at);
    let limited = camera.water.is_some() || !camera.whole_frame;
    if limited && !looked_at.is_empty() && seen < zone.area.area() * 0.001 {
        collector.warning(&target.place, format!("the rule can never hold: {missed}"), help);
    }
}

/// Warns of two rules with the same meaning.
fn check_repeated_rules(collector: &Collector<'_>, drafts: &Drafts) {
    fn meaning<'d>(drafts: &'d Drafts, rule: &'d RuleDraft) -> Option<impl PartialEq + use<'d>> {
        let selection = (rule.length_m.as_ref(), rule.severity, rule.raises);
        Some((rule.kind?, rule.key_values(), drafts.shifts_of(rule)?.shifts(), selection))
    }
    let meaning = |rule| meaning(drafts, rule);
    for (index, second) in drafts.rules.iter().enumerate() {
        let Some(same) = meaning(second) else { continue };
        if let Some(first) = drafts.rules[..index].iter().find(|first| meaning(first).as_ref() == Some(&same))
        {
            let what = format!("is the same rule as {}: staff would get two alerts", first.place.key);
            collector.warning(&second.place, what, "remove one of the two");
        }
    }
}

fn check_cameras(collector: &Collector<'_>, drafts: &Drafts) {
    for (index, draft) in drafts.cameras.iter().enumerate() {
        let twin = |first: &&super::camera::CameraDraft| {
            first.url.as_ref().zip(draft.url.as_ref()).is_some_and(|(a, b)| a.value == b.value)
        };
        if let (Some(first), Some(url)) = (drafts.cameras[..index].iter().find(twin), &draft.url) {
            let what = format!("is the address of {} too", first.place.key);
            collector.warning(&url.place, what, "one camera can have many zones, lines and rules");
        }
        let Some(id) = &draft.id else { continue };
        let has_rule = drafts.rules.iter().any(|rule| {
            let camera = drafts.camera_of(rule);
            // A rule whose place or camera is mistyped may belong to this camera.
            camera.is_none_or(|camera| camera.value == id.value || drafts.camera(&camera.value).is_none())
        });
        if !has_rule {
            let help = "add a [[zone]] or [[line]] and a [[rule]] if staff should get alerts from it";
            collector.warning(
                &draft.place,
                format!("camera {} has no rule: it writes to the logbook and never alerts", id.value),
                help,
            );
        }
    }
}

/// Inferences a second that a camera may take.
pub fn inferences_per_second(camera: &Camera) -> f64 {
    f64::from(camera.detect_fps * INFERENCES_PER_PASS)
}

/// The part of one core, 0 to 1 and above, that this many inferences a second take with the model that comes with
/// Havenwacht.
pub fn share_of_a_core(inferences: f64) -> f64 {
    inferences * INFERENCE.as_secs_f64()
}

fn check_load(collector: &Collector<'_>, drafts: &Drafts) {
    let cameras: Vec<&Camera> = drafts.cameras.iter().filter_map(|draft| draft.camera.as_ref()).collect();
    let total: f64 = cameras.iter().map(|camera| inferences_per_second(camera)).sum();
    let (share, Some(first)) = (share_of_a_core(total), drafts.cameras.first()) else { return };
    if share <= BUSY {
        return;
    }
    let each: Vec<_> =
        cameras.iter().map(|camera| format!("{} {:.1}", camera.id, inferences_per_second(camera))).collect();
    collector.warning(
        &first.place,
        format!(
            "the cameras may take {total:.1} inferences a second ({}): at {} ms each that is {:.0} % of a core, too much for a box with two cores",
            each.join(", "),
            INFERENCE.as_millis(),
            share * 100.0
        ),
        "lower detect_fps; otherwise each camera gets a fair share, which the health page shows",
    );
}
