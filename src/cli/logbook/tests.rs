//! Tests of the subcommands on a small logbook.

use std::path::Path;

use std::time::Duration;

use clap::ValueEnum as _;

use super::export::ExportArgs;
use super::list::ListArgs;
use super::show::ShowArgs;
use super::source::{Rows, time};
use super::tail::TailArgs;
use super::*;
use crate::camera_health::{Cause, OutageEnd};
use crate::camera_state::{CameraChange, CameraState};
use crate::clock::{Clock as _, ClockWatch, SystemClock};
use crate::logbook::testing::{
    at, event, notified_signal, open, outage, pass, signal_step, suppression, track, vessel_at, visit,
};
use crate::logbook::{Acknowledgement, Entry, StaffVerdict};
use crate::rules::{Phase, SuppressionReason, VisitEnd, VisitStep};
use crate::track::TrackState;

/// A logbook in which everything happened once.
pub(in crate::cli) fn sample_logbook(folder: &Path) -> Source {
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
    sender.send(Entry::CameraState(change)).unwrap();
    sender.send(Entry::Clock(ClockWatch::begin(at(0.25), "boot".into(), None).1)).unwrap();
    let confirmed = track(7, TrackState::Confirmed, 1.0);
    sender.send(pass(1.0, vec![vessel_at(100.0, Some(7)), vessel_at(900.0, None)], vec![confirmed])).unwrap();
    sender.send(notified_signal(1, 2.0)).unwrap();
    sender.send(Entry::Suppressed(suppression(SuppressionReason::NotConfirmed, 1.5, 2))).unwrap();
    sender.send(Entry::Visit(visit(7, VisitStep::Began, 10.0))).unwrap();
    let acknowledgement = Acknowledgement {
        signal: event(1, Phase::Opened, 0.0).signal,
        at: at(20.0).wall,
        by: "desk 2".into(),
        verdict: StaffVerdict::FalseAlarm,
        note: "the patrol boat".into(),
    };
    sender.send(Entry::Acknowledgement(acknowledgement)).unwrap();
    sender.send(signal_step(1, Phase::Closed, 30.0)).unwrap();
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
fn tail_shows_events_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let source = sample_logbook(folder.path());
    insta::assert_snapshot!(said(&LogbookCommand::Tail(TailArgs { source, last: 10, once: true })), @r"
    2026-06-01 22:13:00 +02:00  Havenwacht started (run, version 0.1.0)
    2026-06-01 22:13:00 +02:00  camera quay-east is stalled: no picture, for 5 s
    2026-06-01 22:13:02 +02:00  ALERT  quay-east  Night passage: vessel 7 entered Inner basin, 00:43 after curfew
    2026-06-01 22:13:10 +02:00  quay-east  vessel 7 arrived at berth-3
    2026-06-01 22:13:20 +02:00  desk 2: false alarm, Night passage (vessel 7 entered Inner basin, 00:43 after curfew): the patrol boat
    2026-06-01 22:13:30 +02:00  ALERT  quay-east  Night passage: over: vessel 7 entered Inner basin, 00:43 after curfew
    2026-06-01 22:13:35 +02:00  camera quay-east gives no usable picture: the picture is frozen
    2026-06-01 22:13:45 +02:00  camera quay-east gives a usable picture again (frozen for 10.0 s)
    2026-06-01 22:13:50 +02:00  quay-east  vessel 7 departed from berth-3
    ");
}

#[test]
fn exports_are_standard_csv() {
    let folder = tempfile::tempdir().unwrap();
    let source = sample_logbook(folder.path());
    let csv = said(&LogbookCommand::Export(ExportArgs { kind: KindArg::CameraStates, source, rows: all() }));
    assert_eq!(
        csv,
        "utc,local_time,camera,state,reason,retries\r\n\
         2026-06-01T20:13:00.500Z,2026-06-01 22:13:00 +02:00,quay-east,stalled,\"no picture, for 5 s\",2\r\n"
    );
}

#[test]
fn equal_entries_give_equal_exports() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let exported = folders.each_ref().map(|folder| {
        let path = sample_logbook(folder.path()).logbook;
        KindArg::value_variants()
            .iter()
            .map(|&kind| {
                let source = Source { logbook: path.clone(), config: None };
                said(&LogbookCommand::Export(ExportArgs { kind, source, rows: all() }))
            })
            .collect::<Vec<_>>()
    });
    assert_eq!(exported[0], exported[1]);
    let lines: Vec<_> = exported[0].iter().map(|csv| csv.lines().count()).collect();
    assert_eq!(lines, [3, 2, 2, 2, 2, 2, 2, 2, 2], "header and rows of each kind");
}

