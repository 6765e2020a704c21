//! Keeps one camera watched: session after session, for as long as the daemon runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::pipeline::OpenError;
use super::slot::FrameSlots;
use super::source::{EndReason, FrameSource, Next};
use super::state::{CameraState, StateChange};
use super::stats::{IngestStats, count};
use crate::backoff::{Backoff, Delays};
use crate::clock::{Clock, MonoTime};
use crate::config::{Camera, Stream};
use crate::ids::CameraId;

/// Stop requests and heartbeats are seen to at least this often.
const SLICE: Duration = Duration::from_millis(100);
/// A camera that is back shows frames within 5 s: this much waiting at most, the rest to connect.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));
/// Where a person must act first, trying often only fills logs and locks accounts.
const RETRY_FAULTY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
const JITTER_PERCENT: u32 = 50;
/// A session this long was good: the next problem starts with quick retries again.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// Pipelines that do not come down hold threads and memory; with this many, a fresh process is the better camera.
const MOST_LEAKS: u64 = 8;

/// How a supervisor came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// It was asked to stop.
    Stopped,
    /// A recording played to its end.
    ClipEnded,
    /// Too many pipelines hang in tear-down: the process should exit and be started again.
    TooManyLeaks,
}

/// What watches one camera, on a thread of its own.
pub struct Supervisor {
    /// Which camera.
    pub camera: CameraId,
    /// Its slot.
    pub slot: usize,
    /// A recording ends; a camera does not.
    pub live: bool,
    /// A frame older than this means the camera has stalled.
    pub stall_after: Duration,
    /// Time for the first frame of a session.
    pub first_frame_within: Duration,
    /// Measures ages and delays.
    pub clock: Arc<dyn Clock>,
    /// Where frames go.
    pub slots: Arc<FrameSlots>,
    /// What is counted.
    pub stats: Arc<IngestStats>,
    /// Ends the watch within a second.
    pub stop: CancellationToken,
}

impl Supervisor {
    /// For the camera at index `slot` of the site file.
    pub fn new(
        camera: &Camera,
        slot: usize,
        clock: Arc<dyn Clock>,
        slots: Arc<FrameSlots>,
        stats: Arc<IngestStats>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            camera: camera.id.clone(),
            slot,
            live: matches!(camera.stream, Stream::Rtsp { .. }),
            stall_after: camera.stall_after,
            first_frame_within: camera.first_frame_within,
            clock,
            slots,
            stats,
            stop,
        }
    }

    /// Watches until stopped. `open` begins a session; `on_change` is told of every change worth a logbook row;
    /// `beat` is called several times a second.
    pub fn run(
        self,
        mut open: impl FnMut() -> Result<Box<dyn FrameSource>, OpenError>,
        on_change: impl FnMut(StateChange),
        mut beat: impl FnMut(),
    ) -> RunEnd {
        let mut teller = Teller { supervisor: &self, on_change, told: BTreeSet::new(), retries: 0 };
        let seed = self.clock.mono().since_boot().as_nanos() as u64
            ^ self
                .camera
                .as_str()
                .bytes()
                .fold(0, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        let mut quick = delays(RETRY, seed);
        let mut slow = delays(RETRY_FAULTY, seed);
        let mut why = "first connection".to_owned();
        while !self.stop.is_cancelled() {
            teller.tell(CameraState::Connecting, &why);
            count(&self.stats.sessions);
            let mut source = open();
            let watched = match &mut source {
                Ok(source) => self.watch(source.as_mut(), &mut teller, &mut beat),
                Err(error) => Watched { end: SessionEnd::NotOpened(error.to_string()), good: false },
            };
            if watched.good {
                quick.reset();
                slow.reset();
                teller.retries = 0;
            }
            let (reason, delay) = match watched.end {
                SessionEnd::Stopped => break,
                SessionEnd::Ended(EndReason::EndOfStream) if !self.live => {
                    teller.tell(CameraState::Stopped, "the recording ended");
                    return RunEnd::ClipEnded;
                }
                SessionEnd::Ended(EndReason::EndOfStream) => {
                    ("the camera closed the stream".to_owned(), quick.next_delay())
                }
                SessionEnd::Ended(end) if end.needs_a_person() => (end.to_string(), slow.next_delay()),
                SessionEnd::Ended(end) => (end.to_string(), quick.next_delay()),
                SessionEnd::NotOpened(reason) => (reason, slow.next_delay()),
                SessionEnd::Stalled(reason) => (reason, quick.next_delay()),
            };
            teller.retries = teller.retries.saturating_add(1);
            teller.tell(CameraState::BackingOff, &reason);
            // After the news, because this may take a while.
            drop(source);
            if self.stats.leaked_pipelines.load(Relaxed) >= MOST_LEAKS {
                teller.tell(CameraState::Stopped, "too many sessions hang while they are closed");
                return RunEnd::TooManyLeaks;
            }
            self.pause(delay, &mut beat);
            why = format!("again after: {reason}");
        }
        teller.tell(CameraState::Stopped, "shutdown");
        RunEnd::Stopped
    }

    /// One session, from its first wait to its end.
    fn watch(
        &self,
        source: &mut dyn FrameSource,
        teller: &mut Teller<'_, impl FnMut(StateChange)>,
        beat: &mut impl FnMut(),
    ) -> Watched {
        let opened = self.clock.mono();
        let mut first: Option<MonoTime> = None;
        let mut last = opened;
        let end = loop {
            beat();
            if self.stop.is_cancelled() {
                break SessionEnd::Stopped;
            }
            match source.next(SLICE) {
                Next::Frame(frame) => {
                    last = self.clock.mono();
                    if first.is_none() {
                        first = Some(last);
                        let size = frame.picture.size;
                        teller.tell(
                            CameraState::Streaming,
                            &format!("pictures of {}x{}", size.width, size.height),
                        );
                    }
                    if self.slots.put(self.slot, frame) {
                        count(&self.stats.dropped_overwritten);
                    }
                    continue;
                }
                Next::Ended(reason) => break SessionEnd::Ended(reason),
                Next::Quiet => {}
            }
            let limit = if first.is_some() { self.stall_after } else { self.first_frame_within };
            if self.live && self.clock.mono().since(last) >= limit {
                count(&self.stats.stalls);
                let what = if first.is_some() { "no picture for" } else { "no first picture within" };
                let reason = format!("{what} {} s", limit.as_secs_f32());
                teller.tell(CameraState::Stalled, &reason);
                break SessionEnd::Stalled(reason);
            }
        };
        Watched { end, good: first.is_some_and(|first| last.since(first) >= GOOD_AFTER) }
    }

    fn pause(&self, delay: Duration, beat: &mut impl FnMut()) {
        let begun = self.clock.mono();
        while !self.stop.is_cancelled() && self.clock.mono().since(begun) < delay {
            beat();
            std::thread::sleep(SLICE.min(delay));
        }
    }
}

