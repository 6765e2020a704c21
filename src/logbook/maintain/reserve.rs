//! The reserve: disk space for a full disk, because to delete rows one must first write a receipt.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;

use crate::logbook::files::beside;

/// The size of the reserve: twice the longest write-ahead log before a checkpoint; less on a small disk, an eighth of it.
const LARGEST: u64 = 8 << 20;

/// The reserve file beside a logbook.
pub(in crate::logbook) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// The reserve of this logbook, whether the file exists or not.
    pub(in crate::logbook) fn of(logbook: &Path) -> Self {
        Self { path: beside(logbook, ".reserve") }
    }

    pub(in crate::logbook) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// The size that it should have on its disk.
    pub(in crate::logbook) fn bytes(&self) -> u64 {
        let total = self.disk().map_or(u64::MAX, |[total, _]| total);
        (total / 8).min(LARGEST) / 4096 * 4096
    }

    /// Free bytes on its disk.
    pub(in crate::logbook) fn free(&self) -> Option<u64> {
        self.disk().map(|[_, free]| free)
    }

    /// Removes the file, to free its space.
    pub(in crate::logbook) fn give_up(&self) {
        if let Err(cause) = std::fs::remove_file(&self.path)
            && cause.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %cause, "cannot remove the reserve file");
        }
    }

    /// Creates the file or makes it larger: to its full size, or half of the free space.
    pub(in crate::logbook) fn build(&self) {
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
            tracing::warn!(path = %self.path.display(), %cause, "cannot create the reserve file for a full disk");
            self.give_up();
        }
    }

    /// Size of the disk, and the free space on it.
    fn disk(&self) -> Option<[u64; 2]> {
        let found = statvfs(self.path.parent().filter(|folder| !folder.as_os_str().is_empty())?).ok()?;
        let block = found.fragment_size();
        Some([found.blocks() * block, found.blocks_available() * block])
    }
}
