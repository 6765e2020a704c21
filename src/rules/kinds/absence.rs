//! Time without a vessel: for `absent` and `inactivity`.

use std::time::Duration;

use super::kind::VesselState;
use super::timer::seconds;
use crate::clock::Stamp;
use crate::rules::evaluation::{ConditionState, Context, Evaluation};
use crate::rules::place::Zone;
use crate::track::VesselId;

/// Since when no vessel has been in a zone.
#[derive(Debug, Default)]
pub(in crate::rules) struct Absence {
    since: Option<Stamp>,
}

impl VesselState for Absence {
    fn forget(&mut self, _vessel: VesselId) {}
}

impl Absence {
    /// Takes whether a vessel is in the zone; met after more than `longer_than` without one.
    pub(super) fn step(
        &mut self,
        zone: &Zone,
        longer_than: Duration,
        is_there: bool,
        context: &Context<'_>,
    ) -> Evaluation {
        let observation = context.observation;
        // Time without a usable picture does not count as absence.
        if is_there || !context.live || observation.after_gap {
            self.since = None;
        }
        if is_there || !context.live {
            return Evaluation::of_zone(zone, ConditionState::NotMet, 0.0, 0.0);
        }
        let since = *self.since.get_or_insert(observation.at);
        let is_long = observation.at.mono.since(since.mono) > longer_than;
        let state =
            if is_long { ConditionState::Since { since, entered: false } } else { ConditionState::NotMet };
        Evaluation::of_zone(zone, state, seconds(since, observation.at), longer_than.as_secs_f64())
    }
}
