//! Sets of row numbers as receipts spell them: `1-40,42`.

use std::fmt;
use std::str::FromStr;

/// Row numbers, as ranges that rise and do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(i64, i64)>);

impl Ranges {
    /// Adds a range, both ends included.
    pub(super) fn add(&mut self, first: i64, last: i64) {
        let begin = self.0.partition_point(|&(_, to)| to < first.saturating_sub(1));
        let end = self.0.partition_point(|&(from, _)| from <= last.saturating_add(1));
        let merged =
            self.0[begin..end].iter().fold((first, last), |(a, b), &(from, to)| (a.min(from), b.max(to)));
        self.0.splice(begin..end, [merged]);
    }

    /// Adds all of `other`.
    pub(super) fn add_all(&mut self, other: &Self) {
        other.0.iter().for_each(|&(first, last)| self.add(first, last));
    }

    /// Whether the number is in it.
    pub(super) fn contains(&self, number: i64) -> bool {
        let next = self.0.partition_point(|&(_, to)| to < number);
        self.0.get(next).is_some_and(|&(from, _)| from <= number)
    }

    /// Whether all numbers from `first` to `last` are in it.
    pub(super) fn contains_all(&self, first: i64, last: i64) -> bool {
        let next = self.0.partition_point(|&(_, to)| to < first);
        self.0.get(next).is_some_and(|&(from, to)| from <= first && last <= to)
    }

    /// The ranges, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, i64)> {
        self.0.iter().copied()
    }
}

impl FromIterator<i64> for Ranges {
    fn from_iter<I: IntoIterator<Item = i64>>(numbers: I) -> Self {
        let mut ranges = Self::default();
        numbers.into_iter().for_each(|number| ranges.add(number, number));
        ranges
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (first, last)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// Not of the form `1-40,42`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no list of row numbers such as 1-40,42")]
pub(super) struct NoRanges(String);

impl FromStr for Ranges {
    type Err = NoRanges;

    fn from_str(text: &str) -> Result<Self, NoRanges> {
        let mut ranges = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            match (first.parse(), last.parse()) {
                (Ok(first), Ok(last)) if first <= last => ranges.add(first, last),
                _ => return Err(NoRanges(text.to_owned())),
            }
        }
        Ok(ranges)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_hold_what_was_added_and_read_as_they_are_written(
            added in proptest::collection::vec((0i64..60, 0i64..6), 0..20),
        ) {
            let mut ranges = Ranges::default();
            let mut plain = BTreeSet::new();
            for (first, more) in added {
                ranges.add(first, first + more);
                plain.extend(first..=first + more);
            }
            for number in -1..70 {
                prop_assert_eq!(ranges.contains(number), plain.contains(&number));
                let all = (number..=number + 3).all(|n| plain.contains(&n));
                prop_assert_eq!(ranges.contains_all(number, number + 3), all);
            }
            prop_assert_eq!(&ranges.to_string().parse::<Ranges>().unwrap(), &ranges);
            prop_assert_eq!(plain.into_iter().collect::<Ranges>(), ranges);
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["4-2", "1,x", "-", "1-2-3"] {
            assert!(text.parse::<Ranges>().is_err(), "{text}");
        }
        assert_eq!("3,1-2,9".parse::<Ranges>().unwrap().to_string(), "1-3,9");
    }
}
