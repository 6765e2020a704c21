//! Messages in flight: which packet id belongs to what, and when is an alert acknowledged?
//!
//! The window is counted from the oldest unacknowledged message, not by the number of unacknowledged ones. A broker that
//! acknowledges out of order can therefore never make the client reuse a packet id that is still open.

use std::collections::{HashMap, VecDeque};

use tokio::time::Instant;

/// What an entry in flight is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InFlight {
    /// The alert with this number, and its picture.
    Alert(i64),
    /// A retained message.
    Retained,
}

/// One thing to be acknowledged; an alert with its picture is one entry of two messages.
#[derive(Debug)]
struct InFlightEntry {
    number: u64,
    payload: InFlight,
    unacknowledged: u8,
    since: Instant,
}

/// Everything in flight, oldest first.
#[derive(Debug, Default)]
pub(super) struct InFlightWindow {
    entries: VecDeque<InFlightEntry>,
    /// The entry of each queued message that has no packet id yet, in order.
    without_packet_id: VecDeque<u64>,
    by_packet_id: HashMap<u16, u64>,
    next_number: u64,
}

impl InFlightWindow {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// `messages` messages of this payload were queued.
    pub(super) fn sent(&mut self, payload: InFlight, messages: u8, since: Instant) {
        let number = self.next_number;
        self.next_number += 1;
        self.entries.push_back(InFlightEntry { number, payload, unacknowledged: messages, since });
        self.without_packet_id.extend(std::iter::repeat_n(number, usize::from(messages)));
    }

    /// The next queued message got this packet id.
    pub(super) fn packet_id(&mut self, packet_id: u16) {
        if let Some(number) = self.without_packet_id.pop_front() {
            self.by_packet_id.insert(packet_id, number);
        }
    }

    /// The broker acknowledged this packet. Returns the payload when that was its last message.
    pub(super) fn acknowledged(&mut self, packet_id: u16) -> Option<InFlight> {
        let number = self.by_packet_id.remove(&packet_id)?;
        let entry = self.entries.iter_mut().find(|entry| entry.number == number)?;
        entry.unacknowledged = entry.unacknowledged.saturating_sub(1);
        let complete = (entry.unacknowledged == 0).then_some(entry.payload);
        while self.entries.front().is_some_and(|entry| entry.unacknowledged == 0) {
            self.entries.pop_front();
        }
        complete
    }

    /// When the oldest entry was sent.
    pub(super) fn oldest_since(&self) -> Option<Instant> {
        self.entries.front().map(|entry| entry.since)
    }

    /// Empties the window; returns the alerts that were not acknowledged.
    pub(super) fn clear(&mut self) -> Vec<i64> {
        std::mem::take(self)
            .entries
            .into_iter()
            .filter(|entry| entry.unacknowledged > 0)
            .filter_map(|entry| match entry.payload {
                InFlight::Alert(seq) => Some(seq),
                InFlight::Retained => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alert_is_acknowledged_with_its_picture() {
        let mut window = InFlightWindow::default();
        window.sent(InFlight::Retained, 1, Instant::now());
        window.sent(InFlight::Alert(7), 2, Instant::now());
        (1..=3).for_each(|packet_id| window.packet_id(packet_id));
        assert_eq!(window.acknowledged(3), None, "the picture is still open");
        assert_eq!(window.acknowledged(9), None, "an unknown packet id");
        assert_eq!(window.acknowledged(2), Some(InFlight::Alert(7)));
        assert_eq!(window.len(), 2, "the oldest entry keeps the window");
        assert_eq!(window.acknowledged(1), Some(InFlight::Retained));
        assert_eq!(window.len(), 0);
    }

    #[tokio::test]
    async fn clearing_returns_the_unacknowledged_alerts() {
        let mut window = InFlightWindow::default();
        for seq in 1..=3 {
            window.sent(InFlight::Alert(seq), 1, Instant::now());
            window.packet_id(seq as u16);
        }
        window.acknowledged(2);
        assert_eq!(window.clear(), [1, 3]);
        assert_eq!(window.acknowledged(1), None, "a packet id of the last session");
    }
}
