//! The ground truth of a clip: the boxes of its vessels, in the text format of MOTChallenge.

use std::fmt::Write as _;

use anyhow::{Context, Result};

/// A vessel in one frame: the box around the part of it that is in the picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthBox {
    /// The vessel's number.
    pub id: u32,
    /// Left edge.
    pub left: i32,
    /// Top edge.
    pub top: i32,
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
    /// The share of the vessel that is in the picture and not hidden, 0 to 1.
    pub visibility: f32,
}

impl TruthBox {
    /// The waterline point, the middle of the bottom edge, as shares of the picture.
    pub fn waterline(&self, size: (usize, usize)) -> [f64; 2] {
        let x = f64::from(self.left) + f64::from(self.width) / 2.0;
        [x / size.0 as f64, f64::from(self.top + self.height) / size.1 as f64]
    }
}

/// `frames` as lines of `frame,id,x,y,w,h,1,1,visibility`, frames from 1.
pub fn to_text(frames: &[Vec<TruthBox>]) -> String {
    let mut text = String::new();
    for (n, boxes) in frames.iter().enumerate() {
        for b in boxes {
            // Writing to a String cannot fail.
            let _ok = writeln!(
                text,
                "{},{},{},{},{},{},1,1,{:.2}",
                n + 1,
                b.id,
                b.left,
                b.top,
                b.width,
                b.height,
                b.visibility
            );
        }
    }
    text
}

/// Reads what [`to_text`] wrote, as `count` frames.
pub fn from_text(text: &str, count: usize) -> Result<Vec<Vec<TruthBox>>> {
    let mut frames = vec![Vec::new(); count];
    for (n, line) in text.lines().enumerate() {
        let row = || format!("line {} of the ground truth: {line}", n + 1);
        let values: Vec<f32> =
            line.split(',').map(str::parse).collect::<std::result::Result<_, _>>().with_context(row)?;
        let &[frame, id, left, top, width, height, _, _, visibility] = values.as_slice() else {
            anyhow::bail!("{}: nine numbers expected", row());
        };
        let frame = frames.get_mut((frame as usize).wrapping_sub(1)).with_context(row)?;
        let [left, top, width, height] = [left, top, width, height].map(|v| v as i32);
        frame.push(TruthBox { id: id as u32, left, top, width, height, visibility });
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_boxes_are_read_back() {
        let boxes = TruthBox { id: 3, left: 10, top: 20, width: 300, height: 40, visibility: 0.75 };
        let frames = vec![vec![boxes], vec![], vec![TruthBox { id: 4, ..boxes }]];
        assert_eq!(from_text(&to_text(&frames), 3).unwrap(), frames);
        assert_eq!(to_text(&frames).lines().next(), Some("1,3,10,20,300,40,1,1,0.75"));
        assert!(from_text(&to_text(&frames), 2).is_err());
    }
}
