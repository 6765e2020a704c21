//! Where a vessel is on the ground, how fast it goes and where to, and how sure that is.
//!
//! A straight line in time is fitted to the positions of the last seconds, each weighted by what a pixel is worth where
//! it was seen. How much a box jitters is taken from how far the positions lie from the line. A calibration's errors
//! are the same for all positions: they are carried through the fit as what they are, and do not average out.
//!
//! Uncertainties are standard uncertainties, evaluated as the "Guide to the Expression of Uncertainty in Measurement"
//! (JCGM 100:2008, sections 4.2 and 5.2) has it: twice as much holds the true value about 95 times in 100.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::MonoTime;
use crate::geometry::matrix::{dot, inverse};
use crate::geometry::{BBox, Calibration, Fix, Metre, Norm, Point};

/// How long positions count. The error of a speed falls with the time to the power of 1.5, and a vessel that turns or
/// brakes must not be averaged away: in 6 s a boat at 6 knots makes 18 m, and a turn of 3 degrees a second shortens its
/// way by 1 in 200.
const WINDOW: Duration = Duration::from_secs(6);
/// Where looks are few, positions count until there are so many.
const FEWEST: usize = 5;
/// And never longer than this.
const LONGEST: Duration = Duration::from_secs(15);
/// Below this, jitter looks like speed.
const SHORTEST: Duration = Duration::from_millis(1800);
/// What a box's edge is expected to jitter before it was seen to, in pixels of a picture of 1920.
const JITTER_PX: f64 = 2.0;
/// How many positions' residuals that expectation counts for.
const EXPECTED_COUNTS: f64 = 4.0;
/// Lengths that are remembered.
const LENGTHS: usize = 32;
/// A box that comes nearer to the picture's edge than this is cut by it.
const EDGE: f32 = 0.004;
const KNOT_MPS: f64 = 1852.0 / 3600.0;

/// A value and its standard uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The best estimate.
    pub value: f32,
    /// Standard uncertainty, in the same unit.
    pub uncertainty: f32,
}

/// How a vessel moves, over the last seconds it was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// Where it was when it was seen last.
    pub at: Point<Metre>,
    /// Standard uncertainty of that in metres, in the direction in which it is largest.
    pub at_uncertainty: f32,
    /// Knots.
    pub speed: Measured,
    /// Course over ground in degrees, clockwise from north. A vessel that lies still has any: 104 degrees uncertain.
    pub heading: Measured,
    /// From the first to the last position it rests on.
    pub over: Duration,
}

/// The positions of one vessel. Empty at first.
#[derive(Clone, Debug, Default)]
pub struct Course {
    looks: VecDeque<(MonoTime, Fix)>,
    lengths: VecDeque<Length>,
}

#[derive(Clone, Copy, Debug)]
struct Length {
    metres: f32,
    /// Standard uncertainty that all lengths share.
    shared: f32,
}

impl Course {
    /// Takes in the vessel's box, as the detector gave it (not smoothed), seen at `at` by the camera of `calibration`.
    ///
    /// A box that the picture's edge cuts, or beyond what the calibration reaches, tells nothing and is left out.
    pub fn observe(&mut self, calibration: &Calibration, bbox: BBox<Norm>, at: MonoTime) {
        let cut = bbox.x0 < EDGE || bbox.x1 > 1.0 - EDGE || bbox.y1 > 1.0 - EDGE;
        if cut || self.looks.back().is_some_and(|(last, _)| at <= *last) {
            return;
        }
        let Some(fix) = calibration.ground(bbox.waterline()) else { return };
        self.looks.push_back((at, fix));
        while let Some((first, _)) = self.looks.front()
            && (at.since(*first) > LONGEST || (at.since(*first) > WINDOW && self.looks.len() > FEWEST))
        {
            self.looks.pop_front();
        }
        let corner = |x| calibration.ground(Point::new(x, bbox.y1));
        if let (Some(left), Some(right)) = (corner(bbox.x0), corner(bbox.x1)) {
            self.lengths.push_back(Length::between(&left, &right));
            if self.lengths.len() > LENGTHS {
                self.lengths.pop_front();
            }
        }
    }

