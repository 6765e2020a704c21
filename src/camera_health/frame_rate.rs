//! How many frames a second arrive from the camera.

use std::collections::VecDeque;
use std::time::Duration;

use super::FRAME_RATE_WINDOW;
use crate::clock::Stamp;

/// Frames a second over the last seconds. Measured by the frames' numbers, so that frames which the detector never
/// took are counted.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameRate {
    /// Time and frame number of each inspected frame.
    inspected: VecDeque<(Stamp, u64)>,
}

impl FrameRate {
    /// Takes in frame number `seq`. Gives the frames a second, and since when they were counted; `None` until the
    /// window is full.
    pub(super) fn update(&mut self, seq: u64, at: Stamp) -> Option<(f32, Stamp)> {
        self.inspected.push_back((at, seq));
        let old = |&(time, _): &(Stamp, u64)| at.mono.since(time.mono) >= FRAME_RATE_WINDOW;
        while self.inspected.get(1).is_some_and(old) {
            self.inspected.pop_front();
        }
        let &(first, before) = self.inspected.front().filter(|first| old(first))?;
        let over = at.mono.since(first.mono);
        Some((seq.saturating_sub(before) as f32 / over.as_secs_f32(), first))
    }

    /// The time of the frame inspected before, and the mean time between frames from it to frame number `seq`.
    pub(super) fn interval(&self, seq: u64, at: Stamp) -> Option<(Stamp, Duration)> {
        let &(last, before) = self.inspected.back()?;
        let frames = seq.saturating_sub(before).clamp(1, u64::from(u32::MAX)) as u32;
        Some((last, at.mono.since(last.mono) / frames))
    }

    pub(super) fn reset(&mut self) {
        self.inspected.clear();
    }
}
