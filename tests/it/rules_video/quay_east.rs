//! At night, H.264: two moored launches, 3 passes eastward and 5 westward through the basin, 4 along its far side.

use super::{VideoCase, VideoScene, not_met, suppressed};

pub(super) const SCENE: VideoScene = VideoScene {
    camera: "quay-east",
    codec: "h264",
    start: "2026-06-01T20:13:30Z",
    places: PLACES,
    cases: CASES,
};

const PLACES: &str = r#"[camera.calibration]
points = [
    { image = [0.1, 0.9], metres = [-10.800, 22.500] },
    { image = [0.9, 0.9], metres = [10.800, 22.500] },
    { image = [0.2, 0.5], metres = [-40.500, 112.500] },
    { image = [0.8, 0.5], metres = [40.500, 112.500] },
    { image = [0.5, 0.7], metres = [0.000, 37.500] },
    { image = [0.3, 0.6], metres = [-13.500, 56.250] },
]

[[zone]]
id = "basin"
camera = "quay-east"
polygon = [[0.3, 0.59], [0.74, 0.59], [0.74, 0.86], [0.3, 0.86]]

[[zone]]
id = "far-lane"
camera = "quay-east"
polygon = [[0.3, 0.48], [0.7, 0.48], [0.7, 0.56], [0.3, 0.56]]

[[line]]
id = "west-line"
camera = "quay-east"
from = [0.3, 0.86]
to = [0.3, 0.59]

[[line]]
id = "east-line"
camera = "quay-east"
from = [0.7, 0.86]
to = [0.7, 0.59]

[[line]]
id = "slipway"
camera = "quay-east"
from = [0.97, 0.84]
to = [0.97, 0.6]

[[rule]]
id = "in-the-basin"
kind = "presence"
zone = "basin"
confirm = "1s"
clear = "1s"
raises = false

[[rule]]
id = "westward"
kind = "wrong-way"
zone = "basin"
from = [0.3, 0.7]
to = [0.7, 0.7]
confirm = "1s"
clear = "1s"
raises = false

[[rule]]
id = "by-the-west"
kind = "crossing"
line = "west-line"
direction = "left-to-right"
confirm = "1s"
clear = "1s"
raises = false

[[rule]]
id = "by-the-east"
kind = "crossing"
line = "east-line"
direction = "left-to-right"
confirm = "1s"
clear = "1s"
raises = false
"#;

const CASES: &[VideoCase] = &[
    VideoCase {
        id: "presence",
        kind: "presence",
        keys: r#"zone = "basin"
schedule = [{ from = "22:14", to = "05:30" }]"#,
        opens_s: 42.5,
        vessel: Some(5),
        condition: "a vessel is in basin for 1s",
        threshold: (1.0, "s"),
        variants: &[
            suppressed(
                r#"zone = "basin"
schedule = [{ from = "07:00", to = "19:00" }]"#,
                "outside schedule",
            ),
            suppressed(
                r#"zone = "basin"
never = [{ dates = ["2026-06-01"] }]"#,
                "outside schedule",
            ),
        ],
    },
    VideoCase {
        id: "speeding",
        kind: "speeding",
        keys: r#"zone = "far-lane"
limit_knots = 8"#,
        opens_s: 33.0,
        vessel: Some(4),
        condition: "a vessel in far-lane exceeds 8 kn by more than the margin (at least 0.5 kn) in 3 estimates in a row",
        threshold: (8.0, "kn"),
        variants: &[
            not_met(
                r#"zone = "far-lane"
limit_knots = 14"#,
            ),
            not_met(
                r#"zone = "basin"
limit_knots = 8"#,
            ),
        ],
    },
    VideoCase {
        id: "approach",
        kind: "approach",
        keys: r#"line = "slipway"
within_m = 30
limit_knots = 2"#,
        opens_s: 11.5,
        vessel: Some(3),
        condition: "a vessel within 30 m of slipway approaches it faster than 2 kn",
        threshold: (2.0, "kn"),
        variants: &[not_met(
            r#"line = "slipway"
within_m = 30
limit_knots = 7"#,
        )],
    },
    VideoCase {
        id: "all",
        kind: "all",
        keys: r#"of = ["in-the-basin", "westward"]"#,
        opens_s: 48.0,
        vessel: Some(5),
        condition: "in-the-basin and westward hold for one vessel",
        threshold: (2.0, "rules"),
        variants: &[
            suppressed(
                r#"of = ["in-the-basin", "westward"]
unless = ["in-the-basin"]"#,
                "exception",
            ),
            not_met(r#"of = ["westward", "by-the-east"]"#),
        ],
    },
    VideoCase {
        id: "then",
        kind: "then",
        keys: r#"first = "by-the-west"
second = "by-the-east"
within = "30s""#,
        opens_s: 18.0,
        vessel: Some(3),
        condition: "by-the-east holds for a vessel within 30s after by-the-west",
        threshold: (2.0, "rules"),
        variants: &[
            not_met(
                r#"first = "by-the-west"
second = "by-the-east"
within = "3s""#,
            ),
            not_met(
                r#"first = "by-the-east"
second = "by-the-west"
within = "30s""#,
            ),
        ],
    },
];
