//! What people read: a condition, and a signal's steps, in plain words.

use jiff::SignedDuration;

use super::conditions::Finding;
use super::schedule::Live;
use super::signal::Phase;
use crate::clock::Stamp;
use crate::config::{self, Condition, Direction, Rule};
use crate::geometry::Side;

/// What `rule` watches for: "a vessel is in Inner basin for 2s".
pub fn condition(rule: &Rule) -> String {
    let place = rule.condition.place().map_or("", |(_, name)| name);
    let long = |time: &std::time::Duration| config::format_duration(*time);
    let confirm = config::format_duration(rule.confirm);
    match &rule.condition {
        Condition::Presence { .. } => format!("a vessel is in {place} for {confirm}"),
        Condition::Entry { .. } => format!("a vessel enters {place} and stays {confirm}"),
        Condition::Crossing { direction, .. } => match direction {
            Direction::Either => format!("a vessel crosses {place}"),
            Direction::LeftToRight => format!("a vessel crosses {place} from left to right"),
            Direction::RightToLeft => format!("a vessel crosses {place} from right to left"),
        },
        Condition::WrongWay { lengths, .. } => {
            format!("a vessel goes against the direction of {place} for more than {lengths} of its lengths")
        }
        Condition::Dwell { longer_than, .. } => {
            format!("a vessel stays in {place} longer than {}", long(longer_than))
        }
        Condition::Loitering { radius_m, longer_than, .. } => {
            format!(
                "a vessel stays within {radius_m} m in {place}, outside of a berth, longer than {}",
                long(longer_than)
            )
        }
        Condition::Speeding { limit_knots, margin_knots, estimates, .. } => format!(
            "a vessel in {place} goes faster than {limit_knots} kn by more than the margin (at least \
             {margin_knots} kn), {estimates} estimates in a row"
        ),
        Condition::Stop { longer_than, .. } => {
            format!("a vessel lies still in {place}, outside of a berth, longer than {}", long(longer_than))
        }
        Condition::Departure { .. } => format!("a vessel leaves {place}"),
        Condition::Overstay { longer_than, .. } => {
            format!("a vessel lies at {place} longer than {}", long(longer_than))
        }
        Condition::Unexpected { zone } => {
            let [least, most] = expected(zone);
            format!("a vessel shorter than {least} m or longer than {most} m lies at {place}")
        }
        Condition::Rendezvous { closer_than_m, slower_than_knots, longer_than, .. } => format!(
            "two vessels in {place}, away from berths, are within {closer_than_m} m of each other, neither faster \
             than {slower_than_knots} kn, longer than {}",
            long(longer_than)
        ),
        Condition::Crowd { more_than, .. } => format!("more than {more_than} vessels are in {place}"),
        Condition::Absent { longer_than, .. } => {
            format!("the vessel expected at {place} is not there for {}", long(longer_than))
        }
        Condition::Inactivity { longer_than, .. } => {
            format!("nothing is seen in {place} for {}", long(longer_than))
        }
        Condition::Repeat { times, within, .. } => {
            format!("a vessel of one size comes to {place} {times} times or more within {}", long(within))
        }
        Condition::Approach { limit_knots, within_m, .. } => {
            format!("a vessel within {within_m} m of {place} comes toward it faster than {limit_knots} kn")
        }
        Condition::All { of, unless } => {
            let named = |ids: &[crate::ids::RuleId]| {
                ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
            };
            match unless.as_slice() {
                [] => format!("{} hold for one vessel", named(of)),
                not => format!("{} hold for one vessel, and not {}", named(of), named(not)),
            }
        }
        Condition::Then { first, second, within } => {
            format!("{second} holds for a vessel within {} after {first}", long(within))
        }
    }
}

fn expected(zone: &config::Zone) -> [f64; 2] {
    zone.berth.as_ref().and_then(|berth| berth.expected_length_m).unwrap_or([0.0, f64::INFINITY])
}

/// What a step is told with.
pub(super) struct Told<'a> {
    pub(super) rule: &'a Rule,
    /// Names of the rules that a composition is made of.
    pub(super) parts: &'a [String],
    pub(super) finding: &'a Finding,
    /// The other vessel of a pair.
    pub(super) other: Option<crate::track::VesselId>,
    pub(super) entered: bool,
    /// How long it has held, in seconds.
    pub(super) held_s: f64,
    pub(super) at: Stamp,
    pub(super) live: Option<Live>,
}

/// A signal's step: "vessel 7 entered Inner basin, 00:41 after curfew".
pub(super) fn step(phase: Phase, told: &Told<'_>) -> String {
    let said = match phase {
        Phase::Closed => return over(told),
        Phase::Opened | Phase::Updated | Phase::Escalated => now(told),
    };
    if phase == Phase::Escalated { format!("{said}; nobody has acknowledged it") } else { said }
}

