//! What the fuzz targets hold (`tests/fuzz`), on inputs that are made here, of the kinds that come near being right.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

#[path = "../fuzz/promises/bytes.rs"]
mod bytes;
#[path = "../fuzz/promises/cli_filters.rs"]
mod cli_filters;
#[path = "../fuzz/promises/folder.rs"]
mod folder;
#[path = "../fuzz/promises/model_heads.rs"]
mod model_heads;
#[path = "../fuzz/promises/night.rs"]
mod night;
#[path = "../fuzz/promises/payloads.rs"]
mod payloads;
#[path = "../fuzz/promises/site_file.rs"]
mod site_file;

/// Site files, right and wrong.
const SITES: [&str; 4] = [
    include_str!("../../config/example.toml"),
    include_str!("../../config/demo.toml"),
    include_str!("../../config/scheveningen.toml"),
    include_str!("../data/broken.toml"),
];

fn furnished() -> tempfile::TempDir {
    let temporary = tempfile::tempdir().unwrap();
    folder::furnish(temporary.path());
    temporary
}

fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { cases: count, failure_persistence: None, ..ProptestConfig::default() }
}

/// A word of a command line about the logbook.
fn word() -> impl Strategy<Value = String> {
    const WORDS: [&str; 25] = [
        "detections",
        "tracks",
        "signals",
        "alerts",
        "camera-states",
        "cameras",
        "suppressed",
        "visits",
        "clock",
        "blind",
        "--since",
        "--camera",
        "--rule",
        "--limit",
        "--vessel",
        "--at",
        "--config",
        "--logbook",
        "--",
        "-h",
        "quay-east",
        "night-passage",
        "1",
        "vessel:7",
        "019e84d1-9379-7e0c-8c55-1d5ab9b9b8f1",
    ];
    prop_oneof![
        8 => select(&WORDS[..]).prop_map(str::to_owned),
        2 => moment(),
        1 => "(--since=|--at=|--limit=|vessel:)".prop_flat_map(|option| moment().prop_map(move |at| option.clone() + &at)),
        1 => "[^\n]{0,12}",
    ]
}

/// A time, near it, or a number.
fn moment() -> impl Strategy<Value = String> {
    prop_oneof![
        "2026-06-01[T ]2[0-9]:1[0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?(Z|[+-]0[0-2]:?00)?(\\[Europe/Amsterdam\\])?",
        "-?[0-9]{1,6}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-6][0-9])?Z?",
        "-?[0-9]{1,20}(ns|ms|s|m|h|d|w|y|)",
        any::<i64>().prop_map(|n| format!("{n}d")),
        any::<u64>().prop_map(|n| n.to_string()),
    ]
}

/// An answer on `ack`, or near it.
fn message() -> impl Strategy<Value = String> {
    let id =
        prop_oneof![any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string()), "[0-9a-fA-F{}:n-]{0,40}"];
    let answer = prop_oneof![
        4 => select(&["acknowledged", "false alarm"][..]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let by = prop_oneof![4 => "[^\\p{Cc}]{1,70}", 1 => any::<String>()];
    (id, by, answer, proptest::option::of(any::<String>())).prop_map(|(id, by, answer, note)| {
        let mut message = serde_json::json!({ "signal_id": id, "by": by, "answer": answer });
        if let Some(note) = note {
            message["note"] = note.into();
        }
        message.to_string()
    })
}

#[test]
fn whatever_is_asked_of_a_logbook_is_refused_in_words_or_answered_with_rows_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = cli_filters::Shelf::new(folder.path());
    let line = (select(&["list", "show", "export", "why"][..]), vec(word(), 0..7));
    proptest!(cases(1000), |((first, rest) in line)| {
        shelf.holds(&[&[first.to_owned()], rest.as_slice()].concat().join("\n"));
    });
}

#[test]
fn whatever_staff_answer_is_refused_or_stands_in_the_logbook() {
    let folder = furnished();
    let desk = RefCell::new(payloads::Desk::new(folder.path()));
    proptest!(cases(300), |(message in message())| desk.borrow_mut().holds(message.as_bytes()));
    let opened = desk.borrow().opened.len();
    assert!(opened > 100, "{opened} answers were good");
}

#[test]
fn whatever_happened_its_alert_fits_the_schema_and_waits_in_the_outbox_as_composed() {
    let folder = furnished();
    let desk = RefCell::new(payloads::Desk::new(folder.path()));
    proptest!(cases(300), |(happened in vec(any::<u8>(), 0..400))| desk.borrow_mut().holds(&happened));
    let opened = desk.borrow().opened.len();
    assert!(opened > 100, "{opened} alerts were written");
}

#[test]
fn whatever_a_model_puts_out_comes_to_boxes_in_the_picture_or_is_refused() {
    proptest!(cases(1500), |(input in vec(any::<u8>(), 20..400))| model_heads::holds(&input));
}

#[test]
fn whatever_stands_in_a_site_file_each_finding_points_at_a_line_and_a_key_that_exist() {
    let folder = furnished();
    let cut = (any::<prop::sample::Index>(), 0..30_usize, any::<prop::sample::Index>(), 0..30_usize);
    proptest!(cases(300), |(site in select(&SITES[..]), cuts in vec(cut, 1..5))| {
        let mut text = site.as_bytes().to_vec();
        for (at, length, from, more) in cuts {
            let (at, from) = (at.index(text.len()), from.index(site.len()));
            let end = (at + length).min(text.len());
            text.splice(at..end, site.bytes().skip(from).take(more));
        }
        site_file::holds(folder.path(), &text);
    });
}
