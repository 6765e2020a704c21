//! Valid and invalid site files.

mod calibration;
mod damaged_files;
mod secrets;
mod slips;
mod tls;

use super::*;

pub(super) const EXAMPLE: &str = include_str!("../../../config/example.toml");
const BROKEN: &str = include_str!("../../../tests/data/broken.toml");

/// A folder with the files that the example names.
pub(super) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in
        ["models/havenwacht.toml", "models/runtime/libonnxruntime.so", "config/clip.mp4", "config/secret"]
    {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
    }
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(folder.path().join("config/secret"), private).unwrap();
    folder
}

pub(super) fn check_in(folder: &Path, text: &str) -> Result<(Site, Vec<Diagnostic>), Vec<Diagnostic>> {
    // The folder of the logbook does not exist before the first start.
    let text = text.replace("/var/lib/havenwacht/", "");
    check_text("site.toml", &text, &folder.join("config")).map_err(|error| match error {
        ConfigError::Invalid(found) => found,
        other => panic!("{other}"),
    })
}

pub(super) fn check(text: &str) -> Result<(Site, Vec<Diagnostic>), Vec<Diagnostic>> {
    check_in(folder().path(), text)
}

pub(super) fn lines(found: &[Diagnostic]) -> String {
    found.iter().map(|d| format!("{d}\n")).collect()
}

#[test]
fn the_example_has_no_diagnostics() {
    let (site, warnings) = check(EXAMPLE).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(site.id.as_str(), "my-harbour");
    assert_eq!(site.time_zone.iana_name(), Some("Europe/Amsterdam"));
    assert_eq!(site.cameras[0].zones[0].id.as_str(), "inner-basin");
    assert_eq!(site.cameras[0].detect_fps, 4.0);
    assert_eq!(site.rules[0].camera, site.cameras[0].id);
    assert_eq!(site.rules[0].schedule.only[0].days.len(), 7);
    assert_eq!(site.hash.len(), 64);
}

#[test]
fn ten_mistakes_give_ten_diagnostics() {
    let found = check(BROKEN).unwrap_err();
    assert!(!lines(&found).contains("anker"), "a password is never repeated");
    insta::assert_snapshot!(lines(&found));
}

/// Replaces `old` in the example and expects a diagnostic at `key` with this level, line and words.
fn expect_diagnostic(old: &str, new: &str, level: Level, key: &str, words: &[&str]) {
    assert!(EXAMPLE.contains(old), "the example has no {old:?}");
    let text = EXAMPLE.replacen(old, new, 1);
    let found = match check(&text) {
        Ok((_, warnings)) => warnings,
        Err(found) => found,
    };
    let all = lines(&found);
    let Some(hit) = found.iter().find(|d| d.level == level && d.key == key) else {
        panic!("{new:?}: no diagnostic at {key} in\n{all}");
    };
    for word in words {
        assert!(hit.to_string().contains(word), "{new:?}: no {word:?} in\n{hit}");
    }
    let line = text.lines().nth(hit.line - 1).unwrap();
    let name = key.rsplit('.').next().unwrap().split('[').next().unwrap();
    assert!(line.starts_with('[') || line.contains(name), "{new:?}: {hit} is not about line\n{line}");
    assert!(level == Level::Warning || check(&text).is_err());
}

