//! What is suspicious in schedules: shifts that overlap, rules that are live too briefly to hold, unused schedules.

use std::time::Duration;

use super::collector::{Collector, Located};
use super::drafts::Drafts;
use super::rule::{KeyDraft, RuleDraft};
use super::sections::{OptionalValue, Sections};
use super::shifts::ShiftsDraft;
use crate::rules::{Edge, Shift, Value, format_duration};

const DAY_SECONDS: u32 = 24 * 3600;

/// Schedules need what they depend on, and should not contradict themselves.
pub(super) fn check(collector: &Collector<'_>, drafts: &Drafts, sections: &Sections) {
    let named = drafts.schedules.iter().filter_map(|schedule| schedule.shifts.as_ref());
    let own = drafts.rules.iter().filter_map(|rule| rule.schedule.shifts.as_ref());
    for shift in named.clone().chain(own.clone()).flat_map(|shifts| shifts.only.iter().chain(&shifts.never)) {
        if shift.value.depends_on_sun() && matches!(sections.position, OptionalValue::Absent) {
            let help = "add latitude = 52.10 and longitude = 4.26 (the harbour's own) to [site]";
            collector.error(&shift.place, "depends on the sun, but the site has no position", help);
        }
        if shift.value.holidays.is_some() && matches!(sections.holidays, OptionalValue::Absent) {
            let help = "add holidays = \"holidays.txt\" to [site]: a text file with a date a line";
            collector.error(&shift.place, "depends on holidays, but the site has no list of them", help);
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

/// Shifts with local times on the same dates overlap. Where the sun or dates decide, an overlap may be meant.
fn check_overlaps(collector: &Collector<'_>, shifts: &[Located<Shift>]) {
    for (index, second) in shifts.iter().enumerate() {
        let overlaps = |first: &&Located<Shift>| {
            let (first, second) = (&first.value, &second.value);
            let (Some(theirs), Some(own)) = (intervals(first), intervals(second)) else { return false };
            let same_days = (first.dates, first.holidays) == (second.dates, second.holidays);
            same_days && own.iter().any(|a| theirs.iter().any(|b| a.0 < b.1 && b.0 < a.1))
        };
        if let Some(first) = shifts[..index].iter().find(overlaps) {
            collector.warning(
                &second.place,
                format!("overlaps {}", first.place.key),
                "harmless, but one of the two may be a mistake: a shift past midnight belongs to the day on which it begins",
            );
        }
    }
}

/// A rule that is always live although that is rarely meant, or that is never live for long enough.
fn check_live(collector: &Collector<'_>, rule: &RuleDraft, shifts: &ShiftsDraft) {
    if shifts.is_empty() {
        if rule.kind.is_some_and(|kind| kind.info.needs_schedule) {
            let help = "add schedule = [{ from = \"21:30\", to = \"05:30\" }]";
            collector.warning(
                &rule.place,
                "has no schedule: raises a signal for every vessel at any time",
                help,
            );
        }
        return;
    }
    let longest = longest_live(&shifts.only);
    let times = rule.keys.iter().filter(|(spec, _)| spec.counts_in_schedule);
    let times = times.filter_map(|(spec, key)| match key {
        KeyDraft::Value(Located { value: Value::Duration(time), place }) => Some((spec.name, *time, place)),
        _ => None,
    });
    let has_confirm = rule.kind.is_none_or(|kind| !kind.info.is_moment);
    let confirm = has_confirm.then_some(("confirm", rule.confirm.value, &rule.confirm.place));
    for (key, time, place) in times.chain(confirm).filter(|(_, time, _)| *time >= longest) {
        let (time, longest) = (format_duration(time), format_duration(longest));
        collector.warning(
            place,
            format!("the rule can never hold: {key} is {time}, but the rule is live for {longest} at most"),
            "only time within the schedule counts: shorten the time, or lengthen the shift",
        );
    }
}

/// The seconds of the week in which a shift can be in force, from Monday 00:00; an interval over Sunday midnight is given as
/// two. `None` for a shift that depends on the sun.
fn intervals(shift: &Shift) -> Option<Vec<(u32, u32)>> {
    const WEEK: u32 = 7 * DAY_SECONDS;
    let (Edge::Clock(from), Edge::Clock(to)) = (shift.from, shift.to) else { return None };
    let seconds = |time: jiff::civil::Time| {
        [time.hour(), time.minute(), time.second()]
            .iter()
            .fold(0, |sum, part| sum * 60 + u32::from(part.unsigned_abs()))
    };
    let (from, to) = (seconds(from), seconds(to));
    let length = if to > from { to - from } else { to + DAY_SECONDS - from };
    let mut intervals = Vec::new();
    for day in &shift.days {
        let begin = u32::from(day.to_monday_zero_offset().unsigned_abs()) * DAY_SECONDS + from;
        let end = begin + length;
        intervals.push((begin, end.min(WEEK)));
        if end > WEEK {
            intervals.push((0, end - WEEK));
        }
    }
    Some(intervals)
}

/// The longest time without a gap in which some shift can be in force. Dates and holidays can only make it shorter. It has
/// no end where a shift depends on the sun.
fn longest_live(shifts: &[Located<Shift>]) -> Duration {
    let all: Option<Vec<_>> = shifts.iter().map(|shift| intervals(&shift.value)).collect();
    let Some(mut all) = all.filter(|all| !all.is_empty()).map(|all| all.concat()) else {
        return Duration::MAX;
    };
    // A second week, so that an interval over Sunday midnight is found as one.
    let week = 7 * DAY_SECONDS;
    all.extend(all.clone().iter().map(|(from, to)| (from + week, to + week)));
    all.sort_unstable();
    let (mut longest, mut current) = (0, (0, 0));
    for (from, to) in all {
        current = if from <= current.1 { (current.0, current.1.max(to)) } else { (from, to) };
        longest = longest.max(current.1 - current.0);
    }
    // In force the whole week means always in force.
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
    fn consecutive_shifts_are_one_interval() {
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
