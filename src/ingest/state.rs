//! The states of a camera.

use crate::clock::Stamp;

/// What a camera is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CameraState {
    /// A session is being set up; no picture yet.
    #[default]
    Connecting,
    /// Pictures come.
    Streaming,
    /// Connected, but no picture for too long.
    Stalled,
    /// Waiting before the next session.
    BackingOff,
    /// Not watched any more: shutdown, or the end of a recording.
    Stopped,
}

const ALL: [CameraState; 5] = [
    CameraState::Connecting,
    CameraState::Streaming,
    CameraState::Stalled,
    CameraState::BackingOff,
    CameraState::Stopped,
];

impl CameraState {
    /// As written in the logbook, in metrics and on the camera's topic.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Streaming => "streaming",
            Self::Stalled => "stalled",
            Self::BackingOff => "backing-off",
            Self::Stopped => "stopped",
        }
    }

    pub(super) fn index(self) -> u8 {
        self as u8
    }

    pub(super) fn from_index(index: u8) -> Self {
        ALL.get(usize::from(index)).copied().unwrap_or_default()
    }
}

/// A camera's new state, as told to the logbook and to staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// When.
    pub at: Stamp,
    /// What it does now.
    pub state: CameraState,
    /// Why, for people; without numbers that vary from one try to the next.
    pub reason: String,
    /// Sessions tried since the last good one.
    pub retries: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_its_index() {
        for state in ALL {
            assert_eq!(CameraState::from_index(state.index()), state);
        }
    }
}
