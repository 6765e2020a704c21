//! The tracker over MOTChallenge detection files: its tracks, and how well they agree with the truth.

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
use crate::track::{Tracker, TrackerConfig, TrackerInput, VesselCounter};

use mot::{Boxes, Frames, Row, thin};
pub use report::Report;
use report::{Phase, Summary};
use scores::Tally;

/// What is tracked, and what is made of the tracks.
#[derive(Debug, Args)]
pub struct TrackArgs {
    /// Detections, `frame,id,x,y,w,h,conf,...` a line; a folder holds several sequences, as NAME.txt or NAME/det.txt.
    #[arg(long, value_name = "FILE|DIR")]
    detections: PathBuf,
    /// Score the tracks against these boxes, the id says whose they are; a folder holds NAME.txt or NAME/gt.txt.
    #[arg(long, value_name = "FILE|DIR")]
    truth: Option<PathBuf>,
    /// Frames a second of the recording.
    #[arg(long, value_parser = frame_rate)]
    fps: f64,
    /// Look at one of so many frames, from each of the first so many on in turn.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    every: u32,
    /// Tracks to write, `frame,id,x,y,w,h,conf,-1,-1,-1` a line; a folder, NAME.txt each, if the detections are one.
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

/// A sequence as it was read.
struct Sequence {
    name: String,
    detections: Frames,
    truth: Option<Frames>,
}

/// Runs the tracker over every sequence as if each frame were a look at the whole picture; writes and scores what it is asked
/// to.
///
/// Only detections that were taken for a vessel count, with its number, from the look on at which it got it.
pub fn track(args: &TrackArgs) -> anyhow::Result<Report> {
    let sequences = read(&args.detections, args.truth.as_deref())?;
    let several = args.detections.is_dir();
    if let Some(folder) = args.output.as_ref().filter(|_| several) {
        fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    }
    let mut phases = Vec::new();
    for first in 1..=args.every {
        let mut phase = Phase::new(first);
        for Sequence { name, detections, truth } in &sequences {
            let thinned = |frames: &Frames| thin(frames, args.every, first);
            let (detections, truth) = (thinned(detections), truth.as_ref().map(thinned));
            let last = [Some(&detections), truth.as_ref()].into_iter().flatten().filter_map(last_frame).max();
            let looks = last.unwrap_or(0);
            let tracks = follow(&detections, looks, args.fps / f64::from(args.every));
            if let Some(output) = &args.output {
                let path = if several { output.join(format!("{name}.txt")) } else { output.clone() };
                fs::write(&path, text(&tracks))
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
            let tally = truth.map(|truth| Tally::new(&truth, &tracks));
            phase.add(name, Summary::new(looks, &detections, &tracks), tally);
        }
        phases.push(phase);
    }
    Ok(Report::new(args.fps, args.every, phases))
}

fn read(detections: &Path, truth: Option<&Path>) -> anyhow::Result<Vec<Sequence>> {
    if let Some(truth) = truth {
        ensure!(
            truth.is_dir() == detections.is_dir(),
            "{} and {}: give two files, or two folders",
            detections.display(),
            truth.display()
        );
    }
    let found = Boxes::Detections.find(detections)?;
    let mut drawn = truth.map(|path| Boxes::Truth.find(path)).transpose()?;
    let sequences = found.into_iter().map(|(name, path)| {
        let truth = match &mut drawn {
            Some(drawn) => {
                let path = drawn
                    .remove(&name)
                    .with_context(|| format!("{}: no truth for the sequence {name}", path.display()))?;
                Some(Boxes::Truth.read(&path)?)
            }
            None => None,
        };
        Ok(Sequence { name, detections: Boxes::Detections.read(&path)?, truth })
    });
    let sequences = sequences.collect::<anyhow::Result<_>>()?;
    if let Some((name, path)) = drawn.iter().flatten().next() {
        bail!("{}: no detections for the sequence {name}", path.display());
    }
    Ok(sequences)
}

fn last_frame(frames: &Frames) -> Option<u32> {
    frames.keys().next_back().copied()
}

/// The detections that the tracker takes for vessels, under the vessels' numbers and ordered by them.
fn follow(detections: &Frames, looks: u32, detect_fps: f64) -> Frames {
    let mut tracker = Tracker::new(TrackerConfig::default());
    let mut ids = VesselCounter::default();
    // What is not said: the picture's size. Everything was looked at.
    let size = FrameSize { width: 1 << 16, height: 1 << 16 };
    let looked = [size.bounds()];
    let mut tracks = Frames::new();
    for frame in 1..=looks {
        let rows = detections.get(&frame).map_or(&[][..], Vec::as_slice);
        let detections: Vec<_> = rows.iter().map(detection).collect();
        let at = MonoTime::from_boot(Duration::from_secs_f64(f64::from(frame) / detect_fps));
        let input = TrackerInput { detections: &detections, size, regions: &looked, shift: [0.0, 0.0], at };
        let reported = tracker.step(&input, &mut ids).into_iter();
        let seen = reported.filter_map(|t| Some(Row { id: t.vessel.0 as i64, ..rows[t.detection?] }));
        let seen: Vec<_> = seen.collect();
        if !seen.is_empty() {
            tracks.insert(frame, seen);
        }
    }
    tracks
}

fn detection(row: &Row) -> Detection {
    let [x, y, w, h] = row.xywh.map(|v| v as f32);
    Detection { class: Class::Vessel, confidence: row.confidence as f32, bbox: BBox::from_xywh(x, y, w, h) }
}

/// `frame,id,x,y,w,h,conf,-1,-1,-1` by frame and number.
fn text(tracks: &Frames) -> String {
    let line = |frame: &u32, row: &Row| {
        let Row { id, xywh: [x, y, w, h], confidence, .. } = row;
        format!("{frame},{id},{x},{y},{w},{h},{confidence},-1,-1,-1\n")
    };
    tracks.iter().flat_map(|(frame, rows)| rows.iter().map(move |row| line(frame, row))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `eval track` over `text` at 4 frames a second in a folder of its own; what it reported and wrote, or the error.
    fn run(text: &str) -> Result<(Summary, String), String> {
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

    /// `eval track` over folders with these files in them.
    fn score(files: &[(&str, &str)], every: u32) -> Result<Report, String> {
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
    fn a_detection_file_in_any_order_gives_rows_by_frame_and_number() {
        // Two vessels, the file by vessel and not by frame; the right one is not seen in frame 4.
        let left: String = (1..=6).map(|frame| row(frame, 100.25)).collect();
        let right: String = (1..=6).filter(|&frame| frame != 4).map(|frame| row(frame, 900.0)).collect();
        let (summary, out) = run(&(left + &right)).unwrap();
        assert_eq!(summary, Summary { looks: 6, detections: 11, vessels: 2, rows: 7 });
        let numbers: Vec<_> =
            out.lines().map(|line| line.split(',').take(3).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            numbers,
            ["3 1 100.25", "3 2 900", "4 1 100.25", "5 1 100.25", "5 2 900", "6 1 100.25", "6 2 900"]
        );
        assert!(out.lines().all(|line| line.ends_with(",200,100,40,0.75,-1,-1,-1")), "{out}");
    }

    #[test]
    fn frames_without_a_box_pass_time() {
        // 4 frames a second: 30 s of nothing, then a box at the same place is another vessel.
        let early: String = (1..=4).map(|frame| row(frame, 100.0)).collect();
        let late: String = (125..=128).map(|frame| row(frame, 100.0)).collect();
        let (summary, _) = run(&(early + &late)).unwrap();
        assert_eq!((summary.looks, summary.vessels), (128, 2));
        assert_eq!(run("").unwrap().0.looks, 0);
    }

    #[test]
    fn a_mistake_in_a_file_is_told_with_its_line() {
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
                "line 2: `1,7,90,10,20,30,1`: id 7 has a box in frame 1",
            ),
        ] {
            let error = score(&[("found/a/det.txt", &one), ("truth/a/gt.txt", truth)], 1).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn every_sequence_has_detections_and_truth() {
        let (found, truth) = (row(1, 100.0), "1,1,100,200,100,40,1\n");
        let both = [("found/a.txt", found.as_str()), ("truth/a/gt/gt.txt", truth)];
        assert!(score(&both, 1).is_ok());
        let more = [both[0], both[1], ("found/b/det.txt", &found)];
        assert!(score(&more, 1).unwrap_err().contains("det.txt: no truth for the sequence b"));
        let more = [both[0], both[1], ("truth/b/gt.txt", truth)];
        assert!(score(&more, 1).unwrap_err().contains("gt.txt: no detections for the sequence b"));
        assert!(score(&[("found/a.csv", ""), ("truth/a.txt", "")], 1).unwrap_err().contains("no sequence"));
    }

    #[test]
    fn at_one_of_five_frames_each_of_them_is_looked_at_once() {
        let rows = |conf: &str| -> String {
            (1..=60).map(|frame| format!("{frame},1,{},200,100,40,{conf}\n", 100 + frame)).collect()
        };
        let (found, truth) = (rows("0.9"), rows("1"));
        let report = score(&[("found/a.txt", &found), ("truth/a.txt", &truth)], 5).unwrap();
        let looked: Vec<_> = report.combined().iter().map(|scores| scores.true_boxes).collect();
        assert_eq!(looked, [12; 5]);
        assert!(report.combined().iter().all(|scores| scores.track_ids == 1 && scores.hits >= 10));
    }
}
