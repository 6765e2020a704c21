//! Any words after `logbook list`, `show`, `export` and `why`.

#![no_main]

use std::sync::LazyLock;

use cli_filters::Shelf;
use tempfile::TempDir;

#[path = "../promises/cli_filters.rs"]
mod cli_filters;
#[path = "../promises/night.rs"]
mod night;

static SHELF: LazyLock<(Shelf, TempDir)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    (Shelf::new(folder.path()), folder)
});

libfuzzer_sys::fuzz_target!(|text: &str| SHELF.0.holds(text));
