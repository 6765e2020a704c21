//! Writes the files of a scene: the clip, its boxes and its signals. Draws only what is out of date.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::encode::Encoder;
use crate::files;
use crate::material;
use crate::oracle;
use crate::renderer::Renderer;
use crate::scenes::{FPS, Scene};
use crate::site::Site;
use crate::truth::{TruthBox, from_text, to_text};

/// Raised whenever the same source pictures would give other pictures.
const DRAWING_VERSION: u32 = 4;

/// A scene and the folder of its files.
#[derive(Debug)]
pub struct Output<'a> {
    /// The scene.
    pub scene: &'a Scene,
    /// The folder.
    pub folder: &'a Path,
}

impl Output<'_> {
    fn path(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.scene.id))
    }

    /// Identifies what the clip is made of: the version of the drawing code and every source picture.
    fn stamp(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!(
            "{DRAWING_VERSION} {:?}",
            (self.scene.id, self.scene.quality, self.scene.seconds)
        ));
        material::sources().for_each(|source| hash.update(source));
        files::hex(&hash.finalize())
    }

    /// Whether the clip and its boxes exist and are made of the present source pictures.
    pub fn is_current(&self) -> bool {
        let stamp = std::fs::read_to_string(self.path("stamp")).unwrap_or_default();
        let complete = self.path("mp4").is_file() && self.path("gt.txt").is_file();
        complete && stamp == self.stamp()
    }

    /// Draws the clip; calls `progress` with the number of frames that are done.
    pub fn draw(&self, progress: &dyn Fn(u32)) -> Result<()> {
        files::create_folder(self.folder)?;
        // Without the stamp, existing files do not count as complete.
        let _removed = std::fs::remove_file(self.path("stamp"));
        let clip = self.path("mp4");
        let part = files::part(&clip);
        let frames = self.encode(&part, progress).inspect_err(|_| {
            let _removed = std::fs::remove_file(&part);
        })?;
        files::write(&self.path("gt.txt"), &to_text(&frames))?;
        std::fs::rename(&part, &clip).with_context(|| format!("cannot write {}", clip.display()))?;
        files::write(&self.path("stamp"), &self.stamp())
    }

    /// Draws the frames into an MP4 file at `path`; gives the boxes of each.
    fn encode(&self, path: &Path, progress: &dyn Fn(u32)) -> Result<Vec<Vec<TruthBox>>> {
        let scene = self.scene;
        let composition = (scene.composition)().with_context(|| format!("scene {}", scene.id))?;
        let mut renderer = Renderer::new(composition, scene.seconds as f32, FPS as f32)?;
        let mut encoder = Encoder::start(scene.codec, scene.quality, scene.size, [FPS, 1], path)?;
        let mut frames: Vec<Vec<TruthBox>> = Vec::new();
        for index in 0..scene.frames() {
            let (picture, boxes) = renderer.draw(index);
            encoder.push(picture)?;
            frames.push(boxes);
            progress(index + 1);
        }
        encoder.finish()?;
        Ok(frames)
    }

    /// Writes the signals that `site` must raise on the clip, from the boxes beside it; gives their number.
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
        let text = format!("{}\n", serde_json::to_string_pretty(&signals)?);
        files::write(&self.path("signals.json"), &text)?;
        Ok(signals.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes::SMALL;

    #[test]
    fn a_clip_is_out_of_date_when_a_file_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let short = Scene { seconds: 1, ..SMALL[0] };
        let output = Output { scene: &short, folder: folder.path() };
        assert!(!output.is_current());
        output.draw(&|_| {}).unwrap();
        assert!(output.is_current());
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        assert!(left.iter().all(|n| !n.to_string_lossy().ends_with(".part")), "{left:?}");
        std::fs::remove_file(output.path("gt.txt")).unwrap();
        assert!(!output.is_current());
    }
}
