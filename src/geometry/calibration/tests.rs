use proptest::prelude::*;
use test_support::Rng;

use super::*;
use crate::geometry::testing::{Mast, norm};

const MAST: Mast = Mast { height: 15.0, tilt: 7.0, azimuth: 30.0, focal: 1500.0 };
const CORNERS: [(f64, f64); 6] =
    [(60.0, -25.0), (60.0, 20.0), (110.0, 45.0), (150.0, -50.0), (240.0, 60.0), (300.0, -40.0)];

fn refusal(change: impl Fn(usize, Point<Norm>, [f64; 2]) -> (Point<Norm>, [f64; 2]), n: usize) -> String {
    let points: Vec<_> = CORNERS[..n]
        .iter()
        .enumerate()
        .map(|(index, &(ahead, right))| {
            let ground = MAST.place(ahead, right);
            change(index, MAST.sees(ground).unwrap(), ground)
        })
        .collect();
    match Calibration::fit(Survey::Metres, &points, 2.0) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn unusable_points_are_rejected_with_a_reason() {
    let same = |_, image, ground| (image, ground);
    assert_eq!(refusal(same, 6), "accepted");
    assert_eq!(refusal(same, 4), "accepted");
    assert!(refusal(same, 3).contains("at least 4 points, this has 3"));
    let twin = |at: usize, image, ground| {
        (if at == 3 { MAST.sees(MAST.place(60.0, 20.0)).unwrap() } else { image }, ground)
    };
    assert_eq!(refusal(twin, 6), "points[1] and points[3] are one place in the picture");
    let mirrored = |_, image, [x, y]: [f64; 2]| (image, [-x, y]);
    assert_eq!(refusal(mirrored, 6), "the ground is a mirror image of the picture");
    let swapped = |_, image, [x, y]: [f64; 2]| (image, [y, x]);
    assert_eq!(refusal(swapped, 6), "the ground is a mirror image of the picture");
    let two_swapped = |at: usize, image, ground| match at {
        0 => (image, MAST.place(60.0, 20.0)),
        1 => (image, MAST.place(60.0, -25.0)),
        _ => (image, ground),
    };
    assert!(
        refusal(two_swapped, 4).contains("no camera sees these points so"),
        "{}",
        refusal(two_swapped, 4)
    );
    let lined = |at: usize, image, ground| {
        let ground = if at == 2 { MAST.place(60.0, 40.0) } else { ground };
        (if at == 2 { MAST.sees(ground).unwrap() } else { image }, ground)
    };
    assert!(
        refusal(lined, 4).contains("points [0, 1, 2] lie on one line in the picture"),
        "{}",
        refusal(lined, 4)
    );
    let nearly = |at: usize, _, _| {
        let along = at as f64;
        let ground = MAST.place(80.0 + 30.0 * along + (along * 2.0).sin(), 3.0 * along);
        (MAST.sees(ground).unwrap(), ground)
    };
    assert!(refusal(nearly, 6).contains("hardly determine the ground"), "{}", refusal(nearly, 6));
    let far = |at: usize, image, [x, y]: [f64; 2]| (image, [if at == 4 { x * 1000.0 } else { x }, y]);
    assert!(refusal(far, 6).contains("points[4] is"), "{}", refusal(far, 6));
}

#[test]
fn the_sky_is_nowhere_on_the_ground() {
    let calibration = MAST.calibrated(&CORNERS, &mut Rng::new(1), 0.0).unwrap();
    // The horizon of a camera that looks 7 degrees down lies 184 px above the middle.
    assert_eq!(calibration.ground(Point::new(0.5, 0.30)), None);
    assert_eq!(
        calibration.ground(Point::new(0.5, 0.336)),
        None,
        "kilometres out, where a pixel is worth too much"
    );
    assert!(calibration.ground(Point::new(0.5, 0.36)).is_some());
}

#[test]
fn apparent_width_and_height_match_the_view() {
    let calibration = MAST.calibrated(&CORNERS, &mut Rng::new(1), 0.0).unwrap();
    let across = Mast { azimuth: 0.0, ..MAST };
    for (ahead, right) in [(50.0, -10.0), (120.0, 30.0), (300.0, 0.0)] {
        let [u, v] = across.pixel([right, ahead]).unwrap();
        let six_metres = f64::from(calibration.width_of(6.0, norm([u, v])).unwrap()) * PICTURE[0];
        let [left, stern] = [right - 3.0, right + 3.0].map(|x| across.pixel([x, ahead]).unwrap()[0]);
        assert!((six_metres / (stern - left) - 1.0).abs() < 0.01, "{six_metres} at {ahead} m");
        // The top of a pole appears where a camera that is lower by its height sees the ground.
        let top = Mast { height: MAST.height - 6.0, ..across }.pixel([right, ahead]).unwrap()[1];
        assert!((six_metres / (v - top) - 1.0).abs() < 0.05, "{six_metres} at {ahead} m");
    }
    assert_eq!(calibration.width_of(6.0, Point::new(0.5, 0.3)), None, "the sky");
}

#[test]
fn the_point_that_was_mistyped_is_named() {
    let points: Vec<_> = CORNERS
        .iter()
        .enumerate()
        .map(|(index, &(ahead, right))| {
            let [x, y] = MAST.place(ahead, right);
            (MAST.sees([x, y]).unwrap(), if index == 3 { [x, y + 20.0] } else { [x, y] })
        })
        .collect();
    let (index, off) = Calibration::fit(Survey::Metres, &points, 2.0).unwrap().stray(2.0).unwrap();
    assert_eq!(index, 3);
    assert!((off.metres - 20.0).abs() < 4.0, "{off:?}");
    assert_eq!(MAST.calibrated(&CORNERS, &mut Rng::new(1), 2.0).unwrap().stray(2.0), None);
}

#[test]
fn true_positions_lie_within_the_uncertainty() {
    let mut noise = Rng::new(5);
    for points in [4, 5, 6] {
        let (mut within, mut all) = (0, 0);
        for _ in 0..400 {
            let Ok(calibration) = MAST.calibrated(&CORNERS[6 - points..], &mut noise, 2.0) else {
                continue;
            };
            for (ahead, right) in [(80.0, 0.0), (150.0, 30.0), (250.0, 10.0), (350.0, -40.0)] {
                let truth = MAST.place(ahead, right);
                let fix = calibration.ground(MAST.sees(truth).unwrap()).unwrap();
                let off = [truth[0] - f64::from(fix.at.x), truth[1] - f64::from(fix.at.y)];
                let at = MAST.place(CORNERS[6 - points].0, CORNERS[6 - points].1);
                let off = [off[0] - at[0], off[1] - at[1]];
                let [[a, b], [_, d]] = fix.covariance([0.0; 2]);
                let square =
                    (d * off[0] * off[0] - 2.0 * b * off[0] * off[1] + a * off[1] * off[1]) / (a * d - b * b);
                all += 1;
                within += i32::from(square < 5.99);
            }
        }
        let share = f64::from(within) / f64::from(all);
        assert!(all > 1500 && share > 0.92, "{points} points: {share} of {all}");
    }
}

proptest! {
    #[test]
    fn to_the_ground_and_back_ends_where_it_began(
        height in 4.0..60.0f64, tilt in 3.0..40.0f64, azimuth in 0.0..360.0f64, focal in 900.0..4000.0f64,
        spots in proptest::collection::vec((0.0..1.0f64, -1.0..1.0f64), 5..9), x in 0.0..1.0f32, y in 0.4..1.0f32,
    ) {
        let mast = Mast { height, tilt, azimuth, focal };
        let reach = height / tilt.to_radians().tan();
        let places: Vec<_> = spots.iter().map(|(a, r)| (reach * (0.7 + a), reach * 0.3 * r)).collect();
        let Ok(calibration) = mast.calibrated(&places, &mut Rng::new(9), 0.0) else { return Ok(()) };
        let first = mast.place(places[0].0, places[0].1);
        if let Some(fix) = calibration.ground(Point::new(x, y)) {
            let back = calibration.image(fix.at).unwrap();
            prop_assert!((back.x - x).abs() < 1e-4 && (back.y - y).abs() < 1e-4, "{back:?} for {x} {y}");
            let there = mast.sees([first[0] + f64::from(fix.at.x), first[1] + f64::from(fix.at.y)]).unwrap();
            prop_assert!((there.x - x).abs() < 1e-3 && (there.y - y).abs() < 1e-3, "{there:?} for {x} {y}");
        }
    }
}
