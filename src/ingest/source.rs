//! What frames come out of.

use std::time::Duration;

use crate::frame::Frame;

/// What a wait for a frame brought.
#[derive(Debug)]
pub enum Next {
    /// A picture.
    Frame(Frame),
    /// Nothing within the wait.
    Quiet,
    /// The session is over; make a new one.
    Ended(EndReason),
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndReason {
    /// End of stream: normal for a clip, a failure for a camera.
    #[error("end of stream")]
    EndOfStream,
    /// The pipeline reported an error.
    #[error("{0}")]
    Failed(String),
}

/// One connection to a camera, or one pass over a clip. Dropping it tears the connection down.
pub trait FrameSource: Send {
    /// Waits at most `wait` for the next frame.
    fn next(&mut self, wait: Duration) -> Next;
}
