//! Any bytes as a site file.

#![no_main]

use std::sync::LazyLock;

use tempfile::TempDir;

#[path = "../properties/site_folder.rs"]
mod site_folder;
#[path = "../properties/site_file.rs"]
mod site_file;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let temporary = tempfile::tempdir().expect("a folder");
    site_folder::prepare(temporary.path());
    temporary
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| site_file::check_site(FOLDER.path(), data));
