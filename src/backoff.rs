//! Exponential back-off: how long to wait before the next try. Used for cameras, broker and disk.
//!
//! Delays double from `min` to `max`. Jitter lengthens each by a random share of itself, so that twelve cameras behind one
//! switch do not reconnect at the same moment. The seed makes delays repeatable.

use std::time::Duration;

/// A valid back-off policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    jitter_percent: u32,
}

/// Why a back-off policy is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackoffError {
    /// Retries without a delay.
    #[error("the shortest delay is zero: retries would have no delay")]
    Zero,
    /// `min` is above `max`.
    #[error("the shortest delay is longer than the longest")]
    Reversed,
    /// The jitter is above 100 percent.
    #[error("jitter is more than 100 percent of the delay")]
    Jitter,
}

impl Backoff {
    /// Delays from `min` to `max`, each lengthened by up to `jitter_percent` of itself, never beyond `max`.
    pub const fn new(min: Duration, max: Duration, jitter_percent: u32) -> Result<Self, BackoffError> {
        if min.is_zero() {
            return Err(BackoffError::Zero);
        }
        if min.as_nanos() > max.as_nanos() {
            return Err(BackoffError::Reversed);
        }
        if jitter_percent > 100 {
            return Err(BackoffError::Jitter);
        }
        Ok(Self { min, max, jitter_percent })
    }

    /// A sequence of delays. Different seeds give different jitter.
    pub fn delays(self, seed: u64) -> Delays {
        Delays { policy: self, random: SplitMix(seed), failures: 0 }
    }
}

/// The delays of one operation that is retried.
#[derive(Clone, Debug)]
pub struct Delays {
    policy: Backoff,
    random: SplitMix,
    failures: u32,
}

impl Delays {
    /// The operation failed again: the delay before the next try.
    pub fn next_delay(&mut self) -> Duration {
        let Backoff { min, max, jitter_percent } = self.policy;
        let doubled = min.saturating_mul(1 << self.failures.min(31)).min(max);
        self.failures = self.failures.saturating_add(1);
        let part = self.random.unit() * f64::from(jitter_percent) / 100.0;
        doubled.saturating_add(doubled.mul_f64(part)).min(max)
    }

    /// The operation succeeded: the next delay is short again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// Steele, Lea, Flood: Fast splittable pseudorandom number generators (OOPSLA 2014).
#[derive(Clone, Debug)]
struct SplitMix(u64);

impl SplitMix {
    /// A number from 0 to 1, 1 excluded.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (f64::from((z >> 33) as u32)) / f64::from(1u32 << 31)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy() -> impl Strategy<Value = Backoff> {
        (1u64..5_000, 0u64..60_000, 0u32..=100).prop_map(|(min, more, jitter)| {
            Backoff::new(Duration::from_millis(min), Duration::from_millis(min + more), jitter).unwrap()
        })
    }

    proptest! {
        #[test]
        fn every_delay_is_between_min_and_max(policy in policy(), seed: u64, tries in 1usize..80) {
            let mut delays = policy.delays(seed);
            for _ in 0..tries {
                let delay = delays.next_delay();
                prop_assert!(policy.min <= delay && delay <= policy.max, "{delay:?} of {policy:?}");
            }
        }

        #[test]
        fn delays_reach_max_and_a_success_resets_them(policy in policy(), seed: u64) {
            let mut delays = policy.delays(seed);
            for _ in 0..40 {
                delays.next_delay();
            }
            prop_assert_eq!(delays.next_delay(), policy.max);
            delays.reset();
            prop_assert!(delays.next_delay() <= policy.min * 2);
        }

        #[test]
        fn the_same_seed_gives_the_same_delays(policy in policy(), seed: u64) {
            let (mut a, mut b) = (policy.delays(seed), policy.delays(seed));
            for _ in 0..20 {
                prop_assert_eq!(a.next_delay(), b.next_delay());
            }
        }
    }

    #[test]
    fn without_jitter_delays_double() {
        let mut delays = Backoff::new(Duration::from_secs(1), Duration::from_secs(5), 0).unwrap().delays(1);
        let seconds: Vec<_> = std::iter::repeat_with(|| delays.next_delay().as_secs()).take(5).collect();
        assert_eq!(seconds, [1, 2, 4, 5, 5]);
        assert_eq!(delays.failures(), 5);
    }

    #[test]
    fn different_seeds_give_different_delays() {
        let policy = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 50).unwrap();
        assert_ne!(policy.delays(1).next_delay(), policy.delays(2).next_delay());
    }

    #[test]
    fn an_invalid_policy_is_rejected() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::new(Duration::ZERO, second, 0), Err(BackoffError::Zero));
        assert_eq!(Backoff::new(second * 2, second, 0), Err(BackoffError::Reversed));
        assert_eq!(Backoff::new(second, second, 101), Err(BackoffError::Jitter));
    }
}
