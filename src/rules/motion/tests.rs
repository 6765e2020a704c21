//! Estimates of vessels on known paths, seen by a camera that was calibrated with errors.

use super::*;
use crate::geometry::testing::{Mast, norm};
use test_support::Rng;

const MAST: Mast = Mast { height: 15.0, tilt: 6.0, azimuth: 40.0, focal: 1500.0 };
const SURVEYED: [(f64, f64); 6] =
    [(70.0, -25.0), (65.0, 25.0), (120.0, 50.0), (150.0, -50.0), (260.0, 70.0), (320.0, -60.0)];

/// A voyage in front of the camera, straight and at a constant speed.
struct Voyage {
    knots: f64,
    /// Degrees from north.
    heading: f64,
    ahead: f64,
    right: f64,
    length: f64,
    detect_fps: f64,
    /// Standard deviation of each edge of the box.
    jitter_px: f64,
    /// The correlation of consecutive jitters, from 0 to 1.
    correlation: f64,
    dropped: f64,
}

impl Voyage {
    fn any(noise: &mut Rng) -> Self {
        let ahead = 70.0 + 230.0 * noise.unit();
        Self {
            knots: 1.0 + 14.0 * noise.unit(),
            heading: 360.0 * noise.unit(),
            ahead,
            right: ahead * 0.4 * (noise.unit() - 0.5),
            length: 6.0,
            detect_fps: 2.0 + 3.0 * noise.unit(),
            jitter_px: 1.0 + 2.0 * noise.unit(),
            correlation: 0.0,
            dropped: 0.2,
        }
    }

    /// Calls `each` after each detection pass of 15 s, with the estimator and the true position.
    fn sail(
        &self,
        calibration: &Calibration,
        noise: &mut Rng,
        mut each: impl FnMut(&MotionEstimator, [f64; 2]),
    ) {
        let mut estimator = MotionEstimator::default();
        let mut jitter = [0.0; 3];
        let begin = MAST.place(self.ahead, self.right);
        let (east, north) = self.heading.to_radians().sin_cos();
        for pass in 0..(15.0 * self.detect_fps) as u32 {
            let time = f64::from(pass) / self.detect_fps;
            let sailed = self.knots * KNOT_MPS * time;
            let at = [begin[0] + sailed * east, begin[1] + sailed * north];
            let fresh = (1.0 - self.correlation.powi(2)).sqrt();
            jitter = jitter.map(|j| self.correlation * j + fresh * self.jitter_px * noise.normal());
            let (Some([u, v]), false) = (MAST.pixel(at), noise.unit() < self.dropped) else { continue };
            // As wide as a vessel across the view.
            let half = MAST.focal * self.length / 2.0 / (at[0].hypot(at[1]));
            let (low, high) =
                (norm([u - half + jitter[0], v - 30.0]), norm([u + half + jitter[1], v + jitter[2]]));
            let when = MonoTime::from_boot(Duration::from_secs_f64(100.0 + time));
            estimator.observe(calibration, BBox::new(low.x, low.y, high.x, high.y), when);
            if estimator.positions.back().is_some_and(|(last, _)| *last == when) {
                each(&estimator, at);
            }
        }
    }
}

/// How many values were within two standard uncertainties of the truth, and the uncertainties.
#[derive(Default)]
struct Score {
    within: u32,
    uncertainties: Vec<f32>,
}

impl Score {
    fn add(&mut self, off: f64, uncertainty: f32) {
        self.within += u32::from(off.abs() <= 2.0 * f64::from(uncertainty));
        self.uncertainties.push(uncertainty);
    }

    fn coverage(&self) -> f64 {
        f64::from(self.within) / self.uncertainties.len() as f64
    }

    fn median(&mut self) -> f32 {
        let middle = self.uncertainties.len() / 2;
        *self.uncertainties.select_nth_unstable_by(middle, f32::total_cmp).1
    }
}

