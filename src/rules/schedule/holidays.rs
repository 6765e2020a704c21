//! Holidays, on which a schedule can depend.

use std::collections::BTreeMap;

use jiff::civil::Date;

/// Dates and their names, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    days: BTreeMap<Date, String>,
}

impl Holidays {
    /// The name of `date` if it is a holiday; the name can be empty.
    pub fn name(&self, date: Date) -> Option<&str> {
        self.days.get(&date).map(String::as_str)
    }

    /// Dates and names, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Date, &str)> {
        self.days.iter().map(|(date, name)| (*date, name.as_str()))
    }

    /// The number of holidays.
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// The last one. Later dates are not in the list, so they do not count as holidays.
    pub fn last(&self) -> Option<Date> {
        self.days.keys().next_back().copied()
    }
}

impl FromIterator<(Date, String)> for Holidays {
    fn from_iter<T: IntoIterator<Item = (Date, String)>>(days: T) -> Self {
        Self { days: days.into_iter().collect() }
    }
}
