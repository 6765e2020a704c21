//! The writer on a disk that fails at the first write, sync or truncation, then at the second, and so on for every call.
//!
//! strace returns an error for one system call of the writer's process; everything else is real.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use havenwacht::clock::{Clock, SystemClock};
use havenwacht::logbook::{DeliveryNote, DeliveryOutcome, Entry, LogbookError, Reader, TrustAnchors, Writer};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::trace::{self, Call};
use crate::{Row, alert_source, rounds};

/// Passes before each alert.
const PASSES: u64 = 3;

/// SQLite runs a checkpoint at about 1000 pages; the prepared write-ahead log is a little shorter.
const ALMOST_CHECKPOINT: u64 = 970 * 4120;

/// Which call fails, how, and how often in a row.
#[derive(Clone, Copy, Debug)]
struct Fault {
    call: &'static str,
    error: &'static str,
    times: usize,
    /// The short form of the test lets only one call in this many fail.
    apart: usize,
}

/// What the writer is doing when its disk fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scene {
    /// It creates a new logbook.
    New,
    /// It opens a logbook that was cut off, with a long write-ahead log.
    CutOff,
    /// It writes alerts, with a checkpoint, and closes.
    Writing,
}

/// The output of one process, and its system calls.
#[derive(Debug, Default)]
struct WriterRun {
    /// Alerts in the order in which they were handed to the writer.
    handed: Vec<String>,
    /// Those that it reported as committed.
    committed: BTreeSet<String>,
    opened: bool,
    /// Why it ended before its time; `None` when it closed the logbook in order.
    why: Option<String>,
    failed_commits: u64,
    refused: u64,
    degraded: bool,
    calls: Vec<Call>,
}

/// The results of all runs; one call fails in each.
#[derive(Debug, Default)]
struct Tally {
    runs: usize,
    lost: usize,
    repeated: usize,
    recovered: Duration,
    not_whole: usize,
    unsynced: usize,
    unnoticed: usize,
    called_damaged: usize,
    ended: usize,
    resumed: usize,
}

/// Not a test: the process whose disk fails. It prints what it hands over, what is committed, and how it ended.
#[test]
#[ignore = "a process for the tests that let its disk fail"]
fn a_writer_whose_disk_fails() {
    let variable = |key: &str| std::env::var(key).expect("the test sets the variable");
    let folder = variable("HAVENWACHT_VICTIM");
    let alerts = variable("HAVENWACHT_ALERTS").parse().unwrap();
    if let Err(why) = write_alerts(Path::new(&folder), alerts, variable("HAVENWACHT_READY") == "opened") {
        println!("ended {}", why.to_string().replace('\n', " "));
    }
}

/// Opens, writes and closes; the disk fails from the opening on, or only once it is `opened`.
fn write_alerts(folder: &Path, alerts: u64, opened: bool) -> Result<(), LogbookError> {
    let site = alert_source::site(folder, 9);
    if !opened {
        wait_for_tracer();
    }
    let (writer, logbook) = alert_source::try_open(&folder.join("logbook.sqlite"))?;
    println!("opened");
    if opened {
        wait_for_tracer();
    }
    let stats = writer.stats();
    let written = (0..alerts).try_for_each(|number| {
        let gone = |_| LogbookError::Stopped(stats.last_error().unwrap_or_default());
        (0..PASSES)
            .try_for_each(|pass| logbook.send(alert_source::pass_entry(number * PASSES + pass)))
            .map_err(gone)?;
        let entry = alert_source::signal_entry(&site, number, Some(vec![0xA5; 8000]));
        let id = entry.alert.as_ref().unwrap().id;
        println!("handed {id}");
        logbook.send(Entry::Signal(entry)).map_err(gone)?;
        writer.flush(Duration::from_secs(20))?;
        println!("committed {id}");
        Ok(())
    });
    use std::sync::atomic::Ordering::Relaxed;
    println!("failed {}", stats.failed_commits.load(Relaxed));
    println!("refused {}", stats.rejected.load(Relaxed));
    println!("degraded {}", u8::from(stats.degraded.load(Relaxed)));
    written?;
    writer.close(SystemClock::default().now().wall, Duration::from_secs(20))
}

