//! Durations with a unit, times of day and days of the week.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use toml::de::DeValue;

use super::reader::{ValueReader, short};
use crate::rules::{DURATION_UNITS, WEEKDAYS, format_duration, format_time};

const UNIT_HELP: &str =
    "a number and a unit in quotes: \"500ms\", \"20s\", \"5m\", \"2h\", \"90d\" or \"2y\"";

/// A duration of a number and a unit.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(digits);
    let (_, length) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 3 || fraction.contains('.') {
        return None;
    }
    let thousandths = whole.parse::<u64>().ok()?.checked_mul(1000)?
        + fraction.parse::<u64>().ok()? * 10u64.pow(3 - fraction.len() as u32);
    Some(Duration::from_millis(thousandths.checked_mul(*length)? / 1000))
}

/// A suggestion for a duration that cannot be read.
fn duration_help(text: &str) -> String {
    let lower = short(text.trim()).to_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let meant = match unit.trim() {
        _ if number.is_empty() => None,
        "sec" | "secs" | "second" | "seconds" => Some("s"),
        "min" | "mins" | "minute" | "minutes" => Some("m"),
        "hr" | "hrs" | "hour" | "hours" | "u" | "uur" => Some("h"),
        "day" | "days" | "dag" | "dagen" => Some("d"),
        "yr" | "year" | "years" | "jaar" => Some("y"),
        known => DURATION_UNITS.iter().find(|(name, _)| *name == known).map(|(name, _)| *name),
    };
    match meant {
        Some(unit) => format!("did you mean \"{number}{unit}\"? {UNIT_HELP}"),
        None => UNIT_HELP.to_owned(),
    }
}

/// Suggestions within `range` for a number without a unit.
fn with_unit(number: &str, range: &RangeInclusive<Duration>) -> String {
    let meant: Vec<String> = DURATION_UNITS[1..]
        .iter()
        .map(|(unit, _)| format!("{number}{unit}"))
        .filter(|text| duration(text).is_some_and(|value| range.contains(&value)))
        .take(3)
        .map(|text| format!("\"{text}\""))
        .collect();
    if meant.is_empty() {
        UNIT_HELP.to_owned()
    } else {
        format!("did you mean {}? {UNIT_HELP}", meant.join(" or "))
    }
}

impl ValueReader<'_> {
    /// A duration in `range`.
    pub(super) fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let text = match self.value {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(_) | DeValue::Float(_) => {
                let number = self.any_number()?;
                self.error(format!("{number} has no unit"), with_unit(&number.to_string(), &range));
                return None;
            }
            _ => {
                self.mistyped("a duration", UNIT_HELP);
                return None;
            }
        };
        let Some(value) = duration(text) else {
            let unitless = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let (what, help) = match unitless {
                true => ("has no unit", with_unit(text, &range)),
                false => ("is not a duration", duration_help(text)),
            };
            self.error(format!("\"{}\" {what}", short(text)), help);
            return None;
        };
        if !range.contains(&value) {
            self.error(
                format!("{text} is out of range"),
                format!("from {} to {}", format_duration(*range.start()), format_duration(*range.end())),
            );
            return None;
        }
        Some(value)
    }

    /// A date.
    pub(super) fn date(&self) -> Option<jiff::civil::Date> {
        const HELP: &str = "year, month and day in quotes: \"2027-06-01\"";
        if let DeValue::Datetime(unquoted) = self.value {
            self.error(format!("{unquoted} has no quotes"), HELP);
            return None;
        }
        let text = self.text()?;
        let date = text.parse().ok();
        if date.is_none() {
            self.error(format!("\"{}\" is not a date", short(text)), HELP);
        }
        date
    }

    /// A time of day.
    pub(super) fn time_of_day(&self) -> Option<Time> {
        const HELP: &str = "hours and minutes in quotes: \"21:30\"";
        if let DeValue::Datetime(unquoted) = self.value {
            self.error(format!("{unquoted} has no quotes"), HELP);
            return None;
        }
        let DeValue::String(text) = self.value else {
            self.mistyped("a time of day", HELP);
            return None;
        };
        let bytes = text.as_bytes();
        let shaped = bytes.len() == 5 && bytes[2] == b':';
        if let Some(time) = shaped.then(|| text.parse::<Time>().ok()).flatten() {
            return Some(time);
        }
        let help = match text.as_ref() {
            "24:00" => "midnight is \"00:00\"; a shift that ends there runs to the end of its day".to_owned(),
            _ => match format!("{text:0>5}").parse::<Time>() {
                Ok(time) if text.len() == 4 => format!("did you mean \"{}\"?", format_time(time)),
                _ => HELP.to_owned(),
            },
        };
        self.error(format!("\"{}\" is not a time of day", short(text)), help);
        None
    }

    /// A day of the week.
    pub(super) fn weekday(&self) -> Option<Weekday> {
        self.choice(&WEEKDAYS)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_need_a_number_and_one_known_unit() {
        for (text, ms) in [
            ("500ms", 500),
            ("20s", 20_000),
            ("0s", 0),
            ("1.5h", 5_400_000),
            ("90d", 7_776_000_000),
            ("2y", 63_072_000_000),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
        let none = [
            "",
            "20",
            "s",
            "-5s",
            "5 s",
            "5S",
            "5min",
            ".5s",
            "5.s",
            "1.2.3s",
            "1h30m",
            "99999999999999999999y",
        ];
        for text in none {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_duration_reads_back_as_it_is_written(ms in 0..4_000_000_000_000u64) {
            let value = Duration::from_millis(ms);
            prop_assert_eq!(duration(&format_duration(value)), Some(value));
        }

        #[test]
        fn no_text_makes_durations_panic(text in "\\PC{0,12}|[0-9.]{0,24}[a-z]{0,3}") {
            let _ = (duration(&text), duration_help(&text));
        }
    }
}
