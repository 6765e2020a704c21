//! The outbox against a model of it: what was raised and not confirmed, whatever dies meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::{Manner, Rig, manner};
use crate::logbook::testing::{column, open};

/// What may happen to an outbox and its relay.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// So many alerts are raised.
    Raise(u32),
    /// The relay goes about its work for so many milliseconds.
    Work(u64),
    /// The relay dies and is begun anew.
    RestartRelay,
    /// The whole watch dies and is begun anew; what was committed is there.
    Crash,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1u32..6).prop_map(Act::Raise),
        4 => (1u64..60).prop_map(Act::Work),
        1 => Just(Act::RestartRelay),
        1 => Just(Act::Crash),
    ]
}

impl Rig {
    /// Ends the relay where it stands.
    async fn kill_relay(&mut self) {
        self.relay.abort();
        let _killed = (&mut self.relay).await;
    }

    /// The watch dies without a farewell, and another begins.
    async fn crash(&mut self) {
        self.kill_relay().await;
        let elsewhere = tempfile::tempdir().unwrap();
        (self.writer, self.sender) = open(&elsewhere.path().join("in-between.sqlite"));
        // The thread of the writer that is gone lets go of the lock when it has written what it held.
        let lock = std::fs::File::open(self.path().with_extension("sqlite.lock")).unwrap();
        lock.lock().unwrap();
        drop(lock);
        (self.writer, self.sender) = open(&self.path());
        self.start_relay();
    }

    /// Undelivered alerts, as the next relay would find them.
    fn waiting(&self) -> BTreeSet<i64> {
        let query = "SELECT seq FROM alert WHERE delivered IS NULL AND expired IS NULL";
        column(&self.path(), query).iter().map(|seq| seq.parse().unwrap()).collect()
    }
}

/// Plays `acts` against brokers that behave by `script`, and holds the outbox against what it must be.
async fn play(acts: &[Act], script: &[Manner]) {
    let mut rig = Rig::new(script, 30.0).await;
    rig.start_relay();
    // The model: what was raised, and what the broker has confirmed.
    let mut raised = 0;
    for act in acts {
        match *act {
            Act::Raise(more) => {
                rig.raise(raised + 1..=raised + more);
                raised += more;
            }
            Act::Work(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            Act::RestartRelay => {
                rig.kill_relay().await;
                rig.start_relay();
            }
            Act::Crash => rig.crash().await,
        }
        // In this order: what is confirmed meanwhile may be noted a moment later, never the other way round.
        let delivered: BTreeSet<_> = rig.delivered().into_iter().collect();
        let waiting = rig.waiting();
        assert!(delivered.is_subset(&rig.confirmed()), "called delivered before it was confirmed");
        let all: BTreeSet<_> = delivered.union(&waiting).copied().collect();
        assert_eq!(all, (1..=i64::from(raised)).collect(), "nothing lost, nothing made up");
    }
    rig.until_all_delivered(raised.into()).await;
    assert!(rig.waiting().is_empty());
    // Each session tells alerts in their order, whatever was told before.
    let sessions = rig.log.lock().unwrap().connects.len();
    for session in 0..sessions {
        assert!(rig.alerts_of(session).is_sorted(), "session {session}: {:?}", rig.alerts_of(session));
    }
}

proptest! {
    // `HAVENWACHT_LONG=1` plays as many as the release notes report.
    #![proptest_config(ProptestConfig {
        cases: if std::env::var_os("HAVENWACHT_LONG").is_some() { 500 } else { 12 },
        ..ProptestConfig::default()
    })]

    /// Append, publish, confirm, drop, crash, restart, in any order: the outbox is what was raised and not confirmed.
    #[test]
    fn the_outbox_is_what_its_model_says_through_every_fault(
        acts in prop::collection::vec(act(), 1..25), mut script in prop::collection::vec(manner(), 0..6),
    ) {
        script.push(Manner::Confirms);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(play(&acts, &script));
    }
}
