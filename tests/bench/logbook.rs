//! How many entries a second the logbook writes, and how long queries take: `cargo bench --bench logbook`.
//!
//! Rates are compared with bare inserts of the same rows, in transactions of the same size, in the same run.
//! `-- rates`, `alerts` or `questions` runs a part; `HAVENWACHT_DETECTIONS=50000000` asks its questions of a logbook of that size (5 GB in the temporary folder).

// A benchmark prints its table.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use havenwacht::clock::{MonoTime, Stamp, SystemClock};
use havenwacht::config::Severity;
use havenwacht::detect::{Class, Detection};
use havenwacht::geometry::{BBox, FrameSize};
use havenwacht::ids::{CameraId, PlaceId, RuleId};
use havenwacht::logbook::{
    Entry, OutboxAlert, PassEntry, Reader, SignalEntry, StartEntry, TrustAnchors, Writer, WriterOptions,
};
use havenwacht::rules::{Facts, Phase, SignalEvent, SignalId};
use havenwacht::track::VesselId;
use rusqlite::{Connection, params};
use test_support::now;
use uuid::Uuid;

/// Boxes of a pass, and passes of a transaction, as the writer groups them when it is busy.
const SEEN: usize = 8;
const GROUP: usize = 512;
const PASSES: usize = 40 * GROUP;
const ROUNDS: usize = 15;
const ALERTS: usize = 400;
/// The limits that this bench enforces.
const LEAST_RATE: f64 = 50_000.0;
const LEAST_RATIO: f64 = 0.7;
const SIGNALS_WITHIN: Duration = Duration::from_millis(50);
const PATH_WITHIN: Duration = Duration::from_millis(20);

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (part, run) in [("rates", rates as fn()), ("alerts", alerts), ("questions", questions)] {
        if asked.is_empty() || asked.iter().any(|name| name == part) {
            run();
        }
    }
}

fn start() -> StartEntry {
    StartEntry {
        at: at(0.0),
        version: "bench".into(),
        config_hash: "c".into(),
        model_hash: "m".into(),
        mode: "run",
        time_zone: "Europe/Amsterdam".into(),
    }
}

fn at(seconds: f64) -> Stamp {
    let wall: jiff::Timestamp = "2026-06-01T20:13:00Z".parse().expect("a moment");
    Stamp {
        mono: MonoTime::from_boot(Duration::from_secs_f64(3600.0 + seconds)),
        wall: wall + jiff::SignedDuration::from_secs_f64(seconds),
    }
}

fn camera() -> CameraId {
    CameraId::new("quay-east").expect("an identifier")
}

/// Four passes a second.
fn pass(number: usize) -> Entry {
    let boxed = |i: usize| {
        let bbox = BBox::from_xywh((i * 200) as f32, 500.0, 120.0, 60.0);
        (Detection { class: Class::Vessel, confidence: 0.81, bbox }, Some(VesselId(i as u64)))
    };
    Entry::Pass(PassEntry {
        camera: camera(),
        at: at(number as f64 / 4.0),
        frame_seq: number as u64,
        frame_size: FrameSize { width: 1920, height: 1080 },
        detections: (0..SEEN).map(boxed).collect(),
        tracks: vec![],
    })
}

fn alert(number: usize) -> Entry {
    let event = SignalEvent {
        signal: SignalId(Uuid::from_u128(number as u128 + 1)),
        phase: Phase::Opened,
        at: at(number as f64),
        since: at(number as f64),
        camera: camera(),
        rule: RuleId::new("night-passage").expect("an identifier"),
        rule_name: "Night passage".into(),
        kind: "presence",
        place: PlaceId::new("inner-basin").expect("an identifier"),
        place_name: "Inner basin".into(),
        severity: Severity::Alert,
        vessel: Some(VesselId(7)),
        bbox: BBox::new(0.1, 0.2, 0.3, 0.4),
        facts: Facts {
            condition: "a vessel is in Inner basin for 1s".into(),
            measured: 1.5,
            threshold: 1.0,
            margin: 0.0,
            unit: "s",
            schedule: "every day 21:30 to 05:30 the next day".into(),
        },
        text: "vessel 7 entered Inner basin".into(),
        alert: true,
    };
    let alert = OutboxAlert {
        id: Uuid::from_u128((number as u128 + 1) << 64),
        topic: "havenwacht/bench/alert/quay-east/night-passage".into(),
        payload: format!("{{\"number\":{number},\"filler\":\"{}\"}}", "x".repeat(700)),
        picture: Some(vec![0x5A; 60_000]),
    };
    Entry::Signal(SignalEntry { event, alert: Some(alert) })
}

