//! A shift on one day: its ends in time.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::sun::{SunTime, sun_moment};
use crate::config::{Edge, Position, Shift};

/// A shift that begins on one day. An end before its beginning makes it nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    from: Limit,
    to: Limit,
}

/// An end of a stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    /// By the clock on the wall: passed when it shows this time or a later one.
    Wall(DateTime),
    /// By the sun.
    Sun(Timestamp),
}

/// A moment, and what the clock on the wall shows then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant {
    pub(super) at: Timestamp,
    pub(super) wall: DateTime,
}

impl Limit {
    fn new(edge: Edge, date: Date, time_zone: &TimeZone, position: Option<Position>) -> Option<Self> {
        let (what, minutes) = match edge {
            Edge::Clock(time) => return Some(Self::Wall(date.to_datetime(time))),
            Edge::Sun(what, minutes) => (what, minutes),
        };
        match sun_moment(what, date, position?, time_zone)? {
            SunTime::At(at) => at.checked_add(SignedDuration::from_mins(minutes.into())).ok().map(Self::Sun),
            // So long after what does not happen is no time either; without it all-dark stays all, and all-light none.
            SunTime::Never(at) => Some(Self::Sun(at)),
        }
    }

    fn passed(self, now: Instant) -> bool {
        match self {
            Self::Wall(time) => now.wall >= time,
            Self::Sun(at) => now.at >= at,
        }
    }

    /// The moments at which it is passed, but for those at which the clock itself is changed.
    fn moments(self, time_zone: &TimeZone) -> [Option<Timestamp>; 2] {
        match self {
            Self::Wall(time) => {
                let ambiguous = time_zone.to_ambiguous_timestamp(time);
                [ambiguous.earlier().ok(), ambiguous.later().ok()]
            }
            Self::Sun(at) => [Some(at), None],
        }
    }
}

impl Stretch {
    /// `shift` where it begins on `date`. `None` at the ends of the calendar, and for the sun without a position.
    pub(super) fn new(
        shift: &Shift,
        date: Date,
        time_zone: &TimeZone,
        position: Option<Position>,
    ) -> Option<Self> {
        let last = if shift.overnight() { date.tomorrow().ok()? } else { date };
        let from = Limit::new(shift.from, date, time_zone, position)?;
        let to = Limit::new(shift.to, last, time_zone, position)?;
        Some(Self { from, to })
    }

    pub(super) fn in_force(&self, now: Instant) -> bool {
        self.from.passed(now) && !self.to.passed(now)
    }

    /// Whether it is nothing on its day, because the sun ends it before it begins.
    pub(super) fn is_empty(&self, time_zone: &TimeZone) -> bool {
        let moment = |limit: Limit| limit.moments(time_zone)[0];
        moment(self.from).zip(moment(self.to)).is_none_or(|(from, to)| to <= from)
    }

    /// The moments at which it may begin or end.
    pub(super) fn moments(&self, time_zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
        [self.from, self.to].into_iter().flat_map(|limit| limit.moments(time_zone)).flatten()
    }
}
