//! Rejects boxes that cannot be vessels, by their position and size. This is separate from the choice of regions.

use super::config::PlannerConfig;
use super::water_mask::WaterMask;
use crate::geometry::{BBox, Calibration, FrameSize, Px};

/// The longer side of a vessel with a person aboard, seen from any side, in metres. Gulls and most driftwood are smaller.
const MIN_LENGTH_M: f32 = 1.0;

/// Why a detected box cannot be a vessel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// It lies outside the water.
    OutsideWater,
    /// It is smaller than any vessel, by the camera's calibration.
    TooSmall,
}

/// Decides which boxes of a camera can be vessels.
#[derive(Clone, Debug)]
pub struct BoxFilter {
    water: WaterMask,
    calibration: Option<Calibration>,
}

impl BoxFilter {
    /// The filter of a camera.
    pub fn new(config: &PlannerConfig) -> Self {
        Self { water: WaterMask::new(config), calibration: config.calibration.clone() }
    }

    /// Why `bbox` in a picture of size `frame` cannot be a vessel; `None` when it can.
    ///
    /// A waterline is only accurate to a part of the box's height, and a box may include the reflection. Therefore a box also
    /// passes when its centre lies on the water. The size limit is taken at the box's lower edge. For a flying bird that edge
    /// lies higher in the picture than the water below the bird, so the bird seems larger than it is, not smaller.
    pub fn rejects(&self, bbox: &BBox<Px>, frame: FrameSize) -> Option<RejectReason> {
        let waterline = frame.normalise(bbox.waterline());
        if !self.water.contains(waterline) && !self.water.contains(frame.normalise(bbox.centre())) {
            return Some(RejectReason::OutsideWater);
        }
        let min_px = self.calibration.as_ref()?.width_of(MIN_LENGTH_M, waterline)? * frame.width as f32;
        (bbox.longer_side() < min_px).then_some(RejectReason::TooSmall)
    }
}

#[cfg(test)]
mod tests {
    use test_support::Rng;

    use super::*;
    use crate::geometry::testing::Mast;
    use crate::regions::simulation::{FULL_HD, config};

    const MAST: Mast = Mast { height: 12.0, tilt: 8.0, azimuth: 0.0, focal: 1400.0 };

    fn calibrated() -> PlannerConfig {
        let places = [(40.0, -12.0), (40.0, 15.0), (150.0, -60.0), (150.0, 60.0), (80.0, 0.0), (250.0, 30.0)];
        PlannerConfig { calibration: MAST.calibrated(&places, &mut Rng::new(3), 1.0).ok(), ..config(4.0) }
    }

    #[test]
    fn a_calibrated_camera_rejects_boxes_below_one_metre() {
        let (plain, calibrated) = (BoxFilter::new(&config(4.0)), BoxFilter::new(&calibrated()));
        for ahead in [35.0, 90.0, 200.0] {
            let [u, v] = MAST.pixel([0.0, ahead]).unwrap();
            let metre_px = MAST.pixel([1.0, ahead]).unwrap()[0] - u;
            // `above` is the height of the box's lower edge above the water, in metres.
            let thing = |wide: f64, high: f64, above: f64| {
                let [wide, high, above] = [wide, high, above].map(|metres| (metres * metre_px) as f32);
                BBox::from_xywh(u as f32 - wide / 2.0, v as f32 - above - high, wide, high)
            };
            for gull in [thing(0.6, 0.35, 0.0), thing(0.3, 0.5, 0.0), thing(0.8, 0.4, 0.0)] {
                assert_eq!(
                    calibrated.rejects(&gull, FULL_HD),
                    Some(RejectReason::TooSmall),
                    "{ahead} m: {gull:?}"
                );
                assert_eq!(plain.rejects(&gull, FULL_HD), None);
            }
            for vessel in
                [thing(0.7, 1.2, 0.0), thing(4.0, 0.9, 0.0), thing(1.3, 2.3, 0.0), thing(80.0, 20.0, 0.0)]
            {
                assert_eq!(calibrated.rejects(&vessel, FULL_HD), None, "{ahead} m: {vessel:?}");
            }
            // A box without its lower half seems farther away, so it passes.
            assert_eq!(calibrated.rejects(&thing(1.2, 1.0, 1.0), FULL_HD), None);
        }
    }
}
