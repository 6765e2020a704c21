//! Tests of the chain's promises: whatever a hand changes in the file is found, and what the watch does is no fault.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rusqlite::Connection;
use secrecy::ExposeSecret as _;

use super::*;
use crate::logbook::testing::*;
use crate::logbook::{Acknowledgement, Entry, Reader, StaffVerdict, Writer};
use crate::rules::{Phase, SignalId, VisitStep};
use crate::track::TrackState;

fn key() -> SigningKey {
    let secret = format!("secret-{}", "07".repeat(32));
    SigningKey::read(&secret.into()).unwrap()
}

/// A night's worth of everything that is an event, in two starts, the second still open; signed from the second on.
fn night(path: &Path) {
    let (writer, sender) = open(path);
    for second in 0..40 {
        let seen = vec![vessel_at(100.0 + second as f32, Some(7)), vessel_at(800.0, None)];
        sender
            .send(look(f64::from(second), seen, vec![track(7, TrackState::Confirmed, f64::from(second))]))
            .unwrap();
    }
    sender.send(told(1, 2.0)).unwrap();
    sender.send(told(2, 3.0)).unwrap();
    sender.send(step(1, Phase::Updated, 4.0)).unwrap();
    let signal = SignalId(uuid::Uuid::from_u128(1));
    let answered = Acknowledgement {
        signal,
        at: at(5.0).wall,
        by: "desk 2".into(),
        verdict: StaffVerdict::Acknowledged,
        note: String::new(),
    };
    sender.send(Entry::Acknowledged(answered)).unwrap();
    sender.send(Entry::Visit(visit(7, VisitStep::Began, 6.0))).unwrap();
    sender.send(step(1, Phase::Closed, 7.0)).unwrap();
    writer.close(at(50.0).wall, SOON).unwrap();

    let mut options = options();
    options.signing_key = Some(key());
    let (writer, sender) = Writer::open(path, &start(), options).unwrap();
    sender.send(look(60.0, vec![vessel_at(100.0, Some(8))], vec![])).unwrap();
    let mut with_picture = told(3, 61.0);
    if let Entry::Signal(entry) = &mut with_picture {
        entry.alert.as_mut().unwrap().picture = Some(vec![0xFF, 0xD8, 1, 2, 3]);
    }
    sender.send(with_picture).unwrap();
    writer.close(at(70.0).wall, SOON).unwrap();
}

fn kept() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    night(&path);
    (folder, path)
}

fn verify(path: &Path, evidence: &Evidence) -> Verification {
    Reader::open(path).unwrap().verify(evidence, |_| ()).unwrap()
}

/// What is found first after a hand has run `sql` on the file.
fn found(path: &Path, sql: &str, evidence: &Evidence) -> String {
    let hand = Connection::open(path).unwrap();
    hand.execute_batch(sql).unwrap();
    let faults = verify(path, evidence).faults;
    faults.first().map_or_else(|| panic!("nothing was found after: {sql}"), |fault| fault.what.clone())
}

fn by_key() -> Evidence {
    Evidence { key: Some(key().public()), heads: vec![] }
}

