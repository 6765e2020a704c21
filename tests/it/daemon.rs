//! The daemon's protocol with systemd.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::paths::{havenwacht, root};

/// A site whose camera and broker do not exist.
fn site(folder: &Path, manifest: &Path) -> PathBuf {
    let root = root().display();
    let text = format!(
        "[site]\nid = \"quiet-quay\"\ntime_zone = \"Europe/Amsterdam\"\n\
         [model]\nmanifest = \"{}\"\nruntime = \"{root}/models/runtime/libonnxruntime.so\"\n\
         [broker]\nhost = \"127.0.0.1\"\nport = 9\n[logbook]\npath = \"{}/logbook.sqlite\"\n\
         [health]\nlisten = \"127.0.0.1:{}\"\n\
         [[camera]]\nid = \"offline\"\nurl = \"rtsp://127.0.0.1:9/offline\"\ncodec = \"h264\"\ndetect_fps = 2.0\n\
         stall_after = \"1s\"\n\
         [[zone]]\nid = \"basin\"\ncamera = \"offline\"\npolygon = [[0.1, 0.5], [0.9, 0.5], [0.9, 0.9], [0.1, 0.9]]\n\
         [[rule]]\nid = \"basin\"\nkind = \"presence\"\nzone = \"basin\"\nseverity = \"warning\"\n",
        manifest.display(),
        folder.display(),
        havenwacht::cli::demo::programs::free_port().unwrap(),
    );
    let path = folder.join("site.toml");
    std::fs::write(&path, text).unwrap();
    path
}

struct Unit {
    child: Child,
    socket: UnixDatagram,
    folder: TempDir,
}

impl Unit {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = site(folder.path(), &root().join("models/havenwacht.toml"));
        let address = folder.path().join("notify");
        let socket = UnixDatagram::bind(&address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let child = Command::new(havenwacht())
            .args(["run", "--config"])
            .arg(site)
            .env("NOTIFY_SOCKET", &address)
            .env("WATCHDOG_USEC", "2000000")
            .env_remove("JOURNAL_STREAM")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, socket, folder }
    }

    /// The next notification that contains `wanted`.
    fn notified(&self, wanted: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length =
                self.socket.recv(&mut buffer).unwrap_or_else(|_| panic!("no notification contains {wanted}"));
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.contains(wanted) {
                return text;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[test]
fn it_is_ready_without_camera_and_broker() {
    let mut daemon = Unit::start();
    daemon.notified("READY=1");
    let status = daemon.notified("STATUS=");
    assert!(status.contains("0 of 1 camera streaming"), "{status}");
    for _ in 0..3 {
        daemon.notified("WATCHDOG=1");
    }
    let outage = daemon.notified("OUTAGE");
    assert!(outage.contains("OUTAGE: offline (signal loss)"), "{outage}");
    daemon.signal(Signal::SIGHUP);
    daemon.notified("WATCHDOG=1");
    daemon.signal(Signal::SIGTERM);
    daemon.notified("STOPPING=1");
    assert!(daemon.child.wait().unwrap().success());
    let logbook = rusqlite::Connection::open(daemon.folder.path().join("logbook.sqlite")).unwrap();
    let ending: String = logbook.query_row("select ending from v_starts", [], |row| row.get(0)).unwrap();
    assert_eq!(ending, "stopped");
    let one = |query: &str| logbook.query_row(query, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(one("select state from v_camera_state where state = 'backing-off' limit 1"), "backing-off");
    assert_eq!(
        one("select camera || cause || ended_by || (seconds > 1) || text from v_camera_outages"),
        "offlinesignal lossstop1no picture has arrived for 1 s"
    );
    assert_eq!(one("select rule || reason from v_suppressed"), "basincamera outage");
}

#[test]
fn a_frozen_daemon_does_not_feed_the_watchdog() {
    let daemon = Unit::start();
    daemon.notified("READY=1");
    daemon.notified("WATCHDOG=1");
    daemon.signal(Signal::SIGSTOP);
    daemon.socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let mut buffer = [0; 4096];
    // What was sent before may still arrive; then nothing does for longer than the watchdog's limit.
    while daemon.socket.recv(&mut buffer).is_ok() {}
    daemon.signal(Signal::SIGCONT);
    daemon.notified("WATCHDOG=1");
}

#[test]
fn a_configuration_error_ends_with_78_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = |site: &Path| {
        let output = Command::new(havenwacht()).args(["run", "--config"]).arg(site).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let manifest = std::fs::read_to_string(root().join("models/havenwacht.toml")).unwrap();
    let hash = manifest.lines().find(|line| line.starts_with("sha256")).unwrap();
    let altered = manifest.replace(hash, &format!("sha256 = \"{}\"", "0".repeat(64)));
    let altered =
        altered.replace("havenwacht.onnx", &root().join("models/havenwacht.onnx").display().to_string());
    let altered_path = folder.path().join("altered.toml");
    std::fs::write(&altered_path, altered).unwrap();
    let (code, said) = run(&site(folder.path(), &altered_path));
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("sha256") && said.contains("altered.toml"), "{said}");

    let broken = site(folder.path(), &root().join("models/havenwacht.toml"));
    let text = std::fs::read_to_string(&broken).unwrap().replace("detect_fps = 2.0", "detect_fps = 200.0");
    std::fs::write(&broken, text).unwrap();
    let (code, said) = run(&broken);
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("detect_fps") && said.contains("site.toml:"), "{said}");
    assert!(!folder.path().join("logbook.sqlite").exists());
}
