//! Speeds above a limit, several times in a row: for `speeding` and `approach`.

use std::time::Duration;

use super::kind::UNKNOWN_FOR;
use crate::clock::Stamp;
use crate::rules::evaluation::{ConditionState, Evaluation};
use crate::rules::observation::ObservedVessel;

/// Estimates closer in time than this are based on the same passes and count as one.
const APART: Duration = Duration::from_secs(1);
/// The margin is at least this many standard uncertainties of the estimate.
pub(super) const COVERAGE: f64 = 2.0;

/// A limit, and how many estimates in a row must be above it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpeedLimit {
    pub(super) knots: f64,
    pub(super) estimates: u32,
}

/// A vessel's estimates above the limit, in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::rules) struct SpeedRun {
    first: Option<Stamp>,
    last: Option<Stamp>,
    estimates: u32,
    /// Speed and margin as last estimated.
    knots: f64,
    margin: f64,
}

impl SpeedRun {
    /// Evaluates one more estimate of a vessel's speed.
    pub(super) fn estimate(
        &mut self,
        vessel: &ObservedVessel,
        knots: f64,
        margin: f64,
        limit: &SpeedLimit,
        at: Stamp,
    ) -> Evaluation {
        let state = self.step(knots - limit.knots, margin, limit, at);
        (self.knots, self.margin) = (knots, margin);
        Evaluation { margin, ..Evaluation::of_vessel(vessel, state, knots, limit.knots) }
    }

    /// Met once enough estimates in a row are above the limit and `margin`. From then on it ends only when an estimate is
    /// within the limit: a margin that grows with the distance must not end it.
    fn step(&mut self, excess: f64, margin: f64, limit: &SpeedLimit, at: Stamp) -> ConditionState {
        let least = if self.estimates >= limit.estimates { 0.0 } else { margin };
        if excess <= least {
            *self = Self::default();
            return ConditionState::NotMet;
        }
        self.first.get_or_insert(at);
        if self.last.is_none_or(|last| at.mono.since(last.mono) >= APART) {
            self.last = Some(at);
            self.estimates += 1;
        }
        self.state(limit)
    }

    /// Evaluates a vessel without an estimate. After missed passes the speed is unknown for a while: for [`UNKNOWN_FOR`]
    /// the vessel is taken to go on as before.
    pub(super) fn without_estimate(
        &mut self,
        vessel: &ObservedVessel,
        limit: &SpeedLimit,
        at: Stamp,
    ) -> Evaluation {
        if self.last.is_none_or(|last| at.mono.since(last.mono) > UNKNOWN_FOR) {
            *self = Self::default();
        }
        let state = self.state(limit);
        Evaluation { margin: self.margin, ..Evaluation::of_vessel(vessel, state, self.knots, limit.knots) }
    }

    fn state(&self, limit: &SpeedLimit) -> ConditionState {
        match self.first {
            Some(since) if self.estimates >= limit.estimates => {
                ConditionState::Since { since, entered: false }
            }
            _ => ConditionState::NotMet,
        }
    }
}