#[test]
fn what_the_watch_wrote_is_whole_and_every_event_has_its_link() {
    let (_folder, path) = kept();
    let verified = verify(&path, &by_key());
    assert_eq!(verified.faults, []);
    assert_eq!((verified.looks, verified.detections, verified.unsealed), (41, 81, 0));
    // Of the first start: start, 2 + 1 + 1 steps, 2 alerts, an answer, a visit, a seal, the stop. Of the second: the
    // step that closed what was open, the start, a step, an alert, a seal, the stop.
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
fn every_altered_row_is_named() {
    let changes = [
        (
            "UPDATE signal_step SET text = 'nothing' WHERE id = 2",
            "the row of signal_step 2 was altered (link 4)",
        ),
        (
            "UPDATE signal SET rule_name = 'Day passage' WHERE seq = 2",
            "the row of signal_step 2 was altered (link 4)",
        ),
        ("UPDATE signal SET told = 0 WHERE seq = 1", "the row of signal_step 1 was altered (link 2)"),
        (
            "UPDATE signal SET closed_by = 'restart' WHERE seq = 1",
            "the row of signal_step 4 was altered (link 9)",
        ),
        ("UPDATE alert SET payload = '{}' WHERE seq = 1", "the row of alert 1 was altered (link 3)"),
        ("UPDATE alert SET picture = x'00' WHERE seq = 3", "the picture of alert 3 was altered"),
        (
            "UPDATE alert SET picture = NULL WHERE seq = 3",
            "the picture of alert 3 is missing, and no receipt says why",
        ),
        ("UPDATE acknowledgement SET by = 'desk 1'", "the row of acknowledgement 1 was altered (link 7)"),
        ("UPDATE visit SET began = began + 1", "the row of visit_step 1 was altered (link 8)"),
        ("UPDATE start SET config_hash = 'c1' WHERE id = 1", "the row of start 1 was altered (link 1)"),
        ("UPDATE start SET ended = ended + 1 WHERE id = 1", "the end of start 1 was altered (link 11)"),
        ("UPDATE camera SET name = 'other'", "the row of signal_step 1 was altered (link 2)"),
        (
            "UPDATE detection SET x = x + 1 WHERE id = 10 << 8",
            "the stretch of looks 1 to 40 was altered (seal 1)",
        ),
        ("UPDATE look SET at = at - 1 WHERE id = 41", "the stretch of looks 41 to 41 was altered (seal 2)"),
        ("UPDATE seal SET looks = 39 WHERE id = 1", "the row of seal 1 was altered (link 10)"),
    ];
    let (folder, path) = kept();
    for (change, named) in changes {
        let copy = folder.path().join("copy.sqlite");
        std::fs::copy(&path, &copy).unwrap();
        assert_eq!(found(&copy, change, &Evidence::default()), named, "{change}");
    }
}

#[test]
fn every_missing_added_or_reordered_row_is_named() {
    let changes = [
        (
            "DELETE FROM signal_step WHERE id = 3",
            "the row of signal_step 3 is missing, and no receipt says why (link 6)",
        ),
        (
            "DELETE FROM alert WHERE seq = 2",
            "the row of alert 2 is missing, and no receipt says why (link 5)",
        ),
        (
            "DELETE FROM detection WHERE id >> 8 = 12",
            "the stretch of looks 1 to 40 held 40 looks and 80 detections, and now holds 40 and 78 (seal 1)",
        ),
        (
            "DELETE FROM look WHERE id = 12",
            "the stretch of looks 1 to 40 held 40 looks and 80 detections, and now holds 39 and 80 (seal 1)",
        ),
        (
            "INSERT INTO detection (id, class, confidence, x, y, width, height) VALUES ((3 << 8) + 9, 0, 500, 1, 2, 3, 4)",
            "the stretch of looks 1 to 40 held 40 looks and 80 detections, and now holds 40 and 81 (seal 1)",
        ),
        (
            "INSERT INTO acknowledgement (signal, at, utc_offset, by, answer, note) VALUES (2, 1, 8, 'x', 'false alarm', '')",
            "the row of acknowledgement 2 is not in the chain: somebody else wrote it",
        ),
        ("DELETE FROM link WHERE seq = 5", "links 5 are missing"),
        ("DELETE FROM link WHERE seq > 15", "the end of start 2 is not in the chain: somebody else wrote it"),
        (
            "UPDATE link SET seq = 99 WHERE seq = 4; UPDATE link SET seq = 4 WHERE seq = 5; UPDATE link SET seq = 5 WHERE seq = 99",
            "link 4 (alert 2) does not follow from link 3: it or the one before was altered, or their order",
        ),
        (
            "UPDATE alert SET seq = 99 WHERE seq = 1; UPDATE alert SET seq = 1 WHERE seq = 2; UPDATE alert SET seq = 2 WHERE seq = 99",
            "the row of alert 1 was altered (link 3)",
        ),
    ];
    let (folder, path) = kept();
    for (change, named) in changes {
        let copy = folder.path().join("copy.sqlite");
        std::fs::copy(&path, &copy).unwrap();
        assert_eq!(found(&copy, change, &Evidence::default()), named, "{change}");
    }
}

/// Alters a step's text and makes every link from there on anew, as somebody who knows how would.
fn forge(path: &Path) {
    let hand = Connection::open(path).unwrap();
    hand.execute_batch("UPDATE signal_step SET text = 'nothing' WHERE id = 2").unwrap();
    let mut before = Digest::default();
    for seq in 1.. {
        let link = hand.query_row("SELECT kind, subject, digest FROM link WHERE seq = ?1", [seq], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Digest>(2)?))
        });
        let Ok((name, subject, digest)) = link else { break };
        let digest = records::kind(&name).unwrap().digest(&hand, subject).unwrap().unwrap_or(digest);
        before = super::link(&before, seq, &name, subject, &digest);
        hand.execute("UPDATE link SET digest = ?2, hash = ?3 WHERE seq = ?1", params![seq, digest, before])
            .unwrap();
    }
}

