//! Signals: what rules raise.

use sha2::{Digest, Sha256};

use super::severity::Severity;
use crate::clock::{MonoTime, Stamp};
use crate::geometry::{BBox, Norm};
use crate::ids::{CameraId, PlaceId, RuleId};
use crate::track::VesselId;

/// Identity of a signal from its opening to its close: unique for a rule, a place, a vessel and a time of opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalId(pub uuid::Uuid);

/// A step in the life of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Phase {
    /// The condition was met for the rule's confirm time.
    Opened,
    /// The condition is still met; the measured value has changed.
    Updated,
    /// Nobody acknowledged it within the rule's time: it is sent again, as an alert.
    Escalated,
    /// The condition was not met for the rule's clear time, or the vessel's track ended.
    Closed,
}

impl Phase {
    /// As written in the logbook and alerts.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The reasons for a decision: figures and words.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The condition in words: "a vessel is in Inner basin for 2s".
    pub condition: String,
    /// What was measured, in `unit`.
    pub measured: f64,
    /// The limit with which it was compared, in `unit`.
    pub threshold: f64,
    /// What is allowed beyond the threshold for the uncertainty of the measurement, in `unit`; zero where there is none.
    pub margin: f64,
    /// `s`, `kn`, `m`, `lengths`, `vessels`, `crossings`, `departures`, `visits` or `rules`.
    pub unit: &'static str,
    /// The rule's schedule: "every day 21:30 to 05:30 the next day".
    pub schedule: String,
}

/// A step in the life of a signal, with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalEvent {
    /// Which signal.
    pub signal: SignalId,
    /// What happened to it.
    pub phase: Phase,
    /// When it happened: the frame's stamps.
    pub at: Stamp,
    /// When the condition began to be met; it was confirmed later.
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
    /// How urgent it is.
    pub severity: Severity,
    /// The vessel; `None` where the rule is about a place.
    pub vessel: Option<VesselId>,
    /// The box of the vessel at that moment, or of the place, in fractions of the frame.
    pub bbox: BBox<Norm>,
    /// What was measured, and the limit.
    pub facts: Facts,
    /// What a person reads: "vessel 7 entered Inner basin".
    pub text: String,
    /// Whether it is sent to staff; false for a signal that opens again within the cooldown.
    pub alert: bool,
}

/// What an open signal keeps from its opening.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenSignal {
    pub(super) signal: SignalId,
    /// When the condition began to be met.
    pub(super) since: Stamp,
    pub(super) opened: MonoTime,
    pub(super) entered: bool,
    /// Whether its opening was sent to staff.
    pub(super) alert: bool,
    /// It was acknowledged or escalated, so it is not escalated any more.
    pub(super) settled: bool,
}

/// A UUID version 7 whose random part is a digest of what it identifies: the same recording and site file give the same
/// identities.
pub(crate) fn stable_uuid(about: &str, at: jiff::Timestamp) -> uuid::Uuid {
    let digest = Sha256::digest(about.as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}
