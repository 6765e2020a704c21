//! Makes the files of a scene: the clip, its boxes and its signals, and knows when they are up to date.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::encode::Encoder;
use crate::material::Material;
use crate::oracle;
use crate::scenes::{FPS, Scene};
use crate::site::Site;
use crate::stage::Stage;
use crate::truth::{Seen, from_text, to_text};

/// Raised whenever the same material would give another picture.
const EDITION: u32 = 4;

/// Where the files of a scene go.
#[derive(Debug)]
pub struct Output<'a> {
    /// The scene.
    pub scene: &'a Scene,
    /// The folder.
    pub folder: &'a Path,
}

impl Output<'_> {
    fn path(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.scene.id))
    }

    /// What the clip was made of: the edition of the drawing and every file that goes into it.
    fn stamp(&self, material: Option<&Material>) -> Result<String> {
        let mut hash = Sha256::new();
        hash.update(format!("{EDITION} {:?}", (self.scene.id, self.scene.quality, self.scene.seconds)));
        for file in material.iter().flat_map(|m| m.files()) {
            hash.update(std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?);
        }
        let mut text = String::new();
        for byte in hash.finalize() {
            // Writing to a String cannot fail.
            let _ok = write!(text, "{byte:02x}");
        }
        Ok(text)
    }

    /// Whether the clip and its boxes are there and made of this material.
    pub fn is_current(&self, material: Option<&Material>) -> Result<bool> {
        let have = std::fs::read_to_string(self.path("stamp")).unwrap_or_default();
        let whole = self.path("mp4").is_file() && self.path("gt.txt").is_file();
        Ok(whole && have == self.stamp(material)?)
    }

    /// Draws the clip; `progress` is told the number of frames done.
    pub fn draw(&self, material: Option<&Material>, progress: &dyn Fn(u32)) -> Result<()> {
        std::fs::create_dir_all(self.folder)
            .with_context(|| format!("cannot create the folder {}", self.folder.display()))?;
        // Without the stamp, whatever stands here does not count as done.
        let _gone = std::fs::remove_file(self.path("stamp"));
        let part = self.path("mp4.part");
        let frames = self.encode(material, &part, progress).inspect_err(|_| {
            let _gone = std::fs::remove_file(&part);
        })?;
        self.put("gt.txt", &to_text(&frames))?;
        let clip = self.path("mp4");
        std::fs::rename(&part, &clip).with_context(|| format!("cannot put {} in place", clip.display()))?;
        self.put("stamp", &self.stamp(material)?)
    }

    /// Draws the pictures into an MP4 file at `path`; what is in each.
    fn encode(
        &self,
        material: Option<&Material>,
        path: &Path,
        progress: &dyn Fn(u32),
    ) -> Result<Vec<Vec<Seen>>> {
        let scene = self.scene;
        let setting = (scene.setting)(material).with_context(|| format!("scene {}", scene.id))?;
        let mut stage = Stage::new(setting, material, scene.seconds as f32, FPS as f32)?;
        let mut encoder = Encoder::start(scene.codec, scene.quality, scene.size, [FPS, 1], path)?;
        let mut frames: Vec<Vec<Seen>> = Vec::new();
        for index in 0..scene.frames() {
            let (picture, seen) = stage.draw(index);
            encoder.push(picture)?;
            frames.push(seen);
            progress(index + 1);
        }
        encoder.finish()?;
        Ok(frames)
    }

    /// Writes the signals that `site` must raise on the clip, from the boxes beside it; how many there are.
    pub fn write_signals(&self, site: &Site) -> Result<usize> {
        let path = self.path("gt.txt");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let frames = from_text(&text, self.scene.frames() as usize)
            .with_context(|| format!("in {}", path.display()))?;
        let signals = oracle::signals(
            site,
            self.scene.id,
            &frames,
            self.scene.size,
            f64::from(FPS),
            oracle::DEMO_START,
        )?;
        self.put("signals.json", &format!("{}\n", serde_json::to_string_pretty(&signals)?))?;
        Ok(signals.len())
    }

    fn put(&self, ending: &str, text: &str) -> Result<()> {
        let (part, whole) = (self.path(&format!("{ending}.part")), self.path(ending));
        std::fs::write(&part, text)
            .and_then(|()| std::fs::rename(&part, &whole))
            .with_context(|| format!("cannot write {}", whole.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes::SMALL;

    #[test]
    fn a_clip_is_drawn_once_and_again_only_when_something_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let short = Scene { seconds: 1, ..SMALL[0] };
        let output = Output { scene: &short, folder: folder.path() };
        assert!(!output.is_current(None).unwrap());
        output.draw(None, &|_| {}).unwrap();
        assert!(output.is_current(None).unwrap());
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        assert!(left.iter().all(|n| !n.to_string_lossy().ends_with(".part")), "{left:?}");
        std::fs::remove_file(output.path("gt.txt")).unwrap();
        assert!(!output.is_current(None).unwrap());
    }
}
