//! Detects steps of the wall clock by comparing it with the monotonic clock.

use jiff::SignedDuration;

use super::Stamp;

/// A deviation from the time since boot that counts as a step. Slewing by a time server changes the rate of both clocks
/// alike, so it never adds up to a deviation; a leap second does.
const STEP: SignedDuration = SignedDuration::from_millis(500);

/// Finds steps of the wall clock in readings that come in order, within one boot.
#[derive(Clone, Copy, Debug)]
pub struct StepDetector {
    /// The wall clock minus the time since boot.
    ahead: SignedDuration,
}

impl StepDetector {
    /// Finds steps after `at`.
    pub fn new(at: Stamp) -> Self {
        Self { ahead: ahead(at) }
    }

    /// The size of a step since the reading before, if there was one; negative where the clock was set back.
    pub fn step(&mut self, at: Stamp) -> Option<SignedDuration> {
        let by = ahead(at).saturating_sub(self.ahead);
        if by.abs() < STEP {
            return None;
        }
        self.ahead = ahead(at);
        Some(by)
    }
}

fn ahead(at: Stamp) -> SignedDuration {
    let since_boot = SignedDuration::try_from(at.mono.since_boot()).unwrap_or(SignedDuration::MAX);
    at.wall.as_duration().saturating_sub(since_boot)
}

/// Why a reading is in the logbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadingReason {
    /// The daemon started.
    Start,
    /// The wall clock was stepped.
    Stepped,
    /// A time server has set the clock.
    Synchronised,
    /// No time server sets the clock any more.
    SynchronisationLost,
}

impl ReadingReason {
    /// The word in the logbook.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stepped => "stepped",
            Self::Synchronised => "synchronised",
            Self::SynchronisationLost => "synchronisation lost",
        }
    }
}

/// A reading of the clocks for the logbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// Both clocks.
    pub at: Stamp,
    /// The id of the boot; empty where the system does not say.
    pub boot: String,
    /// Whether a time server sets the clock; `None` where the system does not say.
    pub synchronised: Option<bool>,
    /// The step of the wall clock since the reading before; negative where it was set back.
    pub stepped: SignedDuration,
    /// Why the reading was taken.
    pub reason: ReadingReason,
}

/// Compares the clocks at each check and returns what belongs in the logbook.
#[derive(Clone, Debug)]
pub struct ClockWatch {
    boot: String,
    steps: StepDetector,
    synchronised: Option<bool>,
}

impl ClockWatch {
    /// Starts in the boot with this id. Also returns the first reading, with the reason `start`.
    pub fn begin(at: Stamp, boot: String, synchronised: Option<bool>) -> (Self, ClockReading) {
        let watch = Self { boot, steps: StepDetector::new(at), synchronised };
        let reading = watch.reading(at, SignedDuration::ZERO, ReadingReason::Start);
        (watch, reading)
    }

    /// Compares the clocks now. Returns no reading while there was no step and no change of synchronisation.
    pub fn check(&mut self, at: Stamp, synchronised: Option<bool>) -> Vec<ClockReading> {
        let mut readings = Vec::new();
        let before = std::mem::replace(&mut self.synchronised, synchronised);
        if let Some(by) = self.steps.step(at) {
            readings.push(self.reading(at, by, ReadingReason::Stepped));
        }
        let changed = match (before == Some(true), synchronised == Some(true)) {
            (false, true) => Some(ReadingReason::Synchronised),
            (true, false) => Some(ReadingReason::SynchronisationLost),
            _ => None,
        };
        readings.extend(changed.map(|reason| self.reading(at, SignedDuration::ZERO, reason)));
        readings
    }

    fn reading(&self, at: Stamp, stepped: SignedDuration, reason: ReadingReason) -> ClockReading {
        ClockReading { at, boot: self.boot.clone(), synchronised: self.synchronised, stepped, reason }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::clock::{Clock, SimulatedClock};

    fn clock() -> SimulatedClock {
        SimulatedClock::new("2026-10-25T00:30:00Z".parse().unwrap())
    }

    #[test]
    fn a_step_gives_one_reading() {
        let clock = clock();
        let (mut watch, first) = ClockWatch::begin(clock.now(), "b".into(), None);
        assert_eq!((first.reason, first.stepped), (ReadingReason::Start, SignedDuration::ZERO));
        for by in [3600, -3600, -56 * 365 * 86_400, 2] {
            clock.advance(Duration::from_secs(1));
            assert_eq!(watch.check(clock.now(), None), []);
            clock.step(SignedDuration::from_secs(by));
            let readings = watch.check(clock.now(), None);
            assert_eq!(readings.len(), 1);
            assert_eq!((readings[0].stepped.as_secs(), readings[0].reason), (by, ReadingReason::Stepped));
            assert_eq!(watch.check(clock.now(), None), []);
        }
    }

    #[test]
    fn a_change_of_synchronisation_gives_a_reading() {
        let clock = clock();
        let (mut watch, first) = ClockWatch::begin(clock.now(), "b".into(), Some(false));
        assert_eq!(first.synchronised, Some(false));
        clock.step(SignedDuration::from_hours(5));
        let readings: Vec<_> =
            watch.check(clock.now(), Some(true)).iter().map(|r| (r.reason, r.synchronised)).collect();
        assert_eq!(
            readings,
            [(ReadingReason::Stepped, Some(true)), (ReadingReason::Synchronised, Some(true))]
        );
        assert_eq!(watch.check(clock.now(), Some(true)), []);
        assert_eq!(watch.check(clock.now(), Some(false))[0].reason, ReadingReason::SynchronisationLost);
        assert_eq!(watch.check(clock.now(), None), [], "unknown after unsynchronised is no change");
    }

    proptest! {
        /// Finds each step to the millisecond at any interval between readings, and nothing else.
        #[test]
        fn steps_are_found_and_nothing_else(turns in prop::collection::vec((1u64..5000, prop::option::weighted(0.2, -90_000_000i64..90_000_000)), 1..60)) {
            let clock = clock();
            let mut steps = StepDetector::new(clock.now());
            for (passed, step) in turns {
                clock.advance(Duration::from_millis(passed));
                let step = step.filter(|by| by.abs() >= 500).map(SignedDuration::from_millis);
                clock.step(step.unwrap_or_default());
                prop_assert_eq!(steps.step(clock.now()), step);
            }
        }
    }
}
