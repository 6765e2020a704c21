//! Whether a camera sees: from the small luma picture of each look, and from the looks' times and numbers. Pure: no clock,
//! no I/O.
//!
//! # What is found, and when
//!
//! | cause | holds when | told after | over after |
//! |---|---|---|---|
//! | away | no picture came for the camera's `stall_after` | at once | the first picture |
//! | black | all but 2 % of the picture is under level 16 of 255 | 5 s | 3 s |
//! | washed out | half of the picture is at level 250 or above, or nothing stands out and half of it is above 235 | 10 s | 5 s |
//! | fog | nothing stands out: neighbours of the 96 x 54 small pixels differ by less than 2.5 levels, all but 1 % | 15 s | 10 s |
//! | frozen | but for 2 % of the small pixels: none changes by a level, and in two of three looks none by a tenth since the look before | 15 s | 3 s |
//! | moved | what stands still fits the learnt view better elsewhere: likeness under 60 %, and 20 % more with a shift | 10 s | 10 s |
//! | | nothing fits any more: likeness under 30 % | 60 s | 10 s |
//! | out of focus | edges are less than 0.45 as sharp as is usual at this camera, or under 0.25 | 15 s | 10 s |
//! | slow | fewer than 0.4 pictures come for each look that is asked for, over 10 s | at once | 5 s of 0.6 |
//!
//! A cause must hold at every look for the time it is told after. One is told at a time: of two that begin together the
//! earlier in the table, and the one that was told stays until it is over. A spell begins with the first look at which
//! its cause held, and ends when pictures are judged again.
//!
//! # The reference
//!
//! What a camera usually sees (what stands out where, and how sharp its edges are) is learnt in 20 s of good pictures
//! and follows within half an hour, apart for bright, middling and dark pictures, as lamps at night stand out where roofs
//! do by day. Nothing is learnt from a picture of which any cause holds or that does not fit. A moved camera stays blind
//! until its view is back, or until the watch is started again: then somebody has seen to it that zones fit, and the
//! view is learnt anew. It is kept in memory alone.
//!
//! # What is not found
//!
//! A view that shifts by less than two hundredths of the picture's width; one that slips more slowly than the reference
//! follows; a camera of which nothing stands still in the picture (open sea); glare on less than half of the picture.

mod cause;
mod hold;
mod judge;
mod known;
mod measures;
mod pace;
#[cfg(test)]
mod promises;
mod still;
mod view;

use std::time::Duration;

pub use cause::Cause;
pub use judge::{Change, End, Outage, Sight};

/// The pace of pictures is taken over so long.
const PACE_OVER: Duration = Duration::from_secs(10);
