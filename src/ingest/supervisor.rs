//! Keeps one camera streaming: session after session, for as long as the daemon runs.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::latest_frame::FrameSlot;
use super::pipeline::OpenError;
use super::reporter::StateReporter;
use super::source::{EndReason, FrameSource};
use super::stats::{IngestStats, count};
use crate::backoff::{Backoff, Delays};
use crate::camera_state::{CameraChange, CameraState};
use crate::clock::{Clock, MonoTime};
use crate::config::{Camera, Stream};
use crate::ids::CameraId;

/// Stop requests and heartbeats are handled at least this often, and new frames noticed.
const SLICE: Duration = Duration::from_millis(100);
/// A camera that is back shows frames within 5 s: at most this much waiting, the rest to connect.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));
/// Where a person must act first, frequent retries only fill logs and lock accounts.
const RETRY_FAULTY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
const JITTER_PERCENT: u32 = 50;
/// After a session this long the next failure starts with short delays again.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// Pipelines that do not stop hold threads and memory; with this many, a fresh process is the better camera.
const MOST_LEAKS: u64 = 8;

/// How a supervisor ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// It was asked to stop.
    Stopped,
    /// A recording played to its end.
    ClipEnded,
    /// Too many pipelines hang in tear-down: the process should exit and be started again.
    TooManyLeaks,
}

/// What keeps one camera streaming, on a thread of its own.
pub struct Supervisor {
    /// Which camera.
    pub camera: CameraId,
    /// A recording ends; a camera does not.
    pub live: bool,
    /// A camera whose newest frame is older than this has stalled.
    pub stall_after: Duration,
    /// Time for the first frame of a session.
    pub first_frame_within: Duration,
    /// Measures ages and delays.
    pub clock: Arc<dyn Clock>,
    /// Where the sessions put frames.
    pub slot: FrameSlot,
    /// Counters.
    pub stats: Arc<IngestStats>,
    /// Ends the supervisor within a second.
    pub stop: CancellationToken,
}

