//! Tests of the chain: every change of the file is found, and what the daemon does is no fault.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use secrecy::ExposeSecret as _;

use super::chain::{Chain, link_hash};
use super::event_kinds;
use crate::logbook::testing::*;
use crate::logbook::values::Digest;
use crate::logbook::{
    Acknowledgement, Entry, PublicKey, Reader, SigningKey, StaffVerdict, TrustAnchors, Verification, Writer,
};
use crate::rules::{Phase, SignalId, VisitStep};
use crate::track::TrackState;

fn key() -> SigningKey {
    let secret = format!("secret-{}", "07".repeat(32));
    SigningKey::read(&secret.into()).unwrap()
}

/// Events of most kinds in two starts, of which the second is signed.
fn write_sample(path: &Path) {
    let (writer, sender) = open(path);
    for second in 0..40 {
        let seen = vec![vessel_at(100.0 + second as f32, Some(7)), vessel_at(800.0, None)];
        sender
            .send(pass(f64::from(second), seen, vec![track(7, TrackState::Confirmed, f64::from(second))]))
            .unwrap();
    }
    sender.send(notified_signal(1, 2.0)).unwrap();
    sender.send(notified_signal(2, 3.0)).unwrap();
    sender.send(signal_step(1, Phase::Updated, 4.0)).unwrap();
    let signal = SignalId(uuid::Uuid::from_u128(1));
    let acknowledged = Acknowledgement {
        signal,
        at: at(5.0).wall,
        by: "desk 2".into(),
        verdict: StaffVerdict::Acknowledged,
        note: String::new(),
    };
    sender.send(Entry::Acknowledgement(acknowledged)).unwrap();
    sender.send(Entry::Visit(visit(7, VisitStep::Began, 6.0))).unwrap();
    sender.send(signal_step(1, Phase::Closed, 7.0)).unwrap();
    writer.close(at(50.0).wall, SOON).unwrap();

    let mut options = options();
    options.signing_key = Some(key());
    let (writer, sender) = Writer::open(path, &start(), options).unwrap();
    sender.send(pass(60.0, vec![vessel_at(100.0, Some(8))], vec![])).unwrap();
    let mut with_picture = notified_signal(3, 61.0);
    if let Entry::Signal(entry) = &mut with_picture {
        entry.alert.as_mut().unwrap().picture = Some(vec![0xFF, 0xD8, 1, 2, 3]);
    }
    sender.send(with_picture).unwrap();
    writer.close(at(70.0).wall, SOON).unwrap();
}

pub(super) fn sample() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    write_sample(&path);
    (folder, path)
}

pub(super) fn verify(path: &Path, anchors: &TrustAnchors) -> Verification {
    Reader::open(path).unwrap().verify(anchors, |_| ()).unwrap()
}

/// The first fault after `sql` has changed the file.
fn found(path: &Path, sql: &str, anchors: &TrustAnchors) -> String {
    let changed = Connection::open(path).unwrap();
    changed.execute_batch(sql).unwrap();
    let faults = verify(path, anchors).faults;
    faults.first().map_or_else(|| panic!("no fault after: {sql}"), |fault| fault.what.clone())
}

fn by_key() -> TrustAnchors {
    TrustAnchors { key: Some(key().public()), heads: vec![] }
}

#[test]
fn every_event_has_its_link() {
    let (_folder, path) = sample();
    let verified = verify(&path, &by_key());
    assert_eq!(verified.faults, []);
    assert_eq!((verified.passes, verified.detections, verified.unsealed), (41, 81, 0));
    // The first start: start, 2 + 1 + 1 steps, 2 alerts, an acknowledgement, a visit, a seal, the stop. The second: the step
    // that closed an open signal, the start, a step, an alert, a seal, the stop.
    assert_eq!(
        column(&path, "SELECT group_concat(kind, ' ') FROM (SELECT kind FROM link ORDER BY seq)").join(""),
        "start signal_step alert \
        signal_step alert signal_step acknowledgement visit_step signal_step seal stop signal_step start signal_step alert \
        seal stop"
    );
    assert_eq!(verified.signed, 6);
    assert_eq!(verified.links, 17);
}

