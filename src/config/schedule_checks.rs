//! What is suspicious in schedules: shifts that overlap, rules that are live too short to hold, schedules nobody has.

use std::time::Duration;

use super::collector::{Collector, Located};
use super::links::Drafts;
use super::rule::{Kind, RuleDraft};
use super::schedule::{Edge, Shift};
use super::sections::{OptionalValue, Sections};
use super::shifts::Shifts;
use super::units;

const DAY_SECONDS: u32 = 24 * 3600;

/// Schedules need what they speak of, and should not contradict themselves.
pub(super) fn check(collector: &Collector<'_>, drafts: &Drafts, sections: &Sections) {
    let named = drafts.schedules.iter().filter_map(|schedule| schedule.shifts.as_ref());
    let own = drafts.rules.iter().filter_map(|rule| rule.schedule.shifts.as_ref());
    for shift in named.clone().chain(own.clone()).flat_map(|shifts| shifts.only.iter().chain(&shifts.never)) {
        if shift.value.by_the_sun() && matches!(sections.position, OptionalValue::Absent) {
            let help = "add latitude = 52.10 and longitude = 4.26 (the harbour's own) to [site]";
            collector.error(&shift.place, "speaks of the sun, and the site has no position", help);
        }
        if shift.value.holidays.is_some() && matches!(sections.holidays, OptionalValue::Absent) {
            let help = "add holidays = \"holidays.txt\" to [site]: a text file with a date a line";
            collector.error(&shift.place, "speaks of holidays, and the site has no list of them", help);
        }
    }
    for shifts in named.chain(own) {
        check_overlaps(collector, &shifts.only);
        check_overlaps(collector, &shifts.never);
    }
    for schedule in &drafts.schedules {
        let Some(id) = &schedule.id else { continue };
        let names =
            |rule: &RuleDraft| rule.schedule.named.as_ref().is_some_and(|named| named.value == id.value);
        if !drafts.rules.iter().any(names) {
            let help = format!("write schedule = \"{}\" in a [[rule]], or remove it", id.value);
            collector.warning(&schedule.place, "no rule has this schedule", help);
        }
    }
    for rule in &drafts.rules {
        if let Some(shifts) = drafts.shifts_of(rule) {
            check_live(collector, rule, &shifts);
        }
    }
}

/// Of shifts by the clock, on the same dates: what the sun and the calendar do is not a slip.
fn check_overlaps(collector: &Collector<'_>, shifts: &[Located<Shift>]) {
    for (index, second) in shifts.iter().enumerate() {
        let overlaps = |first: &&Located<Shift>| {
            let (first, second) = (&first.value, &second.value);
            let (Some(theirs), Some(own)) = (stretches(first), stretches(second)) else { return false };
            let same_days = (first.dates, first.holidays) == (second.dates, second.holidays);
            same_days && own.iter().any(|a| theirs.iter().any(|b| a.0 < b.1 && b.0 < a.1))
        };
        if let Some(first) = shifts[..index].iter().find(overlaps) {
            collector.warning(
                &second.place,
                format!("overlaps {}", first.place.key),
                "harmless, but one of the two may be a slip: a shift past midnight belongs to the day it begins",
            );
        }
    }
}

/// A rule that is always live, or never for long enough.
fn check_live(collector: &Collector<'_>, rule: &RuleDraft, shifts: &Shifts) {
    if shifts.is_empty() {
        if rule.kind == Some(Kind::Presence) {
            let help = "add schedule = [{ from = \"21:30\", to = \"05:30\" }]";
            collector.warning(&rule.place, "no schedule: raises for every vessel at any time", help);
        }
        return;
    }
    let longest = longest_live(&shifts.only);
    let wanted = [
        ("longer_than", rule.measures.longer_than.as_ref().filter(|_| rule.kind != Some(Kind::Overstay))),
        ("confirm", Some(&rule.confirm).filter(|_| rule.kind != Some(Kind::Crossing))),
    ];
    for (key, wanted) in wanted {
        let Some(wanted) = wanted.filter(|wanted| wanted.value >= longest) else { continue };
        collector.warning(
            &wanted.place,
            format!(
                "the rule can never hold: {key} is {}, and it is live for {} at most",
                units::format_duration(wanted.value),
                units::format_duration(longest)
            ),
            "time in the zone counts only while the schedule is in force: shorten it, or lengthen the shift",
        );
    }
}

/// The seconds of the week in which a shift can be in force, from Monday 00:00; a stretch over Sunday midnight comes as
/// two. `None` for one that goes by the sun.
fn stretches(shift: &Shift) -> Option<Vec<(u32, u32)>> {
    const WEEK: u32 = 7 * DAY_SECONDS;
    let (Edge::Clock(from), Edge::Clock(to)) = (shift.from, shift.to) else { return None };
    let seconds = |time: jiff::civil::Time| {
        [time.hour(), time.minute(), time.second()]
            .iter()
            .fold(0, |sum, part| sum * 60 + u32::from(part.unsigned_abs()))
    };
    let (from, to) = (seconds(from), seconds(to));
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
    Some(stretches)
}

/// The longest time without a gap in which some shift can be in force: at most that, as dates and holidays only take
/// from it, and without an end where one goes by the sun.
fn longest_live(shifts: &[Located<Shift>]) -> Duration {
    let all: Option<Vec<_>> = shifts.iter().map(|shift| stretches(&shift.value)).collect();
    let Some(mut all) = all.filter(|all| !all.is_empty()).map(|all| all.concat()) else {
        return Duration::MAX;
    };
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

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, time};

    use super::*;

    fn shift(days: &[Weekday], from: (i8, i8), to: (i8, i8)) -> Located<Shift> {
        let clock = |(hour, minute)| Edge::Clock(time(hour, minute, 0, 0));
        let value =
            Shift { days: days.to_vec(), from: clock(from), to: clock(to), dates: None, holidays: None };
        Located { value, place: Default::default() }
    }

    #[test]
    fn shifts_that_follow_one_another_are_one_time_in_force() {
        use Weekday::{Monday, Saturday, Sunday};
        let hours = |shifts: &[Located<Shift>]| longest_live(shifts).as_secs() / 3600;
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
