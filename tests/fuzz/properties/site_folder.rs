//! A folder in which site files are checked.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes the files that the example and the recipes name, so that a correct site file passes the check.
pub(crate) fn prepare(folder: &Path) {
    for path in
        ["models/havenwacht.toml", "models/runtime/libonnxruntime.so", "config/clip.mp4", "config/secret"]
    {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, "").expect("a file");
    }
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.join("config/secret"), private).expect("a private file");
}
