//! What the text of a signal is made of.

use jiff::{SignedDuration, Timestamp};

use super::evaluation::Evaluation;
use super::place::Zone;
use crate::track::VesselId;

/// A signal of which a kind writes the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignalText<'a> {
    pub(super) evaluation: &'a Evaluation,
    /// The names of the rules that the rule combines.
    pub(super) parts: &'a [String],
    /// The other vessel of a pair.
    pub(super) other: Option<VesselId>,
    pub(super) entered: bool,
    /// How long the condition has been met, in seconds.
    pub(super) open_s: f64,
    pub(super) at: Timestamp,
    /// Since when the schedule has been in force; `None` where it always is, or is not.
    pub(super) live_since: Option<Timestamp>,
}

impl SignalText<'_> {
    /// "vessel 7".
    pub(super) fn vessel(&self) -> String {
        self.evaluation.vessel.map_or_else(|| "the vessel".to_owned(), |number| format!("vessel {number}"))
    }

    /// ", 00:41 after the schedule began"; nothing where the schedule is always in force.
    pub(super) fn after_start(&self) -> String {
        self.live_since.map_or_else(String::new, |since| {
            format!(", {} after the schedule began", hours_minutes(self.at.duration_since(since)))
        })
    }

    /// The measured seconds: "5 min 20 s".
    pub(super) fn measured_time(&self) -> String {
        long_time(self.evaluation.measured)
    }

    /// How long the condition has been met: "5 min 20 s".
    pub(super) fn open_time(&self) -> String {
        long_time(self.open_s)
    }

    /// The text of a close that says nothing more: "over for vessel 7, after 5 min 20 s".
    pub(super) fn over(&self) -> String {
        match self.evaluation.vessel {
            Some(number) => format!("over for vessel {number}, after {}", self.open_time()),
            None => format!("over, after {}", self.open_time()),
        }
    }

    /// The text of a close: "vessel 7 is no longer in Inner basin, after 5 min 20 s".
    pub(super) fn left(&self, zone: &Zone) -> String {
        format!("{} is no longer in {}, after {}", self.vessel(), zone.name, self.open_time())
    }
}

fn hours_minutes(span: SignedDuration) -> String {
    let minutes = span.as_mins().max(0);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn long_time(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600..172_800 => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} days {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}
