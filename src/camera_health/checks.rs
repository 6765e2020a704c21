//! The checks of each inspected picture: what is measured, the thresholds, and the text for people.

use std::time::Duration;

use strum::VariantArray as _;

use super::Cause;
use super::measures::ImageMeasures;
use super::reference::Reference;
use super::scene_change::{Features, PictureShift, UsualScene};
use crate::clock::Stamp;
use crate::frame::Thumbnail;

/// A sensor in the dark has noise below this level; a harbour at night has lamps above 40.
pub(super) const BLACK_LEVEL: f32 = 16.0;
/// Half of the picture: on a bright day the sky alone may be clipped.
pub(super) const CLIPPED_SHARE: f32 = 0.5;
/// A picture without contrast counts as overexposed, not as low contrast, from this median level on.
pub(super) const WHITE_LEVEL: f32 = 235.0;
/// Noise in an empty picture gives less than 1; fog in which a vessel at the quay is visible gives 5 and more.
pub(super) const LEAST_CONTRAST: f32 = 2.5;
/// The same scene hours later has at least this similarity.
pub(super) const SAME_SCENE: f32 = 0.6;
/// A shift must raise the similarity by this much.
pub(super) const SHIFT_GAIN: f32 = 0.2;
/// Below this similarity the scene is not recognised at all.
pub(super) const UNKNOWN_SCENE: f32 = 0.3;
/// Share of the camera's usual sharpness. Real lenses in focus have a sharpness of 0.6 to 1, and 0.2 to 0.3 when blurred
/// over 1/100 of the picture's width.
pub(super) const LEAST_OF_USUAL_SHARPNESS: f32 = 0.45;
/// The least sharpness whatever is usual.
pub(super) const LEAST_SHARPNESS: f32 = 0.25;
/// Frames for each detection pass that is asked for: below the first the rate is low, and no more above the second.
pub(super) const LOW_RATE: f32 = 0.4;
pub(super) const GOOD_RATE: f32 = 0.6;

/// One check. When several hold, the first of them is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::VariantArray)]
pub(super) enum Check {
    Black,
    Overexposed,
    LowContrast,
    Frozen,
    /// The scene is found at another place in the picture.
    SceneShifted,
    /// The scene is not found at all: a ship may fill the picture for a while, so this one must hold longer.
    SceneLost,
    Defocused,
    LowFrameRate,
}

impl Check {
    pub(super) fn all() -> &'static [Self] {
        Self::VARIANTS
    }

    /// What is reported when it holds.
    pub(super) fn cause(self) -> Cause {
        match self {
            Self::Black => Cause::Black,
            Self::Overexposed => Cause::Overexposed,
            Self::LowContrast => Cause::LowContrast,
            Self::Frozen => Cause::Frozen,
            Self::SceneShifted | Self::SceneLost => Cause::SceneChange,
            Self::Defocused => Cause::Defocused,
            Self::LowFrameRate => Cause::LowFrameRate,
        }
    }

    /// How long it must hold until it is reported, and must not hold until it is over.
    pub(super) fn times(self) -> (Duration, Duration) {
        let (on_s, off_s) = match self {
            Self::Black => (5, 3),
            Self::Overexposed => (10, 5),
            Self::LowContrast | Self::Defocused => (15, 10),
            Self::Frozen => (15, 3),
            Self::SceneShifted => (10, 10),
            Self::SceneLost => (60, 10),
            Self::LowFrameRate => (super::FRAME_RATE_WINDOW.as_secs(), 5),
        };
        (Duration::from_secs(on_s), Duration::from_secs(off_s))
    }
}

/// What was measured when a check held.
#[derive(Clone, Debug)]
pub(super) struct Measurement {
    pub(super) measured: f64,
    pub(super) threshold: f64,
    pub(super) unit: &'static str,
    pub(super) text: String,
}

/// The result of a check in one picture.
pub(super) enum CheckResult {
    /// It holds, since that time.
    Holds(Stamp, Measurement),
    /// It does not hold.
    Passes,
    /// This picture does not show whether it holds.
    Unknown,
}

