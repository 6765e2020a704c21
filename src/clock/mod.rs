//! Time. No other module asks the operating system for it.
//!
//! There are two clocks. [`MonoTime`] counts from boot and never steps: it measures dwell, stalls and back-off. The wall
//! clock gives date and time of day for schedules and for the logbook. It can be wrong and can be set while the daemon
//! runs: [`ClockWatch`] detects that.

mod watch;

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use watch::{ClockReading, ClockWatch, ReadingReason, StepDetector};

/// Time since boot, suspend included (`CLOCK_BOOTTIME`). Comparable only within one boot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MonoTime(Duration);

impl MonoTime {
    /// The given time after boot.
    pub const fn from_boot(since: Duration) -> Self {
        Self(since)
    }

    /// Time since boot.
    pub const fn since_boot(self) -> Duration {
        self.0
    }

    /// Time from `earlier` to `self`; zero when `earlier` is in fact later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Debug for MonoTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "boot+{:?}", self.0)
    }
}

impl Add<Duration> for MonoTime {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(rhs))
    }
}

impl Sub<Duration> for MonoTime {
    type Output = Self;
    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(rhs))
    }
}

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// For durations.
    pub mono: MonoTime,
    /// For schedules and the logbook; UTC.
    pub wall: Timestamp,
}

impl Stamp {
    /// The moment `by` before this one.
    pub fn before(self, by: Duration) -> Self {
        Self { mono: self.mono - by, wall: self.wall.checked_sub(by).unwrap_or(self.wall) }
    }
}

/// 2025-01-01. A wall clock that reads an earlier time was not set since the machine was switched on, because this
/// program did not exist then.
pub const SET_SINCE: Timestamp = Timestamp::constant(1_735_689_600, 0);

/// Whether a wall clock that reads `wall` was set since the machine was switched on.
pub fn is_set(wall: Timestamp) -> bool {
    wall >= SET_SINCE
}

/// A source of time: the machine's in the daemon, the recording's in replay, a simulated one in tests.
pub trait Clock: Send + Sync {
    /// This moment on both clocks.
    fn now(&self) -> Stamp;

    /// This moment on the monotonic clock.
    fn mono(&self) -> MonoTime {
        self.now().mono
    }
}

/// The machine's clocks. The wall clock can be shifted, so that a demonstration by day can show night rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock {
    wall_shift: SignedDuration,
}

impl SystemClock {
    /// A clock whose wall time is `start` now and runs on from there.
    pub fn starting_at(start: Timestamp) -> Self {
        let unshifted = Self::default().now().wall;
        Self { wall_shift: start.duration_since(unshifted) }
    }

    /// How far the wall clock is shifted; zero except in demonstrations.
    pub fn wall_shift(&self) -> SignedDuration {
        self.wall_shift
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "all other code uses this clock")]
    fn now(&self) -> Stamp {
        let (mut boot, mut unshifted) = (since_boot(), Timestamp::now());
        // The thread may be suspended between the two readings. Then they do not belong together, so read again.
        for _ in 0..3 {
            if since_boot().saturating_sub(boot) < TOGETHER {
                break;
            }
            (boot, unshifted) = (since_boot(), Timestamp::now());
        }
        // The sum fails only outside the years -9999 to 9999.
        let wall = unshifted.checked_add(self.wall_shift).unwrap_or(unshifted);
        Stamp { mono: MonoTime(boot), wall }
    }
}

/// Readings of both clocks that are closer together than this count as simultaneous.
const TOGETHER: Duration = Duration::from_millis(10);

fn since_boot() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// Processor time used by this thread, and by the whole process.
pub fn processor_time() -> (Duration, Duration) {
    let used = |clock| nix::time::clock_gettime(clock).map_or(Duration::ZERO, Duration::from);
    (used(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID), used(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID))
}

/// A clock that changes only when its owner moves it.
#[derive(Debug)]
pub struct SimulatedClock(Mutex<Stamp>);

impl SimulatedClock {
    /// A clock that reads `wall`, one hour after boot.
    pub fn new(wall: Timestamp) -> Self {
        Self(Mutex::new(Stamp { mono: MonoTime::from_boot(Duration::from_secs(3600)), wall }))
    }

    /// Moves both clocks forward.
    pub fn advance(&self, by: Duration) {
        let mut now = self.lock();
        now.mono = now.mono + by;
        now.wall = now.wall.checked_add(by).unwrap_or(now.wall);
    }

    /// Steps the wall clock forward, or back where `by` is negative.
    pub fn step(&self, by: SignedDuration) {
        let mut now = self.lock();
        now.wall = now.wall.checked_add(by).unwrap_or(now.wall);
    }

    /// Sets both clocks.
    pub fn set(&self, to: Stamp) {
        *self.lock() = to;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Stamp> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Stamp {
        *self.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_clock_starts_at_the_given_time_and_runs() {
        let start: Timestamp = "2026-06-01T20:13:00Z".parse().unwrap();
        let clock = SystemClock::starting_at(start);
        let first = clock.now();
        assert!(first.wall.duration_since(start).abs() < SignedDuration::from_secs(2));
        std::thread::sleep(Duration::from_millis(20));
        assert!(clock.now().wall > first.wall && clock.now().mono > first.mono);
    }

    #[test]
    fn a_simulated_clock_moves_only_when_moved() {
        let clock = SimulatedClock::new("2026-10-25T00:30:00Z".parse().unwrap());
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.mono().since(before.mono), Duration::from_secs(90));
        assert_eq!(clock.now().wall.duration_since(before.wall), SignedDuration::from_secs(90));
    }
}
