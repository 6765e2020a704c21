//! The logbook: SQLite, one writer, the commit point. Nothing is published before it is on disk.
//!
//! # Guarantees
//!
//! Tests in brackets hold them.
//!
//! 1. A committed entry survives the end of the process, and a power cut if the disk honours a sync (WAL,
//!    `synchronous=FULL`). Not guaranteed: entries that still wait, at most a quarter of a second of passes.
//!    (`flushed_entries_survive_a_cut_off`, `the_file_has_its_settings`)
//! 2. A step of a signal and its alert are one transaction: no alert without its signal, and no notified signal without its
//!    alert. (`alert_and_signal_are_written_together`)
//! 3. Entries are committed in the order in which they are handed over. (`entries_keep_their_order`)
//! 4. No event is dropped because the disk is full or busy: the batch is tried again until it is written. Meanwhile the
//!    channel (1024 entries) fills, and then the sender waits. The logbook is written again within five seconds after there
//!    is room. An entry that can never be written (for example, the close of an unknown signal) is counted and logged as an
//!    error, and the others are written. (`entries_wait_for_room_on_a_full_disk`, `a_full_file_system_loses_no_event`)
//! 5. A task that [`Writer::outbox`] wakes finds the alert committed. (`a_wake_up_finds_the_alert_committed`)
//! 6. A file that is not a logbook, or of a later schema, is rejected with a clear error and not changed.
//!    (`a_newer_logbook_is_rejected_unchanged`, `a_foreign_file_is_rejected_unchanged`, `a_newer_logbook_is_not_quarantined`)
//! 7. A damaged file is kept unchanged. A replay rejects it. The daemon puts it in quarantine, reports the problem until its
//!    next start and in `v_receipts`, and continues with a new logbook, which gets the undelivered alerts with their signals
//!    and the open visits, as far as they can be read. Damage that is found while running ends the writer and the process;
//!    the next start puts the file in quarantine. Damage in a file that was closed in order is found when its page is read,
//!    or by [`check_integrity`]. (`a_damaged_logbook_is_rejected_unchanged`, `a_damaged_logbook_is_quarantined_and_replaced`,
//!    `the_write_ahead_log_is_quarantined_with_its_logbook`, `damage_found_while_running_ends_the_writer`,
//!    `any_damage_permits_a_start_and_a_sound_recovery`)
//! 8. Rows are removed only for age, size ([`crate::config::Retention`]) or a full disk, and never before a receipt is
//!    committed. A removal that was cut off is continued. (`a_receipt_precedes_the_deletion_and_survives_a_crash`,
//!    `old_rows_are_removed_with_receipts`, `a_large_logbook_loses_detections_pictures_old_events`)
//! 9. Never removed: an undelivered alert; an open signal, visit, track or camera outage; a camera's present state; the newest
//!    pass and track, so that no number is used twice. Sealed passes are removed by whole seals.
//!    (`old_rows_are_removed_but_undelivered_alerts_stay`, `only_ended_visits_are_removed_for_age`,
//!    `passes_are_removed_by_whole_seals`)
//! 10. Removal delays commits by at most 50 ms, and then pauses for a second. A step that has begun is finished; steps are kept
//!     to 16 ms by the time that the last ones took. Not counted: the sync of a slow disk.
//!     (`removal_stops_before_it_delays_commits_too_long`, `commits_are_delayed_no_longer_than_stated`)
//! 11. On a full disk the oldest rows that may be removed make room: a reserve file (8 MiB, or an eighth of a smaller disk) is
//!     removed first and created again before anything else is written. Not guaranteed without a reserve (the disk was full
//!     before the first start), or while a reader holds the write-ahead log: then somebody must free space.
//!     (`a_full_disk_recovers_by_removing_detections`, `a_full_file_system_recovers_and_keeps_its_reserve`)
//! 12. The write-ahead log stays below 16 MB as long as no reader holds it. Our readers do not: each statement, and each 1000
//!     rows of an export, is a transaction of its own; only a backup and a check hold it while they run. When another
//!     program holds it, no row is rejected; above 64 MiB the problem is reported, and no rows are removed.
//!     (`a_reader_that_holds_the_log_stops_removal`, `exports_do_not_hold_the_log`)
//! 13. A logbook of an earlier version becomes one of this version, with every row.
//!     (`migration_keeps_every_row_and_gives_the_new_schema`, `a_logbook_of_version_1_continues`)
//! 14. A backup is the logbook at one moment, and is checked. A recovery copies every row that is not on a damaged page, and
//!     names the others. (`a_backup_is_consistent_while_the_logbook_is_written`, `recovery_loses_only_rows_on_damaged_pages`,
//!     `recovery_of_a_sound_logbook_copies_every_row`, `a_check_names_faults`)
//! 15. Every altered, removed, added or reordered row is found (`integrity/chain.rs`).
//! 16. The readings of the machine's clocks are recorded at each start and at each step of the wall clock. Rows are numbered in
//!     the order of writing, whatever the wall clock does. No row is removed for its age, and no alert is called too old, by
//!     a clock that is not set, or that was put forward by more than a day within the last week (`tests/clocks.rs`).
//!
//! # Order of steps
//!
//! - Open: lock `<logbook>.lock`; read the file without changing it (application id, schema, damage note, and all pages if the
//!   last start was cut off); configure; migrate and update the views, in one transaction; in one more, close the signals,
//!   tracks and camera outages that the last start left open (`restart`, `cut`), and write the new start. Visits stay open.
//! - Commit: begin; each entry in a savepoint; links for its events; commit (the sync); count; wake the relay.
//! - Damage: write the note `<logbook>.damaged`; give the files second names (`<logbook>.damaged-<UTC>`); make
//!   `<logbook>.new` and copy what must not wait; rename it; remove the note; open.
//! - Removal: plan; receipt; rows; done.
//! - Close: commit what waits; mark the start as ended; checkpoint.
//!
//! # Reading
//!
//! People read the views with plain `sqlite3`; `schema/views.sql` describes them, `schema/migrations/` the tables. Times are
//! UTC milliseconds, each with the site's offset from UTC at that time, so that local times are right on both nights of the
//! year on which clocks change.

