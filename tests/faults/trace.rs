//! The system calls of a process, recorded by strace.

use std::path::Path;

/// The calls that write, to files and to sockets, and those that put writes on disk.
const CALLS: &str = "trace=write,pwrite64,writev,pwritev,sendto,sendmsg,sendmmsg,fdatasync,fsync,openat,open,creat,mkdir,\
                     mkdirat,rename,renameat,renameat2,unlink,unlinkat,symlink,symlinkat,link,linkat,truncate,ftruncate";

/// One call. Times are seconds since 1970.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// As strace prints them, file descriptors with their paths.
    pub(crate) arguments: String,
    pub(crate) began: f64,
    pub(crate) ended: f64,
    pub(crate) failed: bool,
    /// strace returned the result, and the call was not made.
    pub(crate) injected: bool,
}

impl Call {
    /// Whether it writes to a file whose name ends so.
    pub(crate) fn writes_to(&self, file: &str) -> bool {
        matches!(self.name.as_str(), "write" | "pwrite64" | "writev" | "pwritev") && self.is_on(file)
    }

    /// Whether it puts writes to such a file on disk.
    pub(crate) fn syncs(&self, file: &str) -> bool {
        matches!(self.name.as_str(), "fdatasync" | "fsync") && self.is_on(file)
    }

    /// Whether it writes to a socket.
    pub(crate) fn sends(&self) -> bool {
        let first = self.arguments.split(',').next().unwrap_or_default();
        self.name.starts_with("send") || self.name.contains("write") && first.contains("<socket:")
    }

    /// The file that it opens for writing, creates, renames or deletes; `None` for other calls and for failed ones.
    pub(crate) fn changes(&self) -> Option<&str> {
        let writes = ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| self.arguments.contains(flag));
        let changes = match self.name.as_str() {
            "open" | "openat" => writes,
            "write" | "pwrite64" | "writev" | "pwritev" | "fdatasync" | "fsync" | "ftruncate" => false,
            name => !name.starts_with("send"),
        };
        (changes && !self.failed).then(|| self.arguments.split('"').nth(1).unwrap_or_default())
    }

    fn is_on(&self, file: &str) -> bool {
        self.arguments.split(',').next().is_some_and(|first| first.ends_with(&format!("{file}>")))
    }
}

/// The arguments that run a program under strace, with trace files in `folder`. The program keeps the process id.
pub(crate) fn words(folder: &Path) -> Vec<String> {
    let output = folder.join("trace").display().to_string();
    let words = format!(
        "strace -D -f -ff --seccomp-bpf -qq -ttt -T -y -s 9000 -e {CALLS} -e signal=none -o {output} --"
    );
    words.split_whitespace().map(str::to_owned).collect()
}

/// Whether this machine permits tracing.
pub(crate) fn is_permitted() -> Result<(), String> {
    let output = std::process::Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let output = output.map_err(|why| format!("strace: {why}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Reads what [`words`] wrote: all calls of all threads, by the time they began.
pub(crate) fn read(folder: &Path) -> Vec<Call> {
    let mut calls = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()).into_owned();
        calls.extend(text.lines().filter_map(parse));
    }
    calls.sort_by(|a: &Call, b| a.began.total_cmp(&b.began));
    calls
}

/// `1795625139.716502 fdatasync(12</x/logbook.sqlite-wal>) = 0 <0.000412>`
fn parse(line: &str) -> Option<Call> {
    let (began, rest) = line.split_once(' ')?;
    let began: f64 = began.parse().ok()?;
    let (call, outcome) = rest.rsplit_once(") = ")?;
    let (name, arguments) = call.split_once('(')?;
    let took: f64 = outcome.rsplit_once('<')?.1.trim_end_matches('>').parse().ok()?;
    Some(Call {
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        began,
        ended: began + took,
        failed: outcome.starts_with('-'),
        injected: outcome.contains("(INJECTED)"),
    })
}

#[test]
fn trace_lines_are_parsed() {
    let sync = parse("10.5 fdatasync(12</x/logbook.sqlite-wal>) = 0 <0.25>").unwrap();
    assert!(sync.syncs("-wal") && !sync.failed && !sync.sends() && sync.changes().is_none());
    assert_eq!((sync.began, sync.ended), (10.5, 10.75));
    let write = parse(r#"10.5 pwrite64(12</x/logbook.sqlite-wal>, "a, (\"b) = 1\"", 4096, 32) = 4096 <0.1>"#)
        .unwrap();
    assert!(write.writes_to("-wal") && write.arguments.contains("a, ("));
    let sent = parse(r#"10.5 write(9<socket:[77]>, "2\\1", 3) = 3 <0.1>"#).unwrap();
    assert!(sent.sends() && !sent.writes_to("-wal"));
    let opened = parse(r#"1.0 openat(AT_FDCWD</>, "/x/y", O_RDWR|O_CREAT, 0644) = 3</x/y> <0.1>"#).unwrap();
    assert_eq!(opened.changes(), Some("/x/y"));
    let failed =
        parse(r#"1.0 openat(AT_FDCWD</>, "/x/y", O_RDWR) = -1 EACCES (Permission denied) <0.1>"#).unwrap();
    assert_eq!(failed.changes(), None);
    assert!(!failed.injected);
    let injected =
        parse("1.0 fdatasync(4</x/logbook.sqlite>) = -1 EIO (Input/output error) (INJECTED) <0.1>").unwrap();
    assert!(injected.failed && injected.injected && injected.syncs("logbook.sqlite"));
}
