//! What is legal in each section and suspicious in the whole: rules that never hold, cameras nobody looks after, more
//! runs than two cores give.

use std::time::Duration;

use super::links::Drafts;
use super::place::{PlaceDraft, Shape};
use super::reading::{At, Reading};
use super::rule::{Kind, RuleDraft};
use super::site::{Camera, Shift};
use super::{shapes, units};
use crate::attention::RUNS_A_LOOK;
use crate::geometry::Polygon;

/// One run of the eight-bit model that comes with Havenwacht on one thread, on a processor without VNNI.
const RUN: Duration = Duration::from_millis(37);

/// Part of one core that looks may take before decoding, logbook and alerts on the other feel it.
const BUSY: f64 = 0.75;

const DAY_SECONDS: u32 = 24 * 3600;

pub(super) fn check(reading: &Reading<'_>, drafts: &Drafts) {
    for rule in &drafts.rules {
        check_schedule(reading, rule);
        if let Some(place) = drafts.place_of(rule) {
            check_sight(reading, drafts, rule, place);
        }
    }
    check_twins(reading, drafts);
    check_cameras(reading, drafts);
    check_load(reading, drafts);
}

fn check_schedule(reading: &Reading<'_>, rule: &RuleDraft) {
    let Some(shifts) = &rule.schedule else { return };
    if shifts.is_empty() {
        if rule.kind == Some(Kind::Presence) {
            let help = "add schedule = [{ days = [...], from = \"21:30\", to = \"05:30\" }]";
            reading.warning(&rule.place, "no schedule: raises for every vessel at any time", help);
        }
        return;
    }
    for (index, second) in shifts.iter().enumerate() {
        let overlaps = |first: &&At<Shift>| {
            let theirs = stretches(&first.value);
            stretches(&second.value).iter().any(|a| theirs.iter().any(|b| a.0 < b.1 && b.0 < a.1))
        };
        if let Some(first) = shifts[..index].iter().find(overlaps) {
            reading.warning(
                &second.place,
                format!("overlaps {}", first.place.key),
                "harmless, but one of the two may be a slip: a shift past midnight belongs to the day it begins",
            );
        }
    }
    let longest = longest_live(shifts);
    let wanted = [
        ("longer_than", rule.measures.longer_than.as_ref().filter(|_| rule.kind != Some(Kind::Overstay))),
        ("confirm", Some(&rule.confirm).filter(|_| rule.kind != Some(Kind::Crossing))),
    ];
    for (key, wanted) in wanted {
        let Some(wanted) = wanted.filter(|wanted| wanted.value >= longest) else { continue };
        reading.warning(
            &wanted.place,
            format!(
                "the rule can never hold: {key} is {}, and it is live for {} at most",
                units::written(wanted.value),
                units::written(longest)
            ),
            "time in the zone counts only while the schedule is in force: shorten it, or lengthen the shift",
        );
    }
}

/// The seconds of the week in which a shift is in force, from Monday 00:00; a stretch over Sunday midnight comes as two.
fn stretches(shift: &Shift) -> Vec<(u32, u32)> {
    const WEEK: u32 = 7 * DAY_SECONDS;
    let seconds = |time: jiff::civil::Time| {
        [time.hour(), time.minute(), time.second()]
            .iter()
            .fold(0, |sum, part| sum * 60 + u32::from(part.unsigned_abs()))
    };
    let (from, to) = (seconds(shift.from), seconds(shift.to));
    let length = if to > from { to - from } else { to + DAY_SECONDS - from };
    let mut stretches = Vec::new();
    for day in &shift.days {
        let begin = u32::from(day.to_monday_zero_offset().unsigned_abs()) * DAY_SECONDS + from;
        let end = begin + length;
        stretches.push((begin, end.min(WEEK)));
        if end > WEEK {
            stretches.push((0, end - WEEK));
        }
    }
    stretches
}

/// The longest time without a gap in which some shift is in force.
fn longest_live(shifts: &[At<Shift>]) -> Duration {
    let mut all: Vec<_> = shifts.iter().flat_map(|shift| stretches(&shift.value)).collect();
    // A second week, so that a stretch over Sunday midnight is found whole.
    let week = 7 * DAY_SECONDS;
    all.extend(all.clone().iter().map(|(from, to)| (from + week, to + week)));
    all.sort_unstable();
    let (mut longest, mut current) = (0, (0, 0));
    for (from, to) in all {
        current = if from <= current.1 { (current.0, current.1.max(to)) } else { (from, to) };
        longest = longest.max(current.1 - current.0);
    }
    // In force the whole week is in force for ever.
    if longest >= week { Duration::MAX } else { Duration::from_secs(longest.into()) }
}

