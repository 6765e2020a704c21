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

/// Why a session ended. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndReason {
    /// End of stream: normal for a clip, a failure for a camera.
    #[error("end of stream")]
    EndOfStream,
    /// The pipeline reported an error.
    #[error("{0}")]
    Failed(String),
    /// The camera refused the login.
    #[error("{0}")]
    Unauthorised(String),
    /// The camera sends what cannot be watched: another codec, too large a picture, an unknown pixel format.
    #[error("{0}")]
    Unsuitable(String),
}

impl EndReason {
    /// A bounded name for metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EndOfStream => "end-of-stream",
            Self::Failed(_) => "failed",
            Self::Unauthorised(_) => "unauthorised",
            Self::Unsuitable(_) => "unsuitable",
        }
    }

    /// Whether trying again at once is pointless, or worse: cameras lock accounts after some wrong passwords.
    pub fn needs_a_person(&self) -> bool {
        matches!(self, Self::Unauthorised(_) | Self::Unsuitable(_))
    }
}

/// One connection to a camera, or one pass over a clip. Dropping it tears the connection down.
pub trait FrameSource: Send {
    /// Waits at most `wait` for the next frame.
    fn next(&mut self, wait: Duration) -> Next;
}
