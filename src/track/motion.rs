//! Predicts where a vessel will be: Kalman filters over its box, in real time.
//!
//! SORT (Bewley et al., "Simple Online and Realtime Tracking", 2016) and ByteTrack (Zhang et al., "ByteTrack:
//! Multi-Object Tracking by Associating Every Detection Box", 2022) filter a box at constant velocity. They take one step a
//! frame, with noise in proportion to the size of the box. Here detection passes come at irregular times, so the noise
//! depends on the time since the last pass. Acceleration is white noise (Bar-Shalom et al., "Estimation with Applications to
//! Tracking and Navigation", 2001, section 6.2.2). The four values of a box have separate filters, because their errors
//! hardly correlate, and filters of one or two states need no matrix library.
//!
//! One amount of noise does not fit every track. A filter that follows sharp turns also follows the errors of noisy boxes;
//! its speed is then wrong, and its uncertainty during a gap so large that any newcomer is within reach. So the position has a
//! filter for each [`MotionKind`], and the likelihood of the track's own detections weighs them (Magill, "Optimal
//! Adaptive Estimation of Sampled Stochastic Processes", 1965).
//!
//! The position is that of the waterline, the middle of the lower edge. The hull decides it. The upper edge jumps when a box
//! has the masts in it or not, and the centre with it.
//!
//! Width and height have no rate of change. Vessels are rigid: their boxes change when they turn, and a change that was
//! continued through a gap would make the box vanish or grow without limit.
//!
//! All constants are in parts of the box's size, so they hold at any distance. Those without another source come from the
//! sequences of `docs/measurements.md`, from the likelihood of the detections and from the scores.

use crate::geometry::{BBox, Px};

/// A kind of motion, with the noise of its filter.
struct MotionKind {
    /// Spectral density of the acceleration, in (box sizes per second) squared per second.
    acceleration: f64,
    /// Standard deviation of a detected edge, as a share of the box's width or height.
    box_error: f64,
}

/// Steady motion, where a deviation is most likely an error of the box; and restless motion, where it is most likely a turn.
const KINDS: [MotionKind; 2] =
    [MotionKind { acceleration: 0.04, box_error: 0.08 }, MotionKind { acceleration: 1.0, box_error: 0.05 }];
/// The weights of the kinds are raised to this power before each detection, so that they follow about the last seven.
/// Scores are the same from 0.8 to 0.9.
const MEMORY: f64 = 0.85;
/// A larger squared deviation, in variances, counts as this one: three standard deviations. One bad box then decides nothing.
const MAX_DEVIATION: f64 = 9.0;
/// Movement without speed, in box sizes squared per second: waves, and boxes that change shape.
const SWAY: f64 = 0.005;
/// The same for width and height, in their own size.
const GROWTH: f64 = 0.03;
/// Standard deviation of a detected width or height, as a share of it.
const EXTENT_ERROR: f64 = 0.08;
/// Standard deviation of the speed of a new vessel, in box sizes per second.
const FIRST_SPEED: f64 = 2.0;

/// A coordinate of the waterline point and its rate of change, with their covariance.
#[derive(Clone, Copy, Debug)]
struct Axis {
    value: f64,
    rate: f64,
    var_value: f64,
    cov: f64,
    var_rate: f64,
}

impl Axis {
    fn new(value: f64, error: f64, rate_error: f64) -> Self {
        Self { value, rate: 0.0, var_value: error * error, cov: 0.0, var_rate: rate_error * rate_error }
    }

    /// Predicts the state `dt` seconds later, for a vessel of this size.
    fn predict(&mut self, dt: f64, size: f64, kind: &MotionKind) {
        let q = kind.acceleration * size * size;
        self.value += self.rate * dt;
        self.var_value += 2.0 * dt * self.cov + dt * dt * self.var_rate + q * dt.powi(3) / 3.0;
        self.var_value += SWAY * size * size * dt;
        self.cov += dt * self.var_rate + q * dt * dt / 2.0;
        self.var_rate += q * dt;
    }

    /// Corrects the state by a measurement with standard deviation `error`. Returns how likely the measurement was.
    fn correct(&mut self, measured: f64, error: f64) -> f64 {
        let var = self.var_value + error * error;
        let (gain_value, gain_rate) = (self.var_value / var, self.cov / var);
        let innovation = measured - self.value;
        self.value += gain_value * innovation;
        self.rate += gain_rate * innovation;
        self.var_rate -= gain_rate * self.cov;
        self.cov -= gain_value * self.cov;
        self.var_value -= gain_value * self.var_value;
        (-(innovation * innovation / var).min(MAX_DEVIATION) / 2.0).exp() / var.sqrt()
    }
}

/// Width or height, at least a pixel, with its variance.
#[derive(Clone, Copy, Debug)]
struct Extent {
    value: f64,
    var: f64,
}

