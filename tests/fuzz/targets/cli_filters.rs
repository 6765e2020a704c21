//! Any words after `logbook list`, `show`, `export` and `why`.

#![no_main]

use std::sync::LazyLock;

use cli_filters::Logbooks;
use tempfile::TempDir;

#[path = "../properties/cli_filters.rs"]
mod cli_filters;
#[path = "../properties/sample_logbook.rs"]
mod sample_logbook;

static LOGBOOKS: LazyLock<(Logbooks, TempDir)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    (Logbooks::new(folder.path()), folder)
});

libfuzzer_sys::fuzz_target!(|text: &str| LOGBOOKS.0.check(text));
