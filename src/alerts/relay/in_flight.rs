//! Messages in flight: which packet id belongs to what, and how did the broker answer?

use std::collections::{HashMap, VecDeque};

use tokio::time::Instant;

use crate::alerts::refusal::Refusal;

/// What an entry in flight is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InFlight {
    /// The alert with this number, and its picture.
    Alert(i64),
    /// A retained message.
    Presence,
}

/// One message of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The alert or the retained message itself.
    Message,
    /// The picture of an alert.
    Picture,
}

/// One thing that the broker must answer; an alert with its picture is one entry of two messages.
#[derive(Clone, Debug)]
pub(super) struct InFlightEntry {
    pub(super) payload: InFlight,
    /// Of the message, not of the picture.
    pub(super) topic: String,
    /// Nothing else is in flight with it.
    pub(super) alone: bool,
    pub(super) since: Instant,
}

/// The broker's answer to a complete entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) payload: InFlight,
    pub(super) topic: String,
    /// Whether the broker accepted the message.
    pub(super) outcome: Result<(), Refusal>,
    /// Why it refused the picture, if it did.
    pub(super) picture_refused: Option<Refusal>,
}

#[derive(Debug)]
struct Open {
    number: u64,
    entry: InFlightEntry,
    with_picture: bool,
    unanswered: u8,
    outcome: Result<(), Refusal>,
    picture_refused: Option<Refusal>,
}

/// What a broken session left without an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unanswered {
    /// Numbers, and whether the alert was sent with its picture.
    pub(super) alerts: Vec<(i64, bool)>,
    pub(super) others: usize,
}

/// Everything in flight, oldest first.
#[derive(Debug, Default)]
pub(super) struct InFlightWindow {
    open: VecDeque<Open>,
    /// The entry of each queued message that has no packet id yet, in order.
    without_packet_id: VecDeque<(u64, Part)>,
    by_packet_id: HashMap<u16, (u64, Part)>,
    next_number: u64,
}

impl InFlightWindow {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether another entry may be sent, given that at most `most` are in flight.
    pub(super) fn has_room(&self, most: usize, alone: bool) -> bool {
        if alone {
            self.is_empty()
        } else {
            self.open.len() < most && !self.open.iter().any(|o| o.entry.alone)
        }
    }

    pub(super) fn holds_alerts(&self) -> bool {
        self.open.iter().any(|open| matches!(open.entry.payload, InFlight::Alert(_)))
    }

    /// The messages of this entry were queued, in the order of `parts`.
    pub(super) fn sent(&mut self, entry: InFlightEntry, parts: &[Part]) {
        let number = self.next_number;
        self.next_number += 1;
        self.open.push_back(Open {
            number,
            entry,
            with_picture: parts.contains(&Part::Picture),
            unanswered: u8::try_from(parts.len()).unwrap_or(u8::MAX),
            outcome: Ok(()),
            picture_refused: None,
        });
        self.without_packet_id.extend(parts.iter().map(|&part| (number, part)));
    }

    /// The next queued message got this packet id.
    pub(super) fn packet_id(&mut self, packet_id: u16) {
        if let Some(message) = self.without_packet_id.pop_front() {
            self.by_packet_id.insert(packet_id, message);
        }
    }

    /// The broker answered this packet. Returns the whole answer when that was the last message of its entry.
    pub(super) fn answered(&mut self, packet_id: u16, outcome: Result<(), Refusal>) -> Option<Answer> {
        let (number, part) = self.by_packet_id.remove(&packet_id)?;
        let at = self.open.iter().position(|open| open.number == number)?;
        let open = self.open.get_mut(at)?;
        open.unanswered = open.unanswered.saturating_sub(1);
        match part {
            Part::Message => open.outcome = outcome,
            Part::Picture => open.picture_refused = outcome.err(),
        }
        if open.unanswered > 0 {
            return None;
        }
        let Open { entry, outcome, picture_refused, .. } = self.open.remove(at)?;
        Some(Answer { payload: entry.payload, topic: entry.topic, outcome, picture_refused })
    }

    /// When the oldest entry was sent.
    pub(super) fn oldest_since(&self) -> Option<Instant> {
        self.open.front().map(|open| open.entry.since)
    }

    /// Empties the window; returns what was not answered.
    pub(super) fn clear(&mut self) -> Unanswered {
        let mut unanswered = Unanswered::default();
        for open in std::mem::take(self).open {
            match open.entry.payload {
                InFlight::Alert(seq) => unanswered.alerts.push((seq, open.with_picture)),
                InFlight::Presence => unanswered.others += 1,
            }
        }
        unanswered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(payload: InFlight, alone: bool) -> InFlightEntry {
        InFlightEntry { payload, topic: "a/b".into(), alone, since: Instant::now() }
    }

    fn answer(payload: InFlight, outcome: Result<(), Refusal>, picture_refused: Option<Refusal>) -> Answer {
        Answer { payload, topic: "a/b".into(), outcome, picture_refused }
    }

    #[tokio::test]
    async fn an_alert_is_answered_with_its_picture() {
        let mut window = InFlightWindow::default();
        window.sent(entry(InFlight::Presence, false), &[Part::Message]);
        window.sent(entry(InFlight::Alert(7), false), &[Part::Picture, Part::Message]);
        (1..=3).for_each(|packet_id| window.packet_id(packet_id));
        assert_eq!(window.answered(3, Ok(())), None, "the picture is still open");
        assert_eq!(window.answered(9, Ok(())), None, "an unknown packet id");
        assert_eq!(window.answered(2, Ok(())), Some(answer(InFlight::Alert(7), Ok(()), None)));
        assert!(!window.holds_alerts() && !window.is_empty());
        assert_eq!(window.answered(1, Ok(())), Some(answer(InFlight::Presence, Ok(()), None)));
        assert!(window.is_empty());
    }

    #[tokio::test]
    async fn a_refused_picture_is_no_refused_alert() {
        let no = Refusal::NotAuthorised;
        for (picture, message) in [(Err(no), Ok(())), (Ok(()), Err(no))] {
            let mut window = InFlightWindow::default();
            window.sent(entry(InFlight::Alert(7), false), &[Part::Picture, Part::Message]);
            (1..=2).for_each(|packet_id| window.packet_id(packet_id));
            assert_eq!(window.answered(1, picture), None);
            assert_eq!(window.answered(2, message), Some(answer(InFlight::Alert(7), message, picture.err())));
        }
    }

    #[tokio::test]
    async fn an_entry_that_is_alone_shares_the_window_with_no_other() {
        let mut window = InFlightWindow::default();
        assert!(window.has_room(8, true));
        window.sent(entry(InFlight::Alert(1), true), &[Part::Message]);
        assert!(!window.has_room(8, false) && !window.has_room(8, true));
        window.packet_id(1);
        window.answered(1, Ok(()));
        window.sent(entry(InFlight::Alert(2), false), &[Part::Message]);
        assert!(window.has_room(8, false) && !window.has_room(1, false) && !window.has_room(8, true));
    }

    #[tokio::test]
    async fn clearing_returns_what_was_not_answered() {
        let mut window = InFlightWindow::default();
        for seq in 1..=3 {
            window.sent(entry(InFlight::Alert(seq), false), &[Part::Message]);
            window.packet_id(seq as u16);
        }
        window.sent(entry(InFlight::Presence, false), &[Part::Message]);
        window.answered(2, Ok(()));
        assert_eq!(window.clear(), Unanswered { alerts: vec![(1, false), (3, false)], others: 1 });
        assert_eq!(window.answered(1, Ok(())), None, "a packet id of the last session");
    }
}
