//! The tracker over a MOTChallenge detection file.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use crate::clock::MonoTime;
use crate::detect::{Class, Detection};
use crate::geometry::{BBox, FrameSize};
use crate::track::{Look, Tracker, TrackerConfig, VesselCounter};

/// What is tracked, and where to.
#[derive(Debug, Args)]
pub struct TrackArgs {
    /// Detections, `frame,id,x,y,w,h,conf,...` a line.
    #[arg(long, value_name = "FILE")]
    pub detections: PathBuf,
    /// Tracks to write, `frame,id,x,y,w,h,conf,-1,-1,-1` a line.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Frames a second of the recording.
    #[arg(long)]
    pub fps: f64,
}

/// What a run of the tracker over a detection file came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Frames stepped, those without a box included.
    pub frames: u32,
    /// Boxes read.
    pub detections: usize,
    /// Vessels confirmed.
    pub vessels: usize,
    /// Rows written: detections that were taken for a vessel.
    pub rows: usize,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { frames, detections, vessels, rows } = self;
        write!(f, "{frames} frames, {detections} detections, {rows} of them taken for {vessels} vessels")
    }
}

/// Runs the tracker over a MOTChallenge detection file (`frame,id,x,y,w,h,conf,...`, frames from 1, in any order) as
/// if its frames were looks at `fps` a second, and writes `frame,id,x,y,w,h,conf,-1,-1,-1`: the detections
/// that were taken for a vessel, with its number, by frame and number.
pub fn track(detections: &Path, output: &Path, fps: f64) -> anyhow::Result<Summary> {
    ensure!(fps.is_finite() && fps > 0.0, "{fps} frames a second: give a number above zero, for example 25");
    let text =
        fs::read_to_string(detections).with_context(|| format!("cannot read {}", detections.display()))?;
    let frames = parse(&text).with_context(|| format!("in {}", detections.display()))?;

    let mut tracker = Tracker::new(TrackerConfig::default());
    let mut ids = VesselCounter::default();
    let mut out = Vec::new();
    let last = frames.keys().next_back().copied().unwrap_or(0);
    let mut summary = Summary { frames: last, detections: 0, vessels: 0, rows: 0 };
    // What is not said: the picture's size. Everything was looked at.
    let size = FrameSize { width: 1 << 16, height: 1 << 16 };
    let looked = [BBox::new(0.0, 0.0, size.width as f32, size.height as f32)];
    for frame in 1..=last {
        let boxes = frames.get(&frame).map_or(&[][..], Vec::as_slice);
        let at = MonoTime::from_boot(Duration::from_secs_f64(f64::from(frame) / fps));
        summary.detections += boxes.len();
        let look = Look { detections: boxes, size, looked: &looked, shift: [0.0, 0.0], at };
        for track in tracker.step(&look, &mut ids) {
            summary.vessels = summary.vessels.max(track.vessel.0 as usize);
            let Some(seen) = track.detection.map(|index| boxes[index]) else { continue };
            let b = seen.bbox;
            writeln!(
                out,
                "{frame},{},{},{},{},{},{},-1,-1,-1",
                track.vessel,
                b.x0,
                b.y0,
                b.width(),
                b.height(),
                seen.confidence
            )?;
            summary.rows += 1;
        }
    }
    fs::write(output, out).with_context(|| format!("cannot write {}", output.display()))?;
    Ok(summary)
}

/// The boxes of each frame that has any, in the order of the file.
fn parse(text: &str) -> anyhow::Result<BTreeMap<u32, Vec<Detection>>> {
    let mut frames = BTreeMap::<u32, Vec<Detection>>::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let (frame, detection) = parse_row(line).with_context(|| format!("line {}: `{line}`", index + 1))?;
        frames.entry(frame).or_default().push(detection);
    }
    Ok(frames)
}

fn parse_row(line: &str) -> anyhow::Result<(u32, Detection)> {
    let fields: Vec<_> = line.split(',').map(str::trim).collect();
    if fields.len() < 7 {
        bail!("{} fields, expected at least 7: frame,id,x,y,w,h,conf", fields.len());
    }
    let number = |index: usize, name: &str| -> anyhow::Result<f64> {
        let text = fields[index];
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => bail!("{name} is `{text}`, expected a number"),
        }
    };
    let frame = number(0, "frame")?;
    ensure!(
        frame >= 1.0 && frame <= f64::from(u32::MAX) && frame.fract() == 0.0,
        "frame is `{}`, expected a whole number from 1 up",
        fields[0]
    );
    let (x, y) = (number(2, "x")?, number(3, "y")?);
    let (w, h) = (number(4, "w")?, number(5, "h")?);
    ensure!(w > 0.0 && h > 0.0, "the box is {w} by {h}, expected a width and height above zero");
    let detection = Detection {
        class: Class::Vessel,
        confidence: number(6, "conf")? as f32,
        bbox: BBox::from_xywh(x as f32, y as f32, w as f32, h as f32),
    };
    Ok((frame as u32, detection))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `track` over `text` at 4 frames a second; what it wrote, or the whole chain of the error.
    fn run(text: &str) -> Result<(Summary, String), String> {
        let dir = tempfile::tempdir().unwrap();
        let (input, output) = (dir.path().join("det.txt"), dir.path().join("out.txt"));
        fs::write(&input, text).unwrap();
        let summary = track(&input, &output, 4.0).map_err(|error| format!("{error:#}"))?;
        Ok((summary, fs::read_to_string(output).unwrap()))
    }

    fn row(frame: u32, x: f32) -> String {
        format!("{frame},-1,{x},200,100,40,0.9,-1,-1,-1\n")
    }

    #[test]
    fn a_detection_file_in_any_order_gives_rows_by_frame_and_number() {
        // Two vessels, the file by vessel and not by frame; the right one is not seen in frame 4.
        let left: String = (1..=6).map(|frame| row(frame, 100.0)).collect();
        let right: String = (1..=6).filter(|&frame| frame != 4).map(|frame| row(frame, 900.0)).collect();
        let (summary, out) = run(&(left + &right)).unwrap();
        assert_eq!(summary, Summary { frames: 6, detections: 11, vessels: 2, rows: 7 });
        let numbers: Vec<_> =
            out.lines().map(|line| line.split(',').take(3).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(numbers, ["3 1 100", "3 2 900", "4 1 100", "5 1 100", "5 2 900", "6 1 100", "6 2 900"]);
        assert!(out.lines().all(|line| line.ends_with(",200,100,40,0.9,-1,-1,-1")), "{out}");
    }

    #[test]
    fn frames_without_a_box_pass_time() {
        // 4 frames a second: 30 s of nothing, then a box at the same place is another vessel.
        let early: String = (1..=4).map(|frame| row(frame, 100.0)).collect();
        let late: String = (125..=128).map(|frame| row(frame, 100.0)).collect();
        let (summary, _) = run(&(early + &late)).unwrap();
        assert_eq!((summary.frames, summary.vessels), (128, 2));
        assert_eq!(run("").unwrap().0.frames, 0);
    }

    #[test]
    fn a_mistake_in_the_file_is_told_with_its_line() {
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
        assert!(track(Path::new("/nowhere/det.txt"), Path::new("out.txt"), 25.0).is_err());
        assert!(track(Path::new("det.txt"), Path::new("out.txt"), 0.0).is_err());
    }
}