/// Speeds, headings and positions of many voyages.
fn scores(voyages: u32, change: impl Fn(Voyage) -> Voyage) -> [Score; 3] {
    let mut noise = Rng::new(2026);
    let mut scores = [(); 3].map(|()| Score::default());
    for _ in 0..voyages {
        let calibration = MAST.calibrated(&SURVEYED, &mut noise, 2.0).unwrap();
        let first = MAST.place(SURVEYED[0].0, SURVEYED[0].1);
        let voyage = change(Voyage::any(&mut noise));
        voyage.sail(&calibration, &mut noise, |estimator, at| {
            let Some(motion) = estimator.motion() else { return };
            let [speeds, headings, places] = &mut scores;
            speeds.add(f64::from(motion.speed.value) - voyage.knots, motion.speed.uncertainty);
            let turned = (f64::from(motion.heading.value) - voyage.heading + 540.0).rem_euclid(360.0) - 180.0;
            headings.add(turned, motion.heading.uncertainty);
            let off = [f64::from(motion.at.x) + first[0] - at[0], f64::from(motion.at.y) + first[1] - at[1]];
            places.add(off[0].hypot(off[1]), motion.at_uncertainty);
        });
    }
    scores
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are for the reader of the test's output")]
fn two_standard_uncertainties_cover_the_truth() {
    let mut all = [0.0, 0.0, 0.0];
    println!("knots    metres     speed  +-kn   heading +-deg   place   +-m");
    for (slow, fast) in [(1.0, 2.0), (2.0, 5.0), (5.0, 15.0)] {
        // The largest useful uncertainty of a speed, in knots.
        for (near, far, worth) in [(70.0, 120.0, 0.3), (120.0, 200.0, 0.7), (200.0, 300.0, 2.0)] {
            let mut found = scores(150, |any| Voyage {
                knots: slow + (any.knots - 1.0) / 14.0 * (fast - slow),
                ahead: near + (any.ahead - 70.0) / 230.0 * (far - near),
                ..any
            });
            let medians = found.each_mut().map(Score::median);
            let [speed, heading, place] = found.each_ref().map(Score::coverage);
            println!(
                "{slow:>2} to {fast:>2} {near:>3} to {far} {speed:>7.3} {:>5.2} {heading:>9.3} {:>5.1} {place:>7.3} {:>5.2}",
                medians[0], medians[1], medians[2]
            );
            assert!(speed >= 0.95 && medians[0] < worth, "{slow} to {fast} knots, {near} to {far} m");
            all.iter_mut().zip([speed, heading, place]).for_each(|(sum, part)| *sum += part / 9.0);
        }
    }
    assert!(all.iter().all(|share| *share >= 0.95), "{all:?}");
}

#[test]
fn correlated_jitter_widens_the_uncertainty() {
    let [speed, ..] = scores(300, |any| Voyage { correlation: 0.5, ..any });
    assert!(speed.coverage() > 0.92, "{}", speed.coverage());
}

#[test]
fn works_at_low_and_high_detection_rates() {
    for detect_fps in [0.5, 1.0, 10.0] {
        let [speed, ..] = scores(150, |any| Voyage { detect_fps, ..any });
        assert!(speed.coverage() > 0.95, "{detect_fps} a second: {}", speed.coverage());
    }
}

#[test]
fn a_still_vessel_does_not_move() {
    let [mut speed, ..] = scores(200, |any| Voyage { knots: 0.0, ..any });
    assert!(speed.coverage() > 0.95 && speed.median() < 1.5, "{} {}", speed.coverage(), speed.median());
}

#[test]
fn the_length_is_within_its_uncertainty() {
    let mut noise = Rng::new(8);
    let mut score = Score::default();
    for _ in 0..150 {
        let calibration = MAST.calibrated(&SURVEYED, &mut noise, 2.0).unwrap();
        let voyage =
            Voyage { knots: 1.0, right: 0.0, length: 4.0 + 16.0 * noise.unit(), ..Voyage::any(&mut noise) };
        let mut last = None;
        voyage.sail(&calibration, &mut noise, |estimator, _| last = estimator.length());
        let length = last.unwrap();
        score.add(f64::from(length.value) - voyage.length, length.uncertainty);
    }
    assert!(score.coverage() > 0.95 && score.median() < 1.0, "{} {}", score.coverage(), score.median());
}

#[test]
fn errors_of_the_calibration_do_not_average_out() {
    let mut noise = Rng::new(3);
    let calibration = MAST.calibrated(&SURVEYED, &mut noise, 2.0).unwrap();
    let still =
        Voyage { knots: 0.0, jitter_px: 0.0, detect_fps: 10.0, dropped: 0.0, ..Voyage::any(&mut noise) };
    let mut last = None;
    still.sail(&calibration, &mut noise, |estimator, at| last = estimator.motion().zip(MAST.sees(at)));
    let (motion, seen) = last.unwrap();
    let of_calibration = calibration.ground(seen).unwrap().uncertainty([0.0; 2]) as f32;
    assert!(
        motion.at_uncertainty > of_calibration * 0.99,
        "{motion:?} with {of_calibration} m of the calibration"
    );
}

#[test]
fn unusable_boxes_are_left_out() {
    let calibration = MAST.calibrated(&SURVEYED, &mut Rng::new(4), 1.0).unwrap();
    let mut estimator = MotionEstimator::default();
    let at = |tenths: u64| MonoTime::from_boot(Duration::from_millis(tenths * 100));
    estimator.observe(&calibration, BBox::new(0.0, 0.5, 0.2, 0.7), at(1)); // cut by the left edge
    estimator.observe(&calibration, BBox::new(0.4, 0.8, 0.6, 1.0), at(2)); // by the lower one
    estimator.observe(&calibration, BBox::new(0.4, 0.1, 0.6, 0.2), at(3)); // in the sky
    assert_eq!((estimator.positions.len(), estimator.motion(), estimator.length()), (0, None, None));
    for tenths in [10, 20, 15, 20, 30] {
        estimator.observe(&calibration, BBox::new(0.4, 0.5, 0.6, 0.7), at(tenths));
    }
    assert_eq!(estimator.positions.len(), 3, "times do not decrease");
    for tenths in 31..1000 {
        estimator.observe(&calibration, BBox::new(0.4, 0.5, 0.6, 0.7), at(tenths));
    }
    assert!(estimator.motion().is_some_and(|motion| motion.over <= WINDOW));
}
