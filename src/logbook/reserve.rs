//! A piece of disk kept back: a full disk cannot even delete, because a removal is written down first, too.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;

use super::beside;

/// Bytes kept back, twice as many as the write-ahead log holds before it is folded in; an eighth of the disk where that is
/// less.
const MOST: u64 = 8 << 20;

/// The reserve file beside a logbook.
pub(super) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// The reserve of this logbook, there or not.
    pub(super) fn of(logbook: &Path) -> Self {
        Self { path: beside(logbook, ".reserve") }
    }

    pub(super) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// How large it is where it stands.
    pub(super) fn bytes(&self) -> u64 {
        let total = self.disk().map_or(u64::MAX, |[total, _]| total);
        (total / 8).min(MOST) / 4096 * 4096
    }

    /// Bytes that are free on its disk.
    pub(super) fn free(&self) -> Option<u64> {
        self.disk().map(|[_, free]| free)
    }

    /// Gives the disk its space back.
    pub(super) fn give_up(&self) {
        if let Err(cause) = std::fs::remove_file(&self.path)
            && cause.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %cause, "the reserve cannot be given up");
        }
    }

    /// Builds it, as large as it should be or as half of what is free.
    pub(super) fn build(&self) {
        let is = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        let may_be = (self.free().unwrap_or(0) + is) / 2;
        let bytes = self.bytes().min(may_be / 4096 * 4096);
        if bytes <= is {
            return;
        }
        let built =
            OpenOptions::new().write(true).create(true).truncate(false).open(&self.path).and_then(|file| {
                posix_fallocate(&file, 0, i64::try_from(bytes).unwrap_or(0)).map_err(std::io::Error::from)
            });
        if let Err(cause) = built {
            tracing::warn!(path = %self.path.display(), %cause, "no reserve can be kept for a full disk");
            self.give_up();
        }
    }

    /// Size of the disk and what is free on it.
    fn disk(&self) -> Option<[u64; 2]> {
        let found = statvfs(self.path.parent().filter(|folder| !folder.as_os_str().is_empty())?).ok()?;
        let block = found.fragment_size();
        Some([found.blocks() * block, found.blocks_available() * block])
    }
}
