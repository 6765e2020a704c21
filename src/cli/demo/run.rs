//! The demo while it runs: receives alerts, reads the health page, measures the cameras' detection rates.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::ground_truth::{PassRate, ReceivedAlert};
use super::output::{self, DemoOutput};
use super::programs::Program;
use super::read_health;
use crate::alerts::StaffClient;
use crate::camera_state::CameraState;
use crate::clock::{Clock, MonoTime, SystemClock};
use crate::web::Health;

/// All cameras must stream within this.
const STREAMING_DEADLINE: Duration = Duration::from_secs(60);

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DemoEnd {
    /// The clips were shown up to the last expected signal.
    Finished,
    /// The user stopped it.
    Interrupted,
    /// The daemon ended by itself.
    DaemonEnded,
    /// Not all cameras streamed in time.
    NotStreaming,
}

pub(super) struct DemoRun {
    pub(super) staff: StaffClient,
    pub(super) daemon: Program,
    pub(super) health_port: u16,
    pub(super) output: DemoOutput,
    pub(super) received: Vec<ReceivedAlert>,
    /// The last state that the daemon's health page showed.
    pub(super) health: Option<Health>,
    clock: SystemClock,
    /// When all cameras began to stream, and their detection passes by then.
    streaming: Option<(MonoTime, Vec<u64>)>,
}

impl DemoRun {
    pub(super) fn new(staff: StaffClient, daemon: Program, health_port: u16, output: DemoOutput) -> Self {
        let (received, health, streaming) = Default::default();
        Self {
            staff,
            daemon,
            health_port,
            output,
            received,
            health,
            clock: SystemClock::default(),
            streaming,
        }
    }

    /// Runs until all cameras have streamed for `length`, without end when it is `None`.
    pub(super) fn run(&mut self, length: Option<Duration>, stop: &AtomicBool) -> DemoEnd {
        let start = self.clock.mono();
        let mut last_read = start;
        for seconds in 0_u64.. {
            while self.clock.mono().since(last_read) < Duration::from_secs(1) {
                self.receive(Duration::from_millis(200));
                if stop.load(Ordering::Relaxed) {
                    return DemoEnd::Interrupted;
                }
                if !self.daemon.is_running() {
                    return DemoEnd::DaemonEnded;
                }
            }
            last_read = self.clock.mono();
            let streamed = self.read_health(last_read);
            self.show_state(streamed, seconds.is_multiple_of(10));
            match (streamed, length) {
                (Some(streamed), Some(length)) if streamed >= length => return DemoEnd::Finished,
                (None, Some(_)) if last_read.since(start) > STREAMING_DEADLINE => {
                    return DemoEnd::NotStreaming;
                }
                _ => {}
            }
        }
        DemoEnd::Finished
    }

    /// Waits at most `wait` for a message; prints an alert. True when a message arrived.
    pub(super) fn receive(&mut self, wait: Duration) -> bool {
        let Some(message) = self.staff.next(wait) else { return false };
        if let Some(alert) = message.alert() {
            if let Some(line) = output::alert_line(&alert) {
                self.output.print(&line);
            }
            self.received.extend(ReceivedAlert::of_opening(&alert));
        }
        true
    }

    /// Reads the daemon's state. Returns for how long all cameras have streamed.
    fn read_health(&mut self, now: MonoTime) -> Option<Duration> {
        self.health = read_health(self.health_port).or(self.health.take());
        let cameras = &self.health.as_ref()?.cameras;
        if self.streaming.is_none() && cameras.iter().all(|camera| camera.state == CameraState::Streaming) {
            self.streaming = Some((now, cameras.iter().map(|camera| camera.passes).collect()));
        }
        self.streaming.as_ref().map(|(since, _)| now.since(*since))
    }

    fn show_state(&mut self, streamed: Option<Duration>, print: bool) {
        let summary = self.health.as_ref().map_or("starting".to_owned(), Health::summary);
        self.output.state(streamed.unwrap_or_default().as_secs(), summary, print);
    }

    /// Each camera's detection passes a second since all cameras stream; empty before.
    pub(super) fn pass_rates(&mut self) -> Vec<PassRate> {
        let now = self.clock.mono();
        self.read_health(now);
        let (Some(health), Some((since, passes))) = (&self.health, &self.streaming) else {
            return Vec::new();
        };
        let seconds = now.since(*since).as_secs_f32().max(1.0);
        let rate = |(camera, before): (&crate::web::CameraHealth, &u64)| PassRate {
            camera: camera.id.clone(),
            measured: camera.passes.saturating_sub(*before) as f32 / seconds,
            wanted: camera.detect_fps_wanted,
        };
        health.cameras.iter().zip(passes).map(rate).collect()
    }
}