/// The test attaches strace to this process, and replies.
fn wait_for_tracer() {
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// A logbook of one alert, as it lies there when its writer was cut off with a long write-ahead log.
fn cut_off() -> TempDir {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("logbook.sqlite");
    let (writer, logbook) = alert_source::open(&path);
    logbook
        .send(Entry::Signal(alert_source::signal_entry(&alert_source::site(work.path(), 9), 0, None)))
        .unwrap();
    let long = |writer: &Writer| writer.stats().wal_bytes.load(std::sync::atomic::Ordering::Relaxed);
    // The same few pages again and again: a long log with a short checkpoint.
    for _ in 0..2000 {
        if long(&writer) >= ALMOST_CHECKPOINT {
            break;
        }
        let at = SystemClock::default().now().wall;
        let note = DeliveryNote { seq: 1, at, attempts: 1, outcome: DeliveryOutcome::Unconfirmed };
        logbook.send(Entry::Delivery(note)).unwrap();
        writer.flush(Duration::from_secs(20)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    copy(work.path(), folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    for name in ["logbook.sqlite", "logbook.sqlite-wal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

impl Fault {
    /// The arguments of strace that let the `n`-th such call of a thread fail.
    fn words(&self, n: usize, traces: &Path) -> Vec<String> {
        let Self { call, error, times, .. } = self;
        let last = n + times - 1;
        let output = traces.join("trace").display().to_string();
        let words = format!(
            "-f -ff -ttt -T -y -s 64 -e trace=write,pwrite64,fsync,ftruncate -e signal=none \
             -e inject={call}:error={error}:when={n}..{last} -o {output}"
        );
        words.split_whitespace().map(str::to_owned).collect()
    }
}

impl Scene {
    /// Runs a process in `folder` whose disk fails at the `n`-th call.
    fn live(self, folder: &Path, fault: Fault, n: usize) -> WriterRun {
        let traces = folder.join("traces");
        std::fs::create_dir(&traces).unwrap();
        let alerts = if self == Self::Writing { rounds(3, 8) } else { 1 };
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes::a_writer_whose_disk_fails", "--ignored", "--nocapture"])
            .env("HAVENWACHT_VICTIM", folder)
            .env("HAVENWACHT_ALERTS", alerts.to_string())
            .env("HAVENWACHT_READY", if self == Self::Writing { "opened" } else { "at once" })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut reply = writer.stdin.take().unwrap();
        let mut run = WriterRun::default();
        let mut tracer = None;
        for line in BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok) {
            run.read_line(&line);
            if line == "ready" {
                tracer = Some(attach(&fault.words(n, &traces), writer.id()));
                writeln!(reply).unwrap();
            }
        }
        assert!(writer.wait().unwrap().success(), "{self:?}, {fault:?}, number {n}: {run:#?}");
        tracer.expect("it said when it was ready").wait().unwrap();
        run.calls = trace::read(&traces);
        run
    }

    /// Puts the logbook into the folder as the scene needs it.
    fn prepare(self, folder: &Path, cut_off: &Path) {
        if self != Self::New {
            copy(cut_off, folder);
        }
    }
}

/// strace on a process that runs; returns when all its threads are watched.
fn attach(words: &[String], pid: u32) -> std::process::Child {
    let mut strace = Command::new("strace")
        .args(words)
        .args(["-p", &pid.to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(strace.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("attached"), "strace: {line}");
    // Whatever else it says must not fill the pipe.
    std::thread::spawn(move || said.read_to_string(&mut String::new()));
    strace
}

impl WriterRun {
    fn read_line(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "opened" => self.opened = true,
            "handed" => self.handed.push(rest.to_owned()),
            "committed" => assert!(self.committed.insert(rest.to_owned())),
            "ended" => self.why = Some(rest.to_owned()),
            "failed" => self.failed_commits = rest.parse().unwrap(),
            "refused" => self.refused = rest.parse().unwrap(),
            "degraded" => self.degraded = rest == "1",
            _ => (),
        }
    }

    /// Whether the first call that failed came before the logbook was open.
    fn fails_in_opening(&self) -> bool {
        let mut calls = self.calls.iter();
        let is_word = |call: &&Call| call.name == "write" && call.arguments.contains("\"opened");
        calls.find(|call| call.injected || is_word(call)).is_some_and(|first| first.injected)
    }

    /// Alerts that it called committed although a write to the log before it had not been synced.
    fn unsynced(&self) -> usize {
        let mut dirty = false;
        let mut unsynced = 0;
        for call in &self.calls {
            dirty |= call.writes_to("-wal") && !call.injected;
            dirty &= !call.syncs("-wal") || call.failed;
            unsynced += usize::from(dirty && call.name == "write" && call.arguments.contains("\"committed "));
        }
        unsynced
    }

    /// From the last call that failed to the next sync of the log that did not.
    fn recovered(&self) -> Option<Duration> {
        let failed = self.calls.iter().rev().find(|call| call.injected)?;
        let synced = self.calls.iter().find(|c| c.syncs("-wal") && !c.failed && c.began > failed.began)?;
        Some(Duration::from_secs_f64(synced.ended - failed.began))
    }

    /// A write to the log failed, and neither was a commit counted as failed, nor did the process end with an error.
    fn is_unnoticed(&self) -> bool {
        let failed = self.calls.iter().any(|call| call.injected && call.writes_to("-wal"));
        failed && self.failed_commits == 0 && self.why.is_none()
    }
}

impl Tally {
    /// Checks the logbook in `folder` after a run.
    fn take(&mut self, folder: &Path, run: &WriterRun, before: usize) {
        self.runs += 1;
        let path = folder.join("logbook.sqlite");
        self.unsynced += run.unsynced();
        self.unnoticed += usize::from(run.is_unnoticed());
        match &run.why {
            Some(why) => {
                // The error names the disk.
                let of_disk = [
                    "disk I/O error",
                    "disk is full",
                    "unable to open database file",
                    "refused the write-ahead log",
                ];
                let damaged =
                    ["is damaged", "is malformed", "not a database"].iter().any(|word| why.contains(word));
                assert!(damaged || of_disk.iter().any(|word| why.contains(word)), "not a clear error: {why}");
                self.called_damaged += usize::from(damaged);
                self.ended += 1;
            }
            None => {
                assert!(!run.degraded, "everything is committed, but the writer reports a problem");
                self.resumed += 1;
                self.recovered = self.recovered.max(run.recovered().unwrap_or_default());
            }
        }
        self.repeated += usize::try_from(run.refused).unwrap();
        let kept = kept(&path);
        let kept = kept.get(before..).unwrap_or_default();
        // In order, without gaps or repeats: the alerts are the first ones that were handed over.
        if run.handed.starts_with(kept) {
            let due = if run.why.is_none() { run.handed.len() } else { run.committed.len() };
            self.lost += due.saturating_sub(kept.len());
        } else {
            let unique: BTreeSet<_> = kept.iter().collect();
            self.repeated += kept.len() - unique.len();
            self.lost += run.committed.iter().filter(|id| !unique.contains(id)).count();
            assert!(self.lost + self.repeated > 0, "out of order: {kept:?} of {:?}", run.handed);
        }
        self.not_whole += usize::from(!is_whole(&path, run.committed.len() as u64 * PASSES));
        self.goes_on(&path);
    }

    /// The next start works.
    fn goes_on(&mut self, path: &Path) {
        let before = kept(path).len();
        let site = alert_source::site(path.parent().unwrap(), 9);
        let (writer, logbook) = alert_source::open(path);
        logbook.send(Entry::Signal(alert_source::signal_entry(&site, 0, None))).unwrap();
        writer.close(SystemClock::default().now().wall, Duration::from_secs(20)).unwrap();
        self.lost += usize::from(kept(path).len() != before + 1);
        let verified = Reader::open(path).unwrap().verify(&TrustAnchors::default(), |_| ()).unwrap();
        self.not_whole += usize::from(!verified.faults.is_empty());
    }
}

/// Ids of the alerts; none if the logbook was not created.
fn kept(path: &Path) -> Vec<String> {
    if has_chain(path) { alert_source::ids(path) } else { Vec::new() }
}

/// Whether the schema is there.
fn has_chain(path: &Path) -> bool {
    let query = "select count(*) from sqlite_schema where name = 'link'";
    path.exists()
        && Connection::open(path).unwrap().query_row(query, [], |row| row.get::<_, i64>(0)).unwrap() == 1
}

/// Every page, the chain, and the passes: at least `passes` of them, in order and none twice.
fn is_whole(path: &Path, passes: u64) -> bool {
    if !path.exists() {
        return true;
    }
    let logbook = Connection::open(path).unwrap();
    let text = |query: &str| logbook.query_row(query, [], |row| row.get::<_, String>(0)).unwrap();
    let (pages, mode) = (text("pragma integrity_check"), text("pragma journal_mode"));
    let mut whole = pages == "ok";
    if has_chain(path) {
        let mut statement = logbook.prepare("select frame from pass order by id").unwrap();
        let frames = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap().map(Result::unwrap);
        let frames: Vec<_> = frames.map(i64::unsigned_abs).collect();
        let verified = Reader::open(path).unwrap().verify(&TrustAnchors::default(), |_| ()).unwrap();
        whole &= mode == "wal"
            && frames.len() as u64 >= passes
            && frames.iter().copied().eq(0..frames.len() as u64)
            && verified.faults.is_empty();
        if !whole {
            println!("{pages}, {mode}, frames {frames:?}, {passes} committed, {:?}", verified.faults);
        }
    }
    whole
}

/// Lets the first call fail, then the second, until no call is left.
fn each_call_fails(row: &'static str, fault: Fault) {
    if let Err(why) = trace::is_permitted() {
        Row::new(10, row, 0).not_permitted(&why);
        return;
    }
    let cut_off = cut_off();
    let mut tally = Tally::default();
    for scene in [Scene::New, Scene::CutOff, Scene::Writing] {
        let before = if scene == Scene::New { 0 } else { 1 };
        let mut is_done = false;
        for n in (1..5000).step_by(rounds(fault.apart, 1)) {
            let folder = tempfile::tempdir().unwrap();
            scene.prepare(folder.path(), cut_off.path());
            let run = scene.live(folder.path(), fault, n);
            let failed = run.calls.iter().any(|call| call.injected);
            assert!(failed || run.why.is_none(), "nothing failed: {run:#?}");
            // What comes after the opening is the last scene's.
            if !failed || scene != Scene::Writing && !run.fails_in_opening() {
                println!("{scene:?}: {} calls, {fault:?}", n - 1);
                is_done = true;
                break;
            }
            tally.take(folder.path(), &run, before);
        }
        assert!(is_done, "{scene:?}: no end of calls");
    }
    println!("{tally:#?}");
    let figures = Row::new(10, row, tally.runs)
        .lost(tally.lost)
        .repeated(tally.repeated, 0)
        .recovered(tally.recovered, Duration::from_secs(5))
        .at_most("logbooks not whole", tally.not_whole as f64, "", 0.0)
        .at_most("alerts reported before their sync", tally.unsynced as f64, "", 0.0)
        .at_most("whole logbooks called damaged", tally.called_damaged as f64, "", 0.0)
        .at_least("ended with an error", tally.ended as f64, "", 1.0)
        .at_least("resumed", tally.resumed as f64, "", 1.0)
        .at_most("failures unnoticed", tally.unnoticed as f64, "", 0.0);
    figures.record();
}

#[test]
fn any_failed_write_keeps_what_was_committed() {
    each_call_fails(
        "the n-th write fails, for every n",
        Fault { call: "pwrite64", error: "EIO", times: 1, apart: 3 },
    );
}

#[test]
fn a_full_disk_at_any_write_keeps_what_was_committed() {
    let fault = Fault { call: "pwrite64", error: "ENOSPC", times: 3, apart: 5 };
    each_call_fails("three writes from the n-th find the disk full", fault);
}

#[test]
fn any_failed_sync_keeps_what_was_committed() {
    each_call_fails(
        "the n-th sync fails, for every n",
        Fault { call: "fsync", error: "EIO", times: 1, apart: 1 },
    );
}

#[test]
fn any_failed_truncation_keeps_what_was_committed() {
    let fault = Fault { call: "ftruncate", error: "EIO", times: 1, apart: 1 };
    each_call_fails("the n-th truncation fails, for every n", fault);
}
