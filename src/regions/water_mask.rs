//! The part of the picture where vessels can be.

use super::config::PlannerConfig;
use crate::geometry::{BBox, Norm, Point, Polygon};

/// The water that the site file draws; without it the camera's regions; without those the whole picture.
#[derive(Clone, Debug)]
pub(super) enum WaterMask {
    WholePicture,
    Polygon(Polygon),
    Regions(Vec<BBox<Norm>>),
}

impl WaterMask {
    pub(super) fn new(config: &PlannerConfig) -> Self {
        match &config.water {
            Some(water) => Self::Polygon(water.clone()),
            None if !config.whole_frame => Self::Regions(config.regions.clone()),
            None => Self::WholePicture,
        }
    }

    pub(super) fn contains(&self, p: Point<Norm>) -> bool {
        match self {
            Self::WholePicture => true,
            Self::Polygon(water) => water.contains(p),
            Self::Regions(regions) => {
                regions.iter().any(|r| (r.x0..=r.x1).contains(&p.x) && (r.y0..=r.y1).contains(&p.y))
            }
        }
    }

    /// The smallest box around the mask, within the picture.
    pub(super) fn bounds(&self) -> BBox<Norm> {
        let whole = BBox::new(0.0, 0.0, 1.0, 1.0);
        let around = match self {
            Self::WholePicture => None,
            Self::Polygon(water) => {
                water.corners().iter().map(|p| BBox::new(p.x, p.y, p.x, p.y)).reduce(|a, b| a.union(&b))
            }
            Self::Regions(regions) => regions.iter().copied().reduce(|a, b| a.union(&b)),
        };
        around.and_then(|b| b.intersection(&whole)).unwrap_or(whole)
    }
}
