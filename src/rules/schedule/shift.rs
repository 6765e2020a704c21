//! Shifts, as the site file gives them: by the clock, by the sun and by the calendar.

use jiff::civil::{Date, Time, Weekday};
use strum::{IntoStaticStr, VariantArray};

/// The shifts of a schedule: a rule is live in a shift of `only`, and in none of `never`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shifts {
    /// The rule is live only then. Empty: at any time.
    pub only: Vec<Shift>,
    /// The rule is never live then; stronger than `only`.
    pub never: Vec<Shift>,
}

/// A time on some days. Days, dates and holidays are those on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Days of the week on which it begins.
    pub days: Vec<Weekday>,
    /// The moment at which it begins.
    pub from: Edge,
    /// The moment at which it is over.
    pub to: Edge,
    /// Only on these dates.
    pub dates: Option<Dates>,
    /// Only on the site's holidays, or only on other days.
    pub holidays: Option<OnHolidays>,
}

/// Where a shift begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// At a local time.
    Clock(Time),
    /// So many minutes after a time of the sun, or before it where negative.
    Sun(Sun, i16),
}

/// A time of the sun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Sun {
    /// Civil dawn: in the morning it is 6 degrees below the horizon.
    Dawn,
    /// Its upper edge rises above the horizon.
    Sunrise,
    /// Its upper edge sets below the horizon.
    Sunset,
    /// Civil dusk: in the evening it is 6 degrees below the horizon.
    Dusk,
}

/// Dates, the first and the last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    /// Month and day, every year. Where the first is later than the last, the period includes new year.
    EveryYear((i8, i8), (i8, i8)),
    /// Once.
    Once(Date, Date),
}

/// How a shift depends on holidays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnHolidays {
    /// It begins on holidays and on no other day.
    Only,
    /// It does not begin on holidays.
    Never,
}

impl Shift {
    /// Whether it ends on the day after the one on which it begins.
    ///
    /// With local times: when `to` is not later than `from`. With times of the sun: when it begins after noon and ends
    /// before noon. A shift with both ends in one half of the day stays within the day, and is empty on days on which the
    /// sun would end it before it begins.
    pub fn overnight(&self) -> bool {
        match (self.from, self.to) {
            (Edge::Clock(from), Edge::Clock(to)) => to <= from,
            (_, Edge::Clock(Time::MIN)) => true,
            (from, to) => {
                from.after_noon() && !to.after_noon() || to == Edge::Clock(NOON) && from.after_noon()
            }
        }
    }

    /// Whether it lasts from midnight to midnight.
    pub fn all_day(&self) -> bool {
        (self.from, self.to) == (Edge::Clock(Time::MIN), Edge::Clock(Time::MIN))
    }

    /// Whether it depends on the sun.
    pub fn depends_on_sun(&self) -> bool {
        matches!(self.from, Edge::Sun(..)) || matches!(self.to, Edge::Sun(..))
    }
}

const NOON: Time = Time::constant(12, 0, 0, 0);

impl Edge {
    fn after_noon(self) -> bool {
        match self {
            Self::Clock(time) => time >= NOON,
            Self::Sun(sun, _) => matches!(sun, Sun::Sunset | Sun::Dusk),
        }
    }
}

impl Sun {
    /// As written in the site file.
    pub fn word(self) -> &'static str {
        self.into()
    }
}

impl Dates {
    /// Whether `date` is among them.
    pub fn contain(&self, date: Date) -> bool {
        match *self {
            Self::Once(first, last) => (first..=last).contains(&date),
            Self::EveryYear(first, last) => {
                // In years without 29 February, a period from that day begins on 1 March, and one up to it ends on the 28th.
                let today = (date.month(), date.day());
                if first <= last { first <= today && today <= last } else { today >= first || today <= last }
            }
        }
    }
}
