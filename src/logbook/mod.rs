//! The logbook: SQLite, one writer, the commit point. Nothing is told to anyone before it is on disk.
//!
//! # What is promised
//!
//! Each is followed by the tests that hold it.
//!
//! 1. An entry that was committed survives the end of the process, and of power when the disk honours a sync
//!    (WAL, `synchronous=FULL`). Not promised: entries that still waited, at most a quarter of a second of looks.
//!    (`what_was_flushed_is_there_after_a_stop_without_farewell`, `the_file_is_set_up_as_promised`)
//! 2. A signal's step and its alert in the outbox are one transaction. There is no alert without its signal, and no
//!    signal that was to be told without its alert.
//!    (`an_alert_is_in_the_outbox_if_and_only_if_its_signal_is_written`)
//! 3. Entries are committed in the order in which they were handed over. (`entries_keep_their_order_over_many_commits`)
//! 4. An entry is never given up because the disk is full or busy: the batch is tried again until it is in. Meanwhile
//!    the channel (1024 entries) fills, and then the watch waits; no event is dropped. It is written again within five
//!    seconds after there is room. An entry that *can* never be written (a closed signal that was never opened, say) is
//!    counted and logged as an error, and the others go on.
//!    (`a_full_disk_costs_nothing_once_there_is_room`,
//!    `a_really_full_disk_costs_no_event_and_the_logbook_is_written_again_soon_after_there_is_room`)
//! 5. Whoever is woken by [`Writer::outbox`] finds the alert committed. (`whoever_is_woken_by_the_outbox_finds_the_alert`)
//! 6. A file that is not ours or of a later schema is refused by name and left as it was.
//!    (`a_newer_logbook_is_refused_and_left_as_it_was`, `a_file_that_is_not_a_logbook_is_refused_and_left_as_it_was`,
//!    `a_newer_logbook_is_not_taken_for_a_damaged_one`)
//! 7. A damaged file is kept as it was. A replay refuses it; the watch moves it aside, says so for the whole run and in
//!    `v_receipts`, and goes on with a new logbook into which undelivered alerts, their signals and visits that last were
//!    carried as far as they can be read. Damage that is met while running ends the writer and with it the process; the next
//!    start moves the file aside without finding the damage anew. Damage in a file that was closed in order is found when it
//!    is met, or by [`check`].
//!    (`a_damaged_logbook_is_refused_after_a_crash_and_left_as_it_was`,
//!    `a_damaged_logbook_is_moved_aside_whole_and_the_watch_goes_on_with_what_must_not_wait`,
//!    `a_write_ahead_log_is_moved_aside_with_its_logbook_and_its_rows_are_carried_over`,
//!    `damage_that_is_met_while_running_ends_the_writer_and_the_next_start_moves_it_aside`,
//!    `whatever_happened_to_the_file_the_watch_starts_and_a_salvage_makes_a_sound_logbook`)
//! 8. Rows leave by age, by size ([`crate::config::Retention`]) or for a full disk alone, and never without a receipt that
//!    was committed before the first of them went; a removal that was cut off is carried on.
//!    (`a_removal_is_written_down_before_the_first_row_goes_and_carried_on_after_a_crash`,
//!    `every_kind_goes_with_its_age_and_leaves_a_receipt_and_what_lasts_stays`,
//!    `a_logbook_that_is_too_large_gives_up_detections_then_pictures_then_events_of_more_than_30_days`)
//! 9. What lasts never leaves: an alert that was not delivered, an open signal, visit, track or blind spell, a camera's
//!    present state. Nor do the newest look and track, so that no number is given twice. Detections that are sealed leave by
//!    whole seals. (`old_rows_go_and_an_undelivered_alert_stays`, `an_ended_visit_goes_with_age_and_one_that_lasts_never`,
//!    `detections_that_are_sealed_go_by_whole_seals_and_the_seal_stays`)
//! 10. Removal keeps commits waiting for 50 ms at a stretch, and then leaves them a second. A step that is under way is
//!     finished; steps are kept to 16 ms by what the last ones took. Not counted: the sync of a disk that stalls.
//!     (`a_stretch_of_removal_ends_before_another_step_would_make_commits_wait_longer_than_stated`,
//!     `commits_wait_for_removal_no_longer_than_stated`)
//! 11. On a full disk the oldest rows that may go make room: a reserve beside the logbook (8 MiB, an eighth of a smaller
//!     disk) is given up for it and built again before anything else is written. Not promised where there is no reserve
//!     (the disk was full before the first start) or a reader holds the write-ahead log: then somebody must free space.
//!     (`a_full_disk_with_detections_to_drop_recovers_without_anybody_freeing_space`,
//!     `a_really_full_disk_with_detections_recovers_by_itself_and_keeps_its_reserve`)
//! 12. The write-ahead log stays below 16 MB as long as readers let go. Ours do: a statement at a time, an export by pages of
//!     1000 rows; a backup and a check hold on while they run. A log that a foreign reader holds cannot be folded in by
//!     anybody, and no row is refused for it: above 64 MiB it is told as a problem, and removal rests until it is folded in.
//!     (`a_reader_that_does_not_let_go_is_told_and_nothing_is_removed_until_it_does`,
//!     `readers_of_ours_let_go_between_rows`)
//! 13. A logbook of an earlier version becomes what a new one is, with every row.
//!     (`each_earlier_version_becomes_what_a_fresh_logbook_is_and_keeps_every_row`,
//!     `a_logbook_of_version_1_keeps_every_row_and_goes_on`)
//! 14. A backup is the logbook of one moment, checked. A salvage brings every row but those that stood on damaged pages,
//!     and says which it did not. (`a_backup_is_one_moment_of_a_logbook_that_is_being_written`,
//!     `a_salvage_brings_everything_but_what_stood_on_the_damaged_page`,
//!     `a_salvage_of_a_whole_logbook_is_the_whole_logbook`, `a_check_names_what_is_wrong`)
//! 15. Whoever alters, removes, adds or reorders a row is found ([`chain`], and its tests).
//! 16. What the clocks said stands in the logbook for each start and step. Rows keep the order in which they were written, whatever
//!     the wall clock did; nothing leaves for its age, and no alert is called too old, on the word of a clock that is not set or
//!     was put forward by more than a day within the last week (`clock_promises`).
//!
//! # Order of steps
//!
//! Open: take `<logbook>.lock`; look at the file read-only (application id, schema, the note of damage that was met, and
//! every page when the last start was cut off); configure; migrate, a transaction a step; in one transaction close the signals,
//! tracks and blind spells that the last start left open (`restart`, `cut`) and write the new start row. Visits stay open; the watch resumes them.
//! Commit: begin; every entry in a savepoint; links for the events among them; commit (the sync); count; wake the relay.
//! Damaged: note it in `<logbook>.damaged`; give the files second names (`<logbook>.damaged-<UTC>`); make `<logbook>.new`
//! and carry over; rename it into the place; take the note back; open.
//! Removal: plan; receipt; rows; done.
//! Close: commit what waits; mark the start as ended; fold the write-ahead log in.
//!
//! # Reading
//!
//! People read the views `v_starts`, `v_detections`, `v_tracks`, `v_signals`, `v_signal_steps`, `v_alerts`,
//! `v_acknowledgements`, `v_suppressed`, `v_visits`, `v_visit_steps`, `v_camera_state`, `v_blind_spells`, `v_clock`,
//! `v_receipts` and `v_chain` with plain `sqlite3`;
//! `migrations/` says what each column means. Times are UTC milliseconds; each event keeps the site's offset from UTC at that moment, so local columns are right on both nights of the year on which clocks change.

