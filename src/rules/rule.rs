//! A rule: a condition, a schedule and a severity.

use std::time::Duration;

use jiff::civil::Date;

use super::kinds::Condition;
use super::schedule::Shifts;
use super::severity::Severity;
use crate::ids::{CameraId, RuleId};

/// A rule of the site file.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique in the site file.
    pub id: RuleId,
    /// What staff call it.
    pub name: String,
    /// The camera of its zone or line.
    pub camera: CameraId,
    /// What it detects.
    pub condition: Condition,
    /// When it is live.
    pub schedule: Shifts,
    /// How urgent its signals are.
    pub severity: Severity,
    /// Whether it raises signals of its own; if not, it is evaluated only for the rules that combine it.
    pub raises: bool,
    /// The condition must be met for this long before the signal opens.
    pub confirm: Duration,
    /// The condition must not be met for this long before the signal closes.
    pub clear: Duration,
    /// No second alert for the same rule, place and vessel within this time.
    pub cooldown: Duration,
    /// A signal that nobody has acknowledged for this long is sent again, as an alert.
    pub escalate_after: Option<Duration>,
    /// The least confidence of the detector in the vessel on average, 0 to 1.
    pub min_confidence: f32,
    /// The least and the largest length, in metres, of the vessels to which it applies.
    pub length_m: Option<[f64; 2]>,
    /// Who is responsible for it.
    pub owner: Option<String>,
    /// When its owner should have checked that it is still right.
    pub review_by: Option<Date>,
}

impl Rule {
    /// What it detects, in words: "a vessel is in Inner basin for 2s".
    pub fn condition_text(&self) -> String {
        self.condition.text(self.confirm)
    }
}
