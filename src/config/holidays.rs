//! The site's list of holidays: a text file, one date a line, with a name if wanted.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::files;
use super::reader::{ValueReader, short};

/// More mistakes in one list are not worth telling one by one.
const TOLD: usize = 10;

/// Days and what they are called, from the first to the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    days: BTreeMap<Date, String>,
}

impl Holidays {
    /// What `date` is called, where it is a holiday: possibly nothing.
    pub fn name(&self, date: Date) -> Option<&str> {
        self.days.get(&date).map(String::as_str)
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = (Date, &str)> {
        self.days.iter().map(|(date, name)| (*date, name.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// The last one: what is later is no holiday, for all the list knows.
    pub fn last(&self) -> Option<Date> {
        self.days.keys().next_back().copied()
    }
}

impl FromIterator<(Date, String)> for Holidays {
    fn from_iter<T: IntoIterator<Item = (Date, String)>>(days: T) -> Self {
        Self { days: days.into_iter().collect() }
    }
}

/// Reads the list that `[site] holidays` names; every line that is none is noted.
pub(super) fn read(item: &ValueReader<'_>) -> Option<Holidays> {
    const HELP: &str = "a date a line, with a name if wanted: 2026-12-25 Christmas Day";
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
        // An editor on another system may have left a mark before the first line.
        let line = line.trim_start_matches('\u{feff}').split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let place = format!("{}:{}", path.display(), index + 1);
        let (date, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let Some(day) = date.parse::<Date>().ok().filter(|_| date.len() == 10) else {
            mistakes += 1;
            if mistakes <= TOLD {
                item.error(format!("{place}: \"{}\" is not a date", short(date)), HELP);
            }
            continue;
        };
        if days.insert(day, name.trim().to_owned()).is_some() {
            item.warning(format!("{place}: {day} is named twice"), "once is enough; the later name counts");
        }
    }
    if mistakes > TOLD {
        let more = mistakes - TOLD;
        item.error(format!("{}: and {more} more lines that begin with no date", path.display()), HELP);
    }
    if mistakes == 0 && days.is_empty() {
        item.warning(format!("{} holds no date", path.display()), HELP);
    }
    (mistakes == 0).then_some(Holidays { days })
}
