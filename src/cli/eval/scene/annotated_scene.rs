//! Reads an annotated scene: a folder of five files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::eval::track::mot::{MotFile, MotFrames};
use crate::config::Site;

/// The files of a scene, and what each contains.
const FILES: [(&str, &str); 5] = [
    ("scene.json", "camera, start, frames_per_second, conditions"),
    ("clip.mp4", "the recording"),
    ("truth.txt", "MOTChallenge lines frame,id,x,y,w,h,1,1,visibility"),
    ("site.toml", "the site file"),
    ("signals.json", "the expected signals: rule, place, vessel, opens_s"),
];

/// The contents of `scene.json`.
#[derive(Debug, Deserialize)]
pub(super) struct SceneDescription {
    /// The camera of the site file that recorded the clip.
    pub(super) camera: String,
    /// When the clip begins.
    pub(super) start: Timestamp,
    /// Frame rate of the annotations; their frames are counted from 1.
    pub(super) frames_per_second: f64,
    /// Conditions by which scores are grouped, such as `night` or `fog`.
    #[serde(default)]
    pub(super) conditions: Vec<String>,
    /// Situations that are nearly a signal and must raise none.
    #[serde(default)]
    pub(super) near_misses: Vec<NearMiss>,
}

/// A rule that must not raise a signal for a vessel, and why.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct NearMiss {
    pub(super) rule: String,
    pub(super) vessel: i64,
    pub(super) why: String,
}

/// A signal that must be raised.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AnnotatedSignal {
    pub(super) rule: String,
    pub(super) place: String,
    /// Its id in the annotations.
    pub(super) vessel: i64,
    /// Expected time of opening, in seconds from the start of the clip.
    pub(super) opens_s: f64,
}

/// A checked scene.
#[derive(Debug)]
pub(super) struct AnnotatedScene {
    /// The folder's name.
    pub(super) name: String,
    pub(super) description: SceneDescription,
    pub(super) clip: PathBuf,
    pub(super) site: Site,
    /// Index of the camera in the site file.
    pub(super) camera: usize,
    /// By expected time.
    pub(super) expected: Vec<AnnotatedSignal>,
    pub(super) truth: MotFrames,
}

impl AnnotatedScene {
    /// Reads a scene. Errors name the missing file, or the value that does not fit.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        for (name, contents) in FILES {
            let path = folder.join(name);
            ensure!(
                path.is_file(),
                "{} is missing ({contents}); a scene is a folder with {}",
                path.display(),
                FILES.map(|(name, _)| name).join(", ")
            );
        }
        let description: SceneDescription = read(&folder.join("scene.json"))?;
        ensure!(
            description.frames_per_second.is_finite() && description.frames_per_second > 0.0,
            "{}: frames_per_second is {}, expected a number above zero, such as 25",
            folder.join("scene.json").display(),
            description.frames_per_second
        );
        let site = crate::cli::site::load_site(&folder.join("site.toml"))?;
        let camera = crate::cli::site::camera_index(&site, &description.camera)
            .with_context(|| folder.join("scene.json").display().to_string())?;
        let mut expected: Vec<AnnotatedSignal> = read(&folder.join("signals.json"))?;
        expected.sort_by(|a, b| a.opens_s.total_cmp(&b.opens_s));
        for signal in &expected {
            ensure!(
                site.rules.iter().any(|rule| rule.id.as_str() == signal.rule),
                "{}: the site file has no rule `{}`",
                folder.join("signals.json").display(),
                signal.rule
            );
        }
        let truth = MotFile::Truth.read(&folder.join("truth.txt"))?;
        let name =
            folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.display().to_string());
        Ok(Self { name, description, clip: folder.join("clip.mp4"), site, camera, expected, truth })
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// An error when two scenes have the same name, because a report could not distinguish them.
pub(super) fn check_names(scenes: &[AnnotatedScene]) -> anyhow::Result<()> {
    let mut seen = BTreeMap::new();
    for scene in scenes {
        if let Some(other) = seen.insert(&scene.name, &scene.clip) {
            anyhow::bail!(
                "two scenes have the name {}: {} and {}",
                scene.name,
                other.display(),
                scene.clip.display()
            );
        }
    }
    Ok(())
}
