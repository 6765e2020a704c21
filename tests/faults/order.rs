//! The daemon's system calls: alerts are on disk before they are sent, no file is written elsewhere, no capability is used.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use havenwacht::cli::demo::programs::Program;
use test_support::wait_for;

use crate::paths::{havenwacht, root};
use crate::process::status;
use crate::system::TestSystem;
use crate::trace::{self, Call};
use crate::{Row, rounds};

/// How often the write-ahead log was synced between the write of an alert and the first packet with it. 0 is a violation.
fn syncs_before_sending(calls: &[Call], id: &str) -> usize {
    let written = calls.iter().find(|call| call.writes_to("-wal") && call.arguments.contains(id));
    let sent = calls.iter().find(|call| call.sends() && call.arguments.contains(id));
    let (Some(written), Some(sent)) = (written, sent) else {
        panic!("alert {id}: written: {}, sent: {}", written.is_some(), sent.is_some());
    };
    let between = |call: &&Call| call.began >= written.ended && call.ended <= sent.began;
    calls.iter().filter(|call| call.syncs("-wal") && !call.failed).filter(between).count()
}

/// Whether the unit permits the daemon to write here.
fn may_be_written(path: &str, state: &Path, runtime: &Path) -> bool {
    let path = Path::new(path);
    path.starts_with(state)
        || path.starts_with(runtime)
        || path.starts_with("/proc/self")
        || path == Path::new("/dev/null")
}

#[test]
fn alerts_are_on_disk_before_they_are_sent() {
    const ROWS: [(u8, &str); 2] =
        [(9, "power cut: order of disk and network"), (20, "sandbox: what the daemon writes and may")];
    if let Err(why) = trace::is_permitted() {
        ROWS.iter().for_each(|(number, fault)| Row::new(*number, fault, 0).not_permitted(&why));
        return;
    }
    let mut system = TestSystem::new(&["inner-harbour"]);
    let (state, runtime, traces) =
        ["state", "run", "traces"].map(|name| system.work.path().join(name)).into();
    [&state, &runtime, &traces].iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
    system.ports.logbook = state.join("logbook.sqlite");
    system.write_site("");
    let mut listener = system.listener();

    // As the unit runs it: without capabilities, with the folders of the environment in the test's folder.
    let mut words: Vec<String> =
        ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "env"].map(str::to_owned).into();
    // These variables switch off reports of ONNX Runtime to its maker on build machines only.
    words.extend(["-u", "CI", "-u", "ORT_DISABLE_TELEMETRY"].map(str::to_owned));
    words.push(format!("XDG_RUNTIME_DIR={}", runtime.display()));
    words.push(format!("GST_REGISTRY={}", state.join("gstreamer-registry.bin").display()));
    words.extend(trace::words(&traces));
    words.extend([
        havenwacht().display().to_string(),
        "run".to_owned(),
        "--config".to_owned(),
        system.site.display().to_string(),
    ]);
    let log = system.work.path().join("daemon.log");
    let daemon = system.daemon.insert(Program::start("daemon", Path::new("setpriv"), &words, &log).unwrap());
    let pid = daemon.pid();
    let alerts = rounds(2, 40);
    let mut received = BTreeSet::new();
    wait_for(Duration::from_secs(60 + 30 * alerts as u64), "alerts", || {
        let alert = listener.next(Duration::from_millis(50)).and_then(|message| message.alert());
        received.extend(alert.map(|alert| alert["alert_id"].as_str().unwrap().to_owned()));
        (received.len() >= alerts).then_some(())
    });
    let capabilities = status(pid, "CapEff");
    assert!(system.daemon.take().unwrap().stop(Duration::from_secs(20)), "the daemon stops in order");
    // The tracer ends after the program.
    std::thread::sleep(Duration::from_millis(500));

    let calls = trace::read(&traces);
    for call in
        calls.iter().filter(|call| call.changes().is_some_and(|path| !may_be_written(path, &state, &runtime)))
    {
        println!("{call:?}");
    }
    let syncs: Vec<_> = received.iter().map(|id| syncs_before_sending(&calls, id)).collect();
    Row::new(ROWS[0].0, ROWS[0].1, received.len())
        .at_most(
            "alerts sent before their sync",
            syncs.iter().filter(|&&syncs| syncs == 0).count() as f64,
            "",
            0.0,
        )
        .at_least("syncs of the log for each alert", *syncs.iter().min().unwrap() as f64, "", 1.0)
        .record();

    let stray: BTreeSet<_> = calls
        .iter()
        .filter_map(Call::changes)
        .filter(|path| !may_be_written(path, &state, &runtime))
        .collect();
    println!("stray writes: {stray:#?}");
    assert!(calls.iter().filter_map(Call::changes).count() > 2, "the trace has files");
    Row::new(ROWS[1].0, ROWS[1].1, 1)
        .at_most("files written elsewhere", stray.len() as f64, "", 0.0)
        .at_most("capabilities", u64::from_str_radix(&capabilities, 16).unwrap() as f64, "", 0.0)
        .record();
}

#[test]
fn the_unit_exposes_little() {
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(root().join("systemd/havenwacht.service"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let exposure = said
        .lines()
        .find_map(|line| {
            line.split_once("Overall exposure level for")?.1.split(": ").nth(1)?.split(' ').next()
        })
        .and_then(|level| level.parse().ok());
    let Some(exposure) = exposure else {
        panic!("systemd-analyze says no exposure: {said}{}", String::from_utf8_lossy(&output.stderr));
    };
    Row::new(20, "sandbox: exposure by systemd-analyze", 1).at_most("exposure", exposure, "", 1.5).record();
}
