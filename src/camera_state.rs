//! What a camera's sessions are doing: one enum for ingest, logbook, alerts and web.

use serde::{Deserialize, Serialize};

use crate::clock::Stamp;
use crate::ids::CameraId;

/// What a camera is doing. Its text (`backing-off`) is that of the logbook, the metrics and the camera's topic.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum CameraState {
    /// A session is being set up; no picture yet.
    #[default]
    Connecting,
    /// Pictures arrive.
    Streaming,
    /// Connected, but no picture for too long.
    Stalled,
    /// Waiting before the next session.
    BackingOff,
    /// No further session: shutdown, or the end of a recording.
    Stopped,
}

impl CameraState {
    /// Its text.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A camera's new state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraChange {
    /// Which camera.
    pub camera: CameraId,
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
    fn json_and_text_are_the_same_word() {
        for state in [CameraState::Streaming, CameraState::BackingOff] {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
        assert_eq!(CameraState::BackingOff.as_str(), "backing-off");
    }
}
