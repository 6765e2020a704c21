//! Seven days of a site's rules, as a table.

use std::io::{self, Write};

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::config::Site;
use crate::rules::{Edge, Schedule, ScheduleStatus, Shift, Shifts, Sun};

/// Columns of a day: one block for two hours, with a left and a right half.
const DAY_COLUMNS: usize = 12;
/// Columns of a rule's id, so that the table is at most 120 columns wide.
const NAME_COLUMNS: usize = 28;

/// For each hour of a day in local time, whether a rule is live in it.
type Hours = [bool; 24];

/// Writes the week from `first`: one row per rule, one column per day from midnight to midnight.
pub(super) fn draw(site: &Site, first: Date, out: &mut impl Write) -> io::Result<()> {
    let days: Vec<Date> = (0..7).filter_map(|day| first.checked_add(day.days()).ok()).collect();
    writeln!(
        out,
        "{} ({}), the week from {}, {}",
        site.name,
        site.id,
        first.strftime("%A %-d %B %Y"),
        site.time_zone.iana_name().unwrap_or_default()
    )?;
    let notes: Vec<_> = days.iter().map(|day| note(site, *day)).collect();
    let heads = days.iter().zip(&notes).map(|(day, note)| {
        let mark = if note.is_empty() { "" } else { " *" };
        format!("{:DAY_COLUMNS$}", format!("{}{mark}", day.strftime("%a %-d %b")))
    });
    writeln!(out, "\n{:NAME_COLUMNS$} {}", "", heads.collect::<Vec<_>>().join(" ").trim_end())?;
    let clock = format!("{:DAY_COLUMNS$} ", "0  6  12 18").repeat(days.len());
    writeln!(out, "{:NAME_COLUMNS$} {}", "", clock.trim_end())?;
    if site.position.is_some() {
        row("(the sun is up)", &Schedule::new(daylight(), &site.calendar()), site, &days, out)?;
    }
    for rule in &site.rules {
        row(rule.id.as_str(), &Schedule::new(rule.schedule.clone(), &site.calendar()), site, &days, out)?;
    }
    writeln!(
        out,
        "\n\u{2588} live in both hours, \u{258c} or \u{2590} in one of the two, \u{b7} in neither"
    )?;
    for (day, note) in days.iter().zip(notes).filter(|(_, note)| !note.is_empty()) {
        writeln!(out, "* {}: {note}", day.strftime("%a %-d %b"))?;
    }
    Ok(())
}

fn daylight() -> Shifts {
    let days = Weekday::Monday.cycle_forward().take(7).collect();
    let (from, to) = (Edge::Sun(Sun::Sunrise, 0), Edge::Sun(Sun::Sunset, 0));
    Shifts { only: vec![Shift { days, from, to, dates: None, holidays: None }], never: Vec::new() }
}

fn row(name: &str, schedule: &Schedule, site: &Site, days: &[Date], out: &mut impl Write) -> io::Result<()> {
    let name = match name.char_indices().nth(NAME_COLUMNS - 1) {
        Some((cut, _)) if name.chars().count() > NAME_COLUMNS => format!("{}\u{2026}", &name[..cut]),
        _ => name.to_owned(),
    };
    let blocks = days.iter().map(|day| {
        let hours = hours(schedule, site, *day);
        let block = |two: &[bool]| match two {
            [true, true] => '\u{2588}',
            [true, false] => '\u{258c}',
            [false, true] => '\u{2590}',
            _ => '\u{b7}',
        };
        hours.chunks(2).map(block).collect::<String>()
    });
    writeln!(out, "{name:NAME_COLUMNS$} {}", blocks.collect::<Vec<_>>().join(" "))
}

/// The hours of `day` in which the rule is live at some moment. A repeated hour counts once.
fn hours(schedule: &Schedule, site: &Site, day: Date) -> Hours {
    let mut hours = [false; 24];
    let Some((mut at, end)) =
        midnight(site, day).zip(day.tomorrow().ok().and_then(|next| midnight(site, next)))
    else {
        return hours;
    };
    while at < end {
        let ScheduleStatus::Live { until, .. } = schedule.status(at) else {
            let ScheduleStatus::NotLive { next: Some(next), .. } = schedule.status(at) else { break };
            at = next;
            continue;
        };
        let local = site.time_zone.to_datetime(at);
        hours[usize::from(local.hour().unsigned_abs())] = true;
        let passed = i64::from(local.minute()) * 60 + i64::from(local.second());
        let next_hour = at.checked_add(SignedDuration::from_secs(3600 - passed)).unwrap_or(end);
        at = until.unwrap_or(end).min(next_hour);
    }
    hours
}

/// The first moment of `day`.
fn midnight(site: &Site, day: Date) -> Option<Timestamp> {
    day.to_datetime(Time::MIN).to_zoned_datetime(site.time_zone.clone()).ok().map(|zoned| zoned.timestamp())
}

/// The holiday and the changes of the clock on `day`.
fn note(site: &Site, day: Date) -> String {
    let mut notes = Vec::new();
    match site.holidays.name(day) {
        None => {}
        Some("") => notes.push("holiday".to_owned()),
        Some(name) => notes.push(format!("holiday, {name}")),
    }
    let end = day.tomorrow().ok().and_then(|next| midnight(site, next));
    if let Some((begin, end)) = midnight(site, day).zip(end) {
        let changes = site.time_zone.following(begin).map(|change| (change.timestamp(), change.offset()));
        for (at, after) in changes.take_while(|(at, _)| *at < end) {
            let just_before = at - SignedDuration::from_nanos(1);
            let before = site.time_zone.to_offset(just_before);
            if before == after {
                continue;
            }
            let shown = before.to_datetime(at).strftime("%H:%M").to_string();
            let way = if after < before { "back" } else { "forward" };
            notes.push(format!("clocks go {way} {} at {shown}", span(before, after)));
        }
    }
    notes.join("; ")
}

/// The size of a change of the clock.
pub(super) fn span(before: Offset, after: Offset) -> String {
    let minutes = (after.seconds() - before.seconds()).abs() / 60;
    if minutes == 60 { "an hour".to_owned() } else { format!("{minutes} minutes") }
}