impl Supervisor {
    /// Of `camera`, whose sessions fill `slot`.
    pub fn new(
        camera: &Camera,
        clock: Arc<dyn Clock>,
        slot: FrameSlot,
        stats: Arc<IngestStats>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            camera: camera.id.clone(),
            live: matches!(camera.stream, Stream::Rtsp { .. }),
            stall_after: camera.stall_after,
            first_frame_within: camera.first_frame_within,
            clock,
            slot,
            stats,
            stop,
        }
    }

    /// Runs sessions until stopped. `open` opens one; `on_change` gets each change of state that is worth a logbook row;
    /// `beat` is called several times a second.
    pub fn run(
        self,
        mut open: impl FnMut() -> Result<Box<dyn FrameSource>, OpenError>,
        on_change: impl FnMut(CameraChange),
        mut beat: impl FnMut(),
    ) -> RunEnd {
        let mut reporter = StateReporter::new(&self.camera, &*self.clock, on_change);
        let mut retries = Retries::new(self.seed());
        let mut why = "first connection".to_owned();
        while !self.stop.is_cancelled() {
            reporter.report(CameraState::Connecting, &why);
            count(&self.stats.sessions);
            let opened = self.clock.mono();
            let mut source = open();
            let result = match &mut source {
                Ok(source) => self.follow(source.as_mut(), opened, &mut reporter, &mut beat),
                Err(error) => SessionResult { end: SessionEnd::NotOpened(error.to_string()), good: false },
            };
            if result.good {
                retries.reset();
                reporter.retries = 0;
            }
            if matches!(result.end, SessionEnd::Stopped) {
                break;
            }
            if !self.live && matches!(result.end, SessionEnd::Ended(EndReason::EndOfStream)) {
                reporter.report(CameraState::Stopped, "the recording ended");
                return RunEnd::ClipEnded;
            }
            let (reason, delay) = retries.after(result.end);
            reporter.retries = reporter.retries.saturating_add(1);
            reporter.report(CameraState::BackingOff, &reason);
            // After the report, because this may take a while.
            drop(source);
            if self.stats.leaked_pipelines.load(Relaxed) >= MOST_LEAKS {
                reporter.report(CameraState::Stopped, "too many sessions hang while they are closed");
                return RunEnd::TooManyLeaks;
            }
            self.pause(delay, &mut beat);
            why = format!("again after: {reason}");
        }
        reporter.report(CameraState::Stopped, "shutdown");
        RunEnd::Stopped
    }

    /// Different for each camera and start, so that cameras do not reconnect in step.
    fn seed(&self) -> u64 {
        let hash = |hash: u64, byte: u8| hash.wrapping_mul(31).wrapping_add(byte.into());
        self.clock.mono().since_boot().as_nanos() as u64 ^ self.camera.as_str().bytes().fold(0, hash)
    }

    /// Follows one session, opened at that time, to its end.
    fn follow(
        &self,
        source: &mut dyn FrameSource,
        opened: MonoTime,
        reporter: &mut StateReporter<'_, impl FnMut(CameraChange)>,
        beat: &mut impl FnMut(),
    ) -> SessionResult {
        let mut first: Option<MonoTime> = None;
        let mut last = opened;
        let end = loop {
            beat();
            if self.stop.is_cancelled() {
                break SessionEnd::Stopped;
            }
            let ended = source.wait_for_end(SLICE);
            // Before the end is handled: a short session may have given pictures, too.
            if let Some(newest) = self.slot.newest().filter(|newest| newest.stamp.mono >= opened) {
                last = newest.stamp.mono;
                if first.is_none() {
                    first = Some(last);
                    let size = newest.size;
                    let reason = format!("pictures of {}x{}", size.width, size.height);
                    reporter.report(CameraState::Streaming, &reason);
                }
            }
            if let Some(reason) = ended {
                break SessionEnd::Ended(reason);
            }
            let limit = if first.is_some() { self.stall_after } else { self.first_frame_within };
            if self.live && self.clock.mono().since(last) >= limit {
                count(&self.stats.stalls);
                let what = if first.is_some() { "no picture for" } else { "no first picture within" };
                let reason = format!("{what} {} s", limit.as_secs_f32());
                reporter.report(CameraState::Stalled, &reason);
                break SessionEnd::Stalled(reason);
            }
        };
        SessionResult { end, good: first.is_some_and(|first| last.since(first) >= GOOD_AFTER) }
    }

    fn pause(&self, delay: Duration, beat: &mut impl FnMut()) {
        let begun = self.clock.mono();
        while !self.stop.is_cancelled() && self.clock.mono().since(begun) < delay {
            beat();
            std::thread::sleep(SLICE.min(delay));
        }
    }
}

struct SessionResult {
    end: SessionEnd,
    /// Whether it lasted for [`GOOD_AFTER`].
    good: bool,
}

enum SessionEnd {
    Stopped,
    Ended(EndReason),
    NotOpened(String),
    Stalled(String),
}

/// Delays before the next session.
struct Retries {
    quick: Delays,
    /// After failures that a person must repair.
    slow: Delays,
}

impl Retries {
    fn new(seed: u64) -> Self {
        Self { quick: delays(RETRY, seed), slow: delays(RETRY_FAULTY, seed) }
    }

    fn reset(&mut self) {
        self.quick.reset();
        self.slow.reset();
    }

    /// Why the session ended, for people, and the delay before the next.
    fn after(&mut self, end: SessionEnd) -> (String, Duration) {
        match end {
            SessionEnd::Stopped => ("shutdown".to_owned(), Duration::ZERO),
            SessionEnd::Ended(EndReason::EndOfStream) => {
                ("the camera closed the stream".to_owned(), self.quick.next_delay())
            }
            SessionEnd::Ended(end) if end.needs_a_person() => (end.to_string(), self.slow.next_delay()),
            SessionEnd::Ended(end) => (end.to_string(), self.quick.next_delay()),
            SessionEnd::NotOpened(reason) => (reason, self.slow.next_delay()),
            SessionEnd::Stalled(reason) => (reason, self.quick.next_delay()),
        }
    }
}

fn delays((min, max): (Duration, Duration), seed: u64) -> Delays {
    Backoff::new(min, max, JITTER_PERCENT)
        .map(|policy| policy.delays(seed))
        .expect("the constants above are a valid policy")
}

#[cfg(test)]
#[path = "supervisor_tests.rs"]
mod tests;
