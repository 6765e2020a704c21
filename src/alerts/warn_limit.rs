//! At most one warning of a kind a minute: whoever causes them cannot fill the journal.

use std::time::Duration;

use crate::clock::MonoTime;

const WARN_EVERY: Duration = Duration::from_secs(60);

/// When a warning of one kind was last logged, and how many were left out since.
#[derive(Clone, Debug, Default)]
pub(super) struct WarnLimit {
    last: Option<MonoTime>,
    unlogged: u64,
}

impl WarnLimit {
    /// Logs `text` as a warning if one is due.
    pub(super) fn warn(&mut self, now: MonoTime, text: &str) {
        if !self.is_due(now) {
            return;
        }
        match std::mem::take(&mut self.unlogged) {
            0 => tracing::warn!("{text}"),
            earlier => tracing::warn!("{text}; {earlier} more since the last such line"),
        }
    }

    fn is_due(&mut self, now: MonoTime) -> bool {
        let due = self.last.is_none_or(|last| now.since(last) >= WARN_EVERY);
        if due {
            self.last = Some(now);
        } else {
            self.unlogged += 1;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_logged_once_a_minute() {
        let mut limit = WarnLimit::default();
        let second = |n| MonoTime::from_boot(Duration::from_secs(n));
        let lines = (0..600).filter(|&n| limit.is_due(second(n))).count();
        assert_eq!(lines, 10);
        assert_eq!(limit.unlogged, 590);
    }
}
