//! `havenwacht logbook why`: why a rule alerted, or why it did not, in sentences.

use std::io::Write;
use std::ops::RangeInclusive;

use anyhow::{Context, bail};
use clap::Args;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::logbook::Source;
use crate::logbook::{Account, Grounds, Question, Silence, Spoken};
use crate::rules::SuppressionReason;

/// People look at a clock after something happened, and round.
const AROUND: SignedDuration = SignedDuration::from_mins(5);

/// What is asked.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// About this vessel (its number).
    #[arg(long, required_unless_present = "rule")]
    vessel: Option<u64>,
    /// About this rule.
    #[arg(long)]
    rule: Option<String>,
    /// Around this moment: five minutes before and after. 2026-06-01T22:13 in the site's time, or with an offset or Z.
    #[arg(long)]
    at: Option<String>,
    /// Which logbook.
    #[command(flatten)]
    source: Source,
}

/// Answers on `out`.
pub(super) fn why(args: &WhyArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let reader = args.source.open()?;
    let zone = reader.time_zone()?;
    let when = args.at.as_deref().map(|at| around(at, &zone)).transpose()?;
    if let Some(vessel) = args.vessel
        && reader.vessel(vessel)?.is_none()
    {
        bail!(
            "the logbook knows no vessel {vessel}: it was never followed, or its rows are older than [retention] keeps; \
             `logbook list tracks` shows the numbers"
        );
    }
    let question = Question { vessel: args.vessel, rule: args.rule.clone(), when };
    let account = reader.why(&question)?;
    write!(out, "{}", about(&question, &zone))?;
    if account.spoken.is_empty() && account.silences.is_empty() {
        let unmet = if question.rule.is_some() { "the rule did not see" } else { "no rule saw" };
        write!(out, ": no signal, and no silence; {unmet} its condition met.")?;
    } else {
        write!(out, ":")?;
    }
    writeln!(out)?;
    if let Some(rule) = question.rule.as_ref().filter(|_| !account.rule_is_known) {
        writeln!(out, "No row of the logbook is about a rule `{rule}`: is that its `id` in the site file?")?;
    }
    account.spoken.iter().try_for_each(|signal| write_signal(signal, out))?;
    account.silences.iter().try_for_each(|silence| write_silence(silence, out))?;
    write_truth(&account, &question, out)
}

/// The moment that is meant and the minutes around it. A local time that comes twice means both; one that the clock
/// skips means what lies around the gap.
fn around(at: &str, zone: &TimeZone) -> anyhow::Result<RangeInclusive<Timestamp>> {
    let (first, last) = match at.parse::<Timestamp>() {
        Ok(at) => (at, at),
        Err(_) => {
            let local: DateTime = at.parse().with_context(|| {
                format!("`{at}` is no moment: write 2026-06-01T22:13, or 2026-06-01T20:13Z")
            })?;
            let meant = zone.to_ambiguous_timestamp(local);
            (meant.earlier()?, meant.later()?)
        }
    };
    Ok(first.checked_sub(AROUND)?..=last.checked_add(AROUND)?)
}

fn about(question: &Question, zone: &TimeZone) -> String {
    let subject = match (question.vessel, &question.rule) {
        (Some(vessel), Some(rule)) => format!("Vessel {vessel} and rule {rule}"),
        (Some(vessel), None) => format!("Vessel {vessel}"),
        (None, Some(rule)) => format!("Rule {rule}"),
        (None, None) => "Everything".to_owned(),
    };
    let local =
        |at: &Timestamp| at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
    match &question.when {
        Some(when) => format!("{subject}, from {} to {}", local(when.start()), local(when.end())),
        None => subject,
    }
}

fn write_signal(signal: &Spoken, out: &mut impl Write) -> anyhow::Result<()> {
    let Spoken { number, severity, rule, text, opened, .. } = signal;
    writeln!(out, "\n{rule} spoke (signal {number}, {severity}): {text}.")?;
    let end = match &signal.closed {
        Some((at, by)) if by == "restart" => format!("was closed by a restart of the watch at {at}"),
        Some((at, _)) => format!("was over at {at}"),
        None => "is not over".to_owned(),
    };
    writeln!(out, "  It opened at {opened} and {end}.")?;
    write_grounds(&signal.grounds, "Schedule in force", out)?;
    if !signal.told {
        writeln!(out, "  Staff were not told: they had been told of the same within the rule's cooldown.")?;
    }
    for (phase, at, delivery, delivered) in &signal.messages {
        let delivery = match delivered {
            Some(when) => format!("the broker took the message at {when}"),
            None if delivery == "expired" => "the message was too old when there was a broker".to_owned(),
            None => "the message waits for the broker".to_owned(),
        };
        writeln!(out, "  Staff were told that it {phase} at {at}; {delivery}.", phase = told(phase))?;
    }
    for (at, by, answer, note) in &signal.answers {
        let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
        writeln!(out, "  {by} answered at {at}: {answer}{note}.")?;
    }
    if signal.told && signal.answers.is_empty() {
        writeln!(out, "  Nobody has answered.")?;
    }
    Ok(())
}

