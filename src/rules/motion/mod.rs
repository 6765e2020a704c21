//! Where a vessel is on the ground, how fast it goes and where to, and how sure that is.
//!
//! A straight line in time is fitted to the positions of the last seconds, each weighted by what a pixel is worth where
//! it was seen. How much a box jitters is taken from how far the positions lie from the line. A calibration's errors
//! are the same for all positions: they are carried through the fit as what they are, and do not average out.
//!
//! Uncertainties are standard uncertainties, evaluated as the "Guide to the Expression of Uncertainty in Measurement"
//! (JCGM 100:2008, sections 4.2 and 5.2) has it: twice as much holds the true value about 95 times in 100.

mod line;

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::MonoTime;
use crate::geometry::{BBox, Calibration, Fix, Metre, Norm, Point};

use line::{Line, Looks};

/// How long positions count. The error of a speed falls with the time to the power of 1.5, and a vessel that turns or
/// brakes must not be averaged away: in 6 s a boat at 6 knots makes 18 m, and a turn of 3 degrees a second shortens its
/// way by 1 in 200.
const WINDOW: Duration = Duration::from_secs(6);
/// Where looks are few, positions count until there are so many.
const FEWEST: usize = 5;
/// And never longer than this.
const LONGEST: Duration = Duration::from_secs(15);
/// Below this, jitter looks like speed.
const SHORTEST: Duration = Duration::from_millis(1500);
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
pub struct GroundMotion {
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
pub struct MotionEstimator {
    looks: Looks,
    lengths: VecDeque<Length>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Length {
    metres: f32,
    /// Standard uncertainty that all lengths share.
    shared: f32,
}

impl MotionEstimator {
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

    /// How it moves; `None` until it was seen five times over one and a half seconds.
    pub fn motion(&self) -> Option<GroundMotion> {
        let ((first, start), (last, _)) = (self.looks.front()?, self.looks.back()?);
        let over = last.since(*first);
        if self.looks.len() < FEWEST || over < SHORTEST {
            return None;
        }
        let line = Line::through(&self.looks)?;
        let covariance = |i, j| line.covariance(i, j);
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
        Some(GroundMotion {
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
        let n = self.lengths.len();
        let sorted = &mut [Length::default(); LENGTHS][..n];
        sorted.iter_mut().zip(&self.lengths).for_each(|(place, length)| *place = *length);
        sorted.sort_unstable_by(|a, b| a.metres.total_cmp(&b.metres));
        let (lower, upper) = (sorted.get(n / 4)?, sorted.get((3 * n / 4).min(n - 1))?);
        // From the quartiles of a normal distribution. Boxes that are too wide stay so: no division by the root of n.
        let jitter = (upper.metres - lower.metres) / 1.35;
        Some(Measured { value: upper.metres, uncertainty: jitter.hypot(upper.shared) })
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

/// Speed in knots and course in degrees of a velocity in metres a second (east, north), with covariance (xx, xy, yy).
///
/// Uncertainties are what errors of the vector along the axes of its ellipse do to its length and direction (the
/// unscented transform: Julier and Uhlmann, "A New Extension of the Kalman Filter to Nonlinear Systems", 1997). Near
/// standstill neither has a slope that could be taken instead.
fn polar([vx, vy]: [f64; 2], [xx, xy, yy]: [f64; 3]) -> (Measured, Measured) {
    let (seen, course) = (vx.hypot(vy), vx.atan2(vy));
    let (ux, uy) = course.sin_cos();
    let across = (uy * uy * xx - 2.0 * ux * uy * xy + ux * ux * yy).max(0.0);
    // Errors across the course only ever make it look faster.
    let speed = (seen * seen - across).max(0.0).sqrt();
    let (half, middle) = (((xx - yy) / 2.0).hypot(xy), (xx + yy) / 2.0);
    let (sine, cosine) = (0.5 * (2.0 * xy).atan2(xx - yy)).sin_cos();
    let axes = [(cosine, sine, middle + half), (-sine, cosine, (middle - half).max(0.0))];
    let (mut faster, mut turned) = (0.0, 0.0);
    for (x, y, variance) in axes {
        for step in [1.0, -1.0].map(|sign| sign * (2.0 * variance).sqrt()) {
            let (vx, vy) = (vx + step * x, vy + step * y);
            faster += (vx.hypot(vy) - speed).powi(2) / 4.0;
            turned += difference(vx.atan2(vy), course).powi(2) / 4.0;
        }
    }
    // No direction is less certain than any direction.
    let any = std::f64::consts::PI / 3.0_f64.sqrt();
    let of = |value: f64, uncertainty: f64| Measured { value: value as f32, uncertainty: uncertainty as f32 };
    (
        of(speed / KNOT_MPS, faster.sqrt() / KNOT_MPS),
        of(course.to_degrees().rem_euclid(360.0), turned.sqrt().min(any).to_degrees()),
    )
}

/// By how much two directions in radians differ, at most half a turn.
fn difference(a: f64, b: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    (a - b + PI).rem_euclid(TAU) - PI
}

#[cfg(test)]
mod promises;
