//! By day, H.264: five vessels moored at the far quay, traffic in front of them. The truth has ten vessels; 10 stops at the fuel berth.

use super::{VideoCase, VideoScene, not_met, suppressed};

pub(super) const SCENE: VideoScene = VideoScene {
    camera: "inner-harbour",
    codec: "h264",
    start: "2026-06-01T20:13:00Z",
    places: PLACES,
    cases: CASES,
};

const PLACES: &str = r#"[camera.calibration]
points = [
    { image = [0.1, 0.9], metres = [-12.308, 25.641] },
    { image = [0.9, 0.9], metres = [12.308, 25.641] },
    { image = [0.2, 0.4], metres = [-40.000, 111.111] },
    { image = [0.8, 0.4], metres = [40.000, 111.111] },
    { image = [0.5, 0.7], metres = [0.000, 37.037] },
    { image = [0.3, 0.55], metres = [-13.333, 55.556] },
]

# Vessel 8 passes here; 7, 6 and 9 pass farther out.
[[zone]]
id = "near-lane"
camera = "inner-harbour"
polygon = [[0.2, 0.87], [0.8, 0.87], [0.8, 0.95], [0.2, 0.95]]

[[zone]]
id = "near-water"
camera = "inner-harbour"
polygon = [[0.0, 0.87], [1.0, 0.87], [1.0, 0.97], [0.0, 0.97]]

[[zone]]
id = "lane"
camera = "inner-harbour"
polygon = [[0.1, 0.61], [0.9, 0.61], [0.9, 0.68], [0.1, 0.68]]

[[zone]]
id = "both-lanes"
camera = "inner-harbour"
polygon = [[0.25, 0.6], [0.8, 0.6], [0.8, 0.97], [0.25, 0.97]]

[[zone]]
id = "fuel-berth"
camera = "inner-harbour"
polygon = [[0.08, 0.7], [0.3, 0.7], [0.3, 0.86], [0.08, 0.86]]

[[zone]]
id = "mid-passage"
camera = "inner-harbour"
polygon = [[0.3, 0.52], [0.7, 0.52], [0.7, 0.68], [0.3, 0.68]]

# The quay with the moored five: 2 and 3 lie at berths.
[[zone]]
id = "berth-2"
camera = "inner-harbour"
polygon = [[0.28, 0.34], [0.39, 0.34], [0.39, 0.44], [0.28, 0.44]]
berth = { expected_length_m = [10, 25] }

[[zone]]
id = "berth-3"
camera = "inner-harbour"
polygon = [[0.45, 0.34], [0.55, 0.34], [0.55, 0.44], [0.45, 0.44]]
berth = { expected_length_m = [6, 12] }

[[zone]]
id = "empty-berth"
camera = "inner-harbour"
polygon = [[0.215, 0.34], [0.26, 0.34], [0.26, 0.44], [0.215, 0.44]]
berth = true

[[zone]]
id = "berthed"
camera = "inner-harbour"
polygon = [[0.27, 0.34], [0.56, 0.34], [0.56, 0.44], [0.27, 0.44]]

[[zone]]
id = "quay"
camera = "inner-harbour"
polygon = [[0.05, 0.34], [0.95, 0.34], [0.95, 0.44], [0.05, 0.44]]

[[zone]]
id = "loose-end"
camera = "inner-harbour"
polygon = [[0.6, 0.34], [0.95, 0.34], [0.95, 0.44], [0.6, 0.44]]

[[line]]
id = "near-line"
camera = "inner-harbour"
from = [0.5, 0.97]
to = [0.5, 0.85]

[[line]]
id = "mid-line"
camera = "inner-harbour"
from = [0.5, 0.7]
to = [0.5, 0.61]
"#;