fn vessel(told: &Told<'_>) -> String {
    told.finding.vessel.map_or_else(|| "the vessel".to_owned(), |number| format!("vessel {number}"))
}

fn now(told: &Told<'_>) -> String {
    let (rule, finding) = (told.rule, told.finding);
    let place = rule.condition.place().map_or("", |(_, name)| name);
    let vessel = vessel(told);
    let curfew = match told.live {
        Some(Live::Since(since)) => {
            format!(", {} after curfew", hours_minutes(told.at.wall.duration_since(since)))
        }
        _ => String::new(),
    };
    let stay = minutes_seconds(finding.measured);
    match &rule.condition {
        Condition::Presence { .. } | Condition::Entry { .. } if told.entered => {
            format!("{vessel} entered {place}{curfew}")
        }
        Condition::Presence { .. } | Condition::Entry { .. } => format!("{vessel} is in {place}{curfew}"),
        Condition::Crossing { .. } => {
            let way = match finding.to {
                Some(Side::Right) => " from left to right",
                Some(Side::Left) => " from right to left",
                None => "",
            };
            format!("{vessel} crossed {place}{way}{curfew}")
        }
        Condition::WrongWay { .. } => format!("{vessel} goes the wrong way in {place}"),
        Condition::Dwell { .. } => format!("{vessel} has been in {place} for {stay}"),
        Condition::Loitering { radius_m, .. } => {
            format!("{vessel} has stayed within {radius_m} m in {place} for {stay}")
        }
        Condition::Speeding { limit_knots, .. } => format!(
            "{vessel} goes {:.1} kn in {place}, where {limit_knots} kn are allowed (margin {:.1} kn)",
            finding.measured, finding.margin
        ),
        Condition::Stop { .. } => {
            format!("{vessel} has lain still in {place}, outside of a berth, for {stay}")
        }
        Condition::Departure { .. } => format!("{vessel} left {place}{curfew}"),
        Condition::Overstay { .. } => format!("{vessel} has lain at {place} for {stay}"),
        Condition::Unexpected { zone } => {
            let [least, most] = expected(zone);
            format!(
                "{vessel}, about {:.0} m long, lies at {place}, which is for {least} to {most} m",
                finding.measured
            )
        }
        Condition::Rendezvous { closer_than_m, .. } => {
            let other = told.other.map_or_else(String::new, |other| format!(" and vessel {other}"));
            format!("{vessel}{other} have been within {closer_than_m} m of each other in {place} for {stay}")
        }
        Condition::Crowd { more_than, .. } => {
            format!("{:.0} vessels in {place}, where {more_than} may be", finding.measured)
        }
        Condition::Absent { .. } => format!("no vessel at {place} for {stay}, where one is expected"),
        Condition::Inactivity { .. } => {
            format!("nothing was seen in {place} for {stay}: look whether the camera sees well")
        }
        Condition::Repeat { within, .. } => {
            format!(
                "{vessel} is number {:.0} of its size to come to {place} within {}",
                finding.measured,
                config::format_duration(*within)
            )
        }
        Condition::Approach { limit_knots, .. } => format!(
            "{vessel} comes toward {place} at {:.1} kn, where {limit_knots} kn are allowed (margin {:.1} kn)",
            finding.measured, finding.margin
        ),
        Condition::All { .. } => format!("{vessel}: {}", told.parts.join(" and ")),
        Condition::Then { .. } => format!("{vessel}: {}", told.parts.join(", then ")),
    }
}

fn over(told: &Told<'_>) -> String {
    let place = told.rule.condition.place().map_or("", |(_, name)| name);
    let vessel = vessel(told);
    let stay = minutes_seconds(told.held_s);
    match &told.rule.condition {
        Condition::Crossing { .. } => format!("{vessel} is across {place}"),
        Condition::Presence { .. } | Condition::Entry { .. } | Condition::Dwell { .. } => {
            format!("{vessel} no longer in {place}, after {stay}")
        }
        Condition::Crowd { .. } => format!("no more vessels in {place} than may be, after {stay}"),
        Condition::Absent { .. } => format!("a vessel is at {place} again, after {stay}"),
        Condition::Inactivity { .. } => format!("vessels are seen in {place} again, after {stay}"),
        Condition::Departure { .. } => format!("{vessel} is gone from {place}"),
        _ if told.finding.vessel.is_some() => format!("over for {vessel}, after {stay}"),
        _ => format!("over, after {stay}"),
    }
}

fn hours_minutes(span: SignedDuration) -> String {
    let minutes = span.as_mins().max(0);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn minutes_seconds(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600..172_800 => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} days {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}
