//! When a rule is live, as harbours say it: shifts by the clock, by the sun and by the calendar; and their words.

use std::fmt::{self, Display, Formatter};

use jiff::civil::{Date, Time, Weekday};

use super::units::{format_time, format_weekday};

/// When a rule is live: in a shift of `only`, and in none of `never`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// "Only when". Empty: at any time.
    pub only: Vec<Shift>,
    /// "Never when": wins over `only`.
    pub never: Vec<Shift>,
}

/// A stretch of time on some days. Days, dates and holidays speak of the day on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Days of the week on which it begins.
    pub days: Vec<Weekday>,
    /// First moment.
    pub from: Edge,
    /// First moment after.
    pub to: Edge,
    /// Only on these dates.
    pub dates: Option<Dates>,
    /// Only on the site's holidays, or only on other days.
    pub holidays: Option<OnHolidays>,
}

/// Where a shift begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// By the clock on the wall.
    Clock(Time),
    /// By the sun, so many minutes later (or earlier, where negative).
    Sun(Sun, i16),
}

/// What the sun does twice a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sun {
    /// Civil dawn: it comes within 6 degrees of the horizon, and outlines can be told apart.
    Dawn,
    /// Its upper edge comes up.
    Sunrise,
    /// Its upper edge goes down.
    Sunset,
    /// Civil dusk: it is 6 degrees below the horizon.
    Dusk,
}

/// Days of the calendar, the first and the last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    /// Month and day, every year; the first later than the last runs over new year.
    EveryYear((i8, i8), (i8, i8)),
    /// In one year or several, once.
    Once(Date, Date),
}

/// What a shift has to do with holidays.
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
    /// By the clock alone: when `to` is not later than `from`. With the sun: when it begins in the half of the day
    /// after noon and ends in the half before it; a shift that stays in one half stays in one day, and is none on days
    /// on which the sun would end it before it begins.
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

    /// Whether the sun's times are needed.
    pub fn by_the_sun(&self) -> bool {
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
        match self {
            Self::Dawn => "dawn",
            Self::Sunrise => "sunrise",
            Self::Sunset => "sunset",
            Self::Dusk => "dusk",
        }
    }
}

impl Dates {
    /// Whether `date` is one of them.
    pub fn contain(&self, date: Date) -> bool {
        match *self {
            Self::Once(first, last) => (first..=last).contains(&date),
            Self::EveryYear(first, last) => {
                // Without 29 February a season from it begins in March, and one up to it ends on the 28th.
                let today = (date.month(), date.day());
                if first <= last { first <= today && today <= last } else { today >= first || today <= last }
            }
        }
    }
}

impl Display for Schedule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let only: Vec<_> = self.only.iter().map(Shift::to_string).collect();
        f.write_str(if only.is_empty() { "at any time" } else { "" })?;
        f.write_str(&only.join("; "))?;
        let never: Vec<_> = self.never.iter().map(Shift::to_string).collect();
        // "Never every day" would say something else.
        let never: Vec<_> =
            never.iter().map(|words| words.strip_prefix("every day ").unwrap_or(words)).collect();
        if never.is_empty() { Ok(()) } else { write!(f, ", but never {}", never.join(" or ")) }
    }
}

impl Display for Shift {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let week: Vec<_> = Weekday::Monday.cycle_forward().take(7).collect();
        let days: Vec<_> =
            week.into_iter().filter(|day| self.days.contains(day)).map(format_weekday).collect();
        let anyhow = self.dates.is_some() || self.holidays == Some(OnHolidays::Only);
        match days.as_slice() {
            all if all.len() == 7 && anyhow => {}
            all if all.len() == 7 => parts.push("every day".to_owned()),
            ["mon", "tue", "wed", "thu", "fri"] => parts.push("mon to fri".to_owned()),
            some => parts.push(some.join(", ")),
        }
        match self.holidays {
            Some(OnHolidays::Only) if parts.is_empty() => parts.push("on holidays".to_owned()),
            Some(OnHolidays::Only) => parts.push("that are holidays".to_owned()),
            Some(OnHolidays::Never) => parts.push("except holidays".to_owned()),
            None => {}
        }
        if let Some(dates) = self.dates {
            let hours = if self.all_day() { "" } else { "," };
            parts.push(format!("{dates}{hours}"));
        }
        if !self.all_day() {
            let next =
                if self.overnight() && self.to != Edge::Clock(Time::MIN) { " the next day" } else { "" };
            let to =
                if self.to == Edge::Clock(Time::MIN) { "midnight".to_owned() } else { self.to.to_string() };
            parts.push(format!("{} to {to}{next}", self.from));
        }
        f.write_str(&parts.join(" "))
    }
}

impl Display for Edge {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (sun, minutes) = match *self {
            Self::Clock(time) => return f.write_str(&format_time(time)),
            Self::Sun(sun, minutes) => (sun.word(), minutes),
        };
        if minutes == 0 {
            return f.write_str(sun);
        }
        match (minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60) {
            (0, rest) => write!(f, "{rest} min")?,
            (hours, 0) => write!(f, "{hours} h")?,
            (hours, rest) => write!(f, "{hours} h {rest} min")?,
        }
        write!(f, " {} {sun}", if minutes > 0 { "after" } else { "before" })
    }
}