fn told(phase: &str) -> &str {
    match phase {
        "closed" => "was over",
        "escalated" => "went unanswered",
        "updated" => "went on",
        other => other,
    }
}

fn write_silence(silence: &Silence, out: &mut impl Write) -> anyhow::Result<()> {
    let Silence { rule, reason, text, first, last, times, grounds } = silence;
    writeln!(out, "\n{rule} kept silent, {}: {text}.", in_words(reason))?;
    match times {
        1 => writeln!(out, "  That was so in one look, at {last}.")?,
        _ => writeln!(out, "  That was so in {times} looks from {first} to {last}.")?,
    }
    let outside = reason == SuppressionReason::OutsideSchedule.as_str();
    write_grounds(grounds, if outside { "Schedule, not in force then" } else { "Schedule in force" }, out)
}

/// A later version's reason is told as it is written.
fn in_words(reason: &str) -> &str {
    let known = [
        (SuppressionReason::OutsideSchedule, "because its schedule was not in force"),
        (SuppressionReason::Cooldown, "because staff had been told of the same within its cooldown"),
        (SuppressionReason::Size, "because the vessel is not of the size it asks for"),
        (
            SuppressionReason::NotConfirmed,
            "because its condition went again before the confirm time was over",
        ),
        (SuppressionReason::LowConfidence, "because the detector was less sure than it asks for"),
        (SuppressionReason::CameraOutage, "because the camera gave no usable picture"),
        (SuppressionReason::AtBerth, "because the vessel lay at a berth, where it may"),
        (SuppressionReason::Exception, "because a rule that it names under `unless` held"),
    ];
    known.into_iter().find(|(one, _)| one.as_str() == reason).map_or(reason, |(_, words)| words)
}

fn write_grounds(grounds: &Grounds, schedule: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let Grounds { condition, measured, threshold, margin, unit, .. } = grounds;
    if !condition.is_empty() {
        writeln!(out, "  Its condition: {condition}.")?;
    }
    let (measured, threshold) = (figure(*measured), figure(*threshold));
    let margin =
        if *margin == 0.0 { String::new() } else { format!(" and a margin of {} {unit}", figure(*margin)) };
    writeln!(out, "  Measured {measured} {unit}, held against {threshold} {unit}{margin}.")?;
    if !grounds.schedule.is_empty() {
        writeln!(out, "  {schedule}: {}.", grounds.schedule)?;
    }
    let hash: String = grounds.config_hash.chars().take(12).collect();
    Ok(writeln!(out, "  Site file: {hash}.")?)
}

