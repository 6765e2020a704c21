//! Numbers of vessels.

use std::fmt;

/// The number by which staff know a followed vessel; unique in a logbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VesselId(pub u64);

impl fmt::Display for VesselId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Hands out vessel numbers, each once. One for all cameras of a box, so that a number means one vessel in the
/// whole logbook.
#[derive(Debug, Default)]
pub struct VesselCounter {
    last: u64,
}

impl VesselCounter {
    /// A counter that goes on after `last`, the highest number the logbook knows.
    pub fn after(last: VesselId) -> Self {
        Self { last: last.0 }
    }

    /// The next number; the first of all is 1.
    pub fn next_id(&mut self) -> VesselId {
        self.last += 1;
        VesselId(self.last)
    }
}
