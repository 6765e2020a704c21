//! Track linking: the tracker may lose a vessel and find it again under another number.
//!
//! A track that begins where another was last seen a short time before, with a box of the same width, continues that
//! vessel: how long it has been in a zone, on which side of a line it was, which signals are open.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::MonoTime;
use crate::geometry::{BBox, Px};
use crate::track::{Track, TrackState, VesselId};

/// A vessel is forgotten when no track has continued it for so long after its track ended.
const REMEMBERED: Duration = Duration::from_secs(15);
/// A track that continues another begins within this time after the other was last seen, ...
const WITHIN: Duration = Duration::from_secs(60);
/// ... not farther from it than this share of its width, ...
const REACH: f32 = 0.75;
/// ... and as wide, within this ratio.
const ALIKE: f32 = 1.6;

/// The tracks of a camera by their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct TrackLinks {
    tracks: BTreeMap<VesselId, LinkedTrack>,
}

#[derive(Clone, Copy, Debug)]
struct LinkedTrack {
    /// The number of the first track of the same vessel.
    first: VesselId,
    bbox: BBox<Px>,
    last_seen: MonoTime,
    ended: Option<MonoTime>,
    /// Another track continues it.
    continued: bool,
}

impl TrackLinks {
    /// The first number of the track's vessel, and whether the vessel is new.
    pub(super) fn first_number(&mut self, track: &Track) -> (VesselId, bool) {
        if track.state == TrackState::Confirmed {
            self.separate_if_back(track.vessel);
        }
        if let Some(linked) = self.tracks.get_mut(&track.vessel) {
            linked.bbox = track.bbox;
            linked.last_seen = track.last_seen;
            return (linked.first, false);
        }
        let predecessor = self
            .tracks
            .iter_mut()
            .filter(|(_, linked)| !linked.continued && may_continue(linked, track))
            .min_by(|(_, a), (_, b)| apart(a, track).total_cmp(&apart(b, track)));
        let first = match predecessor {
            Some((_, linked)) => {
                linked.continued = true;
                linked.first
            }
            None => track.vessel,
        };
        let (bbox, last_seen) = (track.bbox, track.last_seen);
        self.tracks
            .insert(track.vessel, LinkedTrack { first, bbox, last_seen, ended: None, continued: false });
        (first, first == track.vessel)
    }

    /// A track that is seen again after another has continued it: they were two vessels. The state belongs to the first
    /// again, and the other starts without any.
    fn separate_if_back(&mut self, vessel: VesselId) {
        let Some(back) = self.tracks.get_mut(&vessel).filter(|linked| linked.continued) else { return };
        back.continued = false;
        let first = back.first;
        let others = self.tracks.iter_mut().filter(|(number, _)| **number != vessel);
        others.filter(|(_, other)| other.first == first).for_each(|(number, other)| other.first = *number);
    }

    /// The track has ended.
    pub(super) fn end(&mut self, vessel: VesselId, at: MonoTime) {
        if let Some(linked) = self.tracks.get_mut(&vessel) {
            linked.ended = Some(at);
        }
    }

    /// Removes tracks that ended; the first numbers of the vessels that no track continued.
    pub(super) fn remove_gone(&mut self, at: MonoTime) -> Vec<VesselId> {
        let mut gone = Vec::new();
        self.tracks.retain(|_, linked| {
            let over = linked.ended.is_some_and(|ended| linked.continued || at.since(ended) >= REMEMBERED);
            if over && !linked.continued {
                gone.push(linked.first);
            }
            !over
        });
        gone
    }
}

fn may_continue(linked: &LinkedTrack, track: &Track) -> bool {
    let ratio = linked.bbox.width() / track.first_bbox.width();
    // Tracks seen at the same time are two vessels.
    linked.last_seen < track.first_seen
        && track.first_seen.since(linked.last_seen) <= WITHIN
        && (1.0 / ALIKE..=ALIKE).contains(&ratio)
        && apart(linked, track) <= REACH
}

/// The distance from the last position of one to the first of the other, in widths.
fn apart(linked: &LinkedTrack, track: &Track) -> f32 {
    linked.bbox.waterline().distance(track.first_bbox.waterline()) / linked.bbox.width().max(1.0)
}
