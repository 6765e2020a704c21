//! Integrity: the hash chain over events, seals over detections, receipts of deletions, and their checks.

pub(super) mod chain;
#[cfg(test)]
mod chain_property_tests;
#[cfg(test)]
mod chain_tests;
pub(super) mod deletion_receipts;
mod event_kinds;
pub(super) mod integrity_check;
pub(super) mod key;
pub(super) mod seals;
pub(super) mod verification;
mod verify;
