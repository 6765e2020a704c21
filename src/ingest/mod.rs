//! Camera sessions: connect, decode, put the newest frame into the camera's slot, reconnect.
//!
//! GStreamer's streaming thread checks, counts and stamps a decoded picture and puts it, unconverted, into the camera's
//! slot ([`LatestFrames`]), where a newer frame replaces an older one. The detector takes it from there; no other queue
//! lies between. The [`Supervisor`]'s thread watches the age of the newest frame and opens the next session when one
//! ends. A recording that is read frame by frame ([`ClipReader`]) has no slot: its decoder waits for the reader.
//!
//! Nothing is dropped before the decoder: that would smear every picture up to the next key frame. What is dropped
//! after it is counted in [`IngestStats`].

mod appsink;
mod backlog;
mod clip;
mod delivery;
mod failure;
mod latest_frame;
mod picture;
mod pipeline;
mod reporter;
mod rtsp;
mod source;
mod stats;
mod supervisor;
mod teardown;
#[cfg(test)]
mod testing;

pub use clip::{ClipReader, ClipSource};
pub use latest_frame::{FrameSlot, LatestFrames, Newest};
pub use pipeline::OpenError;
pub use rtsp::{RtspCamera, RtspSource};
pub use source::{EndReason, FrameSource, Next};
pub use stats::IngestStats;
pub use supervisor::{RunEnd, Supervisor};

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Camera, Stream};

/// Opens a session with a configured camera; a recording plays in real time, from now.
pub fn open_camera(
    camera: &Camera,
    clock: &Arc<dyn Clock>,
    slot: &FrameSlot,
    stats: &Arc<IngestStats>,
) -> Result<Box<dyn FrameSource>, OpenError> {
    match &camera.stream {
        Stream::Rtsp { url, transport, login } => {
            let target = RtspCamera {
                camera: &camera.id,
                url,
                transport: *transport,
                login: login.as_ref(),
                codec: camera.codec,
            };
            Ok(Box::new(RtspSource::open(&target, Arc::clone(clock), slot.clone(), Arc::clone(stats))?))
        }
        Stream::Clip(path) => {
            let start = clock.now();
            Ok(Box::new(ClipSource::open(&camera.id, path, start, slot.clone(), Arc::clone(stats))?))
        }
    }
}