    /// How it moves; `None` until it was seen five times over two seconds.
    pub fn motion(&self) -> Option<Motion> {
        let ((first, start), (last, _)) = (self.looks.front()?, self.looks.back()?);
        let over = last.since(*first);
        if self.looks.len() < FEWEST || over < SHORTEST {
            return None;
        }
        let mut jitter = [JITTER_PX; 2];
        let mut line = self.fit(jitter);
        // Weights in x and y follow from the residuals, and the residuals hardly from the weights: once is enough.
        jitter = line.jitter(&self.looks);
        line = self.fit(jitter);
        let spread = line.memory(&self.looks);
        let covariance = |i: usize, j: usize| line.own[i][j] * spread + dot(&line.shared[i], &line.shared[j]);

        let age = last.since(*first).as_secs_f64() - line.middle;
        let [x, y, vx, vy] = line.parameters;
        let at = [x + age * vx, y + age * vy];
        let of_place = |i, j| {
            covariance(i, j)
                + age * (covariance(i, j + 2) + covariance(i + 2, j))
                + age * age * covariance(i + 2, j + 2)
        };
        let [xx, xy, yy] = [of_place(0, 0), of_place(0, 1), of_place(1, 1)];
        let at_uncertainty = ((xx + yy) / 2.0 + ((xx - yy) / 2.0).hypot(xy)).sqrt();
        let (speed, heading) = polar([vx, vy], [covariance(2, 2), covariance(2, 3), covariance(3, 3)]);
        Some(Motion {
            at: Point::new(start.at.x + at[0] as f32, start.at.y + at[1] as f32),
            at_uncertainty: at_uncertainty as f32,
            speed,
            heading,
            over,
        })
    }

    /// Its length as far as it is turned to the camera, in metres: between the lower corners of its box on the ground.
    ///
    /// Of the last boxes the upper quartile: what hides a part of a vessel makes its box shorter, and little makes it
    /// longer. Spray and reflections beside the hull do, and a vessel seen from ahead is as long as it is wide.
    pub fn length(&self) -> Option<Measured> {
        let mut sorted: [Length; LENGTHS] = [Length { metres: 0.0, shared: 0.0 }; LENGTHS];
        let n = self.lengths.len();
        let sorted = &mut sorted[..n];
        sorted.iter_mut().zip(&self.lengths).for_each(|(place, length)| *place = *length);
        sorted.sort_by(|a, b| a.metres.total_cmp(&b.metres));
        let (lower, upper) = (sorted.get(n / 4)?, sorted.get((3 * n / 4).min(n - 1))?);
        // From the quartiles of a normal distribution. Boxes that are too wide stay so: no division by the root of n.
        let jitter = (upper.metres - lower.metres) / 1.35;
        Some(Measured { value: upper.metres, uncertainty: jitter.hypot(upper.shared) })
    }

    /// The line of least squares for boxes with `jitter` pixels in x and y.
    fn fit(&self, jitter: [f64; 2]) -> Line {
        let (Some((first, start)), n) = (self.looks.front(), self.looks.len() as f64) else {
            return Line::default();
        };
        let seconds = |at: &MonoTime| at.since(*first).as_secs_f64();
        let middle = self.looks.iter().map(|(at, _)| seconds(at)).sum::<f64>() / n;
        let (mut normal, mut right, mut shared) = ([[0.0; 4]; 4], [0.0; 4], [[0.0; 8]; 4]);
        for (at, fix) in &self.looks {
            let Some(pixels) = pixels_a_metre(fix) else { continue };
            let time = seconds(at) - middle;
            let place = [f64::from(fix.at.x - start.at.x), f64::from(fix.at.y - start.at.y)];
            for (row, jitter) in pixels.iter().zip(jitter) {
                let row = row.map(|part| part / jitter);
                let model = [row[0], row[1], row[0] * time, row[1] * time];
                let seen = dot(&row, &place);
                let errors: [f64; 8] =
                    std::array::from_fn(|k| row[0] * fix.shared[0][k] + row[1] * fix.shared[1][k]);
                for (i, part) in model.iter().enumerate() {
                    normal[i].iter_mut().zip(&model).for_each(|(sum, other)| *sum += part * other);
                    shared[i].iter_mut().zip(&errors).for_each(|(sum, error)| *sum += part * error);
                    right[i] += part * seen;
                }
            }
        }
        let own = inverse(normal);
        let shared = own.map(|row| std::array::from_fn(|k| (0..4).map(|i| row[i] * shared[i][k]).sum()));
        Line { middle, parameters: own.map(|row| dot(&row, &right)), own, shared }
    }
}

