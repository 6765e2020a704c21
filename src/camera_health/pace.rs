//! How many pictures come.

use std::collections::VecDeque;
use std::time::Duration;

use super::PACE_OVER;
use crate::clock::Stamp;

/// Pictures a second over the last seconds, from the frames' numbers: those that nobody looks at count.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    looks: VecDeque<(Stamp, u64)>,
}

impl Pace {
    /// Takes in the look at frame number `seq`. How many pictures come a second, and since when that was counted; `None`
    /// before that can be said.
    pub(super) fn look(&mut self, seq: u64, at: Stamp) -> Option<(f32, Stamp)> {
        self.looks.push_back((at, seq));
        let old = |&(look, _): &(Stamp, u64)| at.mono.since(look.mono) >= PACE_OVER;
        while self.looks.get(1).is_some_and(old) {
            self.looks.pop_front();
        }
        let &(first, before) = self.looks.front().filter(|first| old(first))?;
        let over = at.mono.since(first.mono);
        Some((seq.saturating_sub(before) as f32 / over.as_secs_f32(), first))
    }

    /// Mean time between pictures since the look before, when this look is at frame number `seq`.
    pub(super) fn between(&self, seq: u64, at: Stamp) -> Option<(Stamp, Duration)> {
        let &(last, before) = self.looks.back()?;
        let frames = seq.saturating_sub(before).clamp(1, u64::from(u32::MAX)) as u32;
        Some((last, at.mono.since(last.mono) / frames))
    }

    pub(super) fn reset(&mut self) {
        self.looks.clear();
    }
}
