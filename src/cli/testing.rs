//! A site file for the tests of this module.

/// A folder with the example site file, after `change`, and the files that it names.
pub(super) fn site(change: impl Fn(String) -> String) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    let example = include_str!("../../config/example.toml")
        .replace("../models/havenwacht.toml", "havenwacht.toml")
        .replace("../models/runtime/libonnxruntime.so", "libonnxruntime.so")
        .replace("/var/lib/havenwacht/", "");
    std::fs::write(folder.path().join("havenwacht.toml"), "[input]\nwidth = 416\n").unwrap();
    std::fs::write(folder.path().join("libonnxruntime.so"), "").unwrap();
    std::fs::write(&path, change(example)).unwrap();
    (folder, path)
}
