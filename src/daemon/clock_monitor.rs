//! Reads the machine's clocks and writes to the logbook what is wrong with them.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::{self, Clock, ClockReading, ClockWatch, ReadingReason};
use crate::logbook::{Entry, LogbookSender, WriterGone};

/// The clocks are read this often: a step is found within this time.
const INTERVAL: Duration = Duration::from_secs(1);

/// Identifies the boot.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// Folder of systemd-timesyncd, which creates a file there when a time server has set the clock. The kernel's own state
/// (adjtimex) cannot be read without unsafe code, so the state of other time services is unknown.
const TIMESYNC: &str = "/run/systemd/timesync";

/// For metrics and the health page.
#[derive(Debug, Default)]
pub(super) struct ClockStats {
    /// Steps of the wall clock.
    pub(super) steps: AtomicU64,
    /// The last step in milliseconds, forward positive.
    pub(super) last_step_ms: AtomicI64,
    /// 0: unknown, 1: no, 2: yes.
    synchronised: AtomicU8,
}

impl ClockStats {
    /// Whether a time server sets the clock; `None` where the system does not say.
    pub(super) fn synchronised(&self) -> Option<bool> {
        match self.synchronised.load(Relaxed) {
            0 => None,
            state => Some(state == 2),
        }
    }

    fn set_synchronised(&self, synchronised: Option<bool>) {
        self.synchronised.store(synchronised.map_or(0, |yes| 1 + u8::from(yes)), Relaxed);
    }
}

/// Reads the clocks once a second.
pub(super) struct ClockMonitor {
    clock: Arc<dyn Clock>,
    watch: ClockWatch,
    logbook: LogbookSender,
    stats: Arc<ClockStats>,
    /// Readings that the logbook has not accepted yet.
    waiting: VecDeque<ClockReading>,
}

impl ClockMonitor {
    /// Reads the clocks for the first time and sends the reading to the logbook, before anything else.
    pub(super) fn begin(clock: Arc<dyn Clock>, logbook: LogbookSender) -> Result<Self, WriterGone> {
        // Where the system does not say, no two starts count as the same boot.
        let boot = std::fs::read_to_string(BOOT).unwrap_or_default().trim().to_owned();
        let (now, synchronised) = (clock.now(), synchronised());
        if !clock::is_set(now.wall) {
            tracing::error!(
                "the clock is not set (it reads {}): schedules and times are wrong until it is",
                now.wall
            );
        }
        let (watch, first) = ClockWatch::begin(now, boot, synchronised);
        logbook.send(Entry::Clock(first))?;
        let stats = Arc::new(ClockStats::default());
        stats.set_synchronised(synchronised);
        Ok(Self { clock, watch, logbook, stats, waiting: VecDeque::new() })
    }

    /// Its counters.
    pub(super) fn stats(&self) -> Arc<ClockStats> {
        self.stats.clone()
    }

    /// Reads the clocks until the logbook's writer is gone.
    pub(super) async fn run(mut self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if self.read(synchronised()).is_err() {
                return;
            }
        }
    }

    fn read(&mut self, synchronised: Option<bool>) -> Result<(), WriterGone> {
        self.stats.set_synchronised(synchronised);
        for reading in self.watch.check(self.clock.now(), synchronised) {
            if reading.reason == ReadingReason::Stepped {
                self.stats.steps.fetch_add(1, Relaxed);
                let by_ms = i64::try_from(reading.stepped.as_millis()).unwrap_or(i64::MAX);
                self.stats.last_step_ms.store(by_ms, Relaxed);
                tracing::warn!(
                    "the clock was stepped by {:.3} s; it now reads {}",
                    reading.stepped.as_secs_f64(),
                    reading.at.wall
                );
            } else {
                tracing::info!("clock: {}", reading.reason.as_str());
            }
            self.waiting.push_back(reading);
        }
        while let Some(reading) = self.waiting.pop_front() {
            // An async task must not wait for the disk.
            if self.logbook.try_send(Entry::Clock(reading.clone()))?.is_some() {
                self.waiting.push_front(reading);
                break;
            }
        }
        Ok(())
    }
}

/// Whether a time server has set the clock, by systemd-timesyncd.
fn synchronised() -> Option<bool> {
    let folder = Path::new(TIMESYNC);
    folder.is_dir().then(|| folder.join("synchronized").exists())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::clock::SimulatedClock;
    use crate::logbook::testing::{SOON, column, open};

    #[test]
    fn an_unset_clock_and_its_step_are_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        let clock = Arc::new(SimulatedClock::new("1970-01-01T00:00:20Z".parse().unwrap()));
        let mut clocks = ClockMonitor::begin(clock.clone(), sender).unwrap();
        clock.advance(Duration::from_secs(30));
        clocks.read(Some(false)).unwrap();
        let today = SignedDuration::from_hours(24 * 365 * 56);
        clock.step(today);
        clocks.read(Some(true)).unwrap();
        clock.advance(Duration::from_secs(1));
        clocks.read(Some(true)).unwrap();
        assert_eq!((clocks.stats.steps.load(Relaxed), clocks.stats.synchronised()), (1, Some(true)));
        writer.flush(SOON).unwrap();
        let rows = column(
            &path,
            "SELECT concat_ws(' ', reason, clock_set, stepped_s, later_steps_s, utc, true_utc) FROM v_clock ORDER BY id",
        );
        assert_eq!(
            rows,
            [
                "start no 0.0 1766016000.0 1970-01-01T00:00:20.000Z 2025-12-18T00:00:20.000Z",
                "stepped yes 1766016000.0 0.0 2025-12-18T00:00:50.000Z 2025-12-18T00:00:50.000Z",
                "synchronised yes 0.0 0.0 2025-12-18T00:00:50.000Z 2025-12-18T00:00:50.000Z",
            ]
        );
    }
}
