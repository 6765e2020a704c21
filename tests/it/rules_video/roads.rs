//! By day, H.265: small vessels far out. 1 and 2 are at anchor, 4 stays in the anchorage, 3 comes in, 5 goes out, 6 passes close by.

use super::{VideoCase, VideoScene, not_met, suppressed};

pub(super) const SCENE: VideoScene = VideoScene {
    camera: "roads",
    codec: "h265",
    start: "2026-06-01T20:13:00Z",
    places: PLACES,
    cases: CASES,
};

const PLACES: &str = r#"whole_frame = false
regions = [[0.00, 0.38, 0.52, 0.90], [0.48, 0.38, 1.00, 0.90]]

[[zone]]
id = "anchorage"
camera = "roads"
polygon = [[0.52, 0.63], [0.7, 0.63], [0.7, 0.72], [0.52, 0.72]]

[[zone]]
id = "at-anchor"
camera = "roads"
polygon = [[0.8, 0.45], [0.9, 0.45], [0.9, 0.51], [0.8, 0.51]]

[[zone]]
id = "near-water"
camera = "roads"
polygon = [[0.0, 0.76], [1.0, 0.76], [1.0, 0.86], [0.0, 0.86]]

[[line]]
id = "pilot-line"
camera = "roads"
from = [0.35, 0.7]
to = [0.35, 0.5]

[[line]]
id = "near-half"
camera = "roads"
from = [0.35, 0.7]
to = [0.35, 0.56]

[[line]]
id = "far-half"
camera = "roads"
from = [0.35, 0.56]
to = [0.35, 0.5]
"#;

const CASES: &[VideoCase] = &[
    VideoCase {
        id: "inbound",
        kind: "crossing",
        keys: r#"line = "pilot-line"
direction = "left-to-right""#,
        opens_s: 9.7,
        vessel: Some(3),
        condition: "a vessel crosses pilot-line from left to right",
        threshold: (1.0, "crossings"),
        variants: &[not_met(
            r#"line = "far-half"
direction = "left-to-right""#,
        )],
    },
    VideoCase {
        id: "outbound",
        kind: "crossing",
        keys: r#"line = "pilot-line"
direction = "right-to-left""#,
        opens_s: 51.9,
        vessel: Some(5),
        condition: "a vessel crosses pilot-line from right to left",
        threshold: (1.0, "crossings"),
        variants: &[not_met(
            r#"line = "near-half"
direction = "right-to-left""#,
        )],
    },
    VideoCase {
        id: "entry",
        kind: "entry",
        keys: r#"zone = "anchorage""#,
        opens_s: 20.6,
        vessel: Some(4),
        condition: "a vessel enters anchorage and stays for 1s",
        threshold: (1.0, "s"),
        variants: &[
            not_met(r#"zone = "at-anchor""#),
            suppressed(
                r#"zone = "anchorage"
schedule = [{ from = "07:00", to = "19:00" }]"#,
                "outside schedule",
            ),
        ],
    },
    VideoCase {
        id: "dwell",
        kind: "dwell",
        keys: r#"zone = "anchorage"
longer_than = "12s""#,
        opens_s: 31.6,
        vessel: Some(4),
        condition: "a vessel stays in anchorage for longer than 12s",
        threshold: (12.0, "s"),
        variants: &[not_met(
            r#"zone = "anchorage"
longer_than = "40s""#,
        )],
    },
    VideoCase {
        id: "stop",
        kind: "stop",
        keys: r#"zone = "anchorage"
longer_than = "3s""#,
        opens_s: 34.0,
        vessel: Some(4),
        condition: "a vessel does not move in anchorage, outside berths, for longer than 3s",
        threshold: (3.0, "s"),
        variants: &[not_met(
            r#"zone = "anchorage"
longer_than = "30s""#,
        )],
    },
    VideoCase {
        id: "inactivity",
        kind: "inactivity",
        keys: r#"zone = "near-water"
longer_than = "20s""#,
        opens_s: 21.0,
        vessel: None,
        condition: "no vessel is seen in near-water for 20s",
        threshold: (20.0, "s"),
        variants: &[
            not_met(
                r#"zone = "near-water"
longer_than = "50s""#,
            ),
            not_met(
                r#"zone = "at-anchor"
longer_than = "20s""#,
            ),
        ],
    },
];
