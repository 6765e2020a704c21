//! The daemon on a disk that another program fills: a real file system of four megabytes, in a mount namespace of its own.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use havenwacht::alerts::StaffClient;
use havenwacht::web::Health;
use test_support::{now, wait_for, wait_until};

use crate::damage::ask;
use crate::system::{SystemPermit, TestSystem};
use crate::{Row, is_long};

const ROW: (u8, &str) = (10, "disk full under the whole daemon, then freed");
const MEGABYTES: u32 = 4;

/// Variable with the path of the disk, for the inner run.
const INNER: &str = "HAVENWACHT_TINY_DISK";
/// Exit status of the shell when mounting is not permitted.
const NOT_MOUNTED: i32 = 99;

/// Runs the test of this name again with a disk of its own.
fn on_a_tiny_disk(test: &str) -> std::io::Result<Output> {
    let folder = tempfile::tempdir()?;
    let script = format!(
        "mount -t tmpfs -o size={MEGABYTES}m tmpfs \"$1\" || exit {NOT_MOUNTED}; exec \"$2\" --exact {test} --nocapture"
    );
    Command::new("timeout")
        .args(["900", "unshare", "--mount", "sh", "-c", &script, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe()?)
        .env(INNER, folder.path())
        .output()
}

/// Another program that fills the disk, until it ends and its file is deleted.
struct Filler {
    going: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Filler {
    fn start(ballast: PathBuf) -> Self {
        let going = Arc::new(AtomicBool::new(true));
        let goes_on = going.clone();
        let thread = std::thread::spawn(move || {
            let mut file = OpenOptions::new().create(true).append(true).open(&ballast).unwrap();
            while goes_on.load(Relaxed) {
                // To the last byte: large pieces, then small ones.
                while [65_536, 4096, 512, 1].iter().any(|&size| file.write_all(&vec![7; size]).is_ok()) {}
                std::thread::sleep(Duration::from_millis(5));
            }
            drop(file);
            std::fs::remove_file(ballast).unwrap();
        });
        Self { going, thread: Some(thread) }
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        self.going.store(false, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// What staff receive.
struct Staff {
    listener: StaffClient,
    alerts: BTreeSet<String>,
    /// The problems of the last status; `None` before the first.
    problems: Option<Vec<serde_json::Value>>,
}

impl Staff {
    fn new(listener: StaffClient) -> Self {
        Self { listener, alerts: BTreeSet::new(), problems: None }
    }

    /// Receives messages until none comes for `wait`.
    fn receive(&mut self, wait: Duration) {
        while let Some(message) = self.listener.next(wait) {
            if let Some(alert) = message.alert() {
                self.alerts.insert(alert["alert_id"].as_str().unwrap().to_owned());
            } else if message.topic.ends_with("/status") {
                let status: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
                self.problems = Some(status["problems"].as_array().cloned().unwrap_or_default());
            }
        }
    }

    /// Waits until the status has problems, or has none.
    fn wait_for_problems(&mut self, some: bool) -> Duration {
        let what = if some { "staff receive the problem" } else { "staff receive that it is over" };
        wait_for(Duration::from_secs(30), what, || {
            self.receive(Duration::from_millis(20));
            self.problems.as_ref().filter(|problems| problems.is_empty() != some).map(|_| ())
        })
        .1
    }
}

/// The health of a daemon that is running and not stuck.
fn alive(system: &mut TestSystem) -> Health {
    assert!(system.daemon.as_mut().unwrap().is_running(), "the daemon has ended");
    let health = system.health().expect("the health page answers");
    assert_eq!(health.late_loops, [""; 0], "a loop is late");
    health
}

#[test]
fn a_full_disk_is_reported_and_loses_no_event() {
    let name = "disk::a_full_disk_is_reported_and_loses_no_event";
    let Some(disk) = std::env::var_os(INNER) else {
        let _berth = SystemPermit::acquire();
        let ran = on_a_tiny_disk(name).unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        let refused = ran.status.code() == Some(NOT_MOUNTED) || said.starts_with("unshare:");
        if refused {
            return Row::new(ROW.0, ROW.1, 0).not_permitted(&said);
        }
        println!("{said}");
        assert!(ran.status.success() && said.contains("1 passed"), "on a tiny disk");
        return;
    };
    fills_up_and_is_freed(&PathBuf::from(disk));
}

/// The test itself, on that disk.
fn fills_up_and_is_freed(disk: &Path) {
    let mut system = TestSystem::new(&["inner-harbour"]);
    system.ports.logbook = disk.join("logbook.sqlite");
    system.write_site("");
    let mut staff = Staff::new(system.listener());
    system.start_daemon();
    system.wait_until_streaming();
    wait_until(Duration::from_secs(20), "a reserve", || disk.join("logbook.sqlite.reserve").exists());
    staff.wait_for_problems(false);
    let before = alive(&mut system).cameras[0].signals;

    let filler = Filler::start(disk.join("ballast"));
    let reported = staff.wait_for_problems(true);
    // A client that connects now receives the status too: it is retained.
    Staff::new(system.staff_client("night-shift")).wait_for_problems(true);
    let since = now();
    // Events must happen while nothing can be written, more than there is room for.
    let (meanwhile, _) = wait_for(Duration::from_secs(400), "events meanwhile", || {
        staff.receive(Duration::from_millis(200));
        let health = alive(&mut system);
        let enough = match is_long() {
            true => health.logbook.unwritten_detections > 0 && since.elapsed() > Duration::from_secs(240),
            false => since.elapsed() > Duration::from_secs(1),
        };
        (enough && health.cameras[0].signals > before).then_some(health)
    });
    assert!(meanwhile.logbook.problem.is_some(), "the disk is still full: {:?}", meanwhile.logbook);
    drop(filler);
    let recovered = staff.wait_for_problems(false);
    wait_for(Duration::from_secs(30), "nothing waits", || {
        staff.receive(Duration::from_millis(20));
        system.health().filter(|health| health.alerts.undelivered == 0 && health.logbook.queued == 0)
    });
    let health = alive(&mut system);
    assert!(system.daemon.as_mut().unwrap().stop(Duration::from_secs(20)), "it stops in order");
    staff.receive(Duration::from_millis(500));

    let logbook = system.open_logbook();
    let count =
        |query: &str| logbook.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs();
    let signals = health.cameras[0].signals.saturating_sub(count("select count(*) from signal"));
    let alerts = system.alerts();
    let undelivered = alerts.keys().filter(|id| !staff.alerts.contains(*id)).count();
    let without_row = staff.alerts.iter().filter(|id| !alerts.contains_key(*id)).count();
    let kept = count("select count(*) from detection") + health.logbook.unwritten_detections;
    let (code, said) = ask(&["logbook", "check", "--logbook"], &system.ports.logbook);
    assert_eq!(code, Some(0), "{said}");
    let row = Row::new(ROW.0, ROW.1, 1)
        .lost(signals as usize + undelivered)
        .detected(reported, Duration::from_secs(5))
        .recovered(recovered, Duration::from_secs(5))
        .at_most("alerts without row", without_row as f64, "", 0.0)
        .at_least("signals meanwhile", (meanwhile.cameras[0].signals - before) as f64, "", 1.0)
        .at_most(
            "detections unaccounted for",
            health.cameras[0].detections.saturating_sub(kept) as f64,
            "",
            0.0,
        );
    match is_long() {
        true => row.at_least(
            "detections dropped, and counted",
            health.logbook.unwritten_detections as f64,
            "",
            1.0,
        ),
        false => row.at_most(
            "detections dropped, and counted",
            health.logbook.unwritten_detections as f64,
            "",
            0.0,
        ),
    }
    .record();
}
