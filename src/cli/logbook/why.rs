//! `logbook why`: why a rule sent an alert, or why it did not, in sentences.

use std::io::Write;
use std::ops::RangeInclusive;

use anyhow::{Context, bail};
use clap::Args;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::source::Source;
use crate::logbook::{
    DecisionFacts, ExplainedSignal, ExplainedSuppression, Explanation, ExplanationQuery, StartSpan,
};
use crate::rules::SuppressionReason;

/// Before and after a given time: people read the clock after the event, and round.
const AROUND: SignedDuration = SignedDuration::from_mins(5);

/// What is explained.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// Number of a vessel.
    #[arg(long, required_unless_present = "rule")]
    pub(super) vessel: Option<u64>,
    /// Identifier of a rule.
    #[arg(long)]
    pub(super) rule: Option<String>,
    /// The time, with five minutes before and after: 2026-06-01T22:13 in the site's time zone, or with an offset or Z.
    #[arg(long)]
    pub(super) at: Option<String>,
    /// Which logbook.
    #[command(flatten)]
    pub(super) source: Source,
}

pub(super) fn why(args: &WhyArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let reader = args.source.open()?;
    let zone = reader.time_zone()?;
    let when = args.at.as_deref().map(|at| around(at, &zone)).transpose()?;
    if let Some(vessel) = args.vessel
        && reader.vessel(vessel)?.is_none()
    {
        bail!(
            "the logbook has no vessel {vessel}: it was never tracked, or its rows are older than [retention] keeps; \
             `logbook list tracks` shows the numbers"
        );
    }
    let query = ExplanationQuery { vessel: args.vessel, rule: args.rule.clone(), when };
    let explanation = reader.explain(&query)?;
    write!(out, "{}", subject(&query, &zone))?;
    if explanation.signals.is_empty() && explanation.suppressed.is_empty() {
        let unmet = if query.rule.is_some() { "The rule's condition" } else { "No rule's condition" };
        let not = if query.rule.is_some() { "did not hold" } else { "held" };
        write!(out, ": no signal, and no suppressed signal. {unmet} {not}.")?;
    } else {
        write!(out, ":")?;
    }
    writeln!(out)?;
    if let Some(rule) = query.rule.as_ref().filter(|_| !explanation.rule_is_known) {
        writeln!(out, "The logbook has no row about a rule `{rule}`. Is that its `id` in the site file?")?;
    }
    explanation.signals.iter().try_for_each(|signal| write_signal(signal, out))?;
    explanation.suppressed.iter().try_for_each(|suppressed| write_suppression(suppressed, out))?;
    write_background(&explanation, &query, out)
}

/// The time and the minutes around it. A local time that occurs twice means both; one that does not occur means the times
/// before and after the gap.
fn around(at: &str, zone: &TimeZone) -> anyhow::Result<RangeInclusive<Timestamp>> {
    let (first, last) = match at.parse::<Timestamp>() {
        Ok(at) => (at, at),
        Err(_) => {
            let local: DateTime = at.parse().with_context(|| {
                format!("`{at}` is not a time: write 2026-06-01T22:13, or 2026-06-01T20:13Z")
            })?;
            let meant = zone.to_ambiguous_timestamp(local);
            (meant.earlier()?, meant.later()?)
        }
    };
    Ok(first.checked_sub(AROUND)?..=last.checked_add(AROUND)?)
}

fn subject(query: &ExplanationQuery, zone: &TimeZone) -> String {
    let subject = match (query.vessel, &query.rule) {
        (Some(vessel), Some(rule)) => format!("Vessel {vessel} and rule {rule}"),
        (Some(vessel), None) => format!("Vessel {vessel}"),
        (None, Some(rule)) => format!("Rule {rule}"),
        (None, None) => "Everything".to_owned(),
    };
    let local =
        |at: &Timestamp| at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
    match &query.when {
        Some(when) => format!("{subject}, from {} to {}", local(when.start()), local(when.end())),
        None => subject,
    }
}

fn write_signal(signal: &ExplainedSignal, out: &mut impl Write) -> anyhow::Result<()> {
    let ExplainedSignal { number, severity, rule, text, opened, .. } = signal;
    writeln!(out, "\n{rule} gave signal {number} ({severity}): {text}.")?;
    let end = match &signal.closed {
        Some((at, by)) if by == "restart" => format!("was closed by a restart of Havenwacht at {at}"),
        Some((at, _)) => format!("was over at {at}"),
        None => "is not over yet".to_owned(),
    };
    writeln!(out, "  It opened at {opened} and {end}.")?;
    write_facts(&signal.facts, "Schedule, active then", out)?;
    if !signal.notified {
        writeln!(out, "  Staff were not notified: they had been notified within the rule's cooldown.")?;
    }
    for (phase, at, delivery, delivered) in &signal.messages {
        let delivery = match delivered {
            Some(when) => format!("the broker accepted the message at {when}"),
            None if delivery == "expired" => "the message was too old when the broker was back".to_owned(),
            None => "the message waits for the broker".to_owned(),
        };
        writeln!(out, "  Message to staff that it {} at {at}: {delivery}.", phase_in_words(phase))?;
    }
    for (at, by, verdict, note) in &signal.acknowledgements {
        let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
        writeln!(out, "  {by} acknowledged it at {at}: {verdict}{note}.")?;
    }
    if signal.notified && signal.acknowledgements.is_empty() {
        writeln!(out, "  Nobody has acknowledged it.")?;
    }
    Ok(())
}

