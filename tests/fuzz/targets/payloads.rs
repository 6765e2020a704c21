//! Any message on `ack`, and an alert about anything.

#![no_main]

use std::sync::Mutex;

use tempfile::TempDir;

#[path = "../promises/bytes.rs"]
mod bytes;
#[path = "../promises/folder.rs"]
mod folder;
#[path = "../promises/night.rs"]
mod night;
#[path = "../promises/payloads.rs"]
mod payloads;

/// Signals in a logbook, before another is begun.
const MOST_SIGNALS: usize = 2000;

static DESK: Mutex<Option<(payloads::Desk, TempDir)>> = Mutex::new(None);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut desk = DESK.lock().expect("a desk");
    desk.take_if(|(desk, _)| desk.opened.len() >= MOST_SIGNALS);
    let (desk, _) = desk.get_or_insert_with(|| {
        let temporary = tempfile::tempdir().expect("a folder");
        folder::furnish(temporary.path());
        (payloads::Desk::new(temporary.path()), temporary)
    });
    desk.holds(data);
});