const CASES: &[VideoCase] = &[
    VideoCase {
        id: "presence",
        kind: "presence",
        keys: r#"zone = "near-lane""#,
        opens_s: 32.6,
        vessel: Some(8),
        condition: "a vessel is in near-lane for 1s",
        threshold: (1.0, "s"),
        variants: &[
            suppressed(
                r#"zone = "near-lane"
schedule = [{ from = "07:00", to = "19:00" }]"#,
                "outside schedule",
            ),
            suppressed(
                r#"zone = "near-lane"
confirm = "20s""#,
                "not confirmed",
            ),
            suppressed(
                r#"zone = "near-lane"
min_confidence = 0.99"#,
                "low confidence",
            ),
            suppressed(
                r#"zone = "near-lane"
length_m = [20, 40]"#,
                "size",
            ),
            suppressed(
                r#"zone = "berthed"
confirm = "45s""#,
                "at berth",
            ),
        ],
    },
    VideoCase {
        id: "entry",
        kind: "entry",
        keys: r#"zone = "fuel-berth""#,
        opens_s: 6.7,
        vessel: Some(10),
        condition: "a vessel enters fuel-berth and stays for 1s",
        threshold: (1.0, "s"),
        variants: &[not_met(r#"zone = "loose-end""#)],
    },
    VideoCase {
        id: "inward",
        kind: "crossing",
        keys: r#"line = "near-line"
direction = "left-to-right""#,
        opens_s: 38.2,
        vessel: Some(8),
        condition: "a vessel crosses near-line from left to right",
        threshold: (1.0, "crossings"),
        variants: &[not_met(
            r#"line = "near-line"
direction = "right-to-left""#,
        )],
    },
    VideoCase {
        id: "outward",
        kind: "crossing",
        keys: r#"line = "mid-line"
direction = "right-to-left""#,
        opens_s: 30.3,
        vessel: Some(7),
        condition: "a vessel crosses mid-line from right to left",
        threshold: (1.0, "crossings"),
        variants: &[not_met(
            r#"line = "mid-line"
direction = "left-to-right""#,
        )],
    },
    VideoCase {
        id: "wrong-way",
        kind: "wrong-way",
        keys: r#"zone = "lane"
from = [0.2, 0.64]
to = [0.8, 0.64]"#,
        opens_s: 26.1,
        vessel: Some(7),
        condition: "a vessel moves against the direction of lane for more than 1 of its lengths",
        threshold: (1.0, "lengths"),
        variants: &[
            not_met(
                r#"zone = "lane"
from = [0.8, 0.64]
to = [0.2, 0.64]"#,
            ),
            not_met(
                r#"zone = "lane"
from = [0.2, 0.64]
to = [0.8, 0.64]
lengths = 6"#,
            ),
        ],
    },
    VideoCase {
        id: "dwell",
        kind: "dwell",
        keys: r#"zone = "fuel-berth"
longer_than = "10s""#,
        opens_s: 15.7,
        vessel: Some(10),
        condition: "a vessel stays in fuel-berth for longer than 10s",
        threshold: (10.0, "s"),
        variants: &[
            not_met(
                r#"zone = "fuel-berth"
longer_than = "40s""#,
            ),
            not_met(
                r#"zone = "mid-passage"
longer_than = "20s""#,
            ),
        ],
    },
    VideoCase {
        id: "loitering",
        kind: "loitering",
        keys: r#"zone = "fuel-berth"
radius_m = 8
longer_than = "10s""#,
        opens_s: 18.5,
        vessel: Some(10),
        condition: "a vessel stays within 8 m in fuel-berth, outside berths, for longer than 10s",
        threshold: (10.0, "s"),
        variants: &[
            not_met(
                r#"zone = "fuel-berth"
radius_m = 8
longer_than = "40s""#,
            ),
            not_met(
                r#"zone = "mid-passage"
radius_m = 8
longer_than = "10s""#,
            ),
        ],
    },
    VideoCase {
        id: "stop",
        kind: "stop",
        keys: r#"zone = "fuel-berth"
longer_than = "2s""#,
        opens_s: 16.0,
        vessel: Some(10),
        condition: "a vessel does not move in fuel-berth, outside berths, for longer than 2s",
        threshold: (2.0, "s"),
        variants: &[
            not_met(
                r#"zone = "fuel-berth"
longer_than = "20s""#,
            ),
            not_met(
                r#"zone = "mid-passage"
longer_than = "2s""#,
            ),
            not_met(
                r#"zone = "berthed"
longer_than = "2s""#,
            ),
        ],
    },
    VideoCase {
        id: "rendezvous",
        kind: "rendezvous",
        keys: r#"zone = "loose-end"
closer_than_m = 40
longer_than = "20s""#,
        opens_s: 26.0,
        vessel: None,
        condition: "two vessels in loose-end, outside berths, are within 40 m of each other, neither faster than 2 kn, for longer than 20s",
        threshold: (20.0, "s"),
        variants: &[
            not_met(
                r#"zone = "loose-end"
closer_than_m = 15
longer_than = "20s""#,
            ),
            not_met(
                r#"zone = "berthed"
closer_than_m = 40
longer_than = "20s""#,
            ),
        ],
    },
    VideoCase {
        id: "crowd",
        kind: "crowd",
        keys: r#"zone = "both-lanes"
more_than = 1"#,
        opens_s: 33.6,
        vessel: None,
        condition: "more than 1 vessels are in both-lanes",
        threshold: (1.0, "vessels"),
        variants: &[not_met(
            r#"zone = "both-lanes"
more_than = 2"#,
        )],
    },
    VideoCase {
        id: "inactivity",
        kind: "inactivity",
        keys: r#"zone = "near-water"
longer_than = "15s""#,
        opens_s: 16.0,
        vessel: None,
        condition: "no vessel is seen in near-water for 15s",
        threshold: (15.0, "s"),
        variants: &[
            not_met(
                r#"zone = "near-water"
longer_than = "40s""#,
            ),
            not_met(
                r#"zone = "quay"
longer_than = "10s""#,
            ),
        ],
    },
    VideoCase {
        id: "absent",
        kind: "absent",
        keys: r#"zone = "empty-berth"
longer_than = "20s""#,
        opens_s: 21.0,
        vessel: None,
        condition: "the vessel expected at empty-berth is not there for 20s",
        threshold: (20.0, "s"),
        variants: &[
            not_met(
                r#"zone = "berth-2"
longer_than = "20s""#,
            ),
            suppressed(
                r#"zone = "empty-berth"
longer_than = "20s"
schedule = [{ from = "07:00", to = "19:00" }]"#,
                "outside schedule",
            ),
        ],
    },
    VideoCase {
        id: "overstay",
        kind: "overstay",
        keys: r#"zone = "berth-3"
longer_than = "40s""#,
        opens_s: 47.0,
        vessel: Some(3),
        condition: "a vessel is moored at berth-3 for longer than 40s",
        threshold: (40.0, "s"),
        variants: &[
            not_met(
                r#"zone = "berth-3"
longer_than = "5m""#,
            ),
            not_met(
                r#"zone = "empty-berth"
longer_than = "40s""#,
            ),
        ],
    },
    VideoCase {
        id: "unexpected",
        kind: "unexpected",
        keys: r#"zone = "berth-3""#,
        opens_s: 37.0,
        vessel: Some(3),
        condition: "a vessel shorter than 6 m or longer than 12 m is moored at berth-3",
        threshold: (12.0, "m"),
        variants: &[not_met(r#"zone = "berth-2""#)],
    },
];
