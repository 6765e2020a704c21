//! How long something has been true of one subject, with short lapses left out of account.

use std::time::Duration;

use crate::clock::Stamp;
use crate::rules::evaluation::{ConditionState, Context};
use crate::rules::observation::ObservedVessel;
use crate::rules::place::Zone;

/// Measures for how long something is true. A lapse shorter than the grace time does not end it, because boxes jitter
/// at borders.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::rules) struct Timer {
    current: Option<Current>,
    /// It was seen to be false before.
    was_false: bool,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    since: Stamp,
    entered: bool,
    last: Stamp,
}

impl Timer {
    /// Takes whether it is true at `at`. Time counts while `live`. It was entered only if it was seen to be false before:
    /// a vessel that is inside when the shift begins, or when the camera first sees it, has not entered.
    pub(super) fn step(&mut self, is_true: bool, at: Stamp, live: bool, grace: Duration) -> ConditionState {
        if is_true && live {
            let started = Current { since: at, entered: self.was_false, last: at };
            let current = self.current.get_or_insert(started);
            current.last = at;
            return ConditionState::Since { since: current.since, entered: current.entered };
        }
        let over = |current: Current| !live || at.mono.since(current.last.mono) >= grace;
        if self.current.is_none_or(over) {
            self.current = None;
            self.was_false = !is_true;
        }
        ConditionState::NotMet
    }

    /// As [`Timer::step`] in the pass of `context`, with the seconds for which it has been true.
    pub(super) fn step_timed(&mut self, is_true: bool, context: &Context<'_>) -> (ConditionState, f64) {
        let at = context.observation.at;
        let state = self.step(is_true, at, context.live, context.grace);
        let measured = if let ConditionState::Since { since, .. } = state { seconds(since, at) } else { 0.0 };
        (state, measured)
    }

    /// As [`Timer::step_timed`], but met only after more than `longer_than`.
    pub(super) fn step_longer_than(
        &mut self,
        is_true: bool,
        longer_than: Duration,
        context: &Context<'_>,
    ) -> (ConditionState, f64) {
        let (state, measured) = self.step_timed(is_true, context);
        let is_short = matches!(state, ConditionState::Since { since, .. }
            if context.observation.at.mono.since(since.mono) <= longer_than);
        (if is_short { ConditionState::NotMet } else { state }, measured)
    }

    /// The timer of a vessel that is in `zone` or not. A track is confirmed some passes after its first detection: where
    /// the vessel was then counts.
    pub(super) fn in_zone(vessel: &ObservedVessel, zone: &Zone, context: &Context<'_>) -> Self {
        let mut timer = Self::default();
        if let Some((point, first)) = vessel.first {
            timer.step(zone.area.contains(point), first, context.live, context.grace);
        }
        timer
    }
}

/// Seconds from `since` to `at`, to the millisecond: frames are not closer in time than that.
pub(super) fn seconds(since: Stamp, at: Stamp) -> f64 {
    at.mono.since(since.mono).as_millis() as f64 / 1000.0
}
