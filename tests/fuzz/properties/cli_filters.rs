//! For any words after `logbook list`, `show`, `export` and `why`, the command rejects them with a message or answers: with
//! nothing from an empty logbook, with matching rows from a full one.

use std::path::{Path, PathBuf};

use clap::Parser;
use havenwacht::camera_state::{CameraChange, CameraState};
use havenwacht::cli::logbook::{ExportArgs, KindArg, ListArgs, LogbookCommand, ShowArgs, logbook};
use havenwacht::clock::ClockWatch;
use havenwacht::detect::{Class, Detection};
use havenwacht::geometry::{BBox, FrameSize};
use havenwacht::ids::CameraId;
use havenwacht::logbook::{Acknowledgement, Entry, Filter, LogbookError, Reader, StaffVerdict};
use havenwacht::logbook::{OutboxAlert, PassEntry, SignalEntry};
use havenwacht::rules::{Phase, SignalId};
use havenwacht::track::VesselId;
use uuid::Uuid;

use super::sample_logbook as sample;

/// The id of the signal in the full logbook.
const SIGNAL: Uuid = Uuid::from_u128(0x019e_84d1_9379_7e0c_8c55_1d5a_b9b9_b8f1);

#[derive(Parser)]
#[command(name = "logbook")]
struct CommandLine {
    #[command(subcommand)]
    command: LogbookCommand,
}

/// An empty logbook, and one with entries of a night.
pub(crate) struct Logbooks {
    empty: PathBuf,
    full: PathBuf,
}

impl Logbooks {
    /// Writes both logbooks.
    pub(crate) fn new(folder: &Path) -> Self {
        let (empty, full) = (folder.join("empty.sqlite"), folder.join("full.sqlite"));
        let (writer, _) = sample::open(&empty);
        writer.close(sample::at(1000).wall, sample::LIMIT).expect("a closed logbook");
        let (writer, sender) = sample::open(&full);
        for entry in entries() {
            sender.send(entry).expect("a writer");
        }
        drop(sender);
        writer.close(sample::at(60_000).wall, sample::LIMIT).expect("a closed logbook");
        Self { empty, full }
    }

    /// Checks a command: `list`, `show`, `export` or `why`, then more words, one on each line of the text.
    pub(crate) fn check(&self, text: &str) {
        let words: Vec<_> = text.split('\n').collect();
        if !["list", "show", "export", "why"].contains(&words[0]) {
            return;
        }
        if let Some((command, output)) = run(&self.empty, &words) {
            assert!(
                is_empty_answer(&command, output.as_deref()),
                "{words:?} on an empty logbook: {output:?}"
            );
        }
        if let Some((command, Some(output))) = run(&self.full, &words) {
            self.check_answer(&command, &output);
        }
    }

    fn check_answer(&self, command: &LogbookCommand, output: &str) {
        match command {
            LogbookCommand::Show(ShowArgs { what, .. }) => {
                let number = what.strip_prefix("vessel:").and_then(|number| number.parse::<u64>().ok());
                let known = number == Some(7) || what == "1" || *what == SIGNAL.to_string();
                assert!(known, "{what:?} shows {output}");
            }
            LogbookCommand::List(ListArgs { kind, rows, limit, .. }) => {
                let lines = output.lines().count();
                let all = self.exported(*kind, &rows.filter(None)).len();
                assert!(
                    lines >= 1 && lines - 1 <= (*limit as usize).min(all),
                    "{lines} lines, {all} rows: {output}"
                );
            }
            LogbookCommand::Export(ExportArgs { kind, rows, .. }) => {
                let filter = rows.filter(None);
                let found = csv(output);
                assert_eq!(found, self.exported(*kind, &filter), "the CSV has the same rows as the reader");
                let all = self.exported(*kind, &Filter::default());
                assert!(found.iter().all(|row| all.contains(row)), "a filter only removes rows");
                check_filter(&found, &filter);
            }
            _ => {}
        }
    }

    /// The same rows, from the reader.
    fn exported(&self, kind: KindArg, filter: &Filter) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        let reader = Reader::open(&self.full).expect("a logbook");
        let each = |row: &[String]| {
            rows.push(row.to_vec());
            Ok(())
        };
        reader.export(kind.into(), filter, each).expect("a query that runs").expect("room for it");
        rows
    }
}

