//! What a process holds, as Linux tells it.

/// Threads, open files and memory of a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Holds {
    pub(crate) threads: usize,
    pub(crate) files: usize,
    /// Resident memory.
    pub(crate) megabytes: f64,
}

/// What process `pid` holds now.
pub(crate) fn holds(pid: u32) -> Holds {
    let entries = |what: &str| std::fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: f64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    Holds { threads: entries("task"), files: entries("fd"), megabytes: pages * 4096.0 / 1e6 }
}

/// One line of `/proc/<pid>/status`, such as `CapEff`.
pub(crate) fn status(pid: u32, key: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {key} in\n{text}")).trim().to_owned()
}
