//! A logbook, a relay and a scripted broker.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use test_support::wait_until;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::scripted_broker::{Behaviour, ReceivedMessage, ScriptedBroker};
use crate::alerts::relay::{
    CameraStates, OutboxQueue, RelayHistory, RelayTask, RelayTiming, RetainedSources,
};
use crate::alerts::{RelayStats, relay_client};
use crate::backoff::Backoff;
use crate::clock::SimulatedClock;
use crate::config::Broker;
use crate::ids::{CameraId, SiteId};
use crate::logbook::testing::{at, column, notified_signal, open};
use crate::logbook::{ChainHead, LogbookSender, Writer};

pub(super) struct RelayFixture {
    folder: tempfile::TempDir,
    pub(super) writer: Writer,
    pub(super) sender: LogbookSender,
    clock: Arc<SimulatedClock>,
    pub(super) broker: ScriptedBroker,
    pub(super) cameras: watch::Sender<CameraStates>,
    pub(super) removed: Vec<CameraId>,
    /// Empty until a test sets it.
    pub(super) heads: watch::Sender<ChainHead>,
    pub(super) stats: Arc<RelayStats>,
    pub(super) stop: CancellationToken,
    pub(super) relay: JoinHandle<bool>,
}

impl RelayFixture {
    /// The relay does not run yet. Its clock reads `now`, in seconds of the test logbook.
    pub(super) fn new(script: &[Behaviour], now: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (writer, sender) = open(&folder.path().join("logbook.sqlite"));
        let broker = ScriptedBroker::start(script);
        let clock = Arc::new(SimulatedClock::new(at(now).wall));
        let cameras = watch::channel(CameraStates::new()).0;
        let heads = watch::channel(ChainHead::default()).0;
        let (stats, stop) = Default::default();
        let relay = tokio::spawn(async { false });
        Self {
            folder,
            writer,
            sender,
            clock,
            broker,
            cameras,
            removed: Vec::new(),
            heads,
            stats,
            stop,
            relay,
        }
    }

    pub(super) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("logbook.sqlite")
    }

    pub(super) fn start_relay(&mut self) {
        let writer = &self.writer;
        let site = SiteId::new("sample-harbour").unwrap();
        let broker = Broker { host: "127.0.0.1".into(), port: self.broker.port, login: None, tls: None };
        let backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(20), 50).unwrap();
        let task = RelayTask {
            transport: relay_client(&broker, &site),
            committed: writer.outbox(),
            retained: RetainedSources {
                site,
                start: (writer.start(), at(0.0)),
                cameras: self.cameras.subscribe(),
                removed: self.removed.clone(),
                heads: self.heads.subscribe(),
                writer: writer.stats(),
                relay: self.stats.clone(),
                clock: self.clock.clone(),
            },
            outbox: OutboxQueue::new(self.path(), self.sender.clone()),
            clock: self.clock.clone(),
            beat: Box::new(|| ()),
            stats: self.stats.clone(),
            delays: backoff.delays(1),
            timing: RelayTiming {
                acknowledge: Duration::from_millis(400),
                disconnect: Duration::from_secs(2),
                retry: Duration::from_millis(50),
            },
            stop: self.stop.clone(),
            history: RelayHistory::default(),
        };
        self.relay = tokio::spawn(task.run());
    }

    /// Raises the alerts with these numbers and waits until they are committed: a script is about messages that arrive
    /// together.
    pub(super) fn raise(&self, numbers: std::ops::RangeInclusive<u32>) {
        for number in numbers {
            self.sender.send(notified_signal(number.into(), f64::from(number))).unwrap();
        }
        self.writer.flush(Duration::from_secs(20)).unwrap();
    }

    pub(super) fn delivered(&self) -> Vec<i64> {
        let query = "SELECT seq FROM alert WHERE delivered IS NOT NULL ORDER BY seq";
        column(&self.path(), query).iter().map(|seq| seq.parse().unwrap()).collect()
    }

    /// Numbers of the alerts that the broker acknowledged.
    pub(super) fn acknowledged(&self) -> BTreeSet<i64> {
        self.received().iter().filter(|message| message.acknowledged).filter_map(alert_seq).collect()
    }

    pub(super) fn received(&self) -> Vec<ReceivedMessage> {
        self.broker.log().received.clone()
    }

    /// The retained messages on topics with this ending.
    pub(super) fn retained(&self, ending: &str) -> Vec<ReceivedMessage> {
        let mut received = self.received();
        received.retain(|message| message.topic.ends_with(ending) && message.retain);
        received
    }

    /// The alerts of one session, in the order of arrival.
    pub(super) fn alerts_of(&self, session: usize) -> Vec<i64> {
        self.received().iter().filter(|message| message.session == session).filter_map(alert_seq).collect()
    }

    pub(super) async fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        tokio::task::block_in_place(|| wait_until(Duration::from_secs(20), what, || holds(self)));
    }

    pub(super) async fn wait_until_delivered(&self, alerts: i64) {
        let all: Vec<_> = (1..=alerts).collect();
        self.wait_until("all alerts are delivered", |fixture| fixture.delivered() == all).await;
        assert!(self.acknowledged().is_superset(&self.delivered().into_iter().collect()));
    }
}

/// The alert's number in the outbox, when the message is an alert.
pub(super) fn alert_seq(message: &ReceivedMessage) -> Option<i64> {
    message.alert()?["seq"].as_i64()
}
