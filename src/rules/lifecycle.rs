//! The life of a signal: a condition must be met for a while before the signal opens, and not be met for a while before
//! it closes.

use std::time::Duration;

use super::evaluation::ConditionState;
use super::rule::Rule;
use super::signal::{OpenSignal, SignalId};
use crate::clock::{MonoTime, Stamp};

/// An open signal is updated this often, so that the logbook shows its present value.
const UPDATE_EVERY: Duration = Duration::from_secs(60);

/// The signal of one rule about one subject.
#[derive(Clone, Debug, Default)]
pub(super) struct SignalLifecycle {
    state: LifecycleState,
    last_alert: Option<MonoTime>,
}

#[derive(Clone, Copy, Debug, Default)]
enum LifecycleState {
    #[default]
    Idle,
    /// The condition is met, for less than the confirm time so far.
    Pending { from: MonoTime },
    /// The signal is open.
    Open { signal: OpenSignal, last_met: MonoTime, last_event: MonoTime },
}

/// What a detection pass did to the signal.
#[derive(Clone, Copy, Debug)]
pub(super) enum SignalChange {
    Opened(OpenSignal),
    Updated(OpenSignal),
    Escalated(OpenSignal),
    Closed(OpenSignal),
    /// The condition was no longer met before it was confirmed.
    NotConfirmed,
}

impl SignalLifecycle {
    /// Takes whether the condition is met. `new_id` makes the identity of a signal that opens now.
    pub(super) fn step(
        &mut self,
        rule: &Rule,
        condition: ConditionState,
        at: Stamp,
        new_id: impl Fn() -> SignalId,
    ) -> Option<SignalChange> {
        let (since, entered, at_once) = match condition {
            ConditionState::NotMet => return self.not_met(rule, at),
            ConditionState::Since { since, entered } => (since, entered, false),
            ConditionState::Moment => (at, false, true),
        };
        if let LifecycleState::Open { signal, last_met, last_event } = &mut self.state {
            *last_met = at.mono;
            let may_escalate = signal.alert && !signal.settled;
            let is_late = rule.escalate_after.is_some_and(|after| at.mono.since(signal.opened) >= after);
            if may_escalate && is_late {
                signal.settled = true;
                *last_event = at.mono;
                return Some(SignalChange::Escalated(*signal));
            }
            if at.mono.since(*last_event) < UPDATE_EVERY {
                return None;
            }
            *last_event = at.mono;
            return Some(SignalChange::Updated(*signal));
        }
        let from = if let LifecycleState::Pending { from } = self.state { from } else { at.mono };
        if !at_once && at.mono.since(from) < rule.confirm {
            self.state = LifecycleState::Pending { from };
            return None;
        }
        let alert = rule.raises && self.last_alert.is_none_or(|last| at.mono.since(last) >= rule.cooldown);
        if alert {
            self.last_alert = Some(at.mono);
        }
        let signal = OpenSignal { signal: new_id(), since, opened: at.mono, entered, alert, settled: false };
        self.state = LifecycleState::Open { signal, last_met: at.mono, last_event: at.mono };
        Some(SignalChange::Opened(signal))
    }

    fn not_met(&mut self, rule: &Rule, at: Stamp) -> Option<SignalChange> {
        match self.state {
            LifecycleState::Open { signal, last_met, .. } if at.mono.since(last_met) >= rule.clear => {
                self.state = LifecycleState::Idle;
                Some(SignalChange::Closed(signal))
            }
            LifecycleState::Open { .. } | LifecycleState::Idle => None,
            LifecycleState::Pending { .. } => {
                self.state = LifecycleState::Idle;
                Some(SignalChange::NotConfirmed)
            }
        }
    }

    /// The signal, while it is open.
    pub(super) fn open(&self) -> Option<OpenSignal> {
        if let LifecycleState::Open { signal, .. } = self.state { Some(signal) } else { None }
    }

    /// Staff have acknowledged the signal, so it is not escalated.
    pub(super) fn acknowledge(&mut self, id: SignalId) {
        if let LifecycleState::Open { signal, .. } = &mut self.state
            && signal.signal == id
        {
            signal.settled = true;
        }
    }

    /// The subject is gone: an open signal closes now.
    pub(super) fn end(&mut self) -> Option<SignalChange> {
        match std::mem::take(&mut self.state) {
            LifecycleState::Open { signal, .. } => Some(SignalChange::Closed(signal)),
            LifecycleState::Idle | LifecycleState::Pending { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{at, presence_rule};

    /// Steps a presence rule (confirm 1 s, clear 2 s, cooldown 10 s); the changes, with their seconds.
    fn changes(is_met: impl Fn(f64) -> bool, seconds: u32) -> Vec<(f64, &'static str, bool)> {
        let rule = presence_rule();
        let mut lifecycle = SignalLifecycle::default();
        let mut changes = Vec::new();
        for tick in 0..seconds * 4 {
            let now = f64::from(tick) / 4.0;
            let since = ConditionState::Since { since: at(now), entered: true };
            let condition = if is_met(now) { since } else { ConditionState::NotMet };
            match lifecycle.step(&rule, condition, at(now), || SignalId(uuid::Uuid::nil())) {
                Some(SignalChange::Opened(signal)) => changes.push((now, "opened", signal.alert)),
                Some(SignalChange::Updated(signal)) => changes.push((now, "updated", signal.alert)),
                Some(SignalChange::Closed(signal)) => changes.push((now, "closed", signal.alert)),
                Some(SignalChange::Escalated(_) | SignalChange::NotConfirmed) | None => {}
            }
        }
        changes
    }

    #[test]
    fn opens_after_confirm_and_closes_after_clear() {
        let changes = changes(|t| (5.0..10.0).contains(&t), 20);
        assert_eq!(changes, [(6.0, "opened", true), (11.75, "closed", true)]);
    }

    #[test]
    fn shorter_than_confirm_opens_nothing() {
        assert_eq!(changes(|t| (5.0..5.75).contains(&t) || (8.0..8.75).contains(&t), 20), []);
    }

    #[test]
    fn a_gap_shorter_than_clear_keeps_it_open() {
        let changes = changes(|t| (5.0..15.0).contains(&t) && !(8.0..9.5).contains(&t), 20);
        assert_eq!(changes.len(), 2, "{changes:?}");
    }

    #[test]
    fn opens_without_an_alert_within_the_cooldown() {
        let changes = changes(
            |t| (5.0..7.0).contains(&t) || (12.0..14.0).contains(&t) || (20.0..22.0).contains(&t),
            30,
        );
        let opened: Vec<_> = changes.iter().filter(|t| t.1 == "opened").map(|t| (t.0, t.2)).collect();
        assert_eq!(opened, [(6.0, true), (13.0, false), (21.0, true)]);
    }

    #[test]
    fn a_long_signal_is_updated_every_minute() {
        let changes = changes(|_| true, 125);
        let updated: Vec<_> = changes.iter().filter(|t| t.1 == "updated").map(|t| t.0).collect();
        assert_eq!(updated, [61.0, 121.0]);
    }
}
