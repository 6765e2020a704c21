//! `havenwacht logbook`: follow it, list it, look one thing up, export it. Export as labelled pictures is in [`coco_export`].

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::coco_export::{self, CocoArgs};
use super::erase::{self, EraseArgs};
use super::upkeep::{self, BackupArgs, CheckArgs, SalvageArgs};
use super::verify::{self, KeygenArgs, VerifyArgs};
use super::why::{self, WhyArgs};
use crate::clock::{Clock, SystemClock};
use crate::logbook::{Filter, Kind, Reader, Table};

/// A line that nobody sees at once is as good as one that nobody sees.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Which logbook.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Source {
    /// Logbook file.
    #[arg(long)]
    pub(super) logbook: Option<PathBuf>,
    /// Site file that names the logbook.
    #[arg(long)]
    pub(super) config: Option<PathBuf>,
}

/// Which rows.
#[derive(Debug, Args)]
pub struct Rows {
    /// From this moment (2026-06-01T20:00:00Z) or this long ago (90m, 12h, 3d) on.
    #[arg(long, value_parser = moment)]
    since: Option<Timestamp>,
    /// Of this camera only.
    #[arg(long)]
    camera: Option<String>,
    /// Of this rule only (signals, alerts, suppressed).
    #[arg(long)]
    rule: Option<String>,
}

/// What is read from the logbook.
#[derive(Debug, Subcommand)]
pub enum LogbookCommand {
    /// Show what is new, in plain words, until Ctrl-C.
    Tail {
        /// Which logbook.
        #[command(flatten)]
        source: Source,
        /// Begin with the last so many of each kind.
        #[arg(long, default_value_t = 10)]
        last: u32,
        /// Do not wait for more.
        #[arg(long)]
        once: bool,
    },
    /// Show the newest rows of one kind as a table.
    List {
        /// Of what.
        #[arg(value_enum)]
        kind: KindArg,
        /// Which logbook.
        #[command(flatten)]
        source: Source,
        /// Which rows.
        #[command(flatten)]
        rows: Rows,
        /// The newest so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show all that is known of one signal (number or id) or one vessel (`vessel:7`).
    Show {
        /// Number or id of a signal, or `vessel:` and its number.
        what: String,
        /// Which logbook.
        #[command(flatten)]
        source: Source,
    },
    /// Write all rows of one kind as CSV (RFC 4180).
    Export {
        /// Of what.
        #[arg(value_enum)]
        kind: KindArg,
        /// Which logbook.
        #[command(flatten)]
        source: Source,
        /// Which rows.
        #[command(flatten)]
        rows: Rows,
    },
    /// Say why a rule alerted, or why it did not, and what was true then.
    Why(WhyArgs),
    /// Is everything in order? Looks at every page and every reference; the watch may run meanwhile.
    Check(CheckArgs),
    /// Copy the logbook as it is at this moment, and check the copy; the watch may run meanwhile.
    Backup(BackupArgs),
    /// Read what can be read of a damaged logbook into a new one, and say what could not be read.
    Salvage(SalvageArgs),
    /// Verify that nothing was altered, removed, added or reordered since it was written.
    Verify(VerifyArgs),
    /// Say where the chain of events ends now, to be written down or kept elsewhere.
    Head {
        /// Which logbook.
        #[command(flatten)]
        source: Source,
    },
    /// Make a key that signs the links of the chain.
    Keygen(KeygenArgs),
    /// Erase personal data: the contents go for good, a receipt stays, the chain stays whole. The watch must be stopped.
    Erase(EraseArgs),
    /// Write pictures of a replayed recording, with its detections as proposed boxes, to correct and train on (COCO).
    Coco(CocoArgs),
}

/// What is listed or exported.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindArg {
    /// Every box in every look.
    Detections,
    /// Every followed vessel.
    Tracks,
    /// Every signal.
    Signals,
    /// Everything staff were told.
    Alerts,
    /// Every change of a camera's state.
    #[value(alias = "cameras")]
    CameraStates,
    /// Every silence: a rule that held and was not told, and why.
    Suppressed,
    /// Every stay at a berth.
    Visits,
    /// What the machine's clocks said, at each start and when they were put forward, back or right.
    Clock,
    /// Every stretch of time in which a camera gave no usable picture.
    Outage,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Detections => Self::Detections,
            KindArg::Tracks => Self::Tracks,
            KindArg::Signals => Self::Signals,
            KindArg::Alerts => Self::Alerts,
            KindArg::CameraStates => Self::CameraStates,
            KindArg::Suppressed => Self::Suppressed,
            KindArg::Visits => Self::Visits,
            KindArg::Clock => Self::Clock,
            KindArg::Outage => Self::Outage,
        }
    }
}

