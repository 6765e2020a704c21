//! Merges repeated suppressions: a rule that suppresses the same thing for the same reason reports it once, then at
//! intervals.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::evaluation::Subject;
use super::signal::Facts;
use super::suppression::{Suppression, SuppressionReason};
use crate::clock::{MonoTime, Stamp};
use crate::ids::{CameraId, RuleId};
use crate::track::VesselId;

/// Repeats are reported this often. A reason that has not occurred for so long is over.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// The suppressed signals of one rule.
#[derive(Clone, Debug)]
pub(super) struct SuppressionLog {
    camera: CameraId,
    rule: RuleId,
    current: BTreeMap<(Subject, SuppressionReason), Repeated>,
}

#[derive(Clone, Debug)]
struct Repeated {
    since: Timestamp,
    reported: MonoTime,
    last: Stamp,
    /// Passes since the last report.
    times: u32,
    vessel: Option<VesselId>,
    facts: Facts,
    text: String,
}

impl SuppressionLog {
    pub(super) fn new(camera: CameraId, rule: RuleId) -> Self {
        Self { camera, rule, current: BTreeMap::new() }
    }

    /// Notes that the signal about `subject` is suppressed. Calls `describe` only when something is reported.
    pub(super) fn note(
        &mut self,
        (subject, reason): (Subject, SuppressionReason),
        vessel: Option<VesselId>,
        at: Stamp,
        describe: impl FnOnce() -> (Facts, String),
    ) -> Option<Suppression> {
        let repeated = match self.current.get_mut(&(subject, reason)) {
            Some(repeated) => {
                repeated.times += 1;
                repeated.last = at;
                if at.mono.since(repeated.reported) < REPORT_EVERY {
                    return None;
                }
                (repeated.facts, repeated.text) = describe();
                repeated.vessel = vessel;
                repeated.reported = at.mono;
                repeated
            }
            None => {
                let (facts, text) = describe();
                let first =
                    Repeated { since: at.wall, reported: at.mono, last: at, times: 1, vessel, facts, text };
                self.current.entry((subject, reason)).or_insert(first)
            }
        };
        repeated.report(&self.camera, &self.rule, reason)
    }

    /// Removes reasons that are over (all of them, at the end) and reports what was not reported of them yet.
    pub(super) fn remove_over(&mut self, at: MonoTime, end: bool, reports: &mut Vec<Suppression>) {
        let Self { camera, rule, current } = self;
        current.retain(|&(_, reason), repeated| {
            let over = end || at.since(repeated.last.mono) >= REPORT_EVERY;
            if over {
                reports.extend(repeated.report(camera, rule, reason));
            }
            !over
        });
    }
}

impl Repeated {
    fn report(&mut self, camera: &CameraId, rule: &RuleId, reason: SuppressionReason) -> Option<Suppression> {
        let times = std::mem::take(&mut self.times);
        (times > 0).then(|| Suppression {
            camera: camera.clone(),
            rule: rule.clone(),
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
