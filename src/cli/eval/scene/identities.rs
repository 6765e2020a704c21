//! Who was taken for a vessel and who was not, and how soon vessels that come in are found.

use std::collections::BTreeSet;

use serde::Serialize;

use super::boxes::{Size, Verdict};
use super::playback::{Moment, Playback};

/// A vessel that comes in is to be found within this time.
const NOTICED_WITHIN_S: f64 = 3.0;

/// Counts of vessels, those of the truth and those that were followed.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Identities {
    /// Followed, and never on a vessel of the truth.
    pub(super) false_vessels: usize,
    /// Vessels that were asked for in a look or more.
    pub(super) asked_for: usize,
    /// Those of them that were never followed.
    pub(super) never_followed: usize,
    pub(super) newcomers: Newcomers,
    /// Those of them that were smaller than medium when they came in.
    pub(super) small_newcomers: Newcomers,
}

/// Vessels that came into the picture after the first look and stayed for [`NOTICED_WITHIN_S`] at least.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Newcomers {
    pub(super) came_in: usize,
    /// Found within that time.
    pub(super) noticed: usize,
}

impl Identities {
    pub(super) fn new(played: &Playback, verdicts: &[Vec<Verdict>]) -> Self {
        let (mut followed, mut right) = (BTreeSet::new(), BTreeSet::new());
        let (mut asked, mut known) = (BTreeSet::new(), BTreeSet::new());
        for (moment, verdicts) in played.moments.iter().zip(verdicts) {
            asked.extend(moment.truth.iter().filter(|t| t.is_asked_for()).map(|t| t.vessel));
            for (found, verdict) in moment.found.iter().zip(verdicts) {
                let Some(number) = found.followed else { continue };
                followed.insert(number);
                if *verdict != Verdict::False {
                    right.insert(number);
                }
                if let Verdict::Hit(n) = verdict {
                    known.insert(moment.truth[*n].vessel);
                }
            }
        }
        let (mut newcomers, mut small_newcomers) = (Newcomers::default(), Newcomers::default());
        for &vessel in &asked {
            let Some((size, noticed)) = came_in(vessel, played, verdicts) else { continue };
            newcomers.count(noticed);
            if size < Size::Medium {
                small_newcomers.count(noticed);
            }
        }
        Self {
            false_vessels: followed.difference(&right).count(),
            asked_for: asked.len(),
            never_followed: asked.difference(&known).count(),
            newcomers,
            small_newcomers,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.false_vessels += other.false_vessels;
        self.asked_for += other.asked_for;
        self.never_followed += other.never_followed;
        self.newcomers.add(&other.newcomers);
        self.small_newcomers.add(&other.small_newcomers);
    }
}

impl Newcomers {
    fn count(&mut self, noticed: bool) {
        self.add(&Self { came_in: 1, noticed: usize::from(noticed) });
    }

    fn add(&mut self, other: &Self) {
        self.came_in += other.came_in;
        self.noticed += other.noticed;
    }
}

/// The size of a vessel when it came in, and whether it was found in time. `None` for one that was there at the first look,
/// or was gone before it had to be found.
fn came_in(vessel: i64, played: &Playback, verdicts: &[Vec<Verdict>]) -> Option<(Size, bool)> {
    let shown = |moment: &Moment| moment.truth.iter().position(|t| t.vessel == vessel && t.is_asked_for());
    let first = played.moments.iter().position(|moment| shown(moment).is_some()).filter(|n| *n > 0)?;
    let came_in = &played.moments[first];
    let by_s = came_in.at_s + NOTICED_WITHIN_S;
    let stayed = played.moments[first..].iter().take_while(|moment| shown(moment).is_some());
    if stayed.last()?.at_s < by_s {
        return None;
    }
    let found = |(moment, verdicts): (&Moment, &Vec<Verdict>)| {
        shown(moment).is_some_and(|n| verdicts.contains(&Verdict::Hit(n)))
    };
    let looks = played.moments[first..].iter().zip(&verdicts[first..]);
    let noticed = looks.take_while(|(moment, _)| moment.at_s <= by_s + 1e-6).any(found);
    Some((Size::of(&came_in.truth[shown(came_in)?].bbox), noticed))
}
