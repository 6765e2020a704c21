//! Counts of tracked, missed and false vessels, and how soon new vessels are found.

use std::collections::BTreeSet;

use serde::Serialize;

use super::playback::{Playback, PlayedPass};
use super::vessels::SizeClass;
use crate::cli::eval::matching::Verdict;

/// A new vessel must be found within this time.
const MAX_DELAY_S: f64 = 3.0;

/// Counts of true vessels and of tracked ones.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Identities {
    /// Tracked vessels that were never on a true one.
    pub(super) false_vessels: usize,
    /// True vessels that had to be found in at least one pass.
    pub(super) to_find: usize,
    /// Those of them that were never tracked.
    pub(super) never_tracked: usize,
    pub(super) newcomers: Newcomers,
    /// Those below medium size when they appeared.
    pub(super) small_newcomers: Newcomers,
}

/// Vessels that appeared after the first pass and stayed for at least [`MAX_DELAY_S`].
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Newcomers {
    pub(super) appeared: usize,
    /// Those found within that time.
    pub(super) found_in_time: usize,
}

impl Identities {
    pub(super) fn new(played: &Playback, verdicts: &[Vec<Verdict>]) -> Self {
        let (mut tracked, mut correct) = (BTreeSet::new(), BTreeSet::new());
        let (mut to_find, mut found_vessels) = (BTreeSet::new(), BTreeSet::new());
        for (pass, verdicts) in played.passes.iter().zip(verdicts) {
            to_find.extend(pass.truth.iter().filter(|t| t.must_be_found()).map(|t| t.vessel));
            for (found, verdict) in pass.found.iter().zip(verdicts) {
                let Some(number) = found.number else { continue };
                tracked.insert(number);
                if *verdict != Verdict::False {
                    correct.insert(number);
                }
                if let Verdict::Hit(n) = verdict {
                    found_vessels.insert(pass.truth[*n].vessel);
                }
            }
        }
        let (mut newcomers, mut small_newcomers) = (Newcomers::default(), Newcomers::default());
        for &vessel in &to_find {
            let Some((size, in_time)) = newcomer(vessel, played, verdicts) else { continue };
            newcomers.count(in_time);
            if size < SizeClass::Medium {
                small_newcomers.count(in_time);
            }
        }
        Self {
            false_vessels: tracked.difference(&correct).count(),
            to_find: to_find.len(),
            never_tracked: to_find.difference(&found_vessels).count(),
            newcomers,
            small_newcomers,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.false_vessels += other.false_vessels;
        self.to_find += other.to_find;
        self.never_tracked += other.never_tracked;
        self.newcomers.add(&other.newcomers);
        self.small_newcomers.add(&other.small_newcomers);
    }
}

impl Newcomers {
    fn count(&mut self, in_time: bool) {
        self.add(&Self { appeared: 1, found_in_time: usize::from(in_time) });
    }

    fn add(&mut self, other: &Self) {
        self.appeared += other.appeared;
        self.found_in_time += other.found_in_time;
    }
}

/// The size of a vessel when it appeared, and whether it was found in time. `None` for a vessel of the first pass, or one that
/// left before it had to be found.
fn newcomer(vessel: i64, played: &Playback, verdicts: &[Vec<Verdict>]) -> Option<(SizeClass, bool)> {
    let shown = |pass: &PlayedPass| pass.truth.iter().position(|t| t.vessel == vessel && t.must_be_found());
    let first = played.passes.iter().position(|pass| shown(pass).is_some()).filter(|n| *n > 0)?;
    let appeared = &played.passes[first];
    let by_s = appeared.at_s + MAX_DELAY_S;
    let stayed = played.passes[first..].iter().take_while(|pass| shown(pass).is_some());
    if stayed.last()?.at_s < by_s {
        return None;
    }
    let found = |(pass, verdicts): (&PlayedPass, &Vec<Verdict>)| {
        shown(pass).is_some_and(|n| verdicts.contains(&Verdict::Hit(n)))
    };
    let passes = played.passes[first..].iter().zip(&verdicts[first..]);
    let in_time = passes.take_while(|(pass, _)| pass.at_s <= by_s + 1e-6).any(found);
    Some((SizeClass::of(&appeared.truth[shown(appeared)?].bbox), in_time))
}
