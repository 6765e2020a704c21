//! The list of holidays: a text file with a date a line, and optionally a name.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::files;
use super::reader::{ValueReader, short};
use crate::rules::Holidays;

/// Mistakes of one list that are reported one by one.
const MOST_ERRORS: usize = 10;

/// Reads the list that `[site] holidays` names; every wrong line is an error.
pub(super) fn read(item: &ValueReader<'_>) -> Option<Holidays> {
    const HELP: &str = "a date a line, with an optional name: 2026-12-25 Christmas Day";
    let path = files::existing(item, "a text file with a date a line, such as 2026-12-25 Christmas Day")?;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) => {
            item.error(format!("cannot read {}: {cause}", path.display()), HELP);
            return None;
        }
    };
    let (mut days, mut mistakes) = (BTreeMap::new(), 0);
    for (index, line) in text.lines().enumerate() {
        // Some editors write a byte order mark before the first line.
        let line = line.trim_start_matches('\u{feff}').split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let place = format!("{}:{}", path.display(), index + 1);
        let (date, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let Some(day) = date.parse::<Date>().ok().filter(|_| date.len() == 10) else {
            mistakes += 1;
            if mistakes <= MOST_ERRORS {
                item.error(format!("{place}: \"{}\" is not a date", short(date)), HELP);
            }
            continue;
        };
        if days.insert(day, name.trim().to_owned()).is_some() {
            item.warning(
                format!("{place}: {day} is in the list twice"),
                "remove one; the later name is used",
            );
        }
    }
    if mistakes > MOST_ERRORS {
        let more = mistakes - MOST_ERRORS;
        item.error(format!("{}: and {more} more lines that do not begin with a date", path.display()), HELP);
    }
    if mistakes == 0 && days.is_empty() {
        item.warning(format!("{} has no date", path.display()), HELP);
    }
    (mistakes == 0).then_some(days.into_iter().collect())
}
