//! Promises that hold across rooms and processes. One binary, so that it links once.

mod ingest;
mod support;