/// A vessel's way as a straight line in time.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// Seconds from the first position to the time at which the parameters hold.
    middle: f64,
    /// Metres east and north of the first position, and metres a second.
    parameters: [f64; 4],
    /// Their covariance from jitter that is new in each look.
    own: [[f64; 4]; 4],
    /// What each of the calibration's independent errors is in them.
    shared: [[f64; 8]; 4],
}

impl Line {
    /// How far each position lies from the line, in pixels of the picture.
    fn residuals(&self, looks: &VecDeque<(MonoTime, Fix)>) -> impl Iterator<Item = [f64; 2]> {
        let start = looks.front().copied();
        looks.iter().filter_map(move |(at, fix)| {
            let (first, start) = start?;
            let time = at.since(first).as_secs_f64() - self.middle;
            let [x, y, vx, vy] = self.parameters;
            let off = [
                f64::from(fix.at.x - start.at.x) - x - vx * time,
                f64::from(fix.at.y - start.at.y) - y - vy * time,
            ];
            Some(pixels_a_metre(fix)?.map(|row| dot(&row, &off)))
        })
    }

    /// Standard deviation of boxes in x and y, in pixels. With few residuals beside a guess: their own spread is widely
    /// uncertain, and counts for more by that (JCGM 101:2008, section 6.4.9).
    fn jitter(&self, looks: &VecDeque<(MonoTime, Fix)>) -> [f64; 2] {
        let squares =
            self.residuals(looks).fold([0.0; 2], |sum, r| [sum[0] + r[0] * r[0], sum[1] + r[1] * r[1]]);
        // Each axis gave two parameters away, and a t distribution of so many degrees is wider by two more.
        let free = looks.len() as f64 - 2.0 + EXPECTED_COUNTS - 2.0;
        squares.map(|squares| ((squares + EXPECTED_COUNTS * JITTER_PX.powi(2)) / free).sqrt())
    }

    /// By how much variances grow since a box that is too low stays so for a while: positions a look apart are no two
    /// independent ones (of a first-order autoregressive series: Bayley and Hammersley, "The Effective Number of
    /// Independent Observations in an Autocorrelated Time Series", 1946).
    fn memory(&self, looks: &VecDeque<(MonoTime, Fix)>) -> f64 {
        let (mut together, mut squares) = ([0.0; 2], [0.0; 2]);
        let mut before: Option<[f64; 2]> = None;
        for residual in self.residuals(looks) {
            for i in 0..2 {
                squares[i] += residual[i] * residual[i];
                together[i] += before.map_or(0.0, |before| before[i] * residual[i]);
            }
            before = Some(residual);
        }
        let alike = (0..2).map(|i| together[i] / squares[i].max(1e-9)).sum::<f64>() / 2.0;
        // A line through them makes neighbours look less alike than they are, by about two in n.
        let alike = (alike + 2.0 / looks.len() as f64).clamp(0.0, 0.8);
        (1.0 + alike) / (1.0 - alike)
    }
}

