//! `havenwacht logbook coco`: exports pictures of a replayed recording, with the detections as annotations to correct by hand
//! and to train on.
//!
//! Passes without detections have no row in the logbook, but recording and site file determine the frames of all passes. The
//! recording is therefore played twice: first to find these frames and to compare them with the logbook, before anything is
//! written; then to write the chosen frames.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use indicatif::ProgressBar;
use jiff::SignedDuration;
use serde::Serialize;

use super::recording::{Recording, played, progress};
use crate::clock::{MonoTime, Stamp};
use crate::config::Camera;
use crate::detect::{Class, Detection};
use crate::evidence;
use crate::frame::Frame;
use crate::logbook::{Reader, ReplayFrame};

/// One picture in this many has no detection. It shows a missed vessel, or the model learns from it what is not a vessel.
const ONE_EMPTY_IN: usize = 5;
/// The logbook stores the recording's start and the frame's time in whole milliseconds.
const TIMES_AGREE_WITHIN: SignedDuration = SignedDuration::from_millis(1);

/// Export pictures of a replayed recording, with its detections as COCO annotations to correct and train on.
#[derive(Debug, Args)]
pub struct CocoArgs {
    /// Site file of the replay. The camera's privacy masks are black in the pictures.
    #[arg(long)]
    config: PathBuf,
    /// Logbook of the replay.
    #[arg(long)]
    logbook: PathBuf,
    /// Camera of the recording.
    #[arg(long)]
    camera: String,
    /// The recording.
    #[arg(long)]
    recording: PathBuf,
    /// Folder to write images/ and instances.json into; absent or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of pictures, spread over the recording. A fifth of them have no detection.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    frames: u16,
}

/// The contents of instances.json (<https://cocodataset.org/#format-data>, object detection).
#[derive(Debug, Serialize)]
struct CocoDataset {
    images: Vec<CocoImage>,
    annotations: Vec<Annotation>,
    categories: [Category; 2],
}

#[derive(Debug, Serialize)]
struct CocoImage {
    id: usize,
    /// Path below images/.
    file_name: String,
    width: u32,
    height: u32,
    /// Training and evaluation keep cameras apart.
    camera: String,
}

#[derive(Debug, Serialize)]
struct Annotation {
    id: usize,
    image_id: usize,
    category_id: u8,
    /// Left, top, width, height; pixels.
    bbox: [f64; 4],
    /// Square pixels.
    area: f64,
    iscrowd: u8,
    /// The detector's confidence, 0 to 1.
    score: f64,
}

#[derive(Debug, Serialize)]
struct Category {
    id: u8,
    name: &'static str,
}

