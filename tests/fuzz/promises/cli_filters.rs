//! Whatever is asked of a logbook on the command line, it is refused in words or answered: an empty logbook with nothing, a
//! full one with rows that were asked for.

use std::path::{Path, PathBuf};

use clap::Parser;
use havenwacht::camera_state::{CameraChange, CameraState};
use havenwacht::cli::logbook::{KindArg, LogbookCommand, logbook};
use havenwacht::clock::ClockWatch;
use havenwacht::detect::{Class, Detection};
use havenwacht::geometry::{BBox, FrameSize};
use havenwacht::ids::CameraId;
use havenwacht::logbook::{Acknowledgement, Entry, Filter, LogbookError, Reader, StaffVerdict};
use havenwacht::logbook::{LookEntry, OutboxAlert, SignalEntry};
use havenwacht::rules::{Phase, SignalId};
use havenwacht::track::VesselId;
use uuid::Uuid;

use super::night;

/// What the full logbook's signal is called.
const SIGNAL: Uuid = Uuid::from_u128(0x019e_84d1_9379_7e0c_8c55_1d5a_b9b9_b8f1);

#[derive(Parser)]
#[command(name = "logbook")]
struct Line {
    #[command(subcommand)]
    command: LogbookCommand,
}

/// An empty logbook, and one of a night.
pub(crate) struct Shelf {
    empty: PathBuf,
    full: PathBuf,
}

impl Shelf {
    /// Writes both.
    pub(crate) fn new(folder: &Path) -> Self {
        let (empty, full) = (folder.join("empty.sqlite"), folder.join("full.sqlite"));
        let (writer, _) = night::open(&empty);
        writer.close(night::at(1000).wall, night::PATIENCE).expect("a closed logbook");
        let (writer, sender) = night::open(&full);
        for entry in entries() {
            sender.send(entry).expect("a writer");
        }
        drop(sender);
        writer.close(night::at(60_000).wall, night::PATIENCE).expect("a closed logbook");
        Self { empty, full }
    }

    /// Holds the promise for a line of which each line of the text is a word: `list`, `show`, `export` or `why`, then more.
    pub(crate) fn holds(&self, text: &str) {
        let words: Vec<_> = text.split('\n').collect();
        if !["list", "show", "export", "why"].contains(&words[0]) {
            return;
        }
        if let Some((command, said)) = asked(&self.empty, &words) {
            assert!(is_nothing(&command, said.as_deref()), "{words:?} of an empty logbook: {said:?}");
        }
        if let Some((command, Some(said))) = asked(&self.full, &words) {
            self.was_asked_for(&command, &said);
        }
    }

    fn was_asked_for(&self, command: &LogbookCommand, said: &str) {
        match command {
            LogbookCommand::Show { what, .. } => {
                let number = what.strip_prefix("vessel:").and_then(|number| number.parse::<u64>().ok());
                let known = number == Some(7) || what == "1" || *what == SIGNAL.to_string();
                assert!(known, "{what:?} shows {said}");
            }
            LogbookCommand::List { kind, rows, limit, .. } => {
                let lines = said.lines().count();
                let all = self.exported(*kind, &rows.filter(None)).len();
                assert!(
                    lines >= 1 && lines - 1 <= (*limit as usize).min(all),
                    "{lines} lines, {all} rows: {said}"
                );
            }
            LogbookCommand::Export { kind, rows, .. } => {
                let filter = rows.filter(None);
                let found = csv(said);
                assert_eq!(found, self.exported(*kind, &filter), "what is read back is what was written");
                let all = self.exported(*kind, &Filter::default());
                assert!(found.iter().all(|row| all.contains(row)), "a filter only takes away");
                are_of(&found, &filter);
            }
            _ => {}
        }
    }

    /// The rows without the detour through text.
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

/// What a line comes to, if it is understood; `None` of text where the answer was no.
fn asked(logbook_file: &Path, words: &[&str]) -> Option<(LogbookCommand, Option<String>)> {
    let file = logbook_file.to_str().expect("a plain path");
    let line = ["logbook", words[0], "--logbook", file].into_iter().chain(words[1..].iter().copied());
    let Line { command } = match Line::try_parse_from(line) {
        Ok(line) => line,
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            return None;
        }
    };
    let mut out = Vec::new();
    let said = match logbook(&command, &mut out) {
        Ok(_) => Some(String::from_utf8(out).expect("text")),
        Err(error) => {
            let broken = error.chain().find_map(|cause| cause.downcast_ref::<LogbookError>());
            assert!(broken.is_none(), "{words:?}: {error:#}");
            None
        }
    };
    Some((command, said))
}

/// Whether that is an answer of a logbook in which nothing stands.
fn is_nothing(command: &LogbookCommand, said: Option<&str>) -> bool {
    match command {
        LogbookCommand::Show { .. } => said.is_none(),
        LogbookCommand::List { .. } => said == Some("(none)\n"),
        LogbookCommand::Export { .. } => said.is_some_and(|said| csv(said).len() == 1),
        LogbookCommand::Why(_) => said.is_none_or(|said| said.contains("no signal, and no silence")),
        _ => true,
    }
}

/// Rows, the header first, are what the filter wants.
fn are_of(found: &[Vec<String>], filter: &Filter) {
    let [header, rows @ ..] = found else { panic!("no header") };
    let column = |name: &str| header.iter().position(|column| column == name);
    let rule = column("rule_id").or(column("rule"));
    // Times of one width, so that their texts are in their order.
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

/// RFC 4180, read strictly.
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

/// A vessel is seen, followed, and told of; somebody answers.
fn entries() -> Vec<Entry> {
    let camera = CameraId::new("quay-east").expect("a name");
    let change = CameraChange {
        camera: camera.clone(),
        at: night::at(500),
        state: CameraState::Stalled,
        reason: "no picture, for 5 s".into(),
        retries: 2,
    };
    let bbox = BBox::from_xywh(100.0, 500.4, 120.0, 60.0);
    let detection = Detection { class: Class::Vessel, confidence: 0.8125, bbox };
    let look = LookEntry {
        camera,
        at: night::at(1000),
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
    let answered = Acknowledgement {
        signal: SignalId(SIGNAL),
        at: night::at(20_000).wall,
        by: "desk 2".into(),
        verdict: StaffVerdict::FalseAlarm,
        note: "the \"patrol\", again".into(),
    };
    let signal = |phase, at, alert| SignalEntry { event: night::event(SIGNAL, phase, night::at(at)), alert };
    vec![
        Entry::Clock(ClockWatch::begin(night::at(250), "boot".into(), None).1),
        Entry::Camera(change),
        Entry::Look(look),
        Entry::Signal(signal(Phase::Opened, 2000, Some(alert))),
        Entry::Acknowledged(answered),
        Entry::Signal(signal(Phase::Closed, 30_000, None)),
    ]
}
