//! A site file of any bytes.

#![no_main]

use std::sync::LazyLock;

use tempfile::TempDir;

#[path = "../promises/folder.rs"]
mod folder;
#[path = "../promises/site_file.rs"]
mod site_file;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let temporary = tempfile::tempdir().expect("a folder");
    folder::furnish(temporary.path());
    temporary
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| site_file::holds(FOLDER.path(), data));
