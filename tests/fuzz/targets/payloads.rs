//! Any message on `acknowledge`, and an alert about any signal.

#![no_main]

use std::sync::Mutex;

use tempfile::TempDir;

#[path = "../properties/bytes.rs"]
mod bytes;
#[path = "../properties/site_folder.rs"]
mod site_folder;
#[path = "../properties/sample_logbook.rs"]
mod sample_logbook;
#[path = "../properties/payloads.rs"]
mod payloads;

/// Signals in a logbook before a new one is started.
const MOST_SIGNALS: usize = 2000;

static PAYLOADS: Mutex<Option<(payloads::Payloads, TempDir)>> = Mutex::new(None);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut payloads = PAYLOADS.lock().expect("no panic before");
    payloads.take_if(|(payloads, _)| payloads.opened.len() >= MOST_SIGNALS);
    let (payloads, _) = payloads.get_or_insert_with(|| {
        let temporary = tempfile::tempdir().expect("a folder");
        site_folder::prepare(temporary.path());
        (payloads::Payloads::new(temporary.path()), temporary)
    });
    payloads.check(data);
});