#[test]
fn a_forged_chain_is_found_by_signature_and_by_a_head_published_before() {
    let (_folder, path) = kept();
    let published = Reader::open(&path).unwrap().head().unwrap();
    forge(&path);
    assert_eq!(verify(&path, &Evidence::default()).faults, [], "nothing in the file alone tells");
    let key = key().public();
    assert_eq!(verify(&path, &by_key()).faults[0].what, format!("link 12 is not signed by {key}"));
    let heads = Evidence { key: None, heads: vec![published] };
    let told = &verify(&path, &heads).faults[0];
    assert_eq!(told.link, Some(17));
    assert!(told.what.contains("is not the one that was published"), "{}", told.what);
    // Taking the signatures off does not help.
    let hand = Connection::open(&path).unwrap();
    hand.execute_batch("UPDATE link SET signature = NULL").unwrap();
    assert_eq!(verify(&path, &by_key()).faults[0].what, format!("no link is signed by {key}"));
}

#[test]
fn a_chain_cut_off_at_its_end_is_found() {
    let (folder, path) = kept();
    let published = Reader::open(&path).unwrap().head().unwrap();
    let cut = "DELETE FROM link WHERE seq > 13; DELETE FROM signal_step WHERE id > 5; DELETE FROM alert WHERE seq = 3;
               DELETE FROM signal WHERE seq = 3; DELETE FROM seal WHERE id = 2; DELETE FROM look WHERE id = 41;
               DELETE FROM detection WHERE id >> 8 = 41; UPDATE start SET ended = NULL WHERE id = 2;";
    let copy = folder.path().join("copy.sqlite");
    std::fs::copy(&path, &copy).unwrap();
    let named = "the chain ends at link 13, and link 17 was written: its end was cut off";
    assert_eq!(found(&copy, cut, &Evidence::default()), named);
    // A cleverer hand sets SQLite's own counter back; a published head still tells.
    let cleverer = "UPDATE sqlite_sequence SET seq = 13 WHERE name = 'link'";
    Connection::open(&copy).unwrap().execute_batch(cleverer).unwrap();
    assert_eq!(verify(&copy, &Evidence::default()).faults, []);
    let heads = Evidence { key: None, heads: vec![published] };
    let named = "the chain ends at link 13, and link 17 was published: its end was cut off";
    assert_eq!(verify(&copy, &heads).faults[0].what, named);
}

#[test]
fn what_was_taken_out_with_a_receipt_is_no_fault() {
    let (_folder, path) = kept();
    let (writer, sender) = open(&path);
    drop((writer, sender));
    wait_for_lock(&path);
    let mut connection = Connection::open(&path).unwrap();
    let mut chain = Chain::resume(&connection, None).unwrap();
    let transaction = connection.transaction().unwrap();
    let receipts = [("look", "1-40"), ("picture", "3"), ("acknowledgement", "1")];
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
            "DELETE FROM look WHERE id <= 40; DELETE FROM detection WHERE id < 41 << 8;
             UPDATE alert SET picture = NULL; DELETE FROM acknowledgement;",
        )
        .unwrap();
    let head = chain.extend(&transaction).unwrap();
    transaction.commit().unwrap();
    chain.committed(head);
    drop(connection);
    let verified = verify(&path, &Evidence::default());
    assert_eq!(verified.faults, []);
    assert_eq!((verified.gone, verified.seals_gone, verified.looks), (1, 1, 1));
    // A receipt that a hand wrote excuses what is missing, and is itself found.
    let forged = "INSERT INTO receipt (start, at, utc_offset, act, kind, ids, rows, why) VALUES (3, 1, 8, 'age', 'alert', '1', 1, 'old');
                  DELETE FROM alert WHERE seq = 1";
    assert_eq!(
        found(&path, forged, &Evidence::default()),
        "the row of receipt 4 is not in the chain: somebody else wrote it"
    );
}

fn wait_for_lock(path: &Path) {
    let lock = std::fs::File::open(path.with_extension("sqlite.lock")).unwrap();
    lock.lock().unwrap();
}

#[test]
fn look_numbers_are_never_given_twice_also_when_all_looks_have_gone() {
    let (_folder, path) = kept();
    Connection::open(&path).unwrap().execute_batch("DELETE FROM look; DELETE FROM detection").unwrap();
    let (writer, sender) = open(&path);
    sender.send(look(90.0, vec![vessel_at(1.0, None)], vec![])).unwrap();
    writer.flush(SOON).unwrap();
    assert_eq!(column(&path, "SELECT id FROM look"), ["42"]);
}