fn phase_in_words(phase: &str) -> &str {
    match phase {
        "closed" => "was over",
        "escalated" => "was not acknowledged",
        "updated" => "continued",
        other => other,
    }
}

fn write_suppression(suppressed: &ExplainedSuppression, out: &mut impl Write) -> anyhow::Result<()> {
    let ExplainedSuppression { rule, reason, text, first, last, times, facts } = suppressed;
    writeln!(out, "\n{rule} sent nothing, {}: {text}.", reason_in_words(reason))?;
    match times {
        1 => writeln!(out, "  In one detection pass, at {last}.")?,
        _ => writeln!(out, "  In {times} detection passes, from {first} to {last}.")?,
    }
    let outside = reason == SuppressionReason::OutsideSchedule.as_str();
    write_facts(facts, if outside { "Schedule, not active then" } else { "Schedule, active then" }, out)
}

/// A reason of a later version is shown as it is stored.
fn reason_in_words(reason: &str) -> &str {
    let known = [
        (SuppressionReason::OutsideSchedule, "because its schedule was not active"),
        (SuppressionReason::Cooldown, "because staff had been notified within its cooldown"),
        (SuppressionReason::Size, "because the vessel does not have the size that the rule asks for"),
        (SuppressionReason::NotConfirmed, "because its condition ended before the confirm time was over"),
        (
            SuppressionReason::LowConfidence,
            "because the detector's confidence was lower than the rule asks for",
        ),
        (SuppressionReason::CameraOutage, "because the camera gave no usable picture"),
        (SuppressionReason::AtBerth, "because the vessel was at a berth, where it may be"),
        (SuppressionReason::Exception, "because a rule that it names under `unless` held"),
    ];
    known.into_iter().find(|(one, _)| one.as_str() == reason).map_or(reason, |(_, words)| words)
}

fn write_facts(facts: &DecisionFacts, schedule: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let DecisionFacts { condition, measured, threshold, margin, unit, .. } = facts;
    if !condition.is_empty() {
        writeln!(out, "  Condition: {condition}.")?;
    }
    let (measured, threshold) = (short(*measured), short(*threshold));
    let margin = if *margin == 0.0 { String::new() } else { format!(", margin {} {unit}", short(*margin)) };
    writeln!(out, "  Measured {measured} {unit}, threshold {threshold} {unit}{margin}.")?;
    if !facts.schedule.is_empty() {
        writeln!(out, "  {schedule}: {}.", facts.schedule)?;
    }
    let hash: String = facts.config_hash.chars().take(12).collect();
    Ok(writeln!(out, "  Site file: {hash}.")?)
}

