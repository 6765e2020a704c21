//! Maintenance: retention, room on a full disk, damaged files, backups, erasure of personal data.

pub(super) mod backup;
pub(super) mod erase;
pub(super) mod maintenance;
pub(super) mod quarantine;
pub(super) mod recover;
pub(super) mod reserve;
pub(super) mod retention;
mod retention_plan;
pub(super) mod row_kinds;
mod table_recovery;
