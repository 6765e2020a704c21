//! Plays a recording as `replay` does. The choice of frames depends only on the recording and the camera, so every playback
//! gives the same frames.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};

use crate::clock::Stamp;
use crate::config::Camera;
use crate::detect::FairScheduler;
use crate::frame::Frame;
use crate::ingest::{ClipReader, EndReason, Next, OpenError};

/// The playback of one camera's recording.
pub(super) struct Recording {
    source: ClipReader,
    scheduler: FairScheduler,
    frames: u64,
}

impl Recording {
    /// Opens `clip` as a recording of `camera` that begins at `start`.
    pub(super) fn open(camera: &Camera, clip: &Path, start: Stamp) -> Result<Self, OpenError> {
        let source = ClipReader::open(&camera.id, clip, start, Arc::default())?;
        Ok(Self { source, scheduler: FairScheduler::new(&[camera.detect_fps]), frames: 0 })
    }

    /// The next frame for which a detection pass is due; `None` at the end of the recording.
    pub(super) fn next_due(&mut self) -> anyhow::Result<Option<Frame>> {
        loop {
            match self.source.next(Duration::from_secs(10)) {
                Next::Frame(frame) => {
                    self.frames += 1;
                    if self.scheduler.pick(frame.stamp.mono, &[true]).is_some() {
                        return Ok(Some(frame));
                    }
                }
                Next::Ended(EndReason::EndOfStream) => return Ok(None),
                Next::Ended(reason) => bail!("the clip cannot be played: {reason}"),
                Next::Quiet => bail!("the clip gave no frame for 10 s"),
            }
        }
    }

    /// Number of frames decoded so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }
}

/// A progress line on standard error; hidden when that is not a terminal.
pub(super) fn progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_style(
        ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar
}

/// The position of `at` in the recording, as text. Recordings begin at monotonic time 0.
pub(super) fn played(at: &Stamp) -> String {
    let recorded = at.mono.since_boot().as_secs();
    format!("{} min {:02} s of the recording", recorded / 60, recorded % 60)
}
