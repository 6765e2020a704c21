//! The log lines that people read, from the real program. A changed line is a changed interface: read the difference, then
//! accept it with `INSTA_UPDATE=always`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use havenwacht::alerts::{self, MqttMessage, MqttSettings, Topic, TopicKind};
use havenwacht::cli::demo::programs::{free_port, start_broker};
use havenwacht::clock::{Clock, SystemClock};
use havenwacht::config::{self, Site};
use havenwacht::logbook::{Entry, MAX_PAYLOAD_BYTES, StartEntry, Writer, WriterOptions};
use havenwacht::telemetry;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use test_support::wait_until;

use crate::alerts::alert_entry;
use crate::camera_host::CameraHost;
use crate::clips::h264_clip;
use crate::paths::{havenwacht, root};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Set in the process that logs for a test.
const CHILD: &str = "HAVENWACHT_LOG_LINES_OF";

struct LoggingDaemon {
    process: std::process::Child,
    folder: tempfile::TempDir,
    site: Site,
    ports: Vec<u16>,
    /// Bytes of the log that earlier steps have read.
    read: usize,
}

impl LoggingDaemon {
    fn start(camera_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (broker_port, health_port) = (free_port().unwrap(), free_port().unwrap());
        let path = folder.path().join("site.toml");
        let text = format!(
            "[site]\nid = \"log-quay\"\nname = \"Log quay\"\ntime_zone = \"Europe/Amsterdam\"\n\
             [model]\nmanifest = \"{root}/models/havenwacht.toml\"\nruntime = \"{root}/models/runtime/libonnxruntime.so\"\n\
             [broker]\nhost = \"127.0.0.1\"\nport = {broker_port}\n[logbook]\npath = \"logbook.sqlite\"\n\
             [health]\nlisten = \"127.0.0.1:{health_port}\"\n\
             [[camera]]\nid = \"quay\"\nurl = \"rtsp://127.0.0.1:{camera_port}/quay\"\ncodec = \"h264\"\n\
             detect_fps = 2.0\nstall_after = \"60s\"\n\
             [[zone]]\nid = \"basin\"\ncamera = \"quay\"\npolygon = [[0.1, 0.5], [0.9, 0.5], [0.9, 0.9], [0.1, 0.9]]\n\
             [[rule]]\nid = \"basin\"\nkind = \"presence\"\nzone = \"basin\"\nseverity = \"warning\"\n",
            root = root().display()
        );
        fs::write(&path, text).unwrap();
        damage(&folder.path().join("logbook.sqlite"));
        let site = config::load(&path).unwrap().0;
        let process = Command::new(havenwacht())
            .args(["run", "--config"])
            .arg(&path)
            .env_remove("JOURNAL_STREAM")
            .env_remove("HAVENWACHT_LOG")
            .stdin(Stdio::null())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        Self { process, folder, site, ports: vec![camera_port, broker_port, health_port], read: 0 }
    }

    /// Waits until the log has each of `wanted`. Returns the new lines of the log, sorted, each once.
    fn lines(&mut self, step: &str, wanted: &[&str]) -> String {
        let read = || fs::read_to_string(self.folder.path().join("log")).unwrap();
        let (before, mut text) = (self.read, String::new());
        wait_until(LIMIT, &format!("{step}: {wanted:?} in the log"), || {
            text = read()[before..].to_owned();
            text.ends_with('\n') && wanted.iter().all(|wanted| text.contains(wanted))
        });
        self.read = before + text.len();
        format!("# {step}\n{}", normalised(&text, self.folder.path(), &self.ports))
    }
}

