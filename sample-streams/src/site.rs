//! The parts of a site file that decide which signals a scene must raise.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Zones, lines and rules; the rest of the file is ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct Site {
    /// The zones.
    #[serde(default, rename = "zone")]
    pub zones: Vec<Zone>,
    /// The lines.
    #[serde(default, rename = "line")]
    pub lines: Vec<Line>,
    /// The rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// An area of a camera's picture, in shares of the picture's width and height.
#[derive(Debug, Clone, Deserialize)]
pub struct Zone {
    /// Its id.
    pub id: String,
    /// The camera.
    pub camera: String,
    /// Its corners.
    pub polygon: Vec<[f64; 2]>,
}

/// A line in a camera's picture, in shares of the picture's width and height.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// The camera.
    pub camera: String,
    /// Where it starts.
    pub from: [f64; 2],
    /// Where it ends.
    pub to: [f64; 2],
}

/// The kind of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// A vessel is in the zone.
    Presence,
    /// A vessel enters the zone.
    Entry,
    /// A vessel crosses the line.
    Crossing,
    /// A vessel stays in the zone.
    Dwell,
}

/// A direction across a line, seen when walking from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From left to right.
    LeftToRight,
    /// From right to left.
    RightToLeft,
    /// Both.
    Either,
}

/// Hours in which a rule is active.
#[derive(Debug, Clone, Deserialize)]
pub struct Hours {
    /// The days on which they begin.
    pub days: Vec<String>,
    /// When they begin, HH:MM.
    pub from: String,
    /// When they end, HH:MM; on the next day when that is not later than `from`.
    pub to: String,
}

/// A rule.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: RuleKind,
    /// Its zone.
    pub zone: Option<String>,
    /// Its line.
    pub line: Option<String>,
    /// The direction that counts.
    pub direction: Option<Direction>,
    /// When it is active; always without a schedule.
    pub schedule: Option<Vec<Hours>>,
    /// How long the condition must hold before the signal opens.
    pub confirm: Option<String>,
    /// How long the condition must be false before the signal closes.
    pub clear: Option<String>,
    /// The longest stay that is allowed.
    pub longer_than: Option<String>,
    /// Distance from the line within which a position does not count, as a share of the picture.
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
