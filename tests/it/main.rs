//! Integration tests: the rooms together, on real parts. One binary, so that it links once.

#[path = "../harbour.rs"]
mod harbour;
mod support;

mod architecture;
mod detect;
mod ingest;
mod scenes;
