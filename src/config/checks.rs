//! What is legal in each section and suspicious in the whole: rules that never hold, cameras nobody looks after, more
//! runs than two cores give.

use std::time::Duration;

use super::collector::Collector;
use super::links::Drafts;
use super::place::{PlaceDraft, Shape};
use super::rule::RuleDraft;
use super::sections::Sections;
use super::site::Camera;
use super::{schedule_checks, shapes};
use crate::geometry::Polygon;
use crate::regions::INFERENCES_PER_PASS;

/// One run of the eight-bit model that comes with Havenwacht on one thread, on a processor without VNNI.
const RUN: Duration = Duration::from_millis(37);

/// Part of one core that looks may take before decoding, logbook and alerts on the other feel it.
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

/// A zone that nobody looks at, or whose pictures are black.
fn check_visibility(collector: &Collector<'_>, drafts: &Drafts, rule: &RuleDraft, place: &PlaceDraft) {
    let (Some(Shape::Zone(zone)), Some(target)) = (&place.shape, &rule.target) else { return };
    let camera = place.camera.as_ref().and_then(|camera| drafts.camera(&camera.value)?.camera.as_ref());
    let Some(camera) = camera else { return };
    let covered = |by: &[Polygon]| !by.is_empty() && zone.area.area_outside(by) < zone.area.area() * 0.001;
    if covered(&camera.privacy_masks) {
        collector.warning(
            &target.place,
            format!(
                "the zone lies wholly behind privacy masks of {}: no picture would show why it alerts",
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
            format!("no region of {} looks at this zone", camera.id),
            "add a region over the zone, or leave whole_frame = false out",
        ),
    };
    let seen = zone.area.area() - zone.area.area_outside(&looked_at);
    let limited = camera.water.is_some() || !camera.whole_frame;
    if limited && !looked_at.is_empty() && seen < zone.area.area() * 0.001 {
        collector.warning(&target.place, format!("the rule can never hold: {missed}"), help);
    }
}

/// Rules that say the same twice.
fn check_repeated_rules(collector: &Collector<'_>, drafts: &Drafts) {
    fn meaning<'d>(drafts: &'d Drafts, rule: &'d RuleDraft) -> Option<impl PartialEq + use<'d>> {
        let about = (rule.target.as_ref(), &rule.parts, &rule.unless);
        let meant = (rule.length_m.as_ref(), rule.severity, rule.raises);
        Some((rule.kind?, about, drafts.shifts_of(rule)?.schedule(), &rule.measures, meant))
    }
    let meaning = |rule| meaning(drafts, rule);
    for (index, second) in drafts.rules.iter().enumerate() {
        let Some(same) = meaning(second) else { continue };
        if let Some(first) = drafts.rules[..index].iter().find(|first| meaning(first).as_ref() == Some(&same))
        {
            let what = format!("watches for the same as {}: staff would be told twice", first.place.key);
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
            let what = format!("is the same address as that of {}", first.place.key);
            collector.warning(&url.place, what, "one camera can have many zones, lines and rules");
        }
        let Some(id) = &draft.id else { continue };
        let watched = drafts.rules.iter().any(|rule| {
            let camera = drafts.camera_of(rule);
            // A rule whose place or camera is mistyped may well be this one's.
            camera.is_none_or(|camera| camera.value == id.value || drafts.camera(&camera.value).is_none())
        });
        if !watched {
            let help = "add a [[zone]] or [[line]] and a [[rule]], if staff should hear of what it sees";
            collector.warning(
                &draft.place,
                format!("no rule watches {}: logged, never alerts", id.value),
                help,
            );
        }
    }
}

/// Detector runs a second that a camera may take.
pub fn runs_per_second(camera: &Camera) -> f64 {
    f64::from(camera.detect_fps * INFERENCES_PER_PASS)
}

/// The part of one core that `runs` a second take with the small model that comes with Havenwacht.
pub fn share_of_a_core(runs: f64) -> f64 {
    runs * RUN.as_secs_f64()
}

fn check_load(collector: &Collector<'_>, drafts: &Drafts) {
    let cameras: Vec<&Camera> = drafts.cameras.iter().filter_map(|draft| draft.camera.as_ref()).collect();
    let total: f64 = cameras.iter().map(|camera| runs_per_second(camera)).sum();
    let (share, Some(first)) = (share_of_a_core(total), drafts.cameras.first()) else { return };
    if share <= BUSY {
        return;
    }
    let each: Vec<_> =
        cameras.iter().map(|camera| format!("{} {:.1}", camera.id, runs_per_second(camera))).collect();
    collector.warning(
        &first.place,
        format!(
            "the cameras may take {total:.1} detector runs a second ({}): at {} ms a run that is {:.0} % of a core, much for a box of two",
            each.join(", "),
            RUN.as_millis(),
            share * 100.0
        ),
        "lower detect_fps; what the box cannot give is shared fairly and shown as shortfall",
    );
}
