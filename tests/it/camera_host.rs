//! Real RTSP cameras on loopback: a process that tests can kill and freeze.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::clips::encode;

/// A running `sample-cameras`. It is killed when it is dropped.
pub(crate) struct CameraHost {
    process: Child,
    /// The port on which it listens.
    pub(crate) port: u16,
}

impl CameraHost {
    /// Serves each (mount, clip) at `rtsp://127.0.0.1:<port>/<mount>`; port 0 takes a free port.
    pub(crate) fn start(port: u16, mounts: &[(&str, &Path)]) -> Self {
        Self::run(Command::new(binary()).args(["--port", &port.to_string()]), mounts)
    }

    /// As [`CameraHost::start`], with the login of `credentials`, a file with name:password.
    pub(crate) fn start_locked(credentials: &Path, mounts: &[(&str, &Path)]) -> Self {
        let mut command = Command::new(binary());
        Self::run(command.args(["--port", "0", "--credentials"]).arg(credentials), mounts)
    }

    fn run(command: &mut Command, mounts: &[(&str, &Path)]) -> Self {
        let mut process = command
            .args(mounts.iter().map(|(mount, clip)| format!("{mount}={}", clip.display())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        let port = output["port"].as_u64().and_then(|port| port.try_into().ok()).unwrap();
        Self { process, port }
    }

    pub(crate) fn url(&self, mount: &str) -> url::Url {
        format!("rtsp://127.0.0.1:{}/{mount}", self.port).parse().unwrap()
    }

    /// Stops it while its sockets stay open, like a camera whose firmware hangs.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), signal).unwrap();
    }
}

impl Drop for CameraHost {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The program `sample-cameras`: the one beside this test, else the release build.
fn binary() -> PathBuf {
    if let Some(given) = std::env::var_os("SAMPLE_CAMERAS") {
        return given.into();
    }
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let beside = profile.join("sample-cameras");
    let release = profile.with_file_name("release").join("sample-cameras");
    let built = [&beside, &release].into_iter().find(|path| path.exists());
    built
        .unwrap_or_else(|| panic!("no {}: run `cargo build -p sample-streams` first", beside.display()))
        .clone()
}

/// One minute of the small test picture in H.265.
pub(crate) fn h265_clip() -> &'static Path {
    static CLIP: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let encoder = "x265enc key-int-max=25 bitrate=300 speed-preset=ultrafast ! h265parse";
    &CLIP.get_or_init(|| encode("h265.mp4", 1500, "320x240", encoder)).1
}
