//! The files of a variant: clip, ground truth, site file, signals and description.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::near_miss::NearMiss;
use super::prepare::Prepared;
use super::variant::{FPS, Variant};
use crate::encode::{Codec, Encoder};
use crate::files;
use crate::oracle;
use crate::renderer::Renderer;
use crate::site::Site;
use crate::truth::{TruthBox, to_text};

/// Raised whenever the same variant would give other files.
const DRAWING_VERSION: u32 = 6;
/// Constant rate factor of the clips.
const QUALITY: u32 = 25;

/// A variant, its folder, and the model that its site file names.
#[derive(Debug)]
pub struct VariantFolder<'a> {
    /// The variant.
    pub variant: &'a Variant,
    /// The folder of all variants.
    pub out: &'a Path,
    /// The folder with `havenwacht.toml` and `runtime/libonnxruntime.so`.
    pub models: &'a Path,
}

/// The description of a scene for `havenwacht eval scene`.
#[derive(Debug, Serialize)]
struct Description<'a> {
    camera: &'static str,
    start: String,
    frames_per_second: f64,
    /// Words by which scores are grouped: light and theme.
    conditions: Vec<&'static str>,
    seed: u64,
    near_misses: &'a [NearMiss],
}

impl VariantFolder<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.out.join(self.variant.id()).join(name)
    }

    fn stamp(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{DRAWING_VERSION} {QUALITY} {:?} {}", self.variant, self.models.display()));
        files::hex(&hash.finalize())
    }

    /// Whether all files exist and are drawn by this version.
    pub fn is_current(&self) -> bool {
        let names = ["clip.mp4", "truth.txt", "site.toml", "signals.json", "scene.json"];
        names.iter().all(|name| self.path(name).is_file())
            && std::fs::read_to_string(self.path("stamp")).is_ok_and(|stamp| stamp == self.stamp())
    }

    /// Draws the variant; calls `progress` for each frame. Gives the number of signals that it must raise.
    pub fn draw(&self, progress: &dyn Fn()) -> Result<usize> {
        files::create_folder(&self.path(""))?;
        // Without the stamp, existing files do not count as complete.
        let _removed = std::fs::remove_file(self.path("stamp"));
        let variant = self.variant;
        let prepared = variant.prepare()?;
        let (site_rules, start) = (prepared.site_rules.clone(), prepared.start);
        let site: Site = toml::from_str(&site_rules)?;
        self.write("site.toml", &self.site_file(&prepared)?)?;
        self.write("scene.json", &self.description(&prepared)?)?;
        let frames = self.encode(prepared, progress)?;
        self.write("truth.txt", &to_text(&frames))?;
        let signals = oracle::signals(&site, "quay", &frames, variant.size, variant.fps(), start)?;
        self.write("signals.json", &format!("{}\n", serde_json::to_string_pretty(&signals)?))?;
        self.write("stamp", &self.stamp())?;
        Ok(signals.len())
    }

    fn encode(&self, prepared: Prepared, progress: &dyn Fn()) -> Result<Vec<Vec<TruthBox>>> {
        let variant = self.variant;
        let mut renderer = Renderer::new(prepared.composition, variant.seconds as f32, variant.fps() as f32)?;
        let mut encoder = Encoder::start(Codec::H264, QUALITY, variant.size, FPS, &self.path("clip.mp4"))?;
        let mut frames = Vec::new();
        for index in 0..variant.frames() {
            let (picture, boxes) = renderer.draw(index);
            encoder.push(picture)?;
            frames.push(boxes);
            progress();
        }
        encoder.finish()?;
        Ok(frames)
    }

    fn description(&self, prepared: &Prepared) -> Result<String> {
        // The oracle counts from 2026-06-01 00:00 in Amsterdam, which is 22:00 on 31 May in UTC.
        let seconds = prepared.start as i64 - 2 * 3600;
        let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let date = if day < 0 { "2026-05-31".to_owned() } else { format!("2026-06-{:02}", day + 1) };
        let mut conditions = vec![prepared.light];
        if !conditions.contains(&self.variant.theme.name()) {
            conditions.push(self.variant.theme.name());
        }
        let description = Description {
            camera: "quay",
            start: format!("{date}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60),
            frames_per_second: self.variant.fps(),
            conditions,
            seed: self.variant.seed,
            near_misses: &prepared.near_misses,
        };
        Ok(format!("{}\n", serde_json::to_string_pretty(&description)?))
    }

    fn site_file(&self, prepared: &Prepared) -> Result<String> {
        let models = std::path::absolute(self.models)?;
        let models = models.to_str().ok_or_else(|| anyhow!("{} is not UTF-8", models.display()))?;
        let (id, Prepared { site_rules, shore, .. }) = (self.variant.id(), prepared);
        let calibration = prepared.calibration.as_deref().unwrap_or_default();
        // As if drawn by hand: slightly above the shore.
        let water = shore - 0.01;
        Ok(format!(
            "# Drawn by sample-scenes: the site of the scene {id}.\n\n[site]\nid = \"{id}\"\nname = \"Scene {id}\"\n\
             time_zone = \"Europe/Amsterdam\"\n\n[model]\nmanifest = {:?}\nruntime = {:?}\nthreads = 1\n\n\
             [broker]\nhost = \"127.0.0.1\"\nport = 1883\n\n[logbook]\npath = \"logbook.sqlite\"\n\n\
             [[camera]]\nid = \"quay\"\nname = \"Quay\"\nurl = \"rtsp://127.0.0.1:8554/quay\"\ncodec = \"h264\"\n\
             detect_fps = 4.0\n\
             water = [[0.0, {water:.3}], [1.0, {water:.3}], [1.0, 1.0], [0.0, 1.0]]\n\n{calibration}{site_rules}",
            format!("{models}/havenwacht.toml"),
            format!("{models}/runtime/libonnxruntime.so"),
        ))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        files::write(&self.path(name), text)
    }
}
