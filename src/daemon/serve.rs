//! Feeds systemd's watchdog while all is well.

use std::time::Duration;

use super::run::{Daemon, wait_for};
use super::systemd;
use crate::telemetry::counted;

const STATUS_INTERVAL: Duration = Duration::from_secs(5);

impl Daemon {
    /// Serves until asked to stop. Gives the reason when the daemon must stop by itself.
    pub(super) fn serve(&self) -> Option<String> {
        self.log_start();
        systemd::ready();
        let interval = systemd::watchdog_interval().unwrap_or(STATUS_INTERVAL).min(STATUS_INTERVAL);
        let mut was_late = false;
        while !self.stop.is_cancelled() {
            let health = self.status.read();
            let is_late = !health.late_loops.is_empty();
            if !is_late {
                systemd::watchdog();
            } else if !was_late {
                let loops = health.late_loops.join(", ");
                tracing::error!("these loops hang: {loops}; the watchdog is not fed until they run again");
            }
            was_late = is_late;
            systemd::status(&health.summary());
            wait_for(interval, || self.stop.is_cancelled() || self.failure().is_some());
            if self.stop.is_cancelled() {
                return None;
            }
            if let Some(reason) = self.failure() {
                tracing::error!("Havenwacht stops by itself: {reason}");
                return Some(reason.to_owned());
            }
        }
        None
    }

    /// Why the daemon cannot continue; `None` when it can.
    fn failure(&self) -> Option<&'static str> {
        if self.writer.has_stopped() {
            // Damage: the next start puts the file in quarantine.
            Some("the logbook's writer stopped")
        } else if self.detector.is_finished() {
            Some("the detector thread ended")
        } else if self.cameras.leaking() {
            Some("camera sessions hang while they are closed; a new process is needed")
        } else {
            None
        }
    }

    fn log_start(&self) {
        let site = &self.site;
        for overdue in site.overdue(self.clock.now().wall.to_zoned_datetime(site.time_zone.clone()).date()) {
            tracing::warn!("{overdue}");
        }
        let drill = if self.mode == "drill" { ", as a drill" } else { "" };
        tracing::info!(
            "Havenwacht {} ({} {}) runs at site {} with {} and {}{drill}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH,
            site.id,
            counted(site.cameras.len() as u64, "camera"),
            counted(site.rules.len() as u64, "rule"),
        );
    }
}
