//! What time it is: the one place that asks the machine.
//!
//! Two clocks, because each answers another question. [`MonoTime`] counts from boot and never steps: it measures
//! dwell, stalls and back-off. The wall clock says which night it is: schedules and the logbook use it. It may be wrong,
//! and then somebody puts it right: [`ClockWatch`] notices.

mod watch;

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use watch::{ClockReading, ClockWatch, Reason, Steps};

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

/// A wall clock that reads an earlier moment (2025-01-01) has not been set since the machine was switched on: this program
/// did not exist then.
pub const SET_SINCE: Timestamp = Timestamp::constant(1_735_689_600, 0);

/// Whether somebody has set the wall clock that reads `wall`.
pub fn is_set(wall: Timestamp) -> bool {
    wall >= SET_SINCE
}

/// Where time comes from. Real in the daemon, the recording's in replay, by hand in tests.
pub trait Clock: Send + Sync {
    /// This moment on both clocks.
    fn now(&self) -> Stamp;

    /// This moment on the monotonic clock.
    fn mono(&self) -> MonoTime {
        self.now().mono
    }
}

/// The machine's clocks; the wall clock may be shifted for drills, so that night rules can be shown by day.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock {
    wall_shift: SignedDuration,
}

impl SystemClock {
    /// A clock whose wall time reads `start` at this moment and runs on from there.
    pub fn starting_at(start: Timestamp) -> Self {
        let unshifted = Self::default().now().wall;
        Self { wall_shift: start.duration_since(unshifted) }
    }

    /// How far the wall clock is shifted; zero but in drills.
    pub fn wall_shift(&self) -> SignedDuration {
        self.wall_shift
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else asks")]
    fn now(&self) -> Stamp {
        let (mut boot, mut unshifted) = (since_boot(), Timestamp::now());
        // A thread may be put aside between the two readings, and then they are not of one moment.
        for _ in 0..3 {
            if since_boot().saturating_sub(boot) < TOGETHER {
                break;
            }
            (boot, unshifted) = (since_boot(), Timestamp::now());
        }
        // Only a clock outside years -9999..9999 can fail to shift; then the unshifted one is still true.
        let wall = unshifted.checked_add(self.wall_shift).unwrap_or(unshifted);
        Stamp { mono: MonoTime(boot), wall }
    }
}

/// Readings of both clocks within this are of one moment.
const TOGETHER: Duration = Duration::from_millis(10);

fn since_boot() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// Processor time that this thread has used, and that the whole process has used.
pub fn processor_time() -> (Duration, Duration) {
    let used = |clock| nix::time::clock_gettime(clock).map_or(Duration::ZERO, Duration::from);
    (used(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID), used(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID))
}

/// A clock that stands still until told otherwise: the recording's in replay, the script's in tests.
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

    /// Somebody puts the wall clock forward, or back.
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
    fn a_drill_clock_starts_where_told_and_runs_on() {
        let start: Timestamp = "2026-06-01T20:13:00Z".parse().unwrap();
        let clock = SystemClock::starting_at(start);
        let first = clock.now();
        assert!(first.wall.duration_since(start).abs() < SignedDuration::from_secs(2));
        std::thread::sleep(Duration::from_millis(20));
        assert!(clock.now().wall > first.wall && clock.now().mono > first.mono);
    }

    #[test]
    fn a_simulated_clock_moves_only_when_told() {
        let clock = SimulatedClock::new("2026-10-25T00:30:00Z".parse().unwrap());
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.mono().since(before.mono), Duration::from_secs(90));
        assert_eq!(clock.now().wall.duration_since(before.wall), SignedDuration::from_secs(90));
    }
}
