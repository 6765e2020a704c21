//! The file beside the logbook that keeps the clutter maps of all cameras, so that they survive a restart.
//!
//! Nothing depends on it: without it the cameras learn anew within a day. So a file that cannot be read or written gives a
//! warning, and never stops the daemon.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock;
use crate::ids::CameraId;
use crate::track::{CLUTTER_GRID, ClutterCell, ClutterMap};

/// The format that this version writes and reads.
const FORMAT: u32 = 1;

/// What all cameras have learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct LearntClutter {
    /// The moment; times since then count as passed.
    pub saved: Timestamp,
    /// The maps.
    pub cameras: BTreeMap<CameraId, ClutterMap>,
}

/// Why a clutter file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClutterFileError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no JSON, or JSON of something else.
    #[error("it is damaged, or another program wrote it (at line {}, column {})", .0.line(), .0.column())]
    Foreign(#[from] serde_json::Error),
    /// Another version of the program wrote it.
    #[error("it has format {0}, and this version reads format {FORMAT}")]
    Format(u32),
    /// A map has the wrong size, or an impossible number.
    #[error("the map of camera `{camera}` is not {} x {} numbers in their limits", CLUTTER_GRID[0], CLUTTER_GRID[1])]
    Map {
        /// Whose map.
        camera: String,
    },
}

#[derive(Deserialize)]
struct ClutterFormat {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct StoredClutter {
    format: u32,
    saved: Timestamp,
    cameras: BTreeMap<String, StoredMap>,
}

#[derive(Serialize, Deserialize)]
struct StoredMap {
    columns: usize,
    rows: usize,
    ended: Vec<f64>,
    inspected_s: Vec<f64>,
}

impl StoredMap {
    fn of(map: &ClutterMap) -> Self {
        let rounded = |value: f32| (f64::from(value) * 1000.0).round() / 1000.0;
        let [columns, rows] = CLUTTER_GRID;
        let ended = map.cells().iter().map(|cell| rounded(cell.ended)).collect();
        let inspected_s = map.cells().iter().map(|cell| rounded(cell.inspected_s)).collect();
        Self { columns, rows, ended, inspected_s }
    }

    fn map(&self) -> Option<ClutterMap> {
        let fits = [self.columns, self.rows] == CLUTTER_GRID && self.ended.len() == self.inspected_s.len();
        let cell = |(&ended, &inspected_s): (&f64, &f64)| ClutterCell {
            ended: ended as f32,
            inspected_s: inspected_s as f32,
        };
        let cells = self.ended.iter().zip(&self.inspected_s).map(cell).collect();
        fits.then(|| ClutterMap::from_cells(cells)).flatten()
    }
}

/// The clutter file of a logbook.
pub fn clutter_path(logbook: &Path) -> PathBuf {
    logbook.with_extension("clutter.json")
}

/// Reads a clutter file; `None` when there is none.
///
/// # Errors
///
/// [`ClutterFileError`] when it cannot be read, or holds something else.
pub fn read_clutter(path: &Path) -> Result<Option<LearntClutter>, ClutterFileError> {
    let bytes = match fs::read(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read?,
    };
    // First the format alone: another one may have other fields.
    let ClutterFormat { format } = serde_json::from_slice(&bytes)?;
    if format != FORMAT {
        return Err(ClutterFileError::Format(format));
    }
    let StoredClutter { saved, cameras, .. } = serde_json::from_slice(&bytes)?;
    let read = |(camera, stored): (String, StoredMap)| match (CameraId::new(&camera), stored.map()) {
        (Ok(id), Some(map)) => Ok((id, map)),
        _ => Err(ClutterFileError::Map { camera }),
    };
    Ok(Some(LearntClutter { saved, cameras: cameras.into_iter().map(read).collect::<Result<_, _>>()? }))
}

/// What the file says at a start, as much of it as is left `now`. A file that cannot be used is logged.
pub(super) fn resume(path: &Path, now: Timestamp) -> LearntClutter {
    let read = read_clutter(path).unwrap_or_else(|cause| {
        tracing::warn!(
            "the clutter maps cannot be read from {}: {cause}; the cameras start to learn anew, and the next save overwrites the file",
            path.display()
        );
        None
    });
    let mut learnt = read.unwrap_or(LearntClutter { saved: now, cameras: BTreeMap::new() });
    // A clock that went back, or was not set at the save, does not say how much time passed.
    let off = Duration::try_from(now.duration_since(learnt.saved)).unwrap_or_default();
    if clock::is_set(learnt.saved) {
        learnt.cameras.values_mut().for_each(|map| map.forget(off));
    }
    learnt
}

/// Writes the clutter file of one logbook.
pub(super) struct ClutterWriter {
    logbook: PathBuf,
    path: PathBuf,
    /// The last save failed.
    failed: bool,
}

impl ClutterWriter {
    pub(super) fn new(logbook: &Path) -> Self {
        Self { logbook: logbook.into(), path: clutter_path(logbook), failed: false }
    }

