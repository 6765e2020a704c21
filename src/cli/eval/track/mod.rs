//! `havenwacht eval track`: runs the tracker on MOTChallenge detections, and scores its tracks.

#[cfg(test)]
mod golden;
pub(super) mod mot;
mod report;
pub(super) mod scores;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use crate::clock::MonoTime;
use crate::detect::{Class, Detection};
use crate::geometry::{BBox, FrameSize};
use crate::track::{ClutterMap, Tracker, TrackerConfig, TrackerInput, VesselCounter};

use mot::{MotBox, MotFile, MotFrames, thin};
pub use report::TrackReport;
use report::{FrameOffset, TrackingSummary};
use scores::TrackTally;

/// Arguments of `havenwacht eval track`.
#[derive(Debug, Args)]
pub struct TrackArgs {
    /// Detections, one per line: frame,id,x,y,w,h,conf,... A folder has several sequences: NAME.txt or NAME/det.txt.
    #[arg(long, value_name = "FILE|DIR")]
    detections: PathBuf,
    /// True boxes to score the tracks against, with ids. A folder has NAME.txt or NAME/gt.txt.
    #[arg(long, value_name = "FILE|DIR")]
    truth: Option<PathBuf>,
    /// Frame rate of the recording.
    #[arg(long, value_parser = frame_rate)]
    fps: f64,
    /// Use one in N frames. Repeated for each of the first N frames as the start.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    every: u32,
    /// Write the tracks here, one box per line: frame,id,x,y,w,h,conf,-1,-1,-1. A folder with NAME.txt if the detections are one.
    #[arg(long, value_name = "FILE|DIR", conflicts_with = "every")]
    output: Option<PathBuf>,
    /// Print everything as JSON.
    #[arg(long)]
    pub json: bool,
}

fn frame_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|fps: &f64| fps.is_finite() && *fps > 0.0);
    rate.ok_or_else(|| "give a number above zero, for example 25".to_owned())
}

/// A sequence.
struct Sequence {
    name: String,
    detections: MotFrames,
    truth: Option<MotFrames>,
}

