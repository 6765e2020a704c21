//! SSD as TensorFlow's Object Detection API exports it without its suppression.
//!
//! Scores `[1, anchors, classes]`, after the sigmoid, without the background class. Boxes `[1, anchors, 1, 4]` or
//! `[1, anchors, 4]`, decoded: top, left, bottom, right, as fractions of the input (0 to 1).

use super::candidates::Candidates;
#[cfg(test)]
use super::format::Example;
use super::format::{DecodeContext, HeadFormat, InputSize, OutputNames, Tensor, expect_shape};
use crate::detect::load_error::ManifestError;

#[derive(Debug)]
pub(super) struct Ssd;

impl HeadFormat for Ssd {
    fn name(&self) -> &'static str {
        "ssd"
    }

    fn input_multiple(&self) -> usize {
        1
    }

    fn outputs(&self, _names: &OutputNames) -> Vec<(&'static str, usize)> {
        vec![("scores", 1), ("boxes", 1)]
    }

    fn check(&self, _input: InputSize, shapes: &[Vec<i64>]) -> Result<usize, ManifestError> {
        expect_shape("outputs.scores", &shapes[0], &[1, -1, -1])?;
        let (anchors, scores) = (shapes[0][1], shapes[0][2]);
        let boxes: &[i64] = if shapes[1].len() == 4 { &[1, anchors, 1, 4] } else { &[1, anchors, 4] };
        expect_shape("outputs.boxes", &shapes[1], boxes)?;
        Ok(scores as usize)
    }

    fn decode(&self, context: &DecodeContext, outputs: &[Tensor], into: &mut Candidates) {
        let [scores, boxes] = outputs else { return };
        let (w, h) = (context.input.width as f32, context.input.height as f32);
        let (corners, _) = boxes.data.as_chunks::<4>();
        for (scores, &[top, left, bottom, right]) in scores.data.chunks_exact(context.scores).zip(corners) {
            for (class, indices) in &context.classes {
                if let Some(confidence) = into.best_score(indices, context.threshold, |i| scores[i]) {
                    into.add(*class, confidence, [left * w, top * h, right * w, bottom * h]);
                }
            }
        }
    }

    #[cfg(test)]
    fn examples(&self) -> Vec<Example> {
        let outputs = "scores = ['s']\nboxes = ['b']";
        vec![Example { outputs, shapes: vec![vec![1, 50, 10], vec![1, 50, 4]] }]
    }

    #[cfg(test)]
    fn recorded_side(&self) -> usize {
        300
    }
}