impl Length {
    fn between(left: &Fix, right: &Fix) -> Self {
        let (dx, dy) = (right.at.x - left.at.x, right.at.y - left.at.y);
        let metres = dx.hypot(dy);
        let along = [f64::from(dx / metres.max(1e-3)), f64::from(dy / metres.max(1e-3))];
        let error =
            |k: usize| (0..2).map(|i| along[i] * (right.shared[i][k] - left.shared[i][k])).sum::<f64>();
        Self { metres, shared: (0..8).map(|k| error(k).powi(2)).sum::<f64>().sqrt() as f32 }
    }
}

/// Pixels that a metre eastward and northward is: the inverse of [`Fix::metres_a_px`].
fn pixels_a_metre(fix: &Fix) -> Option<[[f64; 2]; 2]> {
    let [[a, b], [c, d]] = fix.metres_a_px;
    let determinant = a * d - b * c;
    (determinant != 0.0).then(|| [[d, -b], [-c, a]].map(|row| row.map(|part| part / determinant)))
}

/// Speed in knots and course in degrees of a velocity in metres a second (east, north), with covariance (xx, xy, yy).
fn polar([vx, vy]: [f64; 2], [xx, xy, yy]: [f64; 3]) -> (Measured, Measured) {
    let seen = vx.hypot(vy);
    let (ux, uy) = if seen > 0.0 { (vx / seen, vy / seen) } else { (1.0, 0.0) };
    let across = (uy * uy * xx - 2.0 * ux * uy * xy + ux * ux * yy).max(0.0);
    // Errors across the course only ever make it look faster.
    let speed = (seen * seen - across).max(0.0).sqrt();
    // What the length of the vector does when the vector errs along the axes of its ellipse (the unscented transform:
    // Julier and Uhlmann, 1997). Near standstill it has no slope that could be taken instead.
    let turn = 0.5 * (2.0 * xy).atan2(xx - yy);
    let (half, middle) = (((xx - yy) / 2.0).hypot(xy), (xx + yy) / 2.0);
    let axes = [(turn.cos(), turn.sin(), middle + half), (-turn.sin(), turn.cos(), (middle - half).max(0.0))];
    let squares: f64 = axes
        .iter()
        .flat_map(|(x, y, variance)| [1.0, -1.0].map(|sign| (x, y, sign * (2.0 * variance).sqrt())))
        .map(|(x, y, step)| ((vx + step * x).hypot(vy + step * y) - speed).powi(2))
        .sum();
    let any = std::f64::consts::PI / 3.0_f64.sqrt();
    let turned = if seen > 0.0 { (across.sqrt() / seen).min(any) } else { any };
    let knots = |mps: f64| (mps / KNOT_MPS) as f32;
    let heading = vx.atan2(vy).to_degrees().rem_euclid(360.0) as f32;
    (
        Measured { value: knots(speed), uncertainty: knots((squares / 4.0).sqrt()) },
        Measured { value: heading, uncertainty: turned.to_degrees() as f32 },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::testing::{Mast, Noise, norm};

    const MAST: Mast = Mast { height: 15.0, tilt: 6.0, azimuth: 40.0, focal: 1500.0 };
    const SURVEYED: [(f64, f64); 6] =
        [(70.0, -25.0), (65.0, 25.0), (120.0, 50.0), (150.0, -50.0), (260.0, 70.0), (320.0, -60.0)];

    /// A voyage before the camera: a straight way at a steady speed.
    struct Voyage {
        knots: f64,
        /// Degrees from north.
        heading: f64,
        ahead: f64,
        right: f64,
        length: f64,
        looks_per_second: f64,
        /// Standard deviation of each edge of the box.
        jitter_px: f64,
        /// How like the one before a jitter is, from 0 to 1.
        memory: f64,
        dropped: f64,
    }

    impl Voyage {
        fn any(noise: &mut Noise) -> Self {
            let ahead = 70.0 + 230.0 * noise.even();
            Self {
                knots: 1.0 + 14.0 * noise.even(),
                heading: 360.0 * noise.even(),
                ahead,
                right: ahead * 0.4 * (noise.even() - 0.5),
                length: 6.0,
                looks_per_second: 2.0 + 3.0 * noise.even(),
                jitter_px: 1.0 + 2.0 * noise.even(),
                memory: 0.0,
                dropped: 0.2,
            }
        }

        /// Calls `each` with what is known after each look of 14 s, and where the vessel is then.
        fn sail(
            &self,
            calibration: &Calibration,
            noise: &mut Noise,
            mut each: impl FnMut(&Course, [f64; 2]),
        ) {
            let mut course = Course::default();
            let mut jitter = [0.0; 3];
            let begin = MAST.place(self.ahead, self.right);
            let (east, north) = self.heading.to_radians().sin_cos();
            for look in 0..(14.0 * self.looks_per_second) as u32 {
                let time = f64::from(look) / self.looks_per_second;
                let sailed = self.knots * KNOT_MPS * time;
                let at = [begin[0] + sailed * east, begin[1] + sailed * north];
                let fresh = (1.0 - self.memory.powi(2)).sqrt();
                jitter = jitter.map(|j| self.memory * j + fresh * self.jitter_px * noise.normal());
                let (Some([u, v]), false) = (MAST.pixel(at), noise.even() < self.dropped) else { continue };
                // As wide as a vessel that lies across the view.
                let half = MAST.focal * self.length / 2.0 / (at[0].hypot(at[1]));
                let (low, high) =
                    (norm([u - half + jitter[0], v - 30.0]), norm([u + half + jitter[1], v + jitter[2]]));
                let when = MonoTime::from_boot(Duration::from_secs_f64(100.0 + time));
                course.observe(calibration, BBox::new(low.x, low.y, high.x, high.y), when);
                each(&course, at);
            }
        }
    }

    /// Of many values: how many lay within two standard uncertainties of the truth, and the uncertainties.
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
        let mut noise = Noise(2026);
        let mut scores = [(); 3].map(|()| Score::default());
        for _ in 0..voyages {
            let calibration = MAST.calibrated(&SURVEYED, &mut noise, 2.0).unwrap();
            let first = MAST.place(SURVEYED[0].0, SURVEYED[0].1);
            let voyage = change(Voyage::any(&mut noise));
            voyage.sail(&calibration, &mut noise, |course, at| {
                let Some(motion) = course.motion() else { return };
                let [speeds, headings, places] = &mut scores;
                speeds.add(f64::from(motion.speed.value) - voyage.knots, motion.speed.uncertainty);
                let turned =
                    (f64::from(motion.heading.value) - voyage.heading + 540.0).rem_euclid(360.0) - 180.0;
                headings.add(turned, motion.heading.uncertainty);
                let off =
                    [f64::from(motion.at.x) + first[0] - at[0], f64::from(motion.at.y) + first[1] - at[1]];
                places.add(off[0].hypot(off[1]), motion.at_uncertainty);
            });
        }
        scores
    }

    #[test]
    fn zz_explore() {
        for (lo, hi) in [(1.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 15.0)] {
            for (near, far) in [(70.0, 120.0), (120.0, 200.0), (200.0, 300.0)] {
                for memory in [0.0, 0.5] {
                    let [mut s, mut h, mut p] = scores(200, |v| Voyage {
                        knots: lo + (v.knots - 1.0) / 14.0 * (hi - lo),
                        ahead: near + (v.ahead - 70.0) / 230.0 * (far - near),
                        memory,
                        ..v
                    });
                    eprintln!(
                        "{lo}-{hi} kn {near}-{far} m mem {memory}: n {} speed {:.3} u {:.2}; heading {:.3} u {:.1}; place {:.3} u {:.2}",
                        s.uncertainties.len(),
                        s.coverage(),
                        s.median(),
                        h.coverage(),
                        h.median(),
                        p.coverage(),
                        p.median()
                    );
                }
            }
        }
        let [mut s, mut h, mut p] = scores(600, |v| v);
        eprintln!(
            "all speed {:.3} u {:.2}; heading {:.3} u {:.1}; place {:.3} u {:.2}",
            s.coverage(),
            s.median(),
            h.coverage(),
            h.median(),
            p.coverage(),
            p.median()
        );
    }
}
