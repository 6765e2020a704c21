//! The daemon: everything up in order, everything down in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::clocks::Clocks;
use super::heartbeat::Heartbeats;
use super::status::{LastChanges, Status};
use super::turns::Doors;
use super::watch::Watch;
use super::{systemd, turns};
use crate::alerts::{Relay, RelayHandle};
use crate::camera_state::CameraChange;
use crate::clock::{Clock, SystemClock};
use crate::config::Site;
use crate::detect::FairScheduler;
use crate::detect::{LoadError, OnnxDetector};
use crate::ingest::{FrameSlot, IngestStats, LatestFrames, RunEnd, Supervisor, open_camera};
use crate::logbook::{
    Entry, LogbookError, LogbookSender, Reader, SigningKey, StartEntry, Writer, WriterGone, WriterOptions,
};
use crate::rules::ResumeState;
use crate::web;

/// Time for cameras to close and the detector to finish its look.
const WATCH_DEADLINE: Duration = Duration::from_secs(4);
/// Time for the logbook to write what it was handed.
const LOGBOOK_DEADLINE: Duration = Duration::from_secs(4);
/// Time to hand what is waiting to the broker and say goodbye.
const ALERTS_DEADLINE: Duration = Duration::from_secs(3);
/// A loop that has not turned for this long is stuck. Waiting for a camera or a broker is turning.
const LOOP_LIMIT: Duration = Duration::from_secs(15);
/// A commit may wait for a slow disk; a writer that is stuck longer is stuck.
const LOGBOOK_LIMIT: Duration = Duration::from_secs(60);
/// Answers of the staff that may wait for the watch's next look.
const ANSWERS: usize = 1024;
const STATUS_EVERY: Duration = Duration::from_secs(5);

/// Why the daemon did not start, or went off by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Model or ONNX Runtime do not fit.
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
    /// The chain is to be signed, and the key cannot be had.
    #[error("the logbook's signing key: {0}")]
    Key(String),
    /// The health page's address is taken.
    #[error("the health page cannot listen on {address}: {cause}; choose another `listen` under [health]")]
    Health {
        /// Which address.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// No threads, no runtime.
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
    /// A room failed while running.
    #[error("{0}")]
    Failed(String),
}

impl From<WriterGone> for RunError {
    fn from(gone: WriterGone) -> Self {
        Self::Failed(gone.to_string())
    }
}

