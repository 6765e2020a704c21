//! A recording under way, as a replay plays it: which of its frames are looked at depends on the recording and the
//! camera alone, so whoever plays it again finds the same ones.

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

/// One pass over one camera's recording.
pub(super) struct Reel {
    source: ClipReader,
    turns: FairScheduler,
    frames: u64,
}

impl Reel {
    /// Opens `clip` as what `camera` saw from `start` on.
    pub(super) fn open(camera: &Camera, clip: &Path, start: Stamp) -> Result<Self, OpenError> {
        let source = ClipReader::open(&camera.id, clip, start, Arc::default())?;
        Ok(Self { source, turns: FairScheduler::new(&[camera.detect_fps]), frames: 0 })
    }

    /// Decodes on to the next frame that is due a look; `None` at the recording's end.
    pub(super) fn next_due(&mut self) -> anyhow::Result<Option<Frame>> {
        loop {
            match self.source.next(Duration::from_secs(10)) {
                Next::Frame(frame) => {
                    self.frames += 1;
                    if self.turns.pick(frame.stamp.mono, &[true]).is_some() {
                        return Ok(Some(frame));
                    }
                }
                Next::Ended(EndReason::EndOfStream) => return Ok(None),
                Next::Ended(reason) => bail!("the clip cannot be played: {reason}"),
                Next::Quiet => bail!("the clip gave no frame for 10 s"),
            }
        }
    }

    /// Frames decoded so far, looked at or not.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }
}

/// A line on standard error that says how far it is; nothing where that is no terminal.
pub(super) fn progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_style(
        ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar
}

/// How far into the recording `at` is, in words; recordings begin at boot.
pub(super) fn played(at: &Stamp) -> String {
    let recorded = at.mono.since_boot().as_secs();
    format!("{} min {:02} s of the recording", recorded / 60, recorded % 60)
}