impl Drop for LoggingDaemon {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

/// Lines without what differs from run to run: times, ports, paths, ids. Threads log in any order, so lines are sorted and
/// repeated lines left out.
fn normalised(text: &str, folder: &Path, ports: &[u16]) -> String {
    let platform = format!("({} {})", std::env::consts::OS, std::env::consts::ARCH);
    let line = |line: &str| {
        let mut line = line.split_once(' ').map_or(line, |(_time, rest)| rest).trim_start().to_owned();
        line = line.replace(&folder.display().to_string(), "<folder>");
        line = line.replace(&root().display().to_string(), "<root>");
        line = line.replace(env!("CARGO_PKG_VERSION"), "<version>").replace(&platform, "(<platform>)");
        ports.iter().for_each(|port| line = line.replace(&port.to_string(), "<port>"));
        let ids = line.split(|c: char| !(c.is_ascii_hexdigit() || c == '-')).filter(|word| word.len() == 36);
        let ids: Vec<_> = ids.map(str::to_owned).collect();
        ids.iter().for_each(|id| line = line.replace(id, "<id>"));
        for (before, length) in [(".damaged-", 16), ("(retries: ", 1)] {
            if let Some(start) = line.find(before).map(|start| start + before.len()) {
                line.replace_range(start..start + length, "<varies>");
            }
        }
        line + "\n"
    };
    // Warnings about the site file have no time, and are tested elsewhere.
    let logged = text.lines().filter(|line| line.starts_with("20"));
    logged.map(line).collect::<BTreeSet<_>>().into_iter().collect()
}

fn open(path: &Path) -> (Writer, havenwacht::logbook::LogbookSender) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let start = StartEntry {
        at: clock.now(),
        version: "0.1.0".into(),
        config_hash: "c0".into(),
        model_hash: "f0".into(),
        mode: "run",
        time_zone: "Europe/Amsterdam".into(),
    };
    Writer::open(path, &start, WriterOptions::new(clock)).unwrap()
}

/// A logbook whose first page lost its list of tables.
fn damage(path: &Path) {
    let (writer, _) = open(path);
    writer.close(SystemClock::default().now().wall, LIMIT).unwrap();
    let mut bytes = fs::read(path).unwrap();
    bytes[100..4096].fill(0xA5);
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_daemon_logs_faults_and_their_ends() {
    let camera_port = free_port().unwrap();
    let mut daemon = LoggingDaemon::start(camera_port);
    let mut log = daemon.lines(
        "start with a damaged logbook, without broker and camera",
        &[
            "DAMAGED",
            "no connection to the broker",
            "cannot be received",
            "again after: cannot connect",
            "1 rule",
        ],
    );
    let broker = start_broker(daemon.folder.path(), daemon.site.broker.port).unwrap();
    log += &daemon.lines("broker back", &["connected to the broker", "receiving acknowledgements"]);
    let topic = Topic::new(&daemon.site.id, TopicKind::Acknowledge);
    let settings = MqttSettings::new(&daemon.site.broker, "desk");
    alerts::publish(settings, vec![MqttMessage::new(&topic, "OK")], LIMIT).unwrap();
    log += &daemon.lines("a message that is not an acknowledgement", &["rejected"]);
    let cameras = CameraHost::start(camera_port, &[("quay", h264_clip())]);
    log += &daemon.lines("camera up", &["is streaming"]);
    drop(broker);
    // Each client reports the end of its session, then the first failed connection.
    let refused = ["to the broker: connection refused", "be received: connection refused"];
    log += &daemon.lines("broker down", &refused);
    cameras.kill();
    log += &daemon.lines("camera down", &["closed the stream", "again after: cannot connect"]);
    kill(Pid::from_raw(daemon.process.id() as i32), Signal::SIGTERM).unwrap();
    assert!(daemon.process.wait().unwrap().success());
    log += &daemon.lines("stop", &["stop"]);
    insta::assert_snapshot!(log);
}

/// Runs test `name` of this file in a process of its own, with the real log on standard error.
fn log_of(name: &str, folder: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("log_lines::{name}"), "--nocapture"])
        .env(CHILD, folder)
        .env_remove("JOURNAL_STREAM")
        .env_remove("HAVENWACHT_LOG")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    normalised(&text, folder, &[])
}

#[test]
fn a_rejected_alert_is_logged() {
    let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) else {
        let folder = tempfile::tempdir().unwrap();
        insta::assert_snapshot!(log_of("a_rejected_alert_is_logged", folder.path()));
        return;
    };
    telemetry::start_logging();
    let (writer, logbook) = open(&folder.join("logbook.sqlite"));
    let site = crate::alerts::site(1);
    let Entry::Signal(mut entry) = alert_entry(&site, 1, SystemClock::default().now()) else {
        unreachable!()
    };
    entry.alert.as_mut().unwrap().payload = "x".repeat(MAX_PAYLOAD_BYTES + 1);
    logbook.send(Entry::Signal(entry)).unwrap();
    writer.close(SystemClock::default().now().wall, LIMIT).unwrap();
}
