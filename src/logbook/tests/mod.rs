//! Tests of the whole module.

mod any_damage;
mod clocks;
mod damage;
mod full_disk;
mod outbox_model;
mod recovery;
mod removal_delay;
mod retention;
mod writing;

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// A folder, and the path of a logbook in it.
fn fresh() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    (folder, path)
}

fn hash(path: &Path) -> Vec<u8> {
    Sha256::digest(std::fs::read(path).unwrap()).to_vec()
}
