//! Every section of the site file with its keys. The readers, the suggestions and the reference are tested against it.

/// Name of a section as in its header (empty: the file itself) and its keys.
pub(super) const SECTIONS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "site",
            "model",
            "broker",
            "logbook",
            "retention",
            "health",
            "camera",
            "zone",
            "group",
            "line",
            "schedule",
            "rule",
        ],
    ),
    ("site", &["id", "name", "time_zone", "latitude", "longitude", "holidays"]),
    ("model", &["manifest", "runtime", "threads"]),
    ("broker", &["host", "port", "username", "password_file", "password_credential", "tls"]),
    ("tls", &["ca_file", "client_cert_file", "client_key_file", "client_key_credential", "server_name"]),
    ("logbook", &["path", "signing_key_file", "signing_key_credential"]),
    ("retention", &["detections", "tracks", "pictures", "events", "max_size"]),
    ("health", &["listen"]),
    (
        "camera",
        &[
            "id",
            "name",
            "url",
            "codec",
            "transport",
            "username",
            "password_file",
            "password_credential",
            "detect_fps",
            "false_vessels_per_day",
            "whole_frame",
            "regions",
            "water",
            "stall_after",
            "first_frame_within",
            "privacy_masks",
            "calibration",
        ],
    ),
    ("calibration", &["points", "error_px"]),
    ("point", &["image", "metres", "wgs84"]),
    ("zone", &["id", "name", "camera", "polygon", "holes", "group", "berth"]),
    ("berth", &["expected_length_m"]),
    ("group", &["id", "name"]),
    ("line", &["id", "name", "camera", "from", "to"]),
    (
        "rule",
        &[
            "id",
            "name",
            "kind",
            "schedule",
            "never",
            "severity",
            "confirm",
            "clear",
            "cooldown",
            "raises",
            "escalate_after",
            "min_confidence",
            "length_m",
            "owner",
            "review_by",
        ],
    ),
    ("schedule", &["id", "only", "never"]),
    ("shift", &["days", "from", "to", "dates", "holidays"]),
];

/// Sections that are written in braces, as items of a list.
const INLINE: &[&str] = &["shift", "point", "berth", "tls"];

/// The keys of a section. A rule has those of its kind, too.
pub(super) fn keys(section: &str) -> Vec<&'static str> {
    let keys = SECTIONS.iter().find(|(name, _)| *name == section).map_or(&[][..], |(_, keys)| keys);
    let mut keys = keys.to_vec();
    if section == "rule" {
        keys.extend(crate::rules::all_keys().iter().map(|key| key.name));
    }
    keys
}

/// Headers of the sections that have `key`.
pub(super) fn sections_with(key: &str) -> Vec<String> {
    SECTIONS
        .iter()
        .filter(|(name, _)| !name.is_empty() && !INLINE.contains(name) && self::keys(name).contains(&key))
        .map(|(name, _)| header(name))
        .collect()
}

/// A section's header as written in the file.
pub(super) fn header(section: &str) -> String {
    match section {
        "camera" | "zone" | "group" | "line" | "schedule" | "rule" => format!("[[{section}]]"),
        "calibration" | "point" => "[camera.calibration]".to_owned(),
        "shift" => "a shift".to_owned(),
        "tls" => "tls under [broker]".to_owned(),
        _ => format!("[{section}]"),
    }
}