/// Writes the set into a new or empty folder, and a summary to `out`.
pub(super) fn coco(args: &CocoArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let site = super::site::load_site(&args.config)?;
    let index = super::site::camera_index(&site, &args.camera).context("--camera")?;
    let camera = &site.cameras[index];
    check_empty(&args.out)?;
    let (book, clip) = (args.logbook.display(), args.recording.display());
    let reader = Reader::open(&args.logbook)?;
    let Some(replay) = reader.newest_replay()? else {
        bail!(
            "{book} is not the logbook of a replay: run `havenwacht replay` on {clip}, and give its logbook"
        )
    };
    ensure!(replay.complete, "the replay that wrote {book} did not finish: run it again");
    ensure!(
        replay.config_hash == site.hash,
        "{} has changed since {book} was written, so the frames of its passes are unknown: replay {clip} again",
        args.config.display()
    );
    let recorded_frames = reader.replay_frames(&replay, camera.id.as_str())?;
    ensure!(
        !recorded_frames.is_empty(),
        "{book} has no detection of camera `{}`: it was not replayed, or nothing was detected",
        camera.id
    );

    let start = Stamp { mono: MonoTime::from_boot(Duration::ZERO), wall: replay.began };
    let bar = progress();
    let frames = pass_frames(Recording::open(camera, &args.recording, start)?, &recorded_frames, &bar)
        .with_context(|| format!("{clip} does not match {book}"))?;
    let chosen = choose(&frames, &recorded_frames, usize::from(args.frames));
    let images = args.out.join("images");
    fs::create_dir_all(&images).with_context(|| format!("cannot create {}", images.display()))?;
    let recording = Recording::open(camera, &args.recording, start)?;
    let set = write_pictures(recording, camera, &chosen, &recorded_frames, &images, &bar)?;
    let file = args.out.join("instances.json");
    fs::write(&file, serde_json::to_vec_pretty(&set)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    bar.finish_and_clear();

    let empty = chosen.iter().filter(|frame| !recorded_frames.contains_key(frame)).count();
    writeln!(
        out,
        "{} pictures ({empty} without detections) and {} boxes in {}",
        set.images.len(),
        set.annotations.len(),
        args.out.display()
    )?;
    writeln!(
        out,
        "The boxes are the detector's results. Correct them, and add what it missed, before you train on them."
    )?;
    Ok(())
}

/// An error unless the folder is empty, because it may contain corrected boxes.
fn check_empty(folder: &Path) -> anyhow::Result<()> {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            ensure!(entries.next().is_none(), "{} is not empty: give a new folder", folder.display());
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot write into {}", folder.display())),
    }
}

/// The frame numbers of the replay's passes. An error when the logbook has detections in another frame, or at another time:
/// then another recording was replayed.
fn pass_frames(
    mut recording: Recording,
    recorded_frames: &BTreeMap<u64, ReplayFrame>,
    bar: &ProgressBar,
) -> anyhow::Result<Vec<u64>> {
    let mut frames = Vec::new();
    let mut expected = recorded_frames.iter().peekable();
    while let Some(frame) = recording.next_due()? {
        if let Some((number, recorded)) = expected.next_if(|(number, _)| **number <= frame.seq) {
            let apart = frame.stamp.wall.duration_since(recorded.at).abs();
            let fits =
                *number == frame.seq && apart <= TIMES_AGREE_WITHIN && recorded.size == frame.picture.size;
            ensure!(fits, "{}", missing(*number, recorded));
        }
        frames.push(frame.seq);
        bar.set_message(format!("reading: {}", played(&frame.stamp)));
    }
    match expected.next() {
        Some((number, recorded)) => bail!(missing(*number, recorded)),
        None => Ok(frames),
    }
}

fn missing(frame: u64, recorded: &ReplayFrame) -> String {
    let ReplayFrame { at, size, .. } = recorded;
    format!(
        "the logbook has detections at frame {frame}, {at}, {}x{}, but the recording has no pass there",
        size.width, size.height
    )
}

/// Chooses frames, some of them without detections. Each kind is spread evenly; when one kind has too few, the other fills up.
fn choose(passes: &[u64], recorded_frames: &BTreeMap<u64, ReplayFrame>, frames: usize) -> BTreeSet<u64> {
    let (detected, empty): (Vec<u64>, Vec<u64>) =
        passes.iter().partition(|frame| recorded_frames.contains_key(frame));
    let of_empty = (frames / ONE_EMPTY_IN).max(frames.saturating_sub(detected.len())).min(empty.len());
    spread(&detected, frames - of_empty).chain(spread(&empty, of_empty)).collect()
}

/// At most `wanted` of `list`, evenly spread.
fn spread(list: &[u64], wanted: usize) -> impl Iterator<Item = u64> {
    let wanted = wanted.min(list.len());
    (0..wanted).map(move |i| list[(2 * i + 1) * list.len() / (2 * wanted)])
}

