//! Where a camera's frames come from.

use std::time::Duration;

use crate::frame::Frame;

/// What a reader of a recording got within its wait.
#[derive(Debug)]
pub enum Next {
    /// A picture.
    Frame(Frame),
    /// Nothing within the wait.
    Quiet,
    /// The session is over; open a new one.
    Ended(EndReason),
}

/// Why a session ended. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndReason {
    /// End of stream: normal for a recording, a failure for a camera.
    #[error("end of stream")]
    EndOfStream,
    /// The pipeline reported an error.
    #[error("{0}")]
    Failed(String),
    /// The camera rejected the login.
    #[error("{0}")]
    Unauthorised(String),
    /// The camera sends what cannot be used: another codec, too large a picture, an unknown pixel format.
    #[error("{0}")]
    Unsuitable(String),
}

impl EndReason {
    /// Whether a person must act first. To retry at once is pointless then, or worse: cameras lock accounts after a few
    /// wrong passwords.
    pub fn needs_a_person(&self) -> bool {
        matches!(self, Self::Unauthorised(_) | Self::Unsuitable(_))
    }
}

/// One session that puts a camera's frames into its slot: one connection to a camera, or one pass over a recording.
/// Dropping it ends the session.
pub trait FrameSource: Send {
    /// Waits at most `timeout` for the end of the session; `None` while it continues.
    fn wait_for_end(&mut self, timeout: Duration) -> Option<EndReason>;
}
