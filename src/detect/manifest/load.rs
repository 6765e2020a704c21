//! Reads a manifest and its model file, with limits on their size.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::types::Manifest;
use crate::detect::load_error::LoadError;

/// Larger model files are refused unread, because the box's memory is limited.
const MAX_MODEL_BYTES: u64 = 512 << 20;
/// A manifest is a page of text.
pub(super) const MAX_MANIFEST_BYTES: u64 = 64 << 10;

pub(super) fn manifest_text(path: &Path) -> Result<String, LoadError> {
    let fix = "give the path of a model manifest, such as models/havenwacht.toml";
    let bytes = read_limited(path, MAX_MANIFEST_BYTES, fix)?;
    String::from_utf8(bytes).map_err(|e| LoadError::Syntax {
        file: path.to_owned(),
        message: format!("not UTF-8 text after byte {}", e.utf8_error().valid_up_to()),
    })
}

/// The bytes of a manifest's model file, if they have the manifest's hash.
pub(super) fn model(manifest: &Manifest) -> Result<Vec<u8>, LoadError> {
    let fix = format!(
        "it is named by `file` in {}; `make setup` provides the models that come with Havenwacht",
        manifest.path.display()
    );
    let model = read_limited(&manifest.model_file, MAX_MODEL_BYTES, &fix)?;
    let found = hex(&Sha256::digest(&model));
    if found != manifest.sha256 {
        return Err(manifest.key_error(
            "sha256",
            format!("{}, but {} has {found}", manifest.sha256, manifest.model_file.display()),
            "the hash of the model file",
            "fetch the model again; if you trust the new file, write its hash into the manifest",
        ));
    }
    Ok(model)
}

fn read_limited(path: &Path, limit: u64, fix: &str) -> Result<Vec<u8>, LoadError> {
    let unreadable = |error| LoadError::Unreadable { file: path.to_owned(), error, fix: fix.to_owned() };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // Reads one byte beyond the limit, so that a file that grows meanwhile is also noticed.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(LoadError::TooLarge { file: path.to_owned(), limit });
    }
    Ok(bytes)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
