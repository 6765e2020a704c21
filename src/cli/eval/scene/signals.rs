//! Signals raised, held against those that must be.
//!
//! A signal raised answers one listed of the same rule and place when it opens at most [`EARLY_S`] before it and at most
//! [`LATE_S`] after it; each answers one, in the order of time, which answers as many as can be.

use serde::Serialize;

use super::material::Listed;
use crate::geometry::{BBox, Norm};

/// A listed time counts confirmation of what a camera shows in every frame; looks come four times a second, and a box that is
/// a little large is at a line earlier.
pub(super) const EARLY_S: f64 = 2.0;
/// Later, staff would be told of something else.
pub(super) const LATE_S: f64 = 5.0;

/// A signal that the watch opened.
#[derive(Clone, Debug)]
pub(super) struct Raised {
    pub(super) rule: String,
    pub(super) place: String,
    /// Seconds from the start of the clip.
    pub(super) opened_s: f64,
    /// The number under which its vessel was followed.
    pub(super) followed: u64,
    pub(super) bbox: BBox<Norm>,
    /// What staff would read.
    pub(super) text: String,
}

/// Which answers which: places in the two lists.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answers {
    /// Listed and raised.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Listed and not raised.
    pub(super) missed: Vec<usize>,
    /// Raised and not listed.
    pub(super) extra: Vec<usize>,
}

/// Pairs them up.
pub(super) fn answer(listed: &[Listed], raised: &[Raised]) -> Answers {
    let mut order: Vec<usize> = (0..listed.len()).collect();
    order.sort_by(|&a, &b| listed[a].opens_s.total_cmp(&listed[b].opens_s));
    let mut by_time: Vec<usize> = (0..raised.len()).collect();
    by_time.sort_by(|&a, &b| raised[a].opened_s.total_cmp(&raised[b].opened_s));
    let mut answers = Answers::default();
    for wanted in order {
        let signal = &listed[wanted];
        let fits = |&(_, &n): &(usize, &usize)| {
            let delay_s = raised[n].opened_s - signal.opens_s;
            raised[n].rule == signal.rule
                && raised[n].place == signal.place
                && (-EARLY_S..=LATE_S).contains(&delay_s)
        };
        match by_time.iter().enumerate().find(fits) {
            Some((at, &n)) => {
                by_time.remove(at);
                answers.pairs.push((wanted, n));
            }
            None => answers.missed.push(wanted),
        }
    }
    answers.extra = by_time;
    answers
}

/// Counts over one or several scenes; they add up.
#[derive(Clone, Debug, Default)]
pub(super) struct SignalCounts {
    pub(super) listed: usize,
    pub(super) extra: usize,
    /// Of those answered: seconds from listed to raised.
    pub(super) delays_s: Vec<f64>,
    pub(super) recorded_s: f64,
}

/// What they come to; `None` where there is nothing to divide by.
#[derive(Debug, Serialize)]
pub(super) struct SignalFigures {
    pub(super) listed: usize,
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
    pub(super) fn new(listed: &[Listed], raised: &[Raised], answers: &Answers, recorded_s: f64) -> Self {
        let delays_s = answers.pairs.iter().map(|&(l, r)| raised[r].opened_s - listed[l].opens_s).collect();
        Self { listed: listed.len(), extra: answers.extra.len(), delays_s, recorded_s }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.listed += other.listed;
        self.extra += other.extra;
        self.delays_s.extend(&other.delays_s);
        self.recorded_s += other.recorded_s;
    }

    pub(super) fn figures(&self) -> SignalFigures {
        let hits = self.delays_s.len();
        SignalFigures {
            listed: self.listed,
            hits,
            missed: self.listed - hits,
            extra: self.extra,
            precision: share(hits, hits + self.extra),
            recall: share(hits, self.listed),
            delay_median_s: percentile(&self.delays_s, 0.5),
            delay_p95_s: percentile(&self.delays_s, 0.95),
            false_per_camera_day: (self.recorded_s > 0.0)
                .then(|| self.extra as f64 * 86_400.0 / self.recorded_s),
        }
    }
}

/// A part of a whole, if there is a whole.
pub(super) fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The smallest value that so large a share of all does not exceed (nearest rank).
fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(rule: &str, opens_s: f64) -> Listed {
        Listed { rule: rule.to_owned(), place: "basin".to_owned(), vessel: 1, opens_s }
    }

    fn raised(rule: &str, opened_s: f64) -> Raised {
        let bbox = BBox::new(0.0, 0.0, 0.1, 0.1);
        Raised {
            rule: rule.to_owned(),
            place: "basin".to_owned(),
            opened_s,
            followed: 1,
            bbox,
            text: String::new(),
        }
    }

    #[test]
    fn a_signal_answers_one_of_its_rule_and_place_near_its_time_and_no_other() {
        let wanted = [listed("a", 10.0), listed("a", 13.0), listed("b", 10.0)];
        let elsewhere = Raised { place: "quay".to_owned(), ..raised("b", 10.0) };
        let heard = [raised("a", 12.5), raised("a", 13.5), elsewhere, raised("b", 15.1), raised("b", 7.9)];
        let answers = answer(&wanted, &heard);
        // 12.5 fits both of `a`; taken for the first, it leaves 13.5 to the second.
        assert_eq!(answers.pairs, [(0, 0), (1, 1)]);
        assert_eq!((answers.missed, answers.extra), (vec![2], vec![4, 2, 3]));
    }

    #[test]
    fn at_the_limits_a_signal_still_answers() {
        for opened_s in [10.0 - EARLY_S, 10.0 + LATE_S] {
            assert_eq!(answer(&[listed("a", 10.0)], &[raised("a", opened_s)]).pairs, [(0, 0)]);
        }
        assert_eq!(answer(&[listed("a", 10.0), listed("a", 11.0)], &[raised("a", 10.0)]).missed, [1]);
    }

    #[test]
    fn figures_are_shares_delays_and_a_rate_a_day() {
        let counts =
            SignalCounts { listed: 5, extra: 1, delays_s: vec![0.5, 0.1, 3.0, 0.3], recorded_s: 3600.0 };
        let mut twice = counts.clone();
        twice.add(&counts);
        for (counts, times) in [(counts, 1), (twice, 2)] {
            let f = counts.figures();
            assert_eq!((f.listed, f.hits, f.missed, f.extra), (5 * times, 4 * times, times, times));
            assert_eq!((f.precision, f.recall), (Some(0.8), Some(0.8)));
            assert_eq!((f.delay_median_s, f.delay_p95_s), (Some(0.3), Some(3.0)));
            assert_eq!(f.false_per_camera_day, Some(24.0));
        }
        let nothing = SignalCounts::default().figures();
        assert_eq!((nothing.precision, nothing.recall, nothing.delay_median_s), (None, None, None));
        assert_eq!(nothing.false_per_camera_day, None);
    }
}
