//! Loads the site file for a command.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

/// An error that a restart cannot repair: in the site file, the model, or a logbook of another version.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PermanentError(pub(super) String);

/// Reads a site file. Warnings go to standard error; an error ends the command with [`super::check::BAD_CONFIG`].
pub(super) fn load_site(path: &Path) -> anyhow::Result<crate::config::Site> {
    let (site, warnings) =
        crate::config::load(path).map_err(|mistakes| PermanentError(mistakes.to_string()))?;
    for warning in warnings {
        let _closed = writeln!(std::io::stderr(), "{warning}");
    }
    Ok(site)
}

/// The index of camera `id` in the site file.
pub(super) fn camera_index(site: &crate::config::Site, id: &str) -> anyhow::Result<usize> {
    site.cameras.iter().position(|camera| camera.id.as_str() == id).with_context(|| {
        let known: Vec<_> = site.cameras.iter().map(|camera| camera.id.as_str()).collect();
        format!("the site file has no camera `{id}`; it has {}", known.join(", "))
    })
}
