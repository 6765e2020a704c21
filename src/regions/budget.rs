//! The inference budget of one camera, counted per detection pass.

/// Average number of inferences in a detection pass, on a box that keeps up. Two processor cores are enough for three
/// cameras at four passes a second.
pub const INFERENCES_PER_PASS: f32 = 2.0;
/// The most inferences that can be saved for busy passes.
const MAX_SAVED: f32 = 4.0;
/// The detector is overloaded above this share of busy time.
const OVERLOADED: f32 = 0.97;
/// The detector has spare time below this share of busy time.
const SPARE: f32 = 0.85;

/// A token bucket: a series of n passes gets at most n times [`INFERENCES_PER_PASS`] inferences, plus four.
///
/// Tokens are added per pass and not per second: when passes come late, the box is already short of inferences.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    per_pass: f32,
    saved: f32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { per_pass: INFERENCES_PER_PASS, saved: 0.0 }
    }
}

impl Budget {
    /// Average number of inferences in a pass.
    pub(super) fn per_pass(&self) -> f32 {
        self.per_pass
    }

    /// Cuts the budget by a tenth when the detector is overloaded, and raises it slowly when the detector has spare time.
    /// `busy` is the share of time in which the detector worked, 0 to 1.
    pub(super) fn adapt(&mut self, busy: f32) {
        if busy > OVERLOADED {
            self.per_pass = (self.per_pass * 0.9).max(1.0);
        } else if busy < SPARE {
            self.per_pass = (self.per_pass + 0.05).min(INFERENCES_PER_PASS);
        }
    }

    /// Adds the tokens of one pass.
    pub(super) fn add_pass(&mut self) {
        self.saved = (self.saved + self.per_pass).min(MAX_SAVED);
    }

    pub(super) fn has_one(&self) -> bool {
        self.saved >= 1.0
    }

    /// True when more is saved than the next pass adds anyway.
    pub(super) fn has_plenty(&self) -> bool {
        self.saved >= MAX_SAVED - 1.0
    }

    /// Takes one inference; false when none is left.
    pub(super) fn spend(&mut self) -> bool {
        let has_one = self.has_one();
        self.saved -= f32::from(u8::from(has_one));
        has_one
    }
}