/// At most two decimals, and none that say nothing.
fn figure(number: f64) -> String {
    format!("{number:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What was so, whatever the rules made of it.
fn write_truth(account: &Account, question: &Question, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "\nWhat is known otherwise:")?;
    if let Some(seen) = &account.seen {
        let then = if seen.then { "" } else { ", so not at the time asked about" };
        writeln!(
            out,
            "  It was followed by camera {} from {} to {}{then}.",
            seen.camera, seen.first, seen.last
        )?;
    } else if question.vessel.is_some() {
        writeln!(out, "  Its track is older than [retention] keeps.")?;
    }
    for stay in &account.stays {
        let end = match &stay.ended {
            Some((at, how)) => format!("until {at} ({how})"),
            None => "and has not left".to_owned(),
        };
        writeln!(out, "  It lay at {} from {} {end}.", stay.berth, stay.began)?;
    }
    for camera in &account.cameras {
        let reason = if camera.reason.is_empty() { String::new() } else { format!(": {}", camera.reason) };
        writeln!(out, "  Camera {} was {} from {}{reason}.", camera.camera, camera.state, camera.since)?;
    }
    for outage in &account.outage {
        let end = outage.ended.as_ref().map_or("and is so still".to_owned(), |at| format!("to {at}"));
        writeln!(out, "  Camera {} was blind from {} {end}: {}.", outage.camera, outage.began, outage.text)?;
    }
    match &account.watch {
        None => writeln!(out, "  The watch had not begun.")?,
        Some(watch) => {
            let end = match &watch.stopped {
                Some(at) => format!(" and had been stopped at {at}: nobody watched"),
                None if watch.cut_off => " and was cut off at some time after that".to_owned(),
                None => String::new(),
            };
            writeln!(out, "  The watch had begun at {}{end}.", watch.since)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::logbook::tests::written;

    fn said(vessel: Option<u64>, rule: Option<&str>, at: Option<&str>) -> anyhow::Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let source = written(folder.path());
        let args = WhyArgs { vessel, rule: rule.map(str::to_owned), at: at.map(str::to_owned), source };
        let mut out = Vec::new();
        why(&args, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn why_it_alerted_and_why_it_did_not_are_told_in_sentences() {
        insta::assert_snapshot!(said(Some(7), None, Some("2026-06-01T22:13")).unwrap(), @r"
        Vessel 7, from 2026-06-01 22:08:00 +02:00 to 2026-06-01 22:18:00 +02:00:

        Night passage spoke (signal 1, alert): vessel 7 entered Inner basin, 00:43 after curfew.
          It opened at 2026-06-01 22:13:02 +02:00 and was over at 2026-06-01 22:13:30 +02:00.
          Its condition: a vessel is in Inner basin for 1s.
          Measured 1.5 s, held against 1 s.
          Schedule in force: every day 21:30 to 05:30 the next day.
          Site file: c0.
          Staff were told that it opened at 2026-06-01 22:13:02 +02:00; the message waits for the broker.
          desk 2 answered at 2026-06-01 22:13:20 +02:00: false alarm (the patrol boat).

        night-passage kept silent, because its condition went again before the confirm time was over: vessel 7 is in Inner basin; live again at 21:30.
          That was so in 2 looks from 2026-06-01 22:13:01 +02:00 to 2026-06-01 22:13:01 +02:00.
          Its condition: a vessel is in Inner basin for 1s.
          Measured 1.5 s, held against 1 s.
          Schedule in force: every day 21:30 to 05:30 the next day.
          Site file: c0.

        What is known otherwise:
          It was followed by camera quay-east from 2026-06-01 22:12:59 +02:00 to 2026-06-01 22:13:01 +02:00.
          It lay at berth-3 from 2026-06-01 22:13:00 +02:00 until 2026-06-01 22:13:50 +02:00 (departed).
          Camera quay-east was stalled from 2026-06-01 22:13:00 +02:00: no picture, for 5 s.
          Camera quay-east was outage from 2026-06-01 22:13:35 +02:00 to 2026-06-01 22:13:45 +02:00: the picture is frozen.
          The watch had begun at 2026-06-01 22:13:00 +02:00.
        ");
    }

    #[test]
    fn a_rule_of_which_nothing_is_known_then_is_said_to_be_so_with_what_was_true() {
        let other_rule = said(Some(7), Some("dwell"), Some("2026-06-01T22:13")).unwrap();
        assert!(
            other_rule.starts_with("Vessel 7 and rule dwell, from 2026-06-01 22:08:00 +02:00"),
            "{other_rule}"
        );
        assert!(other_rule.contains("no signal, and no silence; the rule did not see"), "{other_rule}");
        assert!(other_rule.contains("No row of the logbook is about a rule `dwell`"), "{other_rule}");
        assert!(
            other_rule.contains("Camera quay-east was stalled from 2026-06-01 22:13:00 +02:00"),
            "{other_rule}"
        );
        let hours_later = said(Some(7), None, Some("2026-06-01T23:13:00Z")).unwrap();
        assert!(hours_later.contains("no signal, and no silence"), "{hours_later}");
        assert!(hours_later.contains("not at the time asked about"), "{hours_later}");
        assert!(
            hours_later.contains("had been stopped at 2026-06-01T20:14:00.000Z: nobody watched"),
            "{hours_later}"
        );
        let before = said(None, Some("night-passage"), Some("2026-06-01T21:00")).unwrap();
        assert!(before.contains("The watch had not begun"), "{before}");
    }

    #[test]
    fn a_vessel_that_is_not_known_and_a_moment_that_is_none_are_refused() {
        let unknown = said(Some(8), None, None).unwrap_err().to_string();
        assert!(unknown.contains("no vessel 8"), "{unknown}");
        let nonsense = said(Some(7), None, Some("last night")).unwrap_err().to_string();
        assert!(nonsense.contains("`last night` is no moment"), "{nonsense}");
    }

    #[test]
    fn a_local_time_that_comes_twice_means_both_and_one_that_is_skipped_what_is_around_it() {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let of = |at: &str| {
            let range = around(at, &zone).unwrap();
            [range.start().to_string(), range.end().to_string()]
        };
        assert_eq!(of("2026-10-25T02:30"), ["2026-10-25T00:25:00Z", "2026-10-25T01:35:00Z"]);
        assert_eq!(of("2026-03-29T02:30"), ["2026-03-29T00:25:00Z", "2026-03-29T01:35:00Z"]);
        assert_eq!(of("2026-06-01 22:13"), ["2026-06-01T20:08:00Z", "2026-06-01T20:18:00Z"]);
        assert_eq!(of("2026-06-01T22:13+02:00"), of("2026-06-01T20:13Z"));
    }

    #[test]
    fn figures_have_no_idle_decimals() {
        assert_eq!([6.0, 6.5, 6.256, 0.0, 100.0].map(figure), ["6", "6.5", "6.26", "0", "100"]);
    }
}
