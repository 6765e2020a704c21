//! Matches raised signals with expected ones.
//!
//! A raised signal matches an expected one of the same rule and place when it opens at most [`EARLY_S`] earlier and at most
//! [`LATE_S`] later. Each matches one, in the order of time; this gives the most matches.

use serde::Serialize;

use super::annotated_scene::AnnotatedSignal;
use crate::geometry::{BBox, Norm};

/// Expected times assume exact boxes in every frame. A box that is slightly too large reaches a line earlier.
pub(super) const EARLY_S: f64 = 2.0;
/// A later signal would be about something else.
pub(super) const LATE_S: f64 = 5.0;

/// A raised signal.
#[derive(Clone, Debug)]
pub(super) struct RaisedSignal {
    pub(super) rule: String,
    pub(super) place: String,
    /// Seconds from the start of the clip.
    pub(super) opened_s: f64,
    /// The number of its vessel.
    pub(super) vessel: u64,
    pub(super) bbox: BBox<Norm>,
    /// The text of the alert.
    pub(super) text: String,
}

/// Which expected and raised signals match, as indices of the two lists.
#[derive(Debug, Default, PartialEq)]
pub(super) struct SignalMatches {
    /// Expected and raised.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Expected and not raised.
    pub(super) missed: Vec<usize>,
    /// Raised and not expected.
    pub(super) extra: Vec<usize>,
}

/// Matches the signals.
pub(super) fn match_signals(expected: &[AnnotatedSignal], raised: &[RaisedSignal]) -> SignalMatches {
    let mut order: Vec<usize> = (0..expected.len()).collect();
    order.sort_by(|&a, &b| expected[a].opens_s.total_cmp(&expected[b].opens_s));
    let mut by_time: Vec<usize> = (0..raised.len()).collect();
    by_time.sort_by(|&a, &b| raised[a].opened_s.total_cmp(&raised[b].opened_s));
    let mut matches = SignalMatches::default();
    for wanted in order {
        let signal = &expected[wanted];
        let fits = |&(_, &n): &(usize, &usize)| {
            let delay_s = raised[n].opened_s - signal.opens_s;
            raised[n].rule == signal.rule
                && raised[n].place == signal.place
                && (-EARLY_S..=LATE_S).contains(&delay_s)
        };
        match by_time.iter().enumerate().find(fits) {
            Some((at, &n)) => {
                by_time.remove(at);
                matches.pairs.push((wanted, n));
            }
            None => matches.missed.push(wanted),
        }
    }
    matches.extra = by_time;
    matches
}

/// Counts over one or several scenes; they add up.
#[derive(Clone, Debug, Default)]
pub(super) struct SignalCounts {
    pub(super) expected: usize,
    pub(super) extra: usize,
    /// For each match, the seconds from the expected to the raised time.
    pub(super) delays_s: Vec<f64>,
    pub(super) recorded_s: f64,
}

/// Scores of the counts; `None` when nothing can be divided.
#[derive(Debug, Serialize)]
pub(super) struct SignalScores {
    pub(super) expected: usize,
    pub(super) hits: usize,
    pub(super) missed: usize,
    #[serde(rename = "false")]
    pub(super) extra: usize,
    pub(super) precision: Option<f64>,
    pub(super) recall: Option<f64>,
    pub(super) delay_median_s: Option<f64>,
    pub(super) delay_p95_s: Option<f64>,
    pub(super) false_per_camera_day: Option<f64>,
}

impl SignalCounts {
    pub(super) fn new(
        expected: &[AnnotatedSignal],
        raised: &[RaisedSignal],
        matches: &SignalMatches,
        recorded_s: f64,
    ) -> Self {
        let delays_s = matches.pairs.iter().map(|&(e, r)| raised[r].opened_s - expected[e].opens_s).collect();
        Self { expected: expected.len(), extra: matches.extra.len(), delays_s, recorded_s }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.expected += other.expected;
        self.extra += other.extra;
        self.delays_s.extend(&other.delays_s);
        self.recorded_s += other.recorded_s;
    }

    pub(super) fn scores(&self) -> SignalScores {
        let hits = self.delays_s.len();
        SignalScores {
            expected: self.expected,
            hits,
            missed: self.expected - hits,
            extra: self.extra,
            precision: share(hits, hits + self.extra),
            recall: share(hits, self.expected),
            delay_median_s: percentile(&self.delays_s, 0.5),
            delay_p95_s: percentile(&self.delays_s, 0.95),
            false_per_camera_day: (self.recorded_s > 0.0)
                .then(|| self.extra as f64 * 86_400.0 / self.recorded_s),
        }
    }
}

/// A share of a whole; `None` when the whole is 0.
pub(super) fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The smallest value that the given share of all values does not exceed (nearest rank).
fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(rule: &str, opens_s: f64) -> AnnotatedSignal {
        AnnotatedSignal { rule: rule.to_owned(), place: "basin".to_owned(), vessel: 1, opens_s }
    }

    fn raised(rule: &str, opened_s: f64) -> RaisedSignal {
        let bbox = BBox::new(0.0, 0.0, 0.1, 0.1);
        RaisedSignal {
            rule: rule.to_owned(),
            place: "basin".to_owned(),
            opened_s,
            vessel: 1,
            bbox,
            text: String::new(),
        }
    }

    #[test]
    fn a_signal_matches_one_of_its_rule_place_and_time() {
        let wanted = [expected("a", 10.0), expected("a", 13.0), expected("b", 10.0)];
        let elsewhere = RaisedSignal { place: "quay".to_owned(), ..raised("b", 10.0) };
        let found = [raised("a", 12.5), raised("a", 13.5), elsewhere, raised("b", 15.1), raised("b", 7.9)];
        let matches = match_signals(&wanted, &found);
        // 12.5 fits both of `a`. It matches the first, so that 13.5 matches the second.
        assert_eq!(matches.pairs, [(0, 0), (1, 1)]);
        assert_eq!((matches.missed, matches.extra), (vec![2], vec![4, 2, 3]));
    }

    #[test]
    fn a_signal_at_the_limits_still_matches() {
        for opened_s in [10.0 - EARLY_S, 10.0 + LATE_S] {
            assert_eq!(match_signals(&[expected("a", 10.0)], &[raised("a", opened_s)]).pairs, [(0, 0)]);
        }
        assert_eq!(
            match_signals(&[expected("a", 10.0), expected("a", 11.0)], &[raised("a", 10.0)]).missed,
            [1]
        );
    }

    #[test]
    fn figures_are_shares_delays_and_a_rate_a_day() {
        let counts =
            SignalCounts { expected: 5, extra: 1, delays_s: vec![0.5, 0.1, 3.0, 0.3], recorded_s: 3600.0 };
        let mut twice = counts.clone();
        twice.add(&counts);
        for (counts, times) in [(counts, 1), (twice, 2)] {
            let f = counts.scores();
            assert_eq!((f.expected, f.hits, f.missed, f.extra), (5 * times, 4 * times, times, times));
            assert_eq!((f.precision, f.recall), (Some(0.8), Some(0.8)));
            assert_eq!((f.delay_median_s, f.delay_p95_s), (Some(0.3), Some(3.0)));
            assert_eq!(f.false_per_camera_day, Some(24.0));
        }
        let nothing = SignalCounts::default().scores();
        assert_eq!((nothing.precision, nothing.recall, nothing.delay_median_s), (None, None, None));
        assert_eq!(nothing.false_per_camera_day, None);
    }
}
