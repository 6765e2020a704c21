//! What is usual at a camera (scene and sharpness), learnt separately for bright, medium and dark pictures.

use std::time::Duration;

use super::scene_change::{Features, UsualScene};
use crate::clock::MonoTime;

/// A reference is used after this much time of good pictures: waves cancel out by then.
const LEARNT_AFTER: Duration = Duration::from_secs(20);
/// Time constant of the moving average after that: the sun moves, moored vessels leave.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(1800);
/// Pictures closer in time than this add nothing new.
const LEARN_INTERVAL: Duration = Duration::from_secs(1);
/// Median levels that separate dark from medium and medium from bright pictures.
const DARK: f32 = 50.0;
const BRIGHT: f32 = 100.0;

/// All references of one camera.
#[derive(Clone, Debug, Default)]
pub(super) struct References {
    bands: [Option<Reference>; 3],
}

/// What pictures of one brightness usually look like.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) scene: UsualScene,
    /// Usual sharpness; `None` until there were edges.
    pub(super) sharpness: Option<f32>,
    learnt: Duration,
    at: MonoTime,
}

impl References {
    fn band(median: f32) -> usize {
        usize::from(median >= DARK) + usize::from(median >= BRIGHT)
    }

    /// The reference for a picture of that median level, once enough was learnt.
    pub(super) fn of(&self, median: f32) -> Option<&Reference> {
        self.bands[Self::band(median)].as_ref().filter(|reference| reference.learnt >= LEARNT_AFTER)
    }

    /// Learns from a good picture.
    pub(super) fn learn(&mut self, median: f32, features: &Features, sharpness: Option<f32>, at: MonoTime) {
        let band = &mut self.bands[Self::band(median)];
        let Some(reference) = band else {
            let scene = UsualScene::new(features);
            *band = Some(Reference { scene, sharpness, learnt: Duration::ZERO, at });
            return;
        };
        let since = at.since(reference.at);
        if since < LEARN_INTERVAL {
            return;
        }
        // A reference that was not used for a day is not replaced by a single picture.
        let since = since.min(2 * LEARN_INTERVAL);
        reference.at = at;
        let span = if reference.learnt < LEARNT_AFTER {
            reference.learnt + since + LEARN_INTERVAL
        } else {
            FOLLOWS_WITHIN
        };
        reference.learnt += since;
        let weight = since.as_secs_f32() / span.as_secs_f32();
        reference.scene.learn(features, weight);
        if let Some(new) = sharpness {
            let usual = reference.sharpness.get_or_insert(new);
            *usual += weight * (new - *usual);
        }
    }
}