#[test]
fn each_mistake_has_a_message() {
    let wrong = |old, new, key, words: &[&str]| expect_diagnostic(old, new, Level::Error, key, words);
    wrong(
        "id = \"my-harbour\"",
        "id = \"My Harbour\"",
        "site.id",
        &["identifier", "did you mean \"my-harbour\"?"],
    );
    wrong("id = \"my-harbour\"", "", "site.id", &["is missing", "add id = "]);
    wrong("id = \"my-harbour\"", "id = 7", "site.id", &["text in quotes", "a number"]);
    wrong("Europe/Amsterdam", "Amsterdam", "site.time_zone", &["did you mean \"Europe/Amsterdam\"?"]);
    wrong("Europe/Amsterdam", "Europe/Amsterdm", "site.time_zone", &["did you mean \"Europe/Amsterdam\"?"]);
    wrong("Europe/Amsterdam", "+02:00", "site.time_zone", &["IANA"]);
    wrong(
        "time_zone",
        "timezone",
        "site.timezone",
        &["no such key in [site]", "did you mean \"time_zone\"?"],
    );
    wrong("[broker]", "[brokers]", "brokers", &["no such section", "did you mean \"broker\"?"]);
    wrong("[broker]", "[[broker]]", "broker", &["only one"]);
    wrong("[[camera]]", "[camera]", "camera", &["[[camera]]"]);
    wrong("[site]", "port = 1883\n[site]", "port", &["before the first section", "belongs in [broker]"]);
    wrong(
        "../models/havenwacht.toml",
        "../models/ssd.toml",
        "model.manifest",
        &["there is no file", "ssd.toml"],
    );
    wrong("libonnxruntime.so", "libonnx.so", "model.runtime", &["there is no file", "ONNX Runtime"]);
    wrong("host = \"127.0.0.1\"", "host = \"mqtt://127.0.0.1\"", "broker.host", &["scheme", "port = 1883"]);
    wrong("port = 1883", "port = 188300", "broker.port", &["out of range", "65535"]);
    wrong("port = 1883", "port = \"1883\"", "broker.port", &["whole number", "without quotes"]);
    wrong("port = 1883", "username = \"a\"", "broker.username", &["without a password", "password_file"]);
    wrong("port = 1883", "password_file = \"secret\"", "broker.password_file", &["without a user name"]);
    wrong("port = 1883", "user = \"a\"", "broker.user", &["did you mean \"username\"?"]);
    wrong(
        "port = 1883",
        "username = \"a\"\npassword_file = \"nowhere\"",
        "broker.password_file",
        &["no such file"],
    );
    wrong(
        "port = 1883",
        "username = \"a\"\npassword_file = \"secret\"\npassword_credential = \"mqtt\"",
        "broker.password_credential",
        &["keep one"],
    );
    wrong(
        "[logbook]",
        "[health]\nlisten = \"localhost:9464\"\n[logbook]",
        "health.listen",
        &["127.0.0.1:9464"],
    );
    wrong("[logbook]", "[health]\nlisten = \"127.0.0.1:0\"\n[logbook]", "health.listen", &["port 0"]);
    wrong(
        "[logbook]",
        "[retention]\ndetections = \"90 days\"\n[logbook]",
        "retention.detections",
        &["\"90d\""],
    );
    wrong(
        "[logbook]",
        "[retention]\nevents = 2\n[logbook]",
        "retention.events",
        &["2 has no unit", "\"2y\""],
    );
    let retention = |line: &str, key, words: &[&str]| {
        expect_diagnostic("[logbook]", &format!("[retention]\n{line}\n[logbook]"), Level::Error, key, words);
    };
    retention("tracks = \"1 year\"", "retention.tracks", &["\"1y\""]);
    retention("pictures = \"10s\"", "retention.pictures", &["out of range", "from 1h to 100y"]);
    retention("max_size = 20", "retention.max_size", &["20 has no unit", "\"20 GB\""]);
    retention("max_size = \"20 gb\"", "retention.max_size", &["not a size", "did you mean \"20 GB\"?"]);
    retention("max_size = \"1 MB\"", "retention.max_size", &["out of range", "from 50 MB to 100 TB"]);
    retention("max_size = true", "retention.max_size", &["a size", "\"20 GB\""]);
    retention("size = \"20 GB\"", "retention.size", &["no such key"]);
    wrong("rtsp://", "http://", "camera[0].url", &["http://", "not the camera's web page"]);
    wrong("rtsp://192.0.2.10:554/stream1", "harbour.mp4", "camera[0].url", &["there is no file", "rtsp://"]);
    wrong("\"h264\"", "\"h.264\"", "camera[0].codec", &["did you mean \"h264\"?"]);
    wrong("detect_fps = 4.0", "detect_fps = 60", "camera[0].detect_fps", &["0.1 to 30"]);
    wrong("detect_fps = 4.0", "fps = 4", "camera[0].fps", &["did you mean \"detect_fps\"?"]);
    wrong("detect_fps = 4.0", "stall_after = \"1h\"", "camera[0].stall_after", &["from 1s to 10m"]);
    wrong(
        "detect_fps = 4.0",
        "regions = [[0.5, 0.4, 0.4, 0.4]]",
        "camera[0].regions[0]",
        &["[0.5, 0.4, 0.9, 0.8]"],
    );
    wrong(
        "detect_fps = 4.0",
        "regions = [[0, 400, 1920, 800]]",
        "camera[0].regions[0][1]",
        &["looks like pixels"],
    );
    wrong("detect_fps = 4.0", "whole_frame = false", "camera[0]", &["nothing to inspect"]);
    wrong(
        "camera = \"quay-east\"",
        "camera = \"quay-eats\"",
        "zone[0].camera",
        &["did you mean \"quay-east\"?"],
    );
    wrong("[0.90, 0.55], [0.95, 0.95]", "[0.95, 0.95], [0.90, 0.55]", "zone[0].polygon", &["edges cross"]);
    wrong(", [0.95, 0.95], [0.05, 0.95]", "", "zone[0].polygon", &["at least 3 corners"]);
    wrong("[0.95, 0.95], [0.05, 0.95]", "[0.5, 0.55]", "zone[0].polygon", &["no area"]);
    wrong(
        "[[0.10, 0.55], [0.90, 0.55], [0.95, 0.95], [0.05, 0.95]]",
        "[[1.1, 0.1], [1.9, 0.1], [1.5, 0.9]]",
        "zone[0].polygon",
        &["wholly outside"],
    );
    wrong("[0.10, 0.55], ", "[0.10], ", "zone[0].polygon[0]", &["1 numbers", "[x, y]"]);
    wrong("[[zone]]", "[[rule]]\nid = \"night-passage\"\n[[zone]]", "rule[1].id", &["another rule already"]);
    wrong("kind = \"presence\"", "kind = \"loiter\"", "rule[0].kind", &["known are \"presence\", \"entry\""]);
    wrong(
        "kind = \"presence\"",
        "kind = \"dwell\"",
        "rule[0].longer_than",
        &["is missing: a dwell rule needs it"],
    );
    wrong(
        "kind = \"presence\"",
        "kind = \"crossing\"",
        "rule[0].line",
        &["is missing: a crossing rule needs it"],
    );
    wrong("kind = \"presence\"", "kind = \"crossing\"", "rule[0].zone", &["no meaning for a crossing"]);
    wrong("confirm = \"2s\"", "longer_than = \"5m\"", "rule[0].longer_than", &["no meaning for a presence"]);
    wrong("confirm = \"2s\"", "confirm = \"2sec\"", "rule[0].confirm", &["did you mean \"2s\"?"]);
    wrong("zone = \"inner-basin\"", "zone = \"outer-basin\"", "rule[0].zone", &["no zone \"outer-basin\""]);
    wrong("\"21:30\"", "\"9:30\"", "rule[0].schedule[0].from", &["did you mean \"09:30\"?"]);
    wrong("\"21:30\"", "21:30:00", "rule[0].schedule[0].from", &["has no quotes"]);
    wrong("\"05:30\"", "\"24:00\"", "rule[0].schedule[0].to", &["\"00:00\""]);
    wrong("\"05:30\"", "\"21:30\"", "rule[0].schedule[0].to", &["no length", "leave from and to out"]);
    wrong("\"mon\",", "\"monday\",", "rule[0].schedule[0].days[0]", &["did you mean \"mon\"?"]);
    let week = "[\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";
    wrong(week, "[]", "rule[0].schedule[0].days", &["never be live"]);
    wrong(week, "\"weekdays\"", "rule[0].schedule[0].days", &["a list of days"]);
    wrong("severity = \"alert\"", "severity = \"alarm\"", "rule[0].severity", &["did you mean \"alert\"?"]);
    wrong("severity = \"alert\"", "id = \"x\"", "", &["`id` is given twice"]);
    wrong("severity = \"alert\"", "severity = alert", "", &["not TOML"]);
    wrong("[[zone]]", "[[zone]", "", &["not TOML"]);
}

