//! Whether the picture still changes: water moves, and a live sensor has noise.
//!
//! A frozen picture that is encoded on comes out of the decoder bit for bit the same from one key frame to the next, and a
//! little different, everywhere, after each. Of live pictures the first is not true, and the second only where nothing
//! moves: both are asked for.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Stamp;
use crate::frame::Thumbnail;

/// A small pixel is another when its mean has changed by so many grey levels. A key frame of a frozen picture does that to
/// 0.6 % of them; two seconds of a calm night to 14 %.
const LEVEL: f32 = 1.0;
/// From one look to the next, so small a change is one. Nothing of a frozen picture changes between key frames; of the
/// calmest live ones 13 % does.
const TRACE: f32 = 0.1;
/// A picture in which so small a part has changed is the same: clocks that cameras write into it go on.
const PART: f32 = 0.02;
/// So large a part of all looks must be the same as the one before: key frames lie between them.
const SAME: f32 = 2.0 / 3.0;
/// A picture that was not the same for so long is live.
const LIVE_AFTER: Duration = Duration::from_secs(2);
/// Looks longer ago say nothing more.
const REMEMBERS: Duration = Duration::from_secs(20);

/// Compares each picture with the one before, and with the one from which on nothing has moved.
#[derive(Clone, Debug, Default)]
pub(super) struct Still {
    first: Vec<f32>,
    last: Vec<f32>,
    /// Looks since the first, each with whether it was the same as the one before.
    looks: VecDeque<(Stamp, bool)>,
}

impl Still {
    /// Since when the picture has been the same; `None` when it changes.
    pub(super) fn since(&mut self, thumbnail: &Thumbnail, at: Stamp) -> Option<Stamp> {
        let luma = &thumbnail.luma;
        if changed(&self.first, luma, LEVEL) {
            self.first.clone_from(luma);
            self.looks.clear();
        }
        let same = !self.looks.is_empty() && !changed(&self.last, luma, TRACE);
        self.last.clone_from(luma);
        self.looks.push_back((at, same));
        while self.looks.front().is_some_and(|(look, _)| at.mono.since(look.mono) > REMEMBERS) {
            self.looks.pop_front();
        }
        let last_same = self.looks.iter().rev().find(|(_, same)| *same)?.0;
        if at.mono.since(last_same.mono) > LIVE_AFTER {
            return None;
        }
        let (mut since, mut all, mut alike) = (None, 0.0, 0.0);
        for ((before, _), (_, same)) in self.looks.iter().zip(self.looks.iter().skip(1)).rev() {
            all += 1.0;
            if *same {
                alike += 1.0;
                if alike >= SAME * all {
                    since = Some(*before);
                }
            }
        }
        since
    }
}

fn changed(old: &[f32], new: &[f32], level: f32) -> bool {
    let count = old.iter().zip(new).filter(|(old, new)| (*old - *new).abs() > level).count();
    old.len() != new.len() || count as f32 > PART * new.len() as f32
}
