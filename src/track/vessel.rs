//! Vessel numbers.

use std::fmt;

/// The number of a vessel; unique in a logbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VesselId(pub u64);

impl fmt::Display for VesselId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Assigns vessel numbers, each once. All cameras of a box share one counter, so that a number means one vessel in the
/// whole logbook.
#[derive(Debug, Default)]
pub struct VesselCounter {
    last: u64,
}

impl VesselCounter {
    /// A counter that continues after `last`, the highest number in the logbook.
    pub fn after(last: VesselId) -> Self {
        Self { last: last.0 }
    }

    /// The next number; the first is 1.
    pub fn next_id(&mut self) -> VesselId {
        self.last += 1;
        VesselId(self.last)
    }
}
