//! The output layout of YOLOv8 and of later detectors without anchors.
//!
//! One map `[1, 4 + classes, cells]`, channels first: centre and extent in pixels of the input, then scores after the sigmoid.
//! There is no objectness.

use super::candidates::Candidates;
#[cfg(test)]
use super::format::Example;
use super::format::{DecodeContext, HeadFormat, InputSize, OutputNames, Tensor, expect_shape};
use crate::detect::load_error::ManifestError;

#[derive(Debug)]
pub(super) struct YoloV8;

impl HeadFormat for YoloV8 {
    fn name(&self) -> &'static str {
        "yolov8"
    }

    fn input_multiple(&self) -> usize {
        32
    }

    fn outputs(&self, _names: &OutputNames) -> Vec<(&'static str, usize)> {
        vec![("predictions", 1)]
    }

    fn check(&self, _input: InputSize, shapes: &[Vec<i64>]) -> Result<usize, ManifestError> {
        expect_shape("outputs.predictions", &shapes[0], &[1, -1, -1])?;
        let (values, cells) = (shapes[0][1], shapes[0][2]);
        // An output with the channels last would give wrong boxes without an error.
        if values < 5 || values > cells {
            return Err(ManifestError::new(
                "outputs.predictions",
                format!("an output of shape {:?}", shapes[0]),
                "[1, 4 + classes, cells], fewer channels than cells",
                "export the model without NMS and without a transposed output",
            ));
        }
        Ok(values as usize - 4)
    }

    fn decode(&self, context: &DecodeContext, outputs: &[Tensor], into: &mut Candidates) {
        let [map] = outputs else { return };
        let cells = map.data.len() / (4 + context.scores);
        let at = |channel: usize, cell: usize| map.data[channel * cells + cell];
        for cell in 0..cells {
            for (class, indices) in &context.classes {
                let Some(confidence) = into.best_score(indices, context.threshold, |i| at(4 + i, cell))
                else {
                    continue;
                };
                let [x, y, w, h] = std::array::from_fn(|channel| at(channel, cell));
                into.add(*class, confidence, [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0]);
            }
        }
    }

    #[cfg(test)]
    fn examples(&self) -> Vec<Example> {
        vec![Example { outputs: "predictions = ['p']", shapes: vec![vec![1, 14, 84]] }]
    }

    #[cfg(test)]
    fn recorded_side(&self) -> usize {
        416
    }
}