#[test]
fn altered_rows_are_named() {
    let changes = [
        (
            "UPDATE signal_step SET text = 'nothing' WHERE id = 2",
            "the row of signal_step 2 was altered (link 4)",
        ),
        (
            "UPDATE signal SET rule_name = 'Day passage' WHERE seq = 2",
            "the row of signal_step 2 was altered (link 4)",
        ),
        ("UPDATE signal SET notified = 0 WHERE seq = 1", "the row of signal_step 1 was altered (link 2)"),
        (
            "UPDATE signal SET closed_by = 'restart' WHERE seq = 1",
            "the row of signal_step 4 was altered (link 9)",
        ),
        ("UPDATE alert SET payload = '{}' WHERE seq = 1", "the row of alert 1 was altered (link 3)"),
        ("UPDATE alert SET picture = x'00' WHERE seq = 3", "the picture of alert 3 was altered"),
        (
            "UPDATE alert SET picture = NULL WHERE seq = 3",
            "the picture of alert 3 is missing, and no receipt explains it",
        ),
        ("UPDATE acknowledgement SET by = 'desk 1'", "the row of acknowledgement 1 was altered (link 7)"),
        ("UPDATE visit SET began = began + 1", "the row of visit_step 1 was altered (link 8)"),
        ("UPDATE start SET config_hash = 'c1' WHERE id = 1", "the row of start 1 was altered (link 1)"),
        ("UPDATE start SET ended = ended + 1 WHERE id = 1", "the end of start 1 was altered (link 11)"),
        ("UPDATE camera SET name = 'other'", "the row of signal_step 1 was altered (link 2)"),
        ("UPDATE detection SET x = x + 1 WHERE id = 10 << 8", "passes 1 to 40 were altered (seal 1)"),
        ("UPDATE pass SET at = at - 1 WHERE id = 41", "passes 41 to 41 were altered (seal 2)"),
        ("UPDATE seal SET passes = 39 WHERE id = 1", "the row of seal 1 was altered (link 10)"),
    ];
    let (folder, path) = sample();
    for (change, named) in changes {
        let copy = folder.path().join("copy.sqlite");
        std::fs::copy(&path, &copy).unwrap();
        assert_eq!(found(&copy, change, &TrustAnchors::default()), named, "{change}");
    }
}

#[test]
fn missing_added_and_reordered_rows_are_named() {
    let changes = [
        (
            "DELETE FROM signal_step WHERE id = 3",
            "the row of signal_step 3 is missing, and no receipt explains it (link 6)",
        ),
        (
            "DELETE FROM alert WHERE seq = 2",
            "the row of alert 2 is missing, and no receipt explains it (link 5)",
        ),
        (
            "DELETE FROM detection WHERE id >> 8 = 12",
            "passes 1 to 40 held 40 passes and 80 detections, and now hold 40 and 78 (seal 1)",
        ),
        (
            "DELETE FROM pass WHERE id = 12",
            "passes 1 to 40 held 40 passes and 80 detections, and now hold 39 and 80 (seal 1)",
        ),
        (
            "INSERT INTO detection (id, class, confidence, x, y, width, height) VALUES ((3 << 8) + 9, 0, 500, 1, 2, 3, 4)",
            "passes 1 to 40 held 40 passes and 80 detections, and now hold 40 and 81 (seal 1)",
        ),
        (
            "INSERT INTO acknowledgement (signal, at, utc_offset, by, verdict, note) VALUES (2, 1, 8, 'x', 'false alarm', '')",
            "the row of acknowledgement 2 is not in the chain: another program wrote it",
        ),
        ("DELETE FROM link WHERE seq = 5", "links 5 are missing"),
        (
            "DELETE FROM link WHERE seq > 15",
            "the end of start 2 is not in the chain: another program wrote it",
        ),
        (
            "UPDATE link SET seq = 99 WHERE seq = 4; UPDATE link SET seq = 4 WHERE seq = 5; UPDATE link SET seq = 5 WHERE seq = 99",
            "link 4 (alert 2) does not follow from link 3: one of the two was altered, or their order",
        ),
        (
            "UPDATE alert SET seq = 99 WHERE seq = 1; UPDATE alert SET seq = 1 WHERE seq = 2; UPDATE alert SET seq = 2 WHERE seq = 99",
            "the row of alert 1 was altered (link 3)",
        ),
    ];
    let (folder, path) = sample();
    for (change, named) in changes {
        let copy = folder.path().join("copy.sqlite");
        std::fs::copy(&path, &copy).unwrap();
        assert_eq!(found(&copy, change, &TrustAnchors::default()), named, "{change}");
    }
}

