//! `speeding`: a vessel goes faster than a limit, beyond doubt and several times running.
//!
//! After the practice of Amsterdam's canals (algorithm register, "Digital Canal"): a violation is a speed above the limit plus
//! a margin for the uncertainty of the measurement, at least twice in a row.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Finding, Given, Held, UNKNOWN_FOR};
use crate::clock::Stamp;
use crate::config::Condition;
use crate::rules::scene::Sighting;
use crate::track::VesselId;

/// Estimates nearer in time than this rest on the same looks, and count as one.
const APART: Duration = Duration::from_secs(1);
/// The margin is at least so many standard uncertainties of the estimate.
pub(super) const COVERAGE: f64 = 2.0;

#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Speeds(pub(super) BTreeMap<VesselId, Run>);

/// Estimates above the limit, in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::rules) struct Run {
    first: Option<Stamp>,
    last: Option<Stamp>,
    estimates: u32,
    /// Speed and margin as last estimated.
    knots: f64,
    margin: f64,
}

impl Run {
    /// Takes in one estimate; since when it has been too fast, once `wanted` estimates in a row are beyond `margin`. From
    /// then on it is until it is within the limit: a margin that grows with the distance must not end it.
    pub(super) fn step(&mut self, excess: f64, margin: f64, at: Stamp, wanted: u32) -> Held {
        let least = if self.estimates >= wanted { 0.0 } else { margin };
        if excess <= least {
            *self = Self::default();
            return Held::No;
        }
        let since = *self.first.get_or_insert(at);
        if self.last.is_none_or(|last| at.mono.since(last.mono) >= APART) {
            self.last = Some(at);
            self.estimates += 1;
        }
        if self.estimates >= wanted { Held::Since { since, entered: false } } else { Held::No }
    }

    /// One more estimate of a vessel, as a finding.
    pub(super) fn estimate(
        &mut self,
        vessel: &Sighting,
        knots: f64,
        limits: (f64, f64),
        at: Stamp,
        wanted: u32,
    ) -> Finding {
        let (limit_knots, margin) = limits;
        let held = self.step(knots - limit_knots, margin, at, wanted);
        (self.knots, self.margin) = (knots, margin);
        Finding { margin, ..Finding::of(vessel, held, knots, limit_knots) }
    }

    /// What holds while there is no estimate. After missed looks it is not known at once how a vessel moves: that is no sign
    /// that it slowed down, for [`UNKNOWN_FOR`].
    pub(super) fn unknown(&mut self, vessel: &Sighting, limit_knots: f64, at: Stamp, wanted: u32) -> Finding {
        if self.last.is_none_or(|last| at.mono.since(last.mono) > UNKNOWN_FOR) {
            *self = Self::default();
        }
        let held = match self.first {
            Some(since) if self.estimates >= wanted => Held::Since { since, entered: false },
            _ => Held::No,
        };
        Finding { margin: self.margin, ..Finding::of(vessel, held, self.knots, limit_knots) }
    }
}

impl Speeds {
    pub(super) fn judge(&mut self, condition: &Condition, given: &Given<'_>, findings: &mut Vec<Finding>) {
        let Condition::Speeding { zone, limit_knots, margin_knots, estimates } = condition else { return };
        for vessel in given.scene.seen() {
            let run = self.0.entry(vessel.vessel).or_default();
            if !given.live || !zone.area.contains(vessel.point) {
                *run = Run::default();
                findings.push(Finding::of(vessel, Held::No, 0.0, 0.0));
                continue;
            }
            let Some(motion) = vessel.motion else {
                findings.push(run.unknown(vessel, *limit_knots, given.scene.at, *estimates));
                continue;
            };
            let knots = f64::from(motion.speed.value);
            let margin = margin_knots.max(COVERAGE * f64::from(motion.speed.uncertainty));
            findings.push(run.estimate(vessel, knots, (*limit_knots, margin), given.scene.at, *estimates));
        }
    }
}
