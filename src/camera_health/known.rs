//! What a camera usually sees, apart for bright, middling and dark pictures.

use std::time::Duration;

use super::view::{Features, Reference};
use crate::clock::MonoTime;

/// Learnt from so much time of good pictures before anything is held against it: waves cancel out by then.
const LEARNT_IN: Duration = Duration::from_secs(20);
/// After that it follows within about this time: the sun goes round, moored vessels leave.
const FOLLOWS_IN: Duration = Duration::from_secs(1800);
/// Pictures nearer in time teach the same.
const APART: Duration = Duration::from_secs(1);
/// Levels in the middle of a picture that part dark from middling and middling from bright.
const DARK: f32 = 50.0;
const BRIGHT: f32 = 100.0;

/// All that has been learnt of one camera.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    bands: [Option<Band>; 3],
}

/// What pictures of one brightness are like.
#[derive(Clone, Debug)]
pub(super) struct Band {
    pub(super) view: Reference,
    /// Usual sharpness; `None` before there were edges.
    pub(super) sharpness: Option<f32>,
    learnt: Duration,
    at: MonoTime,
}

impl Known {
    fn place(median: f32) -> usize {
        usize::from(median >= DARK) + usize::from(median >= BRIGHT)
    }

    /// What a picture of that brightness is held against, once enough is known.
    pub(super) fn of(&self, median: f32) -> Option<&Band> {
        self.bands[Self::place(median)].as_ref().filter(|band| band.learnt >= LEARNT_IN)
    }

    /// Takes in a good picture.
    pub(super) fn learn(&mut self, median: f32, features: &Features, sharpness: Option<f32>, at: MonoTime) {
        let place = &mut self.bands[Self::place(median)];
        let Some(band) = place else {
            let view = Reference::new(features);
            *place = Some(Band { view, sharpness, learnt: Duration::ZERO, at });
            return;
        };
        let since = at.since(band.at);
        if since < APART {
            return;
        }
        // A band that was not seen for a day is not forgotten in one look.
        let since = since.min(2 * APART);
        band.at = at;
        let of = if band.learnt < LEARNT_IN { band.learnt + since + APART } else { FOLLOWS_IN };
        band.learnt += since;
        let part = since.as_secs_f32() / of.as_secs_f32();
        band.view.learn(features, part);
        if let Some(new) = sharpness {
            let usual = band.sharpness.get_or_insert(new);
            *usual += part * (new - *usual);
        }
    }
}
