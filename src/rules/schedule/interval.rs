//! The interval of a shift on one day.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::shift::{Edge, Shift};
use super::sun::{GeoPosition, SunTime, sun_time};

/// A shift that begins on one day. It is empty where its end is before its beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShiftInterval {
    from: Limit,
    to: Limit,
}

/// One of the two limits of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    /// A local time: passed when the clock shows this time or a later one.
    Wall(DateTime),
    /// A time of the sun.
    Sun(Timestamp),
}

/// A moment, and its local time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant {
    pub(super) at: Timestamp,
    pub(super) wall: DateTime,
}

impl Limit {
    fn new(edge: Edge, date: Date, time_zone: &TimeZone, position: Option<GeoPosition>) -> Option<Self> {
        let (what, minutes) = match edge {
            Edge::Clock(time) => return Some(Self::Wall(date.to_datetime(time))),
            Edge::Sun(what, minutes) => (what, minutes),
        };
        match sun_time(what, date, position?, time_zone)? {
            SunTime::At(at) => at.checked_add(SignedDuration::from_mins(minutes.into())).ok().map(Self::Sun),
            // An offset from an event that does not happen has no meaning.
            SunTime::Never(at) => Some(Self::Sun(at)),
        }
    }

    fn passed(self, now: Instant) -> bool {
        match self {
            Self::Wall(time) => now.wall >= time,
            Self::Sun(at) => now.at >= at,
        }
    }

    /// The moments at which it is passed, apart from changes of the clock.
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

impl ShiftInterval {
    /// `shift` where it begins on `date`; `None` at the ends of the calendar, and for times of the sun without a position.
    pub(super) fn new(
        shift: &Shift,
        date: Date,
        time_zone: &TimeZone,
        position: Option<GeoPosition>,
    ) -> Option<Self> {
        let last = if shift.overnight() { date.tomorrow().ok()? } else { date };
        let from = Limit::new(shift.from, date, time_zone, position)?;
        let to = Limit::new(shift.to, last, time_zone, position)?;
        Some(Self { from, to })
    }

    pub(super) fn in_force(&self, now: Instant) -> bool {
        self.from.passed(now) && !self.to.passed(now)
    }

    /// Whether it is empty on its day, because the sun ends it before it begins.
    pub(super) fn is_empty(&self, time_zone: &TimeZone) -> bool {
        let moment = |limit: Limit| limit.moments(time_zone)[0];
        moment(self.from).zip(moment(self.to)).is_none_or(|(from, to)| to <= from)
    }

    /// The moments at which it may begin or end.
    pub(super) fn moments(&self, time_zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
        [self.from, self.to].into_iter().flat_map(|limit| limit.moments(time_zone)).flatten()
    }
}