struct Watched {
    end: SessionEnd,
    good: bool,
}

enum SessionEnd {
    Stopped,
    Ended(EndReason),
    NotOpened(String),
    Stalled(String),
}

fn delays((min, max): (Duration, Duration), seed: u64) -> Delays {
    Backoff::new(min, max, JITTER_PERCENT)
        .map(|policy| policy.delays(seed))
        .expect("the constants above make sense")
}

/// Tells of changes, once each: a camera that is away for a week is one blind spell, not a row every three seconds.
struct Teller<'a, F> {
    supervisor: &'a Supervisor,
    on_change: F,
    /// What was told since the camera last streamed.
    told: BTreeSet<(&'static str, String)>,
    retries: u32,
}

/// Different reasons told in one blind spell; past it a camera that invents new ones is ignored.
const MOST_TOLD: usize = 32;

impl<F: FnMut(StateChange)> Teller<'_, F> {
    fn tell(&mut self, state: CameraState, reason: &str) {
        let Supervisor { camera, clock, stats, .. } = self.supervisor;
        stats.set_state(state, reason);
        let (state_name, retries) = (state.as_str(), self.retries);
        let news = match state {
            CameraState::Streaming | CameraState::Stopped => {
                self.told.clear();
                true
            }
            _ => self.told.len() < MOST_TOLD && self.told.insert((state_name, reason.to_owned())),
        };
        if !news {
            tracing::debug!(%camera, state = state_name, reason, retries, "camera {camera}: {state_name}, {reason}");
            return;
        }
        if matches!(state, CameraState::Stalled | CameraState::BackingOff) {
            tracing::warn!(%camera, state = state_name, reason, retries, "camera {camera}: {state_name}, {reason}");
        } else {
            tracing::info!(%camera, state = state_name, reason, retries, "camera {camera}: {state_name}, {reason}");
        }
        (self.on_change)(StateChange { at: clock.now(), state, reason: reason.to_owned(), retries });
    }
}

#[cfg(test)]
#[path = "supervisor_tests.rs"]
mod tests;