/// Writes the chosen frames into `folder`, in the order of time.
fn write_pictures(
    mut recording: Recording,
    camera: &Camera,
    chosen: &BTreeSet<u64>,
    recorded_frames: &BTreeMap<u64, ReplayFrame>,
    folder: &Path,
    bar: &ProgressBar,
) -> anyhow::Result<CocoDataset> {
    let categories = [Class::Vessel, Class::Person].map(|c| Category { id: category(c), name: c.as_str() });
    let mut set = CocoDataset { images: Vec::new(), annotations: Vec::new(), categories };
    while set.images.len() < chosen.len() {
        let Some(frame) = recording.next_due()? else {
            bail!("the recording became shorter while it was read")
        };
        if !chosen.contains(&frame.seq) {
            continue;
        }
        let seen = recorded_frames.get(&frame.seq).map_or(&[][..], |recorded| &recorded.detections);
        let path = folder.join(set.add(&frame, seen));
        let jpeg = evidence::whole(&frame.picture, &camera.privacy_masks)?;
        fs::write(&path, jpeg).with_context(|| format!("cannot write {}", path.display()))?;
        bar.set_message(format!("{} of {} pictures written", set.images.len(), chosen.len()));
    }
    Ok(set)
}

impl CocoDataset {
    /// Adds a frame and its detections; returns the name of its picture.
    fn add(&mut self, frame: &Frame, seen: &[Detection]) -> String {
        let (id, size) = (self.images.len() + 1, frame.picture.size);
        let utc = frame.stamp.wall.strftime("%Y%m%dT%H%M%S.%3fZ");
        let file_name = format!("{}-{utc}.jpg", frame.camera);
        let (width, height, camera) = (size.width, size.height, frame.camera.to_string());
        self.images.push(CocoImage { id, file_name: file_name.clone(), width, height, camera });
        for detection in seen {
            let bbox = &detection.bbox;
            let bbox = [bbox.x0, bbox.y0, bbox.width(), bbox.height()].map(|v| rounded(v, 10.0));
            self.annotations.push(Annotation {
                id: self.annotations.len() + 1,
                image_id: id,
                category_id: category(detection.class),
                bbox,
                area: bbox[2] * bbox[3],
                iscrowd: 0,
                score: rounded(detection.confidence, 1000.0),
            });
        }
        file_name
    }
}

fn category(class: Class) -> u8 {
    match class {
        Class::Vessel => 1,
        Class::Person => 2,
    }
}

fn rounded(value: f32, parts: f64) -> f64 {
    (f64::from(value) * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::FrameSize;

    /// The chosen frames of a hundred passes, those with a detection and those without. `seen` says which passes have one.
    fn chosen(seen: impl Fn(u64) -> bool, frames: usize) -> (Vec<u64>, Vec<u64>) {
        let passes: Vec<u64> = (0..100).map(|i| i * 5).collect();
        let size = FrameSize { width: 4, height: 4 };
        let recorded = ReplayFrame { at: jiff::Timestamp::UNIX_EPOCH, size, detections: Vec::new() };
        let recorded_frames =
            passes.iter().filter(|&&f| seen(f / 5)).map(|&f| (f, recorded.clone())).collect();
        choose(&passes, &recorded_frames, frames)
            .into_iter()
            .partition(|frame| recorded_frames.contains_key(frame))
    }

    #[test]
    fn a_fifth_of_the_pictures_has_no_detection() {
        let (seen, unseen) = chosen(|pass| pass % 2 == 0, 10);
        assert_eq!(seen, [30, 90, 150, 210, 280, 340, 400, 460]);
        assert_eq!(unseen, [125, 375]);
    }

    #[test]
    fn the_other_kind_fills_up_a_shortage() {
        let count = |seen: fn(u64) -> bool, frames| {
            let (seen, unseen) = chosen(seen, frames);
            (seen.len(), unseen.len())
        };
        assert_eq!(count(|pass| pass < 3, 50), (3, 47));
        assert_eq!(count(|_| true, 50), (50, 0));
        assert_eq!(count(|pass| pass != 7, 50), (49, 1));
        assert_eq!(count(|pass| pass < 60, 1000), (60, 40));
        assert_eq!(count(|pass| pass < 60, 1), (1, 0));
    }
}
