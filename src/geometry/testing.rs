//! A simulated camera on a mast, with errors of its points.

use super::{Calibration, CalibrationError, Norm, Point, Survey};
use test_support::Rng;

/// A camera without distortion at (0, 0), with a picture of 1920 by 1080.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mast {
    /// Height above the water in metres.
    pub(crate) height: f64,
    /// Degrees below the horizon.
    pub(crate) tilt: f64,
    /// Degrees from north, clockwise.
    pub(crate) azimuth: f64,
    /// Focal length in pixels.
    pub(crate) focal: f64,
}

impl Mast {
    /// The ground at (`x`, `y`) in the picture, in pixels; `None` behind the camera.
    pub(crate) fn pixel(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let (turn, tilt) = (self.azimuth.to_radians(), self.tilt.to_radians());
        let (right, ahead) = (x * turn.cos() - y * turn.sin(), x * turn.sin() + y * turn.cos());
        let forward = ahead * tilt.cos() + self.height * tilt.sin();
        let down = self.height * tilt.cos() - ahead * tilt.sin();
        (forward > 0.1).then(|| [960.0 + self.focal * right / forward, 540.0 + self.focal * down / forward])
    }

    pub(crate) fn sees(&self, ground: [f64; 2]) -> Option<Point<Norm>> {
        self.pixel(ground).map(norm)
    }

    /// A place `ahead` metres in front of the camera and `right` metres to the right.
    pub(crate) fn place(&self, ahead: f64, right: f64) -> [f64; 2] {
        let turn = self.azimuth.to_radians();
        [right * turn.cos() + ahead * turn.sin(), ahead * turn.cos() - right * turn.sin()]
    }

    /// A calibration from (ahead, right) places with errors of `error_px` in the picture.
    pub(crate) fn calibrated(
        &self,
        places: &[(f64, f64)],
        noise: &mut Rng,
        error_px: f64,
    ) -> Result<Calibration, CalibrationError> {
        let points: Vec<_> = places
            .iter()
            .map(|&(ahead, right)| {
                let ground = self.place(ahead, right);
                let [u, v] = self.pixel(ground).unwrap();
                (norm([u + error_px * noise.normal(), v + error_px * noise.normal()]), ground)
            })
            .collect();
        Calibration::fit(Survey::Metres, &points, 2.0)
    }
}

pub(crate) fn norm([u, v]: [f64; 2]) -> Point<Norm> {
    Point::new((u / 1920.0) as f32, (v / 1080.0) as f32)
}
