//! Position, speed and heading of a vessel on the ground, with their uncertainties.
//!
//! A straight line in time is fitted to the positions of the last seconds. Each position is weighted by the size of a pixel
//! on the ground where it was seen. The jitter of boxes is estimated from the distances of the positions to the line. The
//! errors of a calibration are the same for all positions: the fit keeps them as such, and they do not average out.
//!
//! Uncertainties are standard uncertainties, evaluated by the "Guide to the Expression of Uncertainty in Measurement"
//! (JCGM 100:2008, sections 4.2 and 5.2): the true value is within twice the uncertainty in about 95 of 100 cases.

mod line_fit;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::MonoTime;
use crate::geometry::{BBox, Calibration, Fix, Metre, Norm, Point};

use line_fit::{LineFit, Positions};

/// Positions are used for this long. The error of a speed decreases with the time to the power of 1.5, but a turn or a stop
/// must remain visible: in 6 s a boat at 6 knots moves 18 m, and a turn of 3 degrees a second shortens that by 1 in 200.
const WINDOW: Duration = Duration::from_secs(6);
/// At low detection rates, positions are used for longer, until there are this many ...
const FEWEST: usize = 5;
/// ... but never for longer than this.
const LONGEST: Duration = Duration::from_secs(15);
/// Over a shorter time, jitter is mistaken for speed.
const SHORTEST: Duration = Duration::from_millis(1500);
/// The lengths that are kept.
const LENGTHS: usize = 32;
/// A box that is closer to an edge of the picture than this is cut off by it.
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

/// How a vessel moves, over the last seconds in which it was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroundMotion {
    /// Where it was when it was last seen.
    pub at: Point<Metre>,
    /// Standard uncertainty of the position in metres, in the direction in which it is largest.
    pub at_uncertainty: f32,
    /// Knots.
    pub speed: Measured,
    /// Course over ground in degrees, clockwise from north. A vessel that does not move has an uncertainty of 104 degrees.
    pub heading: Measured,
    /// The time from the first to the last position that is used.
    pub over: Duration,
}

/// Estimates the motion of one vessel. Empty at first.
#[derive(Clone, Debug, Default)]
pub struct MotionEstimator {
    positions: Positions,
    lengths: VecDeque<BoxLength>,
}

#[derive(Clone, Copy, Debug, Default)]
struct BoxLength {
    metres: f32,
    /// Standard uncertainty that all lengths have in common.
    shared: f32,
}

impl MotionEstimator {
    /// Takes the vessel's box as the detector gave it (not smoothed), seen at `at` by the camera of `calibration`.
    ///
    /// A box that is cut off by an edge of the picture, or outside the calibrated area, is left out.
    pub fn observe(&mut self, calibration: &Calibration, bbox: BBox<Norm>, at: MonoTime) {
        let cut = bbox.x0 < EDGE || bbox.x1 > 1.0 - EDGE || bbox.y1 > 1.0 - EDGE;
        if cut || self.positions.back().is_some_and(|(last, _)| at <= *last) {
            return;
        }
        let Some(fix) = calibration.ground(bbox.waterline()) else { return };
        self.positions.push_back((at, fix));
        while let Some((first, _)) = self.positions.front()
            && (at.since(*first) > LONGEST || (at.since(*first) > WINDOW && self.positions.len() > FEWEST))
        {
            self.positions.pop_front();
        }
        let corner = |x| calibration.ground(Point::new(x, bbox.y1));
        if let (Some(left), Some(right)) = (corner(bbox.x0), corner(bbox.x1)) {
            self.lengths.push_back(BoxLength::between(&left, &right));
            if self.lengths.len() > LENGTHS {
                self.lengths.pop_front();
            }
        }
    }

    /// Its motion; `None` until it was seen five times over one and a half seconds.
    pub fn motion(&self) -> Option<GroundMotion> {
        let ((first, start), (last, _)) = (self.positions.front()?, self.positions.back()?);
        let over = last.since(*first);
        if self.positions.len() < FEWEST || over < SHORTEST {
            return None;
        }
        let line = LineFit::new(&self.positions)?;
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

    /// Its apparent length in metres: the distance on the ground between the lower corners of its box.
    ///
    /// This is the upper quartile of the last boxes: a partly hidden vessel has a shorter box, and few things make a box
    /// longer. Spray and reflections beside the hull do. A vessel seen from ahead appears as long as it is wide.
    pub fn length(&self) -> Option<Measured> {
        let n = self.lengths.len();
        let sorted = &mut [BoxLength::default(); LENGTHS][..n];
        sorted.iter_mut().zip(&self.lengths).for_each(|(slot, length)| *slot = *length);
        sorted.sort_unstable_by(|a, b| a.metres.total_cmp(&b.metres));
        let (lower, upper) = (sorted.get(n / 4)?, sorted.get((3 * n / 4).min(n - 1))?);
        // From the quartiles of a normal distribution. Box widths are not independent, so it is not divided by the root of n.
        let jitter = (upper.metres - lower.metres) / 1.35;
        Some(Measured { value: upper.metres, uncertainty: jitter.hypot(upper.shared) })
    }
}

impl BoxLength {
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
/// Uncertainties come from the unscented transform (Julier and Uhlmann, "A New Extension of the Kalman Filter to Nonlinear
/// Systems", 1997): errors of the vector along the axes of its ellipse change its length and direction. A linear
/// approximation fails near standstill.
fn polar([vx, vy]: [f64; 2], [xx, xy, yy]: [f64; 3]) -> (Measured, Measured) {
    let (apparent, course) = (vx.hypot(vy), vx.atan2(vy));
    let (ux, uy) = course.sin_cos();
    let across = (uy * uy * xx - 2.0 * ux * uy * xy + ux * ux * yy).max(0.0);
    // Errors across the course can only increase the apparent speed.
    let speed = (apparent * apparent - across).max(0.0).sqrt();
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
    // The uncertainty of a uniformly distributed direction is the largest possible.
    let any = std::f64::consts::PI / 3.0_f64.sqrt();
    let of = |value: f64, uncertainty: f64| Measured { value: value as f32, uncertainty: uncertainty as f32 };
    (
        of(speed / KNOT_MPS, faster.sqrt() / KNOT_MPS),
        of(course.to_degrees().rem_euclid(360.0), turned.sqrt().min(any).to_degrees()),
    )
}

/// The difference of two directions in radians, at most half a turn.
fn difference(a: f64, b: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    (a - b + PI).rem_euclid(TAU) - PI
}