/// Alters the text of a step, and replaces all links, as an attacker who knows the format would.
fn forge(path: &Path) {
    let changed = Connection::open(path).unwrap();
    changed.execute_batch("UPDATE signal_step SET text = 'nothing' WHERE id = 2").unwrap();
    let mut before = Digest::default();
    for seq in 1.. {
        let link = changed.query_row("SELECT kind, subject, digest FROM link WHERE seq = ?1", [seq], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Digest>(2)?))
        });
        let Ok((name, subject, digest)) = link else { break };
        let digest =
            event_kinds::named(&name).unwrap().digest(&changed, &name, subject).unwrap().unwrap_or(digest);
        before = link_hash(&before, seq, &name, subject, &digest);
        changed
            .execute("UPDATE link SET digest = ?2, hash = ?3 WHERE seq = ?1", params![seq, digest, before])
            .unwrap();
    }
}

#[test]
fn a_replaced_chain_is_found_by_signature_or_published_end() {
    let (_folder, path) = sample();
    let published = Reader::open(&path).unwrap().head().unwrap();
    forge(&path);
    assert_eq!(verify(&path, &TrustAnchors::default()).faults, [], "the file alone does not show it");
    let key = key().public();
    assert_eq!(verify(&path, &by_key()).faults[0].what, format!("link 12 is not signed by {key}"));
    let heads = TrustAnchors { key: None, heads: vec![published] };
    let fault = &verify(&path, &heads).faults[0];
    assert_eq!(fault.link, Some(17));
    assert!(fault.what.contains("differs from the one that was published"), "{}", fault.what);
    // To remove the signatures does not help.
    let changed = Connection::open(&path).unwrap();
    changed.execute_batch("UPDATE link SET signature = NULL").unwrap();
    assert_eq!(verify(&path, &by_key()).faults[0].what, format!("no link is signed by {key}"));
}

#[test]
fn a_cut_chain_is_found() {
    let (folder, path) = sample();
    let published = Reader::open(&path).unwrap().head().unwrap();
    let cut = "DELETE FROM link WHERE seq > 13; DELETE FROM signal_step WHERE id > 5; DELETE FROM alert WHERE seq = 3;
               DELETE FROM signal WHERE seq = 3; DELETE FROM seal WHERE id = 2; DELETE FROM pass WHERE id = 41;
               DELETE FROM detection WHERE id >> 8 = 41; UPDATE start SET ended = NULL WHERE id = 2;";
    let copy = folder.path().join("copy.sqlite");
    std::fs::copy(&path, &copy).unwrap();
    let named = "the chain ends at link 13, and link 17 was written: its end was cut off";
    assert_eq!(found(&copy, cut, &TrustAnchors::default()), named);
    // If SQLite's counter is set back too, only a published end shows it.
    let counter = "UPDATE sqlite_sequence SET seq = 13 WHERE name = 'link'";
    Connection::open(&copy).unwrap().execute_batch(counter).unwrap();
    assert_eq!(verify(&copy, &TrustAnchors::default()).faults, []);
    let heads = TrustAnchors { key: None, heads: vec![published] };
    let named = "the chain ends at link 13, and link 17 was published: its end was cut off";
    assert_eq!(verify(&copy, &heads).faults[0].what, named);
}

