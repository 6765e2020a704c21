//! By day, H.265: small vessels far out. 1 and 2 lie at anchor, 4 stays in the anchorage, 3 comes in, 5 goes out, 6 passes near by.

use super::{Case, Scene, silent, unmet};

pub(super) const SCENE: Scene =
    Scene { camera: "roads", codec: "h265", start: "2026-06-01T20:13:00Z", places: PLACES, cases: CASES };

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

const CASES: &[Case] = &[
    Case {
        id: "inbound",
        kind: "crossing",
        keys: r#"line = "pilot-line"
direction = "left-to-right""#,
        opens_s: 9.7,
        vessel: Some(3),
        condition: "a vessel crosses pilot-line from left to right",
        threshold: (1.0, "crossings"),
        twins: &[unmet(
            r#"line = "far-half"
direction = "left-to-right""#,
        )],
    },
    Case {
        id: "outbound",
        kind: "crossing",
        keys: r#"line = "pilot-line"
direction = "right-to-left""#,
        opens_s: 51.9,
        vessel: Some(5),
        condition: "a vessel crosses pilot-line from right to left",
        threshold: (1.0, "crossings"),
        twins: &[unmet(
            r#"line = "near-half"
direction = "right-to-left""#,
        )],
    },
    Case {
        id: "entry",
        kind: "entry",
        keys: r#"zone = "anchorage""#,
        opens_s: 20.6,
        vessel: Some(4),
        condition: "a vessel enters anchorage and stays 1s",
        threshold: (1.0, "s"),
        twins: &[
            unmet(r#"zone = "at-anchor""#),
            silent(
                r#"zone = "anchorage"
schedule = [{ from = "07:00", to = "19:00" }]"#,
                "outside schedule",
            ),
        ],
    },
    Case {
        id: "dwell",
        kind: "dwell",
        keys: r#"zone = "anchorage"
longer_than = "12s""#,
        opens_s: 31.6,
        vessel: Some(4),
        condition: "a vessel stays in anchorage longer than 12s",
        threshold: (12.0, "s"),
        twins: &[unmet(
            r#"zone = "anchorage"
longer_than = "40s""#,
        )],
    },
    Case {
        id: "stop",
        kind: "stop",
        keys: r#"zone = "anchorage"
longer_than = "3s""#,
        opens_s: 34.0,
        vessel: Some(4),
        condition: "a vessel lies still in anchorage, outside of a berth, longer than 3s",
        threshold: (3.0, "s"),
        twins: &[unmet(
            r#"zone = "anchorage"
longer_than = "30s""#,
        )],
    },
    Case {
        id: "inactivity",
        kind: "inactivity",
        keys: r#"zone = "near-water"
longer_than = "20s""#,
        opens_s: 21.0,
        vessel: None,
        condition: "nothing is seen in near-water for 20s",
        threshold: (20.0, "s"),
        twins: &[
            unmet(
                r#"zone = "near-water"
longer_than = "50s""#,
            ),
            unmet(
                r#"zone = "at-anchor"
longer_than = "20s""#,
            ),
        ],
    },
];
