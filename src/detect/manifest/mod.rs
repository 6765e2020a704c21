//! The model manifest: which file a model is, what its input and outputs look like, and which boxes to trust.

mod check;
mod load;
#[cfg(test)]
mod tests;
mod types;

use std::path::Path;

use super::load_error::LoadError;
pub use types::{ChannelOrder, Input, Manifest, Resize, TensorLayout, Thresholds};

impl Manifest {
    /// Reads and checks a manifest, then reads its model file and checks its hash. Returns the model's bytes, so that the
    /// checked bytes are those that are used.
    pub fn load(path: &Path) -> Result<(Self, Vec<u8>), LoadError> {
        let text = load::manifest_text(path)?;
        let manifest = Self::parse(path, &text)?;
        let model = load::model(&manifest)?;
        Ok((manifest, model))
    }

    /// Checks the text of the manifest at `path`. Does not read the model file.
    pub fn parse(path: &Path, text: &str) -> Result<Self, LoadError> {
        let raw: check::RawManifest = toml::from_str(text).map_err(|e| LoadError::Syntax {
            file: path.to_owned(),
            message: e.to_string().trim_end().to_owned(),
        })?;
        check::checked(path, raw).map_err(|error| error.in_file(path))
    }
}
