//! Any text as a manifest, and any outputs for the model heads.

#![no_main]

#[path = "../properties/bytes.rs"]
mod bytes;
#[path = "../properties/model_heads.rs"]
mod model_heads;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model_heads::check(data));
