//! Which regions each pass inspects.

use clap::ValueEnum;
use serde::Serialize;

use crate::regions::FixedPlan;

/// Which regions each pass inspects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RegionStrategy {
    /// Those that the region planner chooses, as in the daemon.
    Planned,
    /// The whole frame.
    WholeFrame,
    /// The whole frame and tiles that cover it.
    AllTiles,
}

impl RegionStrategy {
    pub(super) fn fixed_plan(self) -> Option<FixedPlan> {
        match self {
            Self::Planned => None,
            Self::WholeFrame => Some(FixedPlan::WholeFrame),
            Self::AllTiles => Some(FixedPlan::AllTiles),
        }
    }
}
