//! Sets of row numbers, written as people read them: `1-40,42`.

use std::fmt;

/// Row numbers in rising order, as ranges without gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    /// First and last of each range; rising, apart by at least one number.
    ranges: Vec<(i64, i64)>,
}

impl Ids {
    /// From `first` to `last`; nothing when they are the wrong way round.
    pub(super) fn from_to(first: i64, last: i64) -> Self {
        let mut ids = Self::default();
        ids.extend(first, last);
        ids
    }

    /// Adds a number above all others.
    pub(super) fn push(&mut self, id: i64) {
        self.extend(id, id);
    }

    /// Adds numbers above all others.
    pub(super) fn extend(&mut self, first: i64, last: i64) {
        debug_assert!(self.last().is_none_or(|before| before < first), "{first} comes after {self}");
        match self.ranges.last_mut() {
            _ if first > last => {}
            Some(range) if range.1.saturating_add(1) >= first => range.1 = last,
            _ => self.ranges.push((first, last)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(super) fn last(&self) -> Option<i64> {
        self.ranges.last().map(|range| range.1)
    }

    /// How many numbers.
    pub(super) fn count(&self) -> u64 {
        self.ranges.iter().map(|(first, last)| last.abs_diff(*first) + 1).sum()
    }

    /// First and last of each range.
    pub(super) fn ranges(&self) -> &[(i64, i64)] {
        &self.ranges
    }

    pub(super) fn contains(&self, id: i64) -> bool {
        let at = self.ranges.partition_point(|range| range.1 < id);
        self.ranges.get(at).is_some_and(|range| range.0 <= id)
    }

    /// Leaves out what is above `end`.
    pub(super) fn cut_after(&mut self, end: i64) {
        self.ranges.retain(|range| range.0 <= end);
        if let Some(range) = self.ranges.last_mut() {
            range.1 = range.1.min(end);
        }
    }

    /// Leaves out what is below `begin`.
    pub(super) fn cut_before(&mut self, begin: i64) {
        self.ranges.retain(|range| range.1 >= begin);
        if let Some(range) = self.ranges.first_mut() {
            range.0 = range.0.max(begin);
        }
    }

    /// Takes the lowest `count` numbers out.
    pub(super) fn take(&mut self, count: u64) -> Self {
        let (mut taken, mut left) = (Self::default(), count);
        let mut whole = 0;
        for range in &mut self.ranges {
            if left == 0 {
                break;
            }
            let length = range.1.abs_diff(range.0) + 1;
            if length <= left {
                taken.extend(range.0, range.1);
                (whole, left) = (whole + 1, left - length);
            } else {
                let end = range.0.saturating_add_unsigned(left) - 1;
                taken.extend(range.0, end);
                (range.0, left) = (end + 1, 0);
            }
        }
        self.ranges.drain(..whole);
        taken
    }

    /// What [`fmt::Display`] wrote; `None` for any other text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut ids = Self::default();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            if first > last || ids.last().is_some_and(|before| before >= first) {
                return None;
            }
            ids.extend(first, last);
        }
        Some(ids)
    }
}

impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_written_as_ranges_and_read_back() {
        let mut ids = Ids::from_to(1, 40);
        ids.push(42);
        assert_eq!(ids.to_string(), "1-40,42");
        assert_eq!(Ids::parse("1-40,42"), Some(ids.clone()));
        assert_eq!(ids.count(), 41);
        ids.cut_after(12);
        assert_eq!(ids.to_string(), "1-12");
        ids.cut_before(9);
        assert_eq!(ids.to_string(), "9-12");
        assert_eq!(Ids::parse(""), Some(Ids::default()));
        for text in ["1-", "a", "5-4", "3,2", "1-4,4", "1 - 4", "99999999999999999999"] {
            assert_eq!(Ids::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_and_what_is_left_are_the_whole(
            numbers in prop::collection::btree_set(1i64..300, 0..80),
            count in 0u64..100,
        ) {
            let mut ids = Ids::default();
            numbers.iter().for_each(|&number| ids.push(number));
            let all: Vec<i64> = (0..301).filter(|&number| ids.contains(number)).collect();
            prop_assert_eq!(&all, &numbers.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(Ids::parse(&ids.to_string()), Some(ids.clone()));
            let taken = ids.take(count);
            prop_assert_eq!(taken.count(), count.min(numbers.len() as u64));
            let together: Vec<i64> =
                (0..301).filter(|&number| taken.contains(number) != ids.contains(number)).collect();
            prop_assert_eq!(together, all);
            prop_assert!(taken.last().is_none_or(|last| (0..=last).all(|low| !ids.contains(low))));
        }
    }
}