impl Display for Dates {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let yearly = |(month, day): (i8, i8)| {
            // A leap year, so that every day has a name.
            Date::new(2024, month, day).map(|date| date.strftime("%-d %b").to_string()).unwrap_or_default()
        };
        let once = |date: Date| date.strftime("%-d %b %Y").to_string();
        let (first, last) = match *self {
            Self::EveryYear(first, last) => (yearly(first), yearly(last)),
            Self::Once(first, last) => (once(first), once(last)),
        };
        if first == last { f.write_str(&first) } else { write!(f, "{first} to {last}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shift() -> Shift {
        let days = Weekday::Monday.cycle_forward().take(7).collect();
        let midnight = Edge::Clock(Time::MIN);
        Shift { days, from: midnight, to: midnight, dates: None, holidays: None }
    }

    fn at(hour: i8, minute: i8) -> Edge {
        Edge::Clock(Time::constant(hour, minute, 0, 0))
    }

    #[test]
    fn a_schedule_reads_as_staff_would_say_it() {
        let night = Shift { from: at(21, 30), to: at(5, 30), ..shift() };
        let dark = Shift { from: Edge::Sun(Sun::Sunset, 30), to: Edge::Sun(Sun::Sunrise, -90), ..shift() };
        let weekend = Shift { days: vec![Weekday::Saturday, Weekday::Sunday], ..shift() };
        let summer = Shift { dates: Some(Dates::EveryYear((4, 1), (9, 30))), ..night.clone() };
        let holidays = Shift { holidays: Some(OnHolidays::Only), ..shift() };
        let works = Shift {
            days: weekend.days.iter().map(|day| day.wrapping_add(2)).collect(),
            holidays: Some(OnHolidays::Never),
            from: at(7, 0),
            to: Edge::Clock(Time::MIN),
            ..shift()
        };
        let date = Date::constant(2026, 12, 24);
        let once = Shift { dates: Some(Dates::Once(date, date)), ..shift() };
        for (shift, words) in [
            (&night, "every day 21:30 to 05:30 the next day"),
            (&dark, "every day 30 min after sunset to 1 h 30 min before sunrise the next day"),
            (&weekend, "sat, sun"),
            (&summer, "1 Apr to 30 Sep, 21:30 to 05:30 the next day"),
            (&holidays, "on holidays"),
            (&works, "mon, tue except holidays 07:00 to midnight"),
            (&once, "24 Dec 2026"),
        ] {
            assert_eq!(shift.to_string(), words);
        }
        assert_eq!(Schedule::default().to_string(), "at any time");
        let lunch = Shift { from: at(12, 0), to: at(13, 0), ..shift() };
        let noisy = Schedule { only: Vec::new(), never: vec![lunch] };
        assert_eq!(noisy.to_string(), "at any time, but never 12:00 to 13:00");
        let whole = Schedule { only: vec![night, weekend], never: vec![holidays, once] };
        assert_eq!(
            whole.to_string(),
            "every day 21:30 to 05:30 the next day; sat, sun, but never on holidays or 24 Dec 2026"
        );
    }

    #[test]
    fn a_shift_with_the_sun_runs_over_midnight_only_from_evening_to_morning() {
        let sun = |sun| Edge::Sun(sun, 0);
        for (from, to, overnight) in [
            (sun(Sun::Sunset), sun(Sun::Sunrise), true),
            (sun(Sun::Sunrise), sun(Sun::Sunset), false),
            (sun(Sun::Sunset), sun(Sun::Dusk), false),
            (sun(Sun::Sunset), at(23, 0), false),
            (sun(Sun::Sunset), at(5, 30), true),
            (sun(Sun::Sunset), at(12, 0), true),
            (sun(Sun::Sunrise), at(12, 0), false),
            (sun(Sun::Sunrise), at(0, 0), true),
            (at(20, 0), sun(Sun::Sunset), false),
            (at(22, 0), sun(Sun::Dawn), true),
            (at(3, 0), sun(Sun::Dawn), false),
        ] {
            assert_eq!(Shift { from, to, ..shift() }.overnight(), overnight, "{from} to {to}");
        }
    }

    #[test]
    fn a_season_over_new_year_and_one_from_a_leap_day_know_their_days() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let winter = Dates::EveryYear((11, 1), (2, 29));
        for (day, inside) in [
            ("2026-10-31", false),
            ("2026-11-01", true),
            ("2027-01-01", true),
            ("2027-02-28", true),
            ("2027-03-01", false),
            ("2028-02-29", true),
        ] {
            assert_eq!(winter.contain(date(day)), inside, "{day}");
        }
        let leap = Dates::EveryYear((2, 29), (2, 29));
        assert!(leap.contain(date("2028-02-29")));
        assert!(!leap.contain(date("2027-02-28")) && !leap.contain(date("2027-03-01")));
    }
}
