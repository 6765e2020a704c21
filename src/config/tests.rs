//! Site files as technicians write them, right and wrong.

use super::*;

const EXAMPLE: &str = include_str!("../../config/example.toml");

/// A folder in which the files that the example names do exist.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("models/ssdlite.toml", ""),
        ("models/runtime/libonnxruntime.so", ""),
        ("config/clip.mp4", ""),
        ("config/secret", "hunter2"),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let secret = folder.path().join("config/secret");
    std::fs::set_permissions(secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    folder
}

fn check(text: &str) -> Result<(Site, Vec<Diagnostic>), Vec<Diagnostic>> {
    let folder = folder();
    // The logbook's folder is not there before the first start.
    let text = text.replace("/var/lib/havenwacht/", "");
    check_text("site.toml", &text, &folder.path().join("config")).map_err(|error| match error {
        ConfigError::Invalid(found) => found,
        other => panic!("{other}"),
    })
}

#[test]
fn the_example_is_a_good_site_file() {
    let (site, warnings) = check(EXAMPLE).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(site.id.as_str(), "my-harbour");
    assert_eq!(site.time_zone.iana_name(), Some("Europe/Amsterdam"));
    assert_eq!(site.cameras[0].zones[0].id.as_str(), "inner-basin");
    assert_eq!(site.cameras[0].looks_per_second, 4.0);
    assert_eq!(site.rules[0].camera, site.cameras[0].id);
    assert_eq!(site.rules[0].schedule[0].days.len(), 7);
    assert_eq!(site.hash.len(), 64);
}