#[test]
fn suspicious_values_are_warnings() {
    let warns = |old, new, key, words: &[&str]| expect_diagnostic(old, new, Level::Warning, key, words);
    warns(
        "[logbook]",
        "[health]\nlisten = \"0.0.0.0:9464\"\n[logbook]",
        "health.listen",
        &["from the network"],
    );
    warns("[logbook]", "[retention]\nevents = \"30d\"\n[logbook]", "retention", &["30d", "90d"]);
    warns(
        "[logbook]",
        "[retention]\nevents = \"1y\"\npictures = \"2y\"\n[logbook]",
        "retention",
        &["2y", "after 1y"],
    );
    warns("logbook.sqlite\"", "nowhere/logbook.sqlite\"", "logbook.path", &["there is no folder"]);
    warns("detect_fps = 4.0", "detect_fps = 30", "camera[0]", &["60.0 inferences a second", "222 %"]);
    warns("detect_fps = 4.0", "regions = [[0.0, 0.0, 1.0, 1.0]]", "camera[0].regions[0]", &["whole frame"]);
    warns("[0.95, 0.95]", "[1.4, 0.95]", "zone[0].polygon", &["partly outside the picture"]);
    warns("\"tue\",", "\"mon\", \"tue\",", "rule[0].schedule[0].days[1]", &["given twice"]);
    warns(
        "schedule = [",
        "schedule = [{ days = [\"sat\"], from = \"20:00\", to = \"23:00\" }, ",
        "rule[0].schedule[1]",
        &["overlaps rule[0].schedule[0]"],
    );
    warns("confirm = \"2s\"", "confirm = \"8h\"", "rule[0].confirm", &["never hold", "confirm is 8h"]);
    warns(
        "kind = \"presence\"",
        "kind = \"dwell\"\nlonger_than = \"9h\"",
        "rule[0].longer_than",
        &["never hold", "longer_than is 9h", "8h at most"],
    );
    let masked = "detect_fps = 4.0\nprivacy_masks = [[[0, 0.5], [0.5, 0.5], [0.5, 1], [0, 1]], [[0.5, 0.5], [1, 0.5], [1, 1], [0.5, 1]]]";
    warns("detect_fps = 4.0", masked, "rule[0].zone", &["privacy masks of quay-east cover"]);
    let elsewhere = "whole_frame = false\nregions = [[0.0, 0.0, 1.0, 0.4]]";
    warns("detect_fps = 4.0", elsewhere, "rule[0].zone", &["never hold", "no region"]);
    let schedule = EXAMPLE.lines().find(|line| line.starts_with("schedule")).unwrap();
    warns(schedule, "", "rule[0]", &["every vessel at any time"]);
    let line =
        "[[line]]\nid = \"mouth\"\ncamera = \"quay-east\"\nfrom = [0.5, 0.5]\nto = [1.5, 0.5]\n[[zone]]";
    warns("[[zone]]", line, "line[0]", &["partly outside"]);
    let second =
        "[[camera]]\nid = \"quay-west\"\nurl = \"rtsp://192.0.2.10:554/stream1\"\ncodec = \"h265\"\n[[zone]]";
    warns("[[zone]]", second, "camera[1]", &["never alerts"]);
    warns("[[zone]]", second, "camera[1].url", &["the address of camera[0] too"]);
    let rule = EXAMPLE[EXAMPLE.find("[[rule]]").unwrap()..].replace("night-passage", "night-passage-2");
    warns("[[rule]]", &format!("{rule}\n[[rule]]"), "rule[1]", &["the same rule as rule[0]"]);
}

