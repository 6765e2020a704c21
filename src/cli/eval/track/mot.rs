//! Reads MOTChallenge files, and finds them in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

/// A box of one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cli::eval) struct MotBox {
    /// Identity; unused in a detection.
    pub(in crate::cli::eval) id: i64,
    /// Left, top, width and height, in pixels.
    pub(in crate::cli::eval) xywh: [f64; 4],
    /// Column 7: the confidence of a detection, the flag of a true box.
    pub(in crate::cli::eval) confidence: f64,
    /// Column 9 of the annotations, if present: the visible share of the object, 0 to 1.
    pub(in crate::cli::eval) visibility: f64,
}

/// The boxes of each frame that has any, in the order of the file. Frames are counted from 1.
pub(in crate::cli::eval) type MotFrames = BTreeMap<u32, Vec<MotBox>>;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli::eval) enum MotFile {
    /// Column 7 is the confidence, the id is ignored.
    Detections,
    /// The id is the identity. Rows with a 0 in column 7 do not count.
    Truth,
}

impl MotFile {
    /// MOTChallenge's name of the file and its folder.
    fn stem(self) -> &'static str {
        match self {
            Self::Detections => "det",
            Self::Truth => "gt",
        }
    }

    /// Reads `frame,id,x,y,w,h,conf,...`, rows in any order.
    ///
    /// Errors name the file and the line.
    pub(in crate::cli::eval) fn read(self, path: &Path) -> anyhow::Result<MotFrames> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut frames = MotFrames::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = || format!("{}, line {}: `{line}`", path.display(), index + 1);
            let (frame, row) = self.row(line).with_context(place)?;
            let Some(row) = row else { continue };
            let boxes = frames.entry(frame).or_default();
            if self == Self::Truth && boxes.iter().any(|other| other.id == row.id) {
                bail!("{}: id {} already has a box in frame {frame}", place(), row.id);
            }
            boxes.push(row);
        }
        Ok(frames)
    }

    /// Frame and box of a line; `None` if the box does not count.
    fn row(self, line: &str) -> anyhow::Result<(u32, Option<MotBox>)> {
        let fields: Vec<_> = line.split(',').map(str::trim).collect();
        ensure!(fields.len() >= 7, "{} fields, expected at least 7: frame,id,x,y,w,h,conf", fields.len());
        let number = |index: usize, name: &str| match fields[index].parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => bail!("{name} is `{}`, expected a number", fields[index]),
        };
        let frame = number(0, "frame")?;
        ensure!(
            frame >= 1.0 && frame <= f64::from(u32::MAX) && frame.fract() == 0.0,
            "frame is `{}`, expected a whole number from 1 up",
            fields[0]
        );
        let confidence = number(6, "conf")?;
        let id = match self {
            Self::Detections => -1.0,
            Self::Truth => number(1, "id")?,
        };
        ensure!(id.fract() == 0.0 && id.abs() < 1e15, "id is `{}`, expected a whole number", fields[1]);
        let xywh = [number(2, "x")?, number(3, "y")?, number(4, "w")?, number(5, "h")?];
        let [_, _, w, h] = xywh;
        ensure!(w > 0.0 && h > 0.0, "the box is {w} by {h}, expected a width and a height above zero");
        let counts = self == Self::Detections || confidence != 0.0;
        let visibility = match self {
            Self::Truth if fields.len() >= 9 => number(8, "visibility")?,
            _ => 1.0,
        };
        Ok((frame as u32, counts.then_some(MotBox { id: id as i64, xywh, confidence, visibility })))
    }

    /// The files of a folder, by the name of their sequence: `NAME.txt`, `NAME/det.txt` or `NAME/det/det.txt` (`gt` for
    /// annotations). A single file is one sequence without a name.
    pub(super) fn find(self, path: &Path) -> anyhow::Result<BTreeMap<String, PathBuf>> {
        if !path.is_dir() {
            return Ok([(String::new(), path.to_owned())].into());
        }
        let file = format!("{}.txt", self.stem());
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
            let entry = entry.with_context(|| format!("cannot read {}", path.display()))?.path();
            let places = [entry.clone(), entry.join(&file), entry.join(self.stem()).join(&file)];
            let place = places.into_iter().find(|p| p.is_file() && p.extension().is_some_and(|e| e == "txt"));
            if let (Some(place), Some(name)) = (place, entry.file_stem().and_then(|name| name.to_str())) {
                found.insert(name.to_owned(), place);
            }
        }
        let stem = self.stem();
        ensure!(
            !found.is_empty(),
            "{}: no sequence, expected NAME.txt, NAME/{file} or NAME/{stem}/{file}",
            path.display()
        );
        Ok(found)
    }
}

/// Every `every`-th frame from frame `first` on, renumbered from 1.
pub(super) fn thin(frames: &MotFrames, every: u32, first: u32) -> MotFrames {
    let kept = frames.iter().filter(|(frame, _)| **frame >= first && (**frame - first).is_multiple_of(every));
    kept.map(|(frame, boxes)| ((frame - first) / every + 1, boxes.clone())).collect()
}