/// Detections a second through the writer, with its chain and seals, against bare inserts.
fn rates() {
    println!("{:>8} {:>14} {:>14} {:>7}", "round", "bare det/s", "writer det/s", "ratio");
    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bare = bare_rate(&folder.path().join("bare.sqlite"));
        let ours = writer_rate(&folder.path().join("logbook.sqlite"));
        println!("{round:>8} {bare:>14.0} {ours:>14.0} {:>7.3}", ours / bare);
        rates.push(ours);
        ratios.push(ours / bare);
    }
    let (rate, ratio) = (median(rates), median(ratios));
    println!(
        "{rate:.0} detections a second (at least {LEAST_RATE}), {ratio:.3} of bare inserts (at least {LEAST_RATIO})\n"
    );
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn writer_rate(path: &Path) -> f64 {
    let clock = Arc::new(SystemClock::default());
    let (writer, sender) = Writer::open(path, &start(), WriterOptions::new(clock)).expect("a new logbook");
    let passes: Vec<Entry> = (0..PASSES).map(pass).collect();
    let begun = now();
    for pass in passes {
        sender.send(pass).expect("the writer runs");
    }
    writer.flush(Duration::from_secs(120)).expect("all is written");
    (PASSES * SEEN) as f64 / begun.elapsed().as_secs_f64()
}

