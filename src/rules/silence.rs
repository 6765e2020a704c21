//! Silences, collapsed: a rule that keeps silent about the same for the same reason says so once, then once a while.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::conditions::Subject;
use super::signal::Facts;
use super::suppressed::{Suppression, SuppressionReason};
use crate::clock::{MonoTime, Stamp};
use crate::ids::{CameraId, RuleId};
use crate::track::VesselId;

/// Repeats are told this often; a reason that has not been given for so long is over.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// What one rule has kept silent about.
#[derive(Clone, Debug, Default)]
pub(super) struct Silences {
    held_back: BTreeMap<(Subject, SuppressionReason), HeldBack>,
}

#[derive(Clone, Debug)]
struct HeldBack {
    since: Timestamp,
    told: MonoTime,
    last: Stamp,
    /// Looks since it was told.
    times: u32,
    vessel: Option<VesselId>,
    facts: Facts,
    text: String,
}

/// Which rule.
pub(super) struct Whose<'a> {
    pub(super) camera: &'a CameraId,
    pub(super) rule: &'a RuleId,
}

impl Silences {
    /// Notes that the rule keeps silent about `subject`. `say` is called for words only when they are needed.
    pub(super) fn note(
        &mut self,
        whose: &Whose<'_>,
        (subject, reason): (Subject, SuppressionReason),
        vessel: Option<VesselId>,
        at: Stamp,
        say: impl FnOnce() -> (Facts, String),
    ) -> Option<Suppression> {
        let Some(held) = self.held_back.get_mut(&(subject, reason)) else {
            let (facts, text) = say();
            let mut first =
                HeldBack { since: at.wall, told: at.mono, last: at, times: 1, vessel, facts, text };
            let told = first.tell(whose, reason);
            self.held_back.insert((subject, reason), first);
            return told;
        };
        held.times += 1;
        held.last = at;
        if at.mono.since(held.told) < TOLD_EVERY {
            return None;
        }
        (held.facts, held.text) = say();
        held.vessel = vessel;
        held.told = at.mono;
        held.tell(whose, reason)
    }

    /// Forgets reasons that are over (all of them, at the end), and tells what was not told of them yet.
    pub(super) fn conclude(
        &mut self,
        whose: &Whose<'_>,
        at: MonoTime,
        end: bool,
        told: &mut Vec<Suppression>,
    ) {
        self.held_back.retain(|&(_, reason), held| {
            let over = end || at.since(held.last.mono) >= TOLD_EVERY;
            if over {
                told.extend(held.tell(whose, reason));
            }
            !over
        });
    }
}

impl HeldBack {
    fn tell(&mut self, whose: &Whose<'_>, reason: SuppressionReason) -> Option<Suppression> {
        let times = std::mem::take(&mut self.times);
        (times > 0).then(|| Suppression {
            camera: whose.camera.clone(),
            rule: whose.rule.clone(),
            vessel: self.vessel,
            reason,
            since: self.since,
            at: self.last,
            times,
            facts: self.facts.clone(),
            text: self.text.clone(),
        })
    }
}