#[test]
fn a_stretch_is_sealed_after_ten_minutes_and_what_a_cut_left_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    let (writer, sender) = open(&path);
    for minute in 0..25 {
        sender.send(look(f64::from(minute) * 60.0, vec![vessel_at(1.0, None)], vec![])).unwrap();
    }
    writer.flush(SOON).unwrap();
    let seals = "SELECT start || ':' || first_look || '-' || last_look FROM seal ORDER BY id";
    assert_eq!(column(&path, seals), ["1:1-11", "1:12-22"]);
    drop((writer, sender));
    wait_for_lock(&path);
    let (_writer, _sender) = open(&path);
    assert_eq!(column(&path, seals), ["1:1-11", "1:12-22", "2:23-25"]);
    assert_eq!(verify(&path, &Evidence::default()).faults, []);
}

#[test]
fn what_was_refused_leaves_no_gap_and_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logbook.sqlite");
    let (writer, sender) = open(&path);
    sender
        .send(look(1.0, vec![vessel_at(1.0, Some(7))], vec![track(7, TrackState::Confirmed, 1.0)]))
        .unwrap();
    sender.send(step(99, Phase::Closed, 2.0)).unwrap();
    sender.send(told(1, 3.0)).unwrap();
    sender.send(told(1, 3.5)).unwrap();
    sender.send(look(4.0, vec![vessel_at(2.0, Some(7))], vec![])).unwrap();
    writer.close(at(9.0).wall, SOON).unwrap();
    assert_eq!(column(&path, "SELECT id FROM look"), ["1", "2"]);
    assert_eq!(
        column(&path, "SELECT kind FROM link ORDER BY seq"),
        ["start", "signal_step", "alert", "seal", "stop"]
    );
    assert_eq!(verify(&path, &Evidence::default()).faults, []);
}

#[test]
fn a_secret_key_shows_nothing_of_itself_and_reads_what_it_wrote() {
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
        let refused = SigningKey::read(&bad.to_owned().into()).unwrap_err().to_string();
        assert!(refused.contains("keygen") && (bad.len() < 3 || !refused.contains(bad)), "{refused}");
    }
    let refused = digits.expose_secret().parse::<PublicKey>().unwrap_err();
    assert!(refused.to_string().starts_with("this is the secret key"), "{refused}");
}

/// Every text and number of every event table that the chain covers, for a hand to change one of.
fn places(connection: &Connection) -> Vec<(String, String, i64)> {
    let mut places = Vec::new();
    for (table, skipped) in [
        ("signal_step", vec!["id"]),
        ("alert", vec!["seq", "attempts", "delivered", "delivered_offset", "expired", "picture"]),
        ("acknowledgement", vec!["id"]),
        ("start", vec!["id", "ended"]),
        ("seal", vec!["id"]),
        ("look", vec!["id"]),
        ("detection", vec!["id", "look"]),
        ("link", vec!["signature"]),
    ] {
        let columns: Vec<String> = connection
            .prepare("SELECT name FROM pragma_table_info(?1)")
            .unwrap()
            .query_map([table], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let rows: Vec<i64> = connection
            .prepare(&format!("SELECT rowid FROM {table}"))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for column in columns.iter().filter(|column| !skipped.contains(&column.as_str())) {
            places.extend(rows.iter().map(|&row| (table.to_owned(), column.clone(), row)));
        }
    }
    places
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_hand_changes_is_found(chosen in any::<prop::sample::Index>(), by in 1i64..1000) {
        let (_folder, path) = kept();
        let hand = Connection::open(&path).unwrap();
        hand.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
        let places = places(&hand);
        let (table, column, row) = &places[chosen.index(places.len())];
        let query = format!(
            "UPDATE OR IGNORE {table} SET {column} = CASE typeof({column})
               WHEN 'integer' THEN {column} + {by} WHEN 'real' THEN {column} + {by} WHEN 'blob' THEN zeroblob(length({column}))
               WHEN 'null' THEN {by} ELSE {column} || '.' END WHERE rowid = {row}"
        );
        // A few changes SQLite itself refuses (a column of another type); those are no changes.
        if hand.execute(&query, []).is_ok_and(|rows| rows == 1) {
            drop(hand);
            let faults = verify(&path, &Evidence::default()).faults;
            prop_assert!(!faults.is_empty(), "{query}");
        }
    }
}
