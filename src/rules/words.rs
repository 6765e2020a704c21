//! Durations, times of day and days of the week as they are written in a site file.

use std::time::Duration;

use jiff::civil::{Time, Weekday};

/// Units of durations and their lengths in milliseconds, the shortest first.
pub const DURATION_UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("y", 365 * 86_400_000)];

/// Days of the week, from Monday.
pub const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// A duration: "90d", "500ms".
pub fn format_duration(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (unit, length) = DURATION_UNITS
        .iter()
        .rev()
        .find(|(_, length)| ms >= *length && ms % length == 0)
        .unwrap_or(&DURATION_UNITS[1]);
    format!("{}{unit}", ms / length)
}

/// A time of day: "21:30".
pub fn format_time(time: Time) -> String {
    match time.second() {
        0 => format!("{:02}:{:02}", time.hour(), time.minute()),
        second => format!("{:02}:{:02}:{second:02}", time.hour(), time.minute()),
    }
}

/// A day of the week: "mon".
pub fn format_weekday(weekday: Weekday) -> &'static str {
    WEEKDAYS[usize::from(weekday.to_monday_zero_offset().unsigned_abs()) % 7].0
}
