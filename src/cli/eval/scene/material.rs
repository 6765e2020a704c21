//! A scene on disk: a folder of five files, drawn or annotated by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::eval::track::mot::{Boxes, Frames};
use crate::config::Site;

/// What is in a scene's folder.
const FILES: [(&str, &str); 5] = [
    ("scene.json", "camera, start, frames_per_second, conditions"),
    ("clip.mp4", "the recording"),
    ("truth.txt", "MOTChallenge lines frame,id,x,y,w,h,1,1,visibility"),
    ("site.toml", "the site file"),
    ("signals.json", "the signals that must be raised: rule, place, vessel, opens_s"),
];

/// What `scene.json` says.
#[derive(Debug, Deserialize)]
pub(super) struct About {
    /// Which camera of the site file the clip is.
    pub(super) camera: String,
    /// When it begins.
    pub(super) start: Timestamp,
    /// Of the truth: its frame n is n - 1 of these after the start.
    pub(super) frames_per_second: f64,
    /// Words by which scores are grouped, such as `night`, `fog`.
    #[serde(default)]
    pub(super) conditions: Vec<String>,
    /// What comes close and must raise nothing.
    #[serde(default)]
    pub(super) near_misses: Vec<NearMiss>,
}

/// A rule and a vessel of which no signal must come.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct NearMiss {
    pub(super) rule: String,
    pub(super) vessel: i64,
    pub(super) why: String,
}

/// A signal that must be raised.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) rule: String,
    pub(super) place: String,
    /// Its number in the truth.
    pub(super) vessel: i64,
    /// When it must open, in seconds from the start of the clip.
    pub(super) opens_s: f64,
}

/// A scene, read and checked.
#[derive(Debug)]
pub(super) struct Scene {
    /// The folder's name.
    pub(super) name: String,
    pub(super) about: About,
    pub(super) clip: PathBuf,
    pub(super) site: Site,
    /// Which camera of the site.
    pub(super) camera: usize,
    /// By opening time.
    pub(super) listed: Vec<Listed>,
    pub(super) truth: Frames,
}

impl Scene {
    /// Reads a scene. Errors name the file that is missing or what does not fit.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        for (name, holds) in FILES {
            let path = folder.join(name);
            ensure!(
                path.is_file(),
                "{} is missing ({holds}); a scene is a folder with {}",
                path.display(),
                FILES.map(|(name, _)| name).join(", ")
            );
        }
        let about: About = read(&folder.join("scene.json"))?;
        ensure!(
            about.frames_per_second.is_finite() && about.frames_per_second > 0.0,
            "{}: frames_per_second is {}, expected a number above zero, such as 25",
            folder.join("scene.json").display(),
            about.frames_per_second
        );
        let site = crate::cli::load_site(&folder.join("site.toml"))?;
        let camera = crate::cli::camera_index(&site, &about.camera)
            .with_context(|| folder.join("scene.json").display().to_string())?;
        let mut listed: Vec<Listed> = read(&folder.join("signals.json"))?;
        listed.sort_by(|a, b| a.opens_s.total_cmp(&b.opens_s));
        for signal in &listed {
            ensure!(
                site.rules.iter().any(|rule| rule.id.as_str() == signal.rule),
                "{}: the site file has no rule `{}`",
                folder.join("signals.json").display(),
                signal.rule
            );
        }
        let truth = Boxes::Truth.read(&folder.join("truth.txt"))?;
        let name =
            folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.display().to_string());
        Ok(Self { name, about, clip: folder.join("clip.mp4"), site, camera, listed, truth })
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Names that two scenes share would be taken for one in a report.
pub(super) fn different(scenes: &[Scene]) -> anyhow::Result<()> {
    let mut seen = BTreeMap::new();
    for scene in scenes {
        if let Some(other) = seen.insert(&scene.name, &scene.clip) {
            anyhow::bail!(
                "two scenes are called {}: {} and {}",
                scene.name,
                other.display(),
                scene.clip.display()
            );
        }
    }
    Ok(())
}
