//! Decodes the outputs of one model, whose shapes were checked when it was loaded.

use super::detection::DetectError;
use super::heads::{Candidates, DecodeContext, HeadFormat, InputSize, Tensor};
use super::load_error::LoadError;
use super::manifest::{Input, Manifest};

/// The head of a model, checked against the shapes of the model's outputs.
#[derive(Clone, Debug)]
pub struct Decoder {
    head: &'static dyn HeadFormat,
    context: DecodeContext,
    /// The shapes that were checked. Every inference must give the same.
    shapes: Vec<Vec<i64>>,
}

impl Decoder {
    /// Checks the shapes of a model's outputs, in the order of the manifest's outputs.
    pub fn new(manifest: &Manifest, shapes: &[Vec<i64>]) -> Result<Self, LoadError> {
        if shapes.len() != manifest.outputs.len() {
            return Err(manifest.key_error(
                "outputs",
                format!("{} names for {} outputs", manifest.outputs.len(), shapes.len()),
                "one output for each name",
                "list the model's output names in the head's order",
            ));
        }
        let Input { width, height, .. } = manifest.input;
        let input = InputSize { width, height };
        let scores = manifest.head.check(input, shapes).map_err(|error| error.in_file(&manifest.path))?;
        for (class, indices) in &manifest.classes {
            if let Some(beyond) = indices.iter().find(|&&i| i >= scores) {
                return Err(manifest.key_error(
                    &format!("classes.{}", class.as_str()),
                    format!("index {beyond}"),
                    format!("below {scores}, the number of the model's scores"),
                    "count from 0 in the model's own list of classes",
                ));
            }
        }
        let (classes, threshold) = (manifest.classes.clone(), manifest.thresholds.low);
        let context = DecodeContext { input, classes, threshold, scores };
        Ok(Self { head: manifest.head, context, shapes: shapes.to_vec() })
    }

    /// Lowers the threshold from which boxes are decoded, if `threshold` is lower.
    pub(super) fn lower_threshold(&mut self, threshold: f32) {
        self.context.threshold = self.context.threshold.min(threshold);
    }

    /// Decodes the outputs of one inference, in the order that was checked. A model with free extents may give other shapes
    /// in a later inference; that is an error, and `into` is left empty.
    pub fn decode(&self, outputs: &[Tensor], into: &mut Candidates) -> Result<(), DetectError> {
        into.clear();
        if outputs.len() != self.shapes.len()
            || !outputs.iter().zip(&self.shapes).all(|(found, checked)| found.has_shape(checked))
        {
            let found: Vec<_> = outputs.iter().map(|output| output.shape).collect();
            let checked = &self.shapes;
            return Err(DetectError(format!(
                "outputs of shape {found:?}, expected {checked:?} as at the start"
            )));
        }
        self.head.decode(&self.context, outputs, into);
        Ok(())
    }
}
