//! The files beside a logbook, and the note that damage was found.

use std::fs::File;
use std::path::{Path, PathBuf};

/// SQLite's own files beside a logbook.
pub(super) const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// The file beside a logbook whose name has this suffix.
pub(super) fn beside(logbook: &Path, suffix: &str) -> PathBuf {
    let mut name = logbook.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Bytes in the write-ahead log.
pub(super) fn wal_bytes(logbook: &Path) -> u64 {
    std::fs::metadata(beside(logbook, "-wal")).map_or(0, |file| file.len())
}

/// Puts changed names in the folder of `file` on disk.
pub(super) fn sync_folder(file: &Path) -> std::io::Result<()> {
    match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// Notes that damage was found, so that the next start knows it without a search.
pub(super) fn write_damage_note(logbook: &Path, report: &str) {
    let path = damage_note(logbook);
    if let Err(cause) = std::fs::write(&path, report) {
        tracing::error!(path = %path.display(), %cause, "cannot note the damage");
    }
}

/// What [`write_damage_note`] noted.
pub(super) fn read_damage_note(logbook: &Path) -> Option<String> {
    std::fs::read_to_string(damage_note(logbook)).ok()
}

/// Removes the note: the damaged file is in quarantine.
pub(super) fn remove_damage_note(logbook: &Path) {
    let _absent = std::fs::remove_file(damage_note(logbook));
}

fn damage_note(logbook: &Path) -> PathBuf {
    beside(logbook, ".damaged")
}
