//! The status of a schedule in words.

use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::schedule::Schedule;
use super::shift::{Dates, OnHolidays, Shift};
use super::status::{NotLiveReason, ScheduleStatus};

impl Schedule {
    /// The status at `at`: "live since 21:30, until Mon 05:30", "outside its hours; live again 21:30".
    pub fn status_text(&self, at: Timestamp) -> String {
        let when = |moment: Timestamp| when(moment, at, self.time_zone());
        match self.status(at) {
            ScheduleStatus::Live { since: None, until: None } => "always live".to_owned(),
            ScheduleStatus::Live { since: Some(since), until: None } => format!("live since {}", when(since)),
            ScheduleStatus::Live { since: None, until: Some(until) } => format!("live until {}", when(until)),
            ScheduleStatus::Live { since: Some(since), until: Some(until) } => {
                format!("live since {}, until {}", when(since), when(until))
            }
            ScheduleStatus::NotLive { why, next } => match next {
                Some(next) => format!("{}; live again {}", self.not_live_text(why, at), when(next)),
                None => format!("{}; not live again within five years", self.not_live_text(why, at)),
            },
        }
    }

    fn not_live_text(&self, why: NotLiveReason, at: Timestamp) -> String {
        let today = self.time_zone().to_datetime(at).date();
        let holiday = match self.holidays().name(today) {
            None | Some("") => String::new(),
            Some(name) => format!(" ({name})"),
        };
        match why {
            NotLiveReason::Never(index) => {
                let shift = self.never().get(index);
                let words = shift.map(Shift::to_string).unwrap_or_default();
                let words = words.strip_prefix("every day ").unwrap_or(&words);
                let named = shift.is_some_and(|shift| shift.holidays == Some(OnHolidays::Only));
                format!("never {words}{}", if named { &holiday } else { "" })
            }
            NotLiveReason::Hours => "outside its hours".to_owned(),
            NotLiveReason::Sun => "the sun leaves no time for the shift today".to_owned(),
            NotLiveReason::Holiday => format!("today is a holiday{holiday}"),
            NotLiveReason::NoHoliday => "today is not a holiday".to_owned(),
            NotLiveReason::Weekday => format!("not on {}s", today.strftime("%A")),
            NotLiveReason::Dates => {
                match self.only().iter().all(|s| matches!(s.dates, Some(Dates::EveryYear(..)))) {
                    true => "out of season".to_owned(),
                    false => "not on this date".to_owned(),
                }
            }
        }
    }
}

/// A moment in words at `now`: the time alone on the same day, with the day of the week within six days, else with the
/// date. A time that occurs twice, because clocks are set back, says which one it is.
pub fn when(moment: Timestamp, now: Timestamp, time_zone: &TimeZone) -> String {
    let (then, today) = (time_zone.to_datetime(moment), time_zone.to_datetime(now).date());
    let far = moment.duration_since(now).abs() >= SignedDuration::from_hours(6 * 24);
    let form = match () {
        () if then.date() == today => "%H:%M",
        () if !far => "%a %H:%M",
        () if then.year() == today.year() => "%a %-d %b %H:%M",
        () => "%a %-d %b %Y %H:%M",
    };
    let text = then.strftime(form).to_string();
    match time_zone.to_ambiguous_timestamp(then).offset() {
        AmbiguousOffset::Fold { before, .. } => {
            let time = if time_zone.to_offset(moment) == before { "first" } else { "second" };
            format!("{text} the {time} time")
        }
        _ => text,
    }
}
