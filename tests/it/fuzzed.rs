//! The properties of the fuzz targets (`tests/fuzz`) on generated inputs that are almost valid.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

#[path = "../fuzz/properties/bytes.rs"]
mod bytes;
#[path = "../fuzz/properties/cli_filters.rs"]
mod cli_filters;
#[path = "../fuzz/properties/model_heads.rs"]
mod model_heads;
#[path = "../fuzz/properties/payloads.rs"]
mod payloads;
#[path = "../fuzz/properties/sample_logbook.rs"]
mod sample_logbook;
#[path = "../fuzz/properties/site_file.rs"]
mod site_file;
#[path = "../fuzz/properties/site_folder.rs"]
mod site_folder;

/// Valid and invalid site files.
const SITES: [&str; 4] = [
    include_str!("../../config/example.toml"),
    include_str!("../../config/demo.toml"),
    include_str!("../../config/scheveningen.toml"),
    include_str!("../data/broken.toml"),
];

fn site_folder() -> tempfile::TempDir {
    let temporary = tempfile::tempdir().unwrap();
    site_folder::prepare(temporary.path());
    temporary
}

fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { cases: count, failure_persistence: None, ..ProptestConfig::default() }
}

/// A word of a `havenwacht logbook` command.
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
        "outages",
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

/// A time, something similar to a time, or a number.
fn moment() -> impl Strategy<Value = String> {
    prop_oneof![
        "2026-06-01[T ]2[0-9]:1[0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?(Z|[+-]0[0-2]:?00)?(\\[Europe/Amsterdam\\])?",
        "-?[0-9]{1,6}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-6][0-9])?Z?",
        "-?[0-9]{1,20}(ns|ms|s|m|h|d|w|y|)",
        any::<i64>().prop_map(|n| format!("{n}d")),
        any::<u64>().prop_map(|n| n.to_string()),
    ]
}

/// A message on the topic `acknowledge`, or something similar.
fn message() -> impl Strategy<Value = String> {
    let id =
        prop_oneof![any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string()), "[0-9a-fA-F{}:n-]{0,40}"];
    let verdict = prop_oneof![
        4 => select(&["acknowledged", "false alarm"][..]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let by = prop_oneof![4 => "[^\\p{Cc}]{1,70}", 1 => any::<String>()];
    (id, by, verdict, proptest::option::of(any::<String>())).prop_map(|(id, by, verdict, note)| {
        let mut message = serde_json::json!({ "signal_id": id, "by": by, "verdict": verdict });
        if let Some(note) = note {
            message["note"] = note.into();
        }
        message.to_string()
    })
}

#[test]
fn logbook_commands_answer_with_matching_rows_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let logbooks = cli_filters::Logbooks::new(folder.path());
    let line = (select(&["list", "show", "export", "why"][..]), vec(word(), 0..7));
    proptest!(cases(1000), |((first, rest) in line)| {
        logbooks.check(&[&[first.to_owned()], rest.as_slice()].concat().join("\n"));
    });
}

#[test]
fn acknowledgements_are_rejected_or_written_to_the_logbook() {
    let folder = site_folder();
    let payloads = RefCell::new(payloads::Payloads::new(folder.path()));
    proptest!(cases(300), |(message in message())| payloads.borrow_mut().check(message.as_bytes()));
    let opened = payloads.borrow().opened.len();
    assert!(opened > 100, "only {opened} acknowledgements were valid");
}

#[test]
fn every_alert_fits_the_schema_and_enters_the_outbox_unchanged() {
    let folder = site_folder();
    let payloads = RefCell::new(payloads::Payloads::new(folder.path()));
    proptest!(cases(300), |(bytes in vec(any::<u8>(), 0..400))| payloads.borrow_mut().check(&bytes));
    let opened = payloads.borrow().opened.len();
    assert!(opened > 100, "only {opened} alerts were written");
}

#[test]
fn model_outputs_give_valid_boxes_or_an_error() {
    proptest!(cases(1500), |(input in vec(any::<u8>(), 20..400))| model_heads::check(&input));
}

#[test]
fn findings_in_a_site_file_point_at_existing_lines_and_keys() {
    let folder = site_folder();
    let cut = (any::<prop::sample::Index>(), 0..30_usize, any::<prop::sample::Index>(), 0..30_usize);
    proptest!(cases(300), |(site in select(&SITES[..]), cuts in vec(cut, 1..5))| {
        let mut text = site.as_bytes().to_vec();
        for (at, length, from, more) in cuts {
            let (at, from) = (at.index(text.len()), from.index(site.len()));
            let end = (at + length).min(text.len());
            text.splice(at..end, site.bytes().skip(from).take(more));
        }
        site_file::check_site(folder.path(), &text);
    });
}
