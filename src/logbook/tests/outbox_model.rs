//! A property test: the outbox compared with a simple model.

use proptest::prelude::*;

use super::fresh;
use super::writing::{now, wait_for_writer};
use crate::logbook::testing::*;
use crate::logbook::*;

/// A simple outbox, to compare with.
#[derive(Debug, Default)]
struct OutboxModel {
    waiting: Vec<(i64, u32)>,
    next: i64,
}

#[derive(Clone, Debug)]
enum ModelStep {
    Raise,
    Settle(usize, DeliveryOutcome),
    Crash,
}

impl OutboxModel {
    fn raise(&mut self) {
        self.next += 1;
        self.waiting.push((self.next, 0));
    }

    fn settle(&mut self, seq: i64, outcome: DeliveryOutcome) {
        self.waiting.iter_mut().filter(|row| row.0 == seq).for_each(|row| row.1 += 1);
        if outcome != DeliveryOutcome::Unconfirmed {
            self.waiting.retain(|row| row.0 != seq);
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<ModelStep>> {
    let outcome = prop_oneof![
        Just(DeliveryOutcome::Delivered),
        Just(DeliveryOutcome::Unconfirmed),
        Just(DeliveryOutcome::Expired)
    ];
    let step = prop_oneof![
        5 => Just(ModelStep::Raise),
        5 => (0usize..12, outcome).prop_map(|(which, outcome)| ModelStep::Settle(which, outcome)),
        1 => Just(ModelStep::Crash),
    ];
    prop::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_outbox_holds_alerts_that_are_not_final(steps in steps()) {
        let (_folder, path) = fresh();
        let mut model = OutboxModel::default();
        let mut open_writer = Some(open(&path));
        for step in steps {
            let (writer, sender) = open_writer.as_ref().unwrap();
            match step {
                ModelStep::Raise => {
                    model.raise();
                    sender.send(notified_signal(model.next as u128, model.next as f64)).unwrap();
                }
                ModelStep::Settle(which, outcome) => {
                    // Also alerts that are final already, or were never raised: these must have no effect.
                    let seq = which as i64;
                    model.settle(seq, outcome);
                    sender.send(Entry::Delivery(DeliveryNote { seq, at: now(), attempts: 1, outcome })).unwrap();
                }
                ModelStep::Crash => {
                    writer.flush(SOON).unwrap();
                    drop(open_writer.take());
                    wait_for_writer(&path);
                    open_writer = Some(open(&path));
                }
            }
            open_writer.as_ref().unwrap().0.flush(SOON).unwrap();
            let rows = Outbox::open(&path).unwrap().undelivered(0, 100).unwrap();
            let found: Vec<_> = rows.iter().map(|row| (row.seq, row.attempts)).collect();
            prop_assert_eq!(&found, &model.waiting);
        }
    }
}