#[test]
fn a_line_needs_two_ends_in_the_picture() {
    let line = |from: &str, to: &str| {
        format!("{EXAMPLE}\n[[line]]\nid = \"mouth\"\ncamera = \"quay-east\"\nfrom = {from}\nto = {to}\n")
    };
    let (site, _) = check(&line("[0.5, 0.4]", "[0.5, 0.9]")).unwrap();
    assert!((site.cameras[0].lines[0].segment.length() - 0.5).abs() < 1e-6);
    for (from, to, words) in [
        ("[0.5, 0.4]", "[0.5, 0.4]", "no length"),
        ("[1.2, 0.4]", "[1.5, 0.9]", "wholly outside"),
        ("[-0.6, 0.5]", "[0.5, -0.5]", "wholly outside"),
        ("[0.5, \"0.4\"]", "[0.5, 0.9]", "should be a number"),
    ] {
        let found = check(&line(from, to)).unwrap_err();
        assert!(lines(&found).contains(words), "{from} {to}: {}", lines(&found));
    }
}

#[test]
fn a_crossing_needs_a_line() {
    let text = EXAMPLE.replace("kind = \"presence\"", "kind = \"crossing\"\nline = \"inner-basin\"");
    let found = lines(&check(&text).unwrap_err());
    assert!(found.contains("is a zone, and a crossing rule needs a line"), "{found}");
}

