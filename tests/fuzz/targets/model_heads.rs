//! A manifest of any text, and heads that are told anything.

#![no_main]

#[path = "../promises/bytes.rs"]
mod bytes;
#[path = "../promises/model_heads.rs"]
mod model_heads;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model_heads::holds(data));