/// Runs the tracker on every sequence, one pass over the whole picture per frame. Writes and scores the tracks as requested.
///
/// A track has the detections that were assigned to a vessel, from the pass that confirmed it on.
pub fn track(args: &TrackArgs) -> anyhow::Result<TrackReport> {
    let sequences = read(&args.detections, args.truth.as_deref())?;
    let several = args.detections.is_dir();
    if let Some(folder) = args.output.as_ref().filter(|_| several) {
        fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    }
    let mut offsets = Vec::new();
    for first in 1..=args.every {
        let mut offset = FrameOffset::new(first);
        for Sequence { name, detections, truth } in &sequences {
            let thinned = |frames: &MotFrames| thin(frames, args.every, first);
            let (detections, truth) = (thinned(detections), truth.as_ref().map(thinned));
            let last = [Some(&detections), truth.as_ref()].into_iter().flatten().filter_map(last_frame).max();
            let frames = last.unwrap_or(0);
            let tracks = run_tracker(&detections, frames, args.fps / f64::from(args.every));
            if let Some(output) = &args.output {
                let path = if several { output.join(format!("{name}.txt")) } else { output.clone() };
                fs::write(&path, text(&tracks))
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
            let tally = truth.map(|truth| TrackTally::new(&truth, &tracks));
            offset.add(name, TrackingSummary::new(frames, &detections, &tracks), tally);
        }
        offsets.push(offset);
    }
    Ok(TrackReport::new(args.fps, args.every, offsets))
}

fn read(detections: &Path, truth: Option<&Path>) -> anyhow::Result<Vec<Sequence>> {
    if let Some(truth) = truth {
        ensure!(
            truth.is_dir() == detections.is_dir(),
            "{} and {}: give two files or two folders",
            detections.display(),
            truth.display()
        );
    }
    let found = MotFile::Detections.find(detections)?;
    let mut drawn = truth.map(|path| MotFile::Truth.find(path)).transpose()?;
    let sequences = found.into_iter().map(|(name, path)| {
        let truth = match &mut drawn {
            Some(drawn) => {
                let path = drawn
                    .remove(&name)
                    .with_context(|| format!("{}: no true boxes for the sequence {name}", path.display()))?;
                Some(MotFile::Truth.read(&path)?)
            }
            None => None,
        };
        Ok(Sequence { name, detections: MotFile::Detections.read(&path)?, truth })
    });
    let sequences = sequences.collect::<anyhow::Result<_>>()?;
    if let Some((name, path)) = drawn.iter().flatten().next() {
        bail!("{}: no detections for the sequence {name}", path.display());
    }
    Ok(sequences)
}

fn last_frame(frames: &MotFrames) -> Option<u32> {
    frames.keys().next_back().copied()
}

/// The sequences test association, on boxes that are nearly always right. So two of them confirm a track, as in the trackers
/// that it is compared with.
const CLUTTER_ALLOWED: f32 = 1e6;

/// The detections assigned to vessels, with the vessels' numbers, in the order of the numbers.
fn run_tracker(detections: &MotFrames, frames: u32, detect_fps: f64) -> MotFrames {
    let config = TrackerConfig { false_vessels_per_day: CLUTTER_ALLOWED, ..TrackerConfig::default() };
    let mut tracker = Tracker::new(config, ClutterMap::default());
    let mut ids = VesselCounter::default();
    // The files do not give the picture's size. Every frame is inspected completely.
    let size = FrameSize { width: 1 << 16, height: 1 << 16 };
    let regions = [size.bounds()];
    let mut tracks = MotFrames::new();
    for frame in 1..=frames {
        let rows = detections.get(&frame).map_or(&[][..], Vec::as_slice);
        let detections: Vec<_> = rows.iter().map(detection).collect();
        let at = MonoTime::from_boot(Duration::from_secs_f64(f64::from(frame) / detect_fps));
        let input = TrackerInput {
            detections: &detections,
            size,
            regions: &regions,
            input_px: 416.0,
            shift: [0.0, 0.0],
            at,
        };
        let reported = tracker.step(&input, &mut ids).into_iter();
        let detected = reported.filter_map(|t| Some(MotBox { id: t.vessel.0 as i64, ..rows[t.detection?] }));
        let detected: Vec<_> = detected.collect();
        if !detected.is_empty() {
            tracks.insert(frame, detected);
        }
    }
    tracks
}

fn detection(row: &MotBox) -> Detection {
    let [x, y, w, h] = row.xywh.map(|v| v as f32);
    Detection { class: Class::Vessel, confidence: row.confidence as f32, bbox: BBox::from_xywh(x, y, w, h) }
}

/// Lines `frame,id,x,y,w,h,conf,-1,-1,-1`, by frame and number.
fn text(tracks: &MotFrames) -> String {
    let line = |frame: &u32, row: &MotBox| {
        let MotBox { id, xywh: [x, y, w, h], confidence, .. } = row;
        format!("{frame},{id},{x},{y},{w},{h},{confidence},-1,-1,-1\n")
    };
    tracks.iter().flat_map(|(frame, rows)| rows.iter().map(move |row| line(frame, row))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `eval track` on detections at 4 frames a second; returns its report and output, or its error.
    fn run(text: &str) -> Result<(TrackingSummary, String), String> {
        let dir = tempfile::tempdir().unwrap();
        let (detections, output) = (dir.path().join("det.txt"), dir.path().join("out.txt"));
        fs::write(&detections, text).unwrap();
        let args = TrackArgs {
            detections,
            truth: None,
            fps: 4.0,
            every: 1,
            output: Some(output.clone()),
            json: false,
        };
        let report = track(&args).map_err(|error| format!("{error:#}"))?;
        Ok((report.tracked(), fs::read_to_string(output).unwrap()))
    }

    /// Runs `eval track` on folders with these files.
    fn score(files: &[(&str, &str)], every: u32) -> Result<TrackReport, String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let (detections, truth) = (dir.path().join("found"), Some(dir.path().join("truth")));
        let args = TrackArgs { detections, truth, fps: 20.0, every, output: None, json: false };
        track(&args).map_err(|error| format!("{error:#}"))
    }

    fn row(frame: u32, x: f32) -> String {
        format!("{frame},-1,{x},200,100,40,0.75,-1,-1,-1\n")
    }

    #[test]
    fn rows_are_written_by_frame_and_number() {
        // The file is by vessel and not by frame. The right vessel has no detection in frame 4.
        let left: String = (1..=6).map(|frame| row(frame, 100.25)).collect();
        let right: String = (1..=6).filter(|&frame| frame != 4).map(|frame| row(frame, 900.0)).collect();
        let (summary, out) = run(&(left + &right)).unwrap();
        assert_eq!(summary, TrackingSummary { frames: 6, detections: 11, vessels: 2, rows: 9 });
        let numbers: Vec<_> =
            out.lines().map(|line| line.split(',').take(3).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            numbers,
            [
                "2 1 100.25",
                "2 2 900",
                "3 1 100.25",
                "3 2 900",
                "4 1 100.25",
                "5 1 100.25",
                "5 2 900",
                "6 1 100.25",
                "6 2 900"
            ]
        );
        assert!(out.lines().all(|line| line.ends_with(",200,100,40,0.75,-1,-1,-1")), "{out}");
    }

    #[test]
    fn frames_without_detections_take_time() {
        // After 30 s without detections, a box at the same place is another vessel.
        let early: String = (1..=4).map(|frame| row(frame, 100.0)).collect();
        let late: String = (125..=128).map(|frame| row(frame, 100.0)).collect();
        let (summary, _) = run(&(early + &late)).unwrap();
        assert_eq!((summary.frames, summary.vessels), (128, 2));
        assert_eq!(run("").unwrap().0.frames, 0);
    }

    #[test]
    fn errors_name_the_file_and_line() {
        for (text, wanted) in [
            ("1,-1,10,10,20\n", "line 1: `1,-1,10,10,20`: 5 fields, expected at least 7"),
            (
                "\n1,-1,10,10,20,30,0.9\n1,-1,ten,10,20,30,0.9\n",
                "line 3: `1,-1,ten,10,20,30,0.9`: x is `ten`",
            ),
            ("0,-1,10,10,20,30,0.9\n", "frame is `0`, expected a whole number from 1 up"),
            ("1,-1,10,10,20,NaN,0.9\n", "h is `NaN`, expected a number"),
            ("1,-1,10,10,0,30,0.9\n", "the box is 0 by 30"),
        ] {
            let error = run(text).unwrap_err();
            assert!(error.contains(wanted) && error.contains("det.txt"), "{error}");
        }
        let one = row(1, 100.0);
        for (truth, wanted) in [
            ("1,left,10,10,20,30,1\n", "gt.txt, line 1: `1,left,10,10,20,30,1`: id is `left`"),
            (
                "1,7,10,10,20,30,1\n1,7,90,10,20,30,1\n",
                "line 2: `1,7,90,10,20,30,1`: id 7 already has a box in frame 1",
            ),
        ] {
            let error = score(&[("found/a/det.txt", &one), ("truth/a/gt.txt", truth)], 1).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn every_sequence_needs_detections_and_truth() {
        let (found, truth) = (row(1, 100.0), "1,1,100,200,100,40,1\n");
        let both = [("found/a.txt", found.as_str()), ("truth/a/gt/gt.txt", truth)];
        assert!(score(&both, 1).is_ok());
        let more = [both[0], both[1], ("found/b/det.txt", &found)];
        assert!(score(&more, 1).unwrap_err().contains("det.txt: no true boxes for the sequence b"));
        let more = [both[0], both[1], ("truth/b/gt.txt", truth)];
        assert!(score(&more, 1).unwrap_err().contains("gt.txt: no detections for the sequence b"));
        assert!(score(&[("found/a.csv", ""), ("truth/a.txt", "")], 1).unwrap_err().contains("no sequence"));
    }

    #[test]
    fn every_fifth_frame_covers_each_frame_once() {
        let rows = |conf: &str| -> String {
            (1..=60).map(|frame| format!("{frame},1,{},200,100,40,{conf}\n", 100 + frame)).collect()
        };
        let (found, truth) = (rows("0.9"), rows("1"));
        let report = score(&[("found/a.txt", &found), ("truth/a.txt", &truth)], 5).unwrap();
        let true_boxes: Vec<_> = report.combined().iter().map(|scores| scores.true_boxes).collect();
        assert_eq!(true_boxes, [12; 5]);
        assert!(report.combined().iter().all(|scores| scores.track_ids == 1 && scores.hits >= 10));
    }
}