/// Watches until SIGTERM or SIGINT; a second signal stops at once.
pub fn run(site: Site, clock: SystemClock) -> Result<(), RunError> {
    let site = Arc::new(site);
    let mode = if clock.wall_shift().is_zero() { "run" } else { "drill" };
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let logbook_error = |cause| RunError::Logbook { path: site.logbook.clone(), cause };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let hearts = Heartbeats::new(clock.clone());
    let stop = stop_on_signal(&runtime)?;

    // What can be refused is refused before anything is touched: model, page address, logbook.
    let detector = OnnxDetector::load(&site.model.manifest, &site.model.runtime, site.model.threads)?;
    let page = runtime
        .block_on(tokio::net::TcpListener::bind(site.health))
        .map_err(|cause| RunError::Health { address: site.health, cause })?;
    let signing_key = signing_key(&site)?;
    let start = StartEntry {
        at: clock.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_hash: site.hash.clone(),
        model_hash: detector.manifest().sha256.clone(),
        mode,
        time_zone: site.time_zone.iana_name().unwrap_or("UTC").to_owned(),
    };
    let writer_beat = hearts.expect("logbook", LOGBOOK_LIMIT);
    let mut options = WriterOptions::new(clock.clone());
    options.retention = Some(site.retention);
    options.replace_damaged = true;
    options.signing_key = signing_key;
    options.heartbeat = Box::new(move || writer_beat.beat());
    let (writer, logbook) = Writer::open(&site.logbook, &start, options).map_err(logbook_error)?;

    let clocks = Clocks::begin(clock.clone(), logbook.clone())?;

    let believed = detector.manifest().thresholds;
    let past = past(&site.logbook, site.visit_history(), clock.now().wall).map_err(logbook_error)?;
    let watch = Watch::new(site.clone(), Box::new(detector), believed, writer.next_vessel(), &past);
    let relay_beat = hearts.expect("alerts", LOOP_LIMIT);
    let (acknowledge, answers) = std::sync::mpsc::sync_channel(ANSWERS);
    let relay = Relay::start(&runtime, &site, &writer, clock.clone(), acknowledge, move || relay_beat.beat());
    let slots = Arc::new(LatestFrames::new(site.cameras.len()));
    let ingest: Vec<Arc<IngestStats>> = site.cameras.iter().map(|_| Arc::default()).collect();
    let rates: turns::Rates = Arc::new(site.cameras.iter().map(|_| Default::default()).collect());
    let changes: LastChanges = Arc::new(site.cameras.iter().map(|_| Mutex::default()).collect());
    let status = Arc::new(Status {
        site: site.clone(),
        clock: clock.clone(),
        started_at: clock.now().wall,
        hearts: hearts.clone(),
        ingest: ingest.clone(),
        changes: changes.clone(),
        watch: watch.stats(),
        rates: rates.clone(),
        writer: writer.stats(),
        relay: relay.stats(),
        clocks: clocks.stats(),
    });
    let for_page = status.clone();
    runtime.spawn(clocks.watch());
    runtime.spawn(async move { web::serve(page, Arc::new(move || for_page.read())).await });

    let cameras_stop = CancellationToken::new();
    let leaking = Arc::new(AtomicBool::new(false));
    let cameras = (0..site.cameras.len())
        .map(|index| {
            let supervisor = Supervisor::new(
                &site.cameras[index],
                clock.clone(),
                FrameSlot::new(slots.clone(), index),
                ingest[index].clone(),
                cameras_stop.clone(),
            );
            let desk = Desk { logbook: logbook.clone(), relay: relay.handle(), last: changes.clone() };
            spawn_camera(&site, index, supervisor, desk, &hearts, leaking.clone())
        })
        .collect::<Result<Vec<_>, _>>()?;
    let detector_thread = {
        let (slots, logbook, clock) = (slots.clone(), logbook.clone(), clock.clone());
        let handle = relay.handle();
        let beat = hearts.expect("detector", LOOP_LIMIT);
        let wanted: Vec<f32> = site.cameras.iter().map(|camera| camera.detect_fps).collect();
        let fair = FairScheduler::new(&wanted);
        std::thread::Builder::new().name("detector".into()).spawn(move || {
            let doors = Doors { slots: &slots, answers: &answers, logbook: &logbook, relay: &handle };
            turns::run(watch, fair, &doors, &*clock, &beat, &rates)
        })?
    };

    for late in site.overdue(clock.now().wall.to_zoned_datetime(site.time_zone.clone()).date()) {
        tracing::warn!("{late}");
    }
    systemd::ready();
    tracing::info!(
        mode,
        "on watch at {}: {} cameras, {} rules",
        site.id,
        site.cameras.len(),
        site.rules.len()
    );
    let failure = keep_watch(&status, &stop, &writer, &detector_thread, &leaking);

    // The way down, each step with its deadline: first nothing new comes in, then what is under way is finished and
    // written, then it is told, then goodbye.
    systemd::stopping();
    tracing::info!("going off watch");
    cameras_stop.cancel();
    slots.close();
    let cameras_down = wait_for(WATCH_DEADLINE, || cameras.iter().all(JoinHandle::is_finished));
    let detector_down = wait_for(WATCH_DEADLINE, || detector_thread.is_finished());
    let looked = if detector_down { joined(detector_thread) } else { Ok(()) };
    let flushed = writer.flush(LOGBOOK_DEADLINE);
    let told = runtime.block_on(relay.stop(ALERTS_DEADLINE));
    // Last, so that the broker's last confirmations are noted.
    let written = writer.close(clock.now().wall, LOGBOOK_DEADLINE);
    runtime.shutdown_timeout(Duration::from_millis(500));
    if !(cameras_down && detector_down) {
        tracing::warn!(cameras_down, detector_down, "something did not stop in time; leaving it behind");
    }
    if !told {
        tracing::warn!(
            "the broker did not confirm the goodbye; alerts that wait are sent after the next start"
        );
    }
    flushed.and(written).map_err(logbook_error)?;
    looked?;
    failure.map_or(Ok(()), |reason| Err(RunError::Failed(reason)))
}

fn signing_key(site: &Site) -> Result<Option<SigningKey>, RunError> {
    let Some(source) = &site.signing_key else { return Ok(None) };
    let secret = source.read().map_err(|why| RunError::Key(why.to_string()))?;
    SigningKey::read(&secret).map(Some).map_err(|why| RunError::Key(why.to_string()))
}

/// The visits that an earlier start left, as far back as a rule looks.
fn past(logbook: &Path, history: Duration, now: jiff::Timestamp) -> Result<ResumeState, LogbookError> {
    let reader = Reader::open(logbook)?;
    let since = now.checked_sub(history).unwrap_or(jiff::Timestamp::MIN);
    Ok(ResumeState { open: reader.open_visits()?, ended: reader.visits_ended_since(since)? })
}

/// Where a camera's changes of state go.
struct Desk {
    logbook: LogbookSender,
    relay: RelayHandle,
    last: LastChanges,
}

