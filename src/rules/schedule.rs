//! When a rule is live.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::Shift;

/// Shifts read in a time zone. No shifts: always.
#[derive(Clone, Debug)]
pub struct Schedule {
    shifts: Vec<Shift>,
    time_zone: TimeZone,
}

/// Why a rule is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// It has no schedule.
    Always,
    /// A shift is in force.
    Since(Timestamp),
}

impl Schedule {
    /// A schedule of `shifts`, their days and times read in `time_zone`.
    pub fn new(shifts: Vec<Shift>, time_zone: TimeZone) -> Self {
        Self { shifts, time_zone }
    }

    /// The schedule in words: "every day 21:30 to 05:30 the next day"; "always".
    pub fn words(&self) -> String {
        if self.shifts.is_empty() { "always".to_owned() } else { format!("{} shifts", self.shifts.len()) }
    }

    /// Whether the rule is live at `at`, and since when. Where shifts overlap, the one that began first tells.
    ///
    /// A shift is a stretch of the local clock, so on the nights of a clock change it is an hour shorter or longer,
    /// and a local time that comes twice is in force both times.
    pub fn live(&self, at: Timestamp) -> Option<Live> {
        if self.shifts.is_empty() {
            return Some(Live::Always);
        }
        let local = at.to_zoned_datetime(self.time_zone.clone());
        let (today, time) = (local.date(), local.time());
        let begun = |shift: &Shift| {
            let past_midnight = shift.from >= shift.to;
            let began_today = time >= shift.from && (past_midnight || time < shift.to);
            if began_today && shift.days.contains(&today.weekday()) {
                return Some(today.to_datetime(shift.from));
            }
            let yesterday = today.yesterday().ok()?;
            let began_yesterday = past_midnight && time < shift.to;
            (began_yesterday && shift.days.contains(&yesterday.weekday()))
                .then(|| yesterday.to_datetime(shift.from))
        };
        let first = self.shifts.iter().filter_map(begun).min()?;
        // A beginning that the clock skipped (02:30 on the spring night) is moved past the gap.
        let since = first.to_zoned_datetime(self.time_zone.clone()).map_or(at, |zoned| zoned.timestamp());
        Some(Live::Since(since.min(at)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, time};

    use super::*;

    const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    fn schedule(days: &[Weekday], from: (i8, i8), to: (i8, i8)) -> Schedule {
        let shift =
            Shift { days: days.to_vec(), from: time(from.0, from.1, 0, 0), to: time(to.0, to.1, 0, 0) };
        Schedule::new(vec![shift], TimeZone::get("Europe/Amsterdam").unwrap())
    }

    fn live(schedule: &Schedule, local: &str) -> bool {
        let zoned: jiff::ZonedDateTime = format!("{local}[Europe/Amsterdam]").parse().unwrap();
        schedule.live(zoned.timestamp()).is_some()
    }

    #[test]
    fn a_night_shift_runs_past_midnight_and_ends_on_time() {
        let night = schedule(&ALL, (21, 30), (5, 30));
        for (at, want) in [
            ("2026-06-01T21:29:59", false),
            ("2026-06-01T21:30:00", true),
            ("2026-06-02T00:00:00", true),
            ("2026-06-02T05:29:59", true),
            ("2026-06-02T05:30:00", false),
        ] {
            assert_eq!(live(&night, at), want, "{at}");
        }
    }

    #[test]
    fn days_name_the_evening_on_which_a_shift_begins() {
        let friday = schedule(&[Weekday::Friday], (22, 0), (6, 0));
        assert!(live(&friday, "2026-06-05T23:00:00"), "Friday evening");
        assert!(live(&friday, "2026-06-06T05:00:00"), "the Saturday morning that follows");
        assert!(!live(&friday, "2026-06-05T05:00:00"), "Friday morning belongs to Thursday");
        assert!(!live(&friday, "2026-06-06T23:00:00"), "Saturday evening");
    }

    #[test]
    fn the_hour_that_comes_twice_is_in_force_twice() {
        let early = schedule(&ALL, (2, 15), (2, 45));
        for utc in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
            assert!(early.live(utc.parse().unwrap()).is_some(), "{utc} is 02:30 in Amsterdam");
        }
        assert!(early.live("2026-10-25T01:00:00Z".parse().unwrap()).is_none(), "02:00 the second time");
    }

    #[test]
    fn the_hour_that_never_comes_neither_panics_nor_counts() {
        let skipped = schedule(&ALL, (2, 15), (2, 45));
        for minute in 0..180 {
            let at: Timestamp = "2026-03-29T00:00:00Z".parse().unwrap();
            assert!(skipped.live(at + jiff::SignedDuration::from_mins(minute)).is_none());
        }
        let over_the_gap = schedule(&ALL, (2, 30), (4, 0));
        let at = "2026-03-29T01:10:00Z".parse().unwrap(); // 03:10 local, ten minutes after the clock jumped
        let Some(Live::Since(since)) = over_the_gap.live(at) else { panic!("in force after the gap") };
        assert!(since <= at);
    }

    #[test]
    fn time_since_the_curfew_is_counted_from_the_evening_before() {
        let night = schedule(&ALL, (21, 30), (5, 30));
        let at: Timestamp = "2026-06-01T22:30:00Z".parse().unwrap(); // 00:30 local
        let Some(Live::Since(since)) = night.live(at) else { panic!("in force") };
        assert_eq!(at.duration_since(since), jiff::SignedDuration::from_hours(3));
    }
}
