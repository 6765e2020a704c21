//! The outbox against a model of it: what was raised and not acknowledged, through crashes of relay and daemon.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::behaviour;
use super::relay_fixture::RelayFixture;
use super::scripted_broker::Behaviour;
use crate::logbook::testing::{column, open};

/// What may happen to an outbox and its relay.
#[derive(Clone, Copy, Debug)]
enum OutboxStep {
    /// Raises this many alerts.
    Raise(u32),
    /// Lets the relay work for this many milliseconds.
    Work(u64),
    /// Kills the relay and starts another.
    RestartRelay,
    /// Kills writer and relay and starts others on the same logbook.
    Crash,
}

fn step() -> impl Strategy<Value = OutboxStep> {
    prop_oneof![
        4 => (1u32..6).prop_map(OutboxStep::Raise),
        4 => (1u64..60).prop_map(OutboxStep::Work),
        1 => Just(OutboxStep::RestartRelay),
        1 => Just(OutboxStep::Crash),
    ]
}

impl RelayFixture {
    /// Ends the relay at once.
    async fn kill_relay(&mut self) {
        self.relay.abort();
        let _killed = (&mut self.relay).await;
    }

    /// Ends writer and relay without a shutdown and starts others.
    async fn crash(&mut self) {
        self.kill_relay().await;
        let elsewhere = tempfile::tempdir().unwrap();
        (self.writer, self.sender) = open(&elsewhere.path().join("in-between.sqlite"));
        // The old writer's thread releases the lock when it has written its queue.
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

/// Carries out `steps` with a broker that follows `script`, and compares the outbox with the model after each step.
async fn play(steps: &[OutboxStep], script: &[Behaviour]) {
    let mut fixture = RelayFixture::new(script, 30.0);
    fixture.start_relay();
    // The model: this many were raised, and the broker's log says which were acknowledged.
    let mut raised = 0;
    for step in steps {
        match *step {
            OutboxStep::Raise(more) => {
                fixture.raise(raised + 1..=raised + more);
                raised += more;
            }
            OutboxStep::Work(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            OutboxStep::RestartRelay => {
                fixture.kill_relay().await;
                fixture.start_relay();
            }
            OutboxStep::Crash => fixture.crash().await,
        }
        // Read in this order: an alert is acknowledged first and noted as delivered later.
        let delivered: BTreeSet<_> = fixture.delivered().into_iter().collect();
        let waiting = fixture.waiting();
        assert!(delivered.is_subset(&fixture.acknowledged()), "delivered before it was acknowledged");
        let all: BTreeSet<_> = delivered.union(&waiting).copied().collect();
        assert_eq!(all, (1..=i64::from(raised)).collect(), "no alert is lost or invented");
    }
    fixture.wait_until_delivered(raised.into()).await;
    assert!(fixture.waiting().is_empty());
    // Each session sends alerts in order, whatever earlier sessions sent. An alert that ended two sessions follows the others. The
    // broker may not have received it, so its log does not say which one that is.
    let sessions = fixture.broker.log().connects.len();
    for session in 0..sessions {
        let alerts = fixture.alerts_of(session);
        let mut newest = 0;
        let late = alerts.iter().filter(|seq| {
            let follows_a_newer_one = **seq < newest;
            newest = newest.max(**seq);
            follows_a_newer_one
        });
        let late = late.count();
        assert!(late <= session / 2, "session {session}: {alerts:?}");
    }
}

proptest! {
    // `HAVENWACHT_LONG=1` runs as many cases as the published measurements.
    #![proptest_config(ProptestConfig {
        cases: if std::env::var_os("HAVENWACHT_LONG").is_some() { 500 } else { 12 },
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_outbox_equals_its_model_after_any_faults(
        steps in prop::collection::vec(step(), 1..25), mut script in prop::collection::vec(behaviour(), 0..6),
    ) {
        script.push(Behaviour::Acknowledge);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(play(&steps, &script));
    }
}
