//! Messages on their way: which packet id is whose, and when is an alert confirmed?
//!
//! The window counts from the oldest unconfirmed message, not from the number of unconfirmed ones. A broker that
//! confirms out of order can therefore never make the client use a packet id that is still open.

use std::collections::{HashMap, VecDeque};

use tokio::time::Instant;

/// What a flight carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cargo {
    /// The alert with this number, and its picture.
    Alert(i64),
    /// A retained state.
    Presence,
}

/// One thing to be confirmed; an alert with its picture is one thing in two messages.
#[derive(Debug)]
struct Flight {
    number: u64,
    cargo: Cargo,
    unconfirmed: u8,
    since: Instant,
}

/// All that is on its way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Window {
    flights: VecDeque<Flight>,
    /// Messages handed over that have no packet id yet, in order.
    unnamed: VecDeque<u64>,
    named: HashMap<u16, u64>,
    next: u64,
}

impl Window {
    pub(super) fn len(&self) -> usize {
        self.flights.len()
    }

    /// `messages` messages with this cargo were handed to the transport.
    pub(super) fn launch(&mut self, cargo: Cargo, messages: u8, since: Instant) {
        let number = self.next;
        self.next += 1;
        self.flights.push_back(Flight { number, cargo, unconfirmed: messages, since });
        self.unnamed.extend(std::iter::repeat_n(number, usize::from(messages)));
    }

    /// The next message in order of handing over has this packet id.
    pub(super) fn name(&mut self, packet: u16) {
        if let Some(number) = self.unnamed.pop_front() {
            self.named.insert(packet, number);
        }
    }

    /// The broker has confirmed this packet. Gives the cargo when that was its last message.
    pub(super) fn confirm(&mut self, packet: u16) -> Option<Cargo> {
        let number = self.named.remove(&packet)?;
        let flight = self.flights.iter_mut().find(|flight| flight.number == number)?;
        flight.unconfirmed = flight.unconfirmed.saturating_sub(1);
        let landed = (flight.unconfirmed == 0).then_some(flight.cargo);
        while self.flights.front().is_some_and(|flight| flight.unconfirmed == 0) {
            self.flights.pop_front();
        }
        landed
    }

    /// Since when the oldest waits.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.flights.front().map(|flight| flight.since)
    }

    /// Forgets everything; gives the alerts that were not confirmed.
    pub(super) fn forget(&mut self) -> Vec<i64> {
        let flights = std::mem::take(self).flights;
        flights
            .into_iter()
            .filter(|flight| flight.unconfirmed > 0)
            .filter_map(|flight| match flight.cargo {
                Cargo::Alert(seq) => Some(seq),
                Cargo::Presence => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alert_has_landed_when_its_picture_has_too() {
        let mut window = Window::default();
        window.launch(Cargo::Presence, 1, Instant::now());
        window.launch(Cargo::Alert(7), 2, Instant::now());
        (1..=3).for_each(|packet| window.name(packet));
        assert_eq!(window.confirm(3), None, "the picture is still open");
        assert_eq!(window.confirm(9), None, "nobody's packet");
        assert_eq!(window.confirm(2), Some(Cargo::Alert(7)));
        assert_eq!(window.len(), 2, "the oldest holds the window");
        assert_eq!(window.confirm(1), Some(Cargo::Presence));
        assert_eq!(window.len(), 0);
    }

    #[tokio::test]
    async fn what_is_forgotten_is_what_was_not_confirmed() {
        let mut window = Window::default();
        for seq in 1..=3 {
            window.launch(Cargo::Alert(seq), 1, Instant::now());
            window.name(seq as u16);
        }
        window.confirm(2);
        assert_eq!(window.forget(), [1, 3]);
        assert_eq!(window.confirm(1), None, "a packet id of the last session means nothing now");
    }
}