impl CheckResult {
    fn new(holds: bool, at: Stamp, measurement: impl FnOnce() -> Measurement) -> Self {
        if holds { Self::Holds(at, measurement()) } else { Self::Passes }
    }

    pub(super) fn holds(&self) -> bool {
        matches!(self, Self::Holds(..))
    }

    pub(super) fn passes(&self) -> bool {
        matches!(self, Self::Passes)
    }
}

/// [`Check::Black`], [`Check::Overexposed`] and [`Check::LowContrast`].
pub(super) fn exposure(measures: &ImageMeasures, at: Stamp) -> [CheckResult; 3] {
    let &ImageMeasures { brightest, median, clipped, contrast, .. } = measures;
    let levels = |measured: f32, threshold: f32, text: String| Measurement {
        measured: measured.into(),
        threshold: threshold.into(),
        unit: "levels of 255",
        text,
    };
    let black = brightest < BLACK_LEVEL;
    let no_contrast = contrast < LEAST_CONTRAST && !black;
    let white = no_contrast && median >= WHITE_LEVEL;
    let overexposed = || {
        if clipped >= CLIPPED_SHARE {
            let (measured, threshold) = (f64::from(clipped) * 100.0, f64::from(CLIPPED_SHARE) * 100.0);
            let text = format!("{measured:.0} % of the picture is as bright as the camera can measure");
            return Measurement { measured, threshold, unit: "%", text };
        }
        let text = format!("the picture is white, without differences of {LEAST_CONTRAST} levels");
        levels(contrast, LEAST_CONTRAST, text)
    };
    [
        CheckResult::new(black, at, || {
            let text = format!("the picture is black: 98 % of it is under level {brightest:.0}");
            levels(brightest, BLACK_LEVEL, text)
        }),
        CheckResult::new(clipped >= CLIPPED_SHARE || white, at, overexposed),
        CheckResult::new(no_contrast && !white && clipped < CLIPPED_SHARE, at, || {
            let text = format!(
                "the picture has no contrast: the largest differences are {contrast:.1} levels (fog, dirt or a cover)"
            );
            levels(contrast, LEAST_CONTRAST, text)
        }),
    ]
}

/// [`Check::Defocused`]. Once it is on, a picture must be a tenth sharper to pass.
pub(super) fn focus(
    measures: &ImageMeasures,
    reference: Option<&Reference>,
    is_on: bool,
    at: Stamp,
) -> CheckResult {
    let Some(sharpness) = measures.sharpness else { return CheckResult::Unknown };
    let usual = reference.and_then(|reference| reference.sharpness);
    let least =
        usual.map_or(LEAST_SHARPNESS, |usual| (LEAST_OF_USUAL_SHARPNESS * usual).max(LEAST_SHARPNESS));
    let percent = |share: f32| f64::from(share) * 100.0;
    CheckResult::new(sharpness < least * if is_on { 1.1 } else { 1.0 }, at, || {
        let usual = usual.map_or(String::new(), |usual| format!(", usually {:.0} %", percent(usual)));
        let text = format!("edges are {:.0} % sharp{usual}: out of focus, or wet", percent(sharpness));
        Measurement { measured: percent(sharpness), threshold: percent(least), unit: "%", text }
    })
}

/// How similar a picture is to the usual scene.
pub(super) struct SceneMatch {
    /// Without a shift.
    pub(super) similarity: f32,
    /// The shift at which it fits, where one explains the difference.
    pub(super) shift: Option<PictureShift>,
}

impl SceneMatch {
    /// Compares; `search` searches for a shift, and is called only when the picture does not fit without one.
    pub(super) fn new(
        scene: &UsualScene,
        features: &Features,
        search: impl FnOnce() -> Option<PictureShift>,
    ) -> Self {
        let similarity = scene.similarity(features, [0, 0]);
        if similarity >= SAME_SCENE {
            return Self { similarity, shift: None };
        }
        let explains = |&(_, there): &PictureShift| there >= SAME_SCENE && there - similarity >= SHIFT_GAIN;
        Self { similarity, shift: search().filter(explains) }
    }

