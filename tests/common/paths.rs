//! Paths of the programs and files under test.

use std::path::{Path, PathBuf};

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program under test.
pub(crate) fn havenwacht() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_havenwacht"))
}

/// A sample clip. `make test` draws it before the tests run.
pub(crate) fn clip(camera: &str) -> PathBuf {
    let path = root().join("sample-streams/out").join(format!("{camera}.mp4"));
    assert!(path.exists(), "{} is missing: `make streams` draws it", path.display());
    path
}
