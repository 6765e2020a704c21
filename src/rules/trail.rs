//! Where a vessel was seen over the last minute, and whether it was seen to move: without a jump to a neighbour's place.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::MonoTime;
use crate::geometry::{BBox, Norm};

/// Positions are kept so long, ...
const KEPT: Duration = Duration::from_secs(60);
/// ... one in this time: how often the camera is looked at must not decide how far back they go.
const ONE_IN: Duration = Duration::from_millis(250);
/// Between two looks a vessel moves by less than so many of its widths or heights: boats lie little farther apart, ...
const STRIDE: f32 = 0.5;
/// ... and is not out of sight for longer than this.
const PAUSE: Duration = Duration::from_secs(10);
/// It moves when it was seen at so many places on the way, ...
const PLACES: usize = 4;
/// ... which are places of their own from so many widths or heights apart, ...
const APART: f32 = 0.25;
/// ... over so many widths or heights: beyond its neighbours.
const FAR: f32 = 2.0;
/// Within this it has not left.
const NEAR: f32 = 0.5;

/// Who came by so much earlier or later has nothing to do with it.
const AROUND: Duration = Duration::from_secs(15);
/// Who was not seen for so long is not seen again.
const UNSEEN: Duration = Duration::from_secs(2);

/// The last positions of one vessel, the newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail(VecDeque<(MonoTime, BBox<Norm>)>);

impl Trail {
    pub(super) fn push(&mut self, at: MonoTime, bbox: BBox<Norm>) {
        if self.0.back().is_some_and(|(last, _)| at.since(*last) < ONE_IN) {
            return;
        }
        self.0.push_back((at, bbox));
        while self.0.front().is_some_and(|(first, _)| at.since(*first) > KEPT) {
            self.0.pop_front();
        }
    }

    /// Whether it was seen to move to `place` from far away.
    pub(super) fn comes_to(&self, place: &BBox<Norm>) -> bool {
        let way = self.unbroken().map(|(_, bbox)| distance(place, bbox));
        let (places, farthest) = on_the_way(way);
        places >= PLACES && farthest >= FAR
    }

    /// Since when it has been seen to move away from `place`, where it was, until it was far.
    pub(super) fn leaves(&self, place: &BBox<Norm>) -> Option<MonoTime> {
        let (left, _) = self.unbroken().find(|(_, bbox)| distance(place, bbox) <= NEAR)?;
        let way = self.unbroken().map(|(_, bbox)| distance(place, bbox)).take_while(|far| *far > NEAR);
        let (places, farthest) = on_the_way(way);
        (places >= PLACES && farthest >= FAR).then_some(*left)
    }

    /// Whether it was seen to come by `place` and not again since `then`, as of `now`.
    pub(super) fn ends_beside(&self, place: &BBox<Norm>, then: MonoTime, now: MonoTime) -> bool {
        let Some((last, bbox)) = self.0.back() else { return false };
        let around = last.since(then).max(then.since(*last)) <= AROUND;
        around && now.since(*last) >= UNSEEN && distance(place, bbox) <= FAR && self.comes_to(bbox)
    }

    /// Backward from the newest position, as far as no look is missing and no step is a jump.
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

/// At how many places of their own a vessel was seen on its way, and how far the farthest of them is.
fn on_the_way(way: impl Iterator<Item = f32>) -> (usize, f32) {
    let mut places: Vec<f32> = way.filter(|far| *far > NEAR).collect();
    places.sort_by(f32::total_cmp);
    let farthest = places.last().copied().unwrap_or(0.0);
    places.dedup_by(|next, kept| *next - *kept < APART);
    (places.len(), farthest)
}

/// How far the waterline point of `b` is from that of `a`, in widths or heights of `a`, whichever is more.
pub(super) fn distance(a: &BBox<Norm>, b: &BBox<Norm>) -> f32 {
    let (from, to) = (a.waterline(), b.waterline());
    ((to.x - from.x).abs() / a.width()).max((to.y - from.y).abs() / a.height())
}
