//! What the engine says.

use sha2::{Digest, Sha256};

use crate::clock::Stamp;
use crate::config::Severity;
use crate::geometry::{BBox, Norm};
use crate::ids::{CameraId, PlaceId, RuleId};
use crate::track::VesselId;

/// Identity of a signal from open to close: unique per rule, place, vessel and moment of opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalId(pub uuid::Uuid);

/// Where a signal is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The condition held for the rule's confirm time.
    Opened,
    /// Still holds; the measured value has changed.
    Updated,
    /// Nobody acknowledged it within the rule's time: told again, more urgently.
    Escalated,
    /// Gone for the rule's clear time, or the vessel's track ended.
    Closed,
}

impl Phase {
    /// As written in the logbook and alerts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
        }
    }
}

/// Why a rule decided as it did, in figures and words.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The condition in words: "faster than 6 kn by more than the margin, 3 estimates in a row".
    pub condition: String,
    /// What was measured, in `unit`.
    pub measured: f64,
    /// What it was held against, in `unit`.
    pub threshold: f64,
    /// What is allowed beyond the threshold for the uncertainty of what was measured, in `unit`; zero where there is none.
    pub margin: f64,
    /// `s`, `kn`, `m`, `vessels`, `crossings`, `visits`.
    pub unit: &'static str,
    /// The schedule in force, or the one that is not: "every day 21:30 to 05:30 the next day", "always".
    pub schedule: String,
}

/// A step in the life of a signal, with the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalEvent {
    /// Which signal.
    pub signal: SignalId,
    /// What happened to it.
    pub phase: Phase,
    /// When it happened: the frame's stamps.
    pub at: Stamp,
    /// When the condition began to hold (it was confirmed later); for schedules, the moment in the zone.
    pub since: Stamp,
    /// Which camera.
    pub camera: CameraId,
    /// Which rule.
    pub rule: RuleId,
    /// What staff call the rule.
    pub rule_name: String,
    /// The rule's `kind` in the site file.
    pub kind: &'static str,
    /// Which zone or line.
    pub place: PlaceId,
    /// What staff call it.
    pub place_name: String,
    /// How much staff should mind.
    pub severity: Severity,
    /// The subject; `None` where the rule is about a place.
    pub vessel: Option<VesselId>,
    /// Its box at that moment, or the place's, in fractions of the frame.
    pub bbox: BBox<Norm>,
    /// What was measured, against what.
    pub facts: Facts,
    /// What a person reads: "vessel 7 entered Inner basin, 00:41 after curfew".
    pub text: String,
    /// Whether staff are told; false for a re-opening within the cooldown.
    pub alert: bool,
}

/// A UUID version 7 whose random part is a digest of what it is about: the same recording and site file give the same
/// identities.
pub(crate) fn stable_uuid(about: &str, at: jiff::Timestamp) -> uuid::Uuid {
    let digest = Sha256::digest(about.as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}