/// Carries out one command; what was asked for goes to `out`. A reader that went away (`| head`) is no error.
pub fn logbook(command: &LogbookCommand, out: impl Write) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(out);
    let done = answer(command, &mut out);
    match done.and_then(|code| out.flush().map(|()| code).map_err(Into::into)) {
        Err(error) if error.downcast_ref::<std::io::Error>().is_some_and(is_gone) => Ok(ExitCode::SUCCESS),
        done => done,
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::BrokenPipe
}

fn answer(command: &LogbookCommand, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    match command {
        LogbookCommand::Check(args) => return upkeep::check(args, out),
        LogbookCommand::Backup(args) => return upkeep::backup(args, out),
        LogbookCommand::Salvage(args) => return upkeep::salvage(args, out),
        LogbookCommand::Tail { source, last, once } => {
            let reader = source.open()?;
            let mut position = reader.position(*last)?;
            loop {
                for news in reader.news(&mut position)? {
                    writeln!(out, "{}  {}", news.local_time, news.text)?;
                }
                out.flush()?;
                if *once {
                    break;
                }
                std::thread::sleep(LOOK_EVERY);
            }
        }
        LogbookCommand::List { kind, source, rows, limit } => {
            let table = source.open()?.list((*kind).into(), &rows.filter(Some(*limit)))?;
            write_table(&table, out)?;
        }
        LogbookCommand::Show { what, source } => show(&source.open()?, what, out)?,
        LogbookCommand::Export { kind, source, rows } => {
            source.open()?.export((*kind).into(), &rows.filter(None), |row| write_csv(row, out))??;
        }
        LogbookCommand::Why(args) => why::why(args, out)?,
        LogbookCommand::Verify(args) => return verify::verify(args, out),
        LogbookCommand::Head { source } => verify::head(source, out)?,
        LogbookCommand::Keygen(args) => verify::keygen(args, out)?,
        LogbookCommand::Erase(args) => erase::erase(args, out)?,
        LogbookCommand::Coco(args) => coco_export::coco(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Source {
    pub(super) fn open(&self) -> anyhow::Result<Reader> {
        Ok(Reader::open(&self.path()?)?)
    }

    /// The file that is named, or that the site file names.
    pub(super) fn path(&self) -> anyhow::Result<PathBuf> {
        match (&self.logbook, &self.config) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(config)) => Ok(super::load_site(config)?.logbook),
            (None, None) => bail!("name a logbook with --logbook, or a site file with --config"),
        }
    }
}

impl Rows {
    /// As the logbook is asked for them.
    pub fn filter(&self, limit: Option<u32>) -> Filter {
        Filter { since: self.since, camera: self.camera.clone(), rule: self.rule.clone(), limit }
    }
}

fn show(reader: &Reader, what: &str, out: &mut impl Write) -> anyhow::Result<()> {
    if let Some(number) = what.strip_prefix("vessel:") {
        let number = number.parse().with_context(|| format!("`{number}` is not the number of a vessel"))?;
        let Some([track, signals, silences, visits]) = reader.vessel(number)? else {
            bail!("the logbook knows no vessel {number}")
        };
        write_record(&track, out)?;
        write_section("signals", &signals, out)?;
        write_section("kept back", &silences, out)?;
        return Ok(write_section("visits", &visits, out)?);
    }
    let Some([signal, steps, alerts, answers]) = reader.signal(what)? else {
        bail!(
            "the logbook knows no signal `{what}`; `logbook list signals` shows their numbers, `vessel:7` a vessel"
        )
    };
    write_record(&signal, out)?;
    write_section("steps", &steps, out)?;
    write_section("told to staff", &alerts, out)?;
    Ok(write_section("answered", &answers, out)?)
}

/// One record, a line a value.
fn write_record(table: &Table, out: &mut impl Write) -> std::io::Result<()> {
    let width = table.columns.iter().map(String::len).max().unwrap_or(0);
    for row in &table.rows {
        for (name, value) in table.columns.iter().zip(row) {
            writeln!(out, "{name:>width$}  {value}")?;
        }
    }
    Ok(())
}

fn write_section(title: &str, table: &Table, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "\n{title}")?;
    write_table(table, out)
}

