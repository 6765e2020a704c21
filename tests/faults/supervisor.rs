//! What systemd does for the daemon, by its own protocol: hears READY and WATCHDOG, kills what falls silent, starts anew.
//!
//! The unit's settings are read from the unit, so that a changed unit is what is tested.

use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use test_support::now;

use crate::paths::{havenwacht, root};

/// A setting of the unit.
pub(crate) fn unit(key: &str) -> String {
    let text = std::fs::read_to_string(root().join("systemd/havenwacht.service")).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("the unit has no {key}")).to_owned()
}

/// `havenwacht run`, supervised.
pub(crate) struct Supervised {
    child: Child,
    socket: UnixDatagram,
    /// The watchdog's limit.
    limit: Duration,
}

/// How a supervised life ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The program ended, so.
    Ended(ExitStatus),
    /// The watchdog's limit passed in silence, and the program was killed for it.
    Killed,
}

impl Supervised {
    /// Starts the watch on `site`; its log goes beside it.
    pub(crate) fn start(site: &Path, limit: Duration) -> Self {
        let folder = site.parent().unwrap();
        let address: PathBuf = folder.join("notify");
        std::fs::remove_file(&address).ok();
        let socket = UnixDatagram::bind(&address).unwrap();
        let log = File::options().create(true).append(true).open(folder.join("daemon.log")).unwrap();
        let child = Command::new(havenwacht())
            .args(["run", "--config"])
            .arg(site)
            .env("NOTIFY_SOCKET", &address)
            .env("WATCHDOG_USEC", limit.as_micros().to_string())
            .env_remove("JOURNAL_STREAM")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, socket, limit }
    }

    /// The next word of the program within `patience`.
    fn hear(&self, patience: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(patience.max(Duration::from_millis(1)))).unwrap();
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// Waits for READY=1. `None` when the program ends without it.
    pub(crate) fn ready(&mut self) -> Option<Duration> {
        let began = now();
        loop {
            if self.hear(Duration::from_millis(50)).is_some_and(|told| told.contains("READY=1")) {
                return Some(began.elapsed());
            }
            // What it said before its end has been heard by now.
            if self.child.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "neither ready nor ended");
        }
    }

    /// Watches over the program until it ends, or falls silent for the limit and is killed as systemd would.
    pub(crate) fn watch(&mut self) -> Ending {
        let mut fed = now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Ending::Ended(status);
            }
            let left = self.limit.saturating_sub(fed.elapsed());
            if left.is_zero() {
                kill(Pid::from_raw(self.child.id() as i32), Signal::SIGABRT).unwrap();
                let status = self.child.wait().unwrap();
                assert_eq!(status.signal(), Some(Signal::SIGABRT as i32), "{status}");
                return Ending::Killed;
            }
            if self.hear(left.min(Duration::from_millis(100))).is_some_and(|told| told.contains("WATCHDOG=1"))
            {
                fed = now();
            }
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        // Fails only when it is gone already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
