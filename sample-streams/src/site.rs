//! The part of a site file that decides which signals a scene must raise.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Zones, lines and rules; everything else in the file is left alone.
#[derive(Debug, Clone, Deserialize)]
pub struct Site {
    /// Areas of the picture.
    #[serde(default, rename = "zone")]
    pub zones: Vec<Zone>,
    /// Lines to be crossed.
    #[serde(default, rename = "line")]
    pub lines: Vec<Line>,
    /// The rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// An area of a camera's picture, in shares of its width and height.
#[derive(Debug, Clone, Deserialize)]
pub struct Zone {
    /// Its name in rules.
    pub id: String,
    /// The camera.
    pub camera: String,
    /// Its corners.
    pub polygon: Vec<[f64; 2]>,
}

/// A line over a camera's picture, in shares of its width and height.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    /// Its name in rules.
    pub id: String,
    /// The camera.
    pub camera: String,
    /// Where it starts.
    pub from: [f64; 2],
    /// Where it ends.
    pub to: [f64; 2],
}

/// What a rule watches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somebody is in the zone.
    Presence,
    /// Somebody comes into the zone.
    Entry,
    /// Somebody crosses the line.
    Crossing,
    /// Somebody stays in the zone.
    Dwell,
}

/// Which way over a line, walking from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the left hand to the right.
    LeftToRight,
    /// From the right hand to the left.
    RightToLeft,
    /// Both.
    Either,
}

/// Hours in which a rule is live.
#[derive(Debug, Clone, Deserialize)]
pub struct Hours {
    /// Days on which they begin.
    pub days: Vec<String>,
    /// Their beginning, HH:MM.
    pub from: String,
    /// Their end, HH:MM; on the next day when it is not after the beginning.
    pub to: String,
}

/// A rule.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// What it watches for.
    pub kind: Kind,
    /// The zone it watches.
    pub zone: Option<String>,
    /// The line it watches.
    pub line: Option<String>,
    /// Which way over the line counts.
    pub direction: Option<Direction>,
    /// When it is live; always, when there is none.
    pub schedule: Option<Vec<Hours>>,
    /// How long the condition must hold.
    pub confirm: Option<String>,
    /// How long it must be gone.
    pub clear: Option<String>,
    /// How long a stay is too long.
    pub longer_than: Option<String>,
    /// Distance from a line in which nothing counts.
    pub dead_band: Option<f64>,
}

impl Site {
    /// Reads the site file at `path`.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))
    }
}

/// Seconds of a duration such as "5s", "1500ms" or "2m".
pub fn seconds(text: &str) -> Result<f64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: f64 = number.trim().parse().with_context(|| format!("{text} is not a duration"))?;
    Ok(number
        * match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => bail!("{text}: a duration ends in ms, s, m or h"),
        })
}
