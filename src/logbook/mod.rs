//! The logbook: SQLite, one writer, the commit point. Nothing is told to anyone before it is on disk.
//!
//! # What is promised
//!
//! 1. An entry that was committed survives the end of the process, and of power when the disk honours a sync
//!    (WAL, `synchronous=FULL`). Not promised: entries that still waited, at most a quarter of a second of looks.
//! 2. A signal's step and its alert in the outbox are one transaction. There is no alert without its signal, and no
//!    signal that was to be told without its alert.
//! 3. Entries are committed in the order in which they were handed over.
//! 4. An entry is never given up because the disk is full or busy: the batch is tried again until it is in. Meanwhile
//!    the channel (1024 entries) fills, and then the watch waits; no event is dropped. An entry that *can* never be
//!    written (a closed signal that was never opened, say) is counted and logged as an error, and the others go on.
//! 5. Whoever is woken by [`Writer::outbox`] finds the alert committed.
//! 6. A file that is not ours, of a later schema, or damaged is refused by name and left as it was.
//! 7. Rows leave by age alone ([`crate::config::Retention`]); an alert that was not delivered and a visit that lasts
//!    never leave.
//!
//! 8. Whoever alters, removes, adds or reorders a row is found ([`chain`]).
//!
//! # Order of steps
//!
//! Open: take `<logbook>.lock`; look at the file read-only (application id, schema, and every page when the last start
//! was cut off); configure; migrate, a transaction a step; in one transaction close the signals and tracks that the
//! last start left open (`restart`, `cut`) and write the new start row. Visits stay open; the watch resumes them.
//! Commit: begin; every entry in a savepoint; links for the events among them; commit (the sync); count; wake the relay.
//! Close: commit what waits; mark the start as ended; fold the write-ahead log in.
//!
//! # Reading
//!
//! People read the views `v_starts`, `v_detections`, `v_tracks`, `v_signals`, `v_signal_steps`, `v_alerts`,
//! `v_acknowledgements`, `v_suppressed`, `v_visits`, `v_visit_steps`, `v_camera_state`, `v_blind_spells`, `v_clock`,
//! `v_receipts` and `v_chain` with plain `sqlite3`;
//! `migrations/` says what each column means. Times are UTC milliseconds; each event keeps the site's offset from UTC at that moment, so local columns are right on both nights of the year on which clocks change.

mod acknowledgements;
mod chain;
#[cfg(test)]
mod clock_promises;
mod clocks;
mod entry;
mod erase;
mod error;
mod open;
mod outbox;
#[cfg(test)]
mod promises;
mod ranges;
mod reader;
mod replayed;
mod retention;
mod signals;
mod stats;
mod store;
mod suppressed;
#[cfg(test)]
pub(crate) mod testing;
mod visits;
mod why;
mod writer;

pub use acknowledgements::{Acknowledgement, Answer};
pub use chain::{Evidence, Fault, Head, KeyError, PublicKey, SigningKey, Step, Verification};
pub use entry::{
    CameraChange, DeliveryNote, Entry, LookEntry, OutboxAlert, Outcome, SignalEntry, StartEntry,
};
pub use erase::{Erasure, Personal, erase};
pub use error::LogbookError;
pub use outbox::{Depth, Outbox, OutboxRow};
pub use reader::{Filter, Kind, News, Position, Reader, Table};
pub use replayed::{Replay, Sight};
pub use signals::{MAX_PAYLOAD_BYTES, MAX_PICTURE_BYTES};
pub use stats::WriterStats;
pub use why::{Account, CameraThen, Grounds, Question, Seen, Silence, Spoken, Stay, WatchThen};
pub use writer::{LogbookSender, Writer, WriterGone, WriterOptions};