#[test]
fn lists_are_filtered() {
    let folder = tempfile::tempdir().unwrap();
    let Source { logbook: path, .. } = sample_logbook(folder.path());
    let count = |kind, rows| {
        let source = Source { logbook: path.clone(), config: None };
        said(&LogbookCommand::List(ListArgs { kind, source, rows, limit: 50 })).lines().count() - 1
    };
    assert_eq!(count(KindArg::Detections, all()), 2);
    assert_eq!(count(KindArg::Signals, Rows { rule: Some("night-passage".into()), ..all() }), 1);
    assert_eq!(count(KindArg::Signals, Rows { rule: Some("dwell".into()), ..all() }), 0);
    assert_eq!(count(KindArg::Suppressed, Rows { rule: Some("night-passage".into()), ..all() }), 1);
    assert_eq!(count(KindArg::Suppressed, Rows { rule: Some("dwell".into()), ..all() }), 0);
    assert_eq!(count(KindArg::Visits, all()), 1);
    assert_eq!(count(KindArg::Outages, all()), 1);
    assert_eq!(count(KindArg::Outages, Rows { since: Some(at(45.1).wall), ..all() }), 0);
    assert_eq!(count(KindArg::Detections, Rows { camera: Some("elsewhere".into()), ..all() }), 0);
    assert_eq!(count(KindArg::Signals, Rows { since: Some(at(2.0).wall), ..all() }), 1);
    assert_eq!(count(KindArg::Signals, Rows { since: Some(at(2.1).wall), ..all() }), 0);
}

#[test]
fn signals_and_vessels_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let Source { logbook: path, .. } = sample_logbook(folder.path());
    let source = || Source { logbook: path.clone(), config: None };
    let signal = said(&LogbookCommand::Show(ShowArgs { what: "1".into(), source: source() }));
    for part in ["Night passage", "opened", "closed", "alerts", "waiting", "acknowledgements", "desk 2"] {
        assert!(signal.contains(part), "{part} in {signal}");
    }
    let vessel = said(&LogbookCommand::Show(ShowArgs { what: "vessel:7".into(), source: source() }));
    assert!(vessel.contains("quay-east") && vessel.contains("Night passage"), "{vessel}");
    assert!(vessel.contains("berth-3") && vessel.contains("departed"), "{vessel}");
    let unknown = logbook(&LogbookCommand::Show(ShowArgs { what: "9".into(), source: source() }), Vec::new());
    assert!(unknown.unwrap_err().to_string().contains("no signal `9`"));
    let reader = source().open().unwrap();
    let id = |name: &str| reader.signal_id(name).unwrap();
    let named = event(1, Phase::Opened, 0.0).signal;
    assert_eq!([id("1"), id(&named.0.to_string())], [Some(named); 2]);
    assert_eq!(["9", "1a", "", "night-passage"].map(id), [None; 4]);
}

#[test]
fn durations_and_times_are_parsed() {
    let now = SystemClock::default().now().wall;
    let three_days = now.duration_since(time("3d").unwrap()).as_hours();
    assert!((71..=72).contains(&three_days), "{three_days}");
    assert_eq!(time("2026-06-01T20:00:00Z").unwrap().to_string(), "2026-06-01T20:00:00Z");
    for neither in
        ["yesterday", "9223372036854775807d", "106751991167301d", "-106751991167301d", "999999999h"]
    {
        assert!(time(neither).unwrap_err().contains(neither));
    }
}
