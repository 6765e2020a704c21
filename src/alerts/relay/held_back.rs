//! Alerts that did not get through: one that cannot pass must not stop the others.
//!
//! An alert that was alone in flight when a session broke is suspect. After two such sessions it is sent without its
//! picture; after two more it is set aside and follows the others. So does an alert that the broker refuses. Both are tried
//! again, each time later, and stay undelivered until the broker accepts them.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::alerts::refusal::Refusal;

/// Broken sessions after which an alert is sent without its picture, and again after which it is set aside.
const PATIENCE: u32 = 2;

/// The delay before another try doubles at most this often: from 5 s to about 5 minutes.
const DOUBLINGS: u32 = 6;

/// Alerts with a history of failures, by number. Kept from session to session.
#[derive(Debug, Default)]
pub(in crate::alerts) struct HeldBack {
    rows: BTreeMap<i64, Failures>,
    last_refusal: Option<(String, Refusal)>,
}

#[derive(Debug, Default)]
struct Failures {
    /// Sessions that broke while this alert was alone in flight with its picture.
    with_picture: u32,
    /// The same without its picture.
    without_picture: u32,
    refused: bool,
    /// Times it was held back.
    times: u32,
    /// It is not sent with the others; not before this.
    retry_at: Option<Instant>,
}

impl Failures {
    fn hold(&mut self, delay: Duration, now: Instant) {
        self.retry_at = Some(now + delay * 2u32.pow(self.times.min(DOUBLINGS)));
        self.times += 1;
    }
}

impl HeldBack {
    /// A session broke while this alert, with its picture or without, was alone in flight.
    pub(super) fn broke(&mut self, seq: i64, with_picture: bool, delay: Duration, now: Instant) {
        let failures = self.rows.entry(seq).or_default();
        if with_picture {
            failures.with_picture += 1;
        } else {
            failures.without_picture += 1;
        }
        if failures.without_picture >= PATIENCE {
            if failures.times == 0 {
                tracing::warn!(
                    "alert {seq} ended several sessions with the broker; it is set aside and tried again later"
                );
            }
            failures.hold(delay, now);
        }
    }

    /// The broker refused this alert.
    pub(super) fn refused(&mut self, seq: i64, topic: &str, reason: Refusal, delay: Duration, now: Instant) {
        self.last_refusal = Some((topic.to_owned(), reason));
        let failures = self.rows.entry(seq).or_default();
        failures.refused = true;
        failures.hold(delay, now);
    }

    /// The alert could not be read; it is tried again later.
    pub(super) fn postpone(&mut self, seq: i64, delay: Duration, now: Instant) {
        self.rows.entry(seq).or_default().hold(delay, now);
    }

    /// The broker accepted this alert. If it had refused it before, its access list or quota was mended: the other refused ones
    /// need not wait.
    pub(super) fn accepted(&mut self, seq: i64, now: Instant) {
        if self.rows.remove(&seq).is_some_and(|failures| failures.refused) {
            let refused = self.rows.values_mut().filter(|failures| failures.refused);
            refused.for_each(|failures| failures.retry_at = Some(now));
        }
    }

    /// The alert needs no more attention: it was accepted, or it expired.
    pub(super) fn settled(&mut self, seq: i64) {
        self.rows.remove(&seq);
    }

    /// Whether the alert is not sent with the others.
    pub(super) fn holds(&self, seq: i64) -> bool {
        self.rows.get(&seq).is_some_and(|failures| failures.retry_at.is_some())
    }

    /// Whether the alert may have broken a session: it is sent alone.
    pub(super) fn suspects(&self, seq: i64) -> bool {
        self.rows.contains_key(&seq)
    }

    /// Whether the alert broke so many sessions that it goes without its picture.
    pub(super) fn omits_picture(&self, seq: i64) -> bool {
        self.rows.get(&seq).is_some_and(|failures| failures.with_picture >= PATIENCE)
    }

    /// The alert that has waited longest for another try that is due.
    pub(super) fn due(&self, now: Instant) -> Option<i64> {
        let waiting = self.rows.iter().filter_map(|(seq, failures)| Some((failures.retry_at?, *seq)));
        waiting.filter(|(at, _)| *at <= now).min().map(|(_, seq)| seq)
    }

    /// What staff and technicians must know; `None` while nothing is held back.
    pub(super) fn problem(&self) -> Option<String> {
        let held = || self.rows.values().filter(|failures| failures.retry_at.is_some());
        let (refused, aside) = (held().filter(|f| f.refused).count(), held().filter(|f| !f.refused).count());
        let refused = (refused > 0).then_some(()).and(self.last_refusal.as_ref()).map(|(topic, reason)| {
            format!("the broker refuses {}; the last on {topic}: {reason}", alerts(refused))
        });
        let aside = (aside > 0).then(|| {
            let wait = if aside == 1 { "waits" } else { "wait" };
            format!("{} ended several sessions with the broker and {wait} behind the others", alerts(aside))
        });
        let problems: Vec<_> = refused.into_iter().chain(aside).collect();
        (!problems.is_empty()).then(|| problems.join("; "))
    }
}

fn alerts(count: usize) -> String {
    if count == 1 { "1 alert".into() } else { format!("{count} alerts") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn an_alert_loses_its_picture_before_it_is_set_aside() {
        let (mut held, now) = (HeldBack::default(), Instant::now());
        let steps: Vec<_> = (0..4)
            .map(|_| {
                held.broke(7, !held.omits_picture(7), DELAY, now);
                (held.omits_picture(7), held.holds(7))
            })
            .collect();
        assert_eq!(steps, [(false, false), (true, false), (true, false), (true, true)]);
        assert_eq!((held.due(now), held.due(now + DELAY)), (None, Some(7)));
        held.settled(7);
        assert_eq!((held.due(now + DELAY), held.problem()), (None, None));
    }

    #[tokio::test]
    async fn a_refused_alert_waits_longer_every_time() {
        let (mut held, now) = (HeldBack::default(), Instant::now());
        let waits: Vec<_> = (0..9)
            .map(|_| {
                held.refused(7, "a/b", Refusal::NotAuthorised, DELAY, now);
                (0..).find(|&seconds| held.due(now + Duration::from_secs(seconds)).is_some()).unwrap()
            })
            .collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 320, 320]);
        assert!(held.problem().unwrap().contains("refuses 1 alert; the last on a/b: not authorised"));
    }

    #[tokio::test]
    async fn when_one_refused_alert_is_accepted_the_others_are_due() {
        let (mut held, now) = (HeldBack::default(), Instant::now());
        (0..7).for_each(|_| held.refused(9, "a/b", Refusal::NotAuthorised, DELAY, now));
        held.refused(8, "a/b", Refusal::NotAuthorised, DELAY, now);
        held.refused(4, "a/b", Refusal::NotAuthorised, DELAY, now);
        held.accepted(3, now);
        assert_eq!(held.due(now), None, "3 was never refused");
        held.accepted(4, now);
        assert_eq!(held.due(now), Some(8));
        held.settled(8);
        assert_eq!(held.due(now), Some(9));
    }

    #[tokio::test]
    async fn the_alert_that_waited_longest_comes_first() {
        let (mut held, now) = (HeldBack::default(), Instant::now());
        held.refused(9, "a/b", Refusal::QuotaExceeded, DELAY, now);
        held.refused(4, "a/b", Refusal::QuotaExceeded, DELAY, now + DELAY);
        assert_eq!(held.due(now + 2 * DELAY), Some(9));
    }
}
