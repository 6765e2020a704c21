//! Variants: as many scenes as wanted, each drawn by a seed after one of a few themes, with its own site file, its
//! truth and the signals that must come of it.
//!
//! Drawn from the project's own drawings alone, so a variant may be passed on. What is seen on one depends on the seed,
//! the theme and its number alone: asking for more variants, or for some themes only, leaves the others as they were.

mod bridge;
mod files;
mod look;
mod plan;
mod scale;
mod shore;
#[cfg(test)]
mod tests;
mod traffic;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::noise::Chance;
use crate::stage::Setting;

pub use files::Folder;

/// Pictures in so many seconds: 12.5 a second, three for each look of a camera that is looked at four times a second.
pub const FPS: [u32; 2] = [25, 2];

/// What a variant is about. Where it says nothing of light and weather, it is by day, at dusk or by night, and fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// A fine or cloudy day.
    Day,
    /// Low light, warm sky.
    Dusk,
    /// Lamps, noise, dark hulls.
    Night,
    /// Fog that thickens with distance.
    Fog,
    /// Rain: streaks, drops on the glass, a rough surface.
    Rain,
    /// The low sun on the water behind the vessels.
    Glare,
    /// Long broad wakes, and old ones that drift without a vessel.
    Wakes,
    /// Wind shakes the camera.
    Shake,
    /// Still water that mirrors shore and vessels.
    Reflections,
    /// Many moored vessels, and one that joins them.
    Fleet,
    /// A bridge whose pier hides who passes behind it.
    Bridge,
    /// Small boats at high speed.
    Ribs,
    /// Much traffic, both ways.
    Crossing,
    /// Gulls: most fly past, some sit on the water.
    Birds,
}

impl Theme {
    /// All of them, in the order in which variants take turns.
    pub const ALL: [Self; 14] = [
        Self::Day,
        Self::Dusk,
        Self::Night,
        Self::Fog,
        Self::Rain,
        Self::Glare,
        Self::Wakes,
        Self::Shake,
        Self::Reflections,
        Self::Fleet,
        Self::Bridge,
        Self::Ribs,
        Self::Crossing,
        Self::Birds,
    ];

    /// Its name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Dusk => "dusk",
            Self::Night => "night",
            Self::Fog => "fog",
            Self::Rain => "rain",
            Self::Glare => "glare",
            Self::Wakes => "wakes",
            Self::Shake => "shake",
            Self::Reflections => "reflections",
            Self::Fleet => "fleet",
            Self::Bridge => "bridge",
            Self::Ribs => "ribs",
            Self::Crossing => "crossing",
            Self::Birds => "birds",
        }
    }

    /// The theme of that name.
    pub fn named(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|theme| theme.name() == name) {
            Some(theme) => Ok(theme),
            None => {
                bail!("there is no theme {name}; there are {}", Self::ALL.map(Self::name).join(", "))
            }
        }
    }
}

/// One variant to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// What it is about.
    pub theme: Theme,
    /// Which of its theme, from 0.
    pub number: u32,
    /// Seed of the whole set.
    pub seed: u64,
    /// Length in seconds.
    pub seconds: u32,
    /// Width and height in pixels, even.
    pub size: (usize, usize),
}

/// A rule and a vessel that come close, and of which no signal must come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearMiss {
    /// The rule.
    pub rule: String,
    /// The vessel's number in the ground truth.
    pub vessel: u32,
    /// Why nothing must come of it.
    pub why: &'static str,
}

/// A variant worked out: everything but its pictures.
#[derive(Debug)]
pub struct Worked {
    /// What is drawn.
    pub setting: Setting,
    /// `day`, `dusk` or `night`.
    pub light: &'static str,
    /// When it starts, as the oracle counts.
    pub start: crate::oracle::Start,
    /// Zones, lines and rules of its site file.
    pub drawn: String,
    /// Where the water begins, as a share of the picture's height.
    pub shore: f32,
    /// The camera's survey, as its site file has it: every other variant's is calibrated.
    pub calibration: Option<String>,
    /// What must not raise a signal.
    pub near_misses: Vec<NearMiss>,
}

/// `count` variants, the themes taking turns.
pub fn variants(count: u32, seed: u64, themes: &[Theme], seconds: u32, size: (usize, usize)) -> Vec<Variant> {
    let turns = themes.len().max(1) as u32;
    let variant = |n: u32| {
        let theme = *themes.get((n % turns) as usize)?;
        Some(Variant { theme, number: n / turns, seed, seconds, size })
    };
    (0..count).filter_map(variant).collect()
}

impl Variant {
    /// Its name, and that of its folder: theme and number.
    pub fn id(&self) -> String {
        format!("{}-{:02}", self.theme.name(), self.number)
    }

    /// The number of its pictures.
    pub fn frames(&self) -> u32 {
        self.seconds * FPS[0] / FPS[1]
    }

    /// Pictures a second.
    pub fn fps(&self) -> f64 {
        f64::from(FPS[0]) / f64::from(FPS[1])
    }

    /// Works out what is seen and who sails where.
    pub fn work_out(&self) -> Result<Worked> {
        let name = self
            .id()
            .bytes()
            .fold(self.seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let mut chance = Chance::new(name);
        // The first draws of seeds that lie close are alike.
        for _ in 0..4 {
            chance.bits();
        }
        let look = look::Look::choose(self.theme, self.size, &mut chance);
        let plan = plan::plan(self, &look, &mut chance)?;
        let setting = look.setting(&plan, &mut chance);
        let [_, shore] = look.canvas.share(0.0, look.canvas.shore);
        let surveyed = self.number.is_multiple_of(2);
        Ok(Worked {
            setting,
            light: look.light.name(),
            start: look.start,
            drawn: plan.drawn,
            shore,
            calibration: surveyed.then(|| plan.scale.calibration(&look.canvas)),
            near_misses: plan.near_misses,
        })
    }
}