    /// [`Check::SceneShifted`] and [`Check::SceneLost`]. Once on, each lasts until the picture fits without a shift.
    pub(super) fn results(&self, shifted_is_on: bool, lost_is_on: bool, at: Stamp) -> [CheckResult; 2] {
        if self.similarity >= SAME_SCENE {
            return [CheckResult::Passes, CheckResult::Passes];
        }
        let percent = |share: f32| f64::from(share.max(0.0)) * 100.0;
        let measurement = |threshold: f32| Measurement {
            measured: percent(self.similarity),
            threshold: percent(threshold),
            unit: "%",
            text: self.text(),
        };
        let shifted = self.shift.is_some() || shifted_is_on;
        let lost = self.similarity < UNKNOWN_SCENE || lost_is_on;
        [
            CheckResult::new(shifted, at, || measurement(SAME_SCENE)),
            CheckResult::new(lost, at, || measurement(UNKNOWN_SCENE)),
        ]
    }

    fn text(&self) -> String {
        let Some(([across, down], _)) = self.shift else {
            return "the usual scene is not found: the camera was moved, or something stands in front of it"
                .to_owned();
        };
        let across = across as f32 * 100.0 / Thumbnail::WIDTH as f32;
        let down = down as f32 * 100.0 / Thumbnail::HEIGHT as f32;
        format!(
            "the scene shifted by {:.0} % of the picture's width to the {} and {:.0} % of its height {}",
            across.abs(),
            if across < 0.0 { "left" } else { "right" },
            down.abs(),
            if down < 0.0 { "up" } else { "down" },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera_health::FRAME_RATE_WINDOW;
    use crate::camera_health::freeze::{CHANGE, CHANGED_SHARE, SMALL_CHANGE};
    use crate::camera_health::measures::CLIPPED;

    fn percent(share: f32) -> String {
        format!("{:.0} %", share * 100.0)
    }

    /// What the documentation must say of the thresholds of a check.
    fn thresholds(check: Check) -> Vec<String> {
        match check {
            Check::Black => vec![format!("below level {BLACK_LEVEL}")],
            Check::Overexposed => vec![
                format!("{} of the picture", percent(CLIPPED_SHARE)),
                format!("at level {CLIPPED} or above"),
                format!("at level {WHITE_LEVEL} or above"),
            ],
            Check::LowContrast => vec![format!("less than {LEAST_CONTRAST} levels")],
            Check::Frozen => vec![
                percent(1.0 - CHANGED_SHARE),
                format!("at most {CHANGE} level since"),
                format!("at most {SMALL_CHANGE} level since"),
            ],
            Check::SceneShifted => vec![
                format!("below {}", percent(SAME_SCENE)),
                format!("at least {:.0} percentage points", SHIFT_GAIN * 100.0),
            ],
            Check::SceneLost => vec![format!("below {}", percent(UNKNOWN_SCENE))],
            Check::Defocused => vec![
                format!("less than {LEAST_OF_USUAL_SHARPNESS} of"),
                format!("below {}", percent(LEAST_SHARPNESS)),
            ],
            Check::LowFrameRate => vec![
                format!("over {} s", FRAME_RATE_WINDOW.as_secs()),
                format!("fewer than {LOW_RATE} frames"),
                format!("from {GOOD_RATE} frames"),
            ],
        }
    }

    #[test]
    fn the_documented_thresholds_are_those_of_the_code() {
        let text = include_str!("../../config/camera-health.md");
        let rows = text.lines().filter(|line| line.starts_with("| `"));
        let rows: Vec<Vec<_>> =
            rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect();
        assert_eq!(rows[0][0], format!("`{}`", Cause::SignalLoss));
        assert_eq!(rows.len(), 1 + Check::all().len());
        for (&check, row) in Check::all().iter().zip(&rows[1..]) {
            let (on_after, off_after) = check.times();
            let times = [on_after, off_after].map(|time| format!("{} s", time.as_secs()));
            assert_eq!(
                (row[0], &row[2..]),
                (&*format!("`{}`", check.cause()), &[&*times[0], &*times[1]][..])
            );
            for threshold in thresholds(check) {
                assert!(row[1].contains(&threshold), "{check:?}: {threshold:?} is not in {:?}", row[1]);
            }
        }
    }
}
