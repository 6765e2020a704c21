//! `havenwacht explain`: which rules are live at a moment, until when, and why the others are not.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use clap::Args;
use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;
use jiff::{Timestamp, ToSpan};

use crate::config::Site;
use crate::rules::{Schedule, Sun, SunTime, sun_time, when};

/// Columns for the ids of rules; a longer id moves its own line to the right.
const ID_COLUMNS: usize = 30;

/// Show which rules are live at a moment, until when, and why the others are not.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Site file.
    #[arg(long)]
    config: PathBuf,
    /// The moment in local time, such as 2026-10-25T02:30, or in UTC, such as 2026-10-25T00:30Z; now if left out.
    #[arg(long, value_name = "WHEN", value_parser = asked)]
    at: Option<Asked>,
    /// Show the seven days from that day as a table, one row per rule.
    #[arg(long)]
    week: bool,
}

/// The moment of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    Moment(Timestamp),
    /// In local time, which can be repeated or skipped.
    Local(DateTime),
}

fn asked(text: &str) -> anyhow::Result<Asked> {
    if let Ok(at) = text.parse() {
        return Ok(Asked::Moment(at));
    }
    // Another time zone would be ignored, so it is an error.
    let local = text.parse().ok().filter(|_| !text.contains(['+', '[']));
    local.map(Asked::Local).ok_or_else(|| {
        anyhow!("not a date and time: write 2026-10-25T02:30 for local time, or 2026-10-25T00:30Z for UTC")
    })
}

