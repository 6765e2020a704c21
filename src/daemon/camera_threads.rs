//! One thread for each camera, which supervises its sessions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

use super::heartbeat::{Heartbeat, Heartbeats, LOOP_LIMIT};
use super::pipeline::PipelineStats;
use crate::alerts::RelayHandle;
use crate::camera_state::CameraChange;
use crate::clock::Clock;
use crate::config::{Camera, Site};
use crate::ingest::{FrameSlot, LatestFrames, RunEnd, Supervisor, open_camera};
use crate::logbook::{Entry, LogbookSender};

/// The threads of all cameras.
pub(super) struct CameraThreads {
    threads: Vec<JoinHandle<()>>,
    stop: CancellationToken,
    leaking: Arc<AtomicBool>,
}

/// What all camera threads share.
#[derive(Clone)]
pub(super) struct CameraLinks {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) frames: Arc<LatestFrames>,
    pub(super) logbook: LogbookSender,
    pub(super) relay: RelayHandle,
}

impl CameraThreads {
    /// Starts a thread for each camera of `site`; `pipelines` are in the order of the site file.
    pub(super) fn start(
        site: &Site,
        links: &CameraLinks,
        pipelines: &[Arc<PipelineStats>],
        heartbeats: &Heartbeats,
    ) -> std::io::Result<Self> {
        let (stop, leaking) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
        let mut threads = Vec::new();
        for (index, (camera, stats)) in site.cameras.iter().zip(pipelines).enumerate() {
            let thread = CameraThread {
                camera: camera.clone(),
                slot: FrameSlot::new(links.frames.clone(), index),
                stats: stats.clone(),
                links: links.clone(),
                heartbeat: heartbeats.expect(format!("camera {}", camera.id), LOOP_LIMIT),
                stop: stop.clone(),
                leaking: leaking.clone(),
            };
            let builder = std::thread::Builder::new().name(format!("cam {}", camera.id));
            threads.push(builder.spawn(move || thread.run())?);
        }
        Ok(Self { threads, stop, leaking })
    }

    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    pub(super) fn are_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Whether a camera has too many sessions that hang while they are closed.
    pub(super) fn leaking(&self) -> bool {
        self.leaking.load(Ordering::Relaxed)
    }
}

struct CameraThread {
    camera: Camera,
    slot: FrameSlot,
    stats: Arc<PipelineStats>,
    links: CameraLinks,
    heartbeat: Heartbeat,
    stop: CancellationToken,
    leaking: Arc<AtomicBool>,
}

impl CameraThread {
    fn run(self) {
        let Self { camera, slot, stats, links, heartbeat, stop, leaking } = self;
        let CameraLinks { clock, logbook, relay, .. } = links;
        let supervisor = Supervisor::new(&camera, clock.clone(), slot.clone(), stats.ingest.clone(), stop);
        let open = || open_camera(&camera, &clock, &slot, &stats.ingest);
        let on_change = |change: CameraChange| {
            stats.set_state(change.clone());
            relay.camera_state(&change);
            if let Err(cause) = logbook.send_with_heartbeat(Entry::CameraState(change), || heartbeat.beat()) {
                tracing::error!("a change of state of camera {} was not written: {cause}", camera.id);
            }
        };
        if supervisor.run(open, on_change, || heartbeat.beat()) == RunEnd::TooManyLeaks {
            leaking.store(true, Ordering::Relaxed);
        }
    }
}