/// The parsed command and its output, `None` when the command failed. `None` for words that do not parse.
fn run(logbook_file: &Path, words: &[&str]) -> Option<(LogbookCommand, Option<String>)> {
    let file = logbook_file.to_str().expect("a plain path");
    let line = ["logbook", words[0], "--logbook", file].into_iter().chain(words[1..].iter().copied());
    let CommandLine { command } = match CommandLine::try_parse_from(line) {
        Ok(line) => line,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return None;
        }
    };
    let mut out = Vec::new();
    let output = match logbook(&command, &mut out) {
        Ok(_) => Some(String::from_utf8(out).expect("text")),
        Err(error) => {
            let broken = error.chain().find_map(|cause| cause.downcast_ref::<LogbookError>());
            assert!(broken.is_none(), "{words:?}: {error:#}");
            None
        }
    };
    Some((command, output))
}

/// Whether this is the answer from an empty logbook.
fn is_empty_answer(command: &LogbookCommand, output: Option<&str>) -> bool {
    match command {
        LogbookCommand::Show(_) => output.is_none(),
        LogbookCommand::List(_) => output == Some("(none)\n"),
        LogbookCommand::Export(_) => output.is_some_and(|output| csv(output).len() == 1),
        LogbookCommand::Why(_) => {
            output.is_none_or(|output| output.contains("no signal, and no suppressed signal"))
        }
        _ => true,
    }
}

/// Checks that all rows, after the header, match the filter.
fn check_filter(found: &[Vec<String>], filter: &Filter) {
    let [header, rows @ ..] = found else { panic!("no header") };
    let column = |name: &str| header.iter().position(|column| column == name);
    let rule = column("rule_id").or(column("rule"));
    // Times as text of one width sort by time.
    let since = filter.since.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
    for row in rows {
        let is = |column: Option<usize>, wanted: &Option<String>| {
            column.zip(wanted.as_ref()).is_none_or(|(column, wanted)| row[column] == *wanted)
        };
        assert!(is(column("camera"), &filter.camera) && is(rule, &filter.rule), "{row:?} for {filter:?}");
        let late = column("utc").zip(since.as_ref()).is_none_or(|(utc, since)| row[utc] >= *since);
        assert!(late, "{row:?} for {filter:?}");
    }
}

/// Reads CSV strictly by RFC 4180.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            _ if quoted => cell.push(letter),
            ',' => row.push(std::mem::take(&mut cell)),
            '\r' => {
                assert_eq!(letters.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '"' | '\n' => panic!("{letter:?} in a cell without quotes: {text}"),
            _ => cell.push(letter),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "not at the end of a row: {text}");
    rows
}

/// A detected vessel, its signal, and an acknowledgement.
fn entries() -> Vec<Entry> {
    let camera = CameraId::new("quay-east").expect("a name");
    let change = CameraChange {
        camera: camera.clone(),
        at: sample::at(500),
        state: CameraState::Stalled,
        reason: "no picture, for 5 s".into(),
        retries: 2,
    };
    let bbox = BBox::from_xywh(100.0, 500.4, 120.0, 60.0);
    let detection = Detection { class: Class::Vessel, confidence: 0.8125, bbox };
    let pass = PassEntry {
        camera,
        at: sample::at(1000),
        frame_seq: 25,
        frame_size: FrameSize { width: 1920, height: 1080 },
        detections: vec![(detection, Some(VesselId(7))), (detection, None)],
        tracks: Vec::new(),
    };
    let alert = OutboxAlert {
        id: Uuid::from_u128(1),
        topic: "havenwacht/sample-harbour/alert/quay-east/night-passage".into(),
        payload: r#"{"schema":1}"#.into(),
        picture: None,
    };
    let acknowledgement = Acknowledgement {
        signal: SignalId(SIGNAL),
        at: sample::at(20_000).wall,
        by: "desk 2".into(),
        verdict: StaffVerdict::FalseAlarm,
        note: "the \"patrol\", again".into(),
    };
    let signal =
        |phase, at, alert| SignalEntry { event: sample::event(SIGNAL, phase, sample::at(at)), alert };
    vec![
        Entry::Clock(ClockWatch::begin(sample::at(250), "boot".into(), None).1),
        Entry::CameraState(change),
        Entry::Pass(pass),
        Entry::Signal(signal(Phase::Opened, 2000, Some(alert))),
        Entry::Acknowledgement(acknowledgement),
        Entry::Signal(signal(Phase::Closed, 30_000, None)),
    ]
}