#[test]
fn a_file_that_is_not_utf8_gives_the_location() {
    let folder = folder();
    let path = folder.path().join("config/site.toml");
    std::fs::write(&path, b"[site]\nid = \"caf\xe9\"\n").unwrap();
    let error = load(&path).unwrap_err().to_string();
    assert!(error.contains("site.toml:2:10: error: this byte is not UTF-8"), "{error}");
    let error = load(&folder.path().join("absent.toml")).unwrap_err();
    assert!(matches!(error, ConfigError::Unreadable { .. }) && error.to_string().contains("absent.toml"));
}

#[test]
fn the_reference_explains_every_key() {
    let reference = include_str!("../../../config/reference.md");
    for (section, keys) in schema::SECTIONS.iter().filter(|(section, _)| !section.is_empty()) {
        let header = if *section == "shift" {
            "### Shifts".to_owned()
        } else {
            format!("`{}`", schema::header(section))
        };
        let text = reference.split("\n## ").flat_map(|part| part.split_inclusive("\n### Shifts"));
        let text: String = match *section {
            "shift" => reference.split("\n### Shifts").nth(1).unwrap_or_default().to_owned(),
            "berth" => reference.split("\n### Berths").nth(1).unwrap_or_default().to_owned(),
            "tls" => reference.split("\nKeys of `tls`").nth(1).unwrap_or_default().to_owned(),
            _ => text.filter(|part| part.starts_with(&header)).collect(),
        };
        assert!(!text.is_empty(), "no {header} in the reference");
        for key in *keys {
            assert!(text.contains(&format!("\n| `{key}` |")), "{header} does not explain {key}");
        }
    }
}

#[test]
fn a_file_without_a_camera_is_an_error() {
    let head = &EXAMPLE[..EXAMPLE.find("[[camera]]").unwrap()];
    for text in [head.to_owned(), format!("camera = []\n{head}")] {
        let found = check(&text).unwrap_err();
        assert!(
            lines(&found).contains("site.toml:1:") && lines(&found).contains("camera: there is no camera")
        );
        assert_eq!(found.len(), 1, "{}", lines(&found));
    }
}

#[test]
fn a_group_joins_its_zones_without_their_holes() {
    let old = "[[zone]]\n";
    let group = "[[group]]\nid = \"north-basin\"\nname = \"North basin\"\n\n[[zone]]\nid = \"pontoon\"\ncamera = \"quay-east\"\n\
        group = \"north-basin\"\npolygon = [[0.2, 0.1], [0.5, 0.1], [0.5, 0.5], [0.2, 0.5]]\n\
        holes = [[[0.3, 0.2], [0.4, 0.2], [0.4, 0.3]]]\n\n[[zone]]\ngroup = \"north-basin\"\n";
    let text = EXAMPLE.replacen(old, group, 1).replace("zone = \"inner-basin\"", "zone = \"north-basin\"");
    let (site, warnings) = check(&text).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(site.cameras[0].zones.len(), 2);
    let crate::rules::RulePlace::Zone(zone) = site.rules[0].condition.place() else {
        panic!("{:?}", site.rules)
    };
    assert_eq!((zone.id.as_str(), zone.name.as_str()), ("north-basin", "North basin"));
    let holds = |x, y| zone.area.contains(crate::geometry::Point::new(x, y));
    assert!(holds(0.25, 0.4) && holds(0.5, 0.7) && !holds(0.39, 0.22) && !holds(0.6, 0.3));

    let wrong = |old: &str, new: &str, key: &str, words: &str| {
        let found = check(&text.replacen(old, new, 1)).unwrap_err();
        let hit = found.iter().find(|d| d.key == key && d.to_string().contains(words));
        assert!(hit.is_some(), "no {words:?} at {key} in\n{}", lines(&found));
    };
    wrong(
        "group = \"north-basin\"",
        "group = \"nroth-basin\"",
        "zone[0].group",
        "did you mean \"north-basin\"?",
    );
    wrong("id = \"north-basin\"", "id = \"south-basin\"", "group[0]", "no zone belongs to this group");
    wrong("id = \"north-basin\"", "id = \"pontoon\"", "group[0].id", "already");
    wrong("[0.4, 0.3]]]", "[0.6, 0.3]]]", "zone[0].holes[0]", "outside the outline");
    wrong("[0.4, 0.3]]]", "[0.35, 0.2]]]", "zone[0].holes[0]", "no area");
}