    /// Saves whenever something new was learnt, and for the last time when its sender is gone. The disk may be slow, so this
    /// neither runs on the detector thread nor blocks the async one.
    pub(super) async fn run(mut self, mut learnt: watch::Receiver<LearntClutter>) {
        while learnt.changed().await.is_ok() {
            let newest = learnt.borrow_and_update().clone();
            let saving = tokio::task::spawn_blocking(move || {
                self.save(&newest);
                self
            });
            match saving.await {
                Ok(writer) => self = writer,
                // It panicked, or the process ends.
                Err(_) => return,
            }
        }
    }

    /// Logs the first of several failures.
    fn save(&mut self, learnt: &LearntClutter) {
        let (path, written) = (self.path.display(), self.write(learnt));
        match &written {
            Ok(()) if self.failed => tracing::info!("the clutter maps are saved again to {path}"),
            Err(cause) if !self.failed => tracing::warn!(
                "the clutter maps cannot be saved to {path}: {cause}; detection continues, and a restart would lose what was learnt since the last save"
            ),
            _ => {}
        }
        self.failed = written.is_err();
    }

    /// Replaces the file as a whole, so that a power cut leaves the old one or the new one.
    fn write(&self, learnt: &LearntClutter) -> io::Result<()> {
        let cameras = learnt.cameras.iter().map(|(id, map)| (id.to_string(), StoredMap::of(map))).collect();
        let text = serde_json::to_vec(&StoredClutter { format: FORMAT, saved: learnt.saved, cameras })?;
        let part = self.path.with_extension("json.part");
        let replaced = self.write_part(&part, &text).and_then(|()| fs::rename(&part, &self.path));
        if replaced.is_err() {
            // On a full disk, other files need the room. It may not exist.
            let _absent = fs::remove_file(&part);
        }
        replaced?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn write_part(&self, part: &Path, text: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(part)?;
        // Whoever may read the logbook may read this.
        if let Ok(logbook) = fs::metadata(&self.logbook) {
            file.set_permissions(logbook.permissions())?;
        }
        file.write_all(text)?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A camera that learnt something at each place, in values that the file can hold.
    fn learnt() -> LearntClutter {
        let cell =
            |index: usize| ClutterCell { ended: index as f32 / 8.0, inspected_s: index as f32 * 100.5 };
        let map = ClutterMap::from_cells((0..CLUTTER_GRID[0] * CLUTTER_GRID[1]).map(cell).collect()).unwrap();
        let cameras = [("quay-east", map), ("mouth", ClutterMap::default())];
        let cameras = cameras.map(|(id, map)| (CameraId::new(id).unwrap(), map)).into();
        LearntClutter { saved: time("2026-06-01T20:13:00Z"), cameras }
    }

    /// A folder with a logbook, and the writer of its clutter file.
    fn writer() -> (tempfile::TempDir, ClutterWriter) {
        let folder = tempfile::tempdir().unwrap();
        let logbook = folder.path().join("logbook.sqlite");
        fs::write(&logbook, "").unwrap();
        fs::set_permissions(&logbook, fs::Permissions::from_mode(0o640)).unwrap();
        let writer = ClutterWriter::new(&logbook);
        assert_eq!(writer.path, folder.path().join("logbook.clutter.json"));
        (folder, writer)
    }

    #[test]
    fn what_was_saved_is_read_again() {
        let (folder, mut writer) = writer();
        assert_eq!(read_clutter(&writer.path).unwrap(), None);
        writer.save(&learnt());
        assert_eq!(read_clutter(&writer.path).unwrap(), Some(learnt()));
        assert_eq!(fs::metadata(&writer.path).unwrap().permissions().mode() & 0o777, 0o640);
        // A camera that left the site file is not among those of the next save.
        let mut fewer = learnt();
        fewer.cameras.pop_first();
        writer.save(&fewer);
        assert_eq!(read_clutter(&writer.path).unwrap(), Some(fewer));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "logbook and clutter file");
        let text = fs::read_to_string(&writer.path).unwrap();
        assert!(
            text.starts_with(r#"{"format":1,"saved":"2026-06-01T20:13:00Z","cameras":{"quay-east":{"#),
            "{text}"
        );
    }

    #[test]
    fn long_numbers_are_rounded_and_then_stay() {
        let (_folder, mut writer) = writer();
        let mut now = learnt();
        now.cameras.values_mut().for_each(|map| map.forget(Duration::from_secs(12_345)));
        writer.save(&now);
        let read = read_clutter(&writer.path).unwrap().unwrap();
        for (id, map) in &read.cameras {
            let near = |(a, b): (&ClutterCell, &ClutterCell)| {
                (a.ended - b.ended).abs() < 1e-3 && (a.inspected_s - b.inspected_s).abs() < 1e-2
            };
            assert!(map.cells().iter().zip(now.cameras[id].cells()).all(near));
        }
        writer.save(&read);
        assert_eq!(read_clutter(&writer.path).unwrap(), Some(read));
    }

    #[test]
    fn time_while_it_was_off_counts_and_a_clock_that_went_back_does_not() {
        let (_folder, mut writer) = writer();
        writer.save(&learnt());
        let ended = |now: &str| {
            let resumed = resume(&writer.path, time(now));
            resumed.cameras[&CameraId::new("quay-east").unwrap()].cells()[80].ended
        };
        assert_eq!(ended("2026-06-01T20:13:00Z"), 10.0);
        assert!((ended("2026-06-02T20:13:00Z") - 5.0).abs() < 1e-4);
        assert_eq!(ended("2026-05-31T20:13:00Z"), 10.0);
        assert_eq!(ended("1970-01-01T00:00:20Z"), 10.0);
        // Saved before a time server had set the clock.
        let (_folder, mut unset) = self::writer();
        unset.save(&LearntClutter { saved: time("1970-01-01T00:10:00Z"), ..learnt() });
        let resumed = resume(&unset.path, time("2026-06-01T20:13:00Z"));
        assert_eq!(resumed.cameras, learnt().cameras);
    }

    #[test]
    fn a_file_that_cannot_be_used_says_why_and_is_overwritten() {
        let (_folder, mut writer) = writer();
        writer.save(&learnt());
        let good = fs::read_to_string(&writer.path).unwrap();
        for (bad, why) in [
            (String::new(), "it is damaged, or another program wrote it"),
            (good[..good.len() / 2].to_owned(), "it is damaged, or another program wrote it"),
            ("\0".repeat(100), "it is damaged, or another program wrote it"),
            ("{\"type\": \"FeatureCollection\"}".to_owned(), "it is damaged, or another program wrote it"),
            ("[1, 2]".to_owned(), "it is damaged, or another program wrote it"),
            (
                good.replace("\"format\":1", "\"format\":2"),
                "it has format 2, and this version reads format 1",
            ),
            (good.replace("\"rows\":18", "\"rows\":9"), "the map of camera `mouth` is not 32 x 18 numbers"),
            (good.replacen("\"ended\":[0.0,", "\"ended\":[", 1), "the map of camera `mouth`"),
            (good.replacen("0.125", "-0.125", 1), "the map of camera `quay-east`"),
            (good.replacen("0.125", "1e38", 1), "the map of camera `quay-east`"),
            (good.replacen("0.125", "1e300", 1), "the map of camera `quay-east`"),
            (good.replacen("quay-east", "Quay East", 1), "the map of camera `Quay East`"),
            (good.replacen("2026-06-01T", "yesterday ", 1), "it is damaged, or another program wrote it"),
        ] {
            fs::write(&writer.path, &bad).unwrap();
            let error = read_clutter(&writer.path).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains('\n'), "{error}, not {why}");
            assert_eq!(resume(&writer.path, time("2026-06-01T20:13:00Z")).cameras, BTreeMap::new());
            writer.save(&learnt());
            assert_eq!(read_clutter(&writer.path).unwrap(), Some(learnt()), "after {why}");
        }
        fs::remove_file(&writer.path).unwrap();
        fs::create_dir(&writer.path).unwrap();
        assert!(matches!(read_clutter(&writer.path), Err(ClutterFileError::Io(_))));
    }

    #[test]
    fn a_save_that_fails_leaves_the_old_file_and_is_tried_again() {
        let (folder, mut writer) = writer();
        writer.save(&learnt());
        // A folder has the name of the new file, so it cannot be written.
        let part = folder.path().join("logbook.clutter.json.part");
        fs::create_dir(&part).unwrap();
        let newer = LearntClutter { saved: time("2026-06-02T00:00:00Z"), ..learnt() };
        for _ in 0..2 {
            writer.save(&newer);
            assert!(writer.failed);
            assert_eq!(read_clutter(&writer.path).unwrap(), Some(learnt()));
        }
        fs::remove_dir(&part).unwrap();
        writer.save(&newer);
        assert!(!writer.failed);
        assert_eq!(read_clutter(&writer.path).unwrap(), Some(newer));
    }

    #[tokio::test]
    async fn the_last_maps_are_saved_when_their_sender_is_gone() {
        let (_folder, writer) = writer();
        let path = writer.path.clone();
        let (sender, receiver) = watch::channel(LearntClutter { cameras: BTreeMap::new(), ..learnt() });
        let saving = tokio::spawn(writer.run(receiver));
        sender.send_replace(learnt());
        drop(sender);
        saving.await.unwrap();
        assert_eq!(read_clutter(&path).unwrap(), Some(learnt()));
    }
}
