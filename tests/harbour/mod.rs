//! A harbour for tests: real broker, real RTSP cameras, the real daemon, each of which can be frozen or killed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use havenwacht::alerts::Listener;
use havenwacht::camera_state::CameraState;
use havenwacht::cli::demo::read_health;
use havenwacht::cli::demo::stage::{self, Program, Rented};
use havenwacht::web::Health;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::clips::h264_clip;
use crate::files::{clip, havenwacht, root};

/// What time it is, for tests that measure.
#[expect(clippy::disallowed_methods, reason = "tests measure the real clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits until `done` gives something; panics with `what` after `patience`. Also tells how long it took.
pub(crate) fn wait_for<T>(
    what: &str,
    patience: Duration,
    mut done: impl FnMut() -> Option<T>,
) -> (T, Duration) {
    let began = now();
    loop {
        if let Some(found) = done() {
            return (found, began.elapsed());
        }
        assert!(began.elapsed() < patience, "{what}: not within {patience:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Cameras on a quay, a broker, a watch that alerts on every vessel it confirms.
pub(crate) struct Harbour {
    pub(crate) watch: Option<Program>,
    pub(crate) broker: Option<Program>,
    cameras: Vec<Post>,
    pub(crate) ports: Rented,
    pub(crate) site: PathBuf,
    pub(crate) work: TempDir,
    _berth: Berth,
}

/// A camera of the harbour, which may be away.
struct Post {
    id: String,
    clip: PathBuf,
    program: Option<Program>,
    address: String,
    port: u16,
}

/// Harbours at a time: each decodes and looks, and what is measured in one must not be another's load.
const HARBOURS: usize = 2;

static OPEN: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// One of the few places for a harbour. Given back when dropped, last of all.
pub(crate) struct Berth;

impl Berth {
    pub(crate) fn take() -> Self {
        let open = OPEN.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open =
            OPEN.1.wait_while(open, |open| *open >= HARBOURS).unwrap_or_else(PoisonError::into_inner);
        *open += 1;
        Self
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        *OPEN.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        OPEN.1.notify_one();
    }
}

/// A test that fails shows what the watch said.
impl Drop for Harbour {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in ["watch.log", "cameras.log", "broker.log"] {
                println!(
                    "--- {log}\n{}",
                    std::fs::read_to_string(self.work.path().join(log)).unwrap_or_default()
                );
            }
        }
    }
}

impl Harbour {
    /// Cameras that show the sample scenes, with vessels, and the broker run; the watch does not yet. Each camera is a process
    /// of its own.
    pub(crate) fn new(cameras: &[&str]) -> Self {
        let clips: Vec<_> = cameras.iter().map(|id| (*id, clip(id))).collect();
        Self::with(&clips, "")
    }

    /// As [`Harbour::new`], with a small test picture that costs next to nothing; `extra` keys for each camera.
    pub(crate) fn small(cameras: &[&str], extra: &str) -> Self {
        let clips: Vec<_> = cameras.iter().map(|id| (*id, h264_clip().to_owned())).collect();
        Self::with(&clips, extra)
    }

    /// A camera for each clip; `extra` keys for each.
    pub(crate) fn with(clips: &[(&str, PathBuf)], extra: &str) -> Self {
        let berth = Berth::take();
        let work = tempfile::tempdir().unwrap();
        let broker_port = stage::free_port().unwrap();
        let broker = stage::start_broker(work.path(), broker_port).unwrap();
        let cameras = clips
            .iter()
            .map(|(id, clip)| {
                let (program, port) =
                    stage::start_cameras(work.path(), 0, &[((*id).to_owned(), clip.clone())]).unwrap();
                let address = "127.0.0.1".to_owned();
                Post { id: (*id).to_owned(), clip: clip.clone(), program: Some(program), address, port }
            })
            .collect();
        let ports = Rented {
            rtsp_port: 0,
            broker_port,
            health_port: stage::free_port().unwrap(),
            logbook: work.path().join("logbook.sqlite"),
        };
        let site = work.path().join("site.toml");
        let harbour = Self { watch: None, broker: Some(broker), cameras, ports, site, work, _berth: berth };
        harbour.write_site(extra);
        harbour
    }

    /// Moves camera `id` to another address, where `program` already serves it. Before the watch starts.
    pub(crate) fn move_camera(&mut self, id: &str, program: Program, address: &str, port: u16) {
        let post = self.post(id);
        (post.program, post.address, post.port) = (Some(program), address.to_owned(), port);
        self.write_site("");
    }

    /// A site file with an always-live presence rule over the whole picture of each camera.
    pub(crate) fn write_site(&self, extra: &str) {
        let root = root().display();
        let Rented { broker_port, health_port, logbook, .. } = &self.ports;
        let mut text = format!(
            "[site]\nid = \"test-harbour\"\nname = \"Test harbour\"\ntime_zone = \"Europe/Amsterdam\"\n\
             [model]\nmanifest = \"{root}/models/havenwacht.toml\"\nruntime = \"{root}/models/runtime/libonnxruntime.so\"\n\
             threads = 1\n[broker]\nhost = \"127.0.0.1\"\nport = {broker_port}\n[logbook]\npath = \"{}\"\n\
             [retention]\ndetections = \"90d\"\nevents = \"2y\"\n[health]\nlisten = \"127.0.0.1:{health_port}\"\n",
            logbook.display()
        );
        for Post { id, address, port, .. } in &self.cameras {
            let codec = if id == "roads" { "h265" } else { "h264" };
            text += &format!(
                "[[camera]]\nid = \"{id}\"\nname = \"{id}\"\nurl = \"rtsp://{address}:{port}/{id}\"\n\
                 codec = \"{codec}\"\nlooks_per_second = 3.0\n\
                 regions = [[0.0, 0.22, 0.56, 0.95], [0.44, 0.22, 1.0, 0.95]]\n{extra}\
                 [[zone]]\nid = \"{id}-all\"\nname = \"All of {id}\"\ncamera = \"{id}\"\n\
                 polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]\n\
                 [[rule]]\nid = \"{id}-seen\"\nname = \"Vessel seen\"\nkind = \"presence\"\nzone = \"{id}-all\"\n\
                 severity = \"info\"\nconfirm = \"0s\"\nclear = \"2s\"\ncooldown = \"5s\"\n"
            );
        }
        std::fs::write(&self.site, text).unwrap();
    }

    /// Starts the watch and waits until its health page answers.
    pub(crate) fn start_watch(&mut self) {
        self.watch = Some(stage::start_watch(havenwacht(), self.work.path(), &self.site, None).unwrap());
        let log = self.work.path().join("watch.log");
        wait_for("the watch answers", Duration::from_secs(20), || {
            let running = self.watch.as_mut().is_some_and(Program::is_running);
            assert!(running, "the watch went off:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
            read_health(self.ports.health_port)
        });
    }

    /// The state of the watch.
    pub(crate) fn health(&self) -> Option<Health> {
        read_health(self.ports.health_port)
    }

    /// The state of one camera, such as `streaming`.
    pub(crate) fn camera_state(&self, id: &str) -> Option<CameraState> {
        Some(self.health()?.cameras.into_iter().find(|camera| camera.id == id)?.state)
    }

    /// Waits until every camera streams.
    pub(crate) fn wait_until_streaming(&self) {
        wait_for("every camera streams", Duration::from_secs(20), || {
            self.health()
                .filter(|health| health.cameras.iter().all(|camera| camera.state == CameraState::Streaming))
        });
    }

    /// The process that is camera `id`.
    pub(crate) fn camera(&mut self, id: &str) -> &mut Option<Program> {
        &mut self.post(id).program
    }

    /// Where camera `id` serves.
    pub(crate) fn port_of(&mut self, id: &str) -> u16 {
        self.post(id).port
    }

    fn post(&mut self, id: &str) -> &mut Post {
        self.cameras.iter_mut().find(|post| post.id == id).unwrap()
    }

    /// Brings a killed camera back where it was.
    pub(crate) fn restart_camera(&mut self, id: &str) {
        let work = self.work.path().to_owned();
        let post = self.post(id);
        let clips = [(post.id.clone(), post.clip.clone())];
        let (started, _) = stage::start_cameras(&work, post.port, &clips).unwrap();
        post.program = Some(started);
    }

    /// Lets camera `id` show another clip from now on: a new session.
    pub(crate) fn show(&mut self, id: &str, clip: &Path) {
        let post = self.post(id);
        post.program.take();
        post.clip = clip.to_owned();
        self.restart_camera(id);
    }

    /// Brings a stopped broker back where it was.
    pub(crate) fn restart_broker(&mut self) {
        self.broker = Some(stage::start_broker(self.work.path(), self.ports.broker_port).unwrap());
    }

    /// Somebody who hears this harbour's messages.
    pub(crate) fn listener(&self) -> Listener {
        let mut listener =
            Listener::new("127.0.0.1", self.ports.broker_port, "test-harbour", "harbour-staff");
        assert!(listener.subscribe(Duration::from_secs(5)), "the broker takes the subscription");
        listener
    }

    /// The alerts of the logbook: id, and whether the broker has confirmed it.
    pub(crate) fn alerts(&self) -> BTreeMap<String, bool> {
        let logbook = self.open_logbook();
        let mut rows = logbook.prepare("select id, delivered is not null from alert").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    /// The logbook, beside its writer.
    pub(crate) fn open_logbook(&self) -> Connection {
        Connection::open(&self.ports.logbook).unwrap()
    }
}
