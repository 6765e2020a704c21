//! What a rule watches for, as the site file says it.

use std::time::Duration;

use super::site::{Line, Zone};
use crate::geometry::Segment;
use crate::ids::{PlaceId, RuleId};

/// Which way over a line counts, as seen by somebody who walks from its `from` to its `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the walker's left to the right.
    LeftToRight,
    /// From the walker's right to the left.
    RightToLeft,
    /// Both ways.
    Either,
}

/// What a rule watches for. `config/rules.md` tells each kind with an example.
#[derive(Clone, Debug)]
pub enum Condition {
    /// A vessel is in the zone while the schedule is in force.
    Presence {
        /// The zone.
        zone: Zone,
    },
    /// A vessel comes into the zone from outside it.
    Entry {
        /// The zone.
        zone: Zone,
    },
    /// A vessel crosses the line's segment.
    Crossing {
        /// The line.
        line: Line,
        /// Which way counts.
        direction: Direction,
        /// Normalised distance either side of the line in which nothing counts.
        dead_band: f32,
    },
    /// A vessel goes against the direction of a lane.
    WrongWay {
        /// The lane.
        zone: Zone,
        /// From, to: the direction in which vessels should go.
        flow: Segment,
        /// It must have gone against it for more than so many of its own lengths in the picture.
        lengths: f64,
    },
    /// A vessel stays in the zone.
    Dwell {
        /// The zone.
        zone: Zone,
        /// Longer than this.
        longer_than: Duration,
    },
    /// A vessel stays within a circle in the zone, outside of every berth.
    Loitering {
        /// The zone.
        zone: Zone,
        /// Radius of the circle.
        radius_m: f64,
        /// Longer than this.
        longer_than: Duration,
    },
    /// A vessel goes too fast.
    Speeding {
        /// Where the limit is in force.
        zone: Zone,
        /// The limit.
        limit_knots: f64,
        /// The least margin beyond it.
        margin_knots: f64,
        /// Estimates in a row.
        estimates: u32,
    },
    /// A vessel lies still in the zone, outside of every berth.
    Stop {
        /// The zone.
        zone: Zone,
        /// Longer than this.
        longer_than: Duration,
    },
    /// A vessel leaves its berth.
    Departure {
        /// The berth.
        zone: Zone,
    },
    /// A vessel lies at a berth for too long.
    Overstay {
        /// The berth.
        zone: Zone,
        /// Longer than this.
        longer_than: Duration,
    },
    /// A vessel of another size than the berth is meant for lies at it.
    Unexpected {
        /// The berth.
        zone: Zone,
    },
    /// Two vessels lie or drift close together, away from berths.
    Rendezvous {
        /// Where.
        zone: Zone,
        /// Not farther apart than this.
        closer_than_m: f64,
        /// Neither faster than this.
        slower_than_knots: f64,
        /// Longer than this.
        longer_than: Duration,
    },
    /// Too many vessels in a zone.
    Crowd {
        /// The zone.
        zone: Zone,
        /// More than so many.
        more_than: u32,
    },
    /// An expected vessel is not at its berth.
    Absent {
        /// The berth.
        zone: Zone,
        /// For so long.
        longer_than: Duration,
    },
    /// Nothing is seen in a zone where there is always something.
    Inactivity {
        /// The zone.
        zone: Zone,
        /// For so long.
        longer_than: Duration,
    },
    /// Vessels of one size come to a berth again and again.
    Repeat {
        /// The berth.
        zone: Zone,
        /// So many arrivals or more.
        times: u32,
        /// Within this time.
        within: Duration,
    },
    /// A vessel comes toward a line too fast.
    Approach {
        /// The protected line.
        line: Line,
        /// The limit of the speed toward it.
        limit_knots: f64,
        /// Within this distance from it.
        within_m: f64,
    },
    /// Several rules hold at once for one vessel.
    All {
        /// These hold, ...
        of: Vec<RuleId>,
        /// ... and none of these does.
        unless: Vec<RuleId>,
    },
    /// One rule holds for a vessel after another did.
    Then {
        /// First this.
        first: RuleId,
        /// Then that.
        second: RuleId,
        /// Within this time.
        within: Duration,
    },
}

impl Condition {
    /// As written in the site file, the logbook and alerts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Presence { .. } => "presence",
            Self::Entry { .. } => "entry",
            Self::Crossing { .. } => "crossing",
            Self::WrongWay { .. } => "wrong-way",
            Self::Dwell { .. } => "dwell",
            Self::Loitering { .. } => "loitering",
            Self::Speeding { .. } => "speeding",
            Self::Stop { .. } => "stop",
            Self::Departure { .. } => "departure",
            Self::Overstay { .. } => "overstay",
            Self::Unexpected { .. } => "unexpected",
            Self::Rendezvous { .. } => "rendezvous",
            Self::Crowd { .. } => "crowd",
            Self::Absent { .. } => "absent",
            Self::Inactivity { .. } => "inactivity",
            Self::Repeat { .. } => "repeat",
            Self::Approach { .. } => "approach",
            Self::All { .. } => "all",
            Self::Then { .. } => "then",
        }
    }

    /// The zone that it watches, if it watches one.
    pub fn zone(&self) -> Option<&Zone> {
        match self {
            Self::Presence { zone }
            | Self::Entry { zone }
            | Self::WrongWay { zone, .. }
            | Self::Dwell { zone, .. }
            | Self::Loitering { zone, .. }
            | Self::Speeding { zone, .. }
            | Self::Stop { zone, .. }
            | Self::Departure { zone }
            | Self::Overstay { zone, .. }
            | Self::Unexpected { zone }
            | Self::Rendezvous { zone, .. }
            | Self::Crowd { zone, .. }
            | Self::Absent { zone, .. }
            | Self::Inactivity { zone, .. }
            | Self::Repeat { zone, .. } => Some(zone),
            Self::Crossing { .. } | Self::Approach { .. } | Self::All { .. } | Self::Then { .. } => None,
        }
    }

    /// The line that it watches, if it watches one.
    pub fn line(&self) -> Option<&Line> {
        match self {
            Self::Crossing { line, .. } | Self::Approach { line, .. } => Some(line),
            _ => None,
        }
    }

    /// Id and name of the zone or line; `None` for compositions.
    pub fn place(&self) -> Option<(&PlaceId, &str)> {
        let zone = self.zone().map(|zone| (&zone.id, zone.name.as_str()));
        zone.or_else(|| self.line().map(|line| (&line.id, line.name.as_str())))
    }

    /// The unit of what it measures.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Speeding { .. } | Self::Approach { .. } => "kn",
            Self::WrongWay { .. } => "lengths",
            Self::Unexpected { .. } => "m",
            Self::Crowd { .. } => "vessels",
            Self::Crossing { .. } => "crossings",
            Self::Departure { .. } => "departures",
            Self::Repeat { .. } => "visits",
            Self::All { .. } | Self::Then { .. } => "rules",
            _ => "s",
        }
    }
}