/// Writes the state of the site's rules to `out`. `now`: the moment where none is given.
pub fn explain(args: &ExplainArgs, now: Timestamp, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let site = super::load_site(&args.config)?;
    if site.rules.is_empty() {
        bail!("{} has no rule to explain", args.config.display());
    }
    let asked = args.at.unwrap_or(Asked::Moment(now));
    let result = if args.week {
        super::week::draw(&site, first_day(&site, asked), out)
    } else {
        write_moment(&site, asked, out)
    };
    match result {
        // The reader has closed the pipe (`explain | head`).
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn first_day(site: &Site, asked: Asked) -> jiff::civil::Date {
    match asked {
        Asked::Moment(at) => site.time_zone.to_datetime(at).date(),
        Asked::Local(local) => local.date(),
    }
}

fn write_moment(site: &Site, asked: Asked, out: &mut impl Write) -> io::Result<()> {
    let zone = site.time_zone.iana_name().unwrap_or_default();
    let local = match asked {
        Asked::Moment(at) => site.time_zone.to_datetime(at),
        Asked::Local(local) => local,
    };
    let clock = local.strftime("%H:%M").to_string();
    writeln!(out, "{} ({}), {} {clock}, {zone}", site.name, site.id, local.strftime("%A %-d %B %Y"))?;
    let ambiguous = site.time_zone.to_ambiguous_timestamp(local);
    let offset = ambiguous.offset();
    let moments = match (asked, offset) {
        (Asked::Moment(at), _) => vec![(String::new(), at)],
        (_, AmbiguousOffset::Unambiguous { .. }) => {
            ambiguous.compatible().map(|at| (String::new(), at)).into_iter().collect()
        }
        (_, AmbiguousOffset::Fold { before, after }) => {
            writeln!(
                out,
                "This time occurs twice: clocks go back {} that night.",
                super::week::span(before, after)
            )?;
            let times = [("first", before), ("second", after)];
            let times = times.map(|(time, offset)| {
                let at = offset.to_timestamp(local).ok()?;
                Some((format!("{clock} the {time} time (UTC{offset})"), at))
            });
            times.into_iter().flatten().collect()
        }
        (_, AmbiguousOffset::Gap { before, after }) => {
            // With the offset before the change, the time is at the change or after it.
            let after_it =
                before.to_timestamp(local).ok().and_then(|at| at.checked_add(1.nanoseconds()).ok());
            let change = after_it.and_then(|at| Some(site.time_zone.preceding(at).next()?.timestamp()));
            let shows = change.map(|at| site.time_zone.to_datetime(at).strftime("%H:%M").to_string());
            let shows = shows.unwrap_or_default();
            writeln!(
                out,
                "This time does not occur: clocks go forward {} that night. The following is for {shows}, the time after the change.",
                super::week::span(before, after)
            )?;
            change.map(|at| (String::new(), at)).into_iter().collect()
        }
    };
    if let Some((_, at)) = moments.first() {
        write_day(site, *at, out)?;
    }
    let texts: Vec<_> = moments.iter().map(|(title, at)| (title, lists(site, *at))).collect();
    match texts.as_slice() {
        [(first, lists), (second, same)] if lists == same => write!(out, "\n{first} and {second}\n{lists}"),
        each => each.iter().try_for_each(|(title, lists)| match title.as_str() {
            "" => write!(out, "{lists}"),
            title => write!(out, "\n{title}\n{lists}"),
        }),
    }
}

/// The rules that are live at `at`, and those that are not.
fn lists(site: &Site, at: Timestamp) -> String {
    let width =
        site.rules.iter().map(|rule| rule.id.as_str().len()).max().unwrap_or_default().min(ID_COLUMNS);
    let (mut live, mut not_live) = (String::new(), String::new());
    let calendar = site.calendar();
    for rule in &site.rules {
        let schedule = Schedule::new(rule.schedule.clone(), &calendar);
        let list = if schedule.status(at).is_live() { &mut live } else { &mut not_live };
        let status = schedule.status_text(at);
        // The title says that it is live.
        let status = status.strip_prefix("live ").unwrap_or(&status);
        let (id, name, text) = (rule.id.as_str(), &rule.name, schedule.text());
        list.push_str(&format!("  {id:width$}  {status}\n  {:width$}  {name}: {text}\n", ""));
    }
    let lists = [("Live", live), ("Not live", not_live)];
    lists
        .into_iter()
        .filter(|(_, rules)| !rules.is_empty())
        .map(|(title, rules)| format!("\n{title}\n{rules}"))
        .collect()
}

/// The times of the sun, and the holiday, on the day of `at`.
fn write_day(site: &Site, at: Timestamp, out: &mut impl Write) -> io::Result<()> {
    let today = site.time_zone.to_datetime(at).date();
    if let Some(position) = site.position {
        let times = [Sun::Dawn, Sun::Sunrise, Sun::Sunset, Sun::Dusk].map(|what| {
            match sun_time(what, today, position, &site.time_zone) {
                Some(SunTime::At(moment)) => format!("{} {}", what.word(), when(moment, at, &site.time_zone)),
                _ => format!("no {}", what.word()),
            }
        });
        writeln!(out, "Sun: {}.", times.join(", "))?;
    }
    match site.holidays.name(today) {
        None => Ok(()),
        Some("") => writeln!(out, "Holiday."),
        Some(name) => writeln!(out, "Holiday: {name}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::site;

    /// The output for the example's night passage with another schedule, at `at`.
    fn output(schedule: &str, at: &str, week: bool) -> String {
        let (folder, path) = site(|text| {
            let old = text.lines().find(|line| line.starts_with("schedule")).unwrap().to_owned();
            text.replace(&old, schedule)
                .replace("[model]", "latitude = 52.1\nlongitude = 4.26\nholidays = \"days.txt\"\n[model]")
        });
        std::fs::write(folder.path().join("days.txt"), "2026-12-25 Christmas Day\n").unwrap();
        let mut out = Vec::new();
        let args = ExplainArgs { config: path, at: Some(asked(at).unwrap()), week };
        explain(&args, Timestamp::UNIX_EPOCH, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    const NIGHT: &str =
        "schedule = [{ from = \"21:30\", to = \"05:30\" }]\nnever = [{ holidays = \"only\" }]";

    fn has(output: &str, words: &[&str]) {
        for words in words {
            assert!(output.contains(words), "no {words:?} in\n{output}");
        }
    }

    #[test]
    fn shows_end_of_live_rules_and_reason_of_others() {
        has(
            &output(NIGHT, "2026-12-24T23:00", false),
            &[
                "My harbour (my-harbour), Thursday 24 December 2026 23:00, Europe/Amsterdam\n",
                "Sun: dawn 08:09, sunrise 08:50, sunset 16:34, dusk 17:15.\n",
                "Live\n  night-passage  since 21:30, until Fri 00:00\n",
                "Night passage: every day 21:30 to 05:30 the next day, but never on holidays\n",
            ],
        );
        let christmas = output(NIGHT, "2026-12-25T02:00", false);
        has(&christmas, &["Holiday: Christmas Day.\n", "Not live\n"]);
        has(&christmas, &["night-passage  never on holidays (Christmas Day); live again Sat 00:00\n"]);
    }

    #[test]
    fn a_repeated_time_is_shown_for_both() {
        let both = output(NIGHT, "2026-10-25T02:15", false);
        has(
            &both,
            &["occurs twice: clocks go back an hour", "02:15 the first time (UTC+02) and 02:15 the second"],
        );
        let early = "schedule = [{ from = \"02:30\", to = \"03:00\" }]";
        has(
            &output(early, "2026-10-25T02:15", false),
            &["live again 02:30 the first time", "live again 02:30 the second time"],
        );
        let utc = output(early, "2026-10-25T01:45Z", false);
        assert!(!utc.contains("occurs twice") && utc.contains("Live\n"), "{utc}");
    }

    #[test]
    fn a_skipped_time_is_shown_for_the_next_one() {
        for at in ["2026-03-29T02:00", "2026-03-29T02:30", "2026-03-29T02:59"] {
            has(&output(NIGHT, at, false), &["does not occur", "is for 03:00", "until 05:30"]);
        }
    }

    #[test]
    fn wrong_moments_get_an_example() {
        for text in ["", "tomorrow", "25-10-2026", "2026-02-30T12:00", "02:30"] {
            let error = asked(text).unwrap_err().to_string();
            assert!(error.contains("2026-10-25T02:30"), "{error}");
        }
    }

    #[test]
    fn the_week_marks_changes_of_the_clock() {
        let week = output(NIGHT, "2026-10-23", true);
        has(
            &week,
            &[
                "the week from Friday 23 October 2026",
                "Sat 24 Oct   Sun 25 Oct * Mon 26 Oct",
                "night-passage                \u{2588}\u{2588}\u{2588}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{b7}\u{2590}\u{2588} ",
                "* Sun 25 Oct: clocks go back an hour at 03:00\n",
            ],
        );
        assert!(week.lines().all(|line| line.chars().count() <= 120), "{week}");
        has(&output(NIGHT, "2026-12-23", true), &["* Fri 25 Dec: holiday, Christmas Day\n"]);
        has(&output(NIGHT, "2026-03-28", true), &["* Sun 29 Mar: clocks go forward an hour at 02:00\n"]);
    }

    #[test]
    fn a_shift_of_minutes_is_visible_in_the_week() {
        let quick = "schedule = [{ days = [\"tue\"], from = \"07:10\", to = \"07:20\" }]";
        let row = format!("\u{b7}\u{b7}\u{b7}\u{2590}{}", "\u{b7}".repeat(8));
        has(&output(quick, "2026-06-02", true), &[&format!("night-passage                {row} ")]);
    }
}