impl Extent {
    fn new(value: f64) -> Self {
        Self { value, var: (EXTENT_ERROR * value).powi(2) }
    }

    fn predict(&mut self, dt: f64) {
        self.var += GROWTH * self.value * self.value * dt;
    }

    fn correct(&mut self, measured: f64, error: f64) {
        let gain = self.var / (self.var + (error * measured).powi(2));
        self.value += gain * (measured - self.value);
        self.var -= gain * self.var;
    }
}

/// The filtered waterline point if the vessel moves in one of the kinds.
#[derive(Clone, Copy, Debug)]
struct WaterlinePoint {
    x: Axis,
    y: Axis,
    /// How likely this kind is. The weights of all kinds add up to one.
    weight: f64,
}

/// The filtered box of a vessel.
#[derive(Clone, Debug)]
pub(super) struct BoxMotion {
    /// One for each of [`KINDS`].
    points: [WaterlinePoint; 2],
    width: Extent,
    height: Extent,
}

impl BoxMotion {
    pub(super) fn new(detected: &BBox<Px>) -> Self {
        let [x, y, w, h] = waterline_and_extent(detected);
        let speed = FIRST_SPEED * (w * h).sqrt();
        let point = |kind: &MotionKind| WaterlinePoint {
            x: Axis::new(x, kind.box_error * w, speed),
            y: Axis::new(y, kind.box_error * h, speed),
            weight: 1.0 / KINDS.len() as f64,
        };
        Self { points: KINDS.each_ref().map(point), width: Extent::new(w), height: Extent::new(h) }
    }

    /// Predicts the box `dt` seconds later.
    pub(super) fn predict(&mut self, dt: f64) {
        let size = (self.width.value * self.height.value).sqrt();
        for (point, kind) in self.points.iter_mut().zip(&KINDS) {
            point.x.predict(dt, size, kind);
            point.y.predict(dt, size, kind);
        }
        self.width.predict(dt);
        self.height.predict(dt);
    }

    /// Moves the box with a picture that moved by this many pixels.
    pub(super) fn shift(&mut self, dx: f32, dy: f32) {
        for point in &mut self.points {
            point.x.value += f64::from(dx);
            point.y.value += f64::from(dy);
        }
    }

    /// Corrects the box by a detection. A partly `hidden` vessel (a share, 0 to 1) has larger errors.
    pub(super) fn correct(&mut self, detected: &BBox<Px>, hidden: f64) {
        let [x, y, w, h] = waterline_and_extent(detected);
        let factor = 1.0 + hidden;
        for (point, kind) in self.points.iter_mut().zip(&KINDS) {
            let error = kind.box_error * factor;
            let likelihood = point.x.correct(x, error * w) * point.y.correct(y, error * h);
            point.weight = point.weight.powf(MEMORY) * likelihood;
        }
        let sum: f64 = self.points.iter().map(|point| point.weight).sum();
        for point in &mut self.points {
            point.weight /= sum;
        }
        self.width.correct(w, EXTENT_ERROR * factor);
        self.height.correct(h, EXTENT_ERROR * factor);
    }

    /// Velocity of the waterline point, in pixels a second.
    pub(super) fn velocity(&self) -> [f32; 2] {
        let mean = |of: fn(&WaterlinePoint) -> f64| self.mean(of) as f32;
        [mean(|point| point.x.rate), mean(|point| point.y.rate)]
    }

    /// The box.
    pub(super) fn bbox(&self) -> BBox<Px> {
        let (w, h) = (self.width.value, self.height.value);
        let x = self.mean(|point| point.x.value) - w / 2.0;
        let y = self.mean(|point| point.y.value) - h;
        BBox::new(x as f32, y as f32, (x + w) as f32, (y + h) as f32)
    }

    /// Standard deviations of the waterline point across and down, in pixels.
    pub(super) fn uncertainty(&self) -> [f64; 2] {
        let deviation = |of: fn(&WaterlinePoint) -> &Axis| {
            let mean = self.mean(|point| of(point).value);
            self.mean(|point| of(point).var_value.max(0.0) + (of(point).value - mean).powi(2)).sqrt()
        };
        [deviation(|point| &point.x), deviation(|point| &point.y)]
    }

    /// The mean over the kinds of motion.
    fn mean(&self, of: impl Fn(&WaterlinePoint) -> f64) -> f64 {
        self.points.iter().map(|point| point.weight * of(point)).sum()
    }
}

/// The middle of the lower edge, width and height; width and height at least a pixel.
fn waterline_and_extent(b: &BBox<Px>) -> [f64; 4] {
    let edges = [b.x0, b.y0, b.x1, b.y1].map(f64::from);
    let [x0, y0, x1, y1] = edges;
    [(x0 + x1) / 2.0, y1, (x1 - x0).max(1.0), (y1 - y0).max(1.0)]
}
