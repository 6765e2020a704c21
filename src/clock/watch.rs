//! Whether the wall clock can be believed: it is held against the clock that never steps.

use jiff::SignedDuration;

use super::Stamp;

/// A wall clock that is this far from where the time since boot puts it has been stepped. A time server that slews it
/// changes the pace of both clocks alike, so slewing never adds up to this; a leap second does.
const STEP: SignedDuration = SignedDuration::from_millis(500);

/// Finds steps of the wall clock in moments that come one after the other, of one boot.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// What the wall clock is ahead of the time since boot.
    ahead: SignedDuration,
}

impl Steps {
    /// From this moment on.
    pub fn new(at: Stamp) -> Self {
        Self { ahead: ahead(at) }
    }

    /// By how much the wall clock was put forward (or back: negative) since the last step, when it was.
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

/// Why a reading was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The watch began.
    Start,
    /// The wall clock no longer ran together with the time since boot.
    Stepped,
    /// A time server has set the clock.
    Synchronised,
    /// The clock is no longer held to a time server.
    SynchronisationLost,
}

impl Reason {
    /// As the logbook has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stepped => "stepped",
            Self::Synchronised => "synchronised",
            Self::SynchronisationLost => "synchronisation lost",
        }
    }
}

/// What the clocks said, and why that is worth a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// Both clocks.
    pub at: Stamp,
    /// Which boot the time since boot is of; empty where the system does not say.
    pub boot: String,
    /// Whether a time server holds the clock; `None` where the system does not say.
    pub synchronised: Option<bool>,
    /// By how much the wall clock has been put forward (or back: negative) since the reading before.
    pub stepped: SignedDuration,
    /// Why it was written down.
    pub reason: Reason,
}

/// Watches the clocks: what is to be written down of them.
#[derive(Clone, Debug)]
pub struct ClockWatch {
    boot: String,
    steps: Steps,
    synchronised: Option<bool>,
}

impl ClockWatch {
    /// Begins to watch, in the boot of this name. The first reading is of the start.
    pub fn begin(at: Stamp, boot: String, synchronised: Option<bool>) -> (Self, ClockReading) {
        let watch = Self { boot, steps: Steps::new(at), synchronised };
        let reading = watch.reading(at, SignedDuration::ZERO, Reason::Start);
        (watch, reading)
    }

    /// Takes in what the clocks say now. Nothing while they run together and nobody's word on them changes.
    pub fn look(&mut self, at: Stamp, synchronised: Option<bool>) -> Vec<ClockReading> {
        let mut readings = Vec::new();
        let before = std::mem::replace(&mut self.synchronised, synchronised);
        if let Some(by) = self.steps.step(at) {
            readings.push(self.reading(at, by, Reason::Stepped));
        }
        let changed = match (before == Some(true), synchronised == Some(true)) {
            (false, true) => Some(Reason::Synchronised),
            (true, false) => Some(Reason::SynchronisationLost),
            _ => None,
        };
        readings.extend(changed.map(|reason| self.reading(at, SignedDuration::ZERO, reason)));
        readings
    }

    fn reading(&self, at: Stamp, stepped: SignedDuration, reason: Reason) -> ClockReading {
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
    fn a_step_is_written_down_once_with_what_the_clock_said_before_and_after() {
        let clock = clock();
        let (mut watch, first) = ClockWatch::begin(clock.now(), "b".into(), None);
        assert_eq!((first.reason, first.stepped), (Reason::Start, SignedDuration::ZERO));
        for by in [3600, -3600, -56 * 365 * 86_400, 2] {
            clock.advance(Duration::from_secs(1));
            assert_eq!(watch.look(clock.now(), None), []);
            clock.step(SignedDuration::from_secs(by));
            let told = watch.look(clock.now(), None);
            assert_eq!(told.len(), 1);
            assert_eq!((told[0].stepped.as_secs(), told[0].reason), (by, Reason::Stepped));
            assert_eq!(watch.look(clock.now(), None), []);
        }
    }

    #[test]
    fn who_holds_the_clock_is_written_down_when_that_changes() {
        let clock = clock();
        let (mut watch, first) = ClockWatch::begin(clock.now(), "b".into(), Some(false));
        assert_eq!(first.synchronised, Some(false));
        clock.step(SignedDuration::from_hours(5));
        let told: Vec<_> =
            watch.look(clock.now(), Some(true)).iter().map(|r| (r.reason, r.synchronised)).collect();
        assert_eq!(told, [(Reason::Stepped, Some(true)), (Reason::Synchronised, Some(true))]);
        assert_eq!(watch.look(clock.now(), Some(true)), []);
        assert_eq!(watch.look(clock.now(), Some(false))[0].reason, Reason::SynchronisationLost);
        assert_eq!(watch.look(clock.now(), None), [], "not to say is not to lose");
    }

    proptest! {
        /// A step is found to the millisecond among readings of any pace, and what is slower than a step is none.
        #[test]
        fn steps_are_found_and_nothing_else(turns in prop::collection::vec((1u64..5000, prop::option::weighted(0.2, -90_000_000i64..90_000_000)), 1..60)) {
            let clock = clock();
            let mut steps = Steps::new(clock.now());
            for (passed, step) in turns {
                clock.advance(Duration::from_millis(passed));
                let step = step.filter(|by| by.abs() >= 500).map(SignedDuration::from_millis);
                clock.step(step.unwrap_or_default());
                prop_assert_eq!(steps.step(clock.now()), step);
            }
        }
    }
}
