//! Threads, files and memory of a process, from /proc; and tests that need a process of their own.

use std::process::Command;
use std::time::{Duration, Instant};

use test_support::now;

use crate::{Row, is_long};

/// Threads, open files and memory of a process.
#[derive(Clone, Debug)]
pub(crate) struct Holds {
    /// Names of the threads that belong to no pool.
    pub(crate) threads: Vec<String>,
    /// Threads of pools: started for a task, ended after ten seconds or more without one.
    pub(crate) pooled: usize,
    pub(crate) files: usize,
    /// Resident memory.
    pub(crate) megabytes: f64,
}

/// Most threads of pools; a leak with every fault soon exceeds it.
pub(crate) const POOLED: f64 = 8.0;

/// What process `pid` holds now.
pub(crate) fn holds(pid: u32) -> Holds {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    // A thread may have ended meanwhile.
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    // GLib's pool, and tokio's for blocking calls.
    let is_pooled = |name: &String| name.starts_with("pool-") || name.starts_with("tokio-rt-worker");
    let (pooled, threads): (Vec<_>, Vec<_>) = names.map(|name| name.trim().to_owned()).partition(is_pooled);
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: f64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    Holds { threads, pooled: pooled.len(), files, megabytes: pages * 4096.0 / 1e6 }
}

/// The most that process `pid` holds within two seconds: connections open and close, also those of the health page.
pub(crate) fn most_held(pid: u32) -> Holds {
    let mut most = holds(pid);
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(100));
        let now = holds(pid);
        most.files = most.files.max(now.files);
        if now.threads.len() > most.threads.len() {
            most.threads = now.threads;
        }
    }
    most
}

/// One line of `/proc/<pid>/status`, such as `CapEff`.
pub(crate) fn status(pid: u32, key: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {key} in\n{text}")).trim().to_owned()
}

/// The slope of the least-squares line through (time, megabytes).
pub(crate) fn slope(samples: &[(f64, f64)]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let (above, below) = samples.iter().fold((0.0, 0.0), |(above, below), sample| {
        (above + (sample.0 - x) * (sample.1 - y), below + (sample.0 - x).powi(2))
    });
    if below == 0.0 { 0.0 } else { above / below }
}

/// Whether this process runs only this test, so that memory is not shared with other tests. If not, a process that does was
/// started, and the test passed there.
pub(crate) fn is_alone(test: &str) -> bool {
    const ALONE: &str = "HAVENWACHT_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    let ran = again.args(["--exact", test, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    println!("{said}");
    assert!(ran.status.success() && said.contains("1 passed"), "{test}, alone");
    false
}

/// This process's memory, sampled every second.
pub(crate) struct Memory {
    began: Instant,
    /// Minutes, megabytes.
    samples: Vec<(f64, f64)>,
}

impl Memory {
    /// Starts now.
    pub(crate) fn new() -> Self {
        Self { began: now(), samples: Vec::new() }
    }

    /// Takes a sample when one is due; may be called at any rate.
    pub(crate) fn sample(&mut self) {
        if self.began.elapsed() >= Duration::from_secs(self.samples.len() as u64) {
            let minutes = self.began.elapsed().as_secs_f64() / 60.0;
            self.samples.push((minutes, holds(std::process::id()).megabytes));
        }
    }

    /// The growth and its limit; a rate a minute only for a long run.
    pub(crate) fn into_row(self, row: Row) -> Row {
        // Caches and pools fill in the first fifth.
        let warm = &self.samples[self.samples.len() / 5..];
        println!("memory: {warm:?}");
        match (is_long(), warm) {
            (true, _) => row.at_most("memory more", slope(warm), "MB a minute", 0.1),
            (false, [first, .., last]) => row.at_most("memory more", last.1 - first.1, "MB", 4.0),
            _ => panic!("too few samples: {warm:?}"),
        }
    }
}

#[test]
fn growth_shows_in_the_slope() {
    let steady: Vec<_> = (0..100).map(|i| (f64::from(i) / 100.0, 200.0 + f64::from(i % 2))).collect();
    let rising: Vec<_> = (0..100).map(|i| (f64::from(i) / 100.0, 200.0 + f64::from(i) / 10.0)).collect();
    assert!(slope(&steady).abs() < 0.1, "{}", slope(&steady));
    assert!((slope(&rising) - 10.0).abs() < 0.01, "{}", slope(&rising));
}
