//! A whole system for tests: a real broker, real RTSP cameras and the real daemon. Each can be frozen or killed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use havenwacht::alerts::StaffClient;
use havenwacht::camera_state::CameraState;
use havenwacht::cli::demo::programs::{self, DemoPorts, Program};
use havenwacht::cli::demo::read_health;
use havenwacht::ids::SiteId;
use havenwacht::web::Health;
use rusqlite::Connection;
use tempfile::TempDir;
use test_support::wait_for;

use crate::clips::h264_clip;
use crate::paths::{clip, havenwacht, root};

/// Cameras, a broker, and a daemon that alerts on every confirmed vessel.
pub(crate) struct TestSystem {
    pub(crate) daemon: Option<Program>,
    pub(crate) broker: Option<Program>,
    cameras: Vec<TestCamera>,
    pub(crate) ports: DemoPorts,
    pub(crate) site: PathBuf,
    pub(crate) work: TempDir,
    _permit: SystemPermit,
}

/// A camera of the system. It may be stopped.
struct TestCamera {
    id: String,
    clip: PathBuf,
    program: Option<Program>,
    address: String,
    port: u16,
}

/// Systems at a time: a measurement in one must not suffer from the load of the others.
const SYSTEMS: usize = 2;

static RUNNING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// Permission to run a system. It is given back when it is dropped, after all else of the system.
pub(crate) struct SystemPermit;

impl SystemPermit {
    /// Waits until a system may run.
    pub(crate) fn acquire() -> Self {
        let running = RUNNING.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running = RUNNING
            .1
            .wait_while(running, |running| *running >= SYSTEMS)
            .unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Self
    }
}

impl Drop for SystemPermit {
    fn drop(&mut self) {
        *RUNNING.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        RUNNING.1.notify_one();
    }
}

/// A test that fails shows what the programs wrote.
impl Drop for TestSystem {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in ["daemon.log", "cameras.log", "broker.log"] {
                println!(
                    "--- {log}\n{}",
                    std::fs::read_to_string(self.work.path().join(log)).unwrap_or_default()
                );
            }
        }
    }
}

impl TestSystem {
    /// Starts the broker and cameras that show the sample scenes, with vessels, each as its own process. Does not start the
    /// daemon.
    pub(crate) fn new(cameras: &[&str]) -> Self {
        let clips: Vec<_> = cameras.iter().map(|id| (*id, clip(id))).collect();
        Self::with(&clips, "")
    }

    /// As [`TestSystem::new`], with a small test picture that costs almost no time. Each camera gets the `extra` keys.
    pub(crate) fn small(cameras: &[&str], extra: &str) -> Self {
        let clips: Vec<_> = cameras.iter().map(|id| (*id, h264_clip().to_owned())).collect();
        Self::with(&clips, extra)
    }

    /// As [`TestSystem::new`], with a camera for each clip. Each camera gets the `extra` keys.
    pub(crate) fn with(clips: &[(&str, PathBuf)], extra: &str) -> Self {
        let permit = SystemPermit::acquire();
        let work = tempfile::tempdir().unwrap();
        let broker_port = programs::free_port().unwrap();
        let broker = programs::start_broker(work.path(), broker_port).unwrap();
        let cameras = clips
            .iter()
            .map(|(id, clip)| {
                let (program, port) =
                    programs::start_cameras(work.path(), 0, &[((*id).to_owned(), clip.clone())]).unwrap();
                let address = "127.0.0.1".to_owned();
                TestCamera { id: (*id).to_owned(), clip: clip.clone(), program: Some(program), address, port }
            })
            .collect();
        let ports = DemoPorts {
            rtsp_port: 0,
            broker_port,
            health_port: programs::free_port().unwrap(),
            logbook: work.path().join("logbook.sqlite"),
        };
        let site = work.path().join("site.toml");
        let system = Self { daemon: None, broker: Some(broker), cameras, ports, site, work, _permit: permit };
        system.write_site(extra);
        system
    }

    /// Moves camera `id` to another address, where `program` already serves it. Call it before the daemon starts.
    pub(crate) fn move_camera(&mut self, id: &str, program: Program, address: &str, port: u16) {
        let camera = self.camera_mut(id);
        (camera.program, camera.address, camera.port) = (Some(program), address.to_owned(), port);
        self.write_site("");
    }