mod context;
mod entry;
mod error;
mod files;
mod integrity;
mod maintain;
mod open;
mod ranges;
mod read;
mod schema;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod values;
mod write;

pub use entry::{
    Acknowledgement, DeliveryNote, DeliveryOutcome, Entry, OutageStep, OutboxAlert, PassEntry, SignalEntry,
    StaffVerdict, StartEntry,
};
pub use error::LogbookError;
pub use integrity::chain::ChainHead;
pub use integrity::integrity_check::{IntegrityReport, check_integrity};
pub use integrity::key::{PublicKey, SigningKey, SigningKeyError};
pub use integrity::verification::{ChainFault, TrustAnchors, Verification, VerifyProgress};
pub use maintain::backup::backup;
pub use maintain::erase::{Erasure, PersonalData, erase};
pub use maintain::recover::{RecoveredTable, Recovery, recover};
pub use read::explanation::{
    CameraStateChange, DecisionFacts, ExplainedSignal, ExplainedSuppression, Explanation, ExplanationQuery,
    OutageSpan, StartSpan, TrackSpan, VisitSpan,
};
pub use read::listing::Listing;
pub use read::news::{NewsItem, NewsPosition};
pub use read::outbox::{Outbox, OutboxDepth, OutboxRow};
pub use read::reader::{Filter, Reader, SignalRecord, TextTable, VesselRecord};
pub use read::replay_reader::{ReplayFrame, ReplayRun};
pub use write::options::WriterOptions;
pub use write::signals::{MAX_PAYLOAD_BYTES, MAX_PICTURE_BYTES};
pub use write::stats::WriterStats;
pub use write::writer::{LogbookSender, Writer, WriterGone};
