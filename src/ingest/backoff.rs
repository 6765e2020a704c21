//! How long to wait before the next try: exponential, jittered, bounded.

use std::time::Duration;

/// Delays that double from `min` to `max`, each shortened by a random share of at most `jitter`, so that cameras which
/// failed together do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    jitter: f64,
    base: Duration,
    rng: SplitMix64,
}

/// Why limits make no back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackoffError {
    /// Would try again without any pause.
    #[error("the shortest delay must be longer than zero")]
    ZeroMin,
    /// Upside down.
    #[error("the longest delay must not be shorter than the shortest")]
    MaxBelowMin,
    /// Not a share of the delay.
    #[error("jitter is a share of the delay: from 0 up to, not including, 1")]
    JitterOutOfRange,
}

impl Backoff {
    /// `jitter` is a share in 0..1; `seed` decides the random part.
    pub fn new(min: Duration, max: Duration, jitter: f64, seed: u64) -> Result<Self, BackoffError> {
        if min.is_zero() {
            return Err(BackoffError::ZeroMin);
        }
        if max < min {
            return Err(BackoffError::MaxBelowMin);
        }
        if !(0.0..1.0).contains(&jitter) {
            return Err(BackoffError::JitterOutOfRange);
        }
        Ok(Self { min, max, jitter, base: min, rng: SplitMix64(seed) })
    }

    /// The next delay: within `base * (1 - jitter)` and `base`, where base doubles with each call, up to the maximum.
    pub fn next_delay(&mut self) -> Duration {
        let delay = self.base.mul_f64(1.0 - self.jitter * self.rng.unit());
        self.base = self.base.saturating_mul(2).min(self.max);
        delay
    }

    /// Begins again at the shortest delay: the last try was good.
    pub fn reset(&mut self) {
        self.base = self.min;
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). Good enough to spread retries.
#[derive(Clone, Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    /// A number in 0..1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_backoff_that_makes_no_sense_cannot_be_built() {
        let build = |min, max, jitter| Backoff::new(min, max, jitter, 0).map(|_| ());
        assert_eq!(build(Duration::ZERO, SECOND, 0.1), Err(BackoffError::ZeroMin));
        assert_eq!(build(SECOND, SECOND / 2, 0.1), Err(BackoffError::MaxBelowMin));
        for jitter in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(build(SECOND, SECOND, jitter), Err(BackoffError::JitterOutOfRange), "{jitter}");
        }
        assert_eq!(build(SECOND, SECOND, 0.0), Ok(()));
    }

    #[test]
    fn cameras_that_failed_together_come_back_apart() {
        let mut delays: Vec<_> =
            (0..20).map(|seed| Backoff::new(SECOND, SECOND, 0.5, seed).unwrap().next_delay()).collect();
        delays.sort();
        delays.dedup();
        assert_eq!(delays.len(), 20);
        assert!(delays[19] - delays[0] > SECOND / 4, "{delays:?}");
    }

    proptest! {
        #[test]
        fn a_delay_never_leaves_its_limits_and_its_base_never_falls(
            min_ms in 1u64..5_000, span_ms in 0u64..60_000, jitter in 0.0..0.99f64, seed: u64, tries in 1usize..80,
        ) {
            let (min, max) = (Duration::from_millis(min_ms), Duration::from_millis(min_ms + span_ms));
            let mut backoff = Backoff::new(min, max, jitter, seed).unwrap();
            let mut base = min;
            for attempt in 0..tries {
                let delay = backoff.next_delay();
                let lowest = base.mul_f64(1.0 - jitter).saturating_sub(Duration::from_nanos(2));
                prop_assert!(lowest <= delay && delay <= base, "try {attempt}: {delay:?} not in {lowest:?}..{base:?}");
                let before = base;
                base = (base * 2).min(max);
                prop_assert!(base >= before && base <= max);
            }
            backoff.reset();
            prop_assert!(backoff.next_delay() <= min);
        }
    }
}
