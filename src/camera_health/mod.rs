//! Whether a camera gives usable pictures: measured in the thumbnail of each inspected frame, and by the frames' times and
//! numbers. Pure: no clock, no I/O.
//!
//! # Causes
//!
//! `config/camera-health.md` lists for each [`Cause`] when it holds, after how long it is reported and after how long it is
//! over; a test compares the thresholds there with those in `checks`.
//!
//! A cause must hold in every inspected frame of its time. One outage is reported at a time: of two causes that begin
//! together the earlier in the list, and an outage that was reported lasts until its cause is over. An outage begins with
//! the first frame in which its cause held, and ends when pictures are usable again.
//!
//! # The reference
//!
//! What is usual at a camera (its fixed structures, and how sharp its edges are) is learnt in 20 s of good pictures and
//! follows within half an hour, separately for bright, medium and dark pictures: lamps stand out at night where roofs do
//! by day. Nothing is learnt from a picture in which a cause holds. After a scene change the outage lasts until the scene
//! is back or the daemon starts again: by then somebody has checked that zones fit, and the scene is learnt again. The
//! reference is kept in memory only.
//!
//! # Limits
//!
//! Not found: a shift of less than 2 % of the picture's width; a shift slower than the reference follows; any shift in a
//! picture without fixed structures (open sea); glare on less than half of the picture.

mod cause;
mod checks;
mod debounce;
mod frame_rate;
mod freeze;
mod measures;
mod monitor;
mod outage;
mod reference;
mod scene_change;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use cause::Cause;
pub use monitor::HealthMonitor;
pub use outage::{Outage, OutageChange, OutageEnd};

/// The frame rate is measured over this time.
const FRAME_RATE_WINDOW: Duration = Duration::from_secs(10);
