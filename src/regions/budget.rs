//! Detector runs, given out by looks.

/// Runs a look on average where the box keeps up. Two cores with three cameras at four looks a second pay for it.
pub const RUNS_A_LOOK: f32 = 2.0;
/// Runs that can be saved for looks at which much happens.
const SAVED_AT_MOST: f32 = 4.0;

/// A detector that works for more than this share of the time does not keep up ...
const BUSY: f32 = 0.97;
/// ... and below this it has time for more.
const IDLE: f32 = 0.85;

/// A token bucket of runs: in any stretch of looks no more than [`RUNS_A_LOOK`] for each, and four.
///
/// Runs are given by the look and not by the second: where looks come late, the box is short of runs as it is.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    per_look: f32,
    saved: f32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { per_look: RUNS_A_LOOK, saved: 0.0 }
    }
}

impl Budget {
    /// Runs a look on average.
    pub(super) fn per_look(&self) -> f32 {
        self.per_look
    }

    /// Less when the detector is never idle, by a tenth at a time; more, by little, when it has time to spare.
    pub(super) fn adapt(&mut self, busy: f32) {
        if busy > BUSY {
            self.per_look = (self.per_look * 0.9).max(1.0);
        } else if busy < IDLE {
            self.per_look = (self.per_look + 0.05).min(RUNS_A_LOOK);
        }
    }

    pub(super) fn accrue(&mut self) {
        self.saved = (self.saved + self.per_look).min(SAVED_AT_MOST);
    }

    pub(super) fn has_one(&self) -> bool {
        self.saved >= 1.0
    }

    /// True when more is saved than the next look is given anyway.
    pub(super) fn has_plenty(&self) -> bool {
        self.saved >= SAVED_AT_MOST - 1.0
    }

    /// Takes one run; false when none is left.
    pub(super) fn spend(&mut self) -> bool {
        let has = self.has_one();
        self.saved -= f32::from(u8::from(has));
        has
    }
}
