//! One vessel under several numbers: the tracker may lose a vessel and find it again as another.
//!
//! A vessel that appears where another has just gone out of sight, of the same size, inherits its memory: how long it has
//! been in a zone, which side of a line it was on, which signals are open.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::MonoTime;
use crate::geometry::{BBox, Px};
use crate::track::{Track, TrackState, VesselId};

/// A vessel is forgotten when nobody has inherited from it for so long after its track ended.
const REMEMBERED: Duration = Duration::from_secs(15);
/// An heir appears within this after its predecessor was last seen, ...
const WITHIN: Duration = Duration::from_secs(60);
/// ... no farther from where it was than this share of its width, ...
const REACH: f32 = 0.75;
/// ... and as wide, within this ratio.
const ALIKE: f32 = 1.6;

/// Every vessel of a camera by the number under which it is followed.
#[derive(Clone, Debug, Default)]
pub(super) struct Heirs {
    known: BTreeMap<VesselId, Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    /// The number under which it was first followed.
    first: VesselId,
    bbox: BBox<Px>,
    last_seen: MonoTime,
    ended: Option<MonoTime>,
    inherited: bool,
}

impl Heirs {
    /// Whose memory the vessel of `track` has, and whether it is new here.
    pub(super) fn first_number(&mut self, track: &Track) -> (VesselId, bool) {
        if track.state == TrackState::Confirmed {
            self.part_if_back(track.vessel);
        }
        if let Some(known) = self.known.get_mut(&track.vessel) {
            known.bbox = track.bbox;
            known.last_seen = track.last_seen;
            return (known.first, false);
        }
        let predecessor = self
            .known
            .iter_mut()
            .filter(|(_, known)| !known.inherited && leaves_to(known, track))
            .min_by(|(_, a), (_, b)| apart(a, track).total_cmp(&apart(b, track)));
        let first = match predecessor {
            Some((_, known)) => {
                known.inherited = true;
                known.first
            }
            None => track.vessel,
        };
        let known =
            Known { first, bbox: track.bbox, last_seen: track.last_seen, ended: None, inherited: false };
        self.known.insert(track.vessel, known);
        (first, first == track.vessel)
    }

    /// A vessel that is seen again after another has inherited from it: the two were two. Its memory is its own again, and
    /// the heir has none.
    fn part_if_back(&mut self, vessel: VesselId) {
        let Some(back) = self.known.get_mut(&vessel).filter(|known| known.inherited) else { return };
        back.inherited = false;
        let first = back.first;
        let others = self.known.iter_mut().filter(|(number, _)| **number != vessel);
        others.filter(|(_, heir)| heir.first == first).for_each(|(number, heir)| heir.first = *number);
    }

    /// The track of a vessel has ended.
    pub(super) fn end(&mut self, vessel: VesselId, at: MonoTime) {
        if let Some(known) = self.known.get_mut(&vessel) {
            known.ended = Some(at);
        }
    }

    /// Forgets vessels that ended without an heir, and gives them by their first numbers.
    pub(super) fn gone(&mut self, at: MonoTime) -> Vec<VesselId> {
        let over =
            |known: &Known| known.ended.is_some_and(|ended| known.inherited || at.since(ended) >= REMEMBERED);
        let mut gone = Vec::new();
        self.known.retain(|_, known| {
            let over = over(known);
            if over && !known.inherited {
                gone.push(known.first);
            }
            !over
        });
        gone
    }
}

fn leaves_to(known: &Known, track: &Track) -> bool {
    let ratio = known.bbox.width() / track.first_bbox.width();
    // Seen at one time they are two.
    known.last_seen < track.first_seen
        && track.first_seen.since(known.last_seen) <= WITHIN
        && (1.0 / ALIKE..=ALIKE).contains(&ratio)
        && apart(known, track) <= REACH
}

/// The distance between where one was last and the other first, in widths.
fn apart(known: &Known, track: &Track) -> f32 {
    known.bbox.waterline().distance(track.first_bbox.waterline()) / known.bbox.width().max(1.0)
}
