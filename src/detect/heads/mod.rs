//! From output tensors to candidate boxes: one file a head.

mod nanodet;
#[cfg(test)]
mod recorded;
mod ssd;
mod yolov8;
mod yolox;

use super::manifest::{HeadKind, Input, Manifest};
use super::refusal::LoadError;
use super::{Class, DetectError};
use crate::geometry::{BBox, Px};

/// One output of a model run.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Extents, slowest first.
    pub shape: &'a [i64],
    /// Values in that order.
    pub data: &'a [f32],
}

impl Tensor<'_> {
    /// Whether it has these extents, and a value for each of their cells.
    fn is_of(&self, shape: &[i64]) -> bool {
        let cells =
            shape.iter().try_fold(1, |cells: usize, &extent| cells.checked_mul(extent.try_into().ok()?));
        self.shape == shape && cells == Some(self.data.len())
    }
}

/// A box as the model says it, in pixels of the model's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// What it holds.
    pub class: Class,
    /// 0 to 1.
    pub confidence: f32,
    /// Where; may reach beyond the input.
    pub bbox: BBox<Px>,
}

/// The candidates of one run, and how many boxes were not worth the name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// In the order of the model's anchors.
    pub boxes: Vec<Candidate>,
    /// Scores or edges that are not finite, scores above 1, boxes without area.
    pub rejected: u32,
}

impl Candidates {
    fn clear(&mut self) {
        self.boxes.clear();
        self.rejected = 0;
    }

    /// Takes a box whose score was found high enough, unless it is none.
    fn offer(&mut self, class: Class, confidence: f32, [x0, y0, x1, y1]: [f32; 4]) {
        // Sigmoids in 32 bits may round to a hair above 1.
        let sane =
            confidence <= 1.001 && [x0, y0, x1, y1].iter().all(|v| v.is_finite()) && x1 > x0 && y1 > y0;
        if sane {
            self.boxes.push(Candidate {
                class,
                confidence: confidence.min(1.0),
                bbox: BBox::new(x0, y0, x1, y1),
            });
        } else {
            self.rejected += 1;
        }
    }

    /// The surest index of a class in a cell's scores, when it reaches `floor`. Scores that are not numbers are counted.
    fn score(&mut self, indices: &[usize], floor: f32, score_at: impl Fn(usize) -> f32) -> Option<f32> {
        let mut best = f32::MIN;
        for &index in indices {
            let score = score_at(index);
            if score.is_nan() {
                self.rejected += 1;
            } else {
                best = best.max(score);
            }
        }
        (best >= floor).then_some(best)
    }
}

/// A model's head, checked against the shapes that the model puts out.
#[derive(Clone, Debug)]
pub struct Head {
    kind: HeadKind,
    width: usize,
    height: usize,
    classes: Vec<(Class, Vec<usize>)>,
    floor: f32,
    /// Scores per cell or anchor, all classes of the model.
    scores: usize,
    /// What was checked, and what every run must put out.
    shapes: Vec<Vec<i64>>,
}

impl Head {
    /// Checks the shapes that a run of the model put out, in the order of the manifest's outputs.
    pub fn new(manifest: &Manifest, shapes: &[Vec<i64>]) -> Result<Self, LoadError> {
        let Input { width, height, .. } = manifest.input;
        if shapes.len() != manifest.outputs.len() {
            return Err(manifest.refuse(
                "outputs",
                format!("{} names for {} outputs", manifest.outputs.len(), shapes.len()),
                "one output for each name",
                "list the model's output names in the head's order",
            ));
        }
        let scores = match manifest.head {
            HeadKind::Ssd => ssd::check(manifest, shapes)?,
            HeadKind::NanoDet => nanodet::check(manifest, shapes)?,
            HeadKind::YoloX => yolox::check(manifest, shapes)?,
            HeadKind::YoloV8 => yolov8::check(manifest, shapes)?,
        };
        for (class, indices) in &manifest.classes {
            if let Some(beyond) = indices.iter().find(|&&i| i >= scores) {
                return Err(manifest.refuse(
                    &format!("classes.{}", class.as_str()),
                    format!("index {beyond}"),
                    &format!("below {scores}, the number of the model's scores"),
                    "count from 0 in the model's own list of classes",
                ));
            }
        }
        let classes = manifest.classes.clone();
        let (floor, shapes) = (manifest.thresholds.floor, shapes.to_vec());
        Ok(Self { kind: manifest.head, width, height, classes, floor, scores, shapes })
    }

    /// Reads boxes from `floor` up from now on, if that is lower.
    pub(super) fn lower_floor(&mut self, floor: f32) {
        self.floor = self.floor.min(floor);
    }

    /// Reads the outputs of one run, in the order that was checked. A model whose extents are free may put out other
    /// shapes in a later run: that is an error, and `into` is left empty.
    pub fn decode(&self, outputs: &[Tensor], into: &mut Candidates) -> Result<(), DetectError> {
        into.clear();
        if outputs.len() != self.shapes.len()
            || !outputs.iter().zip(&self.shapes).all(|(found, checked)| found.is_of(checked))
        {
            let found: Vec<_> = outputs.iter().map(|output| output.shape).collect();
            return Err(DetectError(format!("outputs of shape {found:?}, at the start {:?}", self.shapes)));
        }
        match (self.kind, outputs) {
            (HeadKind::Ssd, [scores, boxes]) => ssd::decode(self, scores.data, boxes.data, into),
            (HeadKind::NanoDet, maps) => {
                let (scores, boxes) = maps.split_at(maps.len() / 2);
                nanodet::decode(self, scores, boxes, into);
            }
            (HeadKind::YoloX, [map]) => yolox::decode(self, map.data, into),
            (HeadKind::YoloV8, [map]) => yolov8::decode(self, map, into),
            // They were counted.
            _ => {}
        }
        Ok(())
    }

    /// Cells of a grid of `stride` pixels: columns, rows.
    fn grid(&self, stride: usize) -> (usize, usize) {
        (self.width / stride, self.height / stride)
    }
}

/// Grids that YOLOX lays over its input, in pixels a cell.
const STRIDES: [usize; 3] = [8, 16, 32];

/// Refuses an output whose shape is not `expected`; `-1` there stands for any extent.
fn expect_shape(manifest: &Manifest, key: &str, found: &[i64], expected: &[i64]) -> Result<(), LoadError> {
    let fits = found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| *e < 0 || f == e);
    if fits {
        return Ok(());
    }
    Err(manifest.refuse(
        key,
        format!("an output of shape {found:?}"),
        &shape_text(expected),
        "check `head`, the input's size and the order of the outputs",
    ))
}

fn shape_text(shape: &[i64]) -> String {
    let extents: Vec<_> =
        shape.iter().map(|&e| if e < 0 { "any".to_owned() } else { e.to_string() }).collect();
    format!("[{}]", extents.join(", "))
}
