//! `[camera.calibration]`.

use super::{EXAMPLE, check, lines};

const SURVEYED: &str = "[camera.calibration]
points = [
  { image = [0.10, 0.90], metres = [0.0, 0.0] },
  { image = [0.80, 0.90], metres = [30.0, 0.0] },
  { image = [0.70, 0.60], metres = [40.0, 60.0] },
  { image = [0.25, 0.60], metres = [-5.0, 60.0] },
]

[[zone]]";

#[test]
fn surveyed_points_give_a_calibration() {
    let (site, warnings) = check(&EXAMPLE.replacen("[[zone]]", SURVEYED, 1)).unwrap();
    assert_eq!(warnings, []);
    let calibration = site.cameras[0].calibration.as_ref().unwrap();
    let fix = calibration.ground(crate::geometry::Point::new(0.80, 0.90)).unwrap();
    assert!((fix.at.x - 30.0).abs() < 0.01 && fix.at.y.abs() < 0.01, "{fix:?}");
}

#[test]
fn each_mistake_in_a_calibration_has_a_message() {
    let wrong = |old: &str, new: &str, key: &str, words: &[&str]| {
        let text = EXAMPLE.replacen("[[zone]]", &SURVEYED.replacen(old, new, 1), 1);
        let found = check(&text).unwrap_err();
        let all = lines(&found);
        let Some(hit) = found.iter().find(|d| d.key == format!("camera[0].calibration.{key}")) else {
            panic!("no diagnostic at {key} in\n{all}");
        };
        assert!(words.iter().all(|word| hit.to_string().contains(word)), "{hit}");
    };
    wrong("  { image = [0.25, 0.60], metres = [-5.0, 60.0] },\n", "", "points", &["at least 4 points"]);
    wrong("metres = [0.0, 0.0]", "metres = [0.0]", "points[0].metres", &["1 numbers", "eastward"]);
    wrong("metres = [0.0, 0.0]", "wgs84 = [52.1, 4.26]", "points[1]", &["mixed"]);
    wrong("metres = [0.0, 0.0]", "wgs84 = [4.26, 152.1], metres = [1.0, 1.0]", "points[0]", &["both"]);
    wrong(", metres = [0.0, 0.0]", "", "points[0]", &["has no position on the ground", "metres = "]);
    wrong("metres = [0.0, 0.0]", "wgs84 = [457300, 79100]", "points[0].wgs84", &["latitude first"]);
    wrong("image = [0.10, 0.90]", "image = [192, 0.90]", "points[0].image[0]", &["pixels"]);
    wrong("metres = [30.0, 0.0]", "metres = [0.01, 0.0]", "points[1]", &["one place on the ground"]);
    wrong("metres = [30.0, 0.0]", "metres = [30000, 0.0]", "points[1]", &["30 km", "digit"]);
    let (right, left) = ("[0.70, 0.60], metres = [40.0, 60.0]", "[0.25, 0.60], metres = [-5.0, 60.0]");
    let (old, new) = (
        format!("{right} }},\n  {{ image = {left}"),
        "[0.25, 0.60], metres = [40.0, 60.0] },\n  { image = [0.70, 0.60], metres = [-5.0, 60.0]",
    );
    wrong(&old, new, "points", &["no camera sees these points so", "swapped"]);
    wrong("points = [", "error_px = 0\npoints = [", "error_px", &["out of range"]);
    wrong("points = [", "surface = 1\npoints = [", "surface", &["no such key in [camera.calibration]"]);
}

#[test]
fn a_point_that_contradicts_the_others_is_a_warning() {
    let more = "points = [
  { image = [0.3692, 0.7385], metres = [10.0, 20.0] },
  { image = [0.5735, 0.6529], metres = [25.0, 40.0] },";
    let text = EXAMPLE.replacen("[[zone]]", &SURVEYED.replacen("points = [", more, 1), 1);
    assert_eq!(check(&text).unwrap().1, []);
    let (_, warnings) = check(&text.replace("[0.80, 0.90]", "[0.80, 0.80]")).unwrap();
    let hit = warnings.iter().find(|d| d.key == "camera[0].calibration.points[3]");
    assert!(
        hit.is_some_and(|hit| hit.to_string().contains("deviates from the other points")),
        "{}",
        lines(&warnings)
    );
}