fn spawn_camera(
    site: &Arc<Site>,
    index: usize,
    supervisor: Supervisor,
    desk: Desk,
    hearts: &Heartbeats,
    leaking: Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let site = site.clone();
    let id = site.cameras[index].id.clone();
    let beat = hearts.expect(format!("camera {id}"), LOOP_LIMIT);
    std::thread::Builder::new().name(format!("cam {id}")).spawn(move || {
        let (clock, stats) = (supervisor.clock.clone(), supervisor.stats.clone());
        let slot = supervisor.slot.clone();
        let change_beat = beat.clone();
        let on_change = |change: CameraChange| {
            *desk.last[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(change.clone());
            desk.relay.camera_state(&change);
            if let Err(cause) =
                desk.logbook.send_with_heartbeat(Entry::CameraState(change), || change_beat.beat())
            {
                tracing::error!(camera = %id, "a change of state of {id} was not written: {cause}");
            }
        };
        let end = supervisor.run(
            || open_camera(&site.cameras[index], &clock, &slot, &stats),
            on_change,
            || beat.beat(),
        );
        if end == RunEnd::TooManyLeaks {
            leaking.store(true, Ordering::Relaxed);
        }
    })
}

/// Feeds systemd while all is well. Gives the reason when the daemon must go off by itself.
fn keep_watch(
    status: &Status,
    stop: &CancellationToken,
    writer: &Writer,
    detector: &JoinHandle<Result<(), WriterGone>>,
    leaking: &AtomicBool,
) -> Option<String> {
    let turn = systemd::watchdog_interval().unwrap_or(STATUS_EVERY).min(STATUS_EVERY);
    let mut told_late = false;
    while !stop.is_cancelled() {
        let health = status.read();
        if health.late_loops.is_empty() {
            systemd::watchdog();
            told_late = false;
        } else if !std::mem::replace(&mut told_late, true) {
            tracing::error!("stuck: {}; the watchdog is no longer fed", health.late_loops.join(", "));
        }
        systemd::status(&health.summary());
        let over = || {
            stop.is_cancelled()
                || writer.has_stopped()
                || detector.is_finished()
                || leaking.load(Ordering::Relaxed)
        };
        if wait_for(turn, over) {
            if stop.is_cancelled() {
                return None;
            }
            let reason = if writer.has_stopped() {
                // Damage: the next start moves the file aside.
                "the logbook's writer stopped"
            } else if detector.is_finished() {
                "the detector thread ended"
            } else {
                "camera sessions hang; a fresh process is needed"
            };
            tracing::error!("going off by itself: {reason}");
            return Some(reason.to_owned());
        }
    }
    None
}

fn joined(thread: JoinHandle<Result<(), WriterGone>>) -> Result<(), WriterGone> {
    thread.join().unwrap_or_else(|_panicked| {
        tracing::error!("the detector thread panicked");
        Ok(())
    })
}

/// Waits until `done`, at most for `patience`. True when done.
fn wait_for(patience: Duration, done: impl Fn() -> bool) -> bool {
    let step = Duration::from_millis(20);
    for _ in 0..=patience.as_millis() / step.as_millis() {
        if done() {
            return true;
        }
        std::thread::sleep(step);
    }
    false
}

/// The token is cancelled by the first SIGTERM or SIGINT; the second ends the process at once.
fn stop_on_signal(runtime: &Runtime) -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let token = stop.clone();
    let _in_runtime = runtime.enter();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    runtime.spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("asked to stop; a second signal stops at once");
        token.cancel();
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::warn!("second signal: stopping at once");
        // What was committed is kept; the next start finds an unclean end and checks the logbook.
        std::process::exit(130);
    });
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logbook::testing::{SOON, at, open, visit};
    use crate::rules::{VisitEnd, VisitEvent, VisitStep};

    #[test]
    fn a_new_start_knows_the_visits_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        let mut over: VisitEvent = visit(2, VisitStep::Ended, 50.0);
        over.visit.ended = Some((at(50.0).wall, VisitEnd::Departed));
        for event in [visit(1, VisitStep::Began, 1.0), visit(2, VisitStep::Began, 2.0), over] {
            sender.send(Entry::Visit(event)).unwrap();
        }
        writer.close(at(60.0).wall, SOON).unwrap();
        let (writer, _sender) = open(&path);
        let known = |back: Duration| {
            let past = past(&path, back, at(100.0).wall).unwrap();
            let vessels =
                |visits: &[crate::rules::Visit]| visits.iter().map(|v| v.vessel.0).collect::<Vec<_>>();
            (vessels(&past.open), vessels(&past.ended))
        };
        assert_eq!(known(Duration::from_secs(60)), (vec![1], vec![2]));
        assert_eq!(known(Duration::from_secs(40)), (vec![1], vec![]), "no farther back than rules look");
        writer.close(at(110.0).wall, SOON).unwrap();
    }
}
