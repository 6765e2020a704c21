//! Notifications to systemd. Outside systemd (no `NOTIFY_SOCKET`) they do nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// Model loaded, logbook open, connections to the cameras being tried. An unreachable camera does not delay this.
pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// One line for `systemctl status`.
pub(super) fn status(line: &str) {
    notify(&[NotifyState::Status(line)]);
}

/// Every loop runs.
pub(super) fn watchdog() {
    notify(&[NotifyState::Watchdog]);
}

/// An intended stop.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// How often systemd expects [`watchdog`]: half its limit; `None` when the unit has no watchdog.
pub(super) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(cause) = sd_notify::notify(state) {
        tracing::warn!("systemd cannot be notified: {cause}");
    }
}