mod acknowledgements;
mod aside;
mod backup;
mod chain;
mod checkup;
mod chores;
#[cfg(test)]
mod clock_promises;
mod clocks;
mod copying;
#[cfg(test)]
mod damage_promises;
#[cfg(test)]
mod disk_promises;
mod entry;
mod erase;
mod error;
mod holdings;
mod open;
mod outage;
mod outbox;
mod plan;
#[cfg(test)]
mod promises;
mod ranges;
mod reader;
mod receipts;
mod replayed;
mod reserve;
mod retention;
#[cfg(test)]
mod retention_promises;
mod salvage;
mod signals;
mod stats;
mod store;
mod suppressed;
#[cfg(test)]
pub(crate) mod testing;
mod visits;
mod why;
mod writer;

use std::path::{Path, PathBuf};

pub use acknowledgements::{Acknowledgement, StaffVerdict};
pub use backup::backup;
pub use chain::{Evidence, Fault, Head, KeyError, PublicKey, SigningKey, Step, Verification};
pub use checkup::{Checkup, check};
pub use entry::{DeliveryNote, Entry, LookEntry, OutageStep, OutboxAlert, Outcome, SignalEntry, StartEntry};
pub use erase::{Erasure, Personal, erase};
pub use error::LogbookError;
pub use outbox::{Depth, Outbox, OutboxRow};
pub use reader::{Filter, Kind, News, Position, Reader, Table};
pub use replayed::{Replay, Sight};
pub use salvage::{Salvaged, SalvagedKind, salvage};
pub use signals::{MAX_PAYLOAD_BYTES, MAX_PICTURE_BYTES};
pub use stats::WriterStats;
pub use why::{Account, CameraThen, Grounds, OutageThen, Question, Seen, Silence, Spoken, Stay, WatchThen};
pub use writer::{LogbookSender, Writer, WriterGone, WriterOptions};

/// The file beside a logbook whose name ends so.
fn beside(logbook: &Path, end: &str) -> PathBuf {
    let mut name = logbook.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
