//! The logbook: SQLite, one writer, the commit point. Nothing is told to anyone before it is on disk.

mod entry;

pub use entry::{CameraChange, Entry, LookEntry, OutboxAlert, SignalEntry, StartEntry};
