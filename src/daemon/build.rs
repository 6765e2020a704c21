//! Builds the daemon.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::camera_threads::{CameraLinks, CameraThreads};
use super::clock_monitor::ClockMonitor;
use super::clutter_file::{self, ClutterWriter, clutter_path};
use super::heartbeat::{Heartbeats, LOGBOOK_LIMIT, LOOP_LIMIT};
use super::pipeline::Pipelines;
use super::run::{Daemon, RunError};
use super::scheduler::{self, SchedulerLinks};
use super::status::StatusReader;
use crate::alerts::Relay;
use crate::clock::{Clock, SystemClock};
use crate::config::Site;
use crate::detect::{FairScheduler, OnnxDetector};
use crate::ingest::LatestFrames;
use crate::logbook::{
    LogbookError, LogbookSender, Reader, SigningKey, StartEntry, Writer, WriterGone, WriterOptions,
};
use crate::rules::{ResumeState, SignalId};
use crate::web;

/// Acknowledgements that may wait for the detector thread.
const ACKNOWLEDGEMENTS: usize = 1024;

impl Daemon {
    /// Loads, opens and starts everything.
    pub(super) fn build(site: Site, clock: SystemClock) -> Result<Self, RunError> {
        let site = Arc::new(site);
        let mode = if clock.wall_shift().is_zero() { "run" } else { "drill" };
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let heartbeats = Heartbeats::new(clock.clone());
        let stop = stop_on_signal(&runtime)?;

        // Errors of model, page address, key and logbook are found before anything is written.
        let detector = OnnxDetector::load(&site.model.manifest, &site.model.runtime, site.model.threads)?;
        let page = bind_page(&runtime, &site)?;
        let start = start_entry(&site, mode, &*clock, &detector);
        let (writer, logbook) = open_logbook(&site, &start, clock.clone(), &heartbeats)?;
        let clocks = ClockMonitor::begin(clock.clone(), logbook.clone())?;

        let mut pipelines = build_pipelines(&site, detector, &writer, clock.now().wall)?;
        // A drill shows other pictures at another time.
        let clutter = (mode == "run").then(|| keep_clutter(&mut pipelines, &site, &*clock, &runtime));
        let (acknowledge, acknowledged) = std::sync::mpsc::sync_channel(ACKNOWLEDGEMENTS);
        let relay_beat = heartbeats.expect("alerts", LOOP_LIMIT);
        let relay =
            Relay::start(&runtime, &site, &writer, clock.clone(), acknowledge, move || relay_beat.beat());
        let status = Arc::new(StatusReader {
            site: site.clone(),
            clock: clock.clone(),
            started_at: clock.now().wall,
            heartbeats: heartbeats.clone(),
            pipelines: pipelines.stats(),
            writer: writer.stats(),
            relay: relay.stats(),
            clocks: clocks.stats(),
        });
        let for_page = status.clone();
        runtime.spawn(clocks.run());
        runtime.spawn(async move { web::serve(page, Arc::new(move || for_page.read())).await });

        let frames = Arc::new(LatestFrames::new(site.cameras.len()));
        let links =
            CameraLinks { clock: clock.clone(), frames: frames.clone(), logbook, relay: relay.handle() };
        let cameras = CameraThreads::start(&site, &links, &status.pipelines, &heartbeats)?;
        let detector = start_detector(&site, pipelines, links, acknowledged, &heartbeats)?;
        Ok(Self {
            site,
            mode,
            clock,
            runtime,
            stop,
            status,
            writer,
            relay,
            frames,
            cameras,
            detector,
            clutter,
        })
    }
}

fn bind_page(runtime: &Runtime, site: &Site) -> Result<TcpListener, RunError> {
    let listener = runtime.block_on(TcpListener::bind(site.health));
    listener.map_err(|cause| RunError::Health { address: site.health, cause })
}

fn logbook_error(site: &Site, cause: LogbookError) -> RunError {
    RunError::Logbook { path: site.logbook.clone(), cause }
}

fn start_entry(site: &Site, mode: &'static str, clock: &dyn Clock, detector: &OnnxDetector) -> StartEntry {
    StartEntry {
        at: clock.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_hash: site.hash.clone(),
        model_hash: detector.manifest().sha256.clone(),
        mode,
        time_zone: site.time_zone.iana_name().unwrap_or("UTC").to_owned(),
    }
}

fn open_logbook(
    site: &Site,
    start: &StartEntry,
    clock: Arc<dyn Clock>,
    heartbeats: &Heartbeats,
) -> Result<(Writer, LogbookSender), RunError> {
    let heartbeat = heartbeats.expect("logbook", LOGBOOK_LIMIT);
    let mut options = WriterOptions::new(clock);
    options.retention = Some(site.retention);
    options.replace_damaged = true;
    options.signing_key = signing_key(site)?;
    options.heartbeat = Box::new(move || heartbeat.beat());
    Writer::open(&site.logbook, start, options).map_err(|cause| logbook_error(site, cause))
}

