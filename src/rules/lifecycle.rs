//! The life of a signal: a condition must hold for a while before it opens and be gone for a while before it closes.

use std::time::Duration;

use super::conditions::Held;
use super::signal::SignalId;
use crate::clock::{MonoTime, Stamp};
use crate::config::Rule;

/// An open signal is updated this often, so that a reader of the logbook sees it live.
const UPDATE_EVERY: Duration = Duration::from_secs(60);

/// A subject's signal under one rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    state: State,
    last_alert: Option<MonoTime>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Idle,
    /// The condition holds, for less than the confirm time so far.
    Pending { from: MonoTime },
    /// The signal is open.
    Open { open: Open, last_held: MonoTime, last_told: MonoTime },
}

/// What an open signal keeps from its opening.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) signal: SignalId,
    pub(super) since: Stamp,
    pub(super) opened: MonoTime,
    pub(super) entered: bool,
    /// Whether its opening was told to staff.
    pub(super) alert: bool,
    /// Staff answered, or were told again: it is not escalated any more.
    settled: bool,
}

/// What a look did to the signal.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Opened(Open),
    Updated(Open),
    Escalated(Open),
    Closed(Open),
    /// The condition went before it was confirmed.
    NotConfirmed,
}

impl Life {
    /// Takes in whether the condition holds. `name` makes the identity of a signal that opens now.
    pub(super) fn step(
        &mut self,
        rule: &Rule,
        held: Held,
        at: Stamp,
        name: impl Fn() -> SignalId,
    ) -> Option<Change> {
        let (since, entered, at_once) = match held {
            Held::No => return self.not_held(rule, at),
            Held::Since { since, entered } => (since, entered, false),
            Held::Now => (at, false, true),
        };
        if let State::Open { open, last_held, last_told } = &mut self.state {
            *last_held = at.mono;
            if rule.escalate_after.is_some_and(|after| at.mono.since(open.opened) >= after)
                && open.alert
                && !std::mem::replace(&mut open.settled, true)
            {
                *last_told = at.mono;
                return Some(Change::Escalated(*open));
            }
            if at.mono.since(*last_told) < UPDATE_EVERY {
                return None;
            }
            *last_told = at.mono;
            return Some(Change::Updated(*open));
        }
        let from = if let State::Pending { from } = self.state { from } else { at.mono };
        if !at_once && at.mono.since(from) < rule.confirm {
            self.state = State::Pending { from };
            return None;
        }
        let alert = rule.raises && self.last_alert.is_none_or(|last| at.mono.since(last) >= rule.cooldown);
        if alert {
            self.last_alert = Some(at.mono);
        }
        let open = Open { signal: name(), since, opened: at.mono, entered, alert, settled: false };
        self.state = State::Open { open, last_held: at.mono, last_told: at.mono };
        Some(Change::Opened(open))
    }

    fn not_held(&mut self, rule: &Rule, at: Stamp) -> Option<Change> {
        match self.state {
            State::Open { open, last_held, .. } if at.mono.since(last_held) >= rule.clear => {
                self.state = State::Idle;
                Some(Change::Closed(open))
            }
            State::Open { .. } | State::Idle => None,
            State::Pending { .. } => {
                self.state = State::Idle;
                Some(Change::NotConfirmed)
            }
        }
    }

    /// The signal, while it is open.
    pub(super) fn open(&self) -> Option<&Open> {
        if let State::Open { open, .. } = &self.state { Some(open) } else { None }
    }

    /// Staff have answered: nobody need be told more urgently.
    pub(super) fn acknowledge(&mut self, signal: SignalId) {
        if let State::Open { open, .. } = &mut self.state
            && open.signal == signal
        {
            open.settled = true;
        }
    }

    /// The subject is gone: an open signal closes now.
    pub(super) fn end(&mut self) -> Option<Change> {
        match std::mem::take(&mut self.state) {
            State::Open { open, .. } => Some(Change::Closed(open)),
            State::Idle | State::Pending { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{at, presence_rule};

    /// Steps a presence rule (confirm 1 s, clear 2 s, cooldown 10 s) and notes what happened at which second.
    fn story(held: impl Fn(f64) -> bool, seconds: u32) -> Vec<(f64, &'static str, bool)> {
        let rule = presence_rule();
        let mut life = Life::default();
        let mut told = Vec::new();
        for tick in 0..seconds * 4 {
            let now = f64::from(tick) / 4.0;
            let held = if held(now) { Held::Since { since: at(now), entered: true } } else { Held::No };
            match life.step(&rule, held, at(now), || SignalId(uuid::Uuid::nil())) {
                Some(Change::Opened(open)) => told.push((now, "opened", open.alert)),
                Some(Change::Updated(open)) => told.push((now, "updated", open.alert)),
                Some(Change::Closed(open)) => told.push((now, "closed", open.alert)),
                Some(Change::Escalated(_) | Change::NotConfirmed) | None => {}
            }
        }
        told
    }

    #[test]
    fn a_signal_opens_after_the_confirm_time_and_closes_after_the_clear_time() {
        let told = story(|t| (5.0..10.0).contains(&t), 20);
        assert_eq!(told, [(6.0, "opened", true), (11.75, "closed", true)]);
    }

    #[test]
    fn a_condition_shorter_than_the_confirm_time_raises_nothing() {
        assert_eq!(story(|t| (5.0..5.75).contains(&t) || (8.0..8.75).contains(&t), 20), []);
    }

    #[test]
    fn a_gap_shorter_than_the_clear_time_keeps_the_signal_open() {
        let told = story(|t| (5.0..15.0).contains(&t) && !(8.0..9.5).contains(&t), 20);
        assert_eq!(told.len(), 2, "{told:?}");
    }

    #[test]
    fn a_signal_that_opens_again_within_the_cooldown_is_not_told_again() {
        let told =
            story(|t| (5.0..7.0).contains(&t) || (12.0..14.0).contains(&t) || (20.0..22.0).contains(&t), 30);
        let opened: Vec<_> = told.iter().filter(|t| t.1 == "opened").map(|t| (t.0, t.2)).collect();
        assert_eq!(opened, [(6.0, true), (13.0, false), (21.0, true)]);
    }

    #[test]
    fn a_long_signal_is_updated_every_minute() {
        let told = story(|_| true, 125);
        let updated: Vec<_> = told.iter().filter(|t| t.1 == "updated").map(|t| t.0).collect();
        assert_eq!(updated, [61.0, 121.0]);
    }
}
