//! Finds a frozen picture: water moves, and a live sensor has noise.
//!
//! A frozen picture that the camera keeps encoding comes out of the decoder bit for bit the same between key frames, and
//! slightly different everywhere after each key frame. In live pictures the first is never true; the second is true only
//! where nothing moves. Both are required.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Stamp;
use crate::frame::Thumbnail;

/// A thumbnail pixel has changed when its mean differs by this many levels of 255. In a frozen picture a key frame does
/// that to 0.6 % of the pixels; two seconds of a calm night do it to 14 %.
pub(super) const CHANGE: f32 = 1.0;
/// From one inspected frame to the next, this much is a change. In a frozen picture no pixel changes between key frames;
/// in the calmest live ones 13 % do.
pub(super) const SMALL_CHANGE: f32 = 0.1;
/// A picture in which at most this share of the pixels changed is the same: a clock in the picture continues.
pub(super) const CHANGED_SHARE: f32 = 0.02;
/// At least this share of the frames must be the same as the frame before; the rest are key frames.
const SAME_SHARE: f32 = 2.0 / 3.0;
/// A picture that was not the same for this long is live.
const LIVE_AFTER: Duration = Duration::from_secs(2);
/// Older frames are forgotten.
const MEMORY: Duration = Duration::from_secs(20);

/// Compares each frame with the one before, and with the one since which nothing has changed.
#[derive(Clone, Debug, Default)]
pub(super) struct FreezeDetector {
    first: Vec<f32>,
    last: Vec<f32>,
    /// Frames since the first: when, and whether it was the same as the one before.
    frames: VecDeque<(Stamp, bool)>,
}

impl FreezeDetector {
    /// Since when the picture has been the same; `None` when it changes.
    pub(super) fn frozen_since(&mut self, thumbnail: &Thumbnail, at: Stamp) -> Option<Stamp> {
        let luma = &thumbnail.luma;
        if changed(&self.first, luma, CHANGE) {
            self.first.clone_from(luma);
            self.frames.clear();
        }
        let same = !self.frames.is_empty() && !changed(&self.last, luma, SMALL_CHANGE);
        self.last.clone_from(luma);
        self.frames.push_back((at, same));
        while self.frames.front().is_some_and(|(time, _)| at.mono.since(time.mono) > MEMORY) {
            self.frames.pop_front();
        }
        let last_same = self.frames.iter().rev().find(|(_, same)| *same)?.0;
        if at.mono.since(last_same.mono) > LIVE_AFTER {
            return None;
        }
        let (mut since, mut all, mut equal) = (None, 0.0, 0.0);
        for ((before, _), (_, same)) in self.frames.iter().zip(self.frames.iter().skip(1)).rev() {
            all += 1.0;
            if *same {
                equal += 1.0;
                if equal >= SAME_SHARE * all {
                    since = Some(*before);
                }
            }
        }
        since
    }
}

fn changed(old: &[f32], new: &[f32], levels: f32) -> bool {
    let count = old.iter().zip(new).filter(|(old, new)| (*old - *new).abs() > levels).count();
    old.len() != new.len() || count as f32 > CHANGED_SHARE * new.len() as f32
}
