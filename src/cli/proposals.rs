//! `havenwacht logbook coco`: pictures of a recording with the detections of its replay, as boxes to be corrected by hand
//! and trained on.
//!
//! A look that saw nothing has no row in the logbook. But a recording and a site file say which frames were looked at, so
//! the recording is played twice: once to find these frames and to see that the logbook's fit among them, before anything
//! is written, and once to write those that were chosen.

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

use super::reel::{Reel, played, progress};
use crate::clock::{MonoTime, Stamp};
use crate::config::Camera;
use crate::detect::{Class, Detection};
use crate::evidence;
use crate::frame::Frame;
use crate::logbook::{Reader, Sight};

/// In one picture of so many nothing was detected: there the detector missed something, or a model learns what nothing
/// looks like.
const ONE_UNSEEN_IN: usize = 5;
/// The logbook keeps whole milliseconds of the recording's start and of the frame's time.
const TIMES_AGREE_WITHIN: SignedDuration = SignedDuration::from_millis(1);

/// Write pictures of a replayed recording, and its detections as proposed boxes in COCO's form, to correct and train on.
#[derive(Debug, Args)]
pub struct CocoArgs {
    /// Site file the recording was replayed with; the camera's privacy masks are black in the pictures.
    #[arg(long)]
    config: PathBuf,
    /// Logbook that the replay wrote.
    #[arg(long)]
    logbook: PathBuf,
    /// Camera that the recording was replayed as.
    #[arg(long)]
    camera: String,
    /// The recording.
    #[arg(long)]
    recording: PathBuf,
    /// Folder to write images/ and instances.json into; absent or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// So many pictures, spread over the recording; a fifth of them where nothing was detected.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    frames: u16,
}

/// What is written to instances.json (<https://cocodataset.org/#format-data>, object detection).
#[derive(Debug, Serialize)]
struct Coco {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: [Category; 2],
}

