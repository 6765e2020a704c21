//! The positions of a vessel over the last minute, and whether it was seen to move. A jump to a neighbour's position is
//! not a movement.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::MonoTime;
use crate::geometry::{BBox, Norm};

/// Positions are kept for this long, ...
const KEPT: Duration = Duration::from_secs(60);
/// ... one in this time, so that the length of the history does not depend on the detection rate.
const ONE_IN: Duration = Duration::from_millis(250);
/// Between two positions a vessel moves by less than this many of its widths or heights, because moored boats are hardly
/// farther apart, ...
const STRIDE: f32 = 0.5;
/// ... and it is not unseen for longer than this.
const PAUSE: Duration = Duration::from_secs(10);
/// It moves when it was seen at this many separate positions on the way, ...
const POSITIONS: usize = 4;
/// ... at least this many widths or heights apart, ...
const APART: f32 = 0.25;
/// ... over this many widths or heights: farther than its neighbours.
const FAR: f32 = 2.0;
/// Within this many widths or heights it has not left.
const NEAR: f32 = 0.5;

/// A vessel that passed this much earlier or later is not the cause.
const AROUND: Duration = Duration::from_secs(15);
/// A vessel that was not seen for so long is not seen any more.
const UNSEEN: Duration = Duration::from_secs(2);

/// The last positions of one vessel, the newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct PositionHistory(VecDeque<(MonoTime, BBox<Norm>)>);

impl PositionHistory {
    pub(super) fn push(&mut self, at: MonoTime, bbox: BBox<Norm>) {
        if self.0.back().is_some_and(|(last, _)| at.since(*last) < ONE_IN) {
            return;
        }
        self.0.push_back((at, bbox));
        while self.0.front().is_some_and(|(first, _)| at.since(*first) > KEPT) {
            self.0.pop_front();
        }
    }

    /// Whether it was seen to come to `place` from far away.
    pub(super) fn comes_to(&self, place: &BBox<Norm>) -> bool {
        let distances = self.unbroken().map(|(_, bbox)| distance(place, bbox));
        let (positions, farthest) = on_the_way(distances);
        positions >= POSITIONS && farthest >= FAR
    }

    /// The time at which it began to move away from `place`, where it was, until it was far.
    pub(super) fn leaves(&self, place: &BBox<Norm>) -> Option<MonoTime> {
        let (left, _) = self.unbroken().find(|(_, bbox)| distance(place, bbox) <= NEAR)?;
        let distances = self.unbroken().map(|(_, bbox)| distance(place, bbox)).take_while(|far| *far > NEAR);
        let (positions, farthest) = on_the_way(distances);
        (positions >= POSITIONS && farthest >= FAR).then_some(*left)
    }

    /// Whether it was seen to come close to `place` around `then`, and was not seen after that until `now`.
    pub(super) fn ends_beside(&self, place: &BBox<Norm>, then: MonoTime, now: MonoTime) -> bool {
        let Some((last, bbox)) = self.0.back() else { return false };
        let around = last.since(then).max(then.since(*last)) <= AROUND;
        around && now.since(*last) >= UNSEEN && distance(place, bbox) <= FAR && self.comes_to(bbox)
    }

    /// From the newest position back to the first one before a pause or a jump.
    fn unbroken(&self) -> impl Iterator<Item = &(MonoTime, BBox<Norm>)> {
        let mut after: Option<&(MonoTime, BBox<Norm>)> = None;
        self.0.iter().rev().take_while(move |now| {
            let follows = after
                .is_none_or(|after| after.0.since(now.0) <= PAUSE && distance(&now.1, &after.1) <= STRIDE);
            after = Some(now);
            follows
        })
    }
}

/// The number of separate positions on the way, and the distance of the farthest.
fn on_the_way(distances: impl Iterator<Item = f32>) -> (usize, f32) {
    let mut positions: Vec<f32> = distances.filter(|far| *far > NEAR).collect();
    positions.sort_by(f32::total_cmp);
    let farthest = positions.last().copied().unwrap_or(0.0);
    positions.dedup_by(|next, kept| *next - *kept < APART);
    (positions.len(), farthest)
}

/// The distance of the waterline point of `b` from that of `a`, in widths or heights of `a`, whichever is more.
pub(super) fn distance(a: &BBox<Norm>, b: &BBox<Norm>) -> f32 {
    let (from, to) = (a.waterline(), b.waterline());
    ((to.x - from.x).abs() / a.width()).max((to.y - from.y).abs() / a.height())
}
