//! A camera session: pipeline, states, stall watch, back-off, latest-wins slot.
//!
//! GStreamer's streaming thread checks, counts and stamps a decoded picture and hands it over unconverted; the
//! [`Supervisor`]'s thread puts it in the camera's slot ([`FrameSlots`]) and watches its age; the detector takes it.
//! Nothing before the decoder is ever dropped: that would smear every picture up to the next key frame. What is dropped
//! behind it is counted in [`IngestStats`].

mod clip;
mod handover;
mod intake;
mod picture;
mod pipeline;
mod rtsp;
mod slot;
mod source;
mod state;
mod stats;
mod supervisor;
mod teardown;
#[cfg(test)]
mod testing;

pub use clip::{ClipSource, Pace};
pub use pipeline::OpenError;
pub use rtsp::{RtspCamera, RtspSource};
pub use slot::FrameSlots;
pub use source::{EndReason, FrameSource, Next};
pub use state::{CameraState, StateChange};
pub use stats::IngestStats;
pub use supervisor::{RunEnd, Supervisor};

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Camera, Stream};

/// Begins a session with a configured camera; a recording plays in real time, from now.
pub fn open_camera(
    camera: &Camera,
    clock: &Arc<dyn Clock>,
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
            Ok(Box::new(RtspSource::open(&target, Arc::clone(clock), Arc::clone(stats))?))
        }
        Stream::Clip(path) => {
            let (start, pace) = (clock.now(), Pace::RealTime);
            Ok(Box::new(ClipSource::open(&camera.id, path, start, pace, Arc::clone(stats))?))
        }
    }
}
