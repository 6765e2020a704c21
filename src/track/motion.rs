//! Predicts where a vessel will be: a Kalman filter over its box, in real time.
//!
//! SORT (Bewley et al., "Simple Online and Realtime Tracking", 2016) and ByteTrack (Zhang et al., "ByteTrack:
//! Multi-Object Tracking by Associating Every Detection Box", 2022) filter a box at constant velocity. They take one step a
//! frame, with noise in proportion to the size of the box. Here detection passes come at irregular times, so the noise
//! depends on the time since the last pass. Acceleration is white noise (Bar-Shalom et al., "Estimation with Applications to
//! Tracking and Navigation", 2001, section 6.2.2). The four values of a box have separate filters, because their errors
//! hardly correlate, and four filters of two states need no matrix library.

use crate::geometry::{BBox, Px};

/// Standard deviation of a detected edge, as a share of the box's size.
const BOX_ERROR: f64 = 0.05;
/// Spectral density of the acceleration, in (box sizes per second) squared per second.
const ACCELERATION: f64 = 0.5;
/// The same for width and height. Vessels are rigid; their boxes only change when they turn or come closer.
const GROWTH: f64 = 0.1;
/// Standard deviation of the speed of a new vessel, in box sizes per second.
const FIRST_SPEED: f64 = 2.0;
/// The same for the change of its box's size.
const FIRST_GROWTH: f64 = 0.2;

/// One value of a box and its rate of change, with their covariance.
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

    /// Predicts the state `dt` seconds later, with white-noise acceleration of spectral density `q`.
    fn predict(&mut self, dt: f64, q: f64) {
        self.value += self.rate * dt;
        self.var_value += 2.0 * dt * self.cov + dt * dt * self.var_rate + q * dt.powi(3) / 3.0;
        self.cov += dt * self.var_rate + q * dt * dt / 2.0;
        self.var_rate += q * dt;
    }

    /// Corrects the state by a measurement with standard deviation `error`.
    fn correct(&mut self, measured: f64, error: f64) {
        let var = self.var_value + error * error;
        let (gain_value, gain_rate) = (self.var_value / var, self.cov / var);
        let innovation = measured - self.value;
        self.value += gain_value * innovation;
        self.rate += gain_rate * innovation;
        self.var_rate -= gain_rate * self.cov;
        self.cov -= gain_value * self.cov;
        self.var_value -= gain_value * self.var_value;
    }
}

/// The filtered box of a vessel.
#[derive(Clone, Debug)]
pub(super) struct BoxMotion {
    x: Axis,
    y: Axis,
    width: Axis,
    height: Axis,
}

impl BoxMotion {
    pub(super) fn new(detected: &BBox<Px>) -> Self {
        let [x, y, w, h] = centre_and_extent(detected);
        let size = size(w, h);
        let position = |value, along| Axis::new(value, BOX_ERROR * along, FIRST_SPEED * size);
        let extent = |value| Axis::new(value, BOX_ERROR * value, FIRST_GROWTH * value);
        Self { x: position(x, w), y: position(y, h), width: extent(w), height: extent(h) }
    }

    /// Predicts the box `dt` seconds later.
    pub(super) fn predict(&mut self, dt: f64) {
        let size = size(self.width.value, self.height.value);
        let (w, h) = (self.width.value.max(1.0), self.height.value.max(1.0));
        self.x.predict(dt, ACCELERATION * size * size);
        self.y.predict(dt, ACCELERATION * size * size);
        self.width.predict(dt, GROWTH * w * w);
        self.height.predict(dt, GROWTH * h * h);
        // A shrinking box must not become negative while it is not detected.
        self.width.value = self.width.value.max(1.0);
        self.height.value = self.height.value.max(1.0);
    }

    /// Moves the box with a picture that moved by this many pixels.
    pub(super) fn shift(&mut self, dx: f32, dy: f32) {
        self.x.value += f64::from(dx);
        self.y.value += f64::from(dy);
    }

    /// Corrects the box by a detection. A partly `hidden` vessel (a share, 0 to 1) has larger errors.
    pub(super) fn correct(&mut self, detected: &BBox<Px>, hidden: f64) {
        let [x, y, w, h] = centre_and_extent(detected);
        let error = BOX_ERROR * (1.0 + hidden);
        self.x.correct(x, error * w);
        self.y.correct(y, error * h);
        self.width.correct(w, error * w);
        self.height.correct(h, error * h);
    }

    /// Velocity of the centre, in pixels a second.
    pub(super) fn velocity(&self) -> [f32; 2] {
        [&self.x, &self.y].map(|axis| axis.rate as f32)
    }

    /// The box.
    pub(super) fn bbox(&self) -> BBox<Px> {
        let (w, h) = (self.width.value.max(1.0), self.height.value.max(1.0));
        let (x, y) = (self.x.value - w / 2.0, self.y.value - h / 2.0);
        BBox::new(x as f32, y as f32, (x + w) as f32, (y + h) as f32)
    }

    /// Standard deviations of the centre across and down, in pixels.
    pub(super) fn uncertainty(&self) -> [f64; 2] {
        [&self.x, &self.y].map(|axis| axis.var_value.max(0.0).sqrt())
    }
}

/// Centre, width and height; width and height at least a pixel.
fn centre_and_extent(b: &BBox<Px>) -> [f64; 4] {
    let edges = [b.x0, b.y0, b.x1, b.y1].map(f64::from);
    let [x0, y0, x1, y1] = edges;
    [(x0 + x1) / 2.0, (y0 + y1) / 2.0, (x1 - x0).max(1.0), (y1 - y0).max(1.0)]
}

fn size(w: f64, h: f64) -> f64 {
    (w.max(1.0) * h.max(1.0)).sqrt()
}
