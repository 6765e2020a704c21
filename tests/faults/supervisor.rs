//! systemd's part: waits for READY and WATCHDOG, kills a daemon that stops sending them, starts it again.
//!
//! The settings are read from the unit file, so that its present content is tested.

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

/// A setting of the unit file.
pub(crate) fn unit(key: &str) -> String {
    let text = std::fs::read_to_string(root().join("systemd/havenwacht.service")).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("the unit has no {key}")).to_owned()
}

/// `havenwacht run` under supervision.
pub(crate) struct Supervised {
    child: Child,
    socket: UnixDatagram,
    /// The watchdog's limit.
    limit: Duration,
}

/// How a supervised process ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It exited with this status.
    Ended(ExitStatus),
    /// It sent nothing for the watchdog's limit, and was killed.
    Killed,
}

impl Supervised {
    /// Starts the daemon on `site`; its log goes into the same folder.
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

    /// The next notification within `patience`.
    fn receive(&self, patience: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(patience.max(Duration::from_millis(1)))).unwrap();
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// Waits for READY=1. `None` when the program ends without it.
    pub(crate) fn ready(&mut self) -> Option<Duration> {
        let began = now();
        loop {
            if self.receive(Duration::from_millis(50)).is_some_and(|text| text.contains("READY=1")) {
                return Some(began.elapsed());
            }
            // Its last notification was received above.
            if self.child.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "neither ready nor ended");
        }
    }

    /// Waits until the process ends, or kills it as systemd would when it sends nothing for the limit.
    pub(crate) fn supervise(&mut self) -> Ending {
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
            if self
                .receive(left.min(Duration::from_millis(100)))
                .is_some_and(|text| text.contains("WATCHDOG=1"))
            {
                fed = now();
            }
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