#[derive(Debug, Serialize)]
struct Image {
    id: usize,
    /// Below images/.
    file_name: String,
    width: u32,
    height: u32,
    /// Sets are kept apart by camera when a model is trained and scored.
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

/// Writes the set into a new or empty folder; what was written is said on `out`.
pub(super) fn coco(args: &CocoArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let site = super::load_site(&args.config)?;
    let index = super::camera_index(&site, &args.camera).context("--camera")?;
    let camera = &site.cameras[index];
    refuse_full(&args.out)?;
    let (book, clip) = (args.logbook.display(), args.recording.display());
    let reader = Reader::open(&args.logbook)?;
    let Some(replay) = reader.replay()? else {
        bail!("{book} was not written by a replay: run `havenwacht replay` on {clip}, and name its logbook")
    };
    ensure!(replay.complete, "the replay that wrote {book} did not come to its end: run it again");
    ensure!(
        replay.config_hash == site.hash,
        "{} is not as it was when {book} was written, so it is unknown which frames were looked at: replay {clip} again",
        args.config.display()
    );
    let sights = reader.sights(&replay, camera.id.as_str())?;
    ensure!(
        !sights.is_empty(),
        "{book} has no detection of camera `{}`: it was not replayed, or nothing was seen",
        camera.id
    );

    let start = Stamp { mono: MonoTime::from_boot(Duration::ZERO), wall: replay.began };
    let bar = progress();
    let looks = looks(Reel::open(camera, &args.recording, start)?, &sights, &bar)
        .with_context(|| format!("{clip} does not go with {book}"))?;
    let chosen = choose(&looks, &sights, usize::from(args.frames));
    let images = args.out.join("images");
    fs::create_dir_all(&images).with_context(|| format!("cannot create {}", images.display()))?;
    let reel = Reel::open(camera, &args.recording, start)?;
    let set = write_pictures(reel, camera, &chosen, &sights, &images, &bar)?;
    let file = args.out.join("instances.json");
    fs::write(&file, serde_json::to_vec_pretty(&set)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    bar.finish_and_clear();

    let unseen = chosen.iter().filter(|frame| !sights.contains_key(frame)).count();
    writeln!(
        out,
        "{} pictures ({unseen} where nothing was detected) and {} boxes in {}",
        set.images.len(),
        set.annotations.len(),
        args.out.display()
    )?;
    writeln!(
        out,
        "The boxes are the detector's proposals: correct them, and draw what it missed, before training on them."
    )?;
    Ok(())
}

/// Somebody's corrected boxes may be in it.
fn refuse_full(folder: &Path) -> anyhow::Result<()> {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            ensure!(entries.next().is_none(), "{} is not empty: name a new folder", folder.display());
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot write into {}", folder.display())),
    }
}

/// The numbers of the frames that the replay looked at. An error when the logbook saw something in any other frame, or at
/// another time: then it is not this recording that was replayed.
fn looks(mut reel: Reel, sights: &BTreeMap<u64, Sight>, bar: &ProgressBar) -> anyhow::Result<Vec<u64>> {
    let mut looks = Vec::new();
    let mut sought = sights.iter().peekable();
    while let Some(frame) = reel.next_due()? {
        if let Some((number, sight)) = sought.next_if(|(number, _)| **number <= frame.seq) {
            let apart = frame.stamp.wall.duration_since(sight.at).abs();
            let fits =
                *number == frame.seq && apart <= TIMES_AGREE_WITHIN && sight.size == frame.picture.size;
            ensure!(fits, "{}", missing(*number, sight));
        }
        looks.push(frame.seq);
        bar.set_message(format!("reading: {}", played(&frame.stamp)));
    }
    match sought.next() {
        Some((number, sight)) => bail!(missing(*number, sight)),
        None => Ok(looks),
    }
}

fn missing(frame: u64, sight: &Sight) -> String {
    let Sight { at, size, .. } = sight;
    format!(
        "the recording has no look at frame {frame}, {at}, {}x{}, where the logbook has detections",
        size.width, size.height
    )
}

/// So many frames, some of them with nothing seen; each kind spread evenly. Where one kind is short, the other fills up.
fn choose(looks: &[u64], sights: &BTreeMap<u64, Sight>, frames: usize) -> BTreeSet<u64> {
    let (seen, unseen): (Vec<u64>, Vec<u64>) = looks.iter().partition(|frame| sights.contains_key(frame));
    let of_unseen = (frames / ONE_UNSEEN_IN).max(frames.saturating_sub(seen.len())).min(unseen.len());
    spread(&seen, frames - of_unseen).chain(spread(&unseen, of_unseen)).collect()
}

/// At most `wanted` of `list`, each from the middle of its share.
fn spread(list: &[u64], wanted: usize) -> impl Iterator<Item = u64> {
    let wanted = wanted.min(list.len());
    (0..wanted).map(move |i| list[(2 * i + 1) * list.len() / (2 * wanted)])
}

/// Writes the chosen frames into `folder`, earliest first.
fn write_pictures(
    mut reel: Reel,
    camera: &Camera,
    chosen: &BTreeSet<u64>,
    sights: &BTreeMap<u64, Sight>,
    folder: &Path,
    bar: &ProgressBar,
) -> anyhow::Result<Coco> {
    let categories = [Class::Vessel, Class::Person].map(|c| Category { id: category(c), name: c.as_str() });
    let mut set = Coco { images: Vec::new(), annotations: Vec::new(), categories };
    while set.images.len() < chosen.len() {
        let Some(frame) = reel.next_due()? else { bail!("the recording became shorter while it was read") };
        if !chosen.contains(&frame.seq) {
            continue;
        }
        let seen = sights.get(&frame.seq).map_or(&[][..], |sight| &sight.detections);
        let path = folder.join(set.add(&frame, seen));
        let jpeg = evidence::whole(&frame.picture, &camera.privacy_masks)?;
        fs::write(&path, jpeg).with_context(|| format!("cannot write {}", path.display()))?;
        bar.set_message(format!("{} of {} pictures written", set.images.len(), chosen.len()));
    }
    Ok(set)
}

impl Coco {
    /// Lists a frame and what was seen in it; the name of its picture.
    fn add(&mut self, frame: &Frame, seen: &[Detection]) -> String {
        let (id, size) = (self.images.len() + 1, frame.picture.size);
        let utc = frame.stamp.wall.strftime("%Y%m%dT%H%M%S.%3fZ");
        let file_name = format!("{}-{utc}.jpg", frame.camera);
        let (width, height, camera) = (size.width, size.height, frame.camera.to_string());
        self.images.push(Image { id, file_name: file_name.clone(), width, height, camera });
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

    /// Of a hundred looks, those that `seen` names saw something.
    fn chosen(seen: impl Fn(u64) -> bool, frames: usize) -> (Vec<u64>, Vec<u64>) {
        let looks: Vec<u64> = (0..100).map(|i| i * 5).collect();
        let size = FrameSize { width: 4, height: 4 };
        let sight = Sight { at: jiff::Timestamp::UNIX_EPOCH, size, detections: Vec::new() };
        let sights = looks.iter().filter(|&&f| seen(f / 5)).map(|&f| (f, sight.clone())).collect();
        choose(&looks, &sights, frames).into_iter().partition(|frame| sights.contains_key(frame))
    }

    #[test]
    fn pictures_are_spread_over_the_recording_and_a_fifth_of_them_shows_what_was_not_seen() {
        let (seen, unseen) = chosen(|look| look % 2 == 0, 10);
        assert_eq!(seen, [30, 90, 150, 210, 280, 340, 400, 460]);
        assert_eq!(unseen, [125, 375]);
    }

    #[test]
    fn where_one_kind_is_short_the_other_fills_up_and_no_picture_comes_twice() {
        let count = |seen: fn(u64) -> bool, frames| {
            let (seen, unseen) = chosen(seen, frames);
            (seen.len(), unseen.len())
        };
        assert_eq!(count(|look| look < 3, 50), (3, 47));
        assert_eq!(count(|_| true, 50), (50, 0));
        assert_eq!(count(|look| look != 7, 50), (49, 1));
        assert_eq!(count(|look| look < 60, 1000), (60, 40));
        assert_eq!(count(|look| look < 60, 1), (1, 0));
    }
}
