//! The detector thread: takes frames in fair turns and walks each through the watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::heartbeat::Beat;
use super::watch::Watch;
use crate::alerts::RelayHandle;
use crate::clock::Clock;
use crate::detect::FairScheduler;
use crate::ingest::LatestFrames;
use crate::logbook::{Entry, LogbookSender, WriterGone};
use crate::rules::SignalId;

/// A wait no longer than this, so that the loop beats and hears a stop.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// The rates are told this often.
const TELL_RATES: Duration = Duration::from_secs(1);

/// What one camera has had lately, in thousandths a second.
#[derive(Debug, Default)]
pub struct Rate {
    pub(super) looks: AtomicU32,
    pub(super) runs: AtomicU32,
}

impl Rate {
    /// Seconds for which a place may stay unseen at the rate at which looks come, where it would be `promised_ms` at
    /// `wanted` looks a second.
    pub(super) fn swept_within_s(&self, promised_ms: u64, wanted: f32) -> f32 {
        let looks = self.looks.load(Ordering::Relaxed) as f32 / 1000.0;
        let late = if looks > 0.0 { (wanted / looks).max(1.0) } else { 1.0 };
        promised_ms as f32 / 1000.0 * late
    }
}

/// Rates of all cameras, in the order of the site file.
pub type Rates = Arc<Vec<Rate>>;

/// What leads to the watch and away from it.
#[derive(Clone, Copy)]
pub struct Doors<'a> {
    /// Frames come in.
    pub slots: &'a LatestFrames,
    /// Signals that staff have answered come in.
    pub answers: &'a Receiver<SignalId>,
    /// What was seen goes out.
    pub logbook: &'a LogbookSender,
    /// Whether a camera sees goes out.
    pub relay: &'a RelayHandle,
}

impl Doors<'_> {
    /// The loop beats while it waits for a disk that is full: a restart would only lose what waits with it.
    fn hand_over(&self, entries: Vec<Entry>, beat: &Beat) -> Result<(), WriterGone> {
        for entry in entries {
            if let Entry::Outage(step) = &entry {
                self.relay.camera_outage(&step.camera, step.change.current());
            }
            self.logbook.send_with_heartbeat(entry, || beat.beat())?;
        }
        Ok(())
    }
}

/// The detector thread: looks at the newest frame of the camera whose turn it is, until the slots are closed; then ends
/// every track and signal. Fails when the logbook is gone.
pub fn run(
    mut watch: Watch,
    mut turns: FairScheduler,
    doors: &Doors<'_>,
    clock: &dyn Clock,
    beat: &Beat,
    rates: &Rates,
) -> Result<(), WriterGone> {
    let &Doors { slots, answers, .. } = doors;
    let mut told = clock.mono();
    let mut idle = Duration::ZERO;
    while !slots.is_closed() {
        beat.beat();
        answers.try_iter().for_each(|signal| watch.acknowledge(signal));
        doors.hand_over(
            watch.wait(clock.now(), |camera| slots.newest(camera).map(|newest| newest.stamp)),
            beat,
        )?;
        let now = clock.mono();
        if now.since(told) >= TELL_RATES {
            watch.adapt(1.0 - idle.as_secs_f32() / now.since(told).as_secs_f32());
            (told, idle) = (now, Duration::ZERO);
            for (rate, has) in rates.iter().zip(turns.rates(now)) {
                rate.looks.store((has.achieved_hz * 1000.0) as u32, Ordering::Relaxed);
                rate.runs.store((has.inferences_hz * 1000.0) as u32, Ordering::Relaxed);
            }
        }
        let waiting = slots.waiting();
        let Some(camera) = turns.pick(now, &waiting) else {
            let due = turns.next_due(&waiting).map_or(LONGEST_WAIT, |due| due.since(now));
            slots.wait(due.min(LONGEST_WAIT), |camera| !waiting[camera]);
            idle += clock.mono().since(now);
            continue;
        };
        let Some(frame) = slots.take(camera) else { continue };
        match watch.look(camera, &frame) {
            Ok(entries) => {
                turns.record_inferences(camera, watch.last_look(camera).runs);
                doors.hand_over(entries, beat)?;
            }
            Err(cause) => {
                tracing::error!(camera = %frame.camera, %cause, "a look at {} failed: {cause}", frame.camera)
            }
        }
    }
    doors.hand_over(watch.finish(clock.now()), beat)
}