    /// Writes a site file with one presence rule for each camera, always active and over the whole picture.
    pub(crate) fn write_site(&self, extra: &str) {
        let root = root().display();
        let DemoPorts { broker_port, health_port, logbook, .. } = &self.ports;
        let mut text = format!(
            "[site]\nid = \"test-harbour\"\nname = \"Test harbour\"\ntime_zone = \"Europe/Amsterdam\"\n\
             [model]\nmanifest = \"{root}/models/havenwacht.toml\"\nruntime = \"{root}/models/runtime/libonnxruntime.so\"\n\
             threads = 1\n[broker]\nhost = \"127.0.0.1\"\nport = {broker_port}\n[logbook]\npath = \"{}\"\n\
             [retention]\ndetections = \"90d\"\nevents = \"2y\"\n[health]\nlisten = \"127.0.0.1:{health_port}\"\n",
            logbook.display()
        );
        for TestCamera { id, address, port, .. } in &self.cameras {
            let codec = if id == "roads" { "h265" } else { "h264" };
            text += &format!(
                "[[camera]]\nid = \"{id}\"\nname = \"{id}\"\nurl = \"rtsp://{address}:{port}/{id}\"\n\
                 codec = \"{codec}\"\ndetect_fps = 3.0\n\
                 regions = [[0.0, 0.22, 0.56, 0.95], [0.44, 0.22, 1.0, 0.95]]\n{extra}\
                 [[zone]]\nid = \"{id}-all\"\nname = \"All of {id}\"\ncamera = \"{id}\"\n\
                 polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]\n\
                 [[rule]]\nid = \"{id}-seen\"\nname = \"Vessel seen\"\nkind = \"presence\"\nzone = \"{id}-all\"\n\
                 severity = \"info\"\nconfirm = \"0s\"\nclear = \"2s\"\ncooldown = \"5s\"\n"
            );
        }
        std::fs::write(&self.site, text).unwrap();
    }

    /// Starts the daemon and waits until its health page answers.
    pub(crate) fn start_daemon(&mut self) {
        self.daemon = Some(programs::start_daemon(havenwacht(), self.work.path(), &self.site, None).unwrap());
        let log = self.work.path().join("daemon.log");
        wait_for(Duration::from_secs(20), "the daemon answers", || {
            let running = self.daemon.as_mut().is_some_and(Program::is_running);
            assert!(running, "the daemon ended:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
            read_health(self.ports.health_port)
        });
    }

    /// The health of the daemon.
    pub(crate) fn health(&self) -> Option<Health> {
        read_health(self.ports.health_port)
    }

    /// The state of one camera, such as `streaming`.
    pub(crate) fn camera_state(&self, id: &str) -> Option<CameraState> {
        Some(self.health()?.cameras.into_iter().find(|camera| camera.id == id)?.state)
    }

    /// Waits until every camera streams.
    pub(crate) fn wait_until_streaming(&self) {
        wait_for(Duration::from_secs(20), "every camera streams", || {
            self.health()
                .filter(|health| health.cameras.iter().all(|camera| camera.state == CameraState::Streaming))
        });
    }

    /// The process that is camera `id`.
    pub(crate) fn camera(&mut self, id: &str) -> &mut Option<Program> {
        &mut self.camera_mut(id).program
    }

    /// The port of camera `id`.
    pub(crate) fn port_of(&mut self, id: &str) -> u16 {
        self.camera_mut(id).port
    }

    fn camera_mut(&mut self, id: &str) -> &mut TestCamera {
        self.cameras.iter_mut().find(|camera| camera.id == id).unwrap()
    }

    /// Starts a killed camera again, at the same address.
    pub(crate) fn restart_camera(&mut self, id: &str) {
        let work = self.work.path().to_owned();
        let camera = self.camera_mut(id);
        let clips = [(camera.id.clone(), camera.clip.clone())];
        let (started, _) = programs::start_cameras(&work, camera.port, &clips).unwrap();
        camera.program = Some(started);
    }

    /// Lets camera `id` show another clip from now on. It starts a new session.
    pub(crate) fn show(&mut self, id: &str, clip: &Path) {
        let camera = self.camera_mut(id);
        camera.program.take();
        camera.clip = clip.to_owned();
        self.restart_camera(id);
    }

    /// Starts a stopped broker again, at the same port.
    pub(crate) fn restart_broker(&mut self) {
        self.broker = Some(programs::start_broker(self.work.path(), self.ports.broker_port).unwrap());
    }

    /// A client that receives the messages of this system.
    pub(crate) fn listener(&self) -> StaffClient {
        let mut staff = self.staff_client("harbour-staff");
        assert!(staff.subscribe(Duration::from_secs(5)), "the broker accepts the subscription");
        staff
    }

    /// A client that has not subscribed yet.
    pub(crate) fn staff_client(&self, name: &str) -> StaffClient {
        let site = SiteId::new("test-harbour").unwrap();
        StaffClient::new(self.ports.broker_port, &site, name).unwrap()
    }

    /// The alerts of the logbook: id, and whether the broker has confirmed it.
    pub(crate) fn alerts(&self) -> BTreeMap<String, bool> {
        let logbook = self.open_logbook();
        let mut rows = logbook.prepare("select id, delivered is not null from alert").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    /// The logbook, while its writer runs.
    pub(crate) fn open_logbook(&self) -> Connection {
        Connection::open(&self.ports.logbook).unwrap()
    }
}
