//! Shifts in words.

use std::fmt::{self, Display, Formatter};

use jiff::civil::{Date, Time, Weekday};

use super::shift::{Dates, Edge, OnHolidays, Shift, Shifts};
use crate::rules::words::{format_time, format_weekday};

impl Display for Shifts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let only: Vec<_> = self.only.iter().map(Shift::to_string).collect();
        f.write_str(if only.is_empty() { "at any time" } else { "" })?;
        f.write_str(&only.join("; "))?;
        let never: Vec<_> = self.never.iter().map(Shift::to_string).collect();
        // "never every day" would have another meaning.
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
        let any_weekday = self.dates.is_some() || self.holidays == Some(OnHolidays::Only);
        match days.as_slice() {
            all if all.len() == 7 && any_weekday => {}
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
            // A leap year, which has every date.
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
    use super::super::shift::Sun;
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
    fn schedules_in_words() {
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
        assert_eq!(Shifts::default().to_string(), "at any time");
        let lunch = Shift { from: at(12, 0), to: at(13, 0), ..shift() };
        let noisy = Shifts { only: Vec::new(), never: vec![lunch] };
        assert_eq!(noisy.to_string(), "at any time, but never 12:00 to 13:00");
        let whole = Shifts { only: vec![night, weekend], never: vec![holidays, once] };
        assert_eq!(
            whole.to_string(),
            "every day 21:30 to 05:30 the next day; sat, sun, but never on holidays or 24 Dec 2026"
        );
    }

    #[test]
    fn sun_shifts_run_over_midnight_from_evening_to_morning() {
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
    fn periods_over_new_year_and_from_a_leap_day() {
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
