//! The folder of a variant: clip, truth, site file, signals, and what it is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{FPS, NearMiss, Variant, Worked};
use crate::encode::{Codec, Encoder};
use crate::oracle;
use crate::site::Site;
use crate::stage::Stage;
use crate::truth::{Seen, to_text};

/// Raised whenever the same variant would give other files.
const EDITION: u32 = 5;
/// Constant rate factor of the clips.
const QUALITY: u32 = 25;

/// Where a variant goes, and where the model is that its site file names.
#[derive(Debug)]
pub struct Folder<'a> {
    /// The variant.
    pub variant: &'a Variant,
    /// The folder of all variants.
    pub out: &'a Path,
    /// The folder with `havenwacht.toml` and `runtime/libonnxruntime.so`.
    pub models: &'a Path,
}

/// What is said of a scene beside its clip, truth, site file and signals.
#[derive(Debug, Serialize)]
struct About<'a> {
    camera: &'static str,
    start: String,
    frames_per_second: f64,
    /// Words by which scores are grouped: light, weather, what is special.
    conditions: Vec<&'static str>,
    seed: u64,
    near_misses: &'a [NearMiss],
}

impl Folder<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.out.join(self.variant.id()).join(name)
    }

    fn stamp(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{EDITION} {QUALITY} {:?} {}", self.variant, self.models.display()));
        hash.finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ok = write!(text, "{byte:02x}");
            text
        })
    }

    /// Whether everything is there and drawn by this edition.
    pub fn is_current(&self) -> bool {
        let whole = ["clip.mp4", "truth.txt", "site.toml", "signals.json", "scene.json"];
        whole.iter().all(|name| self.path(name).is_file())
            && std::fs::read_to_string(self.path("stamp")).is_ok_and(|have| have == self.stamp())
    }

    /// Draws the variant; `progress` is told of each picture. How many signals must come of it.
    pub fn draw(&self, progress: &dyn Fn()) -> Result<usize> {
        let folder = self.path("");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        // Without the stamp, whatever stands here does not count as done.
        let _gone = std::fs::remove_file(self.path("stamp"));
        let variant = self.variant;
        let worked = variant.work_out()?;
        let (drawn, start) = (worked.drawn.clone(), worked.start);
        let site: Site = toml::from_str(&drawn)?;
        self.put("site.toml", &self.site_file(&worked)?)?;
        self.put("scene.json", &self.about(&worked)?)?;
        let frames = self.encode(worked, progress)?;
        self.put("truth.txt", &to_text(&frames))?;
        let signals = oracle::signals(&site, "quay", &frames, variant.size, variant.fps(), start)?;
        self.put("signals.json", &format!("{}\n", serde_json::to_string_pretty(&signals)?))?;
        self.put("stamp", &self.stamp())?;
        Ok(signals.len())
    }

    fn encode(&self, worked: Worked, progress: &dyn Fn()) -> Result<Vec<Vec<Seen>>> {
        let variant = self.variant;
        let mut stage = Stage::new(worked.setting, None, variant.seconds as f32, variant.fps() as f32)?;
        let mut encoder = Encoder::start(Codec::H264, QUALITY, variant.size, FPS, &self.path("clip.mp4"))?;
        let mut frames = Vec::new();
        for index in 0..variant.frames() {
            let (picture, seen) = stage.draw(index);
            encoder.push(picture)?;
            frames.push(seen);
            progress();
        }
        encoder.finish()?;
        Ok(frames)
    }

    fn about(&self, worked: &Worked) -> Result<String> {
        // The oracle counts from the first midnight of June 2026 in Amsterdam, which is at 22:00 of 31 May in UTC.
        let seconds = worked.start as i64 - 2 * 3600;
        let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let date = if day < 0 { "2026-05-31".to_owned() } else { format!("2026-06-{:02}", day + 1) };
        let mut conditions = vec![worked.light];
        if !conditions.contains(&self.variant.theme.name()) {
            conditions.push(self.variant.theme.name());
        }
        let about = About {
            camera: "quay",
            start: format!("{date}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60),
            frames_per_second: self.variant.fps(),
            conditions,
            seed: self.variant.seed,
            near_misses: &worked.near_misses,
        };
        Ok(format!("{}\n", serde_json::to_string_pretty(&about)?))
    }

    fn site_file(&self, worked: &Worked) -> Result<String> {
        let models = std::path::absolute(self.models)?;
        let models = models.to_str().ok_or_else(|| anyhow!("{} is no plain text", models.display()))?;
        let (id, Worked { drawn, shore, .. }) = (self.variant.id(), worked);
        let calibration = worked.calibration.as_deref().unwrap_or_default();
        // Drawn by hand, a little into the quay.
        let water = shore - 0.01;
        Ok(format!(
            "# Drawn by sample-scenes: the site of the scene {id}.\n\n[site]\nid = \"{id}\"\nname = \"Scene {id}\"\n\
             time_zone = \"Europe/Amsterdam\"\n\n[model]\nmanifest = {:?}\nruntime = {:?}\nthreads = 1\n\n\
             [broker]\nhost = \"127.0.0.1\"\nport = 1883\n\n[logbook]\npath = \"logbook.sqlite\"\n\n\
             [[camera]]\nid = \"quay\"\nname = \"Quay\"\nurl = \"rtsp://127.0.0.1:8554/quay\"\ncodec = \"h264\"\n\
             detect_fps = 4.0\n\
             water = [[0.0, {water:.3}], [1.0, {water:.3}], [1.0, 1.0], [0.0, 1.0]]\n\n{calibration}{drawn}",
            format!("{models}/havenwacht.toml"),
            format!("{models}/runtime/libonnxruntime.so"),
        ))
    }

    fn put(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}
