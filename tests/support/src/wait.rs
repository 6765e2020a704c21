//! Waiting for something that another thread or process does.

use std::time::{Duration, Instant};

/// Time between two tries.
const STEP: Duration = Duration::from_millis(10);

/// The real time, for tests that measure it.
#[expect(clippy::disallowed_methods, reason = "tests measure the real clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// Waits until `condition` is true and gives the time that it took.
///
/// # Panics
///
/// When that takes longer than `limit`; the message names `what` was awaited.
pub fn wait_until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) -> Duration {
    wait_for(limit, what, || condition().then_some(())).1
}

/// Waits until `probe` gives a value, and gives it with the time that it took.
///
/// # Panics
///
/// When that takes longer than `limit`; the message names `what` was awaited.
pub fn wait_for<T>(limit: Duration, what: &str, mut probe: impl FnMut() -> Option<T>) -> (T, Duration) {
    let start = now();
    loop {
        if let Some(value) = probe() {
            return (value, start.elapsed());
        }
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_value_and_the_time() {
        let mut tries = 0;
        let (value, took) = wait_for(Duration::from_secs(20), "three tries", || {
            tries += 1;
            (tries == 3).then_some("found")
        });
        assert_eq!((value, tries), ("found", 3));
        assert!(took >= 2 * STEP);
    }

    #[test]
    #[should_panic(expected = "a miracle: not within 1ms")]
    fn panics_at_the_limit() {
        wait_until(Duration::from_millis(1), "a miracle", || false);
    }
}
