//! `all` and `then`: rules made of rules. A part counts while its own signal would be open, whether it is told or not.

use std::collections::BTreeMap;
use std::time::Duration;

use super::conditions::{Finding, Held, Subject};
use super::lifecycle::Open;
use super::scene::{Scene, Sighting};
use super::suppressed::SuppressionReason;
use crate::clock::MonoTime;
use crate::config::Condition;
use crate::ids::RuleId;
use crate::track::VesselId;

/// A composition, its parts by their places among the camera's rules.
#[derive(Clone, Debug)]
pub(super) enum Composed {
    All { of: Vec<usize>, unless: Vec<usize> },
    Then { first: usize, second: usize, within: Duration, memory: BTreeMap<VesselId, Past> },
}

/// What was true of a vessel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Past {
    /// When the first rule began to hold, and held last.
    first: Option<(MonoTime, MonoTime)>,
    /// The opening of the second that was told.
    told: Option<MonoTime>,
}

impl Composed {
    /// `None` for a condition of its own.
    pub(super) fn new(condition: &Condition, place: impl Fn(&RuleId) -> Option<usize>) -> Option<Self> {
        match condition {
            Condition::All { of, unless } => Some(Self::All {
                of: of.iter().filter_map(&place).collect(),
                unless: unless.iter().filter_map(&place).collect(),
            }),
            Condition::Then { first, second, within } => Some(Self::Then {
                first: place(first)?,
                second: place(second)?,
                within: *within,
                memory: BTreeMap::new(),
            }),
            _ => None,
        }
    }

    /// The parts that must hold, in the order in which they are told.
    pub(super) fn told(&self) -> impl Iterator<Item = &usize> {
        let parts: Vec<&usize> = match self {
            Self::All { of, .. } => of.iter().collect(),
            Self::Then { first, second, .. } => vec![first, second],
        };
        parts.into_iter()
    }

    /// The vessel is gone for good.
    pub(super) fn forget(&mut self, vessel: VesselId) {
        if let Self::Then { memory, .. } = self {
            memory.remove(&vessel);
        }
    }

    /// Every vessel is gone.
    pub(super) fn reset(&mut self) {
        if let Self::Then { memory, .. } = self {
            memory.clear();
        }
    }

    /// `open`: the signal of a part for a subject, while it is open.
    pub(super) fn judge<'a>(
        &mut self,
        scene: &Scene<'_>,
        live: bool,
        open: impl Fn(usize, &Subject) -> Option<&'a Open>,
        findings: &mut Vec<Finding>,
    ) {
        let of_vessel = |part: usize, vessel: &Sighting| {
            let visit = scene.visits.iter().find(|visit| visit.vessel == vessel.number);
            let own = [Some(Subject::Vessel(vessel.vessel)), visit.map(|visit| Subject::Visit(visit.id))];
            let mut subjects = own.into_iter().flatten().chain([Subject::Place]);
            subjects.find_map(|subject| open(part, &subject))
        };
        for vessel in scene.seen() {
            let mut silent = None;
            let held = match self {
                Self::All { of, unless } => {
                    let parts: Option<Vec<_>> = of.iter().map(|&part| of_vessel(part, vessel)).collect();
                    let excepted = unless.iter().any(|&part| of_vessel(part, vessel).is_some());
                    let latest = parts.and_then(|parts| parts.into_iter().max_by_key(|part| part.opened));
                    silent = excepted.then_some(SuppressionReason::Exception);
                    match latest.filter(|_| live) {
                        Some(latest) => Held::Since { since: latest.since, entered: false },
                        None => Held::No,
                    }
                }
                Self::Then { first, second, within, memory } => {
                    let past = memory.entry(vessel.vessel).or_default();
                    if let Some(first) = of_vessel(*first, vessel) {
                        past.first = Some((first.opened, scene.at.mono));
                    }
                    match (past.first, of_vessel(*second, vessel)) {
                        (Some((began, last)), Some(second))
                            if live
                                && second.opened > began
                                && second.opened.since(last) <= *within
                                && past.told != Some(second.opened) =>
                        {
                            past.told = Some(second.opened);
                            Held::Now
                        }
                        _ => Held::No,
                    }
                }
            };
            let parts = self.told().count() as f64;
            findings.push(Finding { silent, ..Finding::of(vessel, held, parts, parts) });
        }
    }
}
