//! Integration tests: the rooms together, on real parts. One binary, so that it links once.

mod detect;
mod ingest;
mod support;
