//! What systemd is told. Outside systemd (no `NOTIFY_SOCKET`) all of it is silence.

use std::time::Duration;

use sd_notify::NotifyState;

/// Model loaded, logbook open, cameras being tried: the watch is on. A dead camera does not hold this up.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// One line for `systemctl status`.
pub(super) fn status(line: &str) {
    tell(&[NotifyState::Status(line)]);
}

/// Every loop has beaten.
pub(super) fn watchdog() {
    tell(&[NotifyState::Watchdog]);
}

/// Going down on purpose.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// How often systemd wants to hear [`watchdog`]: half its limit; `None` when it does not watch.
pub(super) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(cause) = sd_notify::notify(state) {
        tracing::warn!(%cause, "systemd could not be told");
    }
}
