//! Sets of row numbers, written as `1-40,42`.

use std::fmt;
use std::str::FromStr;

/// Row numbers as ranges, in order; ranges do not touch.
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

    /// There is no number.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The highest number.
    pub(super) fn last(&self) -> Option<i64> {
        self.0.last().map(|range| range.1)
    }

    /// How many numbers.
    pub(super) fn count(&self) -> u64 {
        self.iter().map(|(first, last)| last.abs_diff(first) + 1).sum()
    }

    /// Removes the numbers above `end`.
    pub(super) fn cut_after(&mut self, end: i64) {
        self.0.retain(|range| range.0 <= end);
        if let Some(range) = self.0.last_mut() {
            range.1 = range.1.min(end);
        }
    }

    /// Removes the numbers below `begin`.
    pub(super) fn cut_before(&mut self, begin: i64) {
        self.0.retain(|range| range.1 >= begin);
        if let Some(range) = self.0.first_mut() {
            range.0 = range.0.max(begin);
        }
    }

    /// Removes the lowest `count` numbers, and returns them.
    pub(super) fn take(&mut self, count: u64) -> Self {
        let (mut taken, mut left, mut whole) = (Self::default(), count, 0);
        for range in &mut self.0 {
            if left == 0 {
                break;
            }
            let length = range.1.abs_diff(range.0) + 1;
            if length <= left {
                taken.add(range.0, range.1);
                (whole, left) = (whole + 1, left - length);
            } else {
                let end = range.0.saturating_add_unsigned(left) - 1;
                taken.add(range.0, end);
                (range.0, left) = (end + 1, 0);
            }
        }
        self.0.drain(..whole);
        taken
    }

    /// Whether the number is included.
    pub(super) fn contains(&self, number: i64) -> bool {
        let next = self.0.partition_point(|&(_, to)| to < number);
        self.0.get(next).is_some_and(|&(from, _)| from <= number)
    }

    /// Whether all numbers from `first` to `last` are included.
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
#[error("`{0}` is not a list of row numbers such as 1-40,42")]
pub(super) struct InvalidRanges(String);

impl FromStr for Ranges {
    type Err = InvalidRanges;

    fn from_str(text: &str) -> Result<Self, InvalidRanges> {
        let mut ranges = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            match (first.parse(), last.parse()) {
                (Ok(first), Ok(last)) if first <= last => ranges.add(first, last),
                _ => return Err(InvalidRanges(text.to_owned())),
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
        fn ranges_hold_what_was_added_and_parse_their_text(
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

    proptest! {
        #[test]
        fn taken_and_left_numbers_are_all_numbers(
            numbers in proptest::collection::btree_set(1i64..300, 0..80),
            count in 0u64..100,
        ) {
            let mut ranges: Ranges = numbers.iter().copied().collect();
            prop_assert_eq!(ranges.count(), numbers.len() as u64);
            let taken = ranges.take(count);
            prop_assert_eq!(taken.count(), count.min(numbers.len() as u64));
            let together: BTreeSet<i64> =
                (0..301).filter(|&number| taken.contains(number) != ranges.contains(number)).collect();
            prop_assert_eq!(together, numbers);
            prop_assert!(taken.last().is_none_or(|last| (0..=last).all(|low| !ranges.contains(low))));
        }
    }

    #[test]
    fn cut_ranges_keep_the_rest() {
        let mut ranges: Ranges = "1-40,42".parse().unwrap();
        ranges.cut_after(12);
        assert_eq!(ranges.to_string(), "1-12");
        ranges.cut_before(9);
        assert_eq!((ranges.to_string(), ranges.is_empty()), ("9-12".to_owned(), false));
        ranges.cut_after(8);
        assert!(ranges.is_empty());
    }

    #[test]
    fn invalid_lists_are_rejected() {
        for text in ["4-2", "1,x", "-", "1-2-3"] {
            assert!(text.parse::<Ranges>().is_err(), "{text}");
        }
        assert_eq!("3,1-2,9".parse::<Ranges>().unwrap().to_string(), "1-3,9");
    }
}
