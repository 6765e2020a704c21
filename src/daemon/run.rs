//! Runs the daemon: build, serve, shut down in order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::camera_threads::CameraThreads;
use super::status::StatusReader;
use super::systemd;
use crate::alerts::Relay;
use crate::clock::{Clock, SystemClock};
use crate::config::Site;
use crate::detect::LoadError;
use crate::ingest::LatestFrames;
use crate::logbook::{LogbookError, Writer, WriterGone};

/// Time for cameras to close and for the detector to finish its pass.
const PIPELINES_DEADLINE: Duration = Duration::from_secs(4);
/// Time for the logbook to write what it was sent.
const LOGBOOK_DEADLINE: Duration = Duration::from_secs(4);
/// Time to send what waits to the broker, and the offline status.
const ALERTS_DEADLINE: Duration = Duration::from_secs(3);
/// Time to save the clutter maps. They are written while the others stop, and the least that can be lost.
const CLUTTER_DEADLINE: Duration = Duration::from_secs(1);

/// Why the daemon did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The model or ONNX Runtime cannot be used.
    #[error(transparent)]
    Model(#[from] LoadError),
    /// The logbook cannot be opened or written.
    #[error("logbook {path}: {cause}")]
    Logbook {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: LogbookError,
    },
    /// The chain is to be signed, and the key cannot be read.
    #[error("the logbook's signing key: {0}")]
    Key(String),
    /// The health page's address is in use.
    #[error("the health page cannot listen on {address}: {cause}; choose another `listen` under [health]")]
    Health {
        /// Which address.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// A thread or the async runtime could not be started.
    #[error("the operating system refused: {0}")]
    System(#[from] std::io::Error),
    /// A module failed while the daemon ran.
    #[error("{0}")]
    Failed(String),
}

impl From<WriterGone> for RunError {
    fn from(gone: WriterGone) -> Self {
        Self::Failed(gone.to_string())
    }
}

/// Everything that runs.
pub(super) struct Daemon {
    pub(super) site: Arc<Site>,
    pub(super) mode: &'static str,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) runtime: Runtime,
    /// Cancelled by SIGTERM or SIGINT.
    pub(super) stop: CancellationToken,
    pub(super) status: Arc<StatusReader>,
    pub(super) writer: Writer,
    pub(super) relay: Relay,
    pub(super) frames: Arc<LatestFrames>,
    pub(super) cameras: CameraThreads,
    pub(super) detector: JoinHandle<Result<(), WriterGone>>,
    /// Saves the clutter maps until the detector thread has ended; `None` in a drill.
    pub(super) clutter: Option<tokio::task::JoinHandle<()>>,
}

/// Runs until SIGTERM or SIGINT; a second signal stops at once.
pub fn run(site: Site, clock: SystemClock) -> Result<(), RunError> {
    let daemon = Daemon::build(site, clock)?;
    let failure = daemon.serve();
    daemon.shut_down()?;
    failure.map_or(Ok(()), |reason| Err(RunError::Failed(reason)))
}

impl Daemon {
    /// Stops step by step, each with its deadline: no new frames, then the work in progress is finished and written, then
    /// alerts are sent, then the offline status.
    fn shut_down(self) -> Result<(), RunError> {
        let Self { site, clock, runtime, writer, relay, frames, cameras, detector, clutter, .. } = self;
        systemd::stopping();
        tracing::info!("Havenwacht stops");
        cameras.stop();
        frames.close();
        let cameras_stopped = wait_for(PIPELINES_DEADLINE, || cameras.are_finished());
        let detector_stopped = wait_for(PIPELINES_DEADLINE, || detector.is_finished());
        let detected = if detector_stopped { joined(detector) } else { Ok(()) };
        let flushed = writer.flush(LOGBOOK_DEADLINE);
        let offline_sent = runtime.block_on(relay.stop(ALERTS_DEADLINE));
        // Last, so that the last acknowledgements of the broker are written.
        let written = writer.close(clock.now().wall, LOGBOOK_DEADLINE);
        let clutter_saved =
            wait_for(CLUTTER_DEADLINE, || clutter.as_ref().is_none_or(|task| task.is_finished()));
        runtime.shutdown_timeout(Duration::from_millis(500));
        if !cameras_stopped {
            tracing::warn!("not every camera's session closed in time; the process ends without it");
        }
        if !detector_stopped {
            tracing::warn!("the detector did not stop in time; the process ends without it");
        }
        if !clutter_saved {
            tracing::warn!("the clutter maps were not saved in time; the file keeps what was saved before");
        }
        if !offline_sent {
            tracing::warn!(
                "the broker did not confirm the offline status; waiting alerts are sent after the next start"
            );
        }
        let path = &site.logbook;
        flushed.and(written).map_err(|cause| RunError::Logbook { path: path.clone(), cause })?;
        Ok(detected?)
    }
}

fn joined(thread: JoinHandle<Result<(), WriterGone>>) -> Result<(), WriterGone> {
    thread.join().unwrap_or_else(|_panicked| {
        tracing::error!("the detector thread panicked");
        Ok(())
    })
}

/// Waits until `done`, at most for `patience`. True when done.
pub(super) fn wait_for(patience: Duration, done: impl Fn() -> bool) -> bool {
    let step = Duration::from_millis(20);
    for _ in 0..=patience.as_millis() / step.as_millis() {
        if done() {
            return true;
        }
        std::thread::sleep(step);
    }
    false
}
