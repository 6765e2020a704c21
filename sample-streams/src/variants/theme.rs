//! The themes of variants.

use anyhow::{Result, bail};
use serde::Serialize;

/// What a variant shows. Unless the theme decides light and weather, it is fine by day, at dusk or by night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// A fine or cloudy day.
    Day,
    /// Low light, warm sky.
    Dusk,
    /// Lamps, noise, dark hulls.
    Night,
    /// Fog that is denser at a distance.
    Fog,
    /// Rain: streaks, drops on the lens, rough water.
    Rain,
    /// The low sun on the water behind the vessels.
    Glare,
    /// Long broad wakes, and old ones without a vessel.
    Wakes,
    /// Wind shakes the camera.
    Shake,
    /// Calm water that reflects shore and vessels.
    Reflections,
    /// Many moored vessels, and one that joins them.
    Fleet,
    /// A bridge with a pier that hides the vessels behind it.
    Bridge,
    /// Small boats at high speed.
    Ribs,
    /// Much traffic in both directions.
    Crossing,
    /// Gulls: most fly past, some sit on the water.
    Birds,
}

impl Theme {
    /// All themes, in the order in which variants use them.
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