fn signing_key(site: &Site) -> Result<Option<SigningKey>, RunError> {
    let Some(source) = &site.signing_key else { return Ok(None) };
    let secret = source.read().map_err(|why| RunError::Key(why.to_string()))?;
    SigningKey::read(&secret).map(Some).map_err(|why| RunError::Key(why.to_string()))
}

fn build_pipelines(
    site: &Arc<Site>,
    detector: OnnxDetector,
    writer: &Writer,
    now: jiff::Timestamp,
) -> Result<Pipelines, RunError> {
    let resume =
        resume_state(&site.logbook, site.visit_history(), now).map_err(|cause| logbook_error(site, cause))?;
    let thresholds = detector.manifest().thresholds;
    Ok(Pipelines::new(site.clone(), Box::new(detector), thresholds, writer.next_vessel(), &resume))
}

/// The visits that an earlier start left open, and those that ended within `history`, which the rules need.
fn resume_state(
    logbook: &Path,
    history: Duration,
    now: jiff::Timestamp,
) -> Result<ResumeState, LogbookError> {
    let reader = Reader::open(logbook)?;
    let since = now.checked_sub(history).unwrap_or(jiff::Timestamp::MIN);
    Ok(ResumeState { open: reader.open_visits()?, ended: reader.visits_ended_since(since)? })
}

/// The cameras continue with what they learnt before, and what they learn is saved.
fn keep_clutter(
    pipelines: &mut Pipelines,
    site: &Site,
    clock: &dyn Clock,
    runtime: &Runtime,
) -> tokio::task::JoinHandle<()> {
    let now = clock.now();
    let learnt = clutter_file::resume(&clutter_path(&site.logbook), now.wall);
    let (sender, receiver) = tokio::sync::watch::channel(learnt);
    pipelines.resume_clutter(sender, now.mono);
    runtime.spawn(ClutterWriter::new(&site.logbook).run(receiver))
}

fn start_detector(
    site: &Site,
    pipelines: Pipelines,
    links: CameraLinks,
    acknowledged: Receiver<SignalId>,
    heartbeats: &Heartbeats,
) -> std::io::Result<JoinHandle<Result<(), WriterGone>>> {
    let heartbeat = heartbeats.expect("detector", LOOP_LIMIT);
    let wanted: Vec<f32> = site.cameras.iter().map(|camera| camera.detect_fps).collect();
    let fair = FairScheduler::new(&wanted);
    std::thread::Builder::new().name("detector".into()).spawn(move || {
        let CameraLinks { clock, frames, logbook, relay } = links;
        let links =
            SchedulerLinks { frames: &frames, acknowledged: &acknowledged, logbook: &logbook, relay: &relay };
        scheduler::run(pipelines, fair, &links, &*clock, &heartbeat)
    })
}

/// The token is cancelled by the first SIGTERM or SIGINT; the second ends the process at once. SIGHUP, which would end it without
/// a trace, is logged.
fn stop_on_signal(runtime: &Runtime) -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let token = stop.clone();
    let _in_runtime = runtime.enter();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hangup = signal(SignalKind::hangup())?;
    runtime.spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::warn!("SIGHUP is ignored: a changed site file is read at a restart");
        }
    });
    runtime.spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stop requested; a second signal stops at once");
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
    use crate::logbook::Entry;
    use crate::logbook::testing::{SOON, at, open, visit};
    use crate::rules::{VisitEnd, VisitEvent, VisitStep};

    #[test]
    fn a_start_resumes_the_visits_of_the_previous_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        let mut ended: VisitEvent = visit(2, VisitStep::Ended, 50.0);
        ended.visit.ended = Some((at(50.0).wall, VisitEnd::Departed));
        for event in [visit(1, VisitStep::Began, 1.0), visit(2, VisitStep::Began, 2.0), ended] {
            sender.send(Entry::Visit(event)).unwrap();
        }
        writer.close(at(60.0).wall, SOON).unwrap();
        let (writer, _sender) = open(&path);
        let resumed = |history: Duration| {
            let resume = resume_state(&path, history, at(100.0).wall).unwrap();
            let vessels =
                |visits: &[crate::rules::Visit]| visits.iter().map(|v| v.vessel.0).collect::<Vec<_>>();
            (vessels(&resume.open), vessels(&resume.ended))
        };
        assert_eq!(resumed(Duration::from_secs(60)), (vec![1], vec![2]));
        assert_eq!(resumed(Duration::from_secs(40)), (vec![1], vec![]), "not farther back than rules need");
        writer.close(at(110.0).wall, SOON).unwrap();
    }
}
