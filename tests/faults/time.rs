//! A wall clock that is wrong and is corrected while the daemon runs: libfaketime is between the daemon and the system. The
//! clock of the machine is never changed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use havenwacht::cli::demo::programs::Program;
use rusqlite::Connection;
use test_support::{now, wait_for};

use crate::paths::havenwacht;
use crate::system::TestSystem;
use crate::{Row, rounds};

/// Its places in Debian and Ubuntu.
const LIBRARIES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];

/// The wall clock that the daemon sees.
struct WallClock {
    file: PathBuf,
}

impl WallClock {
    /// Sets it to `off_s` seconds after the real time.
    fn set(&self, off_s: i64) {
        // By rename, because the daemon may read the file at any moment.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{off_s:+}")).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }
}

/// Starts the daemon with a wall clock that is `off_s` seconds off.
fn start_with_clock(system: &mut TestSystem, off_s: i64) -> WallClock {
    let clock = WallClock { file: system.work.path().join("faketime") };
    clock.set(off_s);
    let library = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
    let library =
        library.expect("libfaketime is missing: `make setup` installs it (Debian package faketime)");
    let mut args: Vec<String> = [
        ("LD_PRELOAD", library),
        ("FAKETIME_TIMESTAMP_FILE", &clock.file.display().to_string()),
        ("FAKETIME_NO_CACHE", "1"),
        // The time since boot never steps.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ]
    .map(|(name, value)| format!("{name}={value}"))
    .to_vec();
    let site = system.site.display().to_string();
    args.extend([havenwacht().display().to_string(), "run".into(), "--config".into(), site]);
    let log = system.work.path().join("daemon.log");
    system.daemon = Some(Program::start("daemon", Path::new("env"), &args, &log).unwrap());
    wait_for(Duration::from_secs(30), "the daemon answers", || system.health());
    clock
}

/// Adds a rule for vessels that stay for four seconds.
fn add_dwell_rule(system: &TestSystem) {
    let rule = "[[rule]]\nid = \"stays\"\nname = \"Stays\"\nkind = \"dwell\"\nzone = \"inner-harbour-all\"\n\
                longer_than = \"4s\"\nseverity = \"info\"\nconfirm = \"0s\"\nclear = \"2s\"\ncooldown = \"0s\"\n";
    let text = std::fs::read_to_string(&system.site).unwrap();
    std::fs::write(&system.site, text + rule).unwrap();
}

fn numbers(logbook: &Connection, query: &str) -> Vec<f64> {
    let mut statement = logbook.prepare(query).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Detection passes whose frame is not newer than the frame of the row before: rows must have the order of events.
fn out_of_order(logbook: &Connection) -> f64 {
    let query = "SELECT count(*) * 1.0 FROM (
                   SELECT frame - lag(frame) OVER (PARTITION BY start, camera ORDER BY id) AS forward FROM pass WHERE frame > 0)
                 WHERE forward <= 0";
    numbers(logbook, query)[0]
}

#[test]
fn clock_steps_change_no_dwell_time_and_are_logged() {
    let mut system = TestSystem::new(&["inner-harbour"]);
    add_dwell_rule(&system);
    let clock = start_with_clock(&mut system, 0);
    system.wait_until_streaming();
    let (mut off_s, mut slowest) = (0, Duration::ZERO);
    let steps: Vec<i64> = [3600, -3600, -3600, 3600].repeat(rounds(1, 10));
    for (done, by) in (0u64..).zip(&steps) {
        std::thread::sleep(Duration::from_millis(2500));
        off_s += by;
        clock.set(off_s);
        let (_, took) = wait_for(Duration::from_secs(10), "the step is noticed", || {
            system.health().filter(|health| health.clock.steps == done + 1)
        });
        slowest = slowest.max(took);
    }
    std::thread::sleep(Duration::from_secs(3));
    let health = system.health().unwrap();
    assert!(
        health.clock.is_set && health.cameras[0].sessions == 1,
        "the camera session continues: {health:?}"
    );
    assert!(system.daemon.as_mut().unwrap().stop(Duration::from_secs(15)));

    let logbook = system.open_logbook();
    let written = numbers(&logbook, "SELECT stepped_s FROM v_clock WHERE reason = 'stepped' ORDER BY id");
    let off = |(written, by): (&f64, &i64)| (written - *by as f64).abs();
    let farthest = written.iter().zip(&steps).map(off).fold(0.0, f64::max);
    assert_eq!(written.len(), steps.len(), "{written:?}");
    let stays = numbers(
        &logbook,
        "SELECT measured FROM v_signal_steps AS s WHERE phase = 'opened' AND rule = 'Stays'",
    );
    assert!(!stays.is_empty(), "a vessel stayed");
    let dwell_error = stays.iter().map(|measured| (measured - 4.0).abs()).fold(0.0, f64::max);
    let undelivered = system.alerts().values().filter(|delivered| !**delivered).count();
    Row::new(16, "wall clock an hour forward, an hour back", steps.len())
        .lost(undelivered)
        .detected(slowest, Duration::from_secs(3))
        .at_most("dwell error", dwell_error, "s", 1.0)
        .at_most("passes out of order", out_of_order(&logbook), "", 0.0)
        .at_most("step written wrongly by", farthest, "s", 0.5)
        .record();
}

#[test]
fn a_start_before_the_clock_is_set_loses_nothing() {
    let mut system = TestSystem::new(&["inner-harbour"]);
    let mut listener = system.listener();
    let real = || {
        let logbook = Connection::open_in_memory().unwrap();
        numbers(&logbook, "SELECT unixepoch('now') * 1.0")[0] as i64
    };
    // Twenty seconds after the start of 1970.
    let clock = start_with_clock(&mut system, 20 - real());
    let started = real();
    let health = system.health().unwrap();
    assert!(!health.clock.is_set && !health.is_healthy(), "the health page reports it");
    let mut received = [0u32; 2];
    let mut noticed = None;
    let began = now();
    while received.contains(&0) {
        assert!(began.elapsed() < Duration::from_secs(90), "alerts before and after: {received:?}");
        if let Some(alert) = listener.next(Duration::from_millis(50)).and_then(|message| message.alert()) {
            received[usize::from(alert["clock_set"].as_bool().unwrap())] += 1;
        }
        if received[0] > 0 && noticed.is_none() {
            clock.set(0);
            let (_, took) = wait_for(Duration::from_secs(10), "the step is noticed", || {
                system.health().filter(|health| health.clock.is_set && health.clock.steps == 1)
            });
            noticed = Some(took);
        }
    }
    wait_for(Duration::from_secs(20), "all alerts are delivered", || {
        system.health().filter(|health| health.alerts.undelivered == 0)
    });
    let expired = system.health().unwrap().alerts.expired;
    assert!(system.daemon.as_mut().unwrap().stop(Duration::from_secs(15)));

    let logbook = system.open_logbook();
    let start = numbers(&logbook, "SELECT unixepoch(true_utc) * 1.0 FROM v_clock WHERE reason = 'start'");
    let undelivered = system.alerts().values().filter(|delivered| !**delivered).count();
    Row::new(16, "start in 1970, then the clock is set", 1)
        .lost(undelivered)
        .detected(noticed.unwrap(), Duration::from_secs(3))
        .at_most("expired alerts", expired as f64, "", 0.0)
        .at_most("passes out of order", out_of_order(&logbook), "", 0.0)
        .at_most("true time of the start off by", (start[0] - started as f64).abs(), "s", 10.0)
        .record();
}
