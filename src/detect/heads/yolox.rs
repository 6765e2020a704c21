//! YOLOX (Ge et al. 2021, arXiv 2107.08430) exported without its decoding, like the ONNX files of its authors.
//!
//! One map `[1, cells of strides 8, 16 and 32, 5 + classes]`. Each cell has the offset of the centre from the cell's corner in
//! strides, the logarithm of the extent in strides, the objectness, and the scores after the sigmoid. Confidence is objectness
//! times score.

use super::candidates::Candidates;
#[cfg(test)]
use super::format::Example;
use super::format::{DecodeContext, HeadFormat, InputSize, OutputNames, Tensor, expect_shape};
use crate::detect::load_error::ManifestError;

/// Strides of the grids over the input, in pixels.
const STRIDES: [usize; 3] = [8, 16, 32];

#[derive(Debug)]
pub(super) struct YoloX;

impl HeadFormat for YoloX {
    fn name(&self) -> &'static str {
        "yolox"
    }

    fn input_multiple(&self) -> usize {
        32
    }

    fn outputs(&self, _names: &OutputNames) -> Vec<(&'static str, usize)> {
        vec![("predictions", 1)]
    }

    fn check(&self, input: InputSize, shapes: &[Vec<i64>]) -> Result<usize, ManifestError> {
        let cells: usize =
            STRIDES.into_iter().map(|stride| input.grid(stride)).map(|(columns, rows)| columns * rows).sum();
        expect_shape("outputs.predictions", &shapes[0], &[1, cells as i64, -1])?;
        let values = shapes[0][2];
        if values < 6 {
            return Err(ManifestError::new(
                "outputs.predictions",
                format!("{values} values per cell"),
                "4 for the box, 1 objectness and at least 1 score",
                "check `head`",
            ));
        }
        Ok(values as usize - 5)
    }

    fn decode(&self, context: &DecodeContext, outputs: &[Tensor], into: &mut Candidates) {
        let [map] = outputs else { return };
        let mut cells = map.data.chunks_exact(5 + context.scores);
        for stride in STRIDES {
            let (columns, rows) = context.input.grid(stride);
            let stride = stride as f32;
            for (index, cell) in cells.by_ref().take(columns * rows).enumerate() {
                for (class, indices) in &context.classes {
                    let score = |i: usize| cell[4] * cell[5 + i];
                    let Some(confidence) = into.best_score(indices, context.threshold, score) else {
                        continue;
                    };
                    let x = ((index % columns) as f32 + cell[0]) * stride;
                    let y = ((index / columns) as f32 + cell[1]) * stride;
                    let (w, h) = (cell[2].exp() * stride, cell[3].exp() * stride);
                    into.add(*class, confidence, [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0]);
                }
            }
        }
    }

    #[cfg(test)]
    fn examples(&self) -> Vec<Example> {
        vec![Example { outputs: "predictions = ['p']", shapes: vec![vec![1, 84, 15]] }]
    }

    #[cfg(test)]
    fn recorded_side(&self) -> usize {
        416
    }
}
