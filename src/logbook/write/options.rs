//! What the writer needs beside the file.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Retention;
use crate::logbook::integrity::key::SigningKey;

/// How a logbook is written.
pub struct WriterOptions {
    /// For commit times, and for the age of rows.
    pub clock: Arc<dyn Clock>,
    /// How long rows are kept. `None` keeps all rows, even on a full disk, and no disk reserve (replay).
    pub retention: Option<Retention>,
    /// Whether a damaged logbook is put in quarantine and a new one begun; otherwise it is refused (replay).
    pub replace_damaged: bool,
    /// Signs the links of the chain.
    pub signing_key: Option<SigningKey>,
    /// Called at every turn of the thread.
    pub heartbeat: Box<dyn Fn() + Send>,
    /// The maximum number of pages: a full disk for tests. 0: no maximum.
    #[cfg(test)]
    pub(in crate::logbook) page_limit: Arc<std::sync::atomic::AtomicU32>,
}

impl WriterOptions {
    /// Keeps all rows; no heartbeat.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            retention: None,
            replace_damaged: false,
            signing_key: None,
            heartbeat: Box::new(|| ()),
            #[cfg(test)]
            page_limit: Arc::default(),
        }
    }
}