fn bare_rate(path: &Path) -> f64 {
    let connection = Connection::open(path).expect("a new file");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE pass (id INTEGER PRIMARY KEY, start INTEGER NOT NULL, camera INTEGER NOT NULL, at INTEGER NOT NULL,
               utc_offset INTEGER NOT NULL, frame INTEGER NOT NULL, frame_width INTEGER NOT NULL,
               frame_height INTEGER NOT NULL) STRICT;
             CREATE TABLE detection (id INTEGER PRIMARY KEY, vessel INTEGER, class INTEGER NOT NULL, confidence INTEGER NOT NULL,
               x INTEGER NOT NULL, y INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL) STRICT;",
        )
        .expect("two tables");
    let begun = now();
    for first in (1..=PASSES).step_by(GROUP) {
        connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        let mut pass = connection
            .prepare_cached("INSERT INTO pass VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
            .expect("a statement");
        let mut detection = connection
            .prepare_cached("INSERT INTO detection VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
            .expect("a statement");
        for id in first as i64..(first + GROUP) as i64 {
            pass.execute(params![id, 1, 1, 1_780_000_000_000i64 + id * 250, 8, id, 1920, 1080])
                .expect("a row");
            for place in 0..SEEN as i64 {
                detection
                    .execute(params![id * 256 + place, place, 0, 810, place * 200, 500, 120, 60])
                    .expect("a row");
            }
        }
        connection.execute_batch("COMMIT").expect("on disk");
    }
    (PASSES * SEEN) as f64 / begun.elapsed().as_secs_f64()
}

/// How long an alert takes from being handed over to being on disk, each in a commit of its own, with its picture; and what
/// the chain is of that.
fn alerts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("logbook.sqlite");
    let clock = Arc::new(SystemClock::default());
    let (writer, sender) = Writer::open(&path, &start(), WriterOptions::new(clock)).expect("a new logbook");
    let mut took = Vec::new();
    for number in 0..ALERTS {
        let begun = now();
        sender.send(alert(number)).expect("the writer runs");
        writer.flush(Duration::from_secs(20)).expect("it is written");
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    writer.close(at(1e5).wall, Duration::from_secs(20)).expect("it ends");
    took.sort_by(f64::total_cmp);
    let share = |part: usize| took[took.len() * part / 100];
    println!(
        "alert on disk after ms: median {:.2}, p99 {:.2}, longest {:.2} ({ALERTS} alerts)",
        share(50),
        share(99),
        share(100 - 1)
    );
    let begun = now();
    let verified = Reader::open(&path)
        .and_then(|reader| reader.verify(&TrustAnchors::default(), |_| ()))
        .expect("it verifies");
    println!("verified {} links in {:.1} ms\n", verified.links, begun.elapsed().as_secs_f64() * 1e3);
}

/// What people ask, of a logbook as it is after months.
fn questions() {
    let wanted =
        std::env::var("HAVENWACHT_DETECTIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("logbook.sqlite");
    let clock = Arc::new(SystemClock::default());
    drop(Writer::open(&path, &start(), WriterOptions::new(clock)).expect("a new logbook"));
    let begun = now();
    let (last_day, vessel) = fill(&path, wanted);
    println!("{wanted} detections made in {:.0} s", begun.elapsed().as_secs_f64());
    let questions = [
        (
            "last day's signals",
            format!("SELECT * FROM v_signals WHERE opened_utc >= '{last_day}' ORDER BY opened_utc"),
            SIGNALS_WITHIN,
        ),
        ("one vessel's track", format!("SELECT * FROM v_tracks WHERE vessel = {vessel}"), PATH_WITHIN),
        ("one vessel's way", format!("SELECT * FROM v_paths WHERE vessel = {vessel}"), PATH_WITHIN),
        (
            "newest ten signals",
            "SELECT * FROM v_signals ORDER BY seq DESC LIMIT 10".to_owned(),
            SIGNALS_WITHIN,
        ),
    ];
    println!("{:<20} {:>8} {:>12} {:>12} {:>9}", "question", "rows", "first ms", "median ms", "limit ms");
    for (what, query, limit) in questions {
        // A connection of its own, as somebody who comes and asks.
        let connection = Connection::open(&path).expect("the logbook");
        let mut took = Vec::new();
        let mut rows = 0;
        for _ in 0..9 {
            let begun = now();
            let mut statement = connection.prepare(&query).expect("a query");
            let mut found = statement.query([]).expect("the query runs");
            rows = 0;
            while let Some(row) = found.next().expect("a row") {
                std::hint::black_box(row.get_ref(1).expect("a column"));
                rows += 1;
            }
            took.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let first = took[0];
        println!("{what:<20} {rows:>8} {first:>12.2} {:>12.2} {:>9}", median(took), limit.as_millis());
    }
}

/// Fills a logbook with passes of five boxes, four a second; each vessel is in 300 of them, every eighth raises a signal. Gives
/// the last day's beginning and a vessel in the middle.
fn fill(path: &Path, detections: u64) -> (String, i64) {
    const BOXES: i64 = 5;
    const PASSES_OF_A_VESSEL: i64 = 300;
    let connection = Connection::open(path).expect("the logbook");
    connection
        .execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -200000")
        .expect("settings");
    let passes = i64::try_from(detections).expect("a number") / BOXES;
    let began = 1_760_000_000_000i64;
    connection
        .execute("INSERT OR IGNORE INTO camera (id, name) VALUES (1, 'quay-east')", [])
        .expect("a camera");
    let mut id = 1;
    while id <= passes {
        connection.execute_batch("BEGIN").expect("a transaction");
        {
            let mut pass = connection
                .prepare_cached("INSERT INTO pass VALUES (?1, 1, 1, ?2, 8, ?1, 1920, 1080)")
                .expect("a statement");
            let mut detection = connection
                .prepare_cached("INSERT INTO detection VALUES (?1, ?2, 0, 813, ?3, 500, 120, 60)")
                .expect("a statement");
            for _ in 0..50_000 {
                pass.execute([id, began + id * 250]).expect("a row");
                for place in 0..BOXES {
                    let vessel = (id / PASSES_OF_A_VESSEL) * BOXES + place + 1;
                    detection.execute([id * 256 + place, vessel, 200 * place]).expect("a row");
                }
                id += 1;
            }
        }
        connection.execute_batch("COMMIT").expect("written");
    }
    let vessels = passes / PASSES_OF_A_VESSEL * BOXES;
    connection
        .execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < {vessels})
             INSERT INTO track SELECT v, 1, 1, 'ended', {began} + (v - 1) / {BOXES} * {PASSES_OF_A_VESSEL} * 250, 8,
               {began} + ((v - 1) / {BOXES} + 1) * {PASSES_OF_A_VESSEL} * 250, 8, (v - 1) / {BOXES} * {PASSES_OF_A_VESSEL},
               ((v - 1) / {BOXES} + 1) * {PASSES_OF_A_VESSEL} - 1, {PASSES_OF_A_VESSEL}, 0, 500, 120, 60 FROM n;
             INSERT INTO signal (id, start, camera, rule, rule_name, kind, place, place_name, severity, vessel, notified, since,
               since_offset, opened, opened_offset, closed, closed_offset, closed_by, measured, threshold, unit, text)
             SELECT 'signal-' || vessel, 1, 1, 'night-passage', 'Night passage', 'presence', 'basin', 'Basin', 'alert', vessel, 1,
               first_seen, 8, first_seen, 8, last_seen, 8, 'rule', 1.5, 1.0, 's', 'vessel ' || vessel || ' entered Basin'
             FROM track WHERE vessel % 8 = 0;
             INSERT INTO signal_step (signal, phase, severity, at, utc_offset, measured, text, x0, y0, x1, y1)
             SELECT seq, 'opened', severity, opened, 8, measured, text, 0, 0, 1, 1 FROM signal;
             COMMIT;"
        ))
        .expect("tracks and signals");
    let last_day = began + passes * 250 - 86_400_000;
    let day: String = connection
        .query_row("SELECT strftime('%Y-%m-%dT%H:%M:%fZ', ?1 / 1000.0, 'unixepoch')", [last_day], |row| {
            row.get(0)
        })
        .expect("a moment");
    (day, vessels / 2)
}