/// A zone that nobody looks at, or whose pictures are black.
fn check_sight(reading: &Reading<'_>, drafts: &Drafts, rule: &RuleDraft, place: &PlaceDraft) {
    let (Some(Shape::Zone(zone)), Some(target)) = (&place.shape, &rule.target) else { return };
    let camera = place.camera.as_ref().and_then(|camera| drafts.camera(&camera.value)?.camera.as_ref());
    let Some(camera) = camera else { return };
    let covered = |by: &[Polygon]| !by.is_empty() && zone.area.area_outside(by) < zone.area.area() * 0.001;
    if covered(&camera.privacy_masks) {
        reading.warning(
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
        reading.warning(&target.place, format!("the rule can never hold: {missed}"), help);
    }
}

/// Rules that say the same twice.
fn check_twins(reading: &Reading<'_>, drafts: &Drafts) {
    fn meaning(rule: &RuleDraft) -> Option<impl PartialEq + use<'_>> {
        let schedule: Option<Vec<_>> = rule.schedule.as_ref().map(|shifts| {
            shifts.iter().map(|shift| (shift.value.days.clone(), shift.value.from, shift.value.to)).collect()
        });
        let about = (rule.target.as_ref(), &rule.parts, &rule.unless);
        let meant = (rule.length_m.as_ref(), rule.severity, rule.raises);
        Some((rule.kind?, about, schedule?, &rule.measures, meant))
    }
    for (index, second) in drafts.rules.iter().enumerate() {
        let Some(same) = meaning(second) else { continue };
        if let Some(first) = drafts.rules[..index].iter().find(|first| meaning(first).as_ref() == Some(&same))
        {
            let what = format!("watches for the same as {}: staff would be told twice", first.place.key);
            reading.warning(&second.place, what, "remove one of the two");
        }
    }
}

fn check_cameras(reading: &Reading<'_>, drafts: &Drafts) {
    for (index, draft) in drafts.cameras.iter().enumerate() {
        let twin = |first: &&super::camera::CameraDraft| {
            first.url.as_ref().zip(draft.url.as_ref()).is_some_and(|(a, b)| a.value == b.value)
        };
        if let (Some(first), Some(url)) = (drafts.cameras[..index].iter().find(twin), &draft.url) {
            let what = format!("is the same address as that of {}", first.place.key);
            reading.warning(&url.place, what, "one camera can have many zones, lines and rules");
        }
        let Some(id) = &draft.id else { continue };
        let watched = drafts.rules.iter().any(|rule| {
            let camera = drafts.place_of(rule).and_then(|place| place.camera.as_ref());
            // A rule whose place or camera is mistyped may well be this one's.
            camera.is_none_or(|camera| camera.value == id.value || drafts.camera(&camera.value).is_none())
        });
        if !watched {
            let help = "add a [[zone]] or [[line]] and a [[rule]], if staff should hear of what it sees";
            reading.warning(
                &draft.place,
                format!("no rule watches {}: logged, never alerts", id.value),
                help,
            );
        }
    }
}

/// Detector runs a second that a camera may take.
pub fn runs_per_second(camera: &Camera) -> f64 {
    f64::from(camera.looks_per_second * RUNS_A_LOOK)
}

/// The part of one core that `runs` a second take with the small model that comes with Havenwacht.
pub fn share_of_a_core(runs: f64) -> f64 {
    runs * RUN.as_secs_f64()
}

fn check_load(reading: &Reading<'_>, drafts: &Drafts) {
    let cameras: Vec<&Camera> = drafts.cameras.iter().filter_map(|draft| draft.camera.as_ref()).collect();
    let total: f64 = cameras.iter().map(|camera| runs_per_second(camera)).sum();
    let (share, Some(first)) = (share_of_a_core(total), drafts.cameras.first()) else { return };
    if share <= BUSY {
        return;
    }
    let each: Vec<_> =
        cameras.iter().map(|camera| format!("{} {:.1}", camera.id, runs_per_second(camera))).collect();
    reading.warning(
        &first.place,
        format!(
            "the cameras may take {total:.1} detector runs a second ({}): at {} ms a run that is {:.0} % of a core, much for a box of two",
            each.join(", "),
            RUN.as_millis(),
            share * 100.0
        ),
        "lower looks_per_second; what the box cannot give is shared fairly and shown as shortfall",
    );
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, time};

    use super::*;

    fn shift(days: &[Weekday], from: (i8, i8), to: (i8, i8)) -> At<Shift> {
        let value =
            Shift { days: days.to_vec(), from: time(from.0, from.1, 0, 0), to: time(to.0, to.1, 0, 0) };
        At { value, place: Default::default() }
    }

    #[test]
    fn shifts_that_follow_one_another_are_one_time_in_force() {
        use Weekday::{Monday, Saturday, Sunday};
        let hours = |shifts: &[At<Shift>]| longest_live(shifts).as_secs() / 3600;
        assert_eq!(hours(&[shift(&[Monday], (22, 0), (6, 0))]), 8);
        assert_eq!(hours(&[shift(&[Saturday], (20, 0), (0, 0)), shift(&[Sunday], (0, 0), (12, 0))]), 16);
        assert_eq!(
            hours(&[shift(&[Sunday], (20, 0), (0, 0)), shift(&[Monday], (0, 0), (2, 0))]),
            6,
            "over the week's end"
        );
        let all = Weekday::Monday.cycle_forward().take(7).collect::<Vec<_>>();
        let always = [shift(&all, (0, 0), (12, 0)), shift(&all, (12, 0), (0, 0))];
        assert_eq!(longest_live(&always), Duration::MAX);
    }
}
