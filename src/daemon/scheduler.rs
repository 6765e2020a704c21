//! The detector thread: takes the newest frames in fair order and sends each through its camera's pipeline.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::heartbeat::Heartbeat;
use super::pipeline::Pipelines;
use crate::alerts::RelayHandle;
use crate::clock::{Clock, MonoTime};
use crate::detect::FairScheduler;
use crate::ingest::LatestFrames;
use crate::logbook::{Entry, LogbookSender, WriterGone};
use crate::rules::SignalId;

/// The longest wait, so that the loop reports to its heartbeat and notices a stop.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// Rates and the budget are updated this often.
const RATES_INTERVAL: Duration = Duration::from_secs(1);

/// The inputs and outputs of the detector thread.
#[derive(Clone, Copy)]
pub struct SchedulerLinks<'a> {
    /// Frames to take.
    pub frames: &'a LatestFrames,
    /// Signals that staff acknowledged.
    pub acknowledged: &'a Receiver<SignalId>,
    /// Where entries go.
    pub logbook: &'a LogbookSender,
    /// Where outages are published.
    pub relay: &'a RelayHandle,
}

impl SchedulerLinks<'_> {
    /// The loop reports to its heartbeat while it waits for a full disk: a restart would lose what waits.
    fn send(&self, entries: Vec<Entry>, heartbeat: &Heartbeat) -> Result<(), WriterGone> {
        for entry in entries {
            if let Entry::Outage(step) = &entry {
                self.relay.camera_outage(&step.camera, step.change.current());
            }
            self.logbook.send_with_heartbeat(entry, || heartbeat.beat())?;
        }
        Ok(())
    }
}

/// How busy the loop has been since the last update of the rates.
struct Load {
    since: MonoTime,
    idle: Duration,
}

impl Load {
    fn update(&mut self, now: MonoTime, pipelines: &mut Pipelines, scheduler: &FairScheduler) {
        if now.since(self.since) < RATES_INTERVAL {
            return;
        }
        pipelines.adapt(1.0 - self.idle.as_secs_f32() / now.since(self.since).as_secs_f32());
        (self.since, self.idle) = (now, Duration::ZERO);
        for (stats, rate) in pipelines.stats().iter().zip(scheduler.rates(now)) {
            stats.set_rates(rate.achieved_hz, rate.inferences_hz);
        }
    }
}

/// Processes the newest frame of the camera whose turn it is, until `frames` is closed; then ends every track and signal.
/// Fails when the logbook's writer is gone.
pub fn run(
    mut pipelines: Pipelines,
    mut scheduler: FairScheduler,
    links: &SchedulerLinks<'_>,
    clock: &dyn Clock,
    heartbeat: &Heartbeat,
) -> Result<(), WriterGone> {
    let &SchedulerLinks { frames, acknowledged, .. } = links;
    let mut load = Load { since: clock.mono(), idle: Duration::ZERO };
    while !frames.is_closed() {
        heartbeat.beat();
        acknowledged.try_iter().for_each(|signal| pipelines.acknowledge(signal));
        let newest = |camera| frames.newest(camera).map(|newest| newest.stamp);
        links.send(pipelines.tick(clock.now(), newest), heartbeat)?;
        let now = clock.mono();
        load.update(now, &mut pipelines, &scheduler);
        let waiting = frames.waiting();
        let Some(camera) = scheduler.pick(now, &waiting) else {
            let due = scheduler.next_due(&waiting).map_or(LONGEST_WAIT, |due| due.since(now));
            frames.wait(due.min(LONGEST_WAIT), |camera| !waiting[camera]);
            load.idle += clock.mono().since(now);
            continue;
        };
        let Some(frame) = frames.take(camera) else { continue };
        match pipelines.process(camera, &frame) {
            Ok(entries) => {
                scheduler.record_inferences(camera, pipelines.last_pass(camera).inferences);
                links.send(entries, heartbeat)?;
            }
            Err(cause) => tracing::error!("a detection pass of camera {} failed: {cause}", frame.camera),
        }
    }
    links.send(pipelines.finish(clock.now()), heartbeat)
}