#[test]
fn rows_removed_with_a_receipt_are_no_fault() {
    let (_folder, path) = sample();
    let (writer, sender) = open(&path);
    drop((writer, sender));
    wait_for_lock(&path);
    let mut connection = Connection::open(&path).unwrap();
    let mut chain = Chain::resume(&connection, None).unwrap();
    let transaction = connection.transaction().unwrap();
    let receipts = [("pass", "1-40"), ("picture", "3"), ("acknowledgement", "1")];
    for (kind, ids) in receipts {
        transaction
            .execute(
                "INSERT INTO receipt (start, at, utc_offset, act, kind, ids, rows, why) VALUES (3, 1, 8, 'age', ?1, ?2, 1, 'old')",
                [kind, ids],
            )
            .unwrap();
    }
    transaction
        .execute_batch(
            "DELETE FROM pass WHERE id <= 40; DELETE FROM detection WHERE id < 41 << 8;
             UPDATE alert SET picture = NULL; DELETE FROM acknowledgement;",
        )
        .unwrap();
    let head = chain.extend(&transaction).unwrap();
    transaction.commit().unwrap();
    chain.committed(head);
    drop(connection);
    let verified = verify(&path, &TrustAnchors::default());
    assert_eq!(verified.faults, []);
    assert_eq!((verified.removed, verified.removed_seals, verified.passes), (1, 1, 1));
    // A forged receipt explains the missing row, and is itself found.
    let forged = "INSERT INTO receipt (start, at, utc_offset, act, kind, ids, rows, why) VALUES (3, 1, 8, 'age', 'alert', '1', 1, 'old');
                  DELETE FROM alert WHERE seq = 1";
    assert_eq!(
        found(&path, forged, &TrustAnchors::default()),
        "the row of receipt 4 is not in the chain: another program wrote it"
    );
}

fn wait_for_lock(path: &Path) {
    let lock = std::fs::File::open(path.with_extension("sqlite.lock")).unwrap();
    lock.lock().unwrap();
}

#[test]
fn pass_numbers_are_never_reused() {
    let (_folder, path) = sample();
    Connection::open(&path).unwrap().execute_batch("DELETE FROM pass; DELETE FROM detection").unwrap();
    let (writer, sender) = open(&path);
    sender.send(pass(90.0, vec![vessel_at(1.0, None)], vec![])).unwrap();
    writer.flush(SOON).unwrap();
    assert_eq!(column(&path, "SELECT id FROM pass"), ["42"]);
}

#[test]
fn intervals_are_sealed_after_ten_minutes_or_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    let (writer, sender) = open(&path);
    for minute in 0..25 {
        sender.send(pass(f64::from(minute) * 60.0, vec![vessel_at(1.0, None)], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    let seals = "SELECT start || ':' || first_pass || '-' || last_pass FROM seal ORDER BY id";
    assert_eq!(column(&path, seals), ["1:1-11", "1:12-22"]);
    drop((writer, sender));
    wait_for_lock(&path);
    let (_writer, _sender) = open(&path);
    assert_eq!(column(&path, seals), ["1:1-11", "1:12-22", "2:23-25"]);
    assert_eq!(verify(&path, &TrustAnchors::default()).faults, []);
}

#[test]
fn rejected_entries_leave_no_gap_and_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    let (writer, sender) = open(&path);
    sender
        .send(pass(1.0, vec![vessel_at(1.0, Some(7))], vec![track(7, TrackState::Confirmed, 1.0)]))
        .unwrap();
    sender.send(signal_step(99, Phase::Closed, 2.0)).unwrap();
    sender.send(notified_signal(1, 3.0)).unwrap();
    sender.send(notified_signal(1, 3.5)).unwrap();
    sender.send(pass(4.0, vec![vessel_at(2.0, Some(7))], vec![])).unwrap();
    writer.close(at(9.0).wall, SOON).unwrap();
    assert_eq!(column(&path, "SELECT id FROM pass"), ["1", "2"]);
    assert_eq!(
        column(&path, "SELECT kind FROM link ORDER BY seq"),
        ["start", "signal_step", "alert", "seal", "stop"]
    );
    assert_eq!(verify(&path, &TrustAnchors::default()).faults, []);
}

#[test]
fn a_secret_key_is_not_shown() {
    let (made, digits) = SigningKey::generate().unwrap();
    assert_eq!(format!("{made:?}"), "SigningKey(..)");
    assert_eq!(SigningKey::read(&digits).unwrap().public(), made.public());
    assert_eq!(made.public().to_string().parse::<PublicKey>().unwrap(), made.public());
    for bad in [
        "x",
        "12",
        &"07".repeat(32),
        &format!("secret-{}", "zz".repeat(32)),
        &format!("secret-{}", "é".repeat(32)),
    ] {
        let error = SigningKey::read(&bad.to_owned().into()).unwrap_err().to_string();
        assert!(error.contains("keygen") && (bad.len() < 3 || !error.contains(bad)), "{error}");
    }
    let error = digits.expose_secret().parse::<PublicKey>().unwrap_err();
    assert!(error.to_string().starts_with("this is the secret key"), "{error}");
}