/// At most two decimals, without zeros at the end.
fn short(number: f64) -> String {
    format!("{number:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What else is known of that time.
fn write_background(
    explanation: &Explanation,
    query: &ExplanationQuery,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    writeln!(out, "\nAlso known:")?;
    if let Some(track) = &explanation.track {
        let when = if track.in_time { "" } else { ", which is not the time asked for" };
        writeln!(out, "  Camera {} tracked it from {} to {}{when}.", track.camera, track.first, track.last)?;
    } else if query.vessel.is_some() {
        writeln!(out, "  Its track is older than [retention] keeps.")?;
    }
    for visit in &explanation.visits {
        let end = match &visit.ended {
            Some((at, how)) => format!("until {at} ({how})"),
            None => "and has not left".to_owned(),
        };
        writeln!(out, "  It was at {} from {} {end}.", visit.berth, visit.began)?;
    }
    for camera in &explanation.camera_states {
        let reason = if camera.reason.is_empty() { String::new() } else { format!(": {}", camera.reason) };
        writeln!(out, "  Camera {} was {} from {}{reason}.", camera.camera, camera.state, camera.since)?;
    }
    for outage in &explanation.outages {
        let end = outage.ended.as_ref().map_or("and still gives none".to_owned(), |at| format!("to {at}"));
        let (camera, began, text) = (&outage.camera, &outage.began, &outage.text);
        writeln!(out, "  Camera {camera} gave no usable picture from {began} {end}: {text}.")?;
    }
    match &explanation.start {
        None => writeln!(out, "  Havenwacht had not started.")?,
        Some(StartSpan { since, stopped, cut_off }) => {
            let end = match stopped {
                Some(at) => format!(" and stopped at {at}: it was not running"),
                None if *cut_off => " and was cut off at an unknown time after that".to_owned(),
                None => String::new(),
            };
            writeln!(out, "  Havenwacht started at {since}{end}.")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::logbook::tests::sample_logbook;

    fn said(vessel: Option<u64>, rule: Option<&str>, at: Option<&str>) -> anyhow::Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let source = sample_logbook(folder.path());
        let args = WhyArgs { vessel, rule: rule.map(str::to_owned), at: at.map(str::to_owned), source };
        let mut out = Vec::new();
        why(&args, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn signals_and_suppressed_signals_are_explained() {
        insta::assert_snapshot!(said(Some(7), None, Some("2026-06-01T22:13")).unwrap(), @r"
        Vessel 7, from 2026-06-01 22:08:00 +02:00 to 2026-06-01 22:18:00 +02:00:

        Night passage gave signal 1 (alert): vessel 7 entered Inner basin, 00:43 after curfew.
          It opened at 2026-06-01 22:13:02 +02:00 and was over at 2026-06-01 22:13:30 +02:00.
          Condition: a vessel is in Inner basin for 1s.
          Measured 1.5 s, threshold 1 s.
          Schedule, active then: every day 21:30 to 05:30 the next day.
          Site file: c0.
          Message to staff that it opened at 2026-06-01 22:13:02 +02:00: the message waits for the broker.
          desk 2 acknowledged it at 2026-06-01 22:13:20 +02:00: false alarm (the patrol boat).

        night-passage sent nothing, because its condition ended before the confirm time was over: vessel 7 is in Inner basin; live again at 21:30.
          In 2 detection passes, from 2026-06-01 22:13:01 +02:00 to 2026-06-01 22:13:01 +02:00.
          Condition: a vessel is in Inner basin for 1s.
          Measured 1.5 s, threshold 1 s.
          Schedule, active then: every day 21:30 to 05:30 the next day.
          Site file: c0.

        Also known:
          Camera quay-east tracked it from 2026-06-01 22:12:59 +02:00 to 2026-06-01 22:13:01 +02:00.
          It was at berth-3 from 2026-06-01 22:13:00 +02:00 until 2026-06-01 22:13:50 +02:00 (departed).
          Camera quay-east was stalled from 2026-06-01 22:13:00 +02:00: no picture, for 5 s.
          Camera quay-east gave no usable picture from 2026-06-01 22:13:35 +02:00 to 2026-06-01 22:13:45 +02:00: the picture is frozen.
          Havenwacht started at 2026-06-01 22:13:00 +02:00.
        ");
    }

    #[test]
    fn without_rows_the_background_is_still_given() {
        let other_rule = said(Some(7), Some("dwell"), Some("2026-06-01T22:13")).unwrap();
        assert!(
            other_rule.starts_with("Vessel 7 and rule dwell, from 2026-06-01 22:08:00 +02:00"),
            "{other_rule}"
        );
        assert!(
            other_rule.contains("no signal, and no suppressed signal. The rule's condition did not hold"),
            "{other_rule}"
        );
        assert!(other_rule.contains("The logbook has no row about a rule `dwell`"), "{other_rule}");
        assert!(
            other_rule.contains("Camera quay-east was stalled from 2026-06-01 22:13:00 +02:00"),
            "{other_rule}"
        );
        let hours_later = said(Some(7), None, Some("2026-06-01T23:13:00Z")).unwrap();
        assert!(hours_later.contains("no signal, and no suppressed signal"), "{hours_later}");
        assert!(hours_later.contains("which is not the time asked for"), "{hours_later}");
        assert!(
            hours_later.contains("stopped at 2026-06-01T20:14:00.000Z: it was not running"),
            "{hours_later}"
        );
        let before = said(None, Some("night-passage"), Some("2026-06-01T21:00")).unwrap();
        assert!(before.contains("Havenwacht had not started"), "{before}");
    }

    #[test]
    fn unknown_vessels_and_invalid_times_are_rejected() {
        let unknown = said(Some(8), None, None).unwrap_err().to_string();
        assert!(unknown.contains("no vessel 8"), "{unknown}");
        let nonsense = said(Some(7), None, Some("last night")).unwrap_err().to_string();
        assert!(nonsense.contains("`last night` is not a time"), "{nonsense}");
    }

    #[test]
    fn ambiguous_and_skipped_local_times_cover_both() {
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
    fn numbers_have_no_trailing_zeros() {
        assert_eq!([6.0, 6.5, 6.256, 0.0, 100.0].map(short), ["6", "6.5", "6.26", "0", "100"]);
    }
}