fn write_table(table: &Table, out: &mut impl Write) -> std::io::Result<()> {
    if table.rows.is_empty() {
        return writeln!(out, "(none)");
    }
    let cells = |column: usize| table.rows.iter().map(move |row| row[column].chars().count());
    let widths: Vec<usize> = (0..table.columns.len())
        .map(|column| cells(column).max().unwrap_or(0).max(table.columns[column].len()))
        .collect();
    for row in std::iter::once(&table.columns).chain(&table.rows) {
        let line: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

/// RFC 4180: commas, CRLF, quotes where they are needed.
fn write_csv(row: &[String], out: &mut impl Write) -> std::io::Result<()> {
    for (index, cell) in row.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        if cell.contains([',', '"', '\r', '\n']) {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}

/// A moment, or how long ago.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ago = match text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok()) {
        Some(days) => days.checked_mul(24).and_then(SignedDuration::try_from_hours),
        None => text.parse().ok(),
    };
    ago.and_then(|ago: SignedDuration| SystemClock::default().now().wall.checked_sub(ago).ok()).ok_or_else(
        || format!("`{text}` is neither a moment (2026-06-01T20:00:00Z) nor a time ago (90m, 12h, 3d)"),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::*;
    use crate::camera_health::{Cause, OutageEnd};
    use crate::camera_state::{CameraChange, CameraState};
    use crate::clock::ClockWatch;
    use crate::logbook::testing::{
        at, event, look, open, outage, silence, step, told, track, vessel_at, visit,
    };
    use crate::logbook::{Acknowledgement, Entry, StaffVerdict};
    use crate::rules::{Phase, SuppressionReason, VisitEnd, VisitStep};
    use crate::track::TrackState;

    /// A night in which everything happened once.
    pub(in crate::cli) fn written(folder: &Path) -> Source {
        let path = folder.join("logbook.sqlite");
        let (writer, sender) = open(&path);
        let camera = crate::logbook::testing::camera();
        let change = CameraChange {
            camera,
            at: at(0.5),
            state: CameraState::Stalled,
            reason: "no picture, for 5 s".into(),
            retries: 2,
        };
        sender.send(Entry::Camera(change)).unwrap();
        sender.send(Entry::Clock(ClockWatch::begin(at(0.25), "boot".into(), None).1)).unwrap();
        let confirmed = track(7, TrackState::Confirmed, 1.0);
        sender
            .send(look(1.0, vec![vessel_at(100.0, Some(7)), vessel_at(900.0, None)], vec![confirmed]))
            .unwrap();
        sender.send(told(1, 2.0)).unwrap();
        sender.send(Entry::Suppressed(silence(SuppressionReason::NotConfirmed, 1.5, 2))).unwrap();
        sender.send(Entry::Visit(visit(7, VisitStep::Began, 10.0))).unwrap();
        let answered = Acknowledgement {
            signal: event(1, Phase::Opened, 0.0).signal,
            at: at(20.0).wall,
            by: "desk 2".into(),
            verdict: StaffVerdict::FalseAlarm,
            note: "the patrol boat".into(),
        };
        sender.send(Entry::Acknowledged(answered)).unwrap();
        sender.send(step(1, Phase::Closed, 30.0)).unwrap();
        for ended in [None, Some((45.0, OutageEnd::Recovered))] {
            sender.send(Entry::Outage(outage(1, Cause::Frozen, 35.0, ended))).unwrap();
        }
        let mut left = visit(7, VisitStep::Ended, 50.0);
        left.visit.ended = Some((at(50.0).wall, VisitEnd::Departed));
        sender.send(Entry::Visit(left)).unwrap();
        writer.close(at(60.0).wall, Duration::from_secs(20)).unwrap();
        Source { logbook: Some(path), config: None }
    }

    fn said(command: &LogbookCommand) -> String {
        let mut out = Vec::new();
        logbook(command, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn all() -> Rows {
        Rows { since: None, camera: None, rule: None }
    }

    #[test]
    fn tail_tells_what_happened_in_plain_words() {
        let folder = tempfile::tempdir().unwrap();
        let source = written(folder.path());
        insta::assert_snapshot!(said(&LogbookCommand::Tail { source, last: 10, once: true }), @r"
        2026-06-01 22:13:00 +02:00  on watch (run, version 0.1.0)
        2026-06-01 22:13:00 +02:00  camera quay-east is stalled: no picture, for 5 s
        2026-06-01 22:13:02 +02:00  ALERT  quay-east  Night passage: vessel 7 entered Inner basin, 00:43 after curfew
        2026-06-01 22:13:10 +02:00  quay-east  vessel 7 arrived at berth-3
        2026-06-01 22:13:20 +02:00  desk 2: false alarm, Night passage (vessel 7 entered Inner basin, 00:43 after curfew): the patrol boat
        2026-06-01 22:13:30 +02:00  ALERT  quay-east  Night passage: over: vessel 7 entered Inner basin, 00:43 after curfew
        2026-06-01 22:13:35 +02:00  camera quay-east is outage: the picture is frozen
        2026-06-01 22:13:45 +02:00  camera quay-east sees again (frozen for 10.0 s)
        2026-06-01 22:13:50 +02:00  quay-east  vessel 7 departed from berth-3
        ");
    }

    #[test]
    fn an_export_is_csv_that_any_reader_takes() {
        let folder = tempfile::tempdir().unwrap();
        let source = written(folder.path());
        let csv = said(&LogbookCommand::Export { kind: KindArg::CameraStates, source, rows: all() });
        assert_eq!(
            csv,
            "utc,local_time,camera,state,reason,retries\r\n\
             2026-06-01T20:13:00.500Z,2026-06-01 22:13:00 +02:00,quay-east,stalled,\"no picture, for 5 s\",2\r\n"
        );
    }

    #[test]
    fn the_same_entries_give_the_same_export_of_every_kind() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let exported = folders.each_ref().map(|folder| {
            let path = written(folder.path()).logbook;
            KindArg::value_variants()
                .iter()
                .map(|&kind| {
                    let source = Source { logbook: path.clone(), config: None };
                    said(&LogbookCommand::Export { kind, source, rows: all() })
                })
                .collect::<Vec<_>>()
        });
        assert_eq!(exported[0], exported[1]);
        let lines: Vec<_> = exported[0].iter().map(|csv| csv.lines().count()).collect();
        assert_eq!(lines, [3, 2, 2, 2, 2, 2, 2, 2, 2], "header and rows of each kind");
    }

    #[test]
    fn lists_are_cut_to_what_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let Source { logbook: path, .. } = written(folder.path());
        let count = |kind, rows| {
            let source = Source { logbook: path.clone(), config: None };
            said(&LogbookCommand::List { kind, source, rows, limit: 50 }).lines().count() - 1
        };
        assert_eq!(count(KindArg::Detections, all()), 2);
        assert_eq!(count(KindArg::Signals, Rows { rule: Some("night-passage".into()), ..all() }), 1);
        assert_eq!(count(KindArg::Signals, Rows { rule: Some("dwell".into()), ..all() }), 0);
        assert_eq!(count(KindArg::Suppressed, Rows { rule: Some("night-passage".into()), ..all() }), 1);
        assert_eq!(count(KindArg::Suppressed, Rows { rule: Some("dwell".into()), ..all() }), 0);
        assert_eq!(count(KindArg::Visits, all()), 1);
        assert_eq!(count(KindArg::Outage, all()), 1);
        assert_eq!(count(KindArg::Outage, Rows { since: Some(at(45.1).wall), ..all() }), 0);
        assert_eq!(count(KindArg::Detections, Rows { camera: Some("elsewhere".into()), ..all() }), 0);
        assert_eq!(count(KindArg::Signals, Rows { since: Some(at(2.0).wall), ..all() }), 1);
        assert_eq!(count(KindArg::Signals, Rows { since: Some(at(2.1).wall), ..all() }), 0);
    }

    #[test]
    fn a_signal_and_a_vessel_can_be_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        let Source { logbook: path, .. } = written(folder.path());
        let source = || Source { logbook: path.clone(), config: None };
        let signal = said(&LogbookCommand::Show { what: "1".into(), source: source() });
        for part in ["Night passage", "opened", "closed", "told to staff", "waiting", "answered", "desk 2"] {
            assert!(signal.contains(part), "{part} in {signal}");
        }
        let vessel = said(&LogbookCommand::Show { what: "vessel:7".into(), source: source() });
        assert!(vessel.contains("quay-east") && vessel.contains("Night passage"), "{vessel}");
        assert!(vessel.contains("berth-3") && vessel.contains("departed"), "{vessel}");
        let unknown = logbook(&LogbookCommand::Show { what: "9".into(), source: source() }, Vec::new());
        assert!(unknown.unwrap_err().to_string().contains("no signal `9`"));
        let reader = source().open().unwrap();
        let id = |name: &str| reader.signal_id(name).unwrap();
        let named = event(1, Phase::Opened, 0.0).signal;
        assert_eq!([id("1"), id(&named.0.to_string())], [Some(named); 2]);
        assert_eq!(["9", "1a", "", "night-passage"].map(id), [None; 4]);
    }

    #[test]
    fn how_long_ago_is_understood() {
        let now = SystemClock::default().now().wall;
        let three_days = now.duration_since(moment("3d").unwrap()).as_hours();
        assert!((71..=72).contains(&three_days), "{three_days}");
        assert_eq!(moment("2026-06-01T20:00:00Z").unwrap().to_string(), "2026-06-01T20:00:00Z");
        for neither in
            ["yesterday", "9223372036854775807d", "106751991167301d", "-106751991167301d", "999999999h"]
        {
            assert!(moment(neither).unwrap_err().contains(neither));
        }
    }
}
