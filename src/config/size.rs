//! Sizes on disk, with a unit.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::reader::{ValueReader, short};

/// Unit and its length in bytes, the shortest first.
const UNITS: [(&str, u64); 3] = [("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)];

const HELP: &str = "a number and a unit in quotes: \"500 MB\", \"20 GB\" or \"1.5 TB\"";

/// A size as it would be written in a site file, to a tenth of its unit.
pub fn format_size(bytes: u64) -> String {
    let (unit, length) = UNITS.iter().rev().find(|(_, length)| bytes >= *length).unwrap_or(&UNITS[0]);
    let tenths = bytes / (length / 10);
    match tenths % 10 {
        0 => format!("{} {unit}", tenths / 10),
        tenth => format!("{}.{tenth} {unit}", tenths / 10),
    }
}

/// A size of a number and a unit, with or without a space between.
fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(digits);
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit.strip_prefix(' ').unwrap_or(unit))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 3 || fraction.contains('.') {
        return None;
    }
    let thousandths = whole.parse::<u64>().ok()?.checked_mul(1000)?
        + fraction.parse::<u64>().ok()? * 10u64.pow(3 - fraction.len() as u32);
    thousandths.checked_mul(length / 1000)
}

/// A suggestion for a size that cannot be read.
fn size_help(text: &str) -> String {
    let lower = short(text.trim()).to_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let meant = match unit.trim() {
        _ if number.is_empty() => None,
        "m" | "mb" | "mib" | "megabyte" | "megabytes" => Some("MB"),
        "" | "g" | "gb" | "gib" | "gigabyte" | "gigabytes" => Some("GB"),
        "t" | "tb" | "tib" | "terabyte" | "terabytes" => Some("TB"),
        _ => None,
    };
    match meant {
        Some(unit) => format!("did you mean \"{number} {unit}\"? {HELP}"),
        None => HELP.to_owned(),
    }
}

impl ValueReader<'_> {
    /// A size on disk in bytes, in `range`.
    pub(super) fn size(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let text = match self.value {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(_) | DeValue::Float(_) => {
                let number = self.any_number()?;
                self.error(format!("{number} has no unit"), size_help(&number.to_string()));
                return None;
            }
            _ => {
                self.mistyped("a size", HELP);
                return None;
            }
        };
        let Some(bytes) = size(text) else {
            let unitless = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let what = if unitless { "has no unit" } else { "is not a size" };
            self.error(format!("\"{}\" {what}", short(text)), size_help(text));
            return None;
        };
        if !range.contains(&bytes) {
            self.error(
                format!("{text} is out of range"),
                format!("from {} to {}", format_size(*range.start()), format_size(*range.end())),
            );
            return None;
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_need_a_number_and_one_known_unit() {
        for (text, bytes) in [
            ("20 GB", 20_000_000_000),
            ("20GB", 20_000_000_000),
            ("1.5 TB", 1_500_000_000_000),
            ("500 MB", 500_000_000),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in [
            "",
            "20",
            "GB",
            "-5 GB",
            "20  GB",
            "20 gb",
            "20 G",
            ".5 GB",
            "5. GB",
            "1.2.3 GB",
            "99999999999999 TB",
        ] {
            assert_eq!(size(text), None, "{text}");
        }
        assert_eq!(format_size(21_449_000_000), "21.4 GB");
    }

    proptest! {
        #[test]
        fn a_size_reads_back_as_it_is_written(tenths in 10..9_999u64, unit in 0..3usize) {
            let bytes = tenths * UNITS[unit].1 / 10;
            prop_assert_eq!(size(&format_size(bytes)), Some(bytes));
        }

        #[test]
        fn no_text_makes_sizes_panic(text in "\\PC{0,12}|[0-9.]{0,24} ?[A-Z]{0,3}") {
            let _ = (size(&text), size_help(&text));
        }
    }
}
